"""A recurrence in plain words, in both languages. Pure: says what `facts/recurrence.py` reads, refuses nothing."""

from datetime import date

from babel.dates import get_day_names, get_month_names
from babel.lists import format_list

from facts.languages import N_, Speaker
from facts.recurrence import LAST, MONTHS, Often, On, Recurrence, Unsayable, recurrence_of

SUNDAY = 6
ANY_DAY = date(2026, 1, 1)  # our own rules leave nothing open

OFTEN = {
    Often.ONCE: N_("Once, on one date"),
    Often.WEEKLY: N_("Every week"),
    Often.MONTHLY: N_("Every month"),
    Often.TWO_MONTHLY: N_("Every two months"),
    Often.QUARTERLY: N_("Every three months"),
    Often.FOUR_MONTHLY: N_("Every four months"),
    Often.HALF_YEARLY: N_("Every six months"),
    Often.YEARLY: N_("Once a year"),
}
NTH = {
    1: N_("On the first {weekday}"),
    2: N_("On the second {weekday}"),
    3: N_("On the third {weekday}"),
    4: N_("On the fourth {weekday}"),
    LAST: N_("On the last {weekday}"),
}
# Of the days only Sunday is a feminine word in Italian.
NTH_SUNDAY = {
    1: N_("On the first Sunday"),
    2: N_("On the second Sunday"),
    3: N_("On the third Sunday"),
    4: N_("On the fourth Sunday"),
    LAST: N_("On the last Sunday"),
}


def said(rule: str, _: Speaker, *, moved: str = "not") -> str:
    """A rule in plain words; one that we have no words for as it is written.

    `moved`, a word of `Moved`: the last day, moved to the working day before it, is the last working day.
    """
    try:
        return say(recurrence_of(rule, ANY_DAY), _, moved=moved)
    except Unsayable:
        return rule


def say(wanted: Recurrence, _: Speaker, *, moved: str = "not") -> str:
    if wanted.often is Often.ONCE:
        return _(OFTEN[Often.ONCE])
    if wanted.often is Often.WEEKLY:
        return _("Every {weekday}", weekday=weekday_names(_)[wanted.weekday])
    which = _which(wanted, _, moved)
    if wanted.often is Often.MONTHLY:
        return _("{which} of each month", which=which)
    names = month_names(_)
    months = [names[number - 1] for number in wanted.months()]
    if MONTHS[wanted.often] == 12:
        return _("{which} of {month} each year", which=which, month=months[0])
    return _("{which} of {months}", which=which, months=format_list(months, locale=_.language))


def names_a_working_day(wanted: Recurrence, moved: str) -> bool:
    """Whether it is the first or the last working day, so that nothing more need be said of how days move."""
    return wanted.often in MONTHS and (
        (wanted.on is On.LAST and moved == "previous") or (wanted.on is On.DAY and wanted.day == 1 and moved == "next")
    )


def weekday_names(_: Speaker) -> list[str]:
    """From Monday."""
    names = get_day_names("wide", locale=_.language)
    return [names[number] for number in range(7)]


def month_names(_: Speaker) -> list[str]:
    """From January."""
    names = get_month_names("wide", locale=_.language)
    return [names[number] for number in range(1, 13)]


def _which(wanted: Recurrence, _: Speaker, moved: str) -> str:
    if names_a_working_day(wanted, moved):
        return _("On the last working day") if wanted.on is On.LAST else _("On the first working day")
    if wanted.on is On.LAST:
        return _("On the last day")
    if wanted.on is On.DAY:
        return _("On day {day}", day=wanted.day)
    if wanted.weekday == SUNDAY:
        return _(NTH_SUNDAY[wanted.nth])
    return _(NTH[wanted.nth], weekday=weekday_names(_)[wanted.weekday])
