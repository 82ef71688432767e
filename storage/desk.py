"""What the desk's pages look at: projects, obligations, what leaves. Only looks; changes nothing.

People and updates have their own: `storage/desk_people.py`, `storage/desk_updates.py`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_
from sqlmodel import Session, col, select

from storage.circulars import told_to
from storage.obligations import Owed, owed
from storage.tables import (
    Attachment,
    Deadline,
    Following,
    Membership,
    Message,
    Obligation,
    ObligationState,
    Organization,
    Outbox,
    OutboxState,
    Place,
    Programme,
    Project,
    Question,
    Referent,
)

MOST_MATCHES = 5_000

# --- projects


@dataclass(frozen=True, slots=True)
class OneProject:
    """A project with the names behind its numbers. `places`: municipality and address."""

    project: Project
    programme: Programme
    body: Organization | None
    places: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class AskedLine:
    """A question in the list of a project or of a referent."""

    question: Question
    referent: str | None
    project: str | None


def one_project(session: Session, project_id: int) -> OneProject | None:
    row = session.exec(
        select(Project, Programme, Organization)
        .join(Programme, col(Programme.id) == col(Project.programme_id))
        .outerjoin(Organization, col(Organization.id) == col(Project.implementing_body_id))
        .where(Project.id == project_id)
    ).first()
    if row is None:
        return None
    places = session.execute(
        select(col(Organization.name), col(Place.address))
        .join(Organization, col(Organization.id) == col(Place.organization_id))
        .where(col(Place.project_id) == project_id)
        .order_by(col(Organization.name), col(Place.address))
    )
    return OneProject(*row, places=[(name, address) for name, address in places])


def owed_for(session: Session, project_id: int, today: date) -> list[Owed]:
    """What a project owes whose window is open, the most urgent first."""
    ids = session.exec(
        select(Obligation.id).where(
            Obligation.project_id == project_id,
            Obligation.state == ObligationState.OPEN,
            Obligation.opens_on <= today,
        )
    ).all()
    return owed(session, ids) if ids else []


def asked(
    session: Session, *, project_id: int | None = None, referent_id: int | None = None, limit: int = 20
) -> list[AskedLine]:
    """The newest questions about a project, or of a referent."""
    query: Any = (
        select(Question, Referent.name, Project.title)
        .outerjoin(Referent, col(Referent.id) == col(Question.referent_id))
        .outerjoin(Project, col(Project.id) == col(Question.project_id))
    )
    if project_id is not None:
        query = query.where(Question.project_id == project_id)
    if referent_id is not None:
        query = query.where(Question.referent_id == referent_id)
    return [AskedLine(*row) for row in session.exec(query.order_by(col(Question.id).desc()).limit(limit))]


def titles_of(session: Session, project_ids: Collection[int]) -> dict[int, str]:
    rows = session.execute(select(col(Project.id), col(Project.title)).where(col(Project.id).in_(project_ids)))
    return {row.id: row.title for row in rows}


# --- deadlines


@dataclass(frozen=True, slots=True)
class Opened:
    """The obligations of a deadline (or of one of its periods) whose window has opened by `today`."""

    deadline_id: int
    today: date
    period: str = ""

    def conditions(self) -> list[Any]:
        opened = [col(Obligation.deadline_id) == self.deadline_id, col(Obligation.opens_on) <= self.today]
        return [*opened, col(Obligation.period) == self.period] if self.period else opened


class Which(StrEnum):
    """The heaps of a deadline's obligations; each obligation whose window has opened is in exactly one."""

    LATE = "late"
    OPEN = "open"
    SENT = "sent"
    DONE = "done"
    WAIVED = "waived"


def one_deadline(session: Session, deadline_id: int) -> Deadline | None:
    return session.get(Deadline, deadline_id)


def one_obligation(session: Session, deadline_id: int, obligation_id: int) -> Owed | None:
    """The obligation when it belongs to this deadline."""
    found = owed(session, [obligation_id])
    return found[0] if found and found[0].deadline.id == deadline_id else None


def heaps(session: Session, opened: Opened) -> dict[Which, int]:
    """How many lie in each heap."""
    counts: Any = [func.coalesce(func.sum(case((_in_heap(which, opened.today), 1), else_=0)), 0) for which in Which]
    row = session.execute(select(*counts).select_from(Obligation).where(*opened.conditions())).one()
    return dict(zip(Which, map(int, row), strict=True))


def heap(session: Session, opened: Opened, which: Which, *, limit: int = 50, offset: int = 0) -> list[Owed]:
    """One page of a heap, the oldest due first."""
    chosen = _by_subject(select(Obligation.id)).where(*opened.conditions(), _in_heap(which, opened.today))
    ids = session.exec(chosen.limit(limit).offset(offset)).all()
    return owed(session, ids) if ids else []


