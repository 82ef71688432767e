"""Whom a notice tells, and of what: what waits for each of the staff. Sends nothing, names no referent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import Session, col, select

from storage.access import a_request_waits
from storage.letters import a_letter_waits
from storage.outbox import NOTICE_KEY, needs_somebody
from storage.proposals import one_came_back, one_waits
from storage.tables import (
    Audit,
    Membership,
    Organization,
    Outbox,
    OutboxKind,
    Project,
    Question,
    QuestionState,
    Role,
    Staff,
)

MANAGERS = (Role.OFFICER, Role.ADMIN)
STUCK = ("outbox.dead", "outbox.uncertain")  # acts after which a message waits for a person


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that waits for somebody: in a notice."""

    id: int
    organization: str | None
    project: str | None
    due_at: datetime


def who_has_news(session: Session, now: datetime, not_since: datetime) -> Sequence[Staff]:
    """Staff who want notices, had none since `not_since`, and for whom something came after their last one.

    A question that waits for them, or a message of ours that did not arrive and nobody has looked at; for those who
    may let people in, also a request for access, mail of somebody we do not know, or an answer to be approved. An
    answer of theirs that was returned, too.
    """
    last = (
        select(func.max(Outbox.created_at))
        .where(
            Outbox.kind == OutboxKind.NOTICE,
            Outbox.address == Staff.email,
            col(Outbox.dedupe_key).startswith(NOTICE_KEY),
        )
        .correlate(Staff)
        .scalar_subquery()
    )
    news = (
        select(Question.id)
        .where(
            _waits_for(col(Staff.id)),
            col(Question.last_message_at) <= now,
            or_(last.is_(None), col(Question.last_message_at) > last),
        )
        .correlate(Staff)
        .exists()
    )
    stuck = (
        select(Audit.id)
        .join(Outbox, col(Outbox.id) == col(Audit.object_id))
        .where(
            col(Audit.action).in_(STUCK),
            col(Audit.at) <= now,
            or_(last.is_(None), col(Audit.at) > last),
            needs_somebody(),
        )
        .correlate(Staff)
        .exists()
    )
    return session.exec(
        select(Staff)
        .where(
            col(Staff.active).is_(True),
            col(Staff.notices).is_(True),
            Staff.role != Role.READER,
            or_(last.is_(None), last <= not_since),
            or_(
                news,
                stuck,
                one_came_back(last),
                col(Staff.role).in_(MANAGERS) & or_(a_request_waits(last), a_letter_waits(last), one_waits(last)),
            ),
        )
        .order_by(col(Staff.id))
    ).all()


def waiting_for(session: Session, staff_id: int, limit: int = 20) -> tuple[Sequence[Waiting], int]:
    """The oldest questions that nobody has taken or that wait for this person, and how many there are."""
    mine = _waits_for(staff_id)
    total = session.execute(select(func.count()).select_from(Question).where(mine)).scalar_one()
    organization = (
        select(func.min(Organization.name))
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(Membership.referent_id == Question.referent_id)
        .correlate(Question)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Question.id, organization, Project.title, Question.due_at)
        .select_from(Question)
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
        .where(mine)
        .order_by(col(Question.id))
        .limit(limit)
    )
    return [Waiting(*row) for row in rows], total


def _waits_for(staff_id: Any) -> ColumnElement[bool]:
    return or_(
        col(Question.state) == QuestionState.NEW,
        (col(Question.state) == QuestionState.TAKEN) & (col(Question.taken_by) == staff_id),
    )
