"""Deadlines and what they make: who owes what for which period, and what was waived. Never decides, never commits.

Which days and which words is decided in `reminders/`; the steps and the decisions about them are queried in
`storage/ladder.py`; fulfilling an obligation is `storage/reports.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Select,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

from storage.tables import (
    Deadline,
    Following,
    Membership,
    Obligation,
    ObligationState,
    Organization,
    Place,
    Programme,
    Project,
    Rung,
    Step,
    Subject,
    Target,
    TargetKind,
)


@dataclass(frozen=True, slots=True)
class Period:
    """One turn of a deadline, the same for everyone in scope. `steps`: (rung, instant)."""

    name: str
    opens_on: date
    nominal_on: date
    due_on: date
    due_at: datetime
    steps: tuple[tuple[int, datetime], ...]


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


# --- making


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


def add_targets(session: Session, deadline_id: int, targets: Iterable[tuple[TargetKind, int]]) -> None:
    for kind, target_id in sorted(set(targets)):
        session.add(Target(deadline_id=deadline_id, kind=kind, target_id=target_id))
    session.flush()


def targets_of(session: Session, deadline_id: int) -> Sequence[Target]:
    """The lines of a deadline's scope; none means everything."""
    return (
        session.execute(
            select(Target)
            .where(col(Target.deadline_id) == deadline_id)
            .order_by(col(Target.kind), col(Target.target_id))
        )
        .scalars()
        .all()
    )


def unknown_targets(session: Session, targets: Iterable[tuple[TargetKind, int]]) -> list[tuple[TargetKind, int]]:
    """Those that point at nothing we know."""
    columns: dict[TargetKind, Mapped[int]] = {
        TargetKind.PROGRAMME: col(Programme.id),
        TargetKind.ORGANIZATION: col(Organization.id),
        TargetKind.PROJECT: col(Project.id),
    }
    wanted = set(targets)
    known: set[tuple[TargetKind, int]] = set()
    for kind, column in columns.items():
        ids = [target_id for target_kind, target_id in wanted if target_kind is kind]
        known |= {(kind, found) for found in session.execute(select(column).where(column.in_(ids))).scalars()}
    return sorted(wanted - known)


def make_obligations(session: Session, deadline: Deadline, periods: Sequence[Period]) -> int:
    """Every obligation in scope for `periods` that is not there yet, with its steps; how many were made.

    One INSERT … SELECT per period and per rung: thousands of rows without one of them passing through Python.
    """
    made = 0
    for period in periods:
        added = _changed(session, _missing_obligations(session, deadline, period))
        if added:
            for rung_id, instant in period.steps:
                session.execute(_missing_steps(deadline, period, rung_id, instant))
        made += added
    return made


def _missing_obligations(session: Session, deadline: Deadline, period: Period) -> Executable:
    by_project = deadline.subject is Subject.PROJECT
    subject: Any = col(Obligation.project_id) if by_project else col(Obligation.organization_id)
    scope = scope_of(session, deadline).subquery()
    there = (
        select(literal(1))
        .where(col(Obligation.deadline_id) == deadline.id, subject == scope.c.id, col(Obligation.period) == period.name)
        .exists()
    )
    rows = select(
        literal(deadline.id),
        scope.c.id,
        literal(period.name),
        _body(scope.c.id, by_project=by_project),
        _typed(Obligation.opens_on, period.opens_on),
        _typed(Obligation.nominal_on, period.nominal_on),
        _typed(Obligation.due_on, period.due_on),
        _typed(Obligation.due_at, period.due_at),
        _typed(Obligation.state, ObligationState.OPEN),
        literal(1),
    ).where(~there)
    names = [
        "deadline_id",
        subject.key,
        "period",
        "body_id",
        "opens_on",
        "nominal_on",
        "due_on",
        "due_at",
        "state",
        "version",
    ]
    return insert(Obligation).from_select(names, rows)


def _body(subject_id: Any, *, by_project: bool) -> Any:
    """For which organisation it is counted: a project's implementing body, or where it is, the first of its places."""
    if not by_project:
        return subject_id
    first_place = select(func.min(col(Place.organization_id))).where(col(Place.project_id) == subject_id)
    body = select(func.coalesce(col(Project.implementing_body_id), first_place.scalar_subquery()))
    return body.where(col(Project.id) == subject_id).scalar_subquery()


