"""Every decision taken about the steps of the ladder, and what was told by which. Decides nothing, never commits.

Which steps are due is in `storage/due.py`. A step about which everything is decided is settled, and is never looked at
again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, exists, false, func, insert, not_, or_, select, true, update
from sqlmodel import Session, col

from facts.languages import Language
from storage.copies import COPY, is_copy, what_became
from storage.due import BATCH, decided_for, is_due
from storage.obligations import concerns
from storage.substitutes import in_own_name
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
    Rung,
    Step,
)


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
        .where(these, is_due(now), not_(_somebody_left()))
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
                is_due(now),
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
        col(Following.project_id) == col(Obligation.project_id), not_(decided_for(col(Following.referent_id)))
    )
    member = exists().where(
        col(Membership.organization_id) == col(Obligation.organization_id),
        not_(decided_for(col(Membership.referent_id))),
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


def reminders_written(session: Session, referent_id: int, key_prefix: str) -> int:
    """How many messages to this person have a dedupe key that begins so."""
    # Theirs only: the keys of everybody are as many as there were reminders, and no database looks them up by a prefix.
    theirs = (col(Outbox.referent_id) == referent_id, col(Outbox.dedupe_key).startswith(key_prefix, autoescape=True))
    return int(session.execute(select(func.count()).select_from(Outbox).where(*theirs)).scalar_one())


def reminders_since(session: Session, referent_ids: Collection[int], instant: datetime) -> Mapping[int, int]:
    """How many reminders in their own name each of these people was written from this instant on, copies included."""
    rows = session.execute(
        select(col(Outbox.referent_id), func.count())
        .where(
            col(Outbox.referent_id).in_(referent_ids),
            col(Outbox.kind) == OutboxKind.REMINDER,
            col(Outbox.created_at) >= instant,
            in_own_name(),
        )
        .group_by(col(Outbox.referent_id))
    )
    return {row[0]: row[1] for row in rows}


def decisions_to_send(session: Session, dedupe_key: str) -> Mapping[int, int]:
    """obligation id → id of the decision to tell of it by the message with this key (not withheld since)."""
    rows = session.execute(
        select(col(Step.obligation_id), col(Decision.id))
        .join(Decision, col(Decision.step_id) == col(Step.id))
        .join(Outbox, col(Outbox.id) == col(Decision.outbox_id))
        .where(col(Outbox.dedupe_key) == dedupe_key, col(Decision.outcome) == Outcome.SENT)
    )
    return {row[0]: row[1] for row in rows}


def own_words(session: Session, decision_ids: Collection[int], language: Language) -> Mapping[int, str]:
    """obligation id → what its ladder says of it at this step, where it says something of its own."""
    said = col(Rung.text_en) if language is Language.EN else col(Rung.text_it)
    rows = session.execute(
        select(col(Step.obligation_id), said)
        .join(Decision, col(Decision.step_id) == col(Step.id))
        .join(Rung, col(Rung.id) == col(Step.rung_id))
        .where(col(Decision.id).in_(decision_ids), said != "")
    )
    return {row[0]: row[1] for row in rows}


def still_theirs(session: Session, obligation_ids: Sequence[int], referent_id: int) -> set[int]:
    """Those of these obligations that concern this person now."""
    these = select(col(Obligation.id)).where(col(Obligation.id).in_(obligation_ids), concerns(referent_id))
    return set(session.execute(these).scalars())


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
