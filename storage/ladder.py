"""The steps of the ladder that are due, who must be told, and every decision taken. Decides nothing, never commits.

A step waits until everybody it concerns has a decision: the followers of the project, or the members of the
organisation. Then it is settled, and is never looked at again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    and_,
    exists,
    false,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlmodel import Session, col

from storage.copies import COPY, is_copy, what_became
from storage.obligations import concerns
from storage.people import reached
from storage.substitutes import in_own_name, substitute_reached
from storage.tables import (
    Deadline,
    Decision,
    Following,
    Membership,
    Obligation,
    ObligationState,
    Outbox,
    OutboxKind,
    OutboxState,
    Outcome,
    Reason,
    Referent,
    Step,
)

# A reminder in one of these states disturbed nobody.
UNHEARD = (OutboxState.WITHHELD, OutboxState.MOVED, OutboxState.DEAD, OutboxState.DROPPED)
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, and the local day it belongs to with its first instant. Who was reminded on that day may wait."""

    now: datetime
    today: date
    day_began: datetime


@dataclass(frozen=True, slots=True)
class DueStep:
    """A due step and one person it concerns, without a decision yet. `since`: from when it is theirs."""

    step_id: int
    due_at: datetime
    obligation_id: int
    due_on: date
    state: ObligationState
    deadline_active: bool
    deadline_created_at: datetime
    referent_id: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """A decision to be written."""

    step_id: int
    referent_id: int | None
    outcome: Outcome
    reason: Reason
    outbox_id: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One line of an obligation's story. `outbox_state` and `sent_at` tell what became of the message."""

    decision: Decision
    step: Step
    referent: Referent | None
    outbox_state: OutboxState | None
    sent_at: datetime | None


# --- what is due, and for whom


def claim_person(session: Session, moment: Moment) -> int | None:
    """One referent with something to decide; on PostgreSQL theirs is held until the transaction ends.

    Another process skips them instead of waiting. Its list may be older than our commit, so whoever
    claims reads the steps again (`steps_of`) and may find none left.
    """
    for pairs in _pairs(_is_due(moment.now)):
        found: int | None = session.execute(
            pairs.with_only_columns(col(Referent.id))
            .where(not_(_is_held(col(Obligation.due_on), col(Referent.id), moment)))
            .limit(1)
            # "no key": a message written for them at the same time refers to this row and must not wait
            .with_for_update(of=Referent, skip_locked=True, key_share=True)
        ).scalar_one_or_none()
        if found is not None:
            return found
    return None


def steps_of(session: Session, referent_id: int, moment: Moment) -> list[DueStep]:
    """Everything that waits for a decision about this person at this moment."""
    return _due_steps(session, _waiting(moment, referent_id))


def all_due_steps(session: Session, now: datetime) -> list[DueStep]:
    """Everything that waits for a decision about anybody, those reminded today included."""
    return _due_steps(session, _undecided(_is_due(now)))


def reminded_since(session: Session, instant: datetime) -> set[int]:
    """Who was written a reminder from this instant on."""
    reminded = select(col(Outbox.referent_id)).where(
        col(Outbox.kind) == OutboxKind.REMINDER,
        col(Outbox.created_at) >= instant,
        in_own_name(),
        col(Outbox.state).not_in(UNHEARD),
    )
    return {referent_id for referent_id in session.execute(reminded).scalars() if referent_id is not None}


def first_heard_step(session: Session, after: datetime) -> datetime | None:
    """The first instant after `after` at which a step of an open obligation reaches somebody reachable."""
    later = _heard(_undecided(not_(col(Step.settled)) & (col(Step.due_at) > after))).subquery()
    found: datetime | None = session.execute(select(func.min(later.c.due_at))).scalar_one()
    return found


def somebody_waits(session: Session, moment: Moment, *, held: bool) -> bool:
    """Whether somebody reachable is to be told something open at this moment; `held`: not before tomorrow."""
    waiting = _heard(_undecided(_is_due(moment.now))).subquery()
    is_held = _is_held(waiting.c.due_on, waiting.c.referent_id, moment)
    return bool(session.execute(select(exists().where(is_held == literal(held)))).scalar_one())


def _is_due(now: datetime) -> ColumnElement[bool]:
    return not_(col(Step.settled)) & (col(Step.due_at) <= now)


