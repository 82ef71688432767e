"""Queries on delegations: who stands in for whom until when, and which reminders are left to them. Decides nothing.

Which projects go over to the substitute, and back, is in `storage/lending.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, not_, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.obligations import concerns
from storage.people import reached
from storage.tables import (
    Delegation,
    Following,
    Membership,
    Obligation,
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
    row = session.execute(_held_by(), {"referent_id": referent_id}).first()
    return Held(*row) if row is not None else None


def standing_in(session: Session, substitute_id: int) -> Sequence[Held]:
    """For whom this person stands in now."""
    return _held(session, Delegation.substitute_id == substitute_id)


def held_with(session: Session, referent_id: int) -> Sequence[Held]:
    """All that hold in which this person is away or stands in."""
    return _held(session, or_(col(Delegation.referent_id) == referent_id, col(Delegation.substitute_id) == referent_id))


def away_until(session: Session, referent_ids: Collection[int]) -> dict[int, date]:
    """Those of these people who are away now → their last day."""
    theirs = select(Delegation).where(col(Delegation.referent_id).in_(referent_ids))
    return {row.referent_id: row.until for row in session.exec(theirs.where(col(Delegation.ended_at).is_(None)))}


def next_over(session: Session, today: date) -> Held | None:
    """One whose last day is behind us."""
    return next(iter(_held(session, col(Delegation.until) < today)), None)


def _held(session: Session, which: Any) -> Sequence[Held]:
    return [Held(*row) for row in session.execute(_that_hold(which))]


@cache
def _held_by() -> Any:
    """Every page of a question asks: built once."""
    return _that_hold(col(Delegation.referent_id) == bindparam("referent_id"))


def _that_hold(which: Any) -> Any:
    absent, substitute = aliased(Referent), aliased(Referent)
    columns: Any = select(  # type: ignore[call-overload]
        Delegation.id,
        Delegation.referent_id,
        absent.name,
        Delegation.substitute_id,
        substitute.name,
        Delegation.until,
    )
    return (
        columns.join(absent, col(absent.id) == col(Delegation.referent_id))
        .join(substitute, col(substitute.id) == col(Delegation.substitute_id))
        .where(col(Delegation.ended_at).is_(None), which)
        .order_by(col(Delegation.id))
    )


def colleagues(session: Session, referent_id: int) -> Sequence[Referent]:
    """People of the same organisations whom a message reaches, by name."""
    own = select(Membership.organization_id).where(Membership.referent_id == referent_id)
    same = exists().where(col(Membership.referent_id) == col(Referent.id), col(Membership.organization_id).in_(own))
    return session.exec(
        select(Referent)
        .where(Referent.id != referent_id, same, reached(col(Referent.id)))
        .order_by(Referent.name, col(Referent.id))
    ).all()


def share_an_organization(session: Session, one_id: int, other_id: int) -> bool:
    theirs = select(Membership.organization_id).where(Membership.referent_id == other_id)
    mine = select(Membership.organization_id).where(Membership.referent_id == one_id)
    return session.exec(mine.where(col(Membership.organization_id).in_(theirs.correlate(None)))).first() is not None


# --- what is told to whom


def left_to_substitutes(session: Session, due: Mapping[int, Collection[int]], today: date) -> dict[int, set[int]]:
    """Person → those of their obligations of which they need not be told: who stands in for them is.

    Not while nothing reaches that one, or they are away themselves: two who stand in for each other hear both.
    """
    left: dict[int, set[int]] = {referent_id: set() for referent_id in due}
    given = session.exec(
        select(Delegation.referent_id, Delegation.substitute_id).where(
            *_in_force(today), col(Delegation.referent_id).in_(due), _listens(today)
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
        _listens(today),
        col(Obligation.id) == obligation_id,
        concerns(col(Delegation.substitute_id)),
    )


def _in_force(today: date) -> tuple[ColumnElement[bool], ...]:
    """Its last day is over a moment before it is ended."""
    return (col(Delegation.ended_at).is_(None), col(Delegation.until) >= today)


def _listens(today: date) -> ColumnElement[bool]:
    """Whether who stands in hears of it: something reaches them, and they are not away themselves."""
    theirs = aliased(Delegation)
    away = exists().where(
        col(theirs.referent_id) == col(Delegation.substitute_id),
        col(theirs.ended_at).is_(None),
        col(theirs.until) >= today,
    )
    return and_(reached(col(Delegation.substitute_id)), not_(away))


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
