"""All that was decided about an obligation or a person, and what came back. Only looks; words nothing.

What is to come is in `storage/to_come.py`, what became of each message in `storage/sendings.py`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col
from sqlmodel import select as rows_of

from storage.tables import (
    Again,
    Audit,
    Channel,
    Decision,
    Extension,
    ExtensionState,
    Obligation,
    Organization,
    Outcome,
    Reason,
    Referent,
    Rung,
    Snooze,
    Staff,
    Step,
    Unit,
    Update,
)
from storage.to_come import ABOUT, with_subject


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision about one step. `who`: the referent, organisation or colleague; "" when there was nobody."""

    id: int
    obligation_id: int
    offset_days: int
    unit: Unit
    outcome: Outcome
    reason: Reason
    at: datetime
    outbox_id: int | None
    person_id: int | None
    who: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class ToldAgain:
    """What one person is to be told again. `outcome` None: it waits until `again_at`."""

    id: int
    obligation_id: int
    why: Again
    created_at: datetime
    again_at: datetime
    outcome: Outcome | None
    reason: Reason | None
    at: datetime | None
    outbox_id: int | None
    person_id: int
    who: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """An update that came in for an obligation."""

    id: int
    at: datetime
    channel: Channel
    unchanged: bool
    person_id: int | None
    who: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody asked for more time, and what was decided."""

    wanted_on: date
    state: ExtensionState
    granted_on: date | None
    asked_at: datetime
    decided_at: datetime | None
    person_id: int
    who: str


# --- decided


def decisions(
    session: Session,
    *,
    obligation_id: int | None = None,
    referent_id: int | None = None,
    ids: Collection[int] | None = None,
    limit: int = 500,
) -> list[Decided]:
    """About one obligation, in order; or about one person, the newest `limit`."""
    told: Any = with_subject(
        select(
            col(Decision.id),
            col(Step.obligation_id),
            col(Rung.offset_days),
            col(Rung.unit),
            col(Decision.outcome),
            col(Decision.reason),
            col(Decision.decided_at),
            col(Decision.outbox_id),
            col(Decision.referent_id),
            func.coalesce(Referent.name, _BODY.c.name, Staff.name, ""),
            ABOUT,
        )
        .join(Step, col(Step.id) == col(Decision.step_id))
        .join(Rung, col(Rung.id) == col(Step.rung_id))
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .outerjoin(Referent, col(Referent.id) == col(Decision.referent_id))
        .outerjoin(_BODY, _BODY.c.id == col(Decision.organization_id))
        .outerjoin(Staff, col(Staff.id) == col(Decision.staff_id))
    )
    if obligation_id is not None:
        told = told.where(col(Step.obligation_id) == obligation_id)
    if ids is not None:
        told, limit = told.where(col(Decision.id).in_(ids)), len(ids)
    if referent_id is not None:
        told = told.where(col(Decision.referent_id) == referent_id)
    return [Decided(*row) for row in session.execute(told.order_by(col(Decision.id).desc()).limit(limit))][::-1]


def told_again(
    session: Session,
    *,
    obligation_id: int | None = None,
    referent_id: int | None = None,
    ids: Collection[int] | None = None,
    limit: int = 500,
) -> list[ToldAgain]:
    """The same of what was to be told again."""
    rows: Any = with_subject(
        select(
            col(Snooze.id),
            col(Snooze.obligation_id),
            col(Snooze.why),
            col(Snooze.created_at),
            col(Snooze.again_at),
            col(Snooze.outcome),
            col(Snooze.reason),
            col(Snooze.decided_at),
            col(Snooze.outbox_id),
            col(Snooze.referent_id),
            col(Referent.name),
            ABOUT,
        )
        .join(Obligation, col(Obligation.id) == col(Snooze.obligation_id))
        .join(Referent, col(Referent.id) == col(Snooze.referent_id))
    )
    if obligation_id is not None:
        rows = rows.where(col(Snooze.obligation_id) == obligation_id)
    if ids is not None:
        rows, limit = rows.where(col(Snooze.id).in_(ids)), len(ids)
    if referent_id is not None:
        rows = rows.where(col(Snooze.referent_id) == referent_id)
    return [ToldAgain(*row) for row in session.execute(rows.order_by(col(Snooze.id).desc()).limit(limit))][::-1]


_BODY = Organization.__table__.alias("told_body")  # type: ignore[attr-defined]  # SQLModel does not say that it is there


# --- what came back


def answers(session: Session, obligation_id: int) -> list[Answered]:
    rows = session.execute(
        select(
            col(Update.id),
            col(Update.received_at),
            col(Update.channel),
            col(Update.unchanged),
            col(Update.referent_id),
            func.coalesce(Referent.name, ""),
        )
        .outerjoin(Referent, col(Referent.id) == col(Update.referent_id))
        .where(col(Update.obligation_id) == obligation_id)
        .order_by(col(Update.id))
    )
    return [Answered(*row) for row in rows]


def extensions(session: Session, obligation_id: int) -> list[Asked]:
    rows = session.execute(
        select(
            col(Extension.wanted_on),
            col(Extension.state),
            col(Extension.granted_on),
            col(Extension.asked_at),
            col(Extension.decided_at),
            col(Extension.referent_id),
            col(Referent.name),
        )
        .join(Referent, col(Referent.id) == col(Extension.referent_id))
        .where(col(Extension.obligation_id) == obligation_id)
        .order_by(col(Extension.id))
    )
    return [Asked(*row) for row in rows]


def acts_on(session: Session, obligation_id: int) -> Sequence[Audit]:
    """What the log says was done to it, in order."""
    return session.exec(
        rows_of(Audit)
        .where(Audit.object_kind == "obligation", Audit.object_id == obligation_id)
        .order_by(col(Audit.id))
    ).all()
