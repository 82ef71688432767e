"""On which days a deadline is due, for whom, and when each rung of its ladder is told. Pure: no database.

A due day that is no working day is moved, by the office's closures and by those of the organisation it is counted
for: whose patron's day it is may have a day of their own. Two days that are moved onto one stay two periods.
"""

from collections import defaultdict
from collections.abc import Container, Sequence
from datetime import date, datetime, time, timedelta

from facts.calendar import add_working_days, is_working_day, local_date, local_instant
from facts.closures import Calendar
from facts.recurrence import due_days, names_months
from storage.making import Period
from storage.tables import Deadline, Moved, Rung, Unit

REMIND_AT = time(8, 30)
AHEAD = timedelta(days=400)
LONGEST_CLOSURE = 60  # days; nobody is closed for longer, and a day is not looked for beyond


def periods(
    deadline: Deadline, rungs: Sequence[Rung], calendar: Calendar, *, now: datetime, since: date = date.min
) -> list[Period]:
    """The periods due from `since` on, whose day by the rule comes within 400 days after `now`.

    Each is for everybody, or `only` for some organisations, or for all `without` those. A deadline that keeps to the
    scope it was made with has its first period however far it is: by that its scope is known.
    """
    return [
        period
        for day in nominal_days(deadline, now)
        for period in _of_day(deadline, rungs, calendar, day)
        if period.due_on >= since
    ]


def nominal_days(deadline: Deadline, now: datetime) -> Sequence[date]:
    """The days by the rule within 400 days after `now`, before any of them is moved."""
    last = local_date(now, deadline.zone) + AHEAD
    if not deadline.follows:
        last = max(last, deadline.first_on)
    return due_days(deadline.rule, deadline.first_on, last if deadline.until is None else min(deadline.until, last))


def moved_day(day: date, moved: Moved, closed: Container[date]) -> date:
    """Where a due day goes: itself when it is a working day, or is not to be moved."""
    if moved is Moved.NOT:
        return day
    step = timedelta(days=1 if moved is Moved.NEXT else -1)
    for n in range(LONGEST_CLOSURE):
        if is_working_day(day + n * step, closed):
            return day + n * step
    return day


def late_from(deadline: Deadline, due_on: date) -> datetime:
    """From when it is late: the end of the last day of grace, in the deadline's zone."""
    return local_instant(due_on + timedelta(days=deadline.grace_days + 1), time(0), deadline.zone)


def steps(
    deadline: Deadline, rungs: Sequence[Rung], due_on: date, closed: Container[date]
) -> tuple[tuple[int, datetime], ...]:
    """(rung, instant) in the order of the rungs. One before the window opens is left out.

    It would ask for an update that cannot be given yet.
    """
    opens_on = due_on - timedelta(days=deadline.opens_days_before)
    days = ((rung.id, rung_day(rung, due_on, deadline.grace_days, closed)) for rung in rungs)
    return tuple((id_, local_instant(day, REMIND_AT, deadline.zone)) for id_, day in days if day >= opens_on)


def rung_day(rung: Rung, due_on: date, grace_days: int, closed: Container[date]) -> date:
    """The day on which a rung is told. Those after the due day are counted from the end of the grace."""
    base = due_on + timedelta(days=grace_days) if rung.offset_days > 0 else due_on
    if rung.unit is Unit.WORKING_DAYS:
        return add_working_days(base, rung.offset_days, closed)
    return base + timedelta(days=rung.offset_days)


def _of_day(deadline: Deadline, rungs: Sequence[Rung], calendar: Calendar, nominal: date) -> list[Period]:
    """The period of all, and before it those of the organisations whose own closures make a difference."""
    common = _period(deadline, rungs, nominal, calendar.office)
    differing: dict[Period, list[int]] = defaultdict(list)
    for organization_id in sorted(_perhaps_differing(deadline, rungs, calendar, common)):
        own = _period(deadline, rungs, nominal, calendar.of(organization_id))
        if own != common:
            differing[own].append(organization_id)
    apart = frozenset(id_ for ids in differing.values() for id_ in ids)
    own_days = [period.restricted(only=frozenset(ids)) for period, ids in differing.items()]
    return [*own_days, common.restricted(without=apart)]


def _perhaps_differing(deadline: Deadline, rungs: Sequence[Rung], calendar: Calendar, common: Period) -> set[int]:
    """The organisations that are closed on a day which was looked at on the way to this period's days."""
    if not calendar.own:
        return set()
    looked_at = [common.nominal_on, common.due_on]
    if any(rung.unit is Unit.WORKING_DAYS for rung in rungs):
        looked_at += [rung_day(rung, common.due_on, deadline.grace_days, calendar.office) for rung in rungs]
    elif deadline.moved is Moved.NOT:
        return set()
    first, last = min(looked_at), max(looked_at)
    return calendar.closed_on(first + timedelta(days=n) for n in range((last - first).days + 1))


def _period(deadline: Deadline, rungs: Sequence[Rung], nominal: date, closed: Container[date]) -> Period:
    due_on = moved_day(nominal, deadline.moved, closed)
    return Period(
        name=nominal.strftime("%Y-%m" if names_months(deadline.rule) else "%Y-%m-%d"),
        opens_on=due_on - timedelta(days=deadline.opens_days_before),
        nominal_on=nominal,
        due_on=due_on,
        due_at=late_from(deadline, due_on),
        steps=steps(deadline, rungs, due_on, closed),
    )
