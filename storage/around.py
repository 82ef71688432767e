"""What stands around a question while it is read: its referent, their projects, what they owe, what they asked before.

Only looks. A few queries each time, however much there is: of every kind the first lines, and whether there are more.
They are built once: building them took longer than running them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, or_, select

from storage.delegations import Held, held_by
from storage.desk_people import Reached, addresses_of, links_of, reached_by, roles_of
from storage.obligations import Owed, owed_by
from storage.tables import (
    Audience,
    Following,
    Message,
    Organization,
    Project,
    Question,
    QuestionState,
    Referent,
    Review,
    Update,
)

MOST = 5  # lines of each kind
SOON = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Told:
    """An update of theirs or of a colleague's, by the name of what it is about."""

    id: int
    received_at: datetime
    review: Review
    subject: str
    referent: str | None


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another question of theirs. `text`: its first message."""

    id: int
    state: QuestionState
    awaits: bool
    created_at: datetime
    first_answer_at: datetime | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Around:
    """Each list holds at most `MOST` lines; `more` names those that were cut."""

    referent: Referent
    reached: Reached
    away: Held | None
    roles: Sequence[tuple[Organization, str]]
    projects: Sequence[Project]
    owed: Sequence[Owed]
    updates: Sequence[Told]
    earlier: Sequence[Earlier]
    more: frozenset[str]


def around(session: Session, question: Question, referent: Referent, now: datetime, today: date) -> Around:
    roles = roles_of(session, referent.id)
    projects = _projects(session, referent.id, question.project_id)
    owed = owed_by(session, referent.id, today + SOON, limit=MOST + 1)
    updates = _updates(session, [one.id for one in projects], [one.id for one, _ in roles])
    earlier = _earlier(session, question)
    counted = {"projects": len(projects), "owed": len(owed), "updates": len(updates), "earlier": len(earlier)}
    return Around(
        referent,
        reached_by(addresses_of(session, referent.id), links_of(session, referent.id, now), referent.prefers),
        held_by(session, referent.id),
        roles,
        projects[:MOST],
        owed[:MOST],
        updates[:MOST],
        earlier[:MOST],
        frozenset(name for name, n in counted.items() if n > MOST),
    )


def _projects_query() -> Any:
    followed = select(Following.project_id).where(Following.referent_id == bindparam("referent_id"))
    first = col(Project.id) == bindparam("asked_about")
    return (
        select(Project)
        .where(or_(col(Project.id).in_(followed), first))
        .order_by(first.desc(), Project.title, col(Project.id))
        .limit(MOST + 1)
    )


_PROJECTS = _projects_query()


def _projects(session: Session, referent_id: int, asked_about: int | None) -> Sequence[Project]:
    """The one that the question is about first, whether they follow it or not."""
    # 0 is no project. With NULL the comparison would be neither, and no order.
    return session.execute(_PROJECTS, {"referent_id": referent_id, "asked_about": asked_about or 0}).scalars().all()


_UPDATES = (
    select(  # type: ignore[call-overload]
        Update.id, Update.received_at, Update.review, func.coalesce(Project.title, Organization.name), Referent.name
    )
    .select_from(Update)
    .outerjoin(Project, col(Project.id) == col(Update.project_id))
    .outerjoin(Organization, col(Organization.id) == col(Update.organization_id))
    .outerjoin(Referent, col(Referent.id) == col(Update.referent_id))
    .where(
        or_(
            col(Update.project_id).in_(bindparam("projects", expanding=True)),
            col(Update.organization_id).in_(bindparam("organizations", expanding=True)),
        )
    )
    .order_by(col(Update.received_at).desc(), col(Update.id).desc())
    .limit(MOST + 1)
)


def _updates(session: Session, projects: Sequence[int], organizations: Sequence[int]) -> Sequence[Told]:
    """The newest on these, by whomever; what they say is not opened."""
    rows = session.execute(_UPDATES, {"projects": projects, "organizations": organizations})
    return [Told(*row) for row in rows]


def _earlier_query() -> Any:
    first = (
        select(func.min(Message.id))
        .where(Message.question_id == Question.id, Message.audience == Audience.REFERENT)
        .correlate(Question)
        .scalar_subquery()
    )
    columns: Any = select(  # type: ignore[call-overload]
        Question.id, Question.state, Question.awaits, Question.created_at, Question.first_answer_at, Message.text
    )
    return (
        columns.select_from(Question)
        .outerjoin(Message, col(Message.id) == first)
        .where(Question.referent_id == bindparam("referent_id"), Question.id != bindparam("question_id"))
        .order_by(col(Question.id).desc())
        .limit(MOST + 1)
    )


_EARLIER = _earlier_query()


def _earlier(session: Session, question: Question) -> Sequence[Earlier]:
    """Their other questions, the newest first."""
    rows = session.execute(_EARLIER, {"referent_id": question.referent_id, "question_id": question.id})
    return [Earlier(*row) for row in rows]