def _missing_steps(deadline: Deadline, period: Period, rung_id: int, instant: datetime) -> Executable:
    there = (
        select(literal(1)).where(col(Step.obligation_id) == col(Obligation.id), col(Step.rung_id) == rung_id).exists()
    )
    rows = (
        select(
            col(Obligation.id),
            col(Rung.id),
            col(Rung.offset_days),
            _typed(Step.due_at, instant),
            _typed(Step.settled, False),
        )
        .join(Rung, col(Rung.id) == rung_id)
        .where(col(Obligation.deadline_id) == deadline.id, col(Obligation.period) == period.name, ~there)
    )
    return insert(Step).from_select(["obligation_id", "rung_id", "offset_days", "due_at", "settled"], rows)


def scope_of(session: Session, deadline: Deadline) -> Select[int]:
    """The ids of the projects (or organisations) a deadline is about: the union of its lines, all without lines.

    A project is an organisation's when that organisation carries it out; where the implementing body is not
    known, when it is one of its places.
    """
    lines = targets_of(session, deadline.id)
    wanted = {kind: [line.target_id for line in lines if line.kind is kind] for kind in TargetKind}
    located = select(col(Place.project_id)).where(col(Place.organization_id).in_(wanted[TargetKind.ORGANIZATION]))
    in_scope = (
        col(Project.programme_id).in_(wanted[TargetKind.PROGRAMME])
        | col(Project.id).in_(wanted[TargetKind.PROJECT])
        | col(Project.implementing_body_id).in_(wanted[TargetKind.ORGANIZATION])
        | (col(Project.implementing_body_id).is_(None) & col(Project.id).in_(located))
        if lines
        else true()
    )
    if deadline.subject is Subject.PROJECT:
        return select(col(Project.id).label("id")).where(in_scope)
    bodies = select(col(Project.implementing_body_id)).where(in_scope, col(Project.implementing_body_id).is_not(None))
    hosts = (
        select(col(Place.organization_id))
        .join(Project, col(Project.id) == col(Place.project_id))
        .where(in_scope, col(Project.implementing_body_id).is_(None))
    )
    organization = col(Organization.id)
    named = organization.in_(wanted[TargetKind.ORGANIZATION])
    return select(organization.label("id")).where(named | organization.in_(bodies) | organization.in_(hosts))


# --- changing


def waive_obligation(session: Session, obligation_id: int, reason: str) -> bool:
    """Marks an open obligation waived. False when it was no longer open."""
    return _leave_open(session, obligation_id, {"state": ObligationState.WAIVED, "waived_reason": reason})


def waive_all(session: Session, deadline_id: int, reason: str) -> int:
    """Waives every open obligation of a deadline; how many."""
    return _changed(
        session,
        update(Obligation)
        .where(col(Obligation.deadline_id) == deadline_id, col(Obligation.state) == ObligationState.OPEN)
        .values(state=ObligationState.WAIVED, waived_reason=reason, version=col(Obligation.version) + 1),
    )


def deactivate(session: Session, deadline_id: int) -> bool:
    """Stops a deadline from making obligations. False when it was stopped already, or never was."""
    stop = update(Deadline).where(col(Deadline.id) == deadline_id, col(Deadline.active))
    return _changed(session, stop.values(active=False, version=col(Deadline.version) + 1)) == 1


def ask_version(session: Session, deadline_id: int, version_id: int | None, revision: int) -> bool:
    """Has an active deadline ask this version of its form, None the newest. False when it has changed since."""
    change = update(Deadline).where(
        col(Deadline.id) == deadline_id, col(Deadline.active), col(Deadline.version) == revision
    )
    values = {"form_version_id": version_id, "version": col(Deadline.version) + 1}
    return _changed(session, change.values(values)) == 1


def _leave_open(session: Session, obligation_id: int, values: dict[str, object]) -> bool:
    leave = update(Obligation).where(col(Obligation.id) == obligation_id, col(Obligation.state) == ObligationState.OPEN)
    return _changed(session, leave.values(**values, version=col(Obligation.version) + 1)) == 1


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


def _typed(column: Any, value: object) -> Any:
    """A value bound with the column's own type, so that INSERT … SELECT stores it as a plain INSERT would."""
    return literal(value, column.type)


def _changed(session: Session, statement: Executable) -> int:
    # without the option an INSERT … SELECT on PostgreSQL says -1
    counted = statement.execution_options(preserve_rowcount=True)
    result: CursorResult[Any] = session.execute(counted)  # type: ignore[assignment]
    return result.rowcount
