"""What values are to each other in an expression: truth, text, number, `=`, `<` and sums. Pure. As ODK, not XPath 1.0.

A value is text, a number or a truth. No answer is the text "": there is no empty value beside it. Dates and times are
text in ISO 8601; as a number a date is its days since 1970-01-01, with a fraction when it has a time, and a time alone
is its fraction of a day. What follows: nothing is less or greater than an empty answer, as it is not a number; empty
equals only empty; dates compare as dates; a date plus a number is a number of days.

Rules: JavaRosa's XPathEqExpr, XPathCmpExpr, XPathArithExpr and XPathFuncExpr (toBoolean, toNumeric, toString); for
dates the ODK XForms specification (`number()`), where JavaRosa knows the type of a question and Enketo the text.
"""

import math
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal

Value = str | float | bool

NAN = math.nan
TINY = 1e-12  # closer numbers are equal, and this near to zero is zero (XPathEqExpr)
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - days are counted on the calendar of who answers
DAY = timedelta(days=1)

_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")
_TIME = r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
_MOMENT = re.compile(rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})(?:T{_TIME})?")
_TIME_ALONE = re.compile(_TIME)


def truth(value: Value) -> bool:
    """Text holds unless it is empty, so "false" holds; a number unless it is 0 or none."""
    if isinstance(value, float):
        return abs(value) > TINY  # not for NaN
    return bool(value)


def text(value: Value) -> str:
    """Whole numbers without a point, others in plain digits, never as 1e21."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    whole = round(value)
    if abs(value - whole) < TINY:
        return str(whole)
    shown = repr(value)
    return format(Decimal(shown), "f") if "e" in shown else shown


def number(value: Value, zone: tzinfo | None = None) -> float:
    """NaN for what is none; a comma is a decimal point. `zone`: whose calendar and clock, for times that say theirs."""
    if isinstance(value, str):
        shown = value.strip()
        plain = shown.replace(",", ".")
        return float(plain) if _NUMBER.fullmatch(plain) else _days(shown, zone)
    return float(value)


def moment(value: str, zone: tzinfo | None = None) -> datetime | None:
    """The date and time (midnight when there is none) on the clock of `zone`; None for what is no date."""
    found = _MOMENT.fullmatch(value)
    if found is None:
        return None
    year, month, day, *clock, offset = found.groups()
    try:
        said = datetime.combine(date(int(year), int(month), int(day)), _clock(*clock))
        return _moved(said, offset, zone) if offset and zone else said
    except (ValueError, OverflowError):
        return None


def days(found: datetime) -> float:
    """Since 1970-01-01."""
    return (found - EPOCH) / DAY


def time_of_day(value: str, zone: tzinfo | None = None) -> float:
    """The fraction of the day in `10:30`, `2024-05-01T10:30`; NaN for what is neither."""
    found = moment(value, zone)
    if found is not None:
        return days(found) % 1
    alone = _TIME_ALONE.fullmatch(value)
    if alone is None:
        return NAN
    try:
        return days(datetime.combine(EPOCH, _clock(*alone.groups()[:4])))
    except ValueError:
        return NAN


def _days(shown: str, zone: tzinfo | None) -> float:
    found = moment(shown, zone)
    return time_of_day(shown, zone) if found is None else days(found)


def _clock(hour: str | None, minute: str | None, second: str | None, fraction: str | None) -> time:
    return time(int(hour or 0), int(minute or 0), int(second or 0), int((fraction or "")[:6].ljust(6, "0")))


def _moved(said: datetime, offset: str, zone: tzinfo) -> datetime:
    aware = datetime.fromisoformat(f"{said.isoformat()}{'+00:00' if offset == 'Z' else offset}")
    return aware.astimezone(zone).replace(tzinfo=None)


def equal(one: Value, other: Value, zone: tzinfo | None = None) -> bool:
    """As truths when one is a truth, else as numbers when one is a number, else as text; two dates as dates."""
    if isinstance(one, bool) or isinstance(other, bool):
        return truth(one) is truth(other)
    if isinstance(one, str) and isinstance(other, str):
        return one == other or _same_moment(one, other, zone)
    first, second = number(one, zone), number(other, zone)
    return first == second or abs(first - second) < TINY


def _same_moment(one: str, other: str, zone: tzinfo | None) -> bool:
    """`2024-05-01T12:00+02:00` is `2024-05-01T10:00Z`, and `2024-5-1` is `2024-05-01`."""
    if one[4:5] != "-" or other[4:5] != "-":
        return False
    found = moment(one, zone)
    return found is not None and found == moment(other, zone)


def _divided(one: float, other: float) -> float:
    if other:
        return one / other
    return NAN if not one or math.isnan(one) else math.copysign(math.inf, one) * math.copysign(1, other)


def _remainder(one: float, other: float) -> float:
    """With the sign of the first, as in Java."""
    return NAN if math.isinf(one) or not other else math.fmod(one, other)


COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
SUMS: dict[str, Callable[[float, float], float]] = {
    "+": lambda one, other: one + other,
    "-": lambda one, other: one - other,
    "*": lambda one, other: one * other,
    "div": _divided,
    "mod": _remainder,
}
