"""How a template shows an instant, an amount, a word of ours, a stranger's text. Pure; foreign text is escaped."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from delivery import reasons
from desk.labels import LABELS
from facts import recurrence_words
from facts.calendar import add_working_hours, local_date
from facts.languages import Speaker
from facts.numbers import show_cents, show_number
from facts.working_time import WorkingTime
from intake.forms.nodes import Texts, say
from intake.forms.values import leading
from storage.tables import Rung, Unit

MANY = 4096  # instants whose words are kept: a list says the same ones again each time it is looked at
SOON_HOURS = 4  # working hours
MINUTE, HOUR = 60, 3600  # seconds


def _locale(context: Context) -> str:
    return str(context["language"])


@pass_context
def moment(context: Context, value: datetime | None) -> str:
    """An instant in the office's time: `24/11/2026 10:00`; in English `24 Nov 2026, 10:00`, which nobody misreads."""
    if value is None:
        return "–"
    return _moment(value, context["zone"], _locale(context))


@lru_cache(MANY)
def _moment(value: datetime, zone: str, locale: str) -> str:
    local = value.astimezone(ZoneInfo(zone))
    return f"{local:%d/%m/%Y %H:%M}" if locale == "it" else format_datetime(local, "d MMM yyyy, HH:mm", locale=locale)


@pass_context
def day(context: Context, value: date | datetime | None) -> str:
    """A date in words: `24 nov 2026`."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = value.astimezone(ZoneInfo(context["zone"])).date()
    return format_date(value, "d MMM yyyy", locale=_locale(context))


@pass_context
def ago(context: Context, value: datetime) -> Markup:
    """How long ago, or in how long, roughly: `2 ore fa`; the instant itself for who points at it, and on paper."""
    return ago_in(value, context["now"], context["zone"], _locale(context))


def ago_in(value: datetime, now: datetime, zone: str, locale: str) -> Markup:
    seconds = int((value - now).total_seconds())
    # Beyond an hour nothing shorter than a minute is said: a list of old things then says the same for a while.
    roughly = _ago(seconds if abs(seconds) < HOUR else int(seconds / MINUTE) * MINUTE, locale)
    return _time(value, roughly, zone, locale)


@lru_cache(MANY)
def _time(value: datetime, roughly: str, zone: str, locale: str) -> Markup:
    exactly = _moment(value, zone, locale)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(value.isoformat(), exactly, roughly)


@lru_cache(MANY)
def _ago(seconds: int, locale: str) -> str:
    return format_timedelta(timedelta(seconds=seconds), add_direction=True, locale=locale)


@pass_context
def expires(context: Context, due_at: datetime) -> Any:
    """That its time runs out today, or within `SOON_HOURS` of work; "" when there is more, or when it is over."""
    return expiry(due_at, context["now"], context["zone"], context["_"])


def expiry(due_at: datetime, now: datetime, zone: str, _: Speaker) -> str:
    if due_at <= now:
        return ""
    if due_at <= _soon(now, zone):
        today, last = (one.astimezone(ZoneInfo(zone)).date() for one in (now, due_at))
        left = WorkingTime(today, last, zone).between(now, due_at)
        hours = max(1, -(-left // timedelta(hours=1)))
        return _.ngettext("Expires within one working hour", "Expires within {n} working hours", hours)
    return _("Expires today") if local_date(due_at, zone) == local_date(now, zone) else ""


@lru_cache(8)
def _soon(now: datetime, zone: str) -> datetime:
    """Until when what is to be answered expires soon: the same for every line of a page."""
    return add_working_hours(now, SOON_HOURS, zone)


@pass_context
def euro(context: Context, cents: int | None) -> str:
    """An amount in cents: `1.234,50 €`."""
    return "–" if cents is None else show_cents(cents, context["language"])


@pass_context
def tenths(context: Context, value: int | None) -> str:
    """Progress, kept in tenths of percent: `42,5%`, as in the chat."""
    if value is None:
        return "–"
    whole, tenth = divmod(value, 10)
    comma = "," if _locale(context) == "it" else "."
    return f"{whole}{comma}{tenth}%" if tenth else f"{whole}%"


@pass_context
def figure(context: Context, value: str | int | Decimal | date | None) -> str:
    """A cell of a table: a number as people write it, `1.234,5`; a day in words; a dash where there is nothing."""
    if isinstance(value, int | Decimal):
        return show_number(value, context["language"])
    return value if isinstance(value, str) else day(context, value)


@pass_context
def size(context: Context, n: int) -> str:
    """How large a file is: `120,3 kB`."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if n >= factor:
            return f"{show_number(round(Decimal(n) / factor, 1), context['language'])} {unit}"
    return f"{n} byte"


def paragraphs(text: str) -> Markup:
    """A stranger's plain text as escaped paragraphs; its line breaks stay, nothing else of it is markup."""
    blocks = [block for block in re.split(r"\n\s*\n", text.strip().replace("\r\n", "\n")) if block]
    return Markup("").join(
        Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in block.split("\n"))) for block in blocks
    )


@pass_context
def label(context: Context, value: StrEnum | None) -> Any:
    """What we call a state, a role, a channel."""
    return "–" if value is None else context["_"](LABELS.get(value.__class__, {}).get(value, str(value)))


@pass_context
def why_closed(context: Context, reason: str | None) -> Any:
    """Why a message or a person is not reached: in plain words when they are known, else as it was written down."""
    sentence = reasons.why_closed(reason)
    return context["_"](sentence) if sentence else reason or ""


@pass_context
def spoken(context: Context, texts: Texts) -> str:
    """A text of a form in the reader's language, else in the first that it has."""
    return say(texts, _locale(context), tuple(texts))


@pass_context
def day_of_year(context: Context, value: date) -> str:
    """A day without its year: `7 dicembre`."""
    return format_date(value, "d MMMM", locale=_locale(context))


@pass_context
def recurs(context: Context, rule: str, moved: str = "not") -> str:
    """On which days a deadline comes again."""
    return recurrence_words.said(rule, context["_"], moved=moved)


@pass_context
def weekday(context: Context, value: date) -> str:
    """`lunedì 12 ottobre 2026`: a day that is to be recognised in a week."""
    return format_date(value, "EEEE d MMMM y", locale=_locale(context))


@pass_context
def rung(context: Context, one: Rung) -> str:
    """When a rung of a ladder is told: so many days, or working days, before or after the due day."""
    _, days = context["_"], abs(one.offset_days)
    if days == 0:
        return str(_("on the day itself"))
    if one.offset_days < 0 and one.unit is Unit.WORKING_DAYS:
        return str(_.ngettext("one working day before", "{n} working days before", days))
    if one.offset_days < 0:
        return str(_.ngettext("one day before", "{n} days before", days))
    if one.unit is Unit.WORKING_DAYS:
        return str(_.ngettext("one working day after", "{n} working days after", days))
    return str(_.ngettext("one day after", "{n} days after", days))


FILTERS = {
    "weekday": weekday,
    "rung": rung,
    "moment": moment,
    "day": day,
    "day_of_year": day_of_year,
    "ago": ago,
    "expires": expires,
    "euro": euro,
    "tenths": tenths,
    "leading": leading,
    "paragraphs": paragraphs,
    "figure": figure,
    "size": size,
    "label": label,
    "why_closed": why_closed,
    "spoken": spoken,
    "recurs": recurs,
}
