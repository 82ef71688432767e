"""Queries on corrections: what a message or an answer said before it was edited. Changes nothing."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from storage.tables import Correction, Message


def newest(
    session: Session, *, message_id: int | None = None, update_id: int | None = None, field: str = ""
) -> Correction | None:
    return session.exec(
        select(Correction)
        .where(Correction.message_id == message_id, Correction.update_id == update_id, Correction.field == field)
        .order_by(col(Correction.id).desc())
    ).first()


def newest_since(session: Session, question_id: int, instant: datetime) -> Correction | None:
    """The newest one of a question's messages, when it came after that instant."""
    return session.exec(
        select(Correction)
        .join(Message, col(Message.id) == col(Correction.message_id))
        .where(Message.question_id == question_id, Correction.created_at > instant)
        .order_by(col(Correction.id).desc())
    ).first()


def of_thread(session: Session, question_id: int) -> Mapping[int, Sequence[Correction]]:
    """The corrections of a question's messages, by message, the oldest first."""
    found: defaultdict[int, list[Correction]] = defaultdict(list)
    for row in session.exec(
        select(Correction)
        .join(Message, col(Message.id) == col(Correction.message_id))
        .where(Message.question_id == question_id)
        .order_by(col(Correction.id))
    ):
        assert row.message_id is not None
        found[row.message_id].append(row)
    return found


def of_update(session: Session, update_id: int) -> Sequence[Correction]:
    """The oldest first."""
    return session.exec(select(Correction).where(Correction.update_id == update_id).order_by(col(Correction.id))).all()


def corrected_updates(session: Session, update_ids: Collection[int]) -> frozenset[int]:
    """Those of these updates to which a correction was attached."""
    rows = session.exec(select(Correction.update_id).where(col(Correction.update_id).in_(update_ids)).distinct())
    return frozenset(one for one in rows if one is not None)
