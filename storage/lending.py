"""Queries on what a delegation hands over: the projects that a substitute follows because of it. Decides nothing.

What a delegation makes are rows of `following` with its id; ending it removes exactly those. A project that the
substitute follows anyway is not touched, and one that becomes theirs meanwhile stays.

Standing in gives nobody another organisation's projects: those stay with the absent one, and so do their reminders.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, delete, exists, insert, literal, not_, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.delegations import Held
from storage.tables import (
    Delegation,
    Draft,
    DraftKind,
    DraftState,
    Following,
    Membership,
    Organization,
    Place,
    Project,
)

# --- what may be handed over


@dataclass(frozen=True, slots=True)
class Staying:
    """What an absent person keeps: of these organisations the substitute is none. Names and titles."""

    organizations: tuple[str, ...]
    projects: tuple[str, ...]


def staying(session: Session, referent_id: int, substitute_id: int) -> Staying:
    """What this substitute would not answer, and the absent one is still reminded of."""
    theirs = select(Membership.organization_id).where(Membership.referent_id == substitute_id)
    other = aliased(Membership)
    organizations = session.exec(
        select(Organization.name)
        .join(other, col(other.organization_id) == col(Organization.id))
        .where(other.referent_id == referent_id, col(Organization.id).not_in(theirs))
        .order_by(Organization.name)
    )
    followed = select(Following.project_id).where(Following.referent_id == substitute_id)
    mine = aliased(Following)
    projects = session.exec(
        select(Project.title)
        .join(mine, col(mine.project_id) == col(Project.id))
        .where(
            mine.referent_id == referent_id,
            col(mine.delegation_id).is_(None),
            col(Project.id).not_in(followed),
            col(Project.id).not_in(_lendable(referent_id, substitute_id)),
        )
        .order_by(Project.title, col(Project.id))
    )
    return Staying(tuple(organizations), tuple(projects))


def _lendable(referent_id: int, substitute_id: int) -> Any:
    """Ids of what one follows in their own right and the other may see: what concerns an organisation of theirs.

    What concerns none of the absent one's either was given to them for one that chooses its projects: only who is in
    all of theirs may see it.
    """
    theirs = select(Membership.organization_id).where(Membership.referent_id == substitute_id)
    mine = aliased(Membership)
    elsewhere = exists().where(col(mine.referent_id) == referent_id, col(mine.organization_id).not_in(theirs))
    followed = aliased(Following)
    return (
        select(Project.id)
        .join(followed, col(followed.project_id) == col(Project.id))
        .where(
            followed.referent_id == referent_id,
            col(followed.delegation_id).is_(None),
            or_(_concerns(substitute_id), and_(not_(_concerns(referent_id)), not_(elsewhere))),
        )
    )


def _concerns(referent_id: int) -> ColumnElement[bool]:
    """Whether a project (of the query around) is implemented by an organisation of this person, or happens there."""
    theirs = select(Membership.organization_id).where(Membership.referent_id == referent_id)
    there = select(Place.project_id).where(col(Place.organization_id).in_(theirs))
    body = col(Project.implementing_body_id)
    return or_(and_(body.is_not(None), body.in_(theirs)), col(Project.id).in_(there))


# --- handing over and taking back


def hand_over(session: Session, delegation: Delegation) -> int:
    """The substitute follows what the absent one follows and they may see, since the same day; how many are new."""
    theirs = aliased(Following)
    already = exists().where(
        col(theirs.project_id) == col(Following.project_id), col(theirs.referent_id) == delegation.substitute_id
    )
    own = select(
        literal(delegation.substitute_id), Following.project_id, Following.since, literal(delegation.id)
    ).where(
        Following.referent_id == delegation.referent_id,
        col(Following.delegation_id).is_(None),
        col(Following.project_id).in_(_lendable(delegation.referent_id, delegation.substitute_id)),
        not_(already),
    )
    columns = ["referent_id", "project_id", "since", "delegation_id"]
    return session.connection().execute(insert(Following).from_select(columns, own)).rowcount


def hand_over_more(session: Session, referent_id: int) -> None:
    """This person, perhaps away, follows something new: who stands in for them does too."""
    for row in _open(session, col(Delegation.referent_id) == referent_id):
        hand_over(session, row)


def hand_over_again(session: Session, substitute_id: int) -> None:
    """Whatever others who are away have, this person has too: after something was taken from them."""
    for row in _open(session, col(Delegation.substitute_id) == substitute_id):
        hand_over(session, row)


def _open(session: Session, which: ColumnElement[bool]) -> Sequence[Delegation]:
    return session.exec(select(Delegation).where(col(Delegation.ended_at).is_(None), which)).all()


def take_back(session: Session, delegation_id: int, now: datetime) -> bool:
    """Ends it; True for whoever comes first. What its substitute has from somebody else, too, stays until that ends."""
    over = session.connection().execute(
        update(Delegation)
        .where(col(Delegation.id) == delegation_id, col(Delegation.ended_at).is_(None))
        .values(ended_at=now)
    )
    if over.rowcount != 1:
        return False
    _remove(session, delegation_id)
    return True


def handed(session: Session, delegation_id: int) -> set[int]:
    """The projects that the substitute follows because of it."""
    return set(session.exec(select(Following.project_id).where(Following.delegation_id == delegation_id)))


def followed(session: Session, referent_id: int) -> set[int]:
    return set(session.exec(select(Following.project_id).where(Following.referent_id == referent_id)))


def titles(session: Session, project_ids: Collection[int]) -> Sequence[str]:
    """In their order."""
    these = select(Project.title).where(col(Project.id).in_(project_ids))
    return session.exec(these.order_by(Project.title, col(Project.id))).all()


def fit(session: Session, delegation_id: int) -> None:
    """Somebody's organisations have changed: takes back what may not be handed over now, hands over what may."""
    row = session.get_one(Delegation, delegation_id)
    may = _lendable(row.referent_id, row.substitute_id)
    _remove(session, delegation_id, col(Following.project_id).not_in(may))


