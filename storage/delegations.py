"""Queries on delegations: who stands in for whom until when, and the projects followed because of it. Decides nothing.

What a delegation makes are rows of `following` with its id; ending it removes exactly those. A project that the
substitute follows anyway is not touched, and one that becomes theirs meanwhile stays.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, exists, insert, literal, not_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.people import reached
from storage.tables import Delegation, Draft, DraftKind, DraftState, Following, Membership, Referent


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


def away_among(session: Session, referent_ids: Collection[int]) -> set[int]:
    """Those of these people for whom a colleague answers now, and can be told."""
    return set(
        session.exec(
            select(Delegation.referent_id).where(
                col(Delegation.referent_id).in_(referent_ids),
                col(Delegation.ended_at).is_(None),
                reached(col(Delegation.substitute_id)),
            )
        )
    )


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


def take_back(session: Session, delegation_id: int, now: datetime) -> bool:
    """Ends it; True for whoever comes first."""
    over = session.connection().execute(
        update(Delegation)
        .where(col(Delegation.id) == delegation_id, col(Delegation.ended_at).is_(None))
        .values(ended_at=now)
    )
    if over.rowcount != 1:
        return False
    session.execute(
        delete(Following)
        .where(col(Following.delegation_id) == delegation_id)
        .execution_options(synchronize_session="fetch")
    )
    return True


def drop_drafts(session: Session, referent_id: int, now: datetime) -> int:
    """Cancels the updates a person has begun on projects that are not theirs any more; how many."""
    theirs = select(Following.project_id).where(Following.referent_id == referent_id)
    changed = session.connection().execute(
        update(Draft)
        .where(
            col(Draft.referent_id) == referent_id,
            col(Draft.kind) == DraftKind.UPDATE,
            col(Draft.state).in_((DraftState.OPEN, DraftState.PARKED)),
            col(Draft.project_id).is_not(None),
            col(Draft.project_id).not_in(theirs),
        )
        .values(state=DraftState.CANCELLED, revision=col(Draft.revision) + 1, touched_at=now)
    )
    return changed.rowcount
