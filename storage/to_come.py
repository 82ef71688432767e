"""The steps about which not everything is decided, and whom they wait for. Only looks; decides nothing."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select
from sqlmodel import Session, col

from storage.obligations import concerns
from storage.tables import (
    Deadline,
    Decision,
    Following,
    Membership,
    Obligation,
    ObligationState,
    Organization,
    Project,
    Referent,
    Rung,
    Step,
    Unit,
    Whom,
)

ABOUT = func.coalesce(Project.title, Organization.name)


@dataclass(frozen=True, slots=True)
class Coming:
    """One step about which not everything is decided. `undecided`: whom it concerns and nothing was decided about.

    `urgent`: told even to whom a reminder was written today.
    """

    obligation_id: int
    step_id: int
    offset_days: int
    unit: Unit
    whom: Whom
    due_at: datetime
    urgent: bool
    about: str = ""
    undecided: tuple[tuple[int, str], ...] = ()


def coming_for(session: Session, obligation_id: int) -> list[Coming]:
    """The steps of one open obligation about which not everything is decided, with whom they wait for."""
    found = _coming(session, col(Obligation.id) == obligation_id, limit=100)
    waiting = _undecided(session, obligation_id)
    return [
        Coming(
            one.obligation_id, one.step_id, one.offset_days, one.unit, one.whom, one.due_at, one.urgent, one.about, who
        )
        for one in found
        for who in [tuple(waiting.get(one.step_id, ()))]
    ]


def coming_to(session: Session, referent_id: int, until: datetime, limit: int = 20) -> list[Coming]:
    """The next steps of what concerns this person and about which nothing is decided for them."""
    decided = select(col(Decision.step_id)).where(col(Decision.referent_id) == referent_id)
    theirs = and_(concerns(referent_id), col(Step.due_at) <= until, col(Step.id).not_in(decided))
    return _coming(session, theirs, limit=limit)


def _coming(session: Session, wanted: ColumnElement[bool], *, limit: int) -> list[Coming]:
    rows = session.execute(
        with_subject(
            select(
                col(Obligation.id),
                col(Step.id),
                col(Rung.offset_days),
                col(Rung.unit),
                col(Rung.whom),
                col(Step.due_at),
                col(Rung.urgent),
                ABOUT,
            )
            .select_from(Step)
            .join(Rung, col(Rung.id) == col(Step.rung_id))
            .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
            .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        )
        .where(
            wanted,
            col(Step.settled).is_(False),
            col(Obligation.state) == ObligationState.OPEN,
            col(Deadline.active),
        )
        .order_by(col(Step.due_at), col(Step.id))
        .limit(limit)
    )
    return [Coming(*row) for row in rows]


def _undecided(session: Session, obligation_id: int) -> Mapping[int, list[tuple[int, str]]]:
    """step id → (id, name) of whom it concerns, and nothing was decided about them."""
    steps: Any = (
        select(col(Step.id), col(Referent.id), col(Referent.name))
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .where(col(Obligation.id) == obligation_id, col(Step.settled).is_(False))
    )
    decided = select(col(Decision.id)).where(
        col(Decision.step_id) == col(Step.id), col(Decision.referent_id) == col(Referent.id)
    )
    followers = steps.join(Following, col(Following.project_id) == col(Obligation.project_id)).join(
        Referent, col(Referent.id) == col(Following.referent_id)
    )
    members = steps.join(Membership, col(Membership.organization_id) == col(Obligation.organization_id)).join(
        Referent, col(Referent.id) == col(Membership.referent_id)
    )
    found: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for query in (followers, members):
        for step_id, referent_id, name in session.execute(query.where(~decided.exists()).order_by(col(Referent.name))):
            found[step_id].append((referent_id, name))
    return found


def with_subject(query: Any) -> Any:
    """With the project or organisation that owes it: its name is `ABOUT`."""
    return query.outerjoin(Project, col(Project.id) == col(Obligation.project_id)).outerjoin(
        Organization, col(Organization.id) == col(Obligation.organization_id)
    )
