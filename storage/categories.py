"""Queries of what questions are about. Decides nothing about who may change it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, func, update
from sqlmodel import Session, col, select

from storage.tables import Category, Question, QuestionState

ANSWERED = (QuestionState.ANSWERED, QuestionState.CLOSED)


def all_categories(session: Session) -> Sequence[tuple[Category, int]]:
    """Those in use first, by name, each with how many questions it has."""
    count = (
        select(func.count()).select_from(Question).where(Question.category_id == Category.id).correlate(Category)
    ).scalar_subquery()
    return [
        (row[0], row[1])
        for row in session.execute(
            select(Category, count).order_by(col(Category.active).desc(), func.lower(Category.name))
        )
    ]


_ACTIVE = select(Category).where(col(Category.active)).order_by(func.lower(Category.name))


def active_categories(session: Session) -> Sequence[Category]:
    return session.exec(_ACTIVE).all()


def with_name(session: Session, name: str) -> Category | None:
    """Capitals aside; of other letters than a to z the database may not know the small ones."""
    return session.exec(select(Category).where(func.lower(Category.name) == name.lower())).first()


def hours_of(session: Session, question_id: int) -> int | None:
    """In how many working hours the category of this question means to be answered; None: it has none."""
    return session.exec(
        select(Category.hours)
        .join(Question, col(Question.category_id) == col(Category.id))
        .where(Question.id == question_id)
    ).first()


def put_in(session: Session, question_id: int, category_id: int | None, due_at: datetime) -> bool:
    """Another category, and while it waits another due time. False when it was in this one already.

    The version stays: it stops nobody who is answering.
    """
    from_then = col(Question.category_id).is_distinct_from(category_id)
    statement: Any = update(Question).where(col(Question.id) == question_id, from_then)
    changed: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        statement.values(category_id=category_id).execution_options(synchronize_session=False)
    )
    waits = col(Question.state).not_in(ANSWERED)
    session.execute(
        update(Question)
        .where(col(Question.id) == question_id, waits)
        .values(due_at=due_at)
        .execution_options(synchronize_session=False)
    )
    return changed.rowcount == 1
