"""Queries about who belongs to an organisation and what they follow because of it. Decides nothing, never commits."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import CursorResult, delete
from sqlmodel import Session, col, select

from storage.lending import hand_over_again, take_some_back
from storage.projects import projects_of_organization
from storage.tables import Following, Membership, Project, Referent
from storage.touched import touch


def membership_of(session: Session, referent_id: int, organization_id: int) -> Membership | None:
    return session.get(Membership, (referent_id, organization_id))


def own_following(session: Session, referent_id: int, project_id: int) -> Following | None:
    """When they follow the project themselves, and not in another's place."""
    found = session.get(Following, (referent_id, project_id))
    return found if found is not None and found.delegation_id is None else None


def only_there(session: Session, referent_id: int, organization_id: int) -> Sequence[Project]:
    """The projects that they follow themselves and that concern no other organisation of theirs, by title."""
    others = select(Membership.organization_id).where(
        Membership.referent_id == referent_id, Membership.organization_id != organization_id
    )
    elsewhere = {id_ for other in session.exec(others).all() for id_ in projects_of_organization(session, other)}
    there = [id_ for id_ in projects_of_organization(session, organization_id) if id_ not in elsewhere]
    return session.exec(
        select(Project)
        .join(Following, col(Following.project_id) == col(Project.id))
        .where(
            Following.referent_id == referent_id,
            col(Following.delegation_id).is_(None),
            col(Project.id).in_(there),
        )
        .order_by(Project.title, col(Project.id))
    ).all()


def remove_membership(session: Session, referent_id: int, organization_id: int) -> bool:
    """False when somebody was quicker."""
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # a DELETE gives a CursorResult
        delete(Membership)
        .where(col(Membership.referent_id) == referent_id, col(Membership.organization_id) == organization_id)
        .execution_options(synchronize_session="fetch")
    )
    touch(session, Referent, [referent_id])
    return result.rowcount == 1


def unfollow(session: Session, referent_id: int, project_ids: Collection[int]) -> int:
    """They no longer follow these themselves, nor does who stands in for them; how many there were.

    What they also have from somebody who is away stays with them until that one is back.
    """
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # a DELETE gives a CursorResult
        delete(Following)
        .where(
            col(Following.referent_id) == referent_id,
            col(Following.project_id).in_(project_ids),
            col(Following.delegation_id).is_(None),
        )
        .execution_options(synchronize_session="fetch")
    )
    take_some_back(session, referent_id, project_ids)
    hand_over_again(session, referent_id)
    return result.rowcount
