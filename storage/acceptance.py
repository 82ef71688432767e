"""What is owed to be accepted: it came in and waits, is accepted, or is owed again. By compare-and-set, never commits.

Only of deadlines that count an update when staff have accepted it; of others nothing here changes anything. That it
came in is written down by `storage/reports.close_obligation`, like all that closes an obligation.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, case, exists, func, literal, select, update
from sqlmodel import Session, col

from storage.tables import (
    Deadline,
    DoneWhen,
    Obligation,
    ObligationState,
    Step,
    Waiver,
)


def accepted(session: Session, obligation_id: int, now: datetime) -> bool:
    """Done, on the day on which it came in. False when it was done already, or is not needed."""
    awaited = (ObligationState.OPEN, ObligationState.SENT)
    came_in: Any = col(Obligation.done_at)
    done_at = func.coalesce(came_in, literal(now, came_in.type))
    return _move(session, obligation_id, awaited, state=ObligationState.DONE, done_at=done_at)


def waits_again(session: Session, obligation_id: int) -> bool:
    """The acceptance is taken back."""
    return _move(session, obligation_id, (ObligationState.DONE,), state=ObligationState.SENT)


def owed_again(session: Session, obligation_id: int) -> bool:
    """Given back: it is open once more. Of a deadline that was stopped meanwhile nothing is owed any more."""
    values = {
        "state": case((_active(), ObligationState.OPEN), else_=ObligationState.WAIVED),
        "waived": case((_active(), None), else_=Waiver.STOPPED),
        "done_at": None,
    }
    received = (ObligationState.SENT, ObligationState.DONE)
    return _move(session, obligation_id, received, **values) and bool(
        session.execute(
            select(exists().where(col(Obligation.id) == obligation_id, col(Obligation.state) == ObligationState.OPEN))
        ).scalar_one()
    )


def steps_are_over(session: Session, obligation_id: int) -> bool:
    """Whether no step of the ladder is left that could tell of it."""
    left = exists().where(col(Step.obligation_id) == obligation_id, col(Step.settled).is_(False))
    return not session.execute(select(left)).scalar_one()


def _active() -> Any:
    return exists().where(col(Deadline.id) == col(Obligation.deadline_id), col(Deadline.active))


def _move(session: Session, obligation_id: int, was: Sequence[ObligationState], **values: Any) -> bool:
    asks = exists().where(col(Deadline.id) == col(Obligation.deadline_id), col(Deadline.done_when) == DoneWhen.ACCEPTED)
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        update(Obligation)
        .where(col(Obligation.id) == obligation_id, col(Obligation.state).in_(was), asks)
        .values(**values, version=col(Obligation.version) + 1)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1
