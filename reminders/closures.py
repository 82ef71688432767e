"""The office's calendar: its closures, and the patron's day of each organisation. What is due moves with it at once.

Refuses a day that is a holiday of all anyway, or is there already. The same is done for a preview, in a transaction
that is rolled back: it cannot differ from the real thing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from facts.calendar import OFFICE_ZONE, holidays_of, local_date
from facts.languages import N_
from reminders.planning import AHEAD
from reminders.replanning import AROUND, Move, replan
from reminders.wanted import DeadlineRefused
from storage import audit, bulk
from storage.closure_days import closures_like, days_of, hold_calendar, one_closure, put_in, take_out
from storage.tables import BulkAct, Closure

ACT = "closure"
LONGEST_NAME = 100
BEHIND = timedelta(days=366)
BEYOND = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Day:
    """A closure as staff want it: of one organisation, or of the office (None)."""

    organization_id: int | None
    day: date
    yearly: bool
    name: str


@dataclass(frozen=True, slots=True)
class Changed:
    """What was done to the calendar, and which updates have moved."""

    act: BulkAct
    moves: Sequence[Move]


def add(session: Session, wanted: Day, staff_id: int, now: datetime) -> Changed:
    """One more day. Raises DeadlineRefused."""
    hold_calendar(session)
    wanted = _checked(session, wanted, now)
    row = _row(wanted, staff_id, now)
    put_in(session, row)
    return _moved(session, "closure.add", row.id, [row], (staff_id, now))


def change(session: Session, closure_id: int, wanted: Day, staff_id: int, now: datetime) -> Changed | None:
    """Another day, name or repetition in its place; None when it is not there any more. Raises DeadlineRefused."""
    hold_calendar(session)
    old = _copy(one_closure(session, closure_id))
    if old is None or not take_out(session, closure_id):
        return None
    wanted = _checked(session, wanted, now)
    row = put_in(session, _row(wanted, staff_id, now))
    return _moved(session, "closure.change", row.id, [old, row], (staff_id, now))


def remove(session: Session, closure_id: int, staff_id: int, now: datetime) -> Changed | None:
    """One day less; None when it is not there any more."""
    hold_calendar(session)
    old = _copy(one_closure(session, closure_id))
    if old is None or not take_out(session, closure_id):
        return None
    return _moved(session, "closure.remove", closure_id, [old], (staff_id, now))


def moves_of(act: BulkAct) -> list[Move]:
    """What a change of the calendar has moved."""
    return [
        Move(deadline, date.fromisoformat(was), date.fromisoformat(becomes), count)
        for deadline, was, becomes, count in act.before["moves"]
    ]


def _moved(
    session: Session, action: str, closure_id: int, rows: Sequence[Closure], by: tuple[int, datetime]
) -> Changed:
    staff_id, now = by
    today = local_date(now, OFFICE_ZONE)
    days = {day for row in rows for day in days_of(row, today - AROUND, today + AHEAD + AROUND)}
    whose = {row.organization_id for row in rows}
    moves = replan(session, sorted(days), now, body_id=next(iter(whose)) if len(whose) == 1 else None)
    kept = [[one.deadline_id, one.was.isoformat(), one.becomes.isoformat(), one.count] for one in moves]
    before: dict[str, Any] = {"moves": kept, "name": rows[-1].name, "day": rows[-1].day.isoformat(), "what": action}
    act = bulk.keep(session, BulkAct(staff_id=staff_id, action=ACT, before=before, created_at=now))
    moved = sum(one.count for one in moves)
    audit.record(session, now, ("staff", staff_id), action, ("closure", closure_id), moved=moved, act=act.id)
    return Changed(act, moves)


def _checked(session: Session, wanted: Day, now: datetime) -> Day:
    name = " ".join(wanted.name.replace("\x00", "").split())
    today = local_date(now, OFFICE_ZONE)
    if not name:
        raise DeadlineRefused(N_("Say why it is closed: Patron saint, for example."))
    if len(name) > LONGEST_NAME:
        raise DeadlineRefused(N_("The name is too long: keep it within {n} characters."), n=LONGEST_NAME)
    if not wanted.yearly and not today - BEHIND <= wanted.day <= today + BEYOND:
        raise DeadlineRefused(N_("Choose a day between a year ago and ten years from now."))
    holiday = None if wanted.yearly else holidays_of(wanted.day.year).get(wanted.day)
    if holiday:
        raise DeadlineRefused(N_("That day is a holiday already: {holiday}."), holiday=holiday)
    for row in closures_like(session, wanted.organization_id):
        if _same_day(row, wanted):
            raise DeadlineRefused(N_("That day is in the calendar already: {name}."), name=row.name)
    return Day(wanted.organization_id, wanted.day, wanted.yearly, name)


def _same_day(row: Closure, wanted: Day) -> bool:
    if row.yearly or wanted.yearly:
        return (row.day.month, row.day.day) == (wanted.day.month, wanted.day.day)
    return row.day == wanted.day


def _row(wanted: Day, staff_id: int, now: datetime) -> Closure:
    return Closure(
        organization_id=wanted.organization_id,
        day=wanted.day,
        yearly=wanted.yearly,
        name=wanted.name,
        created_by=staff_id,
        created_at=now,
    )


def _copy(row: Closure | None) -> Closure | None:
    """What a row said, after it is gone."""
    if row is None:
        return None
    return Closure(organization_id=row.organization_id, day=row.day, yearly=row.yearly, name=row.name)
