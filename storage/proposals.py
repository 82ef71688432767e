"""Queries of answers that wait for approval, or came back to their authors. Decides nothing about who may.

A proposal is decided by one UPDATE of a row that still waits; False means that somebody was quicker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, bindparam, func, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.tables import Attachment, Proposal, ProposalState, Question, QuestionState, Staff

BACK = (ProposalState.RETURNED, ProposalState.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal with its author's name, and that of whoever decided."""

    proposal: Proposal
    author: str
    decider: str | None
    files: Sequence[Attachment] = ()


def waiting_on(session: Session, question_id: int) -> Proposed | None:
    """The answer to this question that waits for approval."""
    return _first(session, _waiting(), {"question_id": question_id})


def back_with(session: Session, question: Question, staff_id: int) -> Proposed | None:
    """What this person wrote and has again, because it was returned, withdrawn or taken back: not sent since."""
    if question.state is not QuestionState.TAKEN or question.taken_by != staff_id:
        return None
    return _first(session, _back(), {"question_id": question.id, "staff_id": staff_id})


def _first(session: Session, which: Any, values: Mapping[str, int]) -> Proposed | None:
    row = session.execute(which, values, execution_options={"populate_existing": True}).first()
    return Proposed(row[0], row[1], row[2], _files(session, row[0].id)) if row is not None else None


# Every page of a question asks these: built once.


@cache
def _waiting() -> Any:
    return _proposed(Proposal.question_id == bindparam("question_id"), Proposal.state == ProposalState.WAITING)


@cache
def _back() -> Any:
    newest = select(func.max(Proposal.id)).where(Proposal.question_id == bindparam("question_id")).scalar_subquery()
    return _proposed(Proposal.id == newest, Proposal.staff_id == bindparam("staff_id"), col(Proposal.state).in_(BACK))


@cache
def _sent() -> Any:
    return _proposed(Proposal.question_id == bindparam("question_id"), Proposal.state == ProposalState.SENT)


def _proposed(*which: Any) -> Any:
    decider = aliased(Staff)
    return (
        select(Proposal, Staff.name, decider.name)
        .join(Staff, col(Staff.id) == col(Proposal.staff_id))
        .outerjoin(decider, col(decider.id) == col(Proposal.decided_by))
        .where(*which)
    )


def _files(session: Session, proposal_id: int) -> Sequence[Attachment]:
    return session.exec(
        select(Attachment).where(Attachment.proposal_id == proposal_id).order_by(col(Attachment.id))
    ).all()


def became(session: Session, question_id: int) -> Mapping[int, Proposed]:
    """The proposals that left as answers to this question, by message."""
    rows = session.execute(_sent(), {"question_id": question_id})
    return {row[0].message_id: Proposed(*row) for row in rows}


def of_message(session: Session, message_id: int) -> Proposal | None:
    """The proposal that left as this message."""
    return session.exec(select(Proposal).where(Proposal.message_id == message_id)).first()


def change(session: Session, proposal_id: int, before: ProposalState, after: ProposalState, **values: Any) -> bool:
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(Proposal)
        .where(col(Proposal.id) == proposal_id, col(Proposal.state) == before)
        .values(state=after, **values)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1


def overtake(session: Session, question_id: int, now: datetime) -> None:
    """The question was settled without the answer that waits."""
    session.execute(
        update(Proposal)
        .where(col(Proposal.question_id) == question_id, col(Proposal.state) == ProposalState.WAITING)
        .values(state=ProposalState.OVERTAKEN, decided_at=now)
        .execution_options(synchronize_session=False)
    )


def came_back(staff_id: Any) -> Any:
    """The proposals that were returned to this person, whose question is still in their hands."""
    return (
        select(Proposal.id)
        .join(Question, col(Question.id) == col(Proposal.question_id))
        .where(
            Proposal.staff_id == staff_id,
            Proposal.state == ProposalState.RETURNED,
            Question.state == QuestionState.TAKEN,
            Question.taken_by == staff_id,
            ~_written_again(),
        )
    )


def _written_again() -> ColumnElement[bool]:
    later = aliased(Proposal)
    return (
        select(later.id)
        .where(col(later.question_id) == col(Proposal.question_id), col(later.id) > col(Proposal.id))
        .correlate(Proposal)
        .exists()
    )
