"""Order in each lane, nobody held up, nothing lost."""

import asyncio
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from intake.inbox import Arrival, receive_many
from intake.worker import Handler, PassBroken, Worker, drop_dead, retry_dead, work
from storage.database import Database
from storage.inbox import dead_letters, inbox_row
from storage.tables import Audit, Inbox, InboxState, Organization, OrganizationKind

KIND = "telegram"


def arrive(session: Session, lanes: str, now: datetime, *, kind: str = KIND) -> None:
    """One row per letter, in the lane named by the letter; the payload is its place in its lane."""
    seen: dict[str, int] = defaultdict(int)
    items = []
    for number, lane in enumerate(lanes):
        seen[lane] += 1
        items.append(Arrival(kind, "999", str(number), str(seen[lane]).encode(), lane))
    assert receive_many(session, items, now) == len(lanes)
    session.flush()


class Notebook:
    """A handler that writes down what it saw: "a1" is the first row of lane a. `poison` raises."""

    def __init__(self, poison: frozenset[str] = frozenset()) -> None:
        self.seen: list[str] = []
        self.poison = poison

    def __call__(self, session: Session, row: Inbox, now: datetime) -> None:
        name = f"{row.lane}{row.payload.decode()}"
        self.seen.append(name)
        session.add(Organization(kind=OrganizationKind.OTHER, name=name))
        if name in self.poison:
            session.flush()
            raise ValueError(f"cannot read {name}\nand this line is private")


def _names(session: Session) -> list[str]:
    return list(session.exec(select(Organization.name).order_by(col(Organization.id))).all())


def _states(session: Session) -> dict[InboxState, int]:
    session.expire_all()
    return Counter(row.state for row in session.exec(select(Inbox)).all())


def _until_idle(session: Session, handlers: dict[str, Handler], now: datetime, **other: int) -> int:
    passes = 0
    while work(session, handlers, {}, now, **other):
        passes += 1
    return passes


def test_each_lane_is_handled_in_its_order(session: Session, now: datetime) -> None:
    arrive(session, "aabcaba", now)
    notebook = Notebook()

    assert work(session, {KIND: notebook}, {}, now) == 7

    assert [name for name in notebook.seen if name[0] == "a"] == ["a1", "a2", "a3", "a4"]
    assert [name for name in notebook.seen if name[0] == "b"] == ["b1", "b2"]
    assert _states(session) == {InboxState.DONE: 7}
    assert work(session, {KIND: notebook}, {}, now) == 0


def test_a_flood_in_one_lane_does_not_hold_up_the_others(session: Session, now: datetime) -> None:
    arrive(session, "a" * 100 + "bcd", now)
    notebook = Notebook()

    work(session, {KIND: notebook}, {}, now, limit=4)

    assert sorted(notebook.seen) == ["a1", "b1", "c1", "d1"]


def test_no_lane_waits_for_ever_when_there_is_more_than_a_pass_can_do(database: Database, now: datetime) -> None:
    with database.write() as session:
        arrive(session, "abcdefgh" * 5, now)
    notebook = Notebook()
    worker = Worker(database, {KIND: notebook}, apologies={}, clock=lambda: now, limit=3)

    for _ in range(3):
        asyncio.run(worker.make_pass())

    assert {name[0] for name in notebook.seen} == set("abcdefgh")


def test_a_poison_row_stops_its_lane_until_its_next_try_and_nobody_else(session: Session, now: datetime) -> None:
    arrive(session, "aabba", now)
    notebook = Notebook(frozenset({"a1"}))

    assert work(session, {KIND: notebook}, {}, now) == 3

    assert sorted(notebook.seen) == ["a1", "b1", "b2"]
    assert _names(session) == ["b1", "b2"]
    session.expire_all()
    row = session.exec(select(Inbox).where(Inbox.state == InboxState.RETRY)).one()
    assert (row.attempts, row.next_at) == (1, now + timedelta(seconds=1))
    assert row.error is not None
    assert row.error.startswith("ValueError: cannot read a1 (tests/intake/test_worker.py:")
    assert "private" not in row.error


def test_after_five_tries_a_row_is_a_dead_letter_and_its_lane_goes_on(session: Session, now: datetime) -> None:
    arrive(session, "aa", now)
    notebook, sorry = Notebook(frozenset({"a1"})), Notebook()
    tried_at = []

    for second in range(40):
        before = len(notebook.seen)
        work(session, {KIND: notebook}, {KIND: sorry}, now + timedelta(seconds=second))
        if len(notebook.seen) > before:
            tried_at.append(second)

    assert tried_at == [0, 1, 3, 7, 15]
    assert notebook.seen == ["a1"] * 5 + ["a2"]
    assert sorry.seen == ["a1"]
    session.expire_all()
    (dead,) = dead_letters(session)
    assert (dead.attempts, dead.payload, dead.next_at) == (5, b"1", None)


def test_an_apology_that_fails_changes_nothing(session: Session, now: datetime) -> None:
    arrive(session, "ab", now)
    session.execute(text("UPDATE inbox SET attempts = 4"))

    work(session, {KIND: Notebook(frozenset({"a1"}))}, {KIND: Notebook(frozenset({"a1"}))}, now)

    assert _states(session) == {InboxState.DEAD: 1, InboxState.DONE: 1}
    assert _names(session) == ["b1"]


