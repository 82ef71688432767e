"""Makes deadlines and keeps their obligations and steps ahead of time. Refuses what makes no sense, with a sentence.

Writes no reminder: that is `reminders/sweep.py`. A deadline is rows, never a scheduled job.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Unpack

from sqlmodel import Session

from facts.calendar import local_date
from facts.languages import N_
from facts.recurrence import ONCE
from reminders.planning import periods
from reminders.wanted import NO_VERSION, DeadlineRefused, Wanted, checked, is_of, oldest_start
from storage import audit
from storage.closures import calendar
from storage.forms import hold_form
from storage.ladders import rungs_in_use
from storage.making import keep_bodies, make_obligations
from storage.obligations import (
    active_deadline_ids,
    ask_version,
    deactivate,
    lock_deadline,
    waive_all,
    waive_obligation,
)
from storage.scopes import Line, add_targets, leave_scope, return_to_scope
from storage.tables import Deadline

LONGEST_REASON = 500


def create_deadline(
    session: Session, *, targets: Collection[Line], created_by: int | None, now: datetime, **wanted: Unpack[Wanted]
) -> Deadline:
    """A new deadline with its obligations and steps for the next 400 days, those already past included.

    Raises DeadlineRefused. What is past acts at the next sweep: nobody enters a date in order to be ignored.
    """
    wanted = checked(session, wanted, targets, oldest=oldest_start(wanted["zone"], now))
    deadline = Deadline(**wanted, created_by=created_by, created_at=now)
    if deadline.rule == ONCE:
        deadline.until = None
    session.add(deadline)
    session.flush()
    add_targets(session, deadline.id, targets)
    rungs = rungs_in_use(session, deadline.ladder_id)
    make_obligations(session, deadline, periods(deadline, rungs, calendar(session), now=now))
    audit.record(session, now, _actor(created_by), "deadline.create", ("deadline", deadline.id))
    return deadline


def keep_obligations(session: Session, now: datetime) -> int:
    """Makes what is missing for the next 400 days, for every active deadline; how many obligations were made.

    Safe at any time and any number of times. A project that joins a scope owes from the next due day on: it gets no
    backlog. One that leaves owes nothing more, and what it owed is waived, until it comes back. Neither when the
    deadline keeps to the scope it was made with.
    """
    made = 0
    closures = calendar(session)
    keep_bodies(session)
    for deadline_id in active_deadline_ids(session):
        deadline = lock_deadline(session, deadline_id)
        if deadline is None or not deadline.active:
            continue
        today = local_date(now, deadline.zone)
        if deadline.follows:
            leave_scope(session, deadline, today)
            return_to_scope(session, deadline, today)
        rungs = rungs_in_use(session, deadline.ladder_id)
        coming = periods(deadline, rungs, closures, now=now, since=today)
        made += make_obligations(session, deadline, coming, admit=deadline.follows)
    return made


def stop_deadline(session: Session, deadline_id: int, reason: str, staff_id: int | None, now: datetime) -> bool:
    """Ends a deadline: it makes nothing more, and what is still open is waived with `reason`. False when ended before.

    Raises DeadlineRefused without a reason.
    """
    reason = checked_reason(reason)
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
    if form is None or not is_of(session, form.id, version_id):
        raise DeadlineRefused(NO_VERSION, title="" if form is None else form.title)
    if not ask_version(session, deadline.id, version_id, revision):
        return False
    audit.record(session, now, _actor(by), "deadline.version", ("deadline", deadline.id), form_version=version_id)
    return True


def waive(session: Session, obligation_id: int, reason: str, staff_id: int | None, now: datetime) -> bool:
    """Lets somebody off one obligation. False when it was no longer open. Raises DeadlineRefused without a reason."""
    if not waive_obligation(session, obligation_id, checked_reason(reason)):
        return False
    audit.record(session, now, _actor(staff_id), "obligation.waive", ("obligation", obligation_id))
    return True


def checked_reason(reason: str) -> str:
    """Why staff did it, tidied. Raises DeadlineRefused without one."""
    reason = " ".join(reason.replace("\x00", "").split())
    if not reason:
        raise DeadlineRefused(N_("Say why: the reason is kept with the obligation."))
    if len(reason) > LONGEST_REASON:
        raise DeadlineRefused(N_("The reason is too long: keep it within {n} characters."), n=LONGEST_REASON)
    return reason


def _actor(staff_id: int | None) -> tuple[str, int | None]:
    return ("system" if staff_id is None else "staff", staff_id)
