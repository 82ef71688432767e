"""Colleagues who are called upon in internal notes, and whether they have looked since. Decides nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, update
from sqlmodel import Session, col, select

from storage.tables import Mention, Message, Question, Staff

_COLLEAGUES = (
    select(Staff).where(col(Staff.active), Staff.id != bindparam("but")).order_by(func.lower(Staff.name), col(Staff.id))
)


def colleagues(session: Session, but: int) -> Sequence[Staff]:
    """Who can be called upon: everybody who works here, except this person."""
    return session.exec(_COLLEAGUES, params={"but": but}).all()


def call_upon(session: Session, message_id: int, staff_ids: Sequence[int], now: datetime) -> None:
    for staff_id in staff_ids:
        session.add(Mention(message_id=message_id, staff_id=staff_id, created_at=now))
    session.flush()


def unseen_by(staff_id: Any) -> ColumnElement[bool]:
    """Whether a question (of the query around) has a note that calls upon this person, who has not looked since."""
    found = (
        select(Message.question_id)
        .join(Mention, col(Mention.message_id) == col(Message.id))
        .where(Mention.staff_id == staff_id, col(Mention.seen_at).is_(None))
    )
    return col(Question.id).in_(found)


_WAITS = select(Question.id).where(Question.id == bindparam("question_id"), unseen_by(bindparam("staff_id")))


def waits(session: Session, question_id: int, staff_id: int) -> bool:
    """Whether this question has such a note."""
    return session.exec(_WAITS, params={"question_id": question_id, "staff_id": staff_id}).first() is not None


def see(session: Session, question_id: int, staff_id: int, now: datetime) -> None:
    """They have opened the question."""
    here: Any = select(Message.id).where(Message.question_id == question_id)
    session.execute(
        update(Mention)
        .where(col(Mention.staff_id) == staff_id, col(Mention.seen_at).is_(None), col(Mention.message_id).in_(here))
        .values(seen_at=now)
        .execution_options(synchronize_session=False)
    )
