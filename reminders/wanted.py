"""What staff say about a deadline, and whether it makes sense. Refuses what does not, in a sentence; keeps nothing."""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import NotRequired, TypedDict
from zoneinfo import available_timezones

from sqlmodel import Session

from facts.calendar import local_date
from facts.languages import N_
from facts.phases import find_phase
from facts.recurrence import Unsayable, due_days, recurrence_of, rule_of
from storage.forms import hold_form
from storage.scopes import Line, unknown_targets
from storage.tables import DoneWhen, FormVersion, Ladder, Moved, Role, Staff, Subject, TargetKind

OLDEST_START = timedelta(days=366)
LONGEST_WINDOW_DAYS = 366
LONGEST_GRACE_DAYS = 90
LONGEST_TITLE = 200
LONGEST_CODE = 80
MOST_TARGETS = 2_000
A_TURN = timedelta(days=400)  # whatever comes again comes within it

NO_FORM = N_("This form does not exist any more. Choose another one.")
RETIRED = N_("“{title}” is retired. Bring it back into use first, or choose another form.")
NO_VERSION = N_("“{title}” has no such version. Choose another one.")
FOR_PROJECTS = N_("“{title}” is filled in for a project: each project owes it, not each organisation.")
FOR_ORGANIZATIONS = N_("“{title}” is filled in for an organisation: each organisation owes it, not each project.")
_ONLY_FOR = {Subject.PROJECT: FOR_PROJECTS, Subject.ORGANIZATION: FOR_ORGANIZATIONS}

MAY_FOLLOW = (Role.ADMIN, Role.OFFICER)


class DeadlineRefused(Exception):
    """What staff asked for makes no sense. `sentence` is a message id, `values` fill it."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence.format(**values))
        self.sentence = sentence
        self.values = values


class Wanted(TypedDict):
    """What staff say about a deadline (see `storage.tables.Deadline`). One date (`rule` "") ignores `until`."""

    title: str
    form_id: int
    form_version_id: NotRequired[int | None]
    subject: Subject
    rule: str
    first_on: date
    until: date | None
    zone: str
    moved: NotRequired[Moved]
    grace_days: NotRequired[int]
    opens_days_before: int
    done_when: NotRequired[DoneWhen]
    follows: NotRequired[bool]
    ladder_id: NotRequired[int]
    officer_id: NotRequired[int | None]


def checked(session: Session, wanted: Wanted, targets: Collection[Line], *, oldest: date) -> Wanted:
    """The same with its title tidied and its rule as we write it. Raises DeadlineRefused.

    `oldest`: no first day before. The form is held until the transaction ends.
    """
    wanted = {**wanted, "title": " ".join(wanted["title"].split())}
    _check_words(wanted)
    wanted["rule"] = _checked_rule(wanted, oldest)
    _check_form(session, wanted)
    _check_people(session, wanted)
    _check_targets(session, targets)
    return wanted


def oldest_start(zone: str, now: datetime) -> date:
    """A new deadline begins a year ago at most. What is no zone is refused by `checked`."""
    return local_date(now, zone if zone in available_timezones() else "UTC") - OLDEST_START


def _check_words(wanted: Wanted) -> None:
    if not wanted["title"]:
        raise DeadlineRefused(N_("Give the deadline a title."))
    if len(wanted["title"]) > LONGEST_TITLE:
        raise DeadlineRefused(N_("The title is too long: keep it within {n} characters."), n=LONGEST_TITLE)
    if wanted["zone"] not in available_timezones():
        raise DeadlineRefused(N_("{zone} is not a time zone. Write one like Europe/Rome."), zone=wanted["zone"])
    if not 0 <= wanted["opens_days_before"] <= LONGEST_WINDOW_DAYS:
        raise DeadlineRefused(
            N_("The window may open between 0 and {n} days before the due day."), n=LONGEST_WINDOW_DAYS
        )
    if not 0 <= wanted.get("grace_days", 0) <= LONGEST_GRACE_DAYS:
        raise DeadlineRefused(N_("The days of grace are between 0 and {n}."), n=LONGEST_GRACE_DAYS)


def _checked_rule(wanted: Wanted, oldest: date) -> str:
    first_on, until = wanted["first_on"], wanted["until"]
    if first_on < oldest:
        raise DeadlineRefused(N_("The first day is more than a year ago. Choose a more recent one."))
    if first_on.year > oldest.year + 51:
        raise DeadlineRefused(N_("The first day is more than 50 years away. Check the year."))
    try:
        rule = rule_of(recurrence_of(wanted["rule"], first_on))
    except Unsayable as error:
        raise DeadlineRefused(N_("This is not a rule by which days come again.")) from error
    if rule and not due_days(rule, first_on, until or first_on + A_TURN):
        raise DeadlineRefused(N_("No day falls between the first and the last. Check the dates."))
    return rule


def _check_form(session: Session, wanted: Wanted) -> None:
    """Held until the deadline is there: nobody retires the form meanwhile."""
    form = hold_form(session, wanted["form_id"])
    if form is None:
        raise DeadlineRefused(NO_FORM)
    if form.retired_at is not None:
        raise DeadlineRefused(RETIRED, title=form.title)
    if form.about != wanted["subject"]:
        raise DeadlineRefused(_ONLY_FOR[Subject(form.about)], title=form.title)
    if not is_of(session, form.id, wanted.get("form_version_id")):
        raise DeadlineRefused(NO_VERSION, title=form.title)


def is_of(session: Session, form_id: int, version_id: int | None) -> bool:
    """Whether it is a version of this form; None, the newest, always is."""
    version = session.get(FormVersion, version_id) if version_id is not None else None
    return version_id is None or (version is not None and version.form_id == form_id)


def _check_people(session: Session, wanted: Wanted) -> None:
    if (ladder_id := wanted.get("ladder_id")) is not None:
        ladder = session.get(Ladder, ladder_id)
        if ladder is None or ladder.retired_at is not None:
            raise DeadlineRefused(N_("This ladder of reminders is not in use any more. Choose another one."))
    if (officer_id := wanted.get("officer_id")) is not None:
        officer = session.get(Staff, officer_id)
        if officer is None or not officer.active or officer.role not in MAY_FOLLOW:
            raise DeadlineRefused(N_("Whoever you chose cannot follow a deadline. Choose an officer."))


def _check_targets(session: Session, targets: Collection[Line]) -> None:
    if len(targets) > MOST_TARGETS:
        raise DeadlineRefused(N_("The scope has too many lines: {n} at most."), n=MOST_TARGETS)
    if len({line[:3] for line in targets}) < len(set(targets)):
        raise DeadlineRefused(N_("Something is named twice: as part of the scope, and as left out of it."))
    if unknown_targets(session, targets):
        raise DeadlineRefused(N_("A programme, organisation or project you chose does not exist any more."))
    for line in targets:
        if line.kind is TargetKind.MEASURE and not 2 <= len(line.code) <= LONGEST_CODE:
            raise DeadlineRefused(N_("Write the beginning of a measure's code, for example M5C2."))
        if line.kind is TargetKind.PHASE and _phase_code(line.code) != line.code:
            raise DeadlineRefused(N_("{code} is no phase that we know."), code=line.code)


def _phase_code(text: str) -> str | None:
    found = find_phase(text)
    return None if found is None else found.code
