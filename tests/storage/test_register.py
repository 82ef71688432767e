"""The register's figures: whatever happens to obligations, and whoever does it, they say what is there."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from app.register_keeping import RegisterKeeper, count_all
from storage.acceptance import accepted, owed_again
from storage.database import Database
from storage.making import Period, make_obligations
from storage.obligations import waive_all, waive_obligation
from storage.register import anything_to_count, count_some, note_all
from storage.reports import close_obligation
from storage.tables import (
    Deadline,
    DoneWhen,
    Obligation,
    ObligationState,
    RegisterCell,
    RegisterTouched,
    Target,
    TargetKind,
)
from tests.cast import Cast

NOW = datetime.fromisoformat("2026-11-24T09:00:00+00:00")
Figures = tuple[date, date, int, int, int, int, int, datetime | None]


def figures(session: Session) -> dict[tuple[int, str, int], Figures]:
    return {
        (one.deadline_id, one.period, one.body_id): (
            one.opens_on,
            one.due_on,
            one.open,
            one.late,
            one.sent,
            one.done,
            one.waived,
            one.next_late_at,
        )
        for one in session.exec(select(RegisterCell))
    }


def reckoned(session: Session, now: datetime) -> dict[tuple[int, str, int], Figures]:
    """The same by reading every obligation, one after the other."""
    heaps: dict[tuple[int, str, int], list[Obligation]] = defaultdict(list)
    for one in session.exec(select(Obligation)):
        heaps[one.deadline_id, one.period, one.body_id or 0].append(one)
    found: dict[tuple[int, str, int], Figures] = {}
    for key, heap in heaps.items():
        still = [one for one in heap if one.state is ObligationState.OPEN]
        states = [sum(one.state is state for one in heap) for state in ObligationState]
        is_open, sent, done, waived = states
        found[key] = (
            min(one.opens_on for one in heap),
            min(one.due_on for one in heap),
            is_open,
            sum(one.due_at <= now for one in still),
            sent,
            done,
            waived,
            min((one.due_at for one in still if one.due_at > now), default=None),
        )
    return found


def a_period(day: date) -> Period:
    due_at = datetime.combine(day, NOW.timetz())
    return Period(f"{day:%Y-%m}", day - timedelta(days=20), day, day, due_at, ())


def a_deadline(session: Session, **other: Any) -> Deadline:
    """Of three projects: two of Abbiategrasso, one of Magenta."""
    cast = Cast(session, NOW)
    town = cast.an_organization()
    owing = [cast.a_project(town), cast.a_project(town), cast.a_project(cast.an_organization("Magenta"))]
    deadline = cast.a_deadline(cast.a_form(f"form-{owing[0].id}"), date(2026, 11, 1), **other)
    session.add_all(Target(deadline_id=deadline.id, kind=TargetKind.PROJECT, target_id=one.id) for one in owing)
    session.flush()
    make_obligations(session, deadline, [a_period(date(2026, 11, 24)), a_period(date(2026, 12, 10))])
    return deadline


Act = Callable[[Session, int, datetime], object]


def _postpone(session: Session, one: int, now: datetime) -> None:
    row = session.get(Obligation, one)
    if row is not None:
        row.due_on, row.due_at = row.due_on + timedelta(days=9), row.due_at + timedelta(days=9)


def _count_elsewhere(session: Session, one: int, _now: datetime) -> None:
    session.execute(update(Obligation).where(col(Obligation.id) == one).values(body_id=None))


def _forget(session: Session, one: int, _now: datetime) -> None:
    session.execute(delete(Obligation).where(col(Obligation.id) == one))


def _stop(session: Session, _one: int, _now: datetime) -> None:
    for row in session.exec(select(Deadline)):
        waive_all(session, row.id, "stopped")


ACTS: dict[str, Act] = {
    "comes in": close_obligation,
    "is accepted": accepted,
    "is given back": lambda s, one, _now: owed_again(s, one),
    "is waived": lambda s, one, _now: waive_obligation(s, one, "not needed"),
    "all is waived": _stop,
    "is postponed": _postpone,
    "counts for nobody": _count_elsewhere,
    "is forgotten": _forget,
}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 5), st.integers(0, 9), st.booleans()), max_size=12
    ),
    st.sampled_from(DoneWhen),
)
def test_after_any_acts_the_figures_are_what_one_counts_by_hand(
    database: Database, acts: list[tuple[str, int, int, bool]], done_when: DoneWhen
) -> None:
    moment = NOW
    with database.write() as session:
        deadline_id = a_deadline(session, done_when=done_when).id
    for name, which, days, count_now in acts:
        moment += timedelta(days=days)
        with database.write() as session:
            ids = session.exec(select(Obligation.id).where(Obligation.deadline_id == deadline_id)).all()
            ACTS[name](session, ids[which] if which < len(ids) else 0, moment)
        if count_now:
            count_all(database, lambda at=moment: at)  # type: ignore[misc]  # bound now, not when it is called

    count_all(database, lambda: moment)

    with database.read() as session:
        counted, by_hand = figures(session), reckoned(session, moment)
        assert {key: counted[key] for key in counted if key[0] == deadline_id} == {
            key: by_hand[key] for key in by_hand if key[0] == deadline_id
        }
        assert not anything_to_count(session, moment)


def test_what_becomes_late_is_counted_so_when_its_time_is_over(database: Database) -> None:
    with database.write() as session:
        a_deadline(session)
    count_all(database, lambda: NOW - timedelta(seconds=1))
    with database.read() as session:
        before = session.exec(select(func.sum(RegisterCell.late))).one()
        waits = anything_to_count(session, NOW - timedelta(seconds=1)), anything_to_count(session, NOW)

    count_all(database, lambda: NOW)

    with database.read() as session:
        assert (before, session.exec(select(func.sum(RegisterCell.late))).one()) == (0, 3)
    assert waits == (False, True)


def test_thousands_of_obligations_are_counted_some_cells_at_a_time(database: Database) -> None:
    with database.write() as session:
        a_deadline(session)
        session.execute(delete(RegisterTouched))
        note_all(session)

    with database.write() as session:
        first = count_some(session, NOW, 3)
    with database.read() as session:
        left = anything_to_count(session, NOW)
    rest = count_all(database, lambda: NOW)

    assert (first, left, rest) == (3, True, 1)
    with database.read() as session:
        assert figures(session) == reckoned(session, NOW)


def test_a_change_that_is_taken_back_leaves_no_note(database: Database) -> None:
    with database.write() as session:
        a_deadline(session)
    count_all(database, lambda: NOW)

    with pytest.raises(ZeroDivisionError), database.write() as session:
        session.execute(update(Obligation).values(state=ObligationState.WAIVED))
        raise ZeroDivisionError

    with database.read() as session:
        assert not anything_to_count(session, NOW)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_of_two_processes_one_counts_and_the_other_passes_over(database: Database) -> None:
    with database.write() as session:
        a_deadline(session)
    counted, ended = threading.Event(), threading.Event()

    def slowly() -> None:
        with database.write() as session:
            count_some(session, NOW, 1)
            counted.set()
            ended.wait(30)

    slow = threading.Thread(target=slowly)
    slow.start()
    assert counted.wait(30)
    with database.write() as session:
        meanwhile = count_some(session, NOW, 10)
        session.execute(update(Obligation).values(state=ObligationState.DONE))
    ended.set()
    slow.join()
    count_all(database, lambda: NOW)

    assert meanwhile == 0
    with database.read() as session:
        assert figures(session) == reckoned(session, NOW)


async def test_the_keeper_counts_until_nothing_is_left(database: Database) -> None:
    with database.write() as session:
        a_deadline(session)

    done = await RegisterKeeper(database, lambda: NOW, pause=lambda _took: 0.0).count(asyncio.Event())

    assert done > 0
    with database.read() as session:
        assert figures(session) == reckoned(session, NOW)
