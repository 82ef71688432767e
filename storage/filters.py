"""Which questions of the queue somebody wants to see, as a part of a query. And the filters kept under a name.

Decides nothing about who may.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, bindparam, delete, func, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from storage.local_roles import entrusted_to
from storage.tables import (
    Channel,
    Membership,
    Organization,
    OrganizationKind,
    Programme,
    Project,
    Question,
    QuestionState,
    QuestionTag,
    SavedFilter,
    Staff,
)

WAITING = (QuestionState.NEW, QuestionState.TAKEN, QuestionState.PROPOSED)
MOST_COUNTED = 100  # of a saved filter: beyond it nobody needs the number


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What of a heap is wanted. `staff_id`: in whose hands; 0: in nobody's. `late`: due and not answered.

    `entrusted_to`: open, and where this person has a role of their own.
    """

    category_id: int | None = None
    tag_id: int | None = None
    channel: Channel | None = None
    staff_id: int | None = None
    organization_id: int | None = None
    programme_id: int | None = None
    urgent: bool = False
    late: bool = False
    entrusted_to: int | None = None


def conditions(wanted: Narrowed, now: datetime) -> list[ColumnElement[bool]]:
    """What holds of every question that is wanted."""
    found: list[ColumnElement[bool]] = []
    if wanted.category_id is not None:
        found.append(col(Question.category_id) == wanted.category_id)
    if wanted.channel is not None:
        found.append(col(Question.channel) == wanted.channel)
    if wanted.staff_id is not None:
        found.append(_in_hands_of(wanted.staff_id))
    if wanted.urgent:
        found.append(col(Question.urgent).is_(True))
    if wanted.late:
        found.append(col(Question.state).in_(WAITING) & (col(Question.due_at) < now))
    if wanted.entrusted_to is not None:
        found.append(entrusted_to(wanted.entrusted_to))
    return [*found, *_elsewhere(wanted)]


def _in_hands_of(staff_id: int) -> ColumnElement[bool]:
    return col(Question.taken_by).is_(None) if staff_id == 0 else col(Question.taken_by) == staff_id


def _elsewhere(wanted: Narrowed) -> list[ColumnElement[bool]]:
    """What stands in other tables than the question's own."""
    found: list[ColumnElement[bool]] = []
    if wanted.tag_id is not None:
        tagged = select(QuestionTag.question_id).where(QuestionTag.tag_id == wanted.tag_id)
        found.append(col(Question.id).in_(tagged))
    if wanted.organization_id is not None:
        people = select(Membership.referent_id).where(Membership.organization_id == wanted.organization_id)
        found.append(col(Question.referent_id).in_(people))
    if wanted.programme_id is not None:
        projects = select(Project.id).where(Project.programme_id == wanted.programme_id)
        found.append(col(Question.project_id).in_(projects))
    return found


# --- what may be chosen


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a list, as it is chosen and named."""

    id: int
    name: str


_MUNICIPALITIES = (
    select(Organization.id, Organization.name)
    .where(col(Organization.id).in_(select(Membership.organization_id)))
    .order_by(col(Organization.kind) != OrganizationKind.MUNICIPALITY, Organization.name)
)
_PROGRAMMES = select(Programme.id, Programme.name).order_by(Programme.code)


def municipalities(session: Session) -> Sequence[Choice]:
    """Those of which we know somebody, and other organisations after them."""
    return [Choice(*row) for row in session.execute(_MUNICIPALITIES)]


def programmes(session: Session) -> Sequence[Choice]:
    return [Choice(*row) for row in session.execute(_PROGRAMMES)]


# --- kept under a name


_SAVED = (
    select(SavedFilter, Staff.name)
    .join(Staff, col(Staff.id) == col(SavedFilter.staff_id))
    .where(or_(col(SavedFilter.staff_id) == bindparam("staff_id"), col(SavedFilter.shared)))
    .order_by(func.lower(SavedFilter.name), col(SavedFilter.id))
)


def saved_for(session: Session, staff_id: int) -> Sequence[tuple[SavedFilter, str]]:
    """A person's own and those that all see, by name, each with whose it is."""
    return [(row[0], row[1]) for row in session.execute(_SAVED, {"staff_id": staff_id})]


def count_own(session: Session, staff_id: int) -> int:
    return session.exec(select(func.count()).select_from(SavedFilter).where(SavedFilter.staff_id == staff_id)).one()


def keep(session: Session, kept: SavedFilter) -> bool:
    """False when they have one of this name already."""
    try:
        with session.begin_nested():
            session.add(kept)
            session.flush()
    except IntegrityError:
        return False
    return True


def rename(session: Session, filter_id: int, **values: Any) -> bool:
    """False when its owner has another one of this name."""
    try:
        with session.begin_nested():
            session.execute(update(SavedFilter).where(col(SavedFilter.id) == filter_id).values(**values))
    except IntegrityError:
        return False
    return True


def forget(session: Session, filter_id: int) -> bool:
    """False when somebody was quicker."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        delete(SavedFilter).where(col(SavedFilter.id) == filter_id)
    )
    return done.rowcount == 1
