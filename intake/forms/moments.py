"""What expressions do with dates and times: read, reckon in days, write. Pure.

A number of days counts from 1970-01-01 in UTC where a time is meant and on the calendar where a date is, as in
JavaRosa: `date(19000)` is a date, `date-time(19000)` is midnight in Greenwich, an hour or two later in Italy.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from intake.forms.comparing import DAY, EPOCH, NAN, Value, moment, number, time_of_day
from intake.forms.instance import Scope

_CODE = re.compile(r"%(.)", re.DOTALL)


def date(scope: Scope, value: Value) -> Value:
    """`date(…)`: the day of a date, of a date and time, of a number of days; NaN for what is none."""
    if value == "":
        return ""
    if isinstance(value, float):
        found = _after(EPOCH, math.trunc(value)) if math.isfinite(value) else None
    else:
        found = _moment(scope, value)
    return NAN if found is None else found.date().isoformat()


def date_time(scope: Scope, value: Value) -> Value:
    if value == "":
        return ""
    found = _moment(scope, value)
    return NAN if found is None else shown(found.replace(tzinfo=scope.zone))


def shown(found: datetime) -> str:
    return found.isoformat(timespec="milliseconds")


def decimal_date_time(scope: Scope, value: Value) -> Value:
    """Days since 1970-01-01 in UTC."""
    if value == "":
        return ""
    found = _moment(scope, value)
    return NAN if found is None else (found.replace(tzinfo=scope.zone or UTC) - EPOCH.replace(tzinfo=UTC)) / DAY


def decimal_time(scope: Scope, value: Value) -> Value:
    """The fraction of the day."""
    if isinstance(value, str):
        return time_of_day(value.strip(), scope.zone) if value else ""
    return value % 1 if isinstance(value, float) and math.isfinite(value) else NAN


def formatted(scope: Scope, value: Value, pattern: Value) -> str:
    """`%Y-%m-%d`; nothing for what is no date. A letter that means nothing stays as it is written."""
    found = None if value == "" or not isinstance(pattern, str) else _moment(scope, value)
    if found is None:
        return ""
    parts = _parts(found, scope.language)
    return _CODE.sub(lambda code: parts.get(code[1], code[0]), str(pattern))


def _parts(found: datetime, language: str) -> dict[str, str]:
    months, weekdays = _names(language)
    return {
        "%": "%",
        "Y": f"{found.year:04}",
        "y": f"{found.year % 100:02}",
        "m": f"{found.month:02}",
        "n": str(found.month),
        "b": months[found.month],
        "d": f"{found.day:02}",
        "e": str(found.day),
        "H": f"{found.hour:02}",
        "h": str(found.hour),
        "M": f"{found.minute:02}",
        "S": f"{found.second:02}",
        "3": f"{found.microsecond // 1000:03}",
        "a": weekdays[found.weekday()],
        "W": str(found.isocalendar().week),
    }


@lru_cache(16)
def _names(language: str) -> tuple[dict[int, str], dict[int, str]]:
    """Short names of months (1-12) and days (0-6); English for a language that Babel does not know."""
    from babel import Locale, UnknownLocaleError
    from babel.dates import get_day_names, get_month_names

    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        locale = Locale("en")
    return dict(get_month_names("abbreviated", locale=locale)), dict(get_day_names("abbreviated", locale=locale))


def _moment(scope: Scope, value: Value) -> datetime | None:
    """On the clock of who asks; a time alone is one of 1970-01-01."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        written = value.strip()
        found = moment(written, scope.zone)
        clock = time_of_day(written, scope.zone)
        if found is not None or not math.isnan(clock):
            return found or _after(EPOCH, clock)
        value = number(written)
    found = _after(EPOCH, value)
    try:
        return found and found.replace(tzinfo=UTC).astimezone(scope.zone or UTC).replace(tzinfo=None)
    except OverflowError:
        return None


def _after(start: datetime, count: float) -> datetime | None:
    try:
        return start + timedelta(days=count)
    except (OverflowError, ValueError):
        return None
