"""Queries on delegations: who stands in for whom until when, and the projects followed because of it. Decides nothing.

What a delegation makes are rows of `following` with its id; ending it removes exactly those. A project that the
substitute follows anyway is not touched, and one that becomes theirs meanwhile stays.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, delete, exists, insert, literal, not_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.obligations import concerns
from storage.people import reached
from storage.tables import (
    Delegation,
    Draft,
    DraftKind,
    DraftState,
    Following,
    Membership,
    Obligation,
    Project,
    Referent,
)


@dataclass(frozen=True, slots=True)
class Held:
    """A delegation that holds, with the names for those who look at it."""

    id: int
    referent_id: int
    referent: str
    substitute_id: int
    substitute: str
    until: date


def held_by(session: Session, referent_id: int) -> Held | None:
    """Who stands in for this person now."""
    return next(iter(_held(session, Delegation.referent_id == referent_id)), None)


def standing_in(session: Session, substitute_id: int) -> Sequence[Held]:
    """For whom this person stands in now."""
    return _held(session, Delegation.substitute_id == substitute_id)


def next_over(session: Session, today: date) -> Held | None:
    """One whose last day is behind us."""
    return next(iter(_held(session, col(Delegation.until) < today)), None)


def _held(session: Session, which: object) -> Sequence[Held]:
    absent, substitute = aliased(Referent), aliased(Referent)
    rows = session.exec(
        select(
            Delegation.id,
            Delegation.referent_id,
            absent.name,
            Delegation.substitute_id,
            substitute.name,
            Delegation.until,
        )  # type: ignore[call-overload]
        .join(absent, absent.id == Delegation.referent_id)
        .join(substitute, substitute.id == Delegation.substitute_id)
        .where(col(Delegation.ended_at).is_(None), which)
        .order_by(Delegation.id)
    )
    return [Held(*row) for row in rows]


def colleagues(session: Session, referent_id: int) -> Sequence[Referent]:
    """People of the same organisations whom a message reaches, by name."""
    own = select(Membership.organization_id).where(Membership.referent_id == referent_id)
    same = exists().where(col(Membership.referent_id) == col(Referent.id), col(Membership.organization_id).in_(own))
    return session.exec(
        select(Referent)
        .where(Referent.id != referent_id, same, reached(col(Referent.id)))
        .order_by(Referent.name, col(Referent.id))
    ).all()


def is_reached(session: Session, referent_id: int) -> bool:
    return (
        session.exec(select(Referent.id).where(Referent.id == referent_id, reached(col(Referent.id)))).first()
        is not None
    )


# --- what is told to whom


def left_to_substitutes(session: Session, due: Mapping[int, Collection[int]], today: date) -> dict[int, set[int]]:
    """Person → those of their obligations of which they need not be told: who stands in for them is, and is reached."""
    left: dict[int, set[int]] = {referent_id: set() for referent_id in due}
    given = session.exec(
        select(Delegation.referent_id, Delegation.substitute_id).where(
            *_in_force(today), col(Delegation.referent_id).in_(due), reached(col(Delegation.substitute_id))
        )
    )
    for referent_id, substitute_id in given.all():
        theirs = select(Obligation.id).where(col(Obligation.id).in_(due[referent_id]), concerns(substitute_id))
        left[referent_id] = set(session.exec(theirs))
    return left


def is_left_to_substitute(referent_id: Any, obligation_id: Any, today: date) -> ColumnElement[bool]:
    """The same as a condition on (person, obligation) of the query around."""
    return exists().where(
        *_in_force(today),
        col(Delegation.referent_id) == referent_id,
        reached(col(Delegation.substitute_id)),
        col(Obligation.id) == obligation_id,
        concerns(col(Delegation.substitute_id)),
    )


def _in_force(today: date) -> tuple[ColumnElement[bool], ...]:
    """Its last day is over a moment before it is ended."""
    return (col(Delegation.ended_at).is_(None), col(Delegation.until) >= today)


def lent_projects(session: Session, substitute_id: int) -> dict[int, Held]:
    """Project → the absence because of which this person follows it."""
    held = {one.id: one for one in standing_in(session, substitute_id)}
    rows = session.exec(
        select(Following.project_id, Following.delegation_id).where(
            Following.referent_id == substitute_id, col(Following.delegation_id).in_(list(held))
        )
    )
    return {project_id: held[delegation_id] for project_id, delegation_id in rows if delegation_id is not None}


def who_lends(session: Session, project_id: int) -> dict[int, str]:
    """Follower → the name of the absent person because of whom they follow this project."""
    rows = session.exec(
        select(Following.referent_id, Referent.name)
        .join(Delegation, col(Delegation.id) == col(Following.delegation_id))
        .join(Referent, col(Referent.id) == col(Delegation.referent_id))
        .where(Following.project_id == project_id)
    )
    return dict(rows.all())  # a result has keys(): dict() alone takes it for a mapping


# --- handing over and taking back


def hand_over(session: Session, delegation: Delegation) -> int:
    """The substitute follows what the absent one follows in their own right, since the same day; how many are new."""
    theirs = aliased(Following)
    already = exists().where(
        col(theirs.project_id) == col(Following.project_id), col(theirs.referent_id) == delegation.substitute_id
    )
    own = select(
        literal(delegation.substitute_id), Following.project_id, Following.since, literal(delegation.id)
    ).where(Following.referent_id == delegation.referent_id, col(Following.delegation_id).is_(None), not_(already))
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


def drop_drafts(session: Session, referent_id: int, now: datetime) -> Sequence[str]:
    """Cancels the updates a person has begun on projects that are not theirs any more; the projects' titles."""
    theirs = select(Following.project_id).where(Following.referent_id == referent_id)
    begun = (
        col(Draft.referent_id) == referent_id,
        col(Draft.kind) == DraftKind.UPDATE,
        col(Draft.state).in_((DraftState.OPEN, DraftState.PARKED)),
        col(Draft.project_id).is_not(None),
        col(Draft.project_id).not_in(theirs),
    )
    titles = select(Project.title).join(Draft, col(Draft.project_id) == col(Project.id)).where(*begun).distinct()
    dropped = session.exec(titles.order_by(Project.title)).all()
    session.connection().execute(
        update(Draft).where(*begun).values(state=DraftState.CANCELLED, revision=col(Draft.revision) + 1, touched_at=now)
    )
    return dropped
