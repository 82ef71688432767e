"""Deadlines and what they make: who owes what for which period, and what was waived. Never decides, never commits.

Which days and which words is decided in `reminders/`; the steps and the decisions about them are queried in
`storage/ladder.py`; fulfilling an obligation is `storage/reports.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlmodel import Session, col

from storage.statements import changed
from storage.tables import (
    Deadline,
    Following,
    Membership,
    Obligation,
    ObligationState,
    Organization,
    Project,
    Waiver,
)


@dataclass(frozen=True, slots=True)
class DeadlineCounts:
    """A deadline with how many of its obligations are open, in (`done`), waived and late (open, and past their day)."""

    deadline: Deadline
    open: int
    done: int
    waived: int
    late: int


@dataclass(frozen=True, slots=True)
class Owed:
    """One obligation with what a person needs to recognise it."""

    obligation: Obligation
    deadline: Deadline
    project: Project | None
    organization: Organization | None


# --- which there are


def lock_deadline(session: Session, deadline_id: int) -> Deadline | None:
    """The deadline, held until the transaction ends: two processes never fill the same one at once."""
    return session.execute(
        select(Deadline)
        .where(col(Deadline.id) == deadline_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()


def active_deadline_ids(session: Session) -> Sequence[int]:
    return (
        session.execute(select(col(Deadline.id)).where(col(Deadline.active)).order_by(col(Deadline.id))).scalars().all()
    )


# --- changing


def waive_obligation(session: Session, obligation_id: int, reason: str) -> bool:
    """Marks an open obligation waived. False when it was no longer open."""
    values: dict[str, object] = {"state": ObligationState.WAIVED, "waived": Waiver.STAFF, "waived_reason": reason}
    return _leave_open(session, obligation_id, values)


def waive_all(session: Session, deadline_id: int, reason: str) -> int:
    """Waives every open obligation of a deadline; how many."""
    return changed(
        session,
        update(Obligation)
        .where(col(Obligation.deadline_id) == deadline_id, col(Obligation.state) == ObligationState.OPEN)
        .values(
            state=ObligationState.WAIVED,
            waived=Waiver.STOPPED,
            waived_reason=reason,
            version=col(Obligation.version) + 1,
        ),
    )


def deactivate(session: Session, deadline_id: int) -> bool:
    """Stops a deadline from making obligations. False when it was stopped already, or never was."""
    stop = update(Deadline).where(col(Deadline.id) == deadline_id, col(Deadline.active))
    return changed(session, stop.values(active=False, version=col(Deadline.version) + 1)) == 1


def ask_version(session: Session, deadline_id: int, version_id: int | None, revision: int) -> bool:
    """Has an active deadline ask this version of its form, None the newest. False when it has changed since."""
    change = update(Deadline).where(
        col(Deadline.id) == deadline_id, col(Deadline.active), col(Deadline.version) == revision
    )
    values = {"form_version_id": version_id, "version": col(Deadline.version) + 1}
    return changed(session, change.values(values)) == 1


def _leave_open(session: Session, obligation_id: int, values: dict[str, object]) -> bool:
    leave = update(Obligation).where(col(Obligation.id) == obligation_id, col(Obligation.state) == ObligationState.OPEN)
    return changed(session, leave.values(**values, version=col(Obligation.version) + 1)) == 1


# --- asking


def concerns(referent_id: Any) -> ColumnElement[bool]:
    """Whether an obligation (of the query around) is this person's: they follow its project, or are in its body."""
    followed = exists().where(
        col(Following.project_id) == col(Obligation.project_id), col(Following.referent_id) == referent_id
    )
    member = exists().where(
        col(Membership.organization_id) == col(Obligation.organization_id), col(Membership.referent_id) == referent_id
    )
    return or_(followed, member)


def owed_by(session: Session, referent_id: int, until: date, *, limit: int = 200) -> list[Owed]:
    """The open obligations of a referent's projects and organisations due up to `until`, most urgent first."""
    values = {"referent_id": referent_id, "until": until, "limit": limit}
    return [Owed(*row) for row in session.execute(_owed_by(), values)]


