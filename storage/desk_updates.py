"""What the desk's pages look at of updates: a list of them, and one beside the one before. Only looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from storage.indexing import UPDATES
from storage.searching import MOST_COUNTED, narrow
from storage.tables import (
    Channel,
    Deadline,
    Form,
    FormVersion,
    Obligation,
    Organization,
    Project,
    Referent,
    Review,
    Update,
)


@dataclass(frozen=True, slots=True)
class UpdateLine:
    """One update in a list, with what a person needs to recognise it. `subject`: the project, or the organisation."""

    id: int
    received_at: datetime
    channel: Channel
    unchanged: bool
    answers: Mapping[str, Any]
    review: Review
    project_id: int | None
    subject: str
    form: str
    form_key: str
    referent_id: int | None
    referent: str | None
    deadline: str | None


@dataclass(frozen=True, slots=True)
class OneUpdate:
    """An update with all that belongs to it. It tells of a project or an organisation.

    `previous`: the one before it, of the same subject and form.
    """

    update: Update
    project: Project | None
    organization: Organization | None
    form: Form
    version: FormVersion
    referent: Referent | None
    obligation: Obligation | None
    deadline: Deadline | None
    previous: Update | None


def updates_page(  # noqa: PLR0913 - a filter for each of them
    session: Session,
    text: str = "",
    *,
    project_id: int | None = None,
    referent_id: int | None = None,
    review: Review | None = None,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[UpdateLine], int]:
    """The newest updates first and how many there are; of more than `MOST_COUNTED` that are searched for, that many."""
    wanted = ((Update.project_id, project_id), (Update.referent_id, referent_id), (Update.review, review))
    conditions = [col(column) == value for column, value in wanted if value is not None]
    if text.strip():
        heap = narrow(session, select(Update.id).where(*conditions), col(Update.id), text, shelf=UPDATES)
        counted = select(func.count()).select_from(heap.limit(MOST_COUNTED + 1).subquery())
        found = session.execute(heap.offset(offset).limit(limit)).scalars().all()
        return update_lines(session, found), session.execute(counted).scalar_one()
    total = session.execute(select(func.count()).select_from(Update).where(*conditions)).scalar_one()
    rows = session.execute(_newest_first(_LINES.where(*conditions)).limit(limit).offset(offset))
    return [UpdateLine(*row) for row in rows], total


def _newest_first(rows: Any) -> Any:
    return rows.order_by(col(Update.received_at).desc(), col(Update.id).desc())


def update_lines(session: Session, ids: Sequence[int]) -> list[UpdateLine]:
    """These, the newest first."""
    return [UpdateLine(*row) for row in session.execute(_newest_first(_LINES.where(col(Update.id).in_(ids))))]


def _with_all(columns: Any) -> Any:
    """Of an update, with what it tells of and what it fulfils."""
    return (
        columns.select_from(Update)
        .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
        .join(Form, col(Form.id) == col(FormVersion.form_id))
        .outerjoin(Project, col(Project.id) == col(Update.project_id))
        .outerjoin(Organization, col(Organization.id) == col(Update.organization_id))
        .outerjoin(Referent, col(Referent.id) == col(Update.referent_id))
        .outerjoin(Obligation, col(Obligation.id) == col(Update.obligation_id))
        .outerjoin(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
    )


_LINES = _with_all(
    select(  # type: ignore[call-overload]
        Update.id,
        Update.received_at,
        Update.channel,
        Update.unchanged,
        Update.answers,
        Update.review,
        Project.id,
        func.coalesce(Project.title, Organization.name),
        Form.title,
        Form.key,
        Referent.id,
        Referent.name,
        Deadline.title,
    )
)
_ONE_UPDATE = ("update", "project", "organization", "form", "version", "referent", "obligation", "deadline")


def one_update(session: Session, update_id: int) -> OneUpdate | None:
    whole = select(  # type: ignore[call-overload]
        Update, Project, Organization, Form, FormVersion, Referent, Obligation, Deadline
    )
    row = session.exec(_with_all(whole).where(Update.id == update_id)).first()
    if row is None:
        return None
    values = dict(zip(_ONE_UPDATE, row, strict=True))
    return OneUpdate(**values, previous=_before(session, values["update"], values["version"].form_id))


def _before(session: Session, update: Update, form_id: int) -> Update | None:
    return session.exec(
        select(Update)
        .join(FormVersion, col(FormVersion.id) == col(Update.form_version_id))
        .where(_of_same_subject(update), FormVersion.form_id == form_id, Update.id < update.id)
        .order_by(col(Update.id).desc())
        .limit(1)
    ).first()


def _of_same_subject(update: Update) -> ColumnElement[bool]:
    if update.project_id is not None:
        return col(Update.project_id) == update.project_id
    return col(Update.organization_id) == update.organization_id


def update_of_obligation(session: Session, obligation_id: int) -> Update | None:
    """The update that fulfilled it."""
    return session.exec(select(Update).where(Update.obligation_id == obligation_id)).first()
