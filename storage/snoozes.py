"""What people are to be told again, and when; what was told them, and what they missed. Decides nothing, never commits.

Like a step a snooze waits until something is decided about it, and is never looked at again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, exists, func, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col

from storage.copies import COPY, is_copy, what_became
from storage.obligations import concerns
from storage.people import reached
from storage.tables import (
    Again,
    Deadline,
    Decision,
    Obligation,
    ObligationState,
    Outbox,
    OutboxState,
    Outcome,
    Reason,
    Snooze,
    Step,
)

_snooze: Table = SQLModel.metadata.tables["snooze"]
_WAITS = col(Snooze.decided_at).is_(None)
_WAITING: Any = {"index_elements": ["referent_id", "obligation_id"], "index_where": _snooze.c.decided_at.is_(None)}
_INSERT = {
    "sqlite": sqlite.insert(_snooze).on_conflict_do_nothing(**_WAITING),
    "postgresql": postgresql.insert(_snooze).on_conflict_do_nothing(**_WAITING),
}


@dataclass(frozen=True, slots=True)
class DueSnooze:
    """Something that one person is to be told again now. `theirs`: it still concerns them."""

    snooze_id: int
    referent_id: int
    obligation_id: int
    state: ObligationState
    deadline_active: bool
    theirs: bool


@dataclass(frozen=True, slots=True)
class Telling:
    """That one person was told of an obligation, or was not; and what became of the message."""

    obligation_id: int
    outcome: Outcome
    reason: Reason
    outbox_state: OutboxState | None
    decided_at: datetime


# --- waiting to be told again


def snooze(
    session: Session, referent_id: int, obligation_ids: Sequence[int], why: Again, again_at: datetime, now: datetime
) -> None:
    """Once each: what waits already stays as it is."""
    rows = [
        {
            "referent_id": referent_id,
            "obligation_id": obligation_id,
            "why": why,
            "again_at": again_at,
            "created_at": now,
        }
        for obligation_id in obligation_ids
    ]
    if rows:
        connection = session.connection()
        connection.execute(_INSERT[connection.dialect.name], rows)


def comes_again(session: Session, referent_id: int, obligation_ids: Sequence[int]) -> datetime | None:
    """When the first of these is told again; None when none waits."""
    mine = select(func.min(col(Snooze.again_at))).where(_WAITS, col(Snooze.referent_id) == referent_id)
    found: datetime | None = session.execute(mine.where(col(Snooze.obligation_id).in_(obligation_ids))).scalar_one()
    return found


def snoozers(session: Session, now: datetime) -> set[int]:
    """Everybody who is to be told something again now."""
    return set(session.execute(select(col(Snooze.referent_id)).where(_WAITS, col(Snooze.again_at) <= now)).scalars())


def due_snoozes(session: Session, now: datetime, referent_ids: Collection[int] | None = None) -> list[DueSnooze]:
    """What waits for a decision now: of these people, or of everybody."""
    query = (
        select(
            col(Snooze.id),
            col(Snooze.referent_id),
            col(Obligation.id),
            col(Obligation.state),
            col(Deadline.active),
            concerns(col(Snooze.referent_id)),
        )
        .join(Obligation, col(Obligation.id) == col(Snooze.obligation_id))
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(_WAITS, col(Snooze.again_at) <= now)
        .order_by(col(Snooze.id))
    )
    if referent_ids is not None:
        query = query.where(col(Snooze.referent_id).in_(referent_ids))
    return [DueSnooze(*row) for row in session.execute(query)]


def next_snooze(session: Session) -> datetime | None:
    """The first instant at which somebody whom a way is open to is told something again that is still open."""
    found: datetime | None = session.execute(
        select(func.min(col(Snooze.again_at)))
        .join(Obligation, col(Obligation.id) == col(Snooze.obligation_id))
        .where(
            _WAITS,
            reached(col(Snooze.referent_id)),
            col(Obligation.state) == ObligationState.OPEN,
            concerns(col(Snooze.referent_id)),
        )
    ).scalar_one()
    return found


# --- deciding


def decide_snooze(
    session: Session, snooze_id: int, outcome: Outcome, reason: Reason, now: datetime, outbox_id: int | None
) -> None:
    _change(session, [snooze_id], outcome=outcome, reason=reason, decided_at=now, outbox_id=outbox_id)


def withhold_snoozes(session: Session, ids: Sequence[int], reason: Reason) -> None:
    """What was to be told is not, for this reason."""
    _change(session, ids, outcome=Outcome.WITHHELD, reason=reason)


def _change(session: Session, ids: Sequence[int], **values: Any) -> None:
    if ids:
        these = update(Snooze).where(col(Snooze.id).in_(ids)).values(**values)
        session.execute(these.execution_options(synchronize_session=False))


# --- looking back


def snoozes_to_tell(session: Session, dedupe_key: str) -> Mapping[int, int]:
    """obligation id → id of the snooze to tell of it by the message with this key (not withheld since)."""
    rows = session.execute(
        select(col(Snooze.obligation_id), col(Snooze.id))
        .join(Outbox, col(Outbox.id) == col(Snooze.outbox_id))
        .where(col(Outbox.dedupe_key) == dedupe_key, col(Snooze.outcome) == Outcome.SENT)
    )
    return {row[0]: row[1] for row in rows}


def tellings(session: Session, referent_id: int) -> list[Telling]:
    """All that was decided about what this person still owes, in order."""
    about: tuple[Any, ...] = (col(Obligation.id).label("obligation_id"),)
    by_step = (
        select(*about, col(Decision.outcome), col(Decision.reason), col(Decision.outbox_id), col(Decision.decided_at))
        .join(Step, col(Step.id) == col(Decision.step_id))
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .where(col(Decision.referent_id) == referent_id, *_still_owed(referent_id))
    )
    again = (
        select(*about, col(Snooze.outcome), col(Snooze.reason), col(Snooze.outbox_id), col(Snooze.decided_at))
        .join(Obligation, col(Obligation.id) == col(Snooze.obligation_id))
        .where(col(Snooze.referent_id) == referent_id, col(Snooze.decided_at).is_not(None), *_still_owed(referent_id))
    )
    both = union_all(by_step, again).subquery()
    rows = session.execute(
        select(both.c.obligation_id, both.c.outcome, both.c.reason, what_became()[0], both.c.decided_at)
        .outerjoin(Outbox, col(Outbox.id) == both.c.outbox_id)
        .outerjoin(COPY, is_copy())
        .order_by(both.c.decided_at)
    )
    return [Telling(*row) for row in rows]


def _still_owed(referent_id: int) -> tuple[ColumnElement[bool], ...]:
    active = exists().where(col(Deadline.id) == col(Obligation.deadline_id), col(Deadline.active))
    return (col(Obligation.state) == ObligationState.OPEN, active, concerns(referent_id))
