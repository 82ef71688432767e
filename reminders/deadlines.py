"""Makes deadlines and keeps their obligations and steps ahead of time. Refuses what makes no sense, with a sentence.

Writes no reminder: that is `reminders/sweep.py`. A deadline is rows, never a scheduled job.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import NotRequired, TypedDict, Unpack
from zoneinfo import available_timezones

from sqlmodel import Session

from facts.calendar import local_date, local_instant
from facts.languages import N_
from facts.recurrence import ONCE, due_days, names_months
from storage import audit
from storage.forms import hold_form
from storage.ladders import rungs_in_use
from storage.obligations import (
    Period,
    active_deadline_ids,
    add_targets,
    ask_version,
    deactivate,
    lock_deadline,
    make_obligations,
    unknown_targets,
    waive_all,
    waive_obligation,
)
from storage.tables import Deadline, FormVersion, Rung, Subject, TargetKind

REMIND_AT = time(8, 30)
AHEAD = timedelta(days=400)
OLDEST_START = timedelta(days=366)
LONGEST_WINDOW_DAYS = 366
LONGEST_TITLE = 200
LONGEST_REASON = 500

NO_FORM = N_("This form does not exist any more. Choose another one.")
RETIRED = N_("“{title}” is retired. Bring it back into use first, or choose another form.")
NO_VERSION = N_("“{title}” has no such version. Choose another one.")
FOR_PROJECTS = N_("“{title}” is filled in for a project: each project owes it, not each organisation.")
FOR_ORGANIZATIONS = N_("“{title}” is filled in for an organisation: each organisation owes it, not each project.")
_ONLY_FOR = {Subject.PROJECT: FOR_PROJECTS, Subject.ORGANIZATION: FOR_ORGANIZATIONS}

Targets = Collection[tuple[TargetKind, int]]


class DeadlineRefused(Exception):
    """What staff asked for makes no sense. `sentence` is a message id, `values` fill it."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence.format(**values))
        self.sentence = sentence
        self.values = values


class Wanted(TypedDict):
    """What staff say about a new deadline (see `storage.tables.Deadline`). One date (`rule` "") ignores `until`."""

    title: str
    form_id: int
    form_version_id: NotRequired[int | None]
    subject: Subject
    rule: str
    first_on: date
    until: date | None
    zone: str
    opens_days_before: int


def create_deadline(
    session: Session, *, targets: Targets, created_by: int | None, now: datetime, **wanted: Unpack[Wanted]
) -> Deadline:
    """A new deadline with its obligations and steps for the next 400 days, those already past included.

    Raises DeadlineRefused. What is past acts at the next sweep: nobody enters a date in order to be ignored.
    """
    wanted["title"] = " ".join(wanted["title"].split())
    _check_words(wanted)
    _check_days(wanted, now)
    _check_form(session, wanted)
    if unknown_targets(session, targets):
        raise DeadlineRefused(N_("A programme, organisation or project you chose does not exist any more."))
    deadline = Deadline(**wanted, created_by=created_by, created_at=now)
    if deadline.rule == ONCE:
        deadline.until = None
    session.add(deadline)
    session.flush()
    add_targets(session, deadline.id, targets)
    rungs = rungs_in_use(session, deadline.ladder_id)
    make_obligations(session, deadline, periods(deadline, rungs, since=deadline.first_on, now=now))
    audit.record(session, now, _actor(created_by), "deadline.create", ("deadline", deadline.id))
    return deadline


def keep_obligations(session: Session, now: datetime) -> int:
    """Makes what is missing for the next 400 days, for every active deadline; how many obligations were made.

    Safe at any time and any number of times. A project that joins a scope owes from the next due day on: it
    gets no backlog.
    """
    made = 0
    for deadline_id in active_deadline_ids(session):
        deadline = lock_deadline(session, deadline_id)
        if deadline is not None and deadline.active:
            since = local_date(now, deadline.zone)
            rungs = rungs_in_use(session, deadline.ladder_id)
            made += make_obligations(session, deadline, periods(deadline, rungs, since=since, now=now))
    return made


def stop_deadline(session: Session, deadline_id: int, reason: str, staff_id: int | None, now: datetime) -> bool:
    """Ends a deadline: it makes nothing more, and what is still open is waived with `reason`. False when ended before.

    Raises DeadlineRefused without a reason.
    """
    reason = _checked_reason(reason)
    lock_deadline(session, deadline_id)  # or an obligation made at this moment by another process stays open
    if not deactivate(session, deadline_id):
        return False
    waived = waive_all(session, deadline_id, reason)
    audit.record(session, now, _actor(staff_id), "deadline.stop", ("deadline", deadline_id), waived=waived)
    return True


