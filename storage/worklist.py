"""What a referent reports on and owes: their projects, the newest update of each, the obligations still open."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, or_
from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from storage.tables import (
    Deadline,
    Following,
    Form,
    FormVersion,
    Membership,
    Obligation,
    ObligationState,
    Organization,
    Place,
    Project,
    Update,
)


@dataclass(frozen=True, slots=True)
class Owed:
    """One open obligation. `project_id`: where its update is given; for an organisation's, one of its projects.

    `by_organization`: its form tells of the organisation, and no project has to do with it.
    `reported`: that project has an update by the same form already, so that nothing may have changed since.
    """

    id: int
    title: str
    subject: str
    project_id: int | None
    opens_on: date
    due_on: date
    reported: bool
    by_organization: bool = False
    form_id: int | None = None


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """One project in a list. `due_on`: the oldest thing owed whose window is open."""

    id: int
    title: str
    cup: str
    phase: str | None
    places: str
    updated_at: datetime | None
    due_on: date | None


def project_lines(session: Session, referent_id: int, today: date, *, form_id: int | None = None) -> list[ProjectLine]:
    """Own projects, the most urgent first: the oldest thing owed (by one form, when it is given), then by title."""
    projects = _own_projects(session, referent_id)
    places = _places(session, referent_id)
    urgent: dict[int, date] = {}
    for one, ids in _owed_with_projects(session, referent_id, projects, places):
        if one.opens_on <= today and form_id in (None, one.form_id):
            for project_id in ids:
                urgent.setdefault(project_id, one.due_on)
    lines = [
        ProjectLine(
            row.id,
            row.title,
            row.cup,
            row.phase,
            ", ".join(dict.fromkeys(name for _id, name in places.get(row.id, ()))),
            row.updated_at,
            urgent.get(row.id),
        )
        for row in projects
    ]
    return sorted(lines, key=lambda line: (line.due_on or date.max, line.title.casefold(), line.id))


def answered_before(session: Session, obligation_ids: Iterable[int]) -> frozenset[int]:
    """Those of the obligations whose project has an update already by the form that is owed."""
    found = (
        select_columns(col(Obligation.id))
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .join(Update, col(Update.project_id) == col(Obligation.project_id))
        .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
        .where(col(Obligation.id).in_(set(obligation_ids)), col(FormVersion.form_id) == col(Deadline.form_id))
        .distinct()
    )
    return frozenset(session.execute(found).scalars())


def owed_by(session: Session, referent_id: int) -> list[Owed]:
    """Every open obligation of a person's projects and organisations, the oldest first, windows to come included."""
    projects, places = _own_projects(session, referent_id), _places(session, referent_id)
    return [one for one, _ids in _owed_with_projects(session, referent_id, projects, places)]


# Built once: building a statement costs more than running it.
_referent: Any = bindparam("referent")
_newest = (
    select_columns(func.max(Update.received_at))
    .where(col(Update.project_id) == col(Project.id))
    .correlate(Project)
    .scalar_subquery()
    .label("updated_at")
)
_PROJECTS = (
    select_columns(
        col(Project.id),
        col(Project.title),
        col(Project.cup),
        col(Project.phase),
        col(Project.implementing_body_id),
        _newest,
    )
    .join(Following, col(Following.project_id) == col(Project.id))
    .where(col(Following.referent_id) == _referent)
    .order_by(col(Project.id))
)
_PLACES = (
    select_columns(col(Place.project_id), col(Organization.id), col(Organization.name))
    .join(Organization, col(Organization.id) == col(Place.organization_id))
    .join(Following, col(Following.project_id) == col(Place.project_id))
    .where(col(Following.referent_id) == _referent)
    .order_by(col(Organization.name))
)
# by which form something was reported on which own project
_REPORTED = (
    select_columns(col(Update.project_id), col(FormVersion.form_id))
    .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
    .join(Following, col(Following.project_id) == col(Update.project_id))
    .where(col(Following.referent_id) == _referent)
    .distinct()
)
_OPEN = (
    select_columns(
        col(Obligation.id),
        col(Obligation.project_id),
        col(Obligation.organization_id),
        col(Obligation.opens_on),
        col(Obligation.due_on),
        col(Deadline.title),
        col(Deadline.form_id),
        col(Organization.name),
        (col(Form.about) == "organization").label("by_organization"),
    )
    .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
    .join(Form, col(Form.id) == col(Deadline.form_id))
    .outerjoin(Organization, col(Organization.id) == col(Obligation.organization_id))
    .where(
        col(Obligation.state) == ObligationState.OPEN,
        col(Deadline.active).is_(True),
        or_(
            col(Obligation.project_id).in_(
                select_columns(col(Following.project_id)).where(col(Following.referent_id) == _referent)
            ),
            col(Obligation.organization_id).in_(
                select_columns(col(Membership.organization_id)).where(col(Membership.referent_id) == _referent)
            ),
        ),
    )
    .order_by(col(Obligation.due_on), col(Obligation.id))
)

Projects = Sequence[Row[tuple[int, str, str, str, int, datetime]]]


def _own_projects(session: Session, referent_id: int) -> Projects:
    return session.execute(_PROJECTS, {"referent": referent_id}).all()


def _places(session: Session, referent_id: int) -> dict[int, list[tuple[int, str]]]:
    """Where each own project happens: organisation and its name."""
    places: dict[int, list[tuple[int, str]]] = {}
    for project_id, organization_id, name in session.execute(_PLACES, {"referent": referent_id}):
        places.setdefault(project_id, []).append((organization_id, name))
    return places


def _owed_with_projects(
    session: Session,
    referent_id: int,
    projects: Projects,
    places: dict[int, list[tuple[int, str]]],
) -> Iterable[tuple[Owed, list[int]]]:
    """Each open obligation with the own projects whose update fulfils it, the oldest first."""
    titles = {row.id: row.title for row in projects}
    reported = {tuple(row) for row in session.execute(_REPORTED, {"referent": referent_id})}
    by_organization: dict[int, list[int]] = {}
    for row in projects:
        bodies = {row.implementing_body_id, *(place for place, _name in places.get(row.id, ()))}
        for organization_id in bodies - {None}:
            by_organization.setdefault(organization_id, []).append(row.id)
    for one in session.execute(_OPEN, {"referent": referent_id}):
        ids = [one.project_id] if one.project_id else by_organization.get(one.organization_id, [])
        if one.by_organization:
            yield Owed(one.id, one.title, one.name, None, one.opens_on, one.due_on, False, True), []
        elif ids:
            subject = titles[ids[0]] if one.project_id else one.name
            again = (ids[0], one.form_id) in reported
            yield (
                Owed(one.id, one.title, subject, ids[0], one.opens_on, one.due_on, again, form_id=one.form_id),
                ids,
            )
