"""How many there are, for the page that says how the service is. Numbers only."""

from datetime import date

from sqlalchemy import func
from sqlmodel import Session, col, select

from storage.tables import (
    Obligation,
    ObligationState,
    Question,
    QuestionState,
)


def question_counts(session: Session) -> dict[QuestionState, int]:
    rows = session.exec(select(Question.state, func.count()).group_by(col(Question.state)))
    return dict.fromkeys(QuestionState, 0) | {QuestionState(state): number for state, number in rows}


def late_count(session: Session, today: date) -> int:
    """Obligations past their day and still open."""
    return session.exec(
        select(func.count())
        .select_from(Obligation)
        .where(Obligation.state == ObligationState.OPEN, Obligation.due_on < today)
    ).one()
