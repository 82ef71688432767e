"""Several rooms in one transaction: all of it is kept or, when a passenger fails, only the first one's part."""

import pytest
from sqlmodel import Session, select

from storage.database import Database, Ride
from storage.tables import Programme
from storage.types import from_json, to_json


def adds(code: str):  # type: ignore[no-untyped-def]
    def work(session: Session) -> str:
        session.add(Programme(code=code, name=code))
        session.flush()
        return code

    return work


def codes(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.exec(select(Programme.code)))


async def test_passengers_are_kept_with_the_same_commit_and_told(database: Database) -> None:
    told: list[str] = []
    commits: list[int] = []
    database.after_commit(lambda: commits.append(1))

    def passenger(session: Session) -> Ride:
        adds("second")(session)
        return Ride(landed=lambda: told.append("landed"), lost=lambda: told.append("lost"))

    result = await database.run(adds("first"), [passenger])

    assert result == "first"
    assert codes(database) == {"first", "second"}
    assert told == ["landed"]
    assert commits == [], "who rode need not be woken"


async def test_a_failing_passenger_takes_nothing_with_it(database: Database) -> None:
    told: list[str] = []

    def passenger(session: Session) -> Ride:
        adds("second")(session)
        return Ride(landed=lambda: told.append("landed"), lost=lambda: told.append("lost"))

    def failing(_session: Session) -> Ride:
        raise ArithmeticError

    result = await database.run(adds("first"), [passenger, failing])

    assert result == "first"
    assert codes(database) == {"first"}
    assert told == ["lost"]


async def test_whoever_did_not_ride_is_woken(database: Database) -> None:
    commits: list[int] = []
    database.after_commit(lambda: commits.append(1))

    await database.run(adds("first"), [lambda _session: None])

    assert commits == [1]


async def test_what_fails_by_itself_still_raises(database: Database) -> None:
    def failing(_session: Session) -> None:
        raise ArithmeticError("the first one fails")

    with pytest.raises(ArithmeticError, match="the first one fails"):
        await database.run(failing, [lambda _session: None])

    assert codes(database) == set()


def test_a_json_value_that_only_the_long_way_can_write_comes_back() -> None:
    strange = {"half": "\ud83d", "huge": 2**70}

    assert from_json(to_json(strange)) == strange
