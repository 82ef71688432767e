"""The next days on which a deadline would be due, and why one was moved. Pure: nothing is made, nothing asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from facts.closures import Calendar, why_closed
from facts.recurrence import due_days
from reminders.planning import moved_day
from storage.tables import Moved

SHOWN = 12
FURTHEST = timedelta(days=366 * (SHOWN + 1))  # the twelfth of those that come once a year


@dataclass(frozen=True, slots=True)
class ComingDay:
    """A day by the rule and the day it becomes. `why`: the holiday or closure that moved it, "" for a weekend.

    `apart`: how many organisations have another day, since they are closed on this one.
    """

    nominal_on: date
    due_on: date
    why: str = ""
    apart: int = 0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What of a deadline says on which days it is due."""

    rule: str
    first_on: date
    until: date | None = None
    moved: Moved = Moved.NOT


def coming(rhythm: Rhythm, calendar: Calendar, today: date, *, limit: int = SHOWN) -> Sequence[ComingDay]:
    """From today on; or from the first day, when that is past: what is entered late is late at once."""
    since = min(rhythm.first_on, today)
    last = max(rhythm.first_on, today) + FURTHEST
    days = due_days(rhythm.rule, rhythm.first_on, last if rhythm.until is None else min(last, rhythm.until))
    return [_coming(rhythm, calendar, day) for day in days if day >= since][:limit]


def _coming(rhythm: Rhythm, calendar: Calendar, nominal: date) -> ComingDay:
    due_on = moved_day(nominal, rhythm.moved, calendar.office)
    if rhythm.moved is Moved.NOT:
        return ComingDay(nominal, due_on)
    closed = calendar.closed_on([due_on])
    apart = sum(moved_day(nominal, rhythm.moved, calendar.of(id_)) != due_on for id_ in closed)
    why = (why_closed(nominal, calendar.office) or "") if due_on != nominal else ""
    return ComingDay(nominal, due_on, why, apart)
