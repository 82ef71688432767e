"""Unread mail is taken apart once, given its sender's lane, tried again when that fails, and never lost."""

import sys
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, select

from intake.incoming import Incoming
from intake.post import reader as reader_module
from intake.post.arrival import RawMail, receive_mails
from intake.post.process import Beliefs, CannotStart, ReadingProcess, Unreadable
from intake.post.reader import Reader
from intake.worker import drop_dead, retry_dead
from storage.database import Database
from storage.files import Files
from storage.readings import Found, forget_reading, keep_readings, reading_of
from storage.tables import Channel, Inbox, InboxState
from storage.words import Standing
from tests import pec
from tests.intake.reading.letters import a_mail, a_multipart, a_part

# Stands in for the child: answers like it, but for the mails that tell it to do something else.
CHILD = """
import os, sys, time
from intake.reading import child
from intake.reading.frames import LENGTHS
real = child.read
def read(raw, **given):
    if b"DIE" in raw: os._exit(9)
    if b"HANG" in raw: time.sleep(3600)
    if b"TALK" in raw:
        os.write(1, LENGTHS.pack(8, 0) + b"nonsense"); time.sleep(3600)
    if b"RAISE" in raw: raise RuntimeError("no")
    if b"EAT" in raw: bytearray(4 << 30)
    if b"BURN" in raw:
        while True: pass
    return real(raw, **given)
child.read = read
child.SECONDS = 1
child.main()
"""
COMMAND = (sys.executable, "-c", CHILD)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
async def reader(database: Database, tmp_path: Path, clock: Clock) -> AsyncIterator[Reader]:
    one = Reader(database, Files(tmp_path / "files", database.keys), clock, Beliefs())
    one.process = ReadingProcess(Beliefs(), wall=30, command=COMMAND)
    yield one
    await one.close()


def bring(database: Database, now: datetime, *mails: bytes) -> None:
    with database.write() as session:
        receive_mails(session, [RawMail(Channel.EMAIL, "ufficio@example.net", raw) for raw in mails], now)


def rows(database: Database) -> Sequence[Inbox]:
    with database.read() as session:
        return session.exec(select(Inbox).order_by(Inbox.id)).all()  # type: ignore[arg-type]


def readings(database: Database) -> list[Incoming]:
    with database.read() as session:
        found = [reading_of(session, row.id) for row in rows(database)]
    return [Incoming.from_json(one) for one in found if one is not None]


async def test_a_mail_is_read_and_waits_in_the_lane_of_its_sender(
    database: Database, reader: Reader, now: datetime
) -> None:
    bring(
        database,
        now,
        a_mail("Prima", Message_ID="<1@example.org>"),
        a_mail("Seconda", Message_ID="<2@example.org>", From="ADA@example.org"),
        a_mail("Terza", Message_ID="<3@example.org>", From="carla@example.org"),
    )

    assert await reader.read_some() == 3

    first, second, third = rows(database)
    assert [row.state for row in (first, second, third)] == [InboxState.NEW] * 3
    assert first.lane == second.lane != third.lane
    assert first.lane.startswith("mail:")
    assert len(first.lane) == 25
    assert [one.text for one in readings(database)] == ["Prima", "Seconda", "Terza"]
    assert await reader.read_some() == 0


async def test_files_are_on_disk_and_what_we_refuse_says_why(
    database: Database, reader: Reader, now: datetime, tmp_path: Path
) -> None:
    pdf = b"%PDF-1.4 piccolo"
    bring(
        database,
        now,
        a_multipart(
            a_part("Ecco."),
            a_part(pdf, "application/pdf", Content_Disposition='attachment; filename="perizia.pdf"'),
            a_part("MZ", "application/pdf", Content_Disposition='attachment; filename="virus.exe"'),
            a_part("From: b@example.org\nSubject: Prima\n\n<html>ciao</html>", "message/rfc822"),
        ),
    )

    await reader.read_some()

    (mail,) = readings(database)
    perizia, virus, inner = mail.files
    with Files(tmp_path / "files", database.keys).open(perizia.kept) as file:
        assert file.read() == pdf
    assert (perizia.seen, perizia.size, perizia.refused) == ("application/pdf", len(pdf), "")
    assert virus.kept == ""
    assert virus.refused.startswith("We cannot take programs")
    assert inner.kept
    assert (inner.name, inner.inside) == ("Prima.eml", "Prima · b@example.org")


@pytest.mark.parametrize("deed", ["DIE", "TALK", "RAISE", "EAT", "BURN"])
async def test_a_mail_that_ends_the_process_costs_only_itself(
    database: Database, reader: Reader, now: datetime, deed: str
) -> None:
    bring(
        database, now, *(a_mail(text, Message_ID=f"<{text}@example.org>") for text in ("uno", deed, "tre", "quattro"))
    )

    await reader.read_some()

    found = rows(database)
    assert [row.state for row in found] == [InboxState.NEW, InboxState.UNREAD, InboxState.NEW, InboxState.NEW]
    assert [row.attempts for row in found] == [0, 1, 0, 0]
    assert [one.text for one in readings(database)] == ["uno", "tre", "quattro"]


