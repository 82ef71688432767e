"""Queries about forms, updates and the obligations they fulfil. An obligation is closed only by compare-and-set."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, bindparam, case, literal, or_, update
from sqlmodel import Session, SQLModel, col, select

from storage.tables import (
    Deadline,
    DoneWhen,
    FormVersion,
    Membership,
    Obligation,
    ObligationState,
    Place,
    Project,
    Update,
)

_obligation: Table = SQLModel.metadata.tables["obligation"]


def latest_update(session: Session, project_id: int, form_id: int) -> Update | None:
    """The newest update of a project by this form, whatever the version."""
    return session.exec(
        select(Update)
        .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
        .where(Update.project_id == project_id, FormVersion.form_id == form_id)
        .order_by(col(Update.id).desc())
        .limit(1)
    ).first()


def update_of_draft(session: Session, draft_id: int) -> Update | None:
    """What a draft became when it was sent."""
    return session.exec(select(Update).where(Update.draft_id == draft_id)).first()


def _of_its_organizations() -> ColumnElement[bool]:
    """Obligations of an organisation that implements or houses the project, and in which the referent works."""
    own = select(Membership.organization_id).where(Membership.referent_id == bindparam("referent"))
    bodies = select(Project.implementing_body_id).where(Project.id == bindparam("project"))
    places = select(Place.organization_id).where(Place.project_id == bindparam("project"))
    organization = col(Obligation.organization_id)
    return organization.in_(own) & or_(organization.in_(bodies), organization.in_(places))


# Built once: building it costs more than running it.
_OWED = (
    select(Obligation, Deadline)
    .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
    .where(
        Deadline.form_id == bindparam("form"),
        col(Deadline.active).is_(True),
        Obligation.state == ObligationState.OPEN,
        col(Obligation.opens_on) <= bindparam("opened_by"),
    )
    .order_by(col(Obligation.due_on), col(Obligation.id))
)
_OPEN = _OWED.where(or_(col(Obligation.project_id) == bindparam("project"), _of_its_organizations()))
_OPEN_FOR_ORGANIZATION = _OWED.where(col(Obligation.organization_id) == bindparam("organization"))


def open_obligations(
    session: Session, project_id: int, form_id: int, referent_id: int, *, opened_by: date | None = None
) -> Sequence[tuple[Obligation, Deadline]]:
    """What is owed for a project by this form, the oldest first, with the deadline that asks for it.

    The project's own obligations, and those of its organisations of which the referent is a member.
    `opened_by`: only those whose window is open on that day; those overdue are.
    """
    given = {"project": project_id, "form": form_id, "referent": referent_id, "opened_by": opened_by or date.max}
    return session.exec(_OPEN, params=given).all()


def owed_for_organization(
    session: Session, organization_id: int, form_id: int, *, opened_by: date | None = None
) -> Sequence[tuple[Obligation, Deadline]]:
    """The same for a form that tells of an organisation."""
    given = {"organization": organization_id, "form": form_id, "opened_by": opened_by or date.max}
    return session.exec(_OPEN_FOR_ORGANIZATION, params=given).all()


def open_for(session: Session, obligation_id: int, organization_ids: Collection[int]) -> Obligation | None:
    """What one of these organisations owes, while it is open."""
    return session.exec(
        select(Obligation)
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(
            Obligation.id == obligation_id,
            col(Obligation.organization_id).in_(organization_ids),
            Obligation.state == ObligationState.OPEN,
            col(Deadline.active).is_(True),
        )
    ).first()


_DEADLINE_OF = (
    select(Deadline.title, col(Obligation.due_on))
    .join(Obligation, col(Obligation.deadline_id) == col(Deadline.id))
    .where(Obligation.id == bindparam("obligation"))
)


def deadline_of(session: Session, obligation_id: int) -> tuple[str, date]:
    """What an obligation is called, and its due day."""
    return session.exec(_DEADLINE_OF, params={"obligation": obligation_id}).one()


_TO_BE_ACCEPTED = (
    select(literal(1))
    .where(col(Deadline.id) == _obligation.c.deadline_id, Deadline.done_when == DoneWhen.ACCEPTED)
    .exists()
)
_CLOSE = (
    update(_obligation)
    .where(_obligation.c.id == bindparam("which"), _obligation.c.state == ObligationState.OPEN)
    .values(
        state=case((_TO_BE_ACCEPTED, ObligationState.SENT), else_=ObligationState.DONE),
        done_at=bindparam("now"),
        version=_obligation.c.version + 1,
    )
)


def close_obligation(session: Session, obligation_id: int, now: datetime) -> bool:
    """It is in: done, or sent where staff have yet to accept it. False when somebody was quicker (or it was waived).

    Every door ends here.
    """
    return session.connection().execute(_CLOSE, {"which": obligation_id, "now": now}).rowcount == 1


def refresh_project(session: Session, project_id: int, values: dict[str, Any]) -> None:
    """Repeats the newest answers on the project, for the lists."""
    if values:
        session.execute(
            update(Project)
            .where(col(Project.id) == project_id)
            .values(values)
            .execution_options(synchronize_session=False)
        )
