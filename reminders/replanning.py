"""Gives open obligations the day that the calendar now says, and their steps with them. Writes no reminder.

What staff have given another day, what is late and what is settled stay as they are. No due day moves into the past.
A step that has become past is told at the next sweep.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from facts.calendar import local_date, local_instant
from facts.closures import Calendar
from reminders.planning import LONGEST_CLOSURE, REMIND_AT, late_from, moved_day, rung_day
from storage.acts import move_steps as move_rung
from storage.acts import rungs_to_come
from storage.closures import calendar
from storage.obligations import active_deadline_ids, lock_deadline
from storage.replanning import Planned, give_day, planned
from storage.tables import Deadline, Rung, Unit

AROUND = timedelta(days=LONGEST_CLOSURE + 30)  # so far from a closure a due day, or a step in working days, feels it


@dataclass(frozen=True, slots=True)
class Due:
    """When an obligation is due, and for which organisation it is counted."""

    id: int
    on: date
    body_id: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """So many updates of a deadline move from one day to another."""

    deadline_id: int
    was: date
    becomes: date
    count: int


def replan(session: Session, days: Collection[date], now: datetime, *, body_id: int | None = None) -> list[Move]:
    """After the closures of these days have changed: what is due around them moves; `body_id`: only this one's."""
    closures = calendar(session)
    moves: list[Move] = []
    for deadline_id in active_deadline_ids(session):
        deadline = lock_deadline(session, deadline_id)
        if deadline is None or not deadline.active:
            continue
        today = local_date(now, deadline.zone)
        found: dict[int, Planned] = {}
        for day in days:
            around = (day - AROUND, day + AROUND)
            found |= {one.id: one for one in planned(session, deadline_id, today, *around, body_id=body_id)}
        moves += _replan(session, deadline, closures, list(found.values()), today)
    return moves


def _replan(
    session: Session, deadline: Deadline, closures: Calendar, found: Sequence[Planned], today: date
) -> list[Move]:
    becomes = {one.id: _new_day(deadline, closures, one, today) for one in found}
    groups: dict[tuple[date, date], list[int]] = defaultdict(list)
    for one in found:
        if becomes[one.id] != one.due_on:
            groups[(one.due_on, becomes[one.id])].append(one.id)
    for (_was, day), ids in groups.items():
        opens_on = day - timedelta(days=deadline.opens_days_before)
        give_day(session, ids, day, late_from(deadline, day), opens_on)
    moved = {id_ for ids in groups.values() for id_ in ids}
    move_steps(session, deadline, closures, [Due(one.id, becomes[one.id], one.body_id) for one in found], moved)
    return [Move(deadline.id, was, day, len(ids)) for (was, day), ids in sorted(groups.items())]


def _new_day(deadline: Deadline, closures: Calendar, one: Planned, today: date) -> date:
    day = moved_day(one.nominal_on, deadline.moved, closures.of(one.body_id))
    return day if day >= today else one.due_on


def move_steps(
    session: Session,
    deadline: Deadline,
    closures: Calendar,
    due: Sequence[Due],
    moved: Collection[int] | None = None,
) -> None:
    """The steps that are still to be decided follow the day. `moved`: of the others only those in working days."""
    for rung in rungs_to_come(session, [one.id for one in due]):
        by_day: dict[date, list[int]] = defaultdict(list)
        for one in _which(due, moved, rung):
            by_day[rung_day(rung, one.on, deadline.grace_days, closures.of(one.body_id))].append(one.id)
        for day, ids in by_day.items():
            move_rung(session, ids, rung.id, local_instant(day, REMIND_AT, deadline.zone))


def _which(due: Sequence[Due], moved: Collection[int] | None, rung: Rung) -> Iterable[Due]:
    everything = moved is None or rung.unit is Unit.WORKING_DAYS
    return due if everything else (one for one in due if moved is not None and one.id in moved)
