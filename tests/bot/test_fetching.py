"""Files fetched from a Telegram that refuses, forgets and breaks: kept in the end, or shown where to leave them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from bot.fetching import Fetcher
from delivery.words import PERSONAL_PAGE, Words
from intake.expected import Expected, claim, expect
from sandbox.telegram import Drop, Fault
from storage import attachments
from storage.database import Database
from storage.files import Files
from storage.tables import Attachment, FileKind, FileState, Message, Outbox
from tests.cast import Cast
from tests.delivery.conftest import ADA, World, a_world
from tests.delivery.wiring import Clock

PDF = b"%PDF-1.7\nun esempio\n%%EOF\n"


class Desk:
    """Ada's files on one side, Telegram on the other, and the fetcher between them."""

    def __init__(self, world: World, database: Database, files: Files, clock: Clock) -> None:
        self.world, self.database, self.files, self.clock = world, database, files, clock
        self.ada = world.sandbox.people[ADA]
        self.fetcher = Fetcher(database, world.bot, files, clock)
        with database.write() as session:
            cast = Cast(session, clock.now)
            ada = cast.a_referent("Ada Esempio", chat=ADA)
            cast.a_question(ada)
            self.ada_id = ada.id

    def expects(
        self, content: bytes | None, name: str = "relazione.pdf", size: int = 0, *, left_out: bool = False
    ) -> int:
        """Ada sends a document into her thread, and it is written down."""
        sent = self.ada.sends_document(name, content=content, size=size or None).raw["document"]
        what = Expected(FileKind.FILE, name, 0, "application/pdf", sent["file_id"], "u", "7", "", {})
        with self.database.write() as session:
            file = expect(session, what, referent_id=self.ada_id, inbox_id=None, now=self.clock.now)
            if not left_out:
                attachments.put_in_message(session, [file.id], session.exec(select(Message.id)).one())
            return file.id

    async def fetches(self, seconds: float = 0.0) -> bool:
        self.clock.forward(seconds=seconds)
        return await self.fetcher.fetch_some()

    def row(self, attachment_id: int) -> Attachment:
        with self.database.read() as session:
            found = session.get_one(Attachment, attachment_id)
            session.expunge(found)
            return found

    def said(self) -> list[Words]:
        with self.database.read() as session:
            return [Words.from_json(row.body) for row in session.exec(select(Outbox).order_by(col(Outbox.id)))]


@pytest.fixture
async def desk(database: Database, tmp_path: Path, now: datetime) -> AsyncIterator[Desk]:
    async with a_world(limits=False) as world:
        yield Desk(world, database, Files(tmp_path / "files", database.keys), Clock(now))


async def test_a_file_is_fetched_whole_and_its_type_seen_by_its_content(desk: Desk) -> None:
    large = PDF + bytes(2 * 1024 * 1024)
    first, second = desk.expects(large, "senza-nome"), desk.expects(b"PK\x03\x04", "foglio.xlsx")

    assert await desk.fetches()
    assert not await desk.fetches()

    row = desk.row(first)
    assert (row.state, row.size, row.type_seen) == (FileState.KEPT, len(large), "application/pdf")
    assert row.sha256 is not None
    with desk.files.open(row.sha256) as file:
        assert file.read() == large
    assert desk.row(second).type_seen == "application/zip"
    assert desk.said() == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drop=Drop.BEFORE),
        Fault(drop=Drop.AFTER),
        Fault(502, "Bad Gateway"),
        Fault(400, "Bad Request: wrong file_id or the file is temporarily unavailable"),
    ],
)
async def test_a_passing_trouble_is_tried_again(desk: Desk, fault: Fault) -> None:
    faults = [fault]
    desk.world.sandbox.faults = lambda method, _: faults.pop() if method == "getFile" and faults else None
    attachment = desk.expects(PDF)

    await desk.fetches()
    assert desk.row(attachment).state is FileState.WAITING
    assert not await desk.fetches(), "not before its time"
    await desk.fetches(5)

    assert (desk.row(attachment).state, desk.row(attachment).attempts) == (FileState.KEPT, 2)