def whole_heap(session: Session, opened: Opened, which: Which, *, limit: int) -> list[tuple[int, int]]:
    """Number and version of all that lie in a heap."""
    every = select(Obligation.id, Obligation.version).where(*opened.conditions(), _in_heap(which, opened.today))
    return [(row[0], row[1]) for row in session.exec(every.order_by(col(Obligation.id)).limit(limit))]


def all_late(session: Session, today: date, *, limit: int = 50, offset: int = 0) -> tuple[list[Owed], int]:
    """What is late in every active deadline, the longest awaited first, and how much there is."""
    late: Any = (
        select(Obligation.id)
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(col(Deadline.active).is_(True), _in_heap(Which.LATE, today))
    )
    total = session.execute(select(func.count()).select_from(late.subquery())).scalar_one()
    ids = session.exec(_by_subject(late).limit(limit).offset(offset)).all()
    return (owed(session, ids) if ids else []), total


def coming_days(session: Session, deadline_id: int, today: date, limit: int = 6) -> Sequence[date]:
    """The next days on which something of this deadline is due."""
    return (
        session.execute(
            select(col(Obligation.due_on))
            .where(col(Obligation.deadline_id) == deadline_id, col(Obligation.due_on) >= today)
            .distinct()
            .order_by(col(Obligation.due_on))
            .limit(limit)
        )
        .scalars()
        .all()
    )


def opened_periods(session: Session, deadline_id: int, today: date) -> Sequence[str]:
    """The names of the periods whose window has opened, the newest first."""
    return session.exec(
        select(Obligation.period)
        .where(Obligation.deadline_id == deadline_id, Obligation.opens_on <= today)
        .distinct()
        .order_by(col(Obligation.period).desc())
    ).all()


def who_owes(session: Session, owed_ones: Sequence[Owed]) -> dict[int, list[tuple[int, str]]]:
    """obligation id → (referent id, name) of those whom it concerns."""
    found: dict[int, list[tuple[int, str]]] = {one.obligation.id: [] for one in owed_ones}
    about: Any = select(Obligation.id, Referent.id, Referent.name)
    followers = about.join(Following, col(Following.project_id) == col(Obligation.project_id)).join(
        Referent, col(Referent.id) == col(Following.referent_id)
    )
    members = about.join(Membership, col(Membership.organization_id) == col(Obligation.organization_id)).join(
        Referent, col(Referent.id) == col(Membership.referent_id)
    )
    for query in (followers, members):
        chosen = query.where(col(Obligation.id).in_(list(found))).order_by(col(Referent.name))
        for obligation_id, referent_id, name in session.execute(chosen):
            found[obligation_id].append((referent_id, name))
    return found


def _by_subject(query: Any) -> Any:
    return (
        query.outerjoin(Project, col(Project.id) == col(Obligation.project_id))
        .outerjoin(Organization, col(Organization.id) == col(Obligation.organization_id))
        .order_by(col(Obligation.due_at), col(Project.title), col(Organization.name), col(Obligation.id))
    )


def _in_heap(which: Which, today: date) -> ColumnElement[bool]:
    if which is Which.LATE:
        return (col(Obligation.state) == ObligationState.OPEN) & (col(Obligation.due_on) < today)
    if which is Which.OPEN:
        return (col(Obligation.state) == ObligationState.OPEN) & (col(Obligation.due_on) >= today)
    return col(Obligation.state) == ObligationState(which.value)


# --- what leaves


def outgoing(
    session: Session, states: Collection[OutboxState], *, limit: int = 50, offset: int = 0
) -> list[tuple[Outbox, str | None]]:
    """Messages in these states, the newest first, with the referent's name."""
    query: Select[Outbox, str] = (
        select(Outbox, Referent.name)
        .outerjoin(Referent, col(Referent.id) == col(Outbox.referent_id))
        .where(col(Outbox.state).in_(states))
        .order_by(col(Outbox.id).desc())
    )
    return [(row[0], row[1]) for row in session.execute(query.limit(limit).offset(offset))]


# --- files


def own_file(session: Session, referent_id: int, attachment_id: int) -> Attachment | None:
    """A file of the referent: sent by them, standing in one of their threads where they may read it, or of a
    circular that told them something."""
    threads = (
        select(Message.id)
        .join(Question, col(Question.id) == col(Message.question_id))
        .where(Question.referent_id == referent_id, Message.audience == "referent")
    )
    theirs = or_(
        col(Attachment.referent_id) == referent_id,
        col(Attachment.message_id).in_(threads),
        col(Attachment.circular_id).in_(told_to(referent_id)),
    )
    return session.exec(select(Attachment).where(Attachment.id == attachment_id, theirs)).first()
