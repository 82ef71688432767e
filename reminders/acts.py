"""What staff do to obligations, one or many: give another day, let off, close a period; and take it back that same day.

Refuses what makes no sense, with a sentence. Whoever changed meanwhile what was chosen stays as they are. Steps that
were decided stay decided: no rung is told twice; where none is left before a new day, they hear once more before it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from facts.calendar import OFFICE_ZONE, WORKING_HOURS, add_working_days, local_date, local_instant
from facts.languages import N_
from reminders.deadlines import checked_reason
from reminders.planning import late_from
from reminders.replanning import Due, move_steps
from reminders.wanted import DeadlineRefused
from storage import acts, audit, bulk
from storage.closures import calendar
from storage.obligations import lock_deadline
from storage.snoozes import snooze
from storage.tables import Again, BulkAct, Deadline, Obligation, ObligationState, Waiver

FURTHEST = timedelta(days=366)


class Act(StrEnum):
    """`undo` is possible for each, until the end of the day."""

    POSTPONE = "postpone"
    WAIVE = "waive"
    CLOSE = "close-period"


IN_THE_LOG = {
    Act.POSTPONE: "obligation.postpone",
    Act.WAIVE: "obligation.waive",
    Act.CLOSE: "obligation.close-period",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """An obligation, and its version on the page that was read."""

    id: int
    version: int


@dataclass(frozen=True, slots=True)
class Who:
    staff_id: int
    now: datetime
    reason: str


def postpone(session: Session, deadline_id: int, many: Collection[Seen], to: date, who: Who) -> BulkAct:
    """Those of these that are open and due before get this day. Raises DeadlineRefused."""
    who = _reasoned(who)
    deadline = _the_deadline(session, deadline_id)
    today = local_date(who.now, deadline.zone)
    if not today <= to <= today + FURTHEST:
        raise DeadlineRefused(N_("Choose a day from today to a year from now."))
    theirs, moved_on = _as_seen(session, deadline_id, many)
    wanted = [one for one in theirs if one.due_on < to]
    before = {one.id: _day_of(one) for one in wanted}
    values = {"due_on": to, "due_at": late_from(deadline, to), "postponed_reason": who.reason}
    acts.postpone(session, before, values)
    move_steps(session, deadline, calendar(session), [Due(one.id, to, one.body_id) for one in wanted])
    _tell_before(session, deadline, before, to, who.now)
    same = [one.id for one in theirs if one.due_on >= to]
    return _keep(session, Act.POSTPONE, deadline_id, who, done=before, stayed=[*moved_on, *same], to=to.isoformat())


def waive(session: Session, deadline_id: int, many: Collection[Seen], who: Who) -> BulkAct:
    """Lets off those of these that are open. Raises DeadlineRefused."""
    who = _reasoned(who)
    _the_deadline(session, deadline_id)
    theirs, moved_on = _as_seen(session, deadline_id, many)
    ids = [one.id for one in theirs]
    acts.waive(session, ids, Waiver.STAFF, who.reason)
    return _keep(
        session, Act.WAIVE, deadline_id, who, done={one.id: _version_of(one) for one in theirs}, stayed=moved_on
    )


def close_period(session: Session, deadline_id: int, period: str, who: Who) -> BulkAct:
    """Nothing more is awaited of this period. Raises DeadlineRefused, also when nothing was."""
    who = _reasoned(who)
    _the_deadline(session, deadline_id)
    count = acts.close_period(session, deadline_id, period, who.reason)
    if not count:
        raise DeadlineRefused(N_("Nothing of this period is awaited any more."))
    return _keep(session, Act.CLOSE, deadline_id, who, done={}, stayed=[], period=period, count=count)


# --- taken back


def undoable(session: Session, deadline: Deadline, now: datetime) -> list[BulkAct]:
    """What was done today and can be taken back, the newest first."""
    midnight = local_instant(local_date(now, OFFICE_ZONE), time(0), OFFICE_ZONE)
    return acts.acts_since(session, deadline.id, list(Act), midnight) if deadline.active else []


def may_undo(act: BulkAct, now: datetime) -> bool:
    """Until the day on which it was done is over."""
    changed = bool(act.before["done"] or act.before.get("count"))
    same_day = local_date(act.created_at, OFFICE_ZONE) == local_date(now, OFFICE_ZONE)
    return act.undone_at is None and changed and same_day


def undo(session: Session, act: BulkAct, staff_id: int, now: datetime) -> int:
    """Puts back what has not changed since; how many obligations. Raises DeadlineRefused when it is too late."""
    deadline = lock_deadline(session, act.before["deadline"])
    if deadline is None or not deadline.active or not may_undo(act, now):
        raise DeadlineRefused(N_("This can no longer be undone."))
    if not bulk.mark_undone(session, act.id, now):
        raise DeadlineRefused(N_("This can no longer be undone."))
    if act.action == Act.POSTPONE:
        back = _put_back(session, deadline, act.before["done"])
    else:
        back = _owe_again(session, deadline.id, act, now)
    audit.record(session, now, ("staff", staff_id), "obligation.undo", ("deadline", deadline.id), act=act.id, back=back)
    return back


def _put_back(session: Session, deadline: Deadline, kept: Mapping[str, Mapping[str, Any]]) -> int:
    still = _unchanged(session, deadline.id, kept, ObligationState.OPEN)
    by_day: dict[tuple[str, ...], list[Obligation]] = defaultdict(list)
    for one in still:
        was = kept[str(one.id)]
        by_day[(was["due_on"], was["due_at"], was["from"] or "", was["why"] or "")].append(one)
    for (due_on, due_at, postponed_from, why), some in by_day.items():
        values = {
            "due_on": date.fromisoformat(due_on),
            "due_at": datetime.fromisoformat(due_at),
            "postponed_from": date.fromisoformat(postponed_from) if postponed_from else None,
            "postponed_reason": why or None,
        }
        acts.put_back(session, [one.id for one in some], values)
        due = [Due(one.id, date.fromisoformat(due_on), one.body_id) for one in some]
        move_steps(session, deadline, calendar(session), due)
    return len(still)


def _owe_again(session: Session, deadline_id: int, act: BulkAct, now: datetime) -> int:
    if act.action == Act.CLOSE:
        ids = list(acts.closed_in(session, deadline_id, act.before["period"]))
    else:
        ids = [one.id for one in _unchanged(session, deadline_id, act.before["done"], ObligationState.WAIVED)]
    untold = acts.withheld_as_waived(session, ids)
    acts.owe_again(session, ids)
    for referent_id, about in untold.items():
        snooze(session, referent_id, about, Again.RESUMED, now, now)
    return len(ids)


def _unchanged(
    session: Session, deadline_id: int, kept: Mapping[str, Mapping[str, Any]], state: ObligationState
) -> list[Obligation]:
    """Those that are as the act left them."""
    theirs = acts.held(session, deadline_id, [int(number) for number in kept])
    return [one for one in theirs if one.state is state and one.version == kept[str(one.id)]["version"] + 1]


# --- what the acts share


def _as_seen(session: Session, deadline_id: int, many: Collection[Seen]) -> tuple[list[Obligation], list[int]]:
    """Those that are open and as they were seen; and the numbers of the others."""
    seen = {one.id: one.version for one in many}
    theirs = acts.held(session, deadline_id, seen)
    as_seen = [one for one in theirs if one.state is ObligationState.OPEN and one.version == seen[one.id]]
    if not as_seen:
        raise DeadlineRefused(N_("None of what you chose is awaited any more, or somebody else has just changed it."))
    found = {one.id for one in as_seen}
    return as_seen, [one.id for one in theirs if one.id not in found]


def _tell_before(session: Session, deadline: Deadline, ids: Iterable[int], to: date, now: datetime) -> None:
    """Whose steps before the new day are all decided hears once more, the working day before it."""
    silent = acts.silent_until(session, list(ids), local_instant(to + timedelta(days=1), time(0), deadline.zone))
    eve = local_instant(add_working_days(to, -1, calendar(session).office), WORKING_HOURS[0], OFFICE_ZONE)
    for referent_id, about in acts.whom_they_concern(session, silent).items():
        snooze(session, referent_id, about, Again.RESUMED, max(eve, now), now)


def _keep(
    session: Session,
    what: Act,
    deadline_id: int,
    who: Who,
    *,
    done: Mapping[int, Mapping[str, Any]],
    stayed: Sequence[int],
    **more: Any,
) -> BulkAct:
    before = {"deadline": deadline_id, "done": {str(one): kept for one, kept in done.items()}, "stayed": list(stayed)}
    act = BulkAct(staff_id=who.staff_id, action=what, before=before | more, created_at=who.now)
    bulk.keep(session, act)
    about = ("obligation", next(iter(done))) if len(done) == 1 else ("deadline", deadline_id)
    count = more.get("count", len(done))
    audit.record(session, who.now, ("staff", who.staff_id), IN_THE_LOG[what], about, act=act.id, obligations=count)
    return act


def _version_of(one: Obligation) -> dict[str, Any]:
    return {"version": one.version}


def _day_of(one: Obligation) -> dict[str, Any]:
    return {
        "version": one.version,
        "due_on": one.due_on.isoformat(),
        "due_at": one.due_at.isoformat(),
        "from": one.postponed_from.isoformat() if one.postponed_from else None,
        "why": one.postponed_reason,
    }


def _the_deadline(session: Session, deadline_id: int) -> Deadline:
    deadline = lock_deadline(session, deadline_id)
    if deadline is None or not deadline.active:
        raise DeadlineRefused(N_("This deadline is stopped: it asks nothing more of anybody."))
    return deadline


def _reasoned(who: Who) -> Who:
    return Who(who.staff_id, who.now, checked_reason(who.reason))
