"""One writer, one commit, and nothing half done."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy.exc import OperationalError, StatementError
from sqlmodel import Session, func, select

from storage.database import Database
from storage.tables import Lease, Organization, OrganizationKind


def _count(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Organization)).one()


def _municipality(name: str) -> Organization:
    return Organization(kind=OrganizationKind.MUNICIPALITY, name=name)


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.write() as session:
        session.add(_municipality("Abbiategrasso"))
        session.flush()
        raise ZeroDivisionError

    with database.read() as session:
        assert _count(session) == 0


def test_a_savepoint_that_fails_takes_nothing_else_with_it(database: Database) -> None:
    with database.write() as session:
        session.add(_municipality("Abbiategrasso"))
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            session.add(_municipality("Milano"))
            session.flush()
            raise ZeroDivisionError
        session.add(_municipality("Corsico"))

    with database.read() as session:
        assert sorted(session.exec(select(Organization.name)).all()) == ["Abbiategrasso", "Corsico"]


def test_a_naive_instant_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="without a time zone"), database.write() as session:
        session.add(Lease(name="poller", owner="me", until=datetime(2026, 11, 24, 9, 0)))  # noqa: DTZ001


def test_an_instant_comes_back_aware_and_equal(database: Database, now: datetime) -> None:
    with database.write() as session:
        session.add(Lease(name="poller", owner="me", until=now))

    with database.read() as session:
        until = session.exec(select(Lease.until)).one()
    assert until == now
    assert until.utcoffset() is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_look_cannot_write_on_sqlite(database: Database) -> None:
    with pytest.raises(OperationalError, match="readonly"), database.read() as session:
        session.add(_municipality("Abbiategrasso"))
        session.flush()


async def test_many_writers_at_once_all_come_through(database: Database) -> None:
    def add_one(session: Session) -> None:
        session.add(_municipality("Milano"))

    await asyncio.gather(*(database.run(add_one) for _ in range(40)))

    assert await database.look(_count) == 40


async def test_who_waits_is_called_after_each_commit(database: Database) -> None:
    calls: list[int] = []
    database.after_commit(lambda: calls.append(len(calls)))

    await database.run(lambda session: session.add(_municipality("Milano")))

    assert calls == [0]