def choose_version(
    session: Session, deadline: Deadline, version_id: int | None, *, revision: int, by: int | None, now: datetime
) -> bool:
    """Which version of its form an active deadline asks from now on: always this one, or None for the newest.

    What was begun is finished on its own version. False when it was changed or stopped since `revision`. Raises
    DeadlineRefused for a version of another form.
    """
    form = hold_form(session, deadline.form_id)
    if form is None or not _is_of(session, form.id, version_id):
        raise DeadlineRefused(NO_VERSION, title="" if form is None else form.title)
    if not ask_version(session, deadline.id, version_id, revision):
        return False
    audit.record(session, now, _actor(by), "deadline.version", ("deadline", deadline.id), form_version=version_id)
    return True


def waive(session: Session, obligation_id: int, reason: str, staff_id: int | None, now: datetime) -> bool:
    """Lets somebody off one obligation. False when it was no longer open. Raises DeadlineRefused without a reason."""
    if not waive_obligation(session, obligation_id, _checked_reason(reason)):
        return False
    audit.record(session, now, _actor(staff_id), "obligation.waive", ("obligation", obligation_id))
    return True


def periods(deadline: Deadline, rungs: Sequence[Rung], *, since: date, now: datetime) -> list[Period]:
    """The periods of a deadline due from `since` until 400 days after `now`. Pure."""
    horizon = local_date(now, deadline.zone) + AHEAD
    last = horizon if deadline.until is None else min(deadline.until, horizon)
    days = due_days(deadline.rule, deadline.first_on, last)
    return [_period(deadline, rungs, day) for day in days if day >= since]


def _period(deadline: Deadline, rungs: Sequence[Rung], due_on: date) -> Period:
    # A rung before the window opens would ask for an update that cannot be given yet.
    heard = [rung for rung in rungs if rung.offset_days >= -deadline.opens_days_before]
    return Period(
        name=due_on.strftime("%Y-%m" if names_months(deadline.rule) else "%Y-%m-%d"),
        opens_on=due_on - timedelta(days=deadline.opens_days_before),
        nominal_on=due_on,
        due_on=due_on,
        due_at=local_instant(due_on + timedelta(days=1), time(0), deadline.zone),
        steps=tuple(
            (rung.id, local_instant(due_on + timedelta(days=rung.offset_days), REMIND_AT, deadline.zone))
            for rung in heard
        ),
    )


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


def _check_days(wanted: Wanted, now: datetime) -> None:
    first_on, until = wanted["first_on"], wanted["until"]
    if first_on < local_date(now, wanted["zone"]) - OLDEST_START:
        raise DeadlineRefused(N_("The first day is more than a year ago. Choose a more recent one."))
    if first_on.year > now.year + 50:
        raise DeadlineRefused(N_("The first day is more than 50 years away. Check the year."))
    try:
        days = due_days(wanted["rule"], first_on, until or first_on + AHEAD)
    except ValueError as error:
        raise DeadlineRefused(N_("This is not a rule by which days come again.")) from error
    if wanted["rule"] and not days:
        raise DeadlineRefused(N_("No day falls between the first and the last. Check the dates."))


def _check_form(session: Session, wanted: Wanted) -> None:
    """Held until the deadline is there: nobody retires the form meanwhile."""
    form = hold_form(session, wanted["form_id"])
    if form is None:
        raise DeadlineRefused(NO_FORM)
    if form.retired_at is not None:
        raise DeadlineRefused(RETIRED, title=form.title)
    if form.about != wanted["subject"]:
        raise DeadlineRefused(_ONLY_FOR[Subject(form.about)], title=form.title)
    if not _is_of(session, form.id, wanted.get("form_version_id")):
        raise DeadlineRefused(NO_VERSION, title=form.title)


def _is_of(session: Session, form_id: int, version_id: int | None) -> bool:
    version = session.get(FormVersion, version_id) if version_id is not None else None
    return version_id is None or (version is not None and version.form_id == form_id)


def _checked_reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason:
        raise DeadlineRefused(N_("Say why: the reason is kept with the obligation."))
    if len(reason) > LONGEST_REASON:
        raise DeadlineRefused(N_("The reason is too long: keep it within {n} characters."), n=LONGEST_REASON)
    return reason


def _actor(staff_id: int | None) -> tuple[str, int | None]:
    return ("system" if staff_id is None else "staff", staff_id)