@cache
def _owed_by() -> Any:
    """Every page of a question asks: built once."""
    whose: Any = bindparam("referent_id")
    projects = select(col(Following.project_id)).where(col(Following.referent_id) == whose)
    organizations = select(col(Membership.organization_id)).where(col(Membership.referent_id) == whose)
    theirs = col(Obligation.project_id).in_(projects) | col(Obligation.organization_id).in_(organizations)
    open_still = (col(Obligation.state) == ObligationState.OPEN, col(Obligation.due_on) <= bindparam("until"))
    return _owed_query().where(theirs, *open_still).limit(bindparam("limit"))


def owed(session: Session, obligation_ids: Sequence[int]) -> list[Owed]:
    """These obligations, most urgent first."""
    return _owed(session, _owed_query().where(col(Obligation.id).in_(obligation_ids)))


def obligations_of(session: Session, deadline_id: int, *, period: str | None = None) -> list[Owed]:
    """All obligations of a deadline, or of one of its periods; oldest due first, then by project."""
    query = _owed_query().where(col(Obligation.deadline_id) == deadline_id)
    return _owed(session, query if period is None else query.where(col(Obligation.period) == period))


def late(session: Session, deadline_id: int, today: date) -> list[Owed]:
    """Those still open after their day."""
    return _owed(
        session,
        _owed_query().where(
            col(Obligation.deadline_id) == deadline_id,
            col(Obligation.state) == ObligationState.OPEN,
            col(Obligation.due_on) < today,
        ),
    )


def deadline_titles(session: Session) -> list[tuple[int, str]]:
    """Every deadline there ever was, those in force first, the newest of them on top."""
    newest = select(col(Deadline.id), col(Deadline.title)).order_by(
        col(Deadline.active).desc(), col(Deadline.id).desc()
    )
    return [(row[0], row[1]) for row in session.execute(newest)]


def periods_of(session: Session, deadline_id: int) -> Sequence[str]:
    """The names of the periods made so far, in order."""
    return (
        session.execute(
            select(col(Obligation.period))
            .where(col(Obligation.deadline_id) == deadline_id)
            .distinct()
            .order_by(col(Obligation.period))
        )
        .scalars()
        .all()
    )


def deadlines_with_counts(session: Session, today: date) -> list[DeadlineCounts]:
    """Every deadline, active ones first, newest first; counts over its obligations whose window has opened."""
    state = col(Obligation.state)
    is_late = (state == ObligationState.OPEN) & (col(Obligation.due_on) < today)
    counts = [
        func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
        for condition in (
            state == ObligationState.OPEN,
            state.in_((ObligationState.SENT, ObligationState.DONE)),
            state == ObligationState.WAIVED,
            is_late,
        )
    ]
    opened = (col(Obligation.deadline_id) == col(Deadline.id)) & (col(Obligation.opens_on) <= today)
    rows = session.execute(
        select(Deadline, *counts)
        .outerjoin(Obligation, opened)
        .group_by(*Deadline.__table__.columns)  # type: ignore[attr-defined]  # SQLModel's type hides the table
        .order_by(col(Deadline.active).desc(), col(Deadline.id).desc())
    )
    return [DeadlineCounts(row[0], *(int(number) for number in row[1:])) for row in rows]


def _owed_query() -> Select[Obligation, Deadline, Project, Organization]:
    return (
        select(Obligation, Deadline, Project, Organization)
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .outerjoin(Project, col(Project.id) == col(Obligation.project_id))
        .outerjoin(Organization, col(Organization.id) == col(Obligation.organization_id))
        .order_by(col(Obligation.due_at), col(Project.title), col(Organization.name), col(Obligation.id))
    )


def _owed(session: Session, query: Select[Obligation, Deadline, Project, Organization]) -> list[Owed]:
    return [Owed(*row) for row in session.execute(query)]
