"""Whom a deadline is about: the lines of its scope, who is in it now, and what joins or leaves it. Never commits.

A line names a programme, a measure (every programme whose code begins so), a phase, an organisation or one project.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    false,
    func,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col

from storage.statements import changed
from storage.tables import (
    Deadline,
    Obligation,
    ObligationState,
    Organization,
    Place,
    Programme,
    Project,
    Subject,
    Target,
    TargetKind,
    Waiver,
)

BY_CODE = (TargetKind.MEASURE, TargetKind.PHASE)


class Line(NamedTuple):
    """One line of a scope, before it is kept (see `storage.tables.Target`)."""

    kind: TargetKind
    target_id: int = 0
    code: str = ""
    excluded: bool = False


def add_targets(session: Session, deadline_id: int, lines: Iterable[Line]) -> None:
    for kind, target_id, code, excluded in sorted(set(lines)):
        session.add(Target(deadline_id=deadline_id, kind=kind, target_id=target_id, code=code, excluded=excluded))
    session.flush()


def targets_of(session: Session, deadline_id: int) -> Sequence[Target]:
    """The lines of a deadline's scope; none means everything."""
    return (
        session.execute(
            select(Target)
            .where(col(Target.deadline_id) == deadline_id)
            .order_by(col(Target.kind), col(Target.target_id), col(Target.code))
        )
        .scalars()
        .all()
    )


def lines_of(session: Session, deadline_id: int) -> set[Line]:
    return {Line(one.kind, one.target_id, one.code, one.excluded) for one in targets_of(session, deadline_id)}


def unknown_targets(session: Session, lines: Iterable[Line]) -> list[Line]:
    """Those that point at nothing we know. A measure or a phase points at nothing: it is a code."""
    columns: dict[TargetKind, Mapped[int]] = {
        TargetKind.PROGRAMME: col(Programme.id),
        TargetKind.ORGANIZATION: col(Organization.id),
        TargetKind.PROJECT: col(Project.id),
    }
    wanted = {line for line in lines if line.kind in columns}
    known: set[tuple[TargetKind, int]] = set()
    for kind, column in columns.items():
        ids = [line.target_id for line in wanted if line.kind is kind]
        known |= {(kind, found) for found in session.execute(select(column).where(column.in_(ids))).scalars()}
    return sorted(line for line in wanted if (line.kind, line.target_id) not in known)


# --- who is in it


def scope_of(session: Session, deadline: Deadline, *, admit: bool = True) -> Select[int]:
    """The ids of the projects (or organisations) a deadline is about; without `admit`, of those who owe already."""
    lines = lines_of(session, deadline.id)
    scope = projects_in(lines) if deadline.subject is Subject.PROJECT else organizations_in(lines)
    if admit:
        return scope
    subject: Any = _subject(deadline)
    already = select(subject).where(col(Obligation.deadline_id) == deadline.id)
    ids: Any = scope.subquery().c.id
    return select(ids.label("id")).where(ids.in_(already))


def projects_in(lines: Collection[Line]) -> Select[int]:
    """Those that match a line of each kind there is a line of (programmes and measures are one kind), and those named
    singly; less what is excluded. A project is an organisation's when that carries it out; where the body is not
    known, when it is one of its places.
    """
    return select(col(Project.id).label("id")).where(_in_scope(lines))


def organizations_in(lines: Collection[Line]) -> Select[int]:
    """Those with a project in scope, and those named when nothing but organisations is; less what is excluded."""
    in_scope = _in_scope(lines)
    bodies = select(col(Project.implementing_body_id)).where(in_scope, col(Project.implementing_body_id).is_not(None))
    hosts = (
        select(col(Place.organization_id))
        .join(Project, col(Project.id) == col(Place.project_id))
        .where(in_scope, col(Project.implementing_body_id).is_(None))
    )
    wanted, unwanted = _parted(lines)
    narrowed = any(line.kind in (TargetKind.PROGRAMME, *BY_CODE) for line in wanted)
    organization = col(Organization.id)
    found = or_(organization.in_(bodies), organization.in_(hosts))
    if not narrowed:
        found = or_(found, organization.in_(_ids(wanted, TargetKind.ORGANIZATION)))
    left_out = organization.in_(_ids(unwanted, TargetKind.ORGANIZATION))
    return select(organization.label("id")).where(found, not_(left_out))


