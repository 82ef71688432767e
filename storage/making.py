"""Makes the obligations of a deadline and their steps, thousands in a few statements. Decides nothing, never commits.

On which days, and for whom a day of its own: `reminders/planning.py`. Who is in scope: `storage/scopes.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Executable, func, insert, literal, or_, select, true, update
from sqlmodel import Session, col

from storage.scopes import scope_of
from storage.statements import changed, typed
from storage.tables import Deadline, Obligation, ObligationState, Place, Project, Rung, Step, Subject

NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Period:
    """One turn of a deadline. `steps`: (rung, instant).

    For everybody in scope; or `only` for what is counted for these organisations, or for all `without` those.
    """

    name: str
    opens_on: date
    nominal_on: date
    due_on: date
    due_at: datetime
    steps: tuple[tuple[int, datetime], ...]
    only: frozenset[int] = NOBODY
    without: frozenset[int] = NOBODY

    def restricted(self, *, only: frozenset[int] = NOBODY, without: frozenset[int] = NOBODY) -> "Period":
        return replace(self, only=only, without=without)

    def concerns(self, body_id: Any) -> ColumnElement[bool]:
        """Whether it is the period of what is counted for this organisation (a column of the query around)."""
        if self.only:
            return body_id.in_(self.only)  # type: ignore[no-any-return]
        return or_(body_id.is_(None), body_id.not_in(self.without)) if self.without else true()


def make_obligations(session: Session, deadline: Deadline, periods: Sequence[Period], *, admit: bool = True) -> int:
    """Every obligation in scope for `periods` that is not there yet, with its steps; how many were made.

    Without `admit` only for those who owe something of this deadline already. One INSERT … SELECT per period and per
    rung: thousands of rows without one of them passing through Python.
    """
    made = 0
    for period in periods:
        added = changed(session, _missing_obligations(session, deadline, period, admit=admit))
        if added:
            for rung_id, instant in period.steps:
                session.execute(_missing_steps(deadline, period, rung_id, instant))
        made += added
    return made


def make_steps(session: Session, deadline: Deadline, periods: Sequence[Period], now: datetime) -> None:
    """The steps still to come that what is open does not have yet. What is past by now is not told any more."""
    for period in periods:
        for rung_id, instant in period.steps:
            if instant > now:
                session.execute(_missing_steps(deadline, period, rung_id, instant))


def keep_bodies(session: Session) -> int:
    """Counts what is still open for the organisation that carries its project out now; how many were moved."""
    now = func.coalesce(col(Project.implementing_body_id), _first_place(col(Project.id)))
    moved = (
        select(col(Obligation.id), now.label("body_id"))
        .join(Project, col(Project.id) == col(Obligation.project_id))
        .where(col(Obligation.state) == ObligationState.OPEN, col(Obligation.body_id).is_distinct_from(now))
    )
    rows = [{"id": row.id, "body_id": row.body_id} for row in session.execute(moved)]
    if rows:
        session.execute(update(Obligation), rows)
    return len(rows)


def _missing_obligations(session: Session, deadline: Deadline, period: Period, *, admit: bool) -> Executable:
    by_project = deadline.subject is Subject.PROJECT
    subject: Any = col(Obligation.project_id) if by_project else col(Obligation.organization_id)
    scope = scope_of(session, deadline, admit=admit).subquery()
    there = (
        select(literal(1))
        .where(col(Obligation.deadline_id) == deadline.id, subject == scope.c.id, col(Obligation.period) == period.name)
        .exists()
    )
    bodies = select(scope.c.id, _body(scope.c.id, by_project=by_project).label("body_id")).where(~there).subquery()
    values: dict[str, Any] = {
        "deadline_id": literal(deadline.id),
        subject.key: bodies.c.id,
        "period": literal(period.name),
        "body_id": bodies.c.body_id,
        "opens_on": typed(Obligation.opens_on, period.opens_on),
        "nominal_on": typed(Obligation.nominal_on, period.nominal_on),
        "due_on": typed(Obligation.due_on, period.due_on),
        "due_at": typed(Obligation.due_at, period.due_at),
        "state": typed(Obligation.state, ObligationState.OPEN),
        "version": literal(1),
    }
    rows = select(*values.values()).where(period.concerns(bodies.c.body_id))
    return insert(Obligation).from_select(list(values), rows)


def _body(subject_id: Any, *, by_project: bool) -> Any:
    """For which organisation it is counted: a project's implementing body, or where it is, the first of its places."""
    if not by_project:
        return subject_id
    # The place is asked of the project beside it: asked of `subject_id`, two deep, it would be that of any project.
    body = select(func.coalesce(col(Project.implementing_body_id), _first_place(col(Project.id))))
    return body.where(col(Project.id) == subject_id).scalar_subquery()


def _first_place(project_id: Any) -> Any:
    return select(func.min(col(Place.organization_id))).where(col(Place.project_id) == project_id).scalar_subquery()


def _missing_steps(deadline: Deadline, period: Period, rung_id: int, instant: datetime) -> Executable:
    there = (
        select(literal(1)).where(col(Step.obligation_id) == col(Obligation.id), col(Step.rung_id) == rung_id).exists()
    )
    rows = (
        select(
            col(Obligation.id),
            col(Rung.id),
            col(Rung.offset_days),
            typed(Step.due_at, instant),
            typed(Step.settled, False),
        )
        .join(Rung, col(Rung.id) == rung_id)
        .where(
            col(Obligation.deadline_id) == deadline.id,
            col(Obligation.period) == period.name,
            col(Obligation.due_on) == period.due_on,  # another day was given by staff, and its steps with it
            col(Obligation.state) == ObligationState.OPEN,
            period.concerns(col(Obligation.body_id)),
            ~there,
        )
    )
    return insert(Step).from_select(["obligation_id", "rung_id", "offset_days", "due_at", "settled"], rows)
