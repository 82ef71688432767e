"""On which days a deadline comes again, in the few ways that people say it, and as a rule of RFC 5545. Pure.

Refuses a rule that it could not say in plain words: no hours, no COUNT and no UNTIL (first and last day are given
beside it), nothing that comes more than once a week. "" is one date. The words are in `facts/recurrence_words.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from dateutil.rrule import rrulestr

ONCE = ""
LONGEST_RULE = 500
LAST = -1
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

_BY_DAY = re.compile(rf"([1-4]|-1)?({'|'.join(WEEKDAYS)})")
_PART = re.compile(r"([A-Z]+)=([A-Z0-9,-]+)")
_SHORTER = {"28,29": 29, "28,29,30": 30}  # the last of these days: 29 or 30, in February its last


class Unsayable(ValueError):
    """No rule, or none of those that we have words for."""


class Often(StrEnum):
    ONCE = "once"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    TWO_MONTHLY = "two-monthly"
    QUARTERLY = "quarterly"
    FOUR_MONTHLY = "four-monthly"
    HALF_YEARLY = "half-yearly"
    YEARLY = "yearly"


MONTHS: Mapping[Often, int] = {
    Often.MONTHLY: 1,
    Often.TWO_MONTHLY: 2,
    Often.QUARTERLY: 3,
    Often.FOUR_MONTHLY: 4,
    Often.HALF_YEARLY: 6,
    Often.YEARLY: 12,
}


class On(StrEnum):
    """Which day of its month: a number, the last one, or the first Friday and its like."""

    DAY = "day"
    LAST = "last"
    WEEKDAY = "weekday"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Every so many months from `month` on, `on` one of their days; or every week on `weekday` (Monday is 0).

    `day` 29, 30 and 31 are the last day of a shorter month. `nth` 1 to 4, or LAST: which of the month's weekdays.
    """

    often: Often
    on: On = On.DAY
    day: int = 1
    nth: int = 1
    weekday: int = 0
    month: int = 1

    def months(self) -> tuple[int, ...]:
        """The months in which it comes, of those of one year."""
        step = MONTHS[self.often]
        return tuple(range((self.month - 1) % step + 1, 13, step))


# --- writing


def monthly(day: int) -> str:
    """That day of every month; in a shorter month its last day."""
    return rule_of(Recurrence(Often.MONTHLY, day=day))


def rule_of(wanted: Recurrence) -> str:
    """The rule. Raises ValueError for a day, a weekday or a month that there is not."""
    if wanted.often is Often.ONCE:
        return ONCE
    if not 0 <= wanted.weekday <= 6:
        raise ValueError(f"no week has a day {wanted.weekday}")
    if wanted.often is Often.WEEKLY:
        return f"FREQ=WEEKLY;BYDAY={WEEKDAYS[wanted.weekday]}"
    if not 1 <= wanted.month <= 12:
        raise ValueError(f"no year has a month {wanted.month}")
    months = "" if wanted.often is Often.MONTHLY else f";BYMONTH={','.join(map(str, wanted.months()))}"
    return f"FREQ=MONTHLY{months};{_day_of(wanted)}"


def _day_of(wanted: Recurrence) -> str:
    if wanted.on is On.LAST:
        return "BYMONTHDAY=-1"
    if wanted.on is On.WEEKDAY:
        if wanted.nth not in (1, 2, 3, 4, LAST):
            raise ValueError(f"not every month has a {wanted.nth}th of a weekday")
        return f"BYDAY={wanted.nth}{WEEKDAYS[wanted.weekday]}"
    if not 1 <= wanted.day <= 31:
        raise ValueError(f"no month has a day {wanted.day}")
    if wanted.day <= 28:
        return f"BYMONTHDAY={wanted.day}"
    if wanted.day == 31:
        return "BYMONTHDAY=-1"
    # The standard skips a day that a month does not have, so it is asked for the last of several.
    return f"BYMONTHDAY={','.join(map(str, range(28, wanted.day + 1)))};BYSETPOS=-1"


# --- reading


