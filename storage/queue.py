"""Queries of the staff's queue: what waits, one whole thread, and the changes of state. Decides nothing about who may.

A change of state is one UPDATE that names the version its author saw; False means somebody was quicker.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, case, func, or_, update
from sqlmodel import Session, col, select

from storage import corrections
from storage.access import a_request_waits
from storage.letters import a_letter_waits
from storage.outbox import NOTICE_KEY, needs_somebody
from storage.searching import questions_with
from storage.tables import (
    Attachment,
    Audience,
    Audit,
    Channel,
    Inbox,
    InboxState,
    Membership,
    Message,
    Obligation,
    ObligationState,
    Organization,
    Outbox,
    OutboxKind,
    Project,
    Question,
    QuestionState,
    Referent,
    Role,
    Staff,
    Standing,
)


class View(StrEnum):
    """The three heaps of the queue."""

    NEW = "new"
    MINE = "mine"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class QueueLine:
    """A question in the queue: `text` is its first message, `organization` the first of its referent's.

    `organizations`: how many they are. `standing`: how sure it is who sent the newest message, when that is a mail.
    """

    id: int
    state: QuestionState
    created_at: datetime
    due_at: datetime
    last_message_at: datetime
    referent: str | None
    organization: str | None
    project: str | None
    taken_by: str | None
    text: str | None
    solved: bool | None
    organizations: int
    channel: Channel
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Head:
    """A question and who and what it is about. `closed_by`: the colleague who put it away, not the referent."""

    question: Question
    referent: Referent | None
    organizations: Sequence[Organization]
    project: Project | None
    taken_by: str | None
    closed_by: str | None


def queue_counts(session: Session, staff_id: int) -> dict[View, int]:
    """How many questions lie in each heap."""
    views = {view: func.coalesce(func.sum(case((_in_view(view, staff_id), 1), else_=0)), 0) for view in View}
    return dict(zip(views, session.execute(select(*views.values()).select_from(Question)).one(), strict=True))


def queue_page(
    session: Session, view: View, staff_id: int, wanted: str = "", *, offset: int = 0, limit: int = 50
) -> tuple[Sequence[QueueLine], int]:
    """One page of a heap and how many there are in all. Work to be done first, then the oldest first."""
    heap = select(Question.id).where(_in_view(view, staff_id)).order_by(_work_first(), col(Question.id))
    number = _number(wanted)
    if wanted.strip() and number is None:
        found = questions_with(session, wanted)
        ids = [id_ for id_ in session.exec(heap) if id_ in found]
        return _lines(session, ids[offset : offset + limit]), len(ids)
    if number is not None:
        heap = heap.where(Question.id == number)
    total = session.execute(select(func.count()).select_from(heap.subquery())).scalar_one()
    return _lines(session, session.exec(heap.offset(offset).limit(limit)).all()), total


def _number(wanted: str) -> int | None:
    """The question that is asked for by its number (`41`, `n. 41`, `#41`)."""
    number = wanted.strip().lower().removeprefix("n.").removeprefix("#").strip()
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None


def _lines(session: Session, ids: Sequence[int]) -> Sequence[QueueLine]:
    first = (
        select(func.min(Message.id))
        .where(Message.question_id == Question.id, Message.audience == Audience.REFERENT)
        .correlate(Question)
        .scalar_subquery()
    )
    organization = (
        select(func.min(Organization.name))
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(Membership.referent_id == Question.referent_id)
        .correlate(Question)
        .scalar_subquery()
    )
    newest = (
        select(func.max(Message.id))
        .where(
            Message.question_id == Question.id,
            col(Message.referent_id).is_not(None),
            col(Message.automatic).is_(False),
        )
        .correlate(Question)
        .scalar_subquery()
    )
    standing = select(Message.standing).where(Message.id == newest).correlate(Question).scalar_subquery()
    organizations = (
        select(func.count())
        .select_from(Membership)
        .where(Membership.referent_id == Question.referent_id)
        .correlate(Question)
        .scalar_subquery()
    )
    columns: Any = select(  # type: ignore[call-overload]
        Question.id,
        Question.state,
        Question.created_at,
        Question.due_at,
        Question.last_message_at,
        col(Referent.name),
        organization,
        col(Project.title),
        col(Staff.name),
        col(Message.text),
        col(Question.solved),
        organizations,
        Question.channel,
        standing,
    )
    rows = session.execute(
        columns.select_from(Question)
        .outerjoin(Referent, col(Referent.id) == col(Question.referent_id))
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
        .outerjoin(Staff, col(Staff.id) == col(Question.taken_by))
        .outerjoin(Message, col(Message.id) == first)
        .where(col(Question.id).in_(ids))
        .order_by(_work_first(), col(Question.id))
    )
    return [QueueLine(*row) for row in rows]


def _in_view(view: View, staff_id: int) -> ColumnElement[bool]:
    if view is View.NEW:
        return col(Question.state) == QuestionState.NEW
    if view is View.MINE:
        return (col(Question.taken_by) == staff_id) & (col(Question.state) != QuestionState.CLOSED)
    return col(Question.id).is_not(None)


def _work_first() -> Any:
    return case(
        (col(Question.state) == QuestionState.CLOSED, 2), (col(Question.state) == QuestionState.ANSWERED, 1), else_=0
    )


def question_head(session: Session, question_id: int) -> Head | None:
    row = session.exec(
        select(Question, Referent, Project, Staff.name)
        .outerjoin(Referent, col(Referent.id) == col(Question.referent_id))
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
        .outerjoin(Staff, col(Staff.id) == col(Question.taken_by))
        .where(Question.id == question_id)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        return None
    question, referent, project, taken_by = row
    organizations = session.exec(
        select(Organization)
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(Membership.referent_id == question.referent_id)
        .order_by(Organization.name)
    ).all()
    return Head(question, referent, organizations, project, taken_by, _closed_by(session, question))


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
    question = session.get_one(Question, question_id, populate_existing=True)
    unsolved = question.solved is False and question.state in (QuestionState.NEW, QuestionState.TAKEN)
    return LastWord(message.text, unsolved=True) if unsolved else None


def awaits_reply(session: Session, question_id: int) -> bool:
    """The referent had the last word: nobody has answered it."""
    return last_word(session, question_id) is not None


def whole_thread(session: Session, question_id: int) -> Sequence[tuple[Message, str | None]]:
    """Every message with its author's name, internal notes included, in order. For staff only."""
    return session.exec(
        select(Message, func.coalesce(Staff.name, Referent.name))
        .outerjoin(Staff, col(Staff.id) == col(Message.staff_id))
        .outerjoin(Referent, col(Referent.id) == col(Message.referent_id))
        .where(Message.question_id == question_id)
        .order_by(col(Message.id))
    ).all()


