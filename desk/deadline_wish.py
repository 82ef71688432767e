"""What staff typed about a deadline, read into what `reminders` understands; what cannot be read is said by its field.

Keeps nothing. Whom it is for is read by `desk/deadline_scope.py`.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeVar

from pydantic import BaseModel
from sqlmodel import Session

from desk.deadline_scope import read_scope
from facts.languages import Speaker
from facts.recurrence import LAST, MONTHS, Often, On, Recurrence, rule_of
from reminders.coming import Rhythm
from reminders.wanted import LONGEST_GRACE_DAYS, Wanted
from storage.forms import version_numbered
from storage.scopes import Line
from storage.tables import DoneWhen, Moved, Subject
from storage.tables import Form as FormRow

Word = TypeVar("Word", bound=StrEnum)


class DayOf(StrEnum):
    """Which day of the month. The first and the last working day say at once where a holiday goes."""

    DAY = "day"
    LAST = "last"
    LAST_WORKING = "last-working"
    FIRST_WORKING = "first-working"
    WEEKDAY = "weekday"


class Wish(BaseModel):
    """The form as it was typed. `form_version`: its number, "" for the newest. `step`: check, edit or create."""

    title: str = ""
    form_id: str = ""
    form_version: str = ""
    often: str = "monthly"
    on: str = "day"
    due_on: str = ""
    day: str = "10"
    nth: str = "1"
    weekday: str = "0"
    month: str = "1"
    first_on: str = ""
    until: str = ""
    zone: str = ""
    moved: str = "not"
    grace: str = "0"
    opens: str = "20"
    done_when: str = "sent"
    ladder_id: str = ""
    officer_id: str = ""
    scope: str = "all"
    programme: list[int] = []
    measures: str = ""
    phase: list[str] = []
    organizations: str = ""
    cups: str = ""
    excluded: str = ""
    keeps: str = ""
    step: str = "check"


@dataclass
class Reading:
    """What the form means, as far as it can be read; sentences by field for the rest."""

    wanted: Wanted
    form_title: str = ""
    targets: set[Line] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)


def read_wish(session: Session, wish: Wish, _: Speaker) -> Reading:
    errors: dict[str, str] = {}
    if not wish.title.strip():
        errors["title"] = _("Give the deadline a title.")
    rhythm = read_rhythm(wish, errors, _)
    form = _chosen_form(session, wish)
    wanted = Wanted(
        title=wish.title,
        form_id=form.id if form is not None else 0,
        form_version_id=_version(session, form, wish, errors, _) if form is not None else None,
        subject=Subject(form.about) if form is not None else Subject.PROJECT,
        rule=rhythm.rule,
        first_on=rhythm.first_on,
        until=rhythm.until,
        zone=wish.zone.strip(),
        moved=rhythm.moved,
        grace_days=_number(wish.grace, "grace", errors, _, least=0, most=LONGEST_GRACE_DAYS) or 0,
        opens_days_before=_number(wish.opens, "opens", errors, _, least=0, most=366) or 0,
        done_when=_word(DoneWhen, wish.done_when, "done_when", errors, _) or DoneWhen.SENT,
        follows=not wish.keeps,
        officer_id=_chosen(wish.officer_id),
    )
    if (ladder_id := _chosen(wish.ladder_id)) is not None:
        wanted["ladder_id"] = ladder_id
    title = form.title if form is not None else ""
    return Reading(wanted, title, read_scope(session, wish, errors, _), errors)


def read_rhythm(wish: Wish, errors: dict[str, str], _: Speaker) -> Rhythm:
    """On which days: alone, too, for showing them while somebody is still typing."""
    often = _word(Often, wish.often, "often", errors, _) or Often.MONTHLY
    moved = _word(Moved, wish.moved, "moved", errors, _) or Moved.NOT
    if often is Often.ONCE:
        return Rhythm("", _day(wish.due_on, "due_on", errors, _) or date.min, None, moved)
    on = _word(DayOf, wish.on, "on", errors, _) or DayOf.DAY
    if often in MONTHS:
        moved = {DayOf.LAST_WORKING: Moved.PREVIOUS, DayOf.FIRST_WORKING: Moved.NEXT}.get(on, moved)
    first = _day(wish.first_on, "first_on", errors, _)
    until = _day(wish.until, "until", errors, _) if wish.until.strip() else None
    if first and until and until < first:
        errors["until"] = _("The last day comes before the first one.")
    wanted = _recurrence(wish, often, on, errors, _)
    return Rhythm(rule_of(wanted) if wanted else "", first or date.min, until, moved)


def _recurrence(wish: Wish, often: Often, on: DayOf, errors: dict[str, str], _: Speaker) -> Recurrence | None:
    weekday, nth, month = (_numbered(text) for text in (wish.weekday, wish.nth, wish.month))
    by_weekday = often is Often.WEEKLY or on is DayOf.WEEKDAY
    if by_weekday and (weekday not in range(7) or nth not in (1, 2, 3, 4, LAST)):
        errors["weekday"] = _("Choose one of these.")
    if often not in (Often.WEEKLY, Often.MONTHLY) and month not in range(1, 13):
        errors["month"] = _("Choose one of these.")
    day: int | None = 1
    if often is not Often.WEEKLY and on is DayOf.DAY:
        day = _number(wish.day, "day", errors, _, most=31)
    if errors.keys() & {"weekday", "month", "day", "on"}:
        return None
    which = {DayOf.LAST: On.LAST, DayOf.LAST_WORKING: On.LAST, DayOf.WEEKDAY: On.WEEKDAY}.get(on, On.DAY)
    month = month if month is not None and 1 <= month <= 12 else 1  # every month, and every week, have no use for it
    return Recurrence(often, which, day or 1, nth or 1, weekday or 0, month)


def day_of(wanted: Recurrence, moved: Moved) -> DayOf:
    """The choice of the form that a recurrence was made by."""
    if wanted.on is On.WEEKDAY:
        return DayOf.WEEKDAY
    if wanted.on is On.LAST:
        return DayOf.LAST_WORKING if moved is Moved.PREVIOUS else DayOf.LAST
    return DayOf.FIRST_WORKING if wanted.day == 1 and moved is Moved.NEXT else DayOf.DAY


def _chosen_form(session: Session, wish: Wish) -> FormRow | None:
    """Who owes it, each project or each organisation, follows from the form: nobody is asked what is known."""
    form_id = _chosen(wish.form_id)
    return session.get(FormRow, form_id) if form_id is not None else None


def _version(session: Session, form: FormRow, wish: Wish, errors: dict[str, str], _: Speaker) -> int | None:
    if not wish.form_version.strip():
        return None
    number = _number(wish.form_version, "form_version", errors, _, most=9999)
    found = version_numbered(session, form.id, number) if number is not None else None
    if number is not None and found is None:
        errors["form_version"] = _("“{title}” has no version {number}.", title=form.title, number=number)
    return found.id if found is not None else None


def _chosen(text: str) -> int | None:
    """The id that an option of a list stands for; 0, which nothing has, for what is none."""
    number = _numbered(text)
    return None if not text.strip() else number if number is not None and number > 0 else 0


def _word(words: type[Word], text: str, name: str, errors: dict[str, str], _: Speaker) -> Word | None:
    try:
        return words(text)
    except ValueError:
        errors[name] = _("Choose one of these.")
        return None


def _day(text: str, name: str, errors: dict[str, str], _: Speaker) -> date | None:
    """Browsers send ISO dates, whatever they show."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        errors[name] = _("Choose a day.")
        return None


def _numbered(text: str) -> int | None:
    text = text.strip()
    bare = text.removeprefix("-")
    return int(text) if bare.isascii() and bare.isdecimal() and len(bare) < 10 else None


def _number(text: str, name: str, errors: dict[str, str], _: Speaker, *, least: int = 1, most: int) -> int | None:
    number = _numbered(text)
    if number is not None and least <= number <= most:
        return number
    errors[name] = _("Write a number from {least} to {most}.", least=least, most=most)
    return None
