"""Queries on somebody who leaves: what is theirs, what goes over to another, what is closed. Decides nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, and_, delete, func, or_, update
from sqlmodel import Session, col, select

from storage.lending import keep_as_own
from storage.obligations import concerns
from storage.people import here
from storage.tables import (
    Address,
    Channel,
    Following,
    Membership,
    Obligation,
    ObligationState,
    Organization,
    Outbox,
    OutboxState,
    Project,
    Question,
    QuestionState,
    Referent,
)
from storage.touched import touch


@dataclass(frozen=True, slots=True)
class Load:
    """What somebody has in their own right: nothing that they do in another's place."""

    organizations: Sequence[Organization]
    projects: Sequence[Project]
    questions: Sequence[Question]


def load_of(session: Session, referent_id: int) -> Load:
    organizations = session.exec(
        select(Organization)
        .join(Membership, col(Membership.organization_id) == col(Organization.id))
        .where(Membership.referent_id == referent_id)
        .order_by(Organization.name)
    ).all()
    projects = session.exec(
        select(Project)
        .join(Following, col(Following.project_id) == col(Project.id))
        .where(Following.referent_id == referent_id, col(Following.delegation_id).is_(None))
        .order_by(Project.title, col(Project.id))
    ).all()
    return Load(organizations, projects, open_questions(session, referent_id))


def open_questions(session: Session, referent_id: int) -> Sequence[Question]:
    """Those that wait for an answer, and those whose answer asked for something."""
    waits = or_(
        col(Question.state).in_((QuestionState.NEW, QuestionState.TAKEN, QuestionState.PROPOSED)),
        and_(col(Question.state) == QuestionState.ANSWERED, col(Question.awaits)),
    )
    return session.exec(
        select(Question).where(Question.referent_id == referent_id, waits).order_by(col(Question.id))
    ).all()


def open_obligations(
    session: Session, referent_id: int, organization_ids: Collection[int], project_ids: Collection[int]
) -> int:
    """How many updates of these organisations and projects this person owes."""
    these = or_(col(Obligation.project_id).in_(project_ids), col(Obligation.organization_id).in_(organization_ids))
    count = select(func.count()).select_from(Obligation)
    return session.exec(count.where(Obligation.state == ObligationState.OPEN, these, concerns(referent_id))).one()


def colleagues(session: Session, referent_id: int) -> Sequence[Referent]:
    """Everybody else of the same organisations, reached or not, by name."""
    own = select(Membership.organization_id).where(Membership.referent_id == referent_id)
    same = select(Membership.referent_id).where(col(Membership.organization_id).in_(own))
    others = select(Referent).where(Referent.id != referent_id, col(Referent.id).in_(same), here())
    return session.exec(others.order_by(Referent.name, col(Referent.id))).all()


# --- going over


def mark_left(session: Session, referent_id: int, now: datetime) -> bool:
    """True for whoever comes first; they stand for nobody, and nobody stands for them."""
    this = update(Referent).where(col(Referent.id) == referent_id, here())
    gone = this.values(left_at=now, substitute_id=None, away_from=None, away_until=None)
    return _count(session, gone) == 1


def put_successor(session: Session, referent_id: int, successor_id: int) -> None:
    """Who was to be reminded in place of others is that now in this one's stead, but not of themselves."""
    _count(session, update(Referent).where(col(Referent.id) == referent_id).values(successor_id=successor_id))
    theirs = update(Referent).where(col(Referent.substitute_id) == referent_id)
    _count(session, theirs.where(col(Referent.id) == successor_id).values(substitute_id=None))
    _count(session, theirs.values(substitute_id=successor_id))


def move_organizations(session: Session, referent_id: int, successor_id: int, chosen: Collection[int]) -> None:
    """These with the role that goes with them; where the successor is already, their own role stays."""
    have = set(session.exec(select(Membership.organization_id).where(Membership.referent_id == successor_id)))
    for one in session.exec(select(Membership).where(Membership.referent_id == referent_id)).all():
        if one.organization_id in chosen and one.organization_id not in have:
            session.add(Membership(referent_id=successor_id, organization_id=one.organization_id, role=one.role))
    session.flush()
    _count(session, delete(Membership).where(col(Membership.referent_id) == referent_id))
    touch(session, Referent, [referent_id, successor_id])


def move_projects(session: Session, referent_id: int, successor_id: int, chosen: Collection[int]) -> None:
    """These, since the same day: what is due of them goes on, and nothing that was told is told again."""
    keep_as_own(session, successor_id, chosen)
    have = set(session.exec(select(Following.project_id).where(Following.referent_id == successor_id)))
    for one in session.exec(select(Following).where(Following.referent_id == referent_id)).all():
        if one.project_id in chosen and one.project_id not in have:
            session.add(Following(referent_id=successor_id, project_id=one.project_id, since=one.since))
    session.flush()
    _count(session, delete(Following).where(col(Following.referent_id) == referent_id))


def move_question(session: Session, question_id: int, referent_id: int, successor_id: int) -> bool:
    """Whoever is answering meanwhile is told that the thread is no longer what they saw."""
    this = update(Question).where(col(Question.id) == question_id, col(Question.referent_id) == referent_id)
    moved = this.values(referent_id=successor_id, version=col(Question.version) + 1)
    touch(session, Question, [question_id])
    return _count(session, moved) == 1


def close_addresses(session: Session, referent_id: int) -> int:
    """They are nobody's from now on; how many there were."""
    return _count(session, delete(Address).where(col(Address.referent_id) == referent_id))


def chats_of(session: Session, referent_id: int) -> Sequence[str]:
    theirs = select(Address.value).where(Address.referent_id == referent_id, Address.channel == Channel.TELEGRAM)
    return session.exec(theirs).all()


def drop_waiting(session: Session, referent_id: int, now: datetime) -> int:
    """What was on its way to them and nobody is sending yet; how many messages."""
    waiting = (OutboxState.QUEUED, OutboxState.RETRY)
    theirs = update(Outbox).where(col(Outbox.referent_id) == referent_id, col(Outbox.state).in_(waiting))
    return _count(session, theirs.values(state=OutboxState.WITHHELD, error="no contact any more"))


def who_left_chat(session: Session, chat: str) -> Referent | None:
    """Who spoke here and is no contact any more; None for a chat that was nobody's, or belongs to somebody."""
    last = session.exec(
        select(Referent)
        .join(Outbox, col(Outbox.referent_id) == col(Referent.id))
        .where(Outbox.channel == Channel.TELEGRAM, Outbox.address == chat)
        .order_by(col(Outbox.id).desc())
        .limit(1)
    ).first()
    return last if last is not None and last.left_at is not None else None


def _count(session: Session, statement: Any) -> int:
    result: CursorResult[Any] = session.execute(statement.execution_options(synchronize_session="fetch"))  # type: ignore[assignment]
    return result.rowcount
