"""Queries of the staff's queue: what lies in which heap, in which order. Changes nothing.

One thread and its changes of state are in `storage/threads.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func
from sqlmodel import Session, col, select

from storage.mentions import unseen_by
from storage.questions import whereabouts
from storage.searching import MOST_COUNTED, narrow
from storage.tables import (
    Audience,
    Category,
    Channel,
    Membership,
    Message,
    Organization,
    Project,
    Question,
    QuestionState,
    Referent,
    Staff,
    Standing,
)


class View(StrEnum):
    """The heaps of the queue. APPROVE: volunteers' answers wait for an officer. MENTIONED: a note calls upon me."""

    NEW = "new"
    MINE = "mine"
    APPROVE = "approve"
    MENTIONED = "mentioned"
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
    urgent: bool
    awaits: bool
    category: str | None
    category_en: str | None
    version: int


def queue_counts(session: Session, staff_id: int) -> dict[View, int]:
    """How many questions lie in each heap."""
    views = {view: func.coalesce(func.sum(case((_in_view(view, staff_id), 1), else_=0)), 0) for view in View}
    return dict(zip(views, session.execute(select(*views.values()).select_from(Question)).one(), strict=True))


def count_some(session: Session, view: View, staff_id: int, narrowed: Sequence[ColumnElement[bool]], most: int) -> int:
    """How many there are, `most` at most: for who only wants to know whether to look."""
    found = select(Question.id).where(_in_view(view, staff_id), *narrowed).limit(most).subquery()
    return int(session.execute(select(func.count()).select_from(found)).scalar_one())


def queue_page(  # noqa: PLR0913 - which heap, narrowed how, which page of it
    session: Session,
    view: View,
    staff_id: int,
    wanted: str = "",
    *,
    offset: int = 0,
    limit: int = 50,
    narrowed: Sequence[ColumnElement[bool]] = (),
) -> tuple[Sequence[QueueLine], int]:
    """One page of a heap and how many there are in all.

    Work to be done first; of that what is urgent, then what is to be answered first. What is searched for comes the
    newest first, and of more than `MOST_COUNTED` nobody counts how many.
    """
    heap: Any = select(Question.id).where(_in_view(view, staff_id), *narrowed)
    number = number_of(wanted)
    if number is not None:
        heap = heap.where(Question.id == whereabouts(number))
    searched = bool(wanted.strip()) and number is None
    heap = narrow(session, heap, col(Question.id), wanted) if searched else heap.order_by(*_order())
    counted = (heap.limit(MOST_COUNTED + 1) if searched else heap.order_by(None)).subquery()
    total = session.execute(select(func.count()).select_from(counted)).scalar_one()
    ids = session.exec(heap.offset(offset).limit(limit)).all()
    return lines_of(session, ids), total


def lines_of(session: Session, ids: Sequence[int]) -> Sequence[QueueLine]:
    """These questions as they stand now, in this order; those that are gone are left out."""
    found = {line.id: line for line in _lines(session, ids)}
    return [found[id_] for id_ in ids if id_ in found]


def number_of(wanted: str) -> int | None:
    """The question that is asked for by its number (`41`, `n. 41`, `#41`)."""
    number = wanted.strip().lower().removeprefix("n.").removeprefix("#").strip()
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None


def _lines(session: Session, ids: Sequence[int]) -> Sequence[QueueLine]:
    columns: Any = select(  # type: ignore[call-overload]
        Question.id,
        Question.state,
        Question.created_at,
        Question.due_at,
        Question.last_message_at,
        col(Referent.name),
        _of_memberships(
            select(func.min(Organization.name)).join(
                Membership, col(Membership.organization_id) == col(Organization.id)
            )
        ),
        col(Project.title),
        col(Staff.name),
        col(Message.text),
        col(Question.solved),
        _of_memberships(select(func.count()).select_from(Membership)),
        Question.channel,
        _standing(),
        col(Question.urgent),
        col(Question.awaits),
        col(Category.name),
        col(Category.name_en),
        Question.version,
    )
    rows = session.execute(
        columns.select_from(Question)
        .outerjoin(Referent, col(Referent.id) == col(Question.referent_id))
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
        .outerjoin(Staff, col(Staff.id) == col(Question.taken_by))
        .outerjoin(Message, col(Message.id) == _first_message())
        .outerjoin(Category, col(Category.id) == col(Question.category_id))
        .where(col(Question.id).in_(ids))
    )
    return [QueueLine(*row) for row in rows]


def _of_memberships(found: Any) -> Any:
    """Something about the organisations of whoever asked."""
    return found.where(Membership.referent_id == Question.referent_id).correlate(Question).scalar_subquery()


def _first_message() -> Any:
    return (
        select(func.min(Message.id))
        .where(Message.question_id == Question.id, Message.audience == Audience.REFERENT)
        .correlate(Question)
        .scalar_subquery()
    )


def _standing() -> Any:
    """How sure it is who wrote the newest message of theirs."""
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
    return select(Message.standing).where(Message.id == newest).correlate(Question).scalar_subquery()


def _in_view(view: View, staff_id: int) -> ColumnElement[bool]:
    if view is View.NEW:
        return col(Question.state) == QuestionState.NEW
    if view is View.APPROVE:
        return col(Question.state) == QuestionState.PROPOSED
    if view is View.MENTIONED:
        return unseen_by(staff_id)
    if view is View.MINE:
        return (col(Question.taken_by) == staff_id) & (col(Question.state) != QuestionState.CLOSED)
    return col(Question.merged_into_id).is_(None)


def _order() -> tuple[Any, ...]:
    """What was answered, and then what is closed, comes last; there neither hurry nor due time counts any more."""
    over = case(
        (col(Question.state) == QuestionState.CLOSED, 2), (col(Question.state) == QuestionState.ANSWERED, 1), else_=0
    )
    urgent = case((over == 0, col(Question.urgent)), else_=False).desc()
    return over, urgent, case((over == 0, col(Question.due_at))), col(Question.id)