async def test_a_process_that_hangs_is_replaced(database: Database, reader: Reader, now: datetime) -> None:
    reader.process = ReadingProcess(Beliefs(), wall=0.2, command=COMMAND)
    bring(database, now, a_mail("HANG"))
    await reader.process.read([a_mail("è sveglio")])  # the first answer is waited for longer: it has to start

    await reader.read_some()

    (row,) = rows(database)
    assert (row.state, row.attempts, row.error) == (InboxState.UNREAD, 1, "Unreadable: took too long")
    assert reader.process.deaths == 1
    (answer,) = await ReadingProcess(Beliefs()).read([a_mail("ancora")])
    assert not isinstance(answer, Unreadable)


async def test_after_five_tries_it_is_a_dead_letter_and_may_be_tried_again(
    database: Database, reader: Reader, clock: Clock, now: datetime
) -> None:
    bring(database, now, a_mail("RAISE"))
    for _ in range(5):
        assert await reader.read_some() == 1
        assert await reader.read_some() == 0  # not before it is due
        clock.now += timedelta(seconds=10)

    (row,) = rows(database)
    assert (row.state, row.attempts, row.error) == (InboxState.DEAD, 5, "Unreadable: RuntimeError")

    with database.write() as session:
        assert retry_dead(session, row.id, clock.now)
    reader.process = ReadingProcess(Beliefs())
    await reader.read_some()

    (row,) = rows(database)
    assert (row.state, row.attempts) == (InboxState.NEW, 0)
    assert [one.text for one in readings(database)] == ["RAISE"]
    await reader.close()


@pytest.mark.parametrize("command", [("/nonexistent",), (sys.executable, "-c", "print('x' * 100)"), ("/bin/true",)])
async def test_that_no_process_starts_is_no_mails_fault(
    database: Database, reader: Reader, now: datetime, command: tuple[str, ...]
) -> None:
    bring(database, now, a_mail())
    reader.process = ReadingProcess(Beliefs(), command=command)

    with pytest.raises(CannotStart):
        await reader.read_some()

    (row,) = rows(database)
    assert (row.state, row.attempts) == (InboxState.UNREAD, 0)


async def test_what_no_database_takes_costs_only_itself(
    database: Database, reader: Reader, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(database, now, *(a_mail(text, Message_ID=f"<{text}@example.org>") for text in ("uno", "due", "tre")))
    real = keep_readings

    def picky(session: Session, found: Sequence[Found], now: datetime) -> list[int]:
        if any(one.document["text"] == "due" for one in found):
            raise ValueError("no")
        return real(session, found, now)

    monkeypatch.setattr(reader_module, "keep_readings", picky)

    await reader.read_some()

    assert [(row.state, row.attempts) for row in rows(database)] == [
        (InboxState.NEW, 0),
        (InboxState.UNREAD, 1),
        (InboxState.NEW, 0),
    ]


async def test_two_readers_make_one_reading(
    database: Database, reader: Reader, clock: Clock, now: datetime, tmp_path: Path
) -> None:
    bring(database, now, a_mail())
    answered = await reader.process.read([a_mail()])

    class Slow(ReadingProcess):
        async def read(self, mails: Sequence[bytes]) -> list[object]:  # type: ignore[override]
            await reader.read_some()  # the other one is quicker
            return list(answered)

    slow = Reader(database, Files(tmp_path / "files", database.keys), clock)
    slow.process = Slow(Beliefs())
    await slow.read_some()

    assert len(readings(database)) == 1


async def test_what_was_read_already_goes_back_to_the_worker(
    database: Database, reader: Reader, clock: Clock, now: datetime
) -> None:
    bring(database, now, a_mail())
    await reader.read_some()
    (row,) = rows(database)
    with database.write() as session:
        session.get_one(Inbox, row.id).state = InboxState.DEAD

    with database.write() as session:
        assert retry_dead(session, row.id, now)

    assert rows(database)[0].state is InboxState.NEW


async def test_certified_mail_is_believed_by_the_process_too(
    database: Database, clock: Clock, now: datetime, tmp_path: Path
) -> None:
    one = Reader(database, Files(tmp_path / "files"), clock, Beliefs(trust=str(pec.pem_file(tmp_path))))
    bring(database, now, pec.a_transport())

    await one.read_some()
    await one.close()

    (mail,) = readings(database)
    assert mail.pec is not None
    assert mail.pec.standing is Standing.CERTIFIED


async def test_forgotten_when_it_is_handled(database: Database, reader: Reader, now: datetime) -> None:
    bring(database, now, a_mail())
    await reader.read_some()

    with database.write() as session:
        forget_reading(session, rows(database)[0].id)

    assert readings(database) == []
    with database.write() as session:
        assert not drop_dead(session, rows(database)[0].id, now)
