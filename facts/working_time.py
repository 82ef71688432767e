"""How much working time lies between two instants, asked a hundred thousand times. Pure.

The hours of `facts.calendar`: Monday to Friday, 08:30 to 18:00, no holidays, no closures.
"""

from collections.abc import Container
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from facts.calendar import NO_CLOSURES, WORKING_HOURS, is_working_day

OPENS, CLOSES = (at.hour * 3600 + at.minute * 60 for at in WORKING_HOURS)
A_DAY = CLOSES - OPENS  # seconds


class WorkingTime:
    """Working time inside a span of days, both included: one sum per day is made once, each question is two look-ups.

    An instant before the first day counts as its beginning, one after the last as its end.
    """

    def __init__(self, first: date, last: date, zone: ZoneInfo | str, closures: Container[date] = NO_CLOSURES) -> None:
        self._first = first.toordinal()
        self._zone = ZoneInfo(zone) if isinstance(zone, str) else zone
        self._works = [
            is_working_day(date.fromordinal(day), closures) for day in range(self._first, last.toordinal() + 1)
        ]
        self._before = [0]  # seconds of work before each day, and at last before the day after
        for works in self._works:
            self._before.append(self._before[-1] + A_DAY * works)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Zero when `end` is not after `start`. Refuses a naive instant."""
        return timedelta(seconds=max(0, self._worked(end) - self._worked(start)))

    def _worked(self, instant: datetime) -> int:
        """Seconds of work from the beginning of the span to the instant."""
        if instant.tzinfo is None:
            raise ValueError("an instant needs its zone")
        local = instant.astimezone(self._zone)
        day = local.toordinal() - self._first
        if day < 0:
            return 0
        if day >= len(self._works):
            return self._before[-1]
        if not self._works[day]:
            return self._before[day]
        # The clock changes at night, so inside the hours the time of day is as good as the instant.
        now = local.hour * 3600 + local.minute * 60 + local.second
        return self._before[day] + min(max(now - OPENS, 0), A_DAY)