def take_some_back(session: Session, referent_id: int, project_ids: Collection[int]) -> None:
    """The absent person follows these no more: nor does who stands in for them."""
    for row in _open(session, col(Delegation.referent_id) == referent_id):
        _remove(session, row.id, col(Following.project_id).in_(project_ids))


def _remove(session: Session, delegation_id: int, *which: ColumnElement[bool]) -> None:
    substitute_id = session.exec(select(Delegation.substitute_id).where(Delegation.id == delegation_id)).one()
    session.execute(
        delete(Following)
        .where(col(Following.delegation_id) == delegation_id, *which)
        .execution_options(synchronize_session="fetch")
    )
    hand_over_again(session, substitute_id)


def keep_as_own(session: Session, referent_id: int, project_ids: Collection[int]) -> int:
    """What this person follows only for an absent colleague is theirs in their own right from now on; how many."""
    lent = col(Following.delegation_id).is_not(None)
    theirs = update(Following).where(col(Following.referent_id) == referent_id, lent)
    kept: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        theirs.where(col(Following.project_id).in_(project_ids))
        .values(delegation_id=None)
        .execution_options(synchronize_session="fetch")
    )
    return kept.rowcount


def begun_there(session: Session, held: Held) -> Sequence[str]:
    """The projects on which the substitute has begun an update that goes when this ends; their titles."""
    lent = select(Following.project_id).where(Following.delegation_id == held.id)
    return _titles_of(session, _begun(held.substitute_id), col(Draft.project_id).in_(lent))


def drop_drafts(session: Session, referent_id: int, now: datetime) -> Sequence[str]:
    """Cancels the updates a person has begun on projects that are not theirs any more; the projects' titles."""
    theirs = select(Following.project_id).where(Following.referent_id == referent_id)
    begun = (*_begun(referent_id), col(Draft.project_id).not_in(theirs))
    dropped = _titles_of(session, begun)
    session.connection().execute(
        update(Draft).where(*begun).values(state=DraftState.CANCELLED, revision=col(Draft.revision) + 1, touched_at=now)
    )
    return dropped


def _begun(referent_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Draft.referent_id) == referent_id,
        col(Draft.kind) == DraftKind.UPDATE,
        col(Draft.state).in_((DraftState.OPEN, DraftState.PARKED)),
        col(Draft.project_id).is_not(None),
    )


def _titles_of(session: Session, begun: tuple[ColumnElement[bool], ...], *more: ColumnElement[bool]) -> Sequence[str]:
    query = select(Project.title).join(Draft, col(Draft.project_id) == col(Project.id)).where(*begun, *more)
    return session.exec(query.distinct().order_by(Project.title)).all()
