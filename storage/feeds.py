"""Calendars that people's own programs read: their keys, and the days that stand in them. Decides nothing.

Of a key only its SHA-256 is kept. What is said of a day is in `reminders/calendars.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, case, func, or_, update
from sqlalchemy import select as select_rows
from sqlmodel import Session, col, select

from storage.obligations import Owed
from storage.people import here
from storage.statements import changed
from storage.tables import (
    Deadline,
    Feed,
    Following,
    GroupMember,
    LocalRole,
    Membership,
    Obligation,
    ObligationState,
    Organization,
    Place,
    Project,
    Referent,
    Role,
    Staff,
)
from storage.tokens import new_token, token_hash

NOTED_EVERY = timedelta(hours=1)  # programs read all day long; that they still do is enough
AWAITED = (ObligationState.OPEN, ObligationState.SENT)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose calendar it is: a referent's, or that of one of us."""

    referent_id: int | None = None
    staff_id: int | None = None

    def has(self) -> ColumnElement[bool]:
        if self.referent_id is not None:
            return col(Feed.referent_id) == self.referent_id
        return col(Feed.staff_id) == self.staff_id

    def hold(self, session: Session) -> None:
        """Until the commit nobody else gives them a key: what is counted stays so."""
        table, number = (Referent, self.referent_id) if self.referent_id is not None else (Staff, self.staff_id)
        session.execute(select(table.id).where(table.id == number).with_for_update())


@dataclass(frozen=True, slots=True)
class Day:
    """The day on which something of one period of a deadline is due: how much is awaited, how much is in.

    `version`: what the versions of all that are due come to; it rises with each change of one of them.
    """

    deadline: Deadline
    period: str
    due_on: date
    awaited: int
    done: int
    waived: int
    version: int


# --- keys


def add_feed(session: Session, owner: Owner, now: datetime) -> tuple[Feed, str]:
    """A fresh key, and its row. The key is told once and is kept nowhere."""
    token = new_token()
    row = Feed(token_hash=token_hash(token), referent_id=owner.referent_id, staff_id=owner.staff_id, created_at=now)
    session.add(row)
    session.flush()
    return row, token


def feeds_of(session: Session, owner: Owner) -> Sequence[Feed]:
    """Those that are open, the oldest first."""
    return session.exec(select(Feed).where(owner.has(), col(Feed.revoked_at).is_(None)).order_by(col(Feed.id))).all()


def close_feed(session: Session, owner: Owner, feed_id: int, now: datetime) -> bool:
    """Its key opens nothing from now on. False when it is none of theirs, or closed already."""
    close = update(Feed).where(col(Feed.id) == feed_id, owner.has(), col(Feed.revoked_at).is_(None))
    return changed(session, close.values(revoked_at=now)) == 1


def feed_with(session: Session, token: str) -> tuple[Feed, Referent | Staff] | None:
    """The calendar that this key opens, and whose it is; None when it is closed, or they are no longer with us."""
    row = session.exec(
        select(Feed, Referent, Staff)
        .outerjoin(Referent, col(Referent.id) == col(Feed.referent_id))
        .outerjoin(Staff, col(Staff.id) == col(Feed.staff_id))
        .where(
            Feed.token_hash == token_hash(token),
            col(Feed.revoked_at).is_(None),
            or_(here() & col(Feed.referent_id).is_not(None), col(Staff.active) & col(Feed.staff_id).is_not(None)),
        )
    ).first()
    return None if row is None else (row[0], row[1] or row[2])


def is_news(feed: Feed, content_hash: str, now: datetime) -> bool:
    """Whether something is to be written down about this reading."""
    stale = feed.last_read_at is None or not feed.last_read_at <= now < feed.last_read_at + NOTED_EVERY
    return stale or feed.content_hash != content_hash


def note_reading(session: Session, feed_id: int, content_hash: str, now: datetime) -> datetime:
    """Since when it has said what it says now."""
    other = update(Feed).where(col(Feed.id) == feed_id, col(Feed.content_hash) != content_hash)
    session.execute(other.values(content_hash=content_hash, changed_at=now))
    session.execute(update(Feed).where(col(Feed.id) == feed_id).values(last_read_at=now))
    since = session.execute(select(Feed.changed_at).where(Feed.id == feed_id)).scalar_one()
    return since or now


# --- days


def days_for(session: Session, referent_id: int, since: date, *, limit: int) -> list[Owed]:
    """What is awaited from a referent, and what was due from `since` on, whatever became of it; the newest first."""
    projects = select(Following.project_id).where(Following.referent_id == referent_id)
    organizations = select(Membership.organization_id).where(Membership.referent_id == referent_id)
    theirs = or_(col(Obligation.project_id).in_(projects), col(Obligation.organization_id).in_(organizations))
    rows = session.execute(
        select_rows(Obligation, Deadline, Project, Organization)
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .outerjoin(Project, col(Project.id) == col(Obligation.project_id))
        .outerjoin(Organization, col(Organization.id) == col(Obligation.organization_id))
        .where(theirs, or_(col(Obligation.due_on) >= since, col(Obligation.state).in_(AWAITED)))
        .order_by(col(Obligation.due_on).desc(), col(Obligation.id))
        .limit(limit)
    )
    return [Owed(*row) for row in rows]


def days_of_all(session: Session, since: date, *, limit: int, entrusted_to: int | None = None) -> list[Day]:
    """The days of every deadline: those from `since` on, and earlier ones that still await something; newest first.

    `entrusted_to`: only what this colleague follows, or what falls in a group of municipalities where they have a role.
    """
    waits = func.sum(case((col(Obligation.state).in_(AWAITED), 1), else_=0))
    sums = (
        waits,
        func.sum(case((col(Obligation.state) == ObligationState.DONE, 1), else_=0)),
        func.sum(case((col(Obligation.state) == ObligationState.WAIVED, 1), else_=0)),
        func.sum(col(Obligation.version)),
    )
    where = [] if entrusted_to is None else [_entrusted(entrusted_to)]
    grouped = (
        select_rows(col(Obligation.deadline_id), col(Obligation.period), col(Obligation.due_on), *sums)
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(*where)
        .group_by(col(Obligation.deadline_id), col(Obligation.period), col(Obligation.due_on))
        .having(or_(col(Obligation.due_on) >= since, waits > 0))
        .order_by(col(Obligation.due_on).desc(), col(Obligation.deadline_id), col(Obligation.period))
        .limit(limit)
    )
    rows = session.execute(grouped).all()
    numbers = {row[0] for row in rows}
    deadlines = {row.id: row for row in session.exec(select(Deadline).where(col(Deadline.id).in_(numbers)))}
    return [Day(deadlines[row[0]], row[1], row[2], *(int(number) for number in row[3:])) for row in rows]


def _entrusted(staff_id: int) -> ColumnElement[bool]:
    """Whether `Obligation` (with its `Deadline`, in the query around) is this colleague's."""
    theirs = (
        select(GroupMember.organization_id)
        .join(LocalRole, col(LocalRole.group_id) == col(GroupMember.group_id))
        .where(LocalRole.staff_id == staff_id, LocalRole.role != Role.READER)
    )
    there = select(Place.project_id).where(col(Place.organization_id).in_(theirs))
    return or_(
        col(Deadline.officer_id) == staff_id,
        col(Obligation.organization_id).in_(theirs),
        col(Obligation.body_id).in_(theirs),
        col(Obligation.project_id).in_(there),
    )