def _waiting(moment: Moment, referent_id: int | None = None) -> Select[Any]:
    """Due steps without a decision, less those that wait for tomorrow."""
    undecided = _undecided(_is_due(moment.now), referent_id).subquery()
    return select(undecided).where(not_(_is_held(undecided.c.due_on, undecided.c.referent_id, moment)))


def _is_held(due_on: Any, referent_id: Any, moment: Moment) -> ColumnElement[bool]:
    """One reminder a day is enough, but not for what is due today or late."""
    reminded = exists().where(
        col(Outbox.referent_id) == referent_id,
        col(Outbox.kind) == OutboxKind.REMINDER,
        col(Outbox.created_at) >= moment.day_began,
        in_own_name(),
        col(Outbox.state).not_in(UNHEARD),
    )
    return and_(due_on > moment.today, reminded)


def _undecided(which: ColumnElement[bool], referent_id: int | None = None) -> Select[Any]:
    """(step, person) pairs without a decision, in the order of `DueStep`; of one person, or of everybody."""
    pairs = _pairs(which)
    if referent_id is not None:
        pairs = [one.where(col(Referent.id) == referent_id) for one in pairs]
    return select(union_all(*pairs).subquery())


def _pairs(which: ColumnElement[bool]) -> list[Select[Any]]:
    """The same by followers of projects, and by members of organisations."""
    about: tuple[Any, ...] = (
        col(Step.id).label("step_id"),
        col(Step.due_at).label("due_at"),
        col(Obligation.id).label("obligation_id"),
        col(Obligation.due_on).label("due_on"),
        col(Obligation.state).label("state"),
        col(Deadline.active).label("deadline_active"),
        col(Deadline.created_at).label("deadline_created_at"),
        col(Referent.id).label("referent_id"),
    )
    steps = (
        select(*about)
        .select_from(Step)
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(which, not_(_decided(col(Referent.id))))
    )
    follower: Any = col(Following.since).label("since")
    member: Any = col(Referent.created_at).label("since")
    return [
        steps.add_columns(follower)
        .join(Following, col(Following.project_id) == col(Obligation.project_id))
        .join(Referent, col(Referent.id) == col(Following.referent_id)),
        steps.add_columns(member)
        .join(Membership, col(Membership.organization_id) == col(Obligation.organization_id))
        .join(Referent, col(Referent.id) == col(Membership.referent_id)),
    ]


def _decided(referent_id: Any) -> ColumnElement[bool]:
    decided = exists().where(col(Decision.step_id) == col(Step.id), col(Decision.referent_id) == referent_id)
    # Left to itself it joins the step anew when nested two deep, and one decision would stand for all.
    return decided.correlate_except(Decision)


def _heard(undecided: Select[Any]) -> Select[Any]:
    """Those about something open, for somebody we can reach, or whose substitute we can."""
    pairs = undecided.subquery()
    heard = or_(reached(pairs.c.referent_id), substitute_reached(pairs.c.referent_id))
    return select(pairs).where(pairs.c.state == ObligationState.OPEN, heard)


def _due_steps(session: Session, query: Select[Any]) -> list[DueStep]:
    return [DueStep(*row) for row in session.execute(query)]


# --- deciding and settling


def record_decisions(session: Session, made: Sequence[Made], now: datetime) -> None:
    """Writes all of them in one statement."""
    if made:
        rows = [
            {
                "step_id": one.step_id,
                "referent_id": one.referent_id,
                "outcome": one.outcome,
                "reason": one.reason,
                "outbox_id": one.outbox_id,
                "decided_at": now,
            }
            for one in made
        ]
        session.execute(insert(Decision), rows)


