"""The working calendar of Milan and the passage from local time to instants. Pure: the clock and the zone are given.

A zone is a ZoneInfo or an IANA name. Instants are aware and come back in UTC. `closures` are the days
on which an office is closed besides holidays: the patron saint of each Comune, a bridge.
"""

import functools
from collections.abc import Container, Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

OFFICE_ZONE = "Europe/Rome"  # where the working hours and the holidays of this module are kept
WORKING_HOURS = (time(8, 30), time(18, 0))
ALWAYS_ON_SUNDAY = {"Pasqua", "Giorno dell'unità nazionale"}  # listed by the library, no day off of their own

NO_CLOSURES: Container[date] = frozenset()


@functools.cache
def holidays_of(year: int) -> Mapping[date, str]:
    """The holidays of Milan with their Italian names: national ones, Easter Monday, 7 December, from 2026 4 October.

    4 October: law 151 of 2025. What only ever falls on a Sunday is left out.
    """
    import holidays  # heavy, and only needed when a working day is asked for

    # the language is "it_IT": with "it" the library answers in English
    listed = holidays.country_holidays("IT", subdiv="MI", years=year, language="it_IT")
    named = {day: [name for name in names.split("; ") if name not in ALWAYS_ON_SUNDAY] for day, names in listed.items()}
    return MappingProxyType({day: "; ".join(names) for day, names in sorted(named.items()) if names})


def is_working_day(day: date, closures: Container[date] = NO_CLOSURES) -> bool:
    """Monday to Friday, no holiday, no closure."""
    return day.weekday() < 5 and day not in closures and day not in holidays_of(day.year)


def next_working_day(day: date, closures: Container[date] = NO_CLOSURES) -> date:
    """The first working day after `day`."""
    day += timedelta(days=1)
    while not is_working_day(day, closures):
        day += timedelta(days=1)
    return day


def add_working_days(day: date, n: int, closures: Container[date] = NO_CLOSURES) -> date:
    """The n-th working day after `day`, or before it when n is negative; `day` itself when n is 0."""
    step = timedelta(days=1 if n > 0 else -1)
    for _ in range(abs(n)):
        day += step
        while not is_working_day(day, closures):
            day += step
    return day


def local_date(instant: datetime, zone: ZoneInfo | str) -> date:
    """The day it is in `zone`. Refuses a naive instant."""
    return _local(instant, zone).date()


def local_instant(day: date, at: time, zone: ZoneInfo | str) -> datetime:
    """The one instant of a local time, in UTC.

    A time that the clock skips gives the first valid instant after the gap; one that comes twice, the first.
    """
    zone = _zone(zone)
    wall = datetime.combine(day, at.replace(tzinfo=None, fold=0))
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # PEP 495: inside a gap, fold=0 counts with the offset before the change (so it lands after it), fold=1 the opposite
    return _change_between(wall.replace(tzinfo=zone, fold=1).astimezone(UTC), instant, zone)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second with the new offset, by halving."""
    new = after.astimezone(zone).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while low < high:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == new:
            high = middle
        else:
            low = middle + 1
    return datetime.fromtimestamp(low, UTC)


def within_working_hours(instant: datetime, zone: ZoneInfo | str, closures: Container[date] = NO_CLOSURES) -> bool:
    """Whether it is a working day between 08:30 (included) and 18:00 (excluded) in `zone`."""
    local = _local(instant, zone)
    return WORKING_HOURS[0] <= local.time() < WORKING_HOURS[1] and is_working_day(local.date(), closures)


def next_working_instant(instant: datetime, zone: ZoneInfo | str, closures: Container[date] = NO_CLOSURES) -> datetime:
    """The instant itself when it is inside working hours, else the next opening."""
    if within_working_hours(instant, zone, closures):
        return instant.astimezone(UTC)
    local = _local(instant, zone)
    early = local.time() < WORKING_HOURS[0] and is_working_day(local.date(), closures)
    day = local.date() if early else next_working_day(local.date(), closures)
    return local_instant(day, WORKING_HOURS[0], zone)


def next_morning(now: datetime, closures: Container[date] = NO_CLOSURES) -> datetime:
    """When the office opens next, today not counted."""
    return local_instant(next_working_day(local_date(now, OFFICE_ZONE), closures), WORKING_HOURS[0], OFFICE_ZONE)


def add_working_hours(
    instant: datetime, hours: float, zone: ZoneInfo | str, closures: Container[date] = NO_CLOSURES
) -> datetime:
    """When that many working hours have passed. Exactly at closing time counts as the same day."""
    if hours < 0:
        raise ValueError("working hours only go forward")
    left = timedelta(hours=hours)
    start = next_working_instant(instant, zone, closures)
    while left > (room := local_instant(local_date(start, zone), WORKING_HOURS[1], zone) - start):
        left -= room
        start = next_working_instant(start + room, zone, closures)
    return start + left


def _local(instant: datetime, zone: ZoneInfo | str) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("an instant needs its zone")
    return instant.astimezone(_zone(zone))


def _zone(zone: ZoneInfo | str) -> ZoneInfo:
    return ZoneInfo(zone) if isinstance(zone, str) else zone