def thread_files(session: Session, question_id: int) -> Mapping[int, Sequence[Attachment]]:
    """The files of a thread, by message."""
    files: dict[int, list[Attachment]] = {}
    for attachment in session.exec(
        select(Attachment)
        .join(Message, col(Message.id) == col(Attachment.message_id))
        .where(Message.question_id == question_id)
        .order_by(col(Attachment.id))
    ):
        assert attachment.message_id is not None
        files.setdefault(attachment.message_id, []).append(attachment)
    return files


def answers_sent(session: Session, question_id: int) -> Sequence[Outbox]:
    """What left, or waits to leave, as an answer to this question, in order."""
    return session.exec(
        select(Outbox)
        .where(Outbox.question_id == question_id, Outbox.kind == OutboxKind.ANSWER)
        .order_by(col(Outbox.id))
    ).all()


def newest_message(session: Session, question_id: int) -> tuple[Message, str | None] | None:
    """The last thing said between referent and staff, with its author; notes do not count, nor does a machine."""
    return session.exec(
        select(Message, Staff.name)
        .outerjoin(Staff, col(Staff.id) == col(Message.staff_id))
        .where(
            Message.question_id == question_id,
            Message.audience == Audience.REFERENT,
            col(Message.automatic).is_(False),
        )
        .order_by(col(Message.id).desc())
    ).first()


