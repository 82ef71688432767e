"""The loop that marks what was written: a moment later, a few at a time, and only when there is something."""

import asyncio
from datetime import datetime

import pytest

from app import mark_keeping
from app.mark_keeping import MarkKeeper, renew_all
from storage.database import Database
from storage.indexing import left_to_renew
from storage.queue import View, queue_page
from tests.cast import Cast


def ask(database: Database, now: datetime, *texts: str) -> list[int]:
    with database.write() as session:
        cast = Cast(session, now)
        ada = cast.a_referent()
        return [int(cast.a_question(ada, text).id) for text in texts]


def found(database: Database, wanted: str) -> list[int]:
    with database.read() as session:
        return [line.id for line in queue_page(session, View.ALL, 1, wanted)[0]]


def left(database: Database) -> int:
    with database.read() as session:
        return left_to_renew(session)


async def test_what_is_written_while_it_runs_is_found_and_it_ends_when_told(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mark_keeping, "LOOK_SECONDS", 0.001)
    commits = asyncio.Event()
    ask(database, now, "Il tetto")
    database.after_commit(lambda loop=asyncio.get_running_loop(): loop.call_soon_threadsafe(commits.set))  # type: ignore[misc]
    stop = asyncio.Event()
    running = asyncio.create_task(MarkKeeper(database, pause=lambda took: 0.0).run(stop))

    seen = []
    for word in ("cortile", "palestra"):
        asked = ask(database, now, f"Perché questo: {word}?")
        while not found(database, word):
            commits.clear()
            await commits.wait()
        seen.append(found(database, word) == asked)
    stop.set()
    await running

    assert seen == [True, True]


async def test_it_may_be_stopped_anywhere_and_goes_on_where_it_was(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mark_keeping, "AT_ONCE", 2)
    ask(database, now, *["Il cortile"] * 5)
    stop = asyncio.Event()

    def stopped_after_the_first(_took: float) -> float:
        stop.set()
        return 60.0

    done = await MarkKeeper(database, pause=stopped_after_the_first).renew(stop)

    assert (done, left(database)) == (2, 3)
    assert renew_all(database) == 3


async def test_after_each_few_it_lets_others_go_first_for_as_long_as_it_took(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mark_keeping, "AT_ONCE", 2)
    ask(database, now, *["Il cortile"] * 5)
    waited: list[float] = []

    async def wait(_stop: asyncio.Event, seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(mark_keeping, "_wait", wait)
    done = await MarkKeeper(database).renew(asyncio.Event())

    assert (done, len(waited)) == (5, 3)
    assert all(seconds > 0 for seconds in waited)


async def test_where_nothing_is_to_be_done_it_only_looks(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(database, now, "Il cortile")
    renew_all(database)
    commits: list[None] = []
    database.after_commit(lambda: commits.append(None))
    stop = asyncio.Event()

    async def wait(_stop: asyncio.Event, _seconds: float) -> None:
        stop.set()

    monkeypatch.setattr(mark_keeping, "_wait", wait)
    await MarkKeeper(database).run(stop)

    assert commits == []