async def test_a_link_that_has_expired_is_asked_for_anew(desk: Desk) -> None:
    attachment = desk.expects(PDF)
    forgotten = [True]

    def forget(method: str, values: dict[str, Any]) -> Fault | None:
        return Fault(404, "Not Found") if method not in {"getFile"} and forgotten and forgotten.pop() else None

    desk.world.sandbox.faults = forget
    await desk.fetches()
    await desk.fetches(5)

    assert desk.row(attachment).state is FileState.KEPT


async def test_telegram_asks_to_wait_and_is_obeyed(desk: Desk) -> None:
    faults = [Fault(429, "Too Many Requests: retry after 40", retry_after=40)]
    desk.world.sandbox.faults = lambda method, _: faults.pop() if method == "getFile" and faults else None
    attachment = desk.expects(PDF)

    await desk.fetches()
    assert not await desk.fetches(39)
    await desk.fetches(1)

    assert desk.row(attachment).state is FileState.KEPT


@pytest.mark.parametrize(
    ("content", "name", "size", "why", "said"),
    [
        (None, "video.mp4", 25 * 1024 * 1024, "too-large", "troppo grande per Telegram"),
        (b"MZ a program", "relazione.pdf", 0, "refused", "niente programmi"),
        (b"", "vuoto.pdf", 0, "expired", "non mi consegna"),
    ],
)
async def test_what_cannot_be_had_is_told_once_with_the_way_to_its_place(  # type: ignore[no-untyped-def]
    desk: Desk, content, name, size, why, said
) -> None:
    attachment = desk.expects(content, name, size)

    for seconds in (0, 5, 20):
        await desk.fetches(seconds)

    row = desk.row(attachment)
    assert (row.state, row.error) == (FileState.MISSING, why)
    [words] = desk.said()
    assert said in words.html
    assert [one.url for line in words.buttons for one in line] == [f"{PERSONAL_PAGE}/upload/{attachment}"]
    assert list(desk.files.folder.glob("*/*")) == [], "nothing of it stays on disk"


async def test_nobody_misses_what_was_left_out_or_replaced(desk: Desk) -> None:
    attachment = desk.expects(b"MZ a program", left_out=True)

    await desk.fetches()

    assert desk.row(attachment).state is FileState.MISSING
    assert desk.said() == []


async def test_an_expired_file_is_told_within_seconds(desk: Desk) -> None:
    attachment = desk.expects(PDF)
    desk.world.sandbox.expire(desk.row(attachment).file_id)

    await desk.fetches()
    await desk.fetches(5)

    assert desk.row(attachment).error == "expired"
    assert "non mi consegna “relazione.pdf”" in desk.said()[0].html


async def test_when_telegram_is_away_for_long_the_person_is_shown_another_way(desk: Desk) -> None:
    attachment = desk.expects(PDF)
    desk.world.sandbox.faults = lambda *_: Fault(drop=Drop.BEFORE)

    for _ in range(8):
        await desk.fetches(1200)

    assert desk.row(attachment).state is FileState.MISSING
    assert len(desk.said()) == 1


async def test_a_dead_process_leaves_its_file_to_the_next(desk: Desk) -> None:
    attachment = desk.expects(PDF)
    with desk.database.write() as session:
        assert claim(session, desk.clock.now) is not None

    assert not await desk.fetches(100), "it may still be alive"
    await desk.fetches(30)

    assert desk.row(attachment).state is FileState.KEPT


async def test_where_only_one_process_can_exist_the_next_begins_at_once(desk: Desk) -> None:
    attachment = desk.expects(PDF)
    with desk.database.write() as session:
        assert claim(session, desk.clock.now) is not None
    stop = asyncio.Event()

    running = asyncio.create_task(desk.fetcher.run(stop))
    if desk.database.is_sqlite:
        async with asyncio.timeout(60):
            while desk.row(attachment).state is not FileState.KEPT:
                await asyncio.sleep(0.02)
    stop.set()
    await running

    assert (desk.row(attachment).state is FileState.KEPT) == desk.database.is_sqlite
