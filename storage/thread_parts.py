"""What a thread has besides its messages, in one look: mostly next to nothing, and what is not there need not be asked.

Only whether there is any. Each part is read by the module of its own.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from storage.tables import (
    Attachment,
    Correction,
    FaqEntry,
    Letter,
    Message,
    Proposal,
    Question,
    QuestionTag,
)


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one thread: whether there are files, mails, corrections, proposals, tags, entries of the FAQ, merged ones."""

    files: bool
    letters: bool
    corrections: bool
    proposals: bool
    tags: bool
    faq: bool
    merged: bool


def parts_of(session: Session, question_id: int) -> Parts:
    return Parts(*session.execute(_PARTS, {"question_id": question_id}).one())


_ID: Any = bindparam("question_id")


def _of_a_message(table: Any) -> Any:
    theirs = select(table.id).join(Message, col(Message.id) == table.message_id)
    return theirs.where(Message.question_id == _ID).exists()


_PARTS: Any = select(  # type: ignore[call-overload]  # typed for four columns at most
    _of_a_message(Attachment),
    _of_a_message(Letter),
    _of_a_message(Correction),
    select(Proposal.id).where(Proposal.question_id == _ID).exists(),
    select(QuestionTag.tag_id).where(QuestionTag.question_id == _ID).exists(),
    select(FaqEntry.id).where(FaqEntry.question_id == _ID).exists(),
    select(Question.id).where(Question.merged_into_id == _ID).exists(),
)
