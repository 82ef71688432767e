"""Which role somebody has in which question: the account's own, or a local one where the question falls in it.

The most specific local role counts (category and group before one of them), of two alike the stronger. Administrators
are that everywhere. One expression says so for one question, for a list and for a notice. Decides nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, func, literal, or_
from sqlmodel import Session, col, select

from storage.tables import (
    Category,
    Following,
    GroupMember,
    LocalRole,
    Membership,
    MunicipalityGroup,
    Place,
    Question,
    QuestionState,
    Role,
    Staff,
)

RANKS: Mapping[Role, int] = {Role.READER: 0, Role.VOLUNTEER: 1, Role.OFFICER: 2, Role.ADMIN: 3}
_ROLES = {rank: role for role, rank in RANKS.items()}
_BOTH = 10  # more than any rank: a role for category and group goes before one for either


@dataclass(frozen=True, slots=True)
class Entrusted:
    """A local role with the names of what it is for; None: whatever category, whatever municipality."""

    row: LocalRole
    category: Category | None
    group: MunicipalityGroup | None


def role_of(session: Session, staff_id: int, question_id: int) -> Role | None:
    """The role of this person in this question; None when one of the two is not there."""
    found = session.execute(_rank_of(), {"staff_id": staff_id, "question_id": question_id}).scalar_one_or_none()
    return _ROLES[found] if found is not None else None


# Every page of a question asks these two: built once.


@cache
def _rank_of() -> Any:
    return (
        select(rank_in_question())
        .select_from(Staff)
        .join(Question, col(Question.id) == bindparam("question_id"))
        .where(Staff.id == bindparam("staff_id"))
    )


@cache
def _everybody() -> Any:
    return (
        select(Staff, rank_in_question())
        .join(Question, col(Question.id) == bindparam("question_id"))
        .where(col(Staff.active))
        .order_by(func.lower(Staff.name), col(Staff.id))
    )


def rank_in_question() -> ColumnElement[int]:
    """The rank (in the query around) of `Staff` in `Question`."""
    specific = case((col(LocalRole.category_id).is_not(None) & col(LocalRole.group_id).is_not(None), _BOTH), else_=0)
    local = (
        select(func.max(specific + _rank(LocalRole.role)))
        .where(LocalRole.staff_id == Staff.id, falls_in())
        .correlate(Staff, Question)
        .scalar_subquery()
    )
    own: Any = _rank(Staff.role)
    return case((col(Staff.role) == Role.ADMIN, own), else_=func.coalesce(local % _BOTH, own))


def may_work_on() -> ColumnElement[bool]:
    """Whether (in the query around) `Staff` may work on `Question`."""
    return rank_in_question() >= RANKS[Role.VOLUNTEER]


def reads_only() -> ColumnElement[bool]:
    """Whether (in the query around) `Staff` may only read `Question`."""
    return rank_in_question() == RANKS[Role.READER]


def may_approve() -> ColumnElement[bool]:
    """Whether (in the query around) `Staff` may approve the answer that waits on `Question`."""
    return rank_in_question() >= RANKS[Role.OFFICER]


def falls_in() -> ColumnElement[bool]:
    """Whether (in the query around) `Question` falls in `LocalRole`.

    In a group fall the questions of whoever belongs to one of its organisations, and those about a project there.
    """
    theirs = (
        select(GroupMember.group_id)
        .join(Membership, col(Membership.organization_id) == col(GroupMember.organization_id))
        .where(GroupMember.group_id == LocalRole.group_id, Membership.referent_id == Question.referent_id)
        .correlate(LocalRole, Question)
        .exists()
    )
    there = (
        select(GroupMember.group_id)
        .join(Place, col(Place.organization_id) == col(GroupMember.organization_id))
        .where(GroupMember.group_id == LocalRole.group_id, Place.project_id == Question.project_id)
        .correlate(LocalRole, Question)
        .exists()
    )
    return and_(
        or_(col(LocalRole.category_id).is_(None), col(LocalRole.category_id) == col(Question.category_id)),
        or_(col(LocalRole.group_id).is_(None), theirs, there),
    )


def entrusted_to(staff_id: int) -> ColumnElement[bool]:
    """Whether (in the query around) `Question` is open and falls where this person has a role of their own."""
    found = (
        select(LocalRole.id)
        .where(LocalRole.staff_id == staff_id, LocalRole.role != Role.READER, falls_in())
        .correlate(Question)
        .exists()
    )
    return (col(Question.state) != QuestionState.CLOSED) & found


def entrusted_count(session: Session, staff_id: int) -> int:
    found: int = session.execute(select(func.count()).select_from(Question).where(entrusted_to(staff_id))).scalar_one()
    return found


def everybody(session: Session, question_id: int) -> Sequence[tuple[Staff, Role]]:
    """Everybody who works here now, by name, with their role in this question."""
    return [(person, _ROLES[rank]) for person, rank in session.execute(_everybody(), {"question_id": question_id})]


def strongest(session: Session, person: Staff) -> Role:
    """The most that this person is anywhere."""
    local = session.execute(select(func.max(_rank(LocalRole.role))).where(LocalRole.staff_id == person.id)).scalar_one()
    return _ROLES[max(RANKS[person.role], local or 0)]


_SOMEWHERE_TOO = (
    select(LocalRole.id).where(LocalRole.staff_id == Staff.id, LocalRole.role != Role.READER).correlate(Staff).exists()
)
_WORKERS = (
    select(Staff)
    .where(col(Staff.active), or_(col(Staff.role) != Role.READER, _SOMEWHERE_TOO))
    .order_by(col(Staff.name), col(Staff.id))
)


def workers(session: Session) -> Sequence[Staff]:
    """Who works on questions, all of them or a part, by name."""
    return session.exec(_WORKERS).all()


_SOMEWHERE = (
    select(LocalRole.id).where(LocalRole.staff_id == bindparam("staff_id"), LocalRole.role != Role.READER).limit(1)
)


def works_somewhere(session: Session, staff_id: int) -> bool:
    """Whether a local role, at least one, lets this person do more than read."""
    return session.exec(_SOMEWHERE, params={"staff_id": staff_id}).first() is not None


def works_for(session: Session, staff_id: int, referent_id: int) -> bool:
    """Whether a local role lets this person work on a new question of that referent, or on one about their projects."""
    theirs = (
        select(GroupMember.group_id)
        .join(Membership, col(Membership.organization_id) == col(GroupMember.organization_id))
        .where(Membership.referent_id == referent_id)
    )
    there = (
        select(GroupMember.group_id)
        .join(Place, col(Place.organization_id) == col(GroupMember.organization_id))
        .join(Following, col(Following.project_id) == col(Place.project_id))
        .where(Following.referent_id == referent_id)
    )
    wanted = select(LocalRole.id).where(
        LocalRole.staff_id == staff_id,
        LocalRole.role != Role.READER,
        col(LocalRole.category_id).is_(None),
        or_(col(LocalRole.group_id).in_(theirs), col(LocalRole.group_id).in_(there)),
    )
    return session.exec(wanted.limit(1)).first() is not None


def works_on_some_of(session: Session, staff_id: int, referent_id: int, *, most: int) -> Sequence[Question]:
    """Questions of that referent on which this person may work, the newest first. Merged ones lie elsewhere."""
    return session.exec(
        select(Question)
        .join(Staff, col(Staff.id) == staff_id)
        .where(Question.referent_id == referent_id, col(Question.merged_into_id).is_(None), may_work_on())
        .order_by(col(Question.id).desc())
        .limit(most)
    ).all()


# --- the local roles themselves


def roles_of(session: Session, staff_id: int) -> Sequence[Entrusted]:
    """Those of one person, the most specific first."""
    rows = session.execute(
        select(LocalRole, Category, MunicipalityGroup)
        .outerjoin(Category, col(Category.id) == col(LocalRole.category_id))
        .outerjoin(MunicipalityGroup, col(MunicipalityGroup.id) == col(LocalRole.group_id))
        .where(LocalRole.staff_id == staff_id)
        .order_by(
            (col(LocalRole.category_id).is_(None) | col(LocalRole.group_id).is_(None)),
            func.lower(Category.name),
            func.lower(MunicipalityGroup.name),
            col(LocalRole.id),
        )
    )
    return [Entrusted(*row) for row in rows]


def same_place(session: Session, staff_id: int, category_id: int | None, group_id: int | None) -> LocalRole | None:
    """The role this person has for exactly this category and group."""
    return session.exec(
        select(LocalRole).where(
            LocalRole.staff_id == staff_id,
            col(LocalRole.category_id).is_not_distinct_from(category_id),
            col(LocalRole.group_id).is_not_distinct_from(group_id),
        )
    ).first()


def person_alone(session: Session, staff_id: int) -> Staff | None:
    """Until the commit nobody else gets them so: two administrators give roles one after the other."""
    return session.exec(select(Staff).where(Staff.id == staff_id).with_for_update()).first()


def take_role(session: Session, staff_id: int, role_id: int) -> LocalRole | None:
    """Takes it away; what it was, or None when it is none of theirs."""
    row = session.get(LocalRole, role_id)
    if row is None or row.staff_id != staff_id:
        return None
    session.execute(delete(LocalRole).where(col(LocalRole.id) == role_id))
    return row


def counts_by_person(session: Session) -> Mapping[int, int]:
    """How many local roles each has."""
    rows = session.execute(select(LocalRole.staff_id, func.count()).group_by(col(LocalRole.staff_id)))
    return {row[0]: row[1] for row in rows}


def _rank(role: Any) -> Any:
    return case(*((role == one, literal(rank)) for one, rank in RANKS.items()), else_=literal(0))
