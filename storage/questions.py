"""Queries about questions and their threads. Changes states only by UPDATE; decides nothing about who may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, case, func, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage import proposals
from storage.tables import Attachment, Audience, Channel, Message, Question, QuestionState, Staff

_HOME: Any = func.coalesce(Question.merged_into_id, Question.id)
_OVER = (QuestionState.ANSWERED, QuestionState.CLOSED)
# Back to who had it, or to everybody when nobody had or they work here no more.
_WORKS_HERE = col(Question.taken_by).in_(select(Staff.id).where(col(Staff.active)))
_BACK_AT_WORK = case((_WORKS_HERE, QuestionState.TAKEN), else_=QuestionState.NEW)
_WHOSE_AGAIN = case((_WORKS_HERE, col(Question.taken_by)), else_=None)


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """A question in a list: `text` is its first message. `awaits`: the answer asked for something: it is their turn."""

    id: int
    state: QuestionState
    created_at: datetime
    due_at: datetime
    project_id: int | None
    text: str
    awaits: bool = False


def home(session: Session, question_id: int) -> int:
    """Where the messages of this question stand: in itself, or in the one into which it was merged.

    It stays so until the end of the transaction: nobody merges it meanwhile.
    """
    found = session.exec(select(_HOME).where(Question.id == question_id).with_for_update()).first()
    return question_id if found is None else int(found)


def whereabouts(question_id: int) -> Any:
    """The same as a part of a query."""
    asked = aliased(Question)
    return select(func.coalesce(asked.merged_into_id, asked.id)).where(col(asked.id) == question_id).scalar_subquery()


def own_question(session: Session, referent_id: int, question_id: int) -> Question | None:
    """The question when it is theirs; None for a foreign or unknown one alike. Of a merged one, where it is now."""
    return session.exec(
        select(Question)
        .where(Question.id == whereabouts(question_id), Question.referent_id == referent_id)
        .execution_options(populate_existing=True)
    ).first()


def came_of(session: Session, question_id: int) -> int | None:
    """The question of which this one was a part before it was split off."""
    return session.exec(select(Question.split_from_id).where(Question.id == question_id)).first()


def question_lines(
    session: Session, referent_id: int, *, only_open: bool = False, limit: int = 10
) -> Sequence[QuestionLine]:
    """A referent's questions, those still open first, the newest first among them."""
    first = (
        select(func.min(Message.id))
        .where(Message.question_id == Question.id, Message.audience == Audience.REFERENT)
        .correlate(Question)
        .scalar_subquery()
    )
    closed = col(Question.state) == QuestionState.CLOSED
    columns: Any = select(  # type: ignore[call-overload]
        Question.id,
        Question.state,
        Question.created_at,
        Question.due_at,
        Question.project_id,
        Message.text,
        col(Question.awaits),
    )
    chosen = (
        columns.select_from(Question)
        .join(Message, Message.id == first)
        .where(Question.referent_id == referent_id, col(Question.merged_into_id).is_(None))
        .order_by(closed, col(Question.id).desc())
        .limit(limit)
    )
    if only_open:
        chosen = chosen.where(~closed)
    return [QuestionLine(*row) for row in session.execute(chosen)]


def thread(session: Session, question_id: int) -> Sequence[Message]:
    """What the referent may read of a thread, in order."""
    return session.exec(
        select(Message)
        .where(Message.question_id == question_id, Message.audience == Audience.REFERENT)
        .order_by(col(Message.id))
    ).all()


def referent_wrote_last(session: Session, question_id: int) -> bool:
    """Whether the newest message that the referent sees is their own; what a machine sent does not count."""
    newest = session.exec(
        select(Message.referent_id)
        .where(
            Message.question_id == question_id,
            Message.audience == Audience.REFERENT,
            col(Message.automatic).is_(False),
        )
        .order_by(col(Message.id).desc())
    ).first()
    return newest is not None


def question_of_message(session: Session, referent_id: int, channel: Channel, provider_id: str) -> int | None:
    """Which question one of the referent's own messages went into: as words, or as a file, one of several perhaps."""
    message = message_of_chat(session, referent_id, channel, provider_id)
    if message is not None or channel is not Channel.TELEGRAM:
        return message.question_id if message is not None else None
    return session.exec(
        select(Message.question_id)
        .join(Attachment, col(Attachment.message_id) == col(Message.id))
        .where(Attachment.referent_id == referent_id, Attachment.provider_id == provider_id)
        .order_by(col(Message.id).desc())
    ).first()


def message_of_chat(session: Session, referent_id: int, channel: Channel, provider_id: str) -> Message | None:
    """The message of a thread that one message of the referent's chat became."""
    return session.exec(
        select(Message)
        .where(
            Message.provider_id == provider_id,
            Message.referent_id == referent_id,
            Message.channel == channel,
        )
        .order_by(col(Message.id).desc())
    ).first()


def touch(session: Session, question_id: int, channel: Channel | None, due_at: datetime, now: datetime) -> int:
    """A new message of the referent: a question that was over is open again, with a fresh due time.

    Returns the question that it belongs to: another one, when this one was merged a moment ago.

    The version rises even when the state stays: who was writing an answer has not seen this message. `channel` None:
    it is not sure that they wrote it, so nothing that they said or chose is changed.
    """
    question_id = home(session, question_id)
    over = col(Question.state).in_(_OVER)
    theirs: dict[str, Any] = {"solved": case((over, None), else_=col(Question.solved)), "channel": channel}
    session.execute(
        update(Question)
        .where(col(Question.id) == question_id)
        .values(
            state=case((over, _BACK_AT_WORK), else_=col(Question.state)),
            taken_by=case((over, _WHOSE_AGAIN), else_=col(Question.taken_by)),
            due_at=case((over, due_at), else_=col(Question.due_at)),
            closed_at=None,
            last_message_at=now,
            awaits=False,
            version=col(Question.version) + 1,
            **({} if channel is None else theirs),
        )
        .execution_options(synchronize_session=False)
    )
    return question_id


def close_solved(session: Session, question_id: int, now: datetime) -> bool:
    """The referent has what they need. False when it was closed as solved already."""
    proposals.overtake(session, question_id, now)
    return _changed(
        session,
        update(Question)
        .where(
            col(Question.id) == question_id,
            col(Question.merged_into_id).is_(None),
            or_(col(Question.state) != QuestionState.CLOSED, col(Question.solved).is_not(True)),
        )
        .values(state=QuestionState.CLOSED, solved=True, closed_at=now, version=col(Question.version) + 1),
    )


def reopen_unsolved(session: Session, question_id: int, due_at: datetime) -> bool:
    """The answer did not help. False when the question is being worked on already."""
    return _changed(
        session,
        update(Question)
        .where(
            col(Question.id) == question_id,
            col(Question.merged_into_id).is_(None),
            col(Question.state).in_(_OVER),
        )
        .values(
            state=_BACK_AT_WORK,
            taken_by=_WHOSE_AGAIN,
            solved=False,
            closed_at=None,
            due_at=due_at,
            version=col(Question.version) + 1,
        ),
    )


def _changed(session: Session, statement: Any) -> bool:
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        statement.execution_options(synchronize_session=False)
    )
    return result.rowcount == 1
