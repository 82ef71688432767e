"""Queries on "away from … to …": what somebody has planned, and which plans begin today. Decides nothing."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import exists, not_, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from storage.people import here, reached
from storage.tables import Delegation, Membership, Referent


@dataclass(frozen=True, slots=True)
class Beginning:
    """An absence whose first day has come, with somebody who can stand in."""

    referent_id: int
    substitute_id: int
    until: date


def plan(session: Session, referent_id: int, substitute_id: int | None, first: date, last: date) -> None:
    values: dict[str, Any] = {"away_from": first, "away_until": last, "substitute_id": substitute_id}
    _set(session, [col(Referent.id) == referent_id], values)


def forget(session: Session, referent_id: int) -> None:
    _set(session, [col(Referent.id) == referent_id], {"away_from": None, "away_until": None})


def forget_begun(session: Session, referent_id: int, today: date) -> None:
    """It was ended early: one that is still to come stays."""
    begun = [col(Referent.id) == referent_id, col(Referent.away_from) <= today]
    _set(session, begun, {"away_from": None, "away_until": None})


def forget_over(session: Session, today: date) -> None:
    _set(session, [col(Referent.away_until) < today], {"away_from": None, "away_until": None})


def next_to_begin(session: Session, today: date) -> Beginning | None:
    """Only where the substitute is a colleague whom something reaches and who is here: else it waits for that."""
    mine, theirs = aliased(Membership), aliased(Membership)
    colleagues = exists().where(
        col(mine.referent_id) == col(Referent.id),
        col(theirs.referent_id) == col(Referent.substitute_id),
        col(mine.organization_id) == col(theirs.organization_id),
    )
    held = exists().where(
        or_(
            col(Delegation.referent_id) == col(Referent.id),
            col(Delegation.referent_id) == col(Referent.substitute_id),
        ),
        col(Delegation.ended_at).is_(None),
    )
    row = session.exec(
        select(Referent)
        .where(
            col(Referent.away_from) <= today,
            col(Referent.away_until) >= today,
            here(),
            col(Referent.substitute_id) != col(Referent.id),
            colleagues,
            reached(col(Referent.substitute_id)),
            not_(held),
        )
        .order_by(col(Referent.id))
        .limit(1)
    ).first()
    if row is None or row.substitute_id is None or row.away_until is None:
        return None
    return Beginning(row.id, row.substitute_id, row.away_until)


def away_today(session: Session, referent_ids: Collection[int], today: date) -> dict[int, date]:
    """Those of these people who have planned to be away now → their last day, whether somebody stands in or not."""
    now_away = (col(Referent.away_from) <= today, col(Referent.away_until) >= today)
    rows = session.exec(select(Referent).where(col(Referent.id).in_(referent_ids), *now_away))
    return {one.id: one.away_until for one in rows if one.away_until is not None}


def _set(session: Session, which: Collection[Any], values: dict[str, Any]) -> None:
    session.execute(update(Referent).where(*which).values(**values).execution_options(synchronize_session="fetch"))