def test_what_nobody_handles_becomes_a_dead_letter_and_is_not_lost(session: Session, now: datetime) -> None:
    arrive(session, "a", now, kind="pigeon")

    for second in range(20):
        work(session, {KIND: Notebook()}, {}, now + timedelta(seconds=second))

    session.expire_all()
    (dead,) = dead_letters(session)
    assert dead.error is not None
    assert "nobody handles 'pigeon'" in dead.error


def test_a_dead_letter_tried_again_has_all_its_tries_and_goes_first(session: Session, now: datetime) -> None:
    arrive(session, "aa", now)
    session.execute(text("UPDATE inbox SET state = 'dead', attempts = 5, error = 'x' WHERE provider_id = '0'"))
    (dead,) = dead_letters(session)
    notebook = Notebook()

    assert retry_dead(session, dead.id, now)
    assert not retry_dead(session, dead.id, now)
    work(session, {KIND: notebook}, {}, now)

    assert notebook.seen == ["a1", "a2"]
    session.expire_all()
    row = inbox_row(session, dead.id)
    assert row is not None
    assert (row.state, row.attempts, row.error) == (InboxState.DONE, 0, None)
    (act,) = session.exec(select(Audit)).all()
    assert (act.action, act.object_id) == ("dead-letter.retry", dead.id)


def test_a_dropped_dead_letter_keeps_its_content_and_is_never_tried(session: Session, now: datetime) -> None:
    arrive(session, "a", now)
    session.execute(text("UPDATE inbox SET state = 'dead'"))
    (dead,) = dead_letters(session)

    assert drop_dead(session, dead.id, now)
    assert not drop_dead(session, dead.id, now)

    assert work(session, {KIND: Notebook()}, {}, now) == 0
    assert dead_letters(session) == []
    session.expire_all()
    row = inbox_row(session, dead.id)
    assert row is not None
    assert (row.state, row.payload) == (InboxState.DROPPED, b"1")


def test_what_waits_cannot_be_dropped(session: Session, now: datetime) -> None:
    arrive(session, "a", now)
    row = session.exec(select(Inbox)).one()

    assert not drop_dead(session, row.id, now)
    assert not retry_dead(session, row.id, now)
    assert session.exec(select(Audit)).all() == []


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_and_fails_each_lane_keeps_its_order_and_every_row_is_done_once(
    session: Session, now: datetime, seed: int
) -> None:
    dice = random.Random(seed)
    arrive(session, "".join(dice.choices("abcdef", weights=[9, 5, 3, 1, 1, 1], k=60)), now)
    failing = {f"{lane}{n}": dice.randrange(7) for lane in "abcdef" for n in range(40) if dice.random() < 0.2}
    succeeded: list[str] = []

    def sometimes(session: Session, row: Inbox, _now: datetime) -> None:
        name = f"{row.lane}{row.payload.decode()}"
        if failing.get(name, 0) > 0:
            failing[name] -= 1
            raise ConnectionError
        succeeded.append(name)

    clock = now
    while InboxState.NEW in _states(session) or InboxState.RETRY in _states(session):
        work(session, {KIND: sometimes}, {}, clock, limit=dice.randint(1, 12))
        clock += timedelta(seconds=dice.random())

    dead = {f"{row.lane}{row.payload.decode()}" for row in dead_letters(session)}
    assert len(succeeded) + len(dead) == 60
    assert not dead & set(succeeded)
    for lane in "abcdef":
        places = [int(name[1:]) for name in succeeded if name[0] == lane]
        assert places == sorted(set(places))


def test_a_commit_that_fails_loses_nothing(database: Database, now: datetime) -> None:
    with database.write() as session:
        arrive(session, "ab", now)

    with pytest.raises(OperationalError), database.write() as session:
        assert work(session, {KIND: Notebook()}, {}, now) == 2
        raise OperationalError("COMMIT", None, Exception("database is locked"))

    with database.write() as session:
        assert _states(session) == {InboxState.NEW: 2}
        assert work(session, {KIND: Notebook()}, {}, now) == 2


def _breaks_everything(session: Session, row: Inbox, now: datetime) -> None:
    """As a full disk does on SQLite: the whole transaction is gone, savepoints and all."""
    if row.lane == "a":
        session.connection().exec_driver_sql("ROLLBACK")
        raise RuntimeError("no more transaction")


def test_a_row_that_breaks_the_transaction_is_named(database: Database, now: datetime) -> None:
    with database.write() as session:
        arrive(session, "ab", now)

    with pytest.raises(PassBroken, match="no more transaction") as broken, database.write() as session:
        work(session, {KIND: _breaks_everything}, {}, now)

    assert broken.value.row.lane == "a"


async def _until(database: Database, ready: Callable[[], bool]) -> None:
    """Looks again after each commit."""
    loop, rung = asyncio.get_running_loop(), asyncio.Event()

    def ring() -> None:
        loop.call_soon_threadsafe(rung.set)

    database.after_commit(ring)
    async with asyncio.timeout(60):
        while not ready():
            await rung.wait()
            rung.clear()