def claim_finished_steps(
    session: Session, now: datetime, *, among: Sequence[int] | None = None
) -> list[tuple[int, ObligationState, bool, bool]]:
    """Due steps with nobody left to decide about: (step, its obligation's state, deadline active, any decision).

    At most 5,000 at a time, `among` some steps or all; on PostgreSQL they are held until the transaction
    ends, and those that another process holds are skipped.
    """
    these = true() if among is None else col(Step.id).in_(among)
    rows = session.execute(
        select(col(Step.id), col(Obligation.state), col(Deadline.active), _any_decision())
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(these, _is_due(now), not_(_somebody_left()))
        .order_by(col(Step.id))
        .limit(BATCH)
        .with_for_update(of=Step, skip_locked=True, key_share=True)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def steps_with_nobody(session: Session, now: datetime) -> Sequence[int]:
    """Due steps that concern nobody at all and of which nothing was decided. Only a look."""
    query = select(col(Step.id)).join(Obligation, col(Obligation.id) == col(Step.obligation_id))
    return (
        session.execute(
            query.where(
                _is_due(now),
                not_(_somebody_left()),
                not_(_any_decision()),
                col(Obligation.state) == ObligationState.OPEN,
            ).order_by(col(Step.id))
        )
        .scalars()
        .all()
    )


def _any_decision() -> ColumnElement[bool]:
    return exists().where(col(Decision.step_id) == col(Step.id))


def _somebody_left() -> ColumnElement[bool]:
    follower = exists().where(
        col(Following.project_id) == col(Obligation.project_id), not_(_decided(col(Following.referent_id)))
    )
    member = exists().where(
        col(Membership.organization_id) == col(Obligation.organization_id),
        not_(_decided(col(Membership.referent_id))),
    )
    return or_(follower, member)


def settle(session: Session, step_ids: Sequence[int]) -> None:
    session.execute(
        update(Step)
        .where(col(Step.id).in_(step_ids), col(Step.settled) == false())
        .values(settled=True)
        .execution_options(synchronize_session=False)
    )


def withhold(session: Session, decision_ids: Sequence[int], reason: Reason) -> int:
    """Turns decisions to send into decisions not to, with why; how many were still to send."""
    if not decision_ids:
        return 0
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        update(Decision)
        .where(col(Decision.id).in_(decision_ids), col(Decision.outcome) == Outcome.SENT)
        .values(outcome=Outcome.WITHHELD, reason=reason)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount


# --- looking back


def reminders_written(session: Session, key_prefix: str) -> int:
    """How many outbox rows have a dedupe key that begins so."""
    begins_so = col(Outbox.dedupe_key).startswith(key_prefix, autoescape=True)
    return int(session.execute(select(func.count()).select_from(Outbox).where(begins_so)).scalar_one())


def decisions_to_send(session: Session, dedupe_key: str) -> Mapping[int, int]:
    """obligation id → id of the decision to tell of it by the message with this key (not withheld since)."""
    rows = session.execute(
        select(col(Step.obligation_id), col(Decision.id))
        .join(Decision, col(Decision.step_id) == col(Step.id))
        .join(Outbox, col(Outbox.id) == col(Decision.outbox_id))
        .where(col(Outbox.dedupe_key) == dedupe_key, col(Decision.outcome) == Outcome.SENT)
    )
    return {row[0]: row[1] for row in rows}


def still_theirs(session: Session, obligation_ids: Sequence[int], referent_id: int) -> set[int]:
    """Those of these obligations that concern this person now."""
    these = select(col(Obligation.id)).where(col(Obligation.id).in_(obligation_ids), concerns(referent_id))
    return set(session.execute(these).scalars())


def decisions_of(session: Session, obligation_id: int) -> list[Told]:
    """The story of one obligation: every decision, in order, with what became of its message."""
    return [
        Told(*row)
        for row in session.execute(
            _told().where(col(Step.obligation_id) == obligation_id).order_by(col(Step.due_at), col(Decision.id))
        )
    ]


def newest_decisions(session: Session, deadline_id: int, *, period: str | None = None) -> dict[int, Told]:
    """obligation id → the last decision taken about it, for a deadline or one of its periods. One query."""
    newest = (
        select(func.max(col(Decision.id)))
        .join(Step, col(Step.id) == col(Decision.step_id))
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .where(col(Obligation.deadline_id) == deadline_id)
        .group_by(col(Step.obligation_id))
    )
    if period is not None:
        newest = newest.where(col(Obligation.period) == period)
    rows = session.execute(_told().where(col(Decision.id).in_(newest)))
    return {row[1].obligation_id: Told(*row) for row in rows}


def _told() -> Select[Any]:
    return (
        select(Decision, Step, Referent, *what_became())
        .join(Step, col(Step.id) == col(Decision.step_id))
        .outerjoin(Referent, col(Referent.id) == col(Decision.referent_id))
        .outerjoin(Outbox, col(Outbox.id) == col(Decision.outbox_id))
        .outerjoin(COPY, is_copy())
    )