def recurrence_of(rule: str, first_on: date) -> Recurrence:
    """What a rule says, as somebody would have chosen it. `first_on` gives what it leaves open: weekday, month, day.

    Raises Unsayable.
    """
    if rule == ONCE:
        return Recurrence(Often.ONCE)
    parts = _parts(rule)
    frequency = parts.pop("FREQ", "")
    if frequency == "WEEKLY":
        return _weekly(parts, first_on)
    if frequency in ("MONTHLY", "YEARLY"):
        often, month = _often(frequency, parts, first_on)
        return _on_a_day(often, month, parts, first_on)
    raise Unsayable(rule)


def _parts(rule: str) -> dict[str, str]:
    if len(rule) > LONGEST_RULE:
        raise Unsayable("too long")
    found: dict[str, str] = {}
    for part in rule.strip().upper().removeprefix("RRULE:").rstrip(";").split(";"):
        read = _PART.fullmatch(part)
        if read is None or read[1] in found:
            raise Unsayable(rule)
        found[read[1]] = read[2]
    return found


def _weekly(parts: dict[str, str], first_on: date) -> Recurrence:
    weekday = parts.pop("BYDAY", WEEKDAYS[first_on.weekday()])
    if parts.pop("INTERVAL", "1") != "1" or parts or weekday not in WEEKDAYS:
        raise Unsayable("every week on one day")
    return Recurrence(Often.WEEKLY, weekday=WEEKDAYS.index(weekday))


def _often(frequency: str, parts: dict[str, str], first_on: date) -> tuple[Often, int]:
    """How often, and one of its months."""
    step = _number(parts.pop("INTERVAL", "1"), 1, 12) * (12 if frequency == "YEARLY" else 1)
    months = sorted({_number(text, 1, 12) for text in parts.pop("BYMONTH", "").split(",") if text})
    if not months:
        return _every(step), first_on.month
    # Months that are named are those of each year: there is no "every second of them".
    if step != (12 if frequency == "YEARLY" else 1) or 12 % len(months):
        raise Unsayable("months that do not come at even distances")
    often = _every(12 // len(months))
    if tuple(months) != Recurrence(often, month=months[0]).months():
        raise Unsayable("months that do not come at even distances")
    return often, months[0]


def _every(step: int) -> Often:
    for often, months in MONTHS.items():
        if months == step:
            return often
    raise Unsayable(f"every {step} months")


def _on_a_day(often: Often, month: int, parts: dict[str, str], first_on: date) -> Recurrence:
    if "BYDAY" in parts:
        found = _BY_DAY.fullmatch(parts.pop("BYDAY"))
        nth = (found[1] or parts.pop("BYSETPOS", "")) if found is not None else ""
        if found is None or parts or nth not in ("1", "2", "3", "4", "-1"):
            raise Unsayable("which of the weekdays of a month")
        return Recurrence(often, On.WEEKDAY, nth=int(nth), weekday=WEEKDAYS.index(found[2]), month=month)
    days, position = parts.pop("BYMONTHDAY", str(first_on.day)), parts.pop("BYSETPOS", "")
    if parts:
        raise Unsayable(f"with {', '.join(parts)}")
    if (days, position) == ("-1", ""):
        return Recurrence(often, On.LAST, month=month)
    if position == "-1" and days in _SHORTER:
        return Recurrence(often, day=_SHORTER[days], month=month)
    if position:
        raise Unsayable("which of the days of a month")
    # A bare 29, 30 or 31 skips the months without it, and that nobody means.
    return Recurrence(often, day=_number(days, 1, 28), month=month)


def _number(text: str, least: int, most: int) -> int:
    if not re.fullmatch("[0-9]{1,3}", text) or not least <= int(text) <= most:
        raise Unsayable(f"{text} is not between {least} and {most}")
    return int(text)


# --- the days themselves


def due_days(rule: str, first_on: date, until: date) -> tuple[date, ...]:
    """The days from `first_on` to `until`, both included. Raises Unsayable for a rule that we have no words for."""
    if rule == ONCE:
        return (first_on,) if first_on <= until else ()
    plain = rule_of(recurrence_of(rule, first_on))
    first, last = datetime.combine(first_on, time(0)), datetime.combine(until, time.max)
    found = rrulestr(f"RRULE:{plain}", dtstart=first)
    return tuple(one.date() for one in found.between(first, last, inc=True))


def names_months(rule: str) -> bool:
    """Whether it comes at most once a month, so that a period may be called by its month."""
    return rule.startswith(("FREQ=MONTHLY", "FREQ=YEARLY"))
