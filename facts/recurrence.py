"""On which days a deadline comes again, as a rule of RFC 5545 (`FREQ=MONTHLY;BYMONTHDAY=10`). Pure.

A rule has no UNTIL and no COUNT of its own: first and last day are given beside it. "" is one date.
"""

from datetime import date, datetime, time

from dateutil.rrule import rrulestr

from facts.languages import Speaker

ONCE = ""


def monthly(day: int) -> str:
    """That day of every month; in a shorter month its last day.

    The standard skips a day that a month does not have, so it is asked for the last of several.
    """
    if not 1 <= day <= 31:
        raise ValueError(f"no month has a day {day}")
    if day <= 28:
        return f"FREQ=MONTHLY;BYMONTHDAY={day}"
    if day == 31:
        return "FREQ=MONTHLY;BYMONTHDAY=-1"
    return f"FREQ=MONTHLY;BYMONTHDAY={','.join(map(str, range(28, day + 1)))};BYSETPOS=-1"


def due_days(rule: str, first_on: date, until: date) -> tuple[date, ...]:
    """The days from `first_on` to `until`, both included. Raises ValueError for what is no rule."""
    if rule == ONCE:
        return (first_on,) if first_on <= until else ()
    last = datetime.combine(until, time.max)
    found = rrulestr(f"RRULE:{rule}", dtstart=datetime.combine(first_on, time(0)))
    return tuple(one.date() for one in found.between(datetime.combine(first_on, time(0)), last, inc=True))


def names_months(rule: str) -> bool:
    """Whether it comes at most once a month, so that a period may be called by its month."""
    return rule.startswith(("FREQ=MONTHLY", "FREQ=YEARLY"))


def said(rule: str, _: Speaker) -> str:
    """A rule in plain words; one that we have no words for as it is written."""
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
    if parts.keys() <= {"FREQ", "BYMONTHDAY", "BYSETPOS"} and parts.get("FREQ") == "MONTHLY":
        last = parts.get("BYMONTHDAY", "").split(",")[-1]
        return _("On the last day of each month") if last == "-1" else _("On day {day} of each month", day=last)
    return rule
