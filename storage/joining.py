"""Messages that move from one question to another, and what goes along with them. Decides nothing about who may.

A question that was merged keeps its number, and its number leads to where its messages stand now
(`storage/questions.py`): what people hold in their hands, a button or an address to reply to, stays as it is.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, bindparam, case, func, update
from sqlmodel import Session, col, select

from storage.tables import (
    Audience,
    Audit,
    Letter,
    Message,
    Outbox,
    OutboxKind,
    OutboxState,
    Project,
    Proposal,
    Question,
    QuestionState,
    QuestionTag,
)
from storage.touched import touch


def message_ids(session: Session, question_id: int) -> Sequence[int]:
    """All of its messages, notes too."""
    return session.exec(select(Message.id).where(Message.question_id == question_id).order_by(col(Message.id))).all()


def came_from(session: Session, question_id: int, merged_id: int) -> Sequence[int]:
    """The messages of a question that stood in another one before that was merged into it."""
    return session.exec(
        select(Message.id).where(Message.question_id == question_id, Message.moved_from_id == merged_id)
    ).all()


def move(session: Session, ids: Sequence[int], source_id: int, target_id: int) -> None:
    """Puts messages into another thread, with the mails they were, the proposals they came from and what left."""
    for table, key in ((Message, Message.id), (Letter, Letter.message_id), (Proposal, Proposal.message_id)):
        _put(session, table, col(key).in_(ids), target_id)
    _put(session, Outbox, col(Outbox.id).in_(_left_as(session, ids, source_id)), target_id)
    touch(session, Question, [source_id, target_id])


def _put(session: Session, table: Any, these: Any, question_id: int) -> None:
    session.execute(
        update(table).where(these).values(question_id=question_id).execution_options(synchronize_session=False)
    )


def _left_as(session: Session, ids: Sequence[int], question_id: int) -> Sequence[int]:
    """What of the outbox these messages left as: the key reads `answer:<message>[:…]`."""
    keys = {str(id_) for id_ in ids}
    rows = session.execute(
        select(Outbox.id, Outbox.dedupe_key).where(Outbox.question_id == question_id, Outbox.kind == OutboxKind.ANSWER)
    )
    return [id_ for id_, key in rows if keys & set(key.split(":")[1:2])]


def move_proposals(session: Session, ids: Sequence[int], question_id: int) -> None:
    """What colleagues have written and not sent: in their boxes it stays."""
    _put(session, Proposal, col(Proposal.id).in_(ids), question_id)


def proposal_ids(session: Session, question_id: int) -> Sequence[int]:
    return session.exec(select(Proposal.id).where(Proposal.question_id == question_id)).all()


def say_where_from(session: Session, ids: Sequence[int], source_id: int | None) -> None:
    """Before a merge. Messages of a question that was merged into the source before keep their own."""
    earlier = select(Question.id).where(Question.merged_into_id == source_id)
    own = case((col(Message.moved_from_id).in_(earlier), col(Message.moved_from_id)), else_=source_id)
    session.execute(
        update(Message)
        .where(col(Message.id).in_(ids))
        .values(moved_from_id=own)
        .execution_options(synchronize_session=False)
    )


def lead_on(session: Session, source_id: int, target_id: int) -> None:
    """What was merged into the source leads to the target at once: one step, never two."""
    session.execute(
        update(Question)
        .where(col(Question.merged_into_id) == source_id)
        .values(merged_into_id=target_id)
        .execution_options(synchronize_session=False)
    )


def put_away(session: Session, question_id: int, version: int, target_id: int, now: datetime) -> bool:
    """Closes a question whose messages stand in another one. False when it is no longer as its reader saw it."""
    return _change(
        session,
        question_id,
        version,
        state=QuestionState.CLOSED,
        merged_into_id=target_id,
        closed_at=func.coalesce(col(Question.closed_at), now),
    )


def bring_back(session: Session, question_id: int, target_id: int, **values: Any) -> bool:
    """A question that was merged is one of its own again. False when it is not merged into that one any more."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Question)
        .where(col(Question.id) == question_id, col(Question.merged_into_id) == target_id)
        .values(merged_into_id=None, version=col(Question.version) + 1, **values)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1


def change(session: Session, question_id: int, version: int, **values: Any) -> bool:
    """Whatever its state, while it is as its reader saw it and stands by itself; the version rises."""
    return _change(session, question_id, version, **values)


def _change(session: Session, question_id: int, version: int, **values: Any) -> bool:
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Question)
        .where(
            col(Question.id) == question_id, col(Question.version) == version, col(Question.merged_into_id).is_(None)
        )
        .values(version=col(Question.version) + 1, **values)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1


def share_tags(session: Session, source_id: int, target_id: int) -> None:
    """The target has the source's tags too; the source keeps its own."""
    have = set(session.exec(select(QuestionTag.tag_id).where(QuestionTag.question_id == target_id)))
    for tag_id in session.exec(select(QuestionTag.tag_id).where(QuestionTag.question_id == source_id)).all():
        if tag_id not in have:
            session.add(QuestionTag(question_id=target_id, tag_id=tag_id))


def may_be_stopped(session: Session, question_id: int, now: datetime) -> bool:
    """Whether an answer to it waits to leave, and its author may still take it back."""
    waiting = select(Outbox.id).where(
        Outbox.question_id == question_id,
        Outbox.kind == OutboxKind.ANSWER,
        Outbox.state == OutboxState.QUEUED,
        Outbox.attempts == 0,
        Outbox.next_at > now,
    )
    return session.exec(waiting).first() is not None


def newest_of(session: Session, question_id: int) -> Message | None:
    """The last thing said between referent and staff: neither a note nor a machine's."""
    return session.exec(
        select(Message)
        .where(
            Message.question_id == question_id,
            Message.audience == Audience.REFERENT,
            col(Message.automatic).is_(False),
        )
        .order_by(col(Message.id).desc())
        .execution_options(populate_existing=True)
    ).first()


def first_of(session: Session, question_id: int) -> Message | None:
    """What was asked first."""
    return session.exec(
        select(Message)
        .where(Message.question_id == question_id, Message.audience == Audience.REFERENT)
        .order_by(col(Message.id))
    ).first()


def before_merging(session: Session, question_id: int) -> dict[str, Any]:
    """How a question stood when it was merged last: the log holds it."""
    found = session.exec(
        select(Audit.detail)
        .where(Audit.action == "question.merge", Audit.object_kind == "question", Audit.object_id == question_id)
        .order_by(col(Audit.id).desc())
    ).first()
    return dict(found or {})


_MERGED = select(Question.id).where(Question.merged_into_id == bindparam("question_id")).order_by(col(Question.id))


def merged_into(session: Session, question_id: int) -> Sequence[int]:
    """The numbers of those that were merged into this one."""
    return session.exec(_MERGED, params={"question_id": question_id}).all()


def others_of(session: Session, question: Question, limit: int = 20) -> Sequence[tuple[int, str, str | None]]:
    """Other questions of its referent, the newest first: number, first words, project's title."""
    first = (
        select(func.min(Message.id))
        .where(Message.question_id == Question.id, Message.audience == Audience.REFERENT)
        .correlate(Question)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Question.id, Message.text, Project.title)
        .join(Message, col(Message.id) == first)
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
        .where(
            Question.referent_id == question.referent_id,
            Question.id != question.id,
            col(Question.merged_into_id).is_(None),
        )
        .order_by(col(Question.id).desc())
        .limit(limit)
    )
    return [(number, text, title) for number, text, title in rows]
