"""Reads and shows dates as people write them in Italy. Pure; asks back instead of guessing, takes today as given.

Days come before months, always. A day and month without a year are the coming ones when they are less
than half a year away; else the one just past may be meant, and the reader is asked.
"""

import re
import unicodedata
from datetime import MINYEAR, date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime

from facts.languages import Language
from facts.reading import Ambiguous, Unreadable

LOCALES = {Language.IT: "it_IT", Language.EN: "en_GB"}
PLAUSIBLE_YEARS = range(1950, 2101)
HALF_A_YEAR = timedelta(days=183)

MONTHS = (
    ("gennaio", "january"),
    ("febbraio", "february"),
    ("marzo", "march"),
    ("aprile", "april"),
    ("maggio", "may"),
    ("giugno", "june"),
    ("luglio", "july"),
    ("agosto", "august"),
    ("settembre", "september"),
    ("ottobre", "october"),
    ("novembre", "november"),
    ("dicembre", "december"),
)
WEEKDAYS = (
    ("lunedi", "monday"),
    ("martedi", "tuesday"),
    ("mercoledi", "wednesday"),
    ("giovedi", "thursday"),
    ("venerdi", "friday"),
    ("sabato", "saturday"),
    ("domenica", "sunday"),
)
DAYS_AWAY = {
    **dict.fromkeys(("ieri", "yesterday"), -1),
    **dict.fromkeys(("oggi", "today"), 0),
    **dict.fromkeys(("domani", "tomorrow"), 1),
    **dict.fromkeys(("dopodomani", "dopo domani", "day after tomorrow"), 2),
}
ENDS_OF_MONTH = {"fine mese", "fine del mese", "end of month", "end of the month", "month end"}
FILLER = re.compile(r"^(?:entro|per|il|lo|l'|la|a|by|on|the|within)\s*\b\s*")

ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
NUMERIC = re.compile(r"(\d{1,2})([-/. ])(\d{1,2})(?:\2(\d{4}|\d{2}))?")
DAY_FIRST = re.compile(
    r"(\d{1,2}|primo)(?:°|º|\^|st|nd|rd|th)?(?: (?:of|di|del)\b)?[ .\-/]*([a-z]+)\.?(?:[ ,.\-/]*'?(\d{4}|\d{2}))?"
)
MONTH_FIRST = re.compile(r"([a-z]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
ONLY_A_MONTH = re.compile(r"(?:(?:fine|inizio|meta|end of|mid)\s)?([a-z]+)\.?(?:[ \-/]'?(?:\d{4}|\d{2}))?")
ONLY_A_YEAR = re.compile(r"(?:(?:fine|inizio|meta|nel|end|early|late|mid|in)(?: (?:del|di|of))?\s)?(?:19|20)\d\d")
MONTH_NUMBERS = re.compile(r"\d{1,2}[-/.]\d{4}|\d{4}[-/.]\d{1,2}")


def read_date(text: str, *, today: date) -> date:
    """The day in `10/12/2026`, `10-12-26`, `10 dic 26`, `giovedì 10 dicembre`, `2026-12-10`, `domani`, `fine mese`.

    Raises Unreadable (a month alone is `no-day`), or Ambiguous with dates.
    """
    words = _tidy(text)
    if not words:
        raise Unreadable("empty")
    if words in DAYS_AWAY:
        return today + timedelta(days=DAYS_AWAY[words])
    if words in ENDS_OF_MONTH:
        return last_day(today)
    weekday, rest = _weekday(words)
    day, month, year = _parts(rest)
    found = _coming(day, month, today) if year is None else _day(year, month, day)
    if weekday is not None and found.weekday() != weekday:
        raise Unreadable("weekday")
    return found


def last_day(day: date) -> date:
    """The last day of the month of `day`."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _tidy(text: str) -> str:
    """Lower case without accents, single spaces, without `entro il` and the like in front."""
    plain = unicodedata.normalize("NFKC", re.sub(r"[’‘`´]", "'", text)).casefold()
    # degree and ordinal signs survive NFKC only in part: 1° stays, 1º becomes 1o
    plain = re.sub(r"(?<=\d)o\b", "°", plain)
    plain = "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))
    plain = " ".join(plain.split()).strip(" .,;")
    while (shorter := FILLER.sub("", plain)) != plain:
        plain = shorter
    return plain


def _weekday(words: str) -> tuple[int | None, str]:
    """A day of the week in front (`gio 10 dicembre`), and what follows it."""
    found = re.match(r"([a-z]{3,})'?\.?,? (?=\d|primo|il )(?:il )?", words)
    number = _named(found[1], WEEKDAYS) if found else None
    if found is None or number is None or MONTH_FIRST.fullmatch(words):
        return None, words  # "mar" is martedì before a whole date, March in "mar 3, 2027"
    return number, words[found.end() :]


def _parts(words: str) -> tuple[int, int, int | None]:
    """Day, month and, when it is written, year."""
    if found := ISO.fullmatch(words):
        return int(found[3]), int(found[2]), int(found[1])
    if found := NUMERIC.fullmatch(words):
        if found[4] is None and int(found[3]) > 12 and int(found[1]) <= 12:
            raise Unreadable("no-day")  # 12/26 is December 2026
        return int(found[1]), int(found[3]), _year(found[4])
    if (found := DAY_FIRST.fullmatch(words)) and (month := _named(found[2], MONTHS)) is not None:
        return 1 if found[1] == "primo" else int(found[1]), month + 1, _year(found[3])
    if (found := MONTH_FIRST.fullmatch(words)) and (month := _named(found[1], MONTHS)) is not None:
        return int(found[2]), month + 1, int(found[3])
    raise Unreadable("no-day" if _is_month(words) or ONLY_A_YEAR.fullmatch(words) else "not-a-date")


def _is_month(words: str) -> bool:
    found = ONLY_A_MONTH.fullmatch(words)
    return MONTH_NUMBERS.fullmatch(words) is not None or (found is not None and _named(found[1], MONTHS) is not None)


def _named(word: str, names: tuple[tuple[str, str], ...]) -> int | None:
    """The place of a name or of its first three letters or more."""
    return next((i for i, pair in enumerate(names) if len(word) >= 3 and any(n.startswith(word) for n in pair)), None)


def _year(digits: str | None) -> int | None:
    return None if digits is None else int(digits) + (2000 if len(digits) == 2 else 0)


def _day(year: int, month: int, day: int) -> date:
    if year not in PLAUSIBLE_YEARS:
        raise Unreadable("year")
    found = _exists(year, month, day)
    if found is None:
        raise Unreadable("no-such-day")
    return found


def _exists(year: int, month: int, day: int) -> date | None:
    try:
        return date(max(year, MINYEAR), month, day)
    except ValueError:
        return None


def _coming(day: int, month: int, today: date) -> date:
    """The next such day when it is near; else both it and the last one are possible."""
    # eight years hold every date that exists, 29 February included
    around = [found for year in range(today.year - 8, today.year + 9) if (found := _exists(year, month, day))]
    if not around:
        raise Unreadable("no-such-day")
    coming = next(found for found in around if found >= today)
    if coming - today < HALF_A_YEAR:
        return coming
    raise Ambiguous(max(found for found in around if found < today), coming)


def show_date(day: date, language: Language) -> str:
    """`10 dicembre 2026`."""
    return format_date(day, "d MMMM y", locale=LOCALES[language])


def show_weekday(day: date, language: Language) -> str:
    """`mercoledì 25 novembre`, for a day that is near."""
    return format_date(day, "EEEE d MMMM", locale=LOCALES[language])


def show_short_date(day: date, language: Language) -> str:
    """`10/12/2026`, in both languages: a reader in Italy takes the day first."""
    return format_date(day, "dd/MM/y", locale=LOCALES[language])


def show_moment(instant: datetime, language: Language, zone: ZoneInfo | str) -> str:
    """`23 novembre 2026, 14:05`, in the local time of `zone`. Refuses a naive instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its zone")
    local = instant.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)
    return format_datetime(local.replace(tzinfo=None), "d MMMM y, HH:mm", locale=LOCALES[language])
