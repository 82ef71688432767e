"""Ladders, their rungs, and the steps they have yet to make. Decides nothing, never commits.

A step is never deleted: somebody may be deciding about it at this moment. It is laid aside, as settled without a
decision, and taken up again when its rung counts again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Update, exists, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from storage.tables import Deadline, Decision, Ladder, Obligation, ObligationState, Rung, Step


@dataclass(frozen=True, slots=True)
class LadderLine:
    """A ladder with how many rungs it has, how many active deadlines use it and what is awaited by them."""

    ladder: Ladder
    rungs: int
    deadlines: int
    awaited: int


def rungs_in_use(session: Session, ladder_id: int) -> Sequence[Rung]:
    """From the earliest to the last."""
    in_use = select(Rung).where(col(Rung.ladder_id) == ladder_id, col(Rung.retired_at).is_(None))
    return session.execute(in_use.order_by(col(Rung.offset_days), col(Rung.id))).scalars().all()


def ladders_in_use(session: Session) -> Sequence[Ladder]:
    """In the order they were made."""
    in_use = select(Ladder).where(col(Ladder.retired_at).is_(None)).order_by(col(Ladder.id))
    return session.execute(in_use).scalars().all()


def ladder_lines(session: Session, ladder_id: int | None = None) -> list[LadderLine]:
    """Those that are not retired, by name; or one, whatever became of it."""
    which = col(Ladder.retired_at).is_(None) if ladder_id is None else col(Ladder.id) == ladder_id
    used = (col(Deadline.ladder_id) == col(Ladder.id), col(Deadline.active))
    awaited = (
        select(func.count())
        .select_from(Obligation)
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(*used, col(Obligation.state) == ObligationState.OPEN)
    )
    rungs = select(func.count()).where(col(Rung.ladder_id) == col(Ladder.id), col(Rung.retired_at).is_(None))
    counts = [
        one.correlate(Ladder).scalar_subquery()
        for one in (rungs.select_from(Rung), select(func.count()).select_from(Deadline).where(*used), awaited)
    ]
    rows = session.execute(select(Ladder, *counts).where(which).order_by(func.lower(col(Ladder.name)), col(Ladder.id)))
    return [LadderLine(row[0], *(int(count) for count in row[1:])) for row in rows]


def deadlines_with(session: Session, ladder_id: int) -> Sequence[Deadline]:
    """The active deadlines that use it."""
    used = select(Deadline).where(col(Deadline.ladder_id) == ladder_id, col(Deadline.active))
    return session.execute(used.order_by(col(Deadline.title), col(Deadline.id))).scalars().all()


def deadlines_without(session: Session, ladder_id: int) -> Sequence[Deadline]:
    """The active deadlines that use another."""
    others = select(Deadline).where(col(Deadline.ladder_id) != ladder_id, col(Deadline.active))
    return session.execute(others.order_by(col(Deadline.title), col(Deadline.id))).scalars().all()


# --- changing


def hold_ladder(session: Session, ladder_id: int) -> Ladder | None:
    """The ladder, held until the transaction ends: it is not retired while somebody chooses it."""
    held = select(Ladder).where(col(Ladder.id) == ladder_id).with_for_update()
    return session.execute(held.execution_options(populate_existing=True)).scalar_one_or_none()


def add(session: Session, row: Ladder | Rung) -> bool:
    """False when there is one like it already."""
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return False
    return True


def retire_rung(session: Session, rung_id: int, now: datetime) -> bool:
    """False when it was retired before."""
    in_use = update(Rung).where(col(Rung.id) == rung_id, col(Rung.retired_at).is_(None))
    return _changed(session, in_use, retired_at=now) == 1


def give_ladder(session: Session, deadline_id: int, ladder_id: int) -> bool:
    """False when the deadline is stopped, or has it already."""
    those = update(Deadline).where(
        col(Deadline.id) == deadline_id, col(Deadline.active), col(Deadline.ladder_id) != ladder_id
    )
    return _changed(session, those, ladder_id=ladder_id, version=col(Deadline.version) + 1) == 1


def lay_aside(session: Session, deadline_id: int, ladder_id: int) -> int:
    """Steps of what is open that this ladder does not make any more are settled; how many."""
    waiting = (col(Step.settled).is_(False), col(Step.rung_id).not_in(_rung_ids(ladder_id)))
    return _changed(session, update(Step).where(*waiting, _of_open(deadline_id)), settled=True)


def take_up(session: Session, deadline_id: int, ladder_id: int, now: datetime) -> int:
    """Steps laid aside before that this ladder makes again, and that are still to come; how many."""
    decided = exists().where(col(Decision.step_id) == col(Step.id))
    aside = (col(Step.settled), col(Step.due_at) > now, ~decided, col(Step.rung_id).in_(_rung_ids(ladder_id)))
    return _changed(session, update(Step).where(*aside, _of_open(deadline_id)), settled=False)


def _of_open(deadline_id: int) -> ColumnElement[bool]:
    still = select(col(Obligation.id)).where(
        col(Obligation.deadline_id) == deadline_id, col(Obligation.state) == ObligationState.OPEN
    )
    return col(Step.obligation_id).in_(still)


def _rung_ids(ladder_id: int) -> Any:
    return select(col(Rung.id)).where(col(Rung.ladder_id) == ladder_id, col(Rung.retired_at).is_(None))


def _changed(session: Session, statement: Update, **values: Any) -> int:
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        statement.values(**values).execution_options(synchronize_session=False)
    )
    return done.rowcount