async def _running(worker: Worker, database: Database, ready: Callable[[], bool]) -> None:
    """Runs the worker until `ready`."""
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        await _until(database, ready)
    finally:
        stop.set()
        await task


async def test_a_row_that_breaks_the_transaction_does_not_hold_up_the_others(database: Database, now: datetime) -> None:
    with database.write() as session:
        arrive(session, "abb", now)
    done: list[str] = []

    def handler(session: Session, row: Inbox, at: datetime) -> None:
        _breaks_everything(session, row, at)
        done.append(row.lane)

    def all_others_done() -> bool:
        with database.read() as session:
            return _states(session) == {InboxState.RETRY: 1, InboxState.DONE: 2}

    await _running(Worker(database, {KIND: handler}, apologies={}, clock=lambda: now), database, all_others_done)


async def test_a_woken_worker_handles_what_arrived_and_does_not_wake_itself(database: Database, now: datetime) -> None:
    notebook = Notebook()
    worker = Worker(database, {KIND: notebook}, apologies={}, clock=lambda: now)
    commits: list[int] = []
    database.after_commit(worker.wake)
    database.after_commit(lambda: commits.append(1))
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))

    await database.run(lambda session: arrive(session, "ab", now))
    await _until(database, lambda: len(notebook.seen) == 2)
    looks = 0
    for _ in range(20):
        looks += await worker.make_pass()
    stop.set()
    await task

    assert worker.last_pass == now
    assert looks == 0
    assert len(commits) <= 3  # the arrivals and the pass over them; an empty pass commits nothing


async def test_an_outage_of_the_database_costs_no_try(database: Database, now: datetime) -> None:
    with database.write() as session:
        arrive(session, "ab", now)
    notebook = Notebook()
    worker = Worker(database, {KIND: notebook}, apologies={}, clock=lambda: now)
    healthy, failures = database.write, []

    def failing() -> object:
        failures.append(1)
        if len(failures) > 2:
            database.write = healthy  # type: ignore[method-assign]
        raise OperationalError("BEGIN", None, Exception("database is locked"))

    database.write = failing  # type: ignore[method-assign, assignment]

    await _running(worker, database, lambda: len(notebook.seen) == 2)

    with database.read() as session:
        assert {(row.state, row.attempts) for row in session.exec(select(Inbox)).all()} == {(InboxState.DONE, 0)}


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_lane_in_hand_elsewhere_is_left_alone(database: Database, now: datetime) -> None:
    with database.write() as session:
        arrive(session, "aab", now)
    mine, theirs = Notebook(), Notebook()

    with database.write() as first, database.write() as second:
        assert work(first, {KIND: mine}, {}, now, limit=1) == 1
        assert work(second, {KIND: theirs}, {}, now) == 1

    assert mine.seen == ["a1"]
    assert theirs.seen == ["b1"]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_an_older_row_that_shows_up_late_waits_for_the_lane_in_hand(database: Database, now: datetime) -> None:
    with database.write() as session:
        arrive(session, "aa", now)
        session.execute(text("UPDATE inbox SET state = 'dead' WHERE provider_id = '0'"))
        (dead,) = dead_letters(session)
    notebook = Notebook()

    with database.write() as first, database.write() as second:
        work(first, {KIND: notebook}, {}, now)
        with database.write() as staff:
            retry_dead(staff, dead.id, now)
        work(second, {KIND: notebook}, {}, now)

    assert notebook.seen == ["a2"]


class Witness:
    """A slow handler that sees two rows of one lane in hand at once."""

    def __init__(self) -> None:
        self.seen: dict[str, list[int]] = defaultdict(list)
        self.clashes: list[str] = []
        self._in_hand: set[str] = set()
        self._guard = threading.Lock()

    def __call__(self, session: Session, row: Inbox, now: datetime) -> None:
        with self._guard:
            if row.lane in self._in_hand:
                self.clashes.append(row.lane)
            self._in_hand.add(row.lane)
        session.execute(text("SELECT pg_sleep(0.0005)"))
        with self._guard:
            self._in_hand.discard(row.lane)
            self.seen[row.lane].append(int(row.payload))


def _work_to_the_end(database: Database, handler: Handler, now: datetime) -> None:
    waiting = True
    while waiting:
        with database.write() as session:
            work(session, {KIND: handler}, {}, now, limit=5)
        with database.read() as session:
            waiting = set(_states(session)) != {InboxState.DONE}


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_several_workers_keep_the_order_of_each_lane_and_do_nothing_twice(database: Database, now: datetime) -> None:
    dice = random.Random(7)
    with database.write() as session:
        arrive(session, "".join(dice.choices("abcdefghij", k=400)), now)
    witness = Witness()
    workers = [threading.Thread(target=_work_to_the_end, args=(database, witness, now)) for _ in range(4)]

    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert witness.clashes == []
    assert witness.seen.keys() == set("abcdefghij")
    assert sum(map(len, witness.seen.values())) == 400
    assert all(places == list(range(1, len(places) + 1)) for places in witness.seen.values())
