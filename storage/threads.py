"""One question with its whole thread, for staff, and its changes of state. Decides nothing about who may.

A change of state is one UPDATE that names the version its author saw; False means somebody was quicker. What the page
of a question asks is built once: building it took longer than running it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, bindparam, case, func, update
from sqlmodel import Session, col, select

from storage import corrections
from storage.tables import (
    Attachment,
    Audience,
    Audit,
    Category,
    Message,
    Outbox,
    OutboxKind,
    Project,
    Question,
    QuestionState,
    Referent,
    Staff,
)
from storage.touched import touch

_AT_WORK = (QuestionState.NEW, QuestionState.TAKEN, QuestionState.ANSWERED)
_ID: Any = bindparam("question_id")


@dataclass(frozen=True, slots=True)
class Head:
    """A question and who and what it is about. `closed_by`: the colleague who put it away, not the referent."""

    question: Question
    referent: Referent | None
    project: Project | None
    taken_by: str | None
    closed_by: str | None
    category: Category | None = None


_HEAD: Any = (
    select(Question, Referent, Project, Staff.name, Category)  # type: ignore[call-overload]
    .outerjoin(Referent, col(Referent.id) == col(Question.referent_id))
    .outerjoin(Project, col(Project.id) == col(Question.project_id))
    .outerjoin(Staff, col(Staff.id) == col(Question.taken_by))
    .outerjoin(Category, col(Category.id) == col(Question.category_id))
    .where(Question.id == _ID)
    .execution_options(populate_existing=True)
)


def question_head(session: Session, question_id: int) -> Head | None:
    row = session.execute(_HEAD, {"question_id": question_id}).first()
    if row is None:
        return None
    question, referent, project, taken_by, category = row
    return Head(question, referent, project, taken_by, _closed_by(session, question), category)


def _closed_by(session: Session, question: Question) -> str | None:
    """The log knows: who has a question in hand may not be who closes it."""
    if question.state is not QuestionState.CLOSED or question.solved:
        return None
    return session.exec(
        select(Staff.name)
        .join(Audit, col(Audit.actor_id) == col(Staff.id))
        .where(
            Audit.actor_kind == "staff",
            Audit.action == "question.close",
            Audit.object_kind == "question",
            Audit.object_id == question.id,
        )
        .order_by(col(Audit.id).desc())
    ).first()


@dataclass(frozen=True, slots=True)
class LastWord:
    """What the referent said last and nobody has answered. `corrected`: in its newest version.

    `unsolved`: only that the answer, this text, did not help.
    """

    text: str
    corrected: bool = False
    unsolved: bool = False


_SOLVED = select(Question.solved, Question.state).where(Question.id == _ID)


def last_word(session: Session, question_id: int) -> LastWord | None:
    """None: staff had it."""
    newest = newest_message(session, question_id)
    if newest is None:
        return None
    message = newest[0]
    if message.staff_id is None:
        edited = corrections.newest_of_message(session, message.id)
    else:
        edited = corrections.newest_since(session, question_id, message.created_at)
    if edited is not None:
        return LastWord(edited.after, corrected=True)
    if message.staff_id is None:
        return LastWord(message.text)
    solved, state = session.execute(_SOLVED, {"question_id": question_id}).one()
    unsolved = solved is False and state in (QuestionState.NEW, QuestionState.TAKEN)
    return LastWord(message.text, unsolved=True) if unsolved else None


def awaits_reply(session: Session, question_id: int) -> bool:
    """The referent had the last word: nobody has answered it."""
    return last_word(session, question_id) is not None


_THREAD = (
    select(Message, func.coalesce(Staff.name, Referent.name))
    .outerjoin(Staff, col(Staff.id) == col(Message.staff_id))
    .outerjoin(Referent, col(Referent.id) == col(Message.referent_id))
    .where(Message.question_id == _ID)
    .order_by(col(Message.id))
)
_FILES = (
    select(Attachment)
    .join(Message, col(Message.id) == col(Attachment.message_id))
    .where(Message.question_id == _ID)
    .order_by(col(Attachment.id))
)
_SENT = select(Outbox).where(Outbox.question_id == _ID, Outbox.kind == OutboxKind.ANSWER).order_by(col(Outbox.id))


def whole_thread(session: Session, question_id: int) -> Sequence[tuple[Message, str | None]]:
    """Every message with its author's name, internal notes included, in order. For staff only."""
    return session.exec(_THREAD, params={"question_id": question_id}).all()


