"""Ladders and their rungs. Decides nothing, never commits; the steps they make are in `storage/obligations.py`."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from storage.tables import Ladder, Rung


def rungs_in_use(session: Session, ladder_id: int) -> Sequence[Rung]:
    """From the earliest to the last."""
    return session.exec(
        select(Rung)
        .where(Rung.ladder_id == ladder_id, col(Rung.retired_at).is_(None))
        .order_by(col(Rung.offset_days), col(Rung.id))
    ).all()


def ladders_in_use(session: Session) -> Sequence[Ladder]:
    """In the order they were made."""
    return session.exec(select(Ladder).where(col(Ladder.retired_at).is_(None)).order_by(col(Ladder.id))).all()