def newest_of_referent(session: Session, question_id: int) -> Message | None:
    """What the referent wrote last: an answer replies to it."""
    return session.exec(
        select(Message)
        .where(Message.question_id == question_id, col(Message.referent_id).is_not(None))
        .order_by(col(Message.id).desc())
    ).first()


def change(session: Session, question_id: int, version: int, only_from: Sequence[QuestionState], **values: Any) -> bool:
    """Changes a question that is still as its reader saw it; the version rises."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE answers with a row count
        update(Question)
        .where(col(Question.id) == question_id, col(Question.version) == version, col(Question.state).in_(only_from))
        .values(version=col(Question.version) + 1, **values)
        .execution_options(synchronize_session=False)
    )
    return done.rowcount == 1


# --- notices to staff

MANAGERS = (Role.OFFICER, Role.ADMIN)
STUCK = ("outbox.dead", "outbox.uncertain")  # acts after which a message waits for a person


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that waits for somebody: in a notice."""

    id: int
    organization: str | None
    project: str | None
    due_at: datetime


def who_has_news(session: Session, now: datetime, not_since: datetime) -> Sequence[Staff]:
    """Staff who want notices, had none since `not_since`, and for whom something came after their last one.

    A question that waits for them, or a message of ours that did not arrive and nobody has looked at; for those who
    may let people in, also a request for access, or mail of somebody we do not know.
    """
    last = (
        select(func.max(Outbox.created_at))
        .where(
            Outbox.kind == OutboxKind.NOTICE,
            Outbox.address == Staff.email,
            col(Outbox.dedupe_key).startswith(NOTICE_KEY),
        )
        .correlate(Staff)
        .scalar_subquery()
    )
    news = (
        select(Question.id)
        .where(
            _waits_for(col(Staff.id)),
            col(Question.last_message_at) <= now,
            or_(last.is_(None), col(Question.last_message_at) > last),
        )
        .correlate(Staff)
        .exists()
    )
    stuck = (
        select(Audit.id)
        .join(Outbox, col(Outbox.id) == col(Audit.object_id))
        .where(
            col(Audit.action).in_(STUCK),
            col(Audit.at) <= now,
            or_(last.is_(None), col(Audit.at) > last),
            needs_somebody(),
        )
        .correlate(Staff)
        .exists()
    )
    return session.exec(
        select(Staff)
        .where(
            col(Staff.active).is_(True),
            col(Staff.notices).is_(True),
            Staff.role != Role.READER,
            or_(last.is_(None), last <= not_since),
            or_(news, stuck, col(Staff.role).in_(MANAGERS) & or_(a_request_waits(last), a_letter_waits(last))),
        )
        .order_by(col(Staff.id))
    ).all()


def waiting_for(session: Session, staff_id: int, limit: int = 20) -> tuple[Sequence[Waiting], int]:
    """The oldest questions that nobody has taken or that wait for this person, and how many there are."""
    mine = _waits_for(staff_id)
    total = session.execute(select(func.count()).select_from(Question).where(mine)).scalar_one()
    organization = (
        select(func.min(Organization.name))
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(Membership.referent_id == Question.referent_id)
        .correlate(Question)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Question.id, organization, Project.title, Question.due_at)
        .select_from(Question)
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
        .where(mine)
        .order_by(col(Question.id))
        .limit(limit)
    )
    return [Waiting(*row) for row in rows], total


def _waits_for(staff_id: Any) -> ColumnElement[bool]:
    return or_(
        col(Question.state) == QuestionState.NEW,
        (col(Question.state) == QuestionState.TAKEN) & (col(Question.taken_by) == staff_id),
    )


# --- figures


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
