"""Reads deadlines from a file into frozen values, and hands each to whoever makes deadlines. Makes none itself."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlmodel import Session

from facts.folding import fold
from facts.languages import N_
from facts.recurrence import Often, On, Recurrence, Unsayable, recurrence_of, rule_of
from registry.columns import DEADLINES
from registry.report import EMPTY_CELL, ImportReport, Progress, RegistryRefused
from registry.scope_words import ScopeWords, scope_words
from registry.sheets import Row, Source, read_day, read_rows
from storage.scopes import Line
from storage.tables import DoneWhen, Moved, Subject

T = TypeVar("T")

DEFAULT_FORM = "project-update"
LONGEST_SHOWN = 60

RECURRENCES = {
    "unica": Often.ONCE,
    "once": Often.ONCE,
    "settimanale": Often.WEEKLY,
    "weekly": Often.WEEKLY,
    "mensile": Often.MONTHLY,
    "monthly": Often.MONTHLY,
    "bimestrale": Often.TWO_MONTHLY,
    "two-monthly": Often.TWO_MONTHLY,
    "trimestrale": Often.QUARTERLY,
    "quarterly": Often.QUARTERLY,
    "quadrimestrale": Often.FOUR_MONTHLY,
    "four-monthly": Often.FOUR_MONTHLY,
    "semestrale": Often.HALF_YEARLY,
    "half-yearly": Often.HALF_YEARLY,
    "annuale": Often.YEARLY,
    "yearly": Often.YEARLY,
}
LAST_DAY = frozenset({"ultimo", "last"})
MOVED = {"": Moved.NOT, "no": Moved.NOT, "not": Moved.NOT}
MOVED |= {"successivo": Moved.NEXT, "next": Moved.NEXT, "precedente": Moved.PREVIOUS, "previous": Moved.PREVIOUS}
DONE_WHEN = {"": DoneWhen.SENT, "inviato": DoneWhen.SENT, "sent": DoneWhen.SENT}
DONE_WHEN |= {"accettato": DoneWhen.ACCEPTED, "accepted": DoneWhen.ACCEPTED}
SUBJECTS = {"": Subject.PROJECT, "progetto": Subject.PROJECT, "project": Subject.PROJECT}
SUBJECTS |= {"ente": Subject.ORGANIZATION, "organization": Subject.ORGANIZATION}

NEWEST = frozenset({"", "ultima", "newest", "latest"})

NOT_A_VERSION = N_("{found} is not the number of a version. Write one like 2, or ultima for the newest each time.")
NOT_A_RECURRENCE = N_(
    "{found} is not a recurrence. Write unica, settimanale, mensile, bimestrale, trimestrale, quadrimestrale, "
    "semestrale, annuale, or a rule like FREQ=MONTHLY;BYMONTHDAY=10."
)
NOT_A_MOVE = N_("{found} does not say where a holiday goes. Write no, successivo or precedente.")
NOT_DONE = N_("{found} does not say when it is done. Write inviato or accettato.")
NOT_GRACE = N_("{found} is not a number of days.")
NOT_A_SUBJECT = N_("{found} cannot owe an update. Write progetto or ente.")
NOT_A_DAY = N_("{found} is not a date. Write it like 10/12/2026.")
NOT_A_MONTH_DAY = N_("{found} is not a day of the month.")
ENDS_BEFORE = N_("It ends before it begins.")
UNKNOWN_SCOPE = N_("{found} is no programme, municipality or CUP that we know.")


@dataclass(frozen=True, slots=True)
class DeadlineRow:
    """A deadline as a file has it. `scope` is empty for everything.

    `form_version`: the number of the version it keeps to, None for the newest.
    """

    row: int
    title: str
    form_key: str
    subject: Subject
    rule: str
    first_on: date
    until: date | None
    scope: tuple[Line, ...]
    form_version: int | None = None
    moved: Moved = Moved.NOT
    grace_days: int = 0
    done_when: DoneWhen = DoneWhen.SENT


Create = Callable[[DeadlineRow], None]
"""Makes one deadline. Raises RegistryRefused when it cannot be made: the sentence is shown beside the row."""


def import_deadlines(
    session: Session,
    source: Source,
    create: Create,
    *,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> ImportReport:
    """Reads a CSV or Excel file and has its deadlines made. With errors in the report none was kept."""
    report = ImportReport(dry_run=dry_run)
    scopes = scope_words(session)
    with session.begin_nested() as attempt:
        for row in read_rows(source, DEADLINES, report):
            report.read_one(progress)
            try:
                create(_deadline(row, scopes))
                report.created += 1
            except _InField as error:
                report.refuse(row.number, DEADLINES.header(error.field), error.sentence, **error.values)
            except RegistryRefused as error:
                report.refuse(row.number, "", error.sentence, **error.values)
        if dry_run or not report.ok:
            attempt.rollback()
    return report


class _InField(RegistryRefused):
    """A refusal that knows which field it is about."""

    def __init__(self, field: str, sentence: str, **values: str) -> None:
        super().__init__(sentence, **values)
        self.field = field


def _deadline(row: Row, scopes: ScopeWords) -> DeadlineRow:
    if not row["title"]:
        raise _InField("title", EMPTY_CELL)
    first_on = _day(row, "first_on")
    if first_on is None:
        raise _InField("first_on", EMPTY_CELL)
    until = _day(row, "until")
    if until is not None and until < first_on:
        raise _InField("until", ENDS_BEFORE)
    return DeadlineRow(
        row=row.number,
        title=row["title"],
        form_key=row["form"] or DEFAULT_FORM,
        subject=_one_of(SUBJECTS, row, "subject", NOT_A_SUBJECT),
        rule=_rule(row, first_on),
        first_on=first_on,
        until=until,
        scope=_scope(row, scopes),
        form_version=_form_version(row),
        moved=_one_of(MOVED, row, "moved", NOT_A_MOVE),
        grace_days=_grace(row),
        done_when=_one_of(DONE_WHEN, row, "done_when", NOT_DONE),
    )


def _day(row: Row, name: str) -> date | None:
    try:
        return read_day(row[name])
    except ValueError as error:
        raise _InField(name, NOT_A_DAY, found=row[name]) from error


def _one_of(words: Mapping[str, T], row: Row, name: str, sentence: str) -> T:
    found = words.get(fold(row[name]))
    if found is None:
        raise _InField(name, sentence, found=row[name])
    return found


def _form_version(row: Row) -> int | None:
    text = row["form_version"]
    if fold(text) in NEWEST:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text):
        raise _InField("form_version", NOT_A_VERSION, found=text)
    return int(text)


def _rule(row: Row, first_on: date) -> str:
    """A word of how often, on the day that is written beside it; or a rule as it is."""
    often = RECURRENCES.get(fold(row["recurrence"]))
    if often is None:
        try:
            return rule_of(recurrence_of(row["recurrence"] or "-", first_on))
        except Unsayable as error:
            raise _InField("recurrence", NOT_A_RECURRENCE, found=row["recurrence"][:LONGEST_SHOWN]) from error
    if often is Often.WEEKLY:
        return rule_of(Recurrence(often, weekday=first_on.weekday()))
    if often is not Often.ONCE and fold(row["day"]) in LAST_DAY:
        return rule_of(Recurrence(often, On.LAST, month=first_on.month))
    day = first_on.day if often is Often.ONCE else _month_day(row, first_on)
    return rule_of(Recurrence(often, day=day, month=first_on.month))


def _month_day(row: Row, first_on: date) -> int:
    """The day of the month; that of the first date when none is written."""
    text = row["day"]
    if not text:
        return first_on.day
    if not re.fullmatch(r"[0-9]{1,2}", text) or not 1 <= int(text) <= 31:
        raise _InField("day", NOT_A_MONTH_DAY, found=text)
    return int(text)


def _grace(row: Row) -> int:
    text = row["grace"] or "0"
    if not re.fullmatch(r"[0-9]{1,3}", text):
        raise _InField("grace", NOT_GRACE, found=text)
    return int(text)


def _scope(row: Row, scopes: ScopeWords) -> tuple[Line, ...]:
    """Codes and names between commas or semicolons (a name may hold spaces); a minus before what is left out."""
    found: dict[Line, None] = {}
    for text in filter(None, map(str.strip, re.split(r"[,;|]", row["scope"]))):
        targets = scopes.lines(text.lstrip("-− "), excluded=text.startswith(("-", "−")))
        if not targets:
            raise _InField("scope", UNKNOWN_SCOPE, found=text)
        found |= dict.fromkeys(targets)
    return tuple(found)
