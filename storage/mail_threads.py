"""What was written by mail before: of a question, and what a mail of ours answers. Only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, union_all
from sqlmodel import Session, SQLModel, col

from storage.tables import Audience, Channel, Letter, LetterKind, Question
from storage.words import SURE

_outbox = SQLModel.metadata.tables["outbox"]
_message = SQLModel.metadata.tables["message"]
BY_MAIL = (Channel.EMAIL, Channel.PEC)


@dataclass(frozen=True, slots=True)
class Answered:
    """The mail that one of ours answers. `sure`: who wrote it. `outbox_id`: which of ours that mail was about."""

    message_id: str
    subject: str
    sure: bool
    outbox_id: int | None


def earlier_mails(session: Session, question_id: int, channel: Channel, address: str, before_id: int) -> Sequence[str]:
    """Message-IDs of this thread, oldest first: ours to this address before that one, and theirs to us."""
    ours: Any = select(
        _outbox.c.provider_id, func.coalesce(_outbox.c.sent_at, _outbox.c.created_at).label("at"), literal(1).label("n")
    ).where(
        _outbox.c.question_id == question_id,
        _outbox.c.channel == channel,
        _outbox.c.address == address,
        _outbox.c.id < before_id,
        _outbox.c.provider_id.is_not(None),
    )
    theirs: Any = select(_message.c.provider_id, _message.c.created_at.label("at"), literal(0).label("n")).where(
        _message.c.question_id == question_id,
        _message.c.channel.in_(BY_MAIL),
        _message.c.audience == Audience.REFERENT,
        _message.c.staff_id.is_(None),
        _message.c.provider_id.is_not(None),
    )
    both = union_all(ours, theirs).subquery()
    return session.connection().execute(select(both.c.provider_id).order_by(both.c.at, both.c.n)).scalars().all()


def answered_mail(session: Session, inbox_id: int) -> Answered | None:
    """The mail that came in with this row of the inbox."""
    row = session.execute(
        select(col(Letter.provider_id), col(Letter.subject), col(Letter.standing), col(Letter.outbox_id)).where(
            col(Letter.inbox_id) == inbox_id
        )
    ).first()
    return None if row is None else Answered(row[0], row[1], row[2] in SURE, row[3])


def subject_of(session: Session, question_id: int, referent_id: int) -> str:
    """What they themselves wrote above the mail with which the question began; "" when it did not begin by mail."""
    found: Any = session.execute(
        select(col(Letter.subject))
        .where(
            col(Letter.question_id) == question_id,
            col(Letter.referent_id) == referent_id,
            col(Letter.kind) == LetterKind.MESSAGE,
        )
        .order_by(col(Letter.id))
        .limit(1)
    ).scalar()
    return found or ""


def asked_at(session: Session, question_id: int) -> datetime | None:
    row = session.get(Question, question_id)
    return None if row is None else row.created_at
