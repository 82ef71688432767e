"""How many there are, for the page that says how the service is. Numbers only."""

from datetime import date

from sqlalchemy import func
from sqlmodel import Session, col, select

from storage.tables import (
    Inbox,
    InboxState,
    Obligation,
    ObligationState,
    Question,
    QuestionState,
)


def question_counts(session: Session) -> dict[QuestionState, int]:
    rows = session.exec(select(Question.state, func.count()).group_by(col(Question.state)))
    return dict.fromkeys(QuestionState, 0) | {QuestionState(state): number for state, number in rows}


def arrivals(session: Session) -> dict[InboxState, int]:
    """How many things that came in are in each state."""
    rows = session.exec(select(Inbox.state, func.count()).group_by(col(Inbox.state)))
    return dict.fromkeys(InboxState, 0) | {InboxState(state): number for state, number in rows}


def late_count(session: Session, today: date) -> int:
    """Obligations past their day and still open."""
    return session.exec(
        select(func.count())
        .select_from(Obligation)
        .where(Obligation.state == ObligationState.OPEN, Obligation.due_on < today)
    ).one()
