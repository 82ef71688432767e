"""One line of the queue for each question: what a person reads before they open it. Changes nothing.

The text is opened of these few alone. What is looked up for each line is one statement, built once: building it took
longer than running it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func
from sqlmodel import Session, col, select

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


def lines_of(session: Session, ids: Sequence[int]) -> Sequence[QueueLine]:
    """These questions as they stand now, in this order; those that are gone are left out."""
    found = {row[0]: QueueLine(*row) for row in session.execute(_LINES, {"ids": list(ids)})} if ids else {}
    return [found[id_] for id_ in ids if id_ in found]


def _of_question(query: Any) -> Any:
    return query.correlate(Question).scalar_subquery()


def _first_text() -> Any:
    """The message with which it began."""
    mine = (Message.question_id == Question.id, Message.audience == Audience.REFERENT)
    return _of_question(select(func.min(Message.id)).where(*mine))


def _newest_standing() -> Any:
    """How sure it is who wrote last."""
    theirs = (col(Message.referent_id).is_not(None), col(Message.automatic).is_(False))
    newest = _of_question(select(func.max(Message.id)).where(Message.question_id == Question.id, *theirs))
    return _of_question(select(Message.standing).where(Message.id == newest))


def _organizations(what: Any) -> Any:
    """Of whoever asks."""
    theirs = select(what).join(Membership, col(Membership.organization_id) == col(Organization.id))
    return _of_question(theirs.where(Membership.referent_id == Question.referent_id))


def _statement() -> Any:
    columns: Any = select(  # type: ignore[call-overload]
        Question.id,
        Question.state,
        Question.created_at,
        Question.due_at,
        Question.last_message_at,
        col(Referent.name),
        _organizations(func.min(Organization.name)),
        col(Project.title),
        col(Staff.name),
        col(Message.text),
        col(Question.solved),
        _organizations(func.count(col(Organization.id))),
        Question.channel,
        _newest_standing(),
        col(Question.urgent),
        col(Question.awaits),
        col(Category.name),
        col(Category.name_en),
        Question.version,
    )
    return (
        columns.select_from(Question)
        .outerjoin(Referent, col(Referent.id) == col(Question.referent_id))
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
        .outerjoin(Staff, col(Staff.id) == col(Question.taken_by))
        .outerjoin(Message, col(Message.id) == _first_text())
        .outerjoin(Category, col(Category.id) == col(Question.category_id))
        .where(col(Question.id).in_(bindparam("ids", expanding=True)))
    )


_LINES = _statement()