def _in_scope(lines: Collection[Line]) -> ColumnElement[bool]:
    wanted, unwanted = _parted(lines)
    kinds = [match for match in _matches(wanted) if match is not None]
    named = _ids(wanted, TargetKind.PROJECT)
    ways = [and_(*kinds)] if kinds else []
    ways += [col(Project.id).in_(named)] if named else []
    found = or_(*ways) if ways else true()
    left_out = [match for match in _matches(unwanted) if match is not None]
    left_out.append(col(Project.id).in_(_ids(unwanted, TargetKind.PROJECT)))
    return and_(found, not_(or_(false(), *left_out)))


def _matches(lines: Collection[Line]) -> list[ColumnElement[bool] | None]:
    """For each kind whether a project matches one of its lines; None for a kind without lines."""
    programmes = [col(Project.programme_id).in_(_ids(lines, TargetKind.PROGRAMME))]
    programmes += [col(Project.programme_id).in_(_of_measure(code)) for code in _codes(lines, TargetKind.MEASURE)]
    by_programme = any(line.kind in (TargetKind.PROGRAMME, TargetKind.MEASURE) for line in lines)
    phases = _codes(lines, TargetKind.PHASE)
    bodies = _ids(lines, TargetKind.ORGANIZATION)
    return [
        or_(*programmes) if by_programme else None,
        func.coalesce(col(Project.phase), "").in_(phases) if phases else None,
        _carried_out_by(bodies) if bodies else None,
    ]


def _carried_out_by(bodies: list[int]) -> ColumnElement[bool]:
    located = select(col(Place.project_id)).where(col(Place.organization_id).in_(bodies))
    body = col(Project.implementing_body_id)
    return or_(and_(body.is_not(None), body.in_(bodies)), and_(body.is_(None), col(Project.id).in_(located)))


def _of_measure(code: str) -> Select[int]:
    return select(col(Programme.id)).where(func.upper(col(Programme.code)).startswith(code.upper(), autoescape=True))


def _parted(lines: Collection[Line]) -> tuple[list[Line], list[Line]]:
    return [line for line in lines if not line.excluded], [line for line in lines if line.excluded]


def _ids(lines: Collection[Line], kind: TargetKind) -> list[int]:
    return sorted(line.target_id for line in lines if line.kind is kind)


def _codes(lines: Collection[Line], kind: TargetKind) -> list[str]:
    return sorted(line.code for line in lines if line.kind is kind)


# --- who leaves it, who comes back


def leave_scope(session: Session, deadline: Deadline, today: date) -> int:
    """Waives what is open, not yet late, and not in scope any more; how much."""
    gone = _subject(deadline).not_in(scope_of(session, deadline))
    return changed(
        session,
        update(Obligation)
        .where(_coming(deadline, today), col(Obligation.state) == ObligationState.OPEN, gone)
        .values(state=ObligationState.WAIVED, waived=Waiver.LEFT, version=col(Obligation.version) + 1)
        .execution_options(synchronize_session=False),
    )


def return_to_scope(session: Session, deadline: Deadline, today: date) -> int:
    """What was waived because it left, is in scope again and not yet late, is owed again; how much."""
    back = _subject(deadline).in_(scope_of(session, deadline))
    return changed(
        session,
        update(Obligation)
        .where(_coming(deadline, today), col(Obligation.waived) == Waiver.LEFT, back)
        .where(col(Obligation.state) == ObligationState.WAIVED)
        .values(state=ObligationState.OPEN, waived=None, version=col(Obligation.version) + 1)
        .execution_options(synchronize_session=False),
    )


def _coming(deadline: Deadline, today: date) -> ColumnElement[bool]:
    return and_(col(Obligation.deadline_id) == deadline.id, col(Obligation.due_on) >= today)


def _subject(deadline: Deadline) -> Any:
    return col(Obligation.project_id) if deadline.subject is Subject.PROJECT else col(Obligation.organization_id)