def thread_files(session: Session, question_id: int) -> Mapping[int, Sequence[Attachment]]:
    """The files of a thread, by message."""
    files: dict[int, list[Attachment]] = {}
    for attachment in session.exec(_FILES, params={"question_id": question_id}):
        assert attachment.message_id is not None
        files.setdefault(attachment.message_id, []).append(attachment)
    return files


def answers_sent(session: Session, question_id: int) -> Sequence[Outbox]:
    """What left, or waits to leave, as an answer to this question, in order."""
    return session.exec(_SENT, params={"question_id": question_id}).all()


_NEWEST = (
    select(Message, Staff.name)
    .outerjoin(Staff, col(Staff.id) == col(Message.staff_id))
    .where(Message.question_id == _ID, Message.audience == Audience.REFERENT, col(Message.automatic).is_(False))
    .order_by(col(Message.id).desc())
    .limit(1)
)
_NEWEST_OF_REFERENT = (
    select(Message)
    .where(Message.question_id == _ID, col(Message.referent_id).is_not(None))
    .order_by(col(Message.id).desc())
    .limit(1)
)


def newest_message(session: Session, question_id: int) -> tuple[Message, str | None] | None:
    """The last thing said between referent and staff, with its author; notes do not count, nor does a machine."""
    return session.exec(_NEWEST, params={"question_id": question_id}).first()


def newest_of_referent(session: Session, question_id: int) -> Message | None:
    """What the referent wrote last: an answer replies to it."""
    return session.exec(_NEWEST_OF_REFERENT, params={"question_id": question_id}).first()


def change(session: Session, question_id: int, version: int, only_from: Sequence[QuestionState], **values: Any) -> bool:
    """Changes a question that is still as its reader saw it; the version rises."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(Question)
        .where(
            col(Question.id) == question_id,
            col(Question.version) == version,
            col(Question.state).in_(only_from),
            col(Question.merged_into_id).is_(None),
        )
        .values(version=col(Question.version) + 1, **values)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1


def in_hands_of(session: Session, staff_id: int) -> int:
    """How many questions this person has in hand."""
    return session.exec(
        select(func.count())
        .select_from(Question)
        .where(Question.state == QuestionState.TAKEN, Question.taken_by == staff_id)
    ).one()


def give_back_all(session: Session, staff_id: int) -> Sequence[int]:
    """What this person had in hand is everybody's again; which questions those are."""
    return (
        session.execute(
            update(Question)
            .where(col(Question.state) == QuestionState.TAKEN, col(Question.taken_by) == staff_id)
            .values(state=QuestionState.NEW, taken_by=None, version=col(Question.version) + 1)
            .returning(col(Question.id))
            .execution_options(synchronize_session=False)
        )
        .scalars()
        .all()
    )


def give_back_some(session: Session, staff_id: int, which: ColumnElement[bool]) -> Sequence[int]:
    """What this person (`Staff` in `which`) had in hand of these is everybody's again; which questions those are."""
    found = (
        select(Question.id)
        .join(Staff, col(Staff.id) == col(Question.taken_by))
        .where(Question.state == QuestionState.TAKEN, Question.taken_by == staff_id, which)
    )
    return (
        session.execute(
            update(Question)
            .where(
                col(Question.id).in_(session.exec(found).all()),
                col(Question.state) == QuestionState.TAKEN,
                col(Question.taken_by) == staff_id,
            )
            .values(state=QuestionState.NEW, taken_by=None, version=col(Question.version) + 1)
            .returning(col(Question.id))
            .execution_options(synchronize_session=False)
        )
        .scalars()
        .all()
    )


def flag(session: Session, question_id: int, *, urgent: bool) -> bool:
    """False when it was so already."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Question)
        .where(col(Question.id) == question_id, col(Question.urgent).is_not(urgent))
        .values(urgent=urgent)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1


def take_back(session: Session, message: Message, state: QuestionState) -> bool:
    """An answer that did not leave: nobody reads it, and its question is at work again, as `state` says.

    False when the question has moved on by itself meanwhile; it stays then as it is.
    """
    session.execute(
        update(Message)
        .where(col(Message.id) == message.id)
        .values(audience=Audience.NOBODY)
        .execution_options(synchronize_session=False)
    )
    touch(session, Question, [message.question_id])
    first = case((col(Question.first_answer_at) == message.created_at, None), else_=col(Question.first_answer_at))
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Question)
        .where(col(Question.id) == message.question_id, col(Question.state).in_(_AT_WORK))
        .values(
            state=state,
            taken_by=message.staff_id,
            awaits=False,
            first_answer_at=first,
            version=col(Question.version) + 1,
        )
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1
