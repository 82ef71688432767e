"""Days on which an office is closed besides the holidays of all: the patron's day, a bridge. Pure.

One kept each year on 29 February is kept in leap years only.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from facts.calendar import holidays_of


@dataclass(frozen=True, slots=True)
class Closed:
    """The days of one office, with their names; `yearly` by month and day. `date in closed` asks for one of them."""

    once: Mapping[date, str] = field(default_factory=dict)
    yearly: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.name(day) is not None

    def name(self, day: date) -> str | None:
        return self.once.get(day) or self.yearly.get((day.month, day.day))

    def __or__(self, other: "Closed") -> "Closed":
        return Closed({**self.once, **other.once}, {**self.yearly, **other.yearly})


OPEN = Closed()


@dataclass(frozen=True)
class Calendar:
    """Our own office's closures, and those of each organisation (by its id)."""

    office: Closed = OPEN
    own: Mapping[int, Closed] = field(default_factory=dict)

    def of(self, organization_id: int | None) -> Closed:
        """When nothing is worked on for this organisation: when we are closed, or they are."""
        own = None if organization_id is None else self.own.get(organization_id)
        return self.office if own is None else self.office | own

    def closed_on(self, days: Iterable[date]) -> set[int]:
        """The organisations with a closure of their own on one of these days."""
        once, yearly = self._by_day
        return {found for day in days for found in (*once.get(day, ()), *yearly.get((day.month, day.day), ()))}

    @cached_property
    def _by_day(self) -> tuple[Mapping[date, list[int]], Mapping[tuple[int, int], list[int]]]:
        once: dict[date, list[int]] = defaultdict(list)
        yearly: dict[tuple[int, int], list[int]] = defaultdict(list)
        for organization_id, closed in self.own.items():
            for day in closed.once:
                once[day].append(organization_id)
            for key in closed.yearly:
                yearly[key].append(organization_id)
        return once, yearly


ALWAYS_OPEN = Calendar()


def why_closed(day: date, closed: Closed) -> str | None:
    """The name of the holiday or closure on that day; None on any other, a Saturday or Sunday too."""
    return holidays_of(day.year).get(day) or closed.name(day)
