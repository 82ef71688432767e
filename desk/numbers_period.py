"""The days that the numbers page looks at, and the weeks, months or years into which it cuts them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from babel.dates import format_date

from facts.calendar import local_instant
from facts.languages import N_, Language

CHOICES: Mapping[str, str] = {
    "month": N_("Last 30 days"),
    "quarter": N_("Last three months"),
    "year": N_("Last twelve months"),
    "days": N_("From one day to another"),
}
EARLIEST = date(2000, 1, 1)
MOST_DAYS_IN_WEEKS, MOST_DAYS_IN_MONTHS = 100, 3 * 366
PATTERNS = {"week": "d MMM yyyy", "month": "MMM yyyy", "year": "yyyy"}

NO_DAYS = N_("Write both days, as 24/11/2026.")
BACKWARDS = N_("The first day comes after the last one. Change one of them.")
AHEAD = N_("These days are still to come. Choose earlier ones.")


@dataclass(frozen=True, slots=True)
class Period:
    """From `first` to `last`, both included. `choice` is the key of CHOICES by which it was chosen."""

    choice: str
    first: date
    last: date

    @property
    def unit(self) -> str:
        days = (self.last - self.first).days
        return "week" if days <= MOST_DAYS_IN_WEEKS else "month" if days <= MOST_DAYS_IN_MONTHS else "year"

    def stretches(self) -> Sequence[date]:
        """The first day of each; those at the two ends may be shorter than the others."""
        begins, day = [self.first], _next(self.first, self.unit)
        while day <= self.last:
            begins.append(day)
            day = _next(day, self.unit)
        return begins

    def edges(self, zone: str) -> Sequence[datetime]:
        """The instants between them, with the beginning of the first and the end of the last."""
        return [local_instant(day, time(), zone) for day in (*self.stretches(), self.last + timedelta(days=1))]

    def names(self, language: Language) -> Sequence[str]:
        return [format_date(day, PATTERNS[self.unit], locale=language) for day in self.stretches()]


def _next(day: date, unit: str) -> date:
    if unit == "week":
        return day + timedelta(days=7 - day.weekday())
    if unit == "month":
        return (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return date(day.year + 1, 1, 1)


def usual_period(choice: str, today: date) -> Period:
    """One that ends today. Whole weeks in three months, whole months in a year."""
    if choice == "quarter":
        return Period(choice, today - timedelta(days=today.weekday() + 7 * 12), today)
    if choice == "year":
        month = today.year * 12 + today.month - 12
        return Period(choice, date(month // 12, month % 12 + 1, 1), today)
    return Period("month", today - timedelta(days=29), today)


def chosen_period(since: str, until: str, today: date) -> Period:
    """From one day to another, as a browser writes them; not beyond today. Raises ValueError with what is wrong."""
    try:
        first, last = date.fromisoformat(since), date.fromisoformat(until)
    except ValueError as error:
        raise ValueError(NO_DAYS) from error
    if first > last:
        raise ValueError(BACKWARDS)
    if first > today:
        raise ValueError(AHEAD)
    return Period("days", max(first, EARLIEST), max(min(last, today), EARLIEST))
