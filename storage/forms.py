"""Queries about forms and their versions. A version is never changed, only followed by another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import defer
from sqlmodel import Session, col, select

from storage.tables import Deadline, Draft, DraftState, Form, FormProposal, FormVersion, Obligation, Staff, Update

UNFINISHED = (DraftState.OPEN, DraftState.PARKED)


@dataclass(frozen=True, slots=True)
class FormLine:
    """A form in a list: its newest version, and what hangs on it."""

    form: Form
    number: int
    published_at: datetime
    deadlines: int
    drafts: int
    updates: int


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version in the list of its form. `by`: who published it; None for one that came along, or by command."""

    id: int
    number: int
    published_at: datetime
    source: str
    by: str | None
    drafts: int
    updates: int


def form_with(session: Session, key: str) -> Form | None:
    return session.exec(select(Form).where(Form.key == key)).first()


def form_numbered(session: Session, form_id: int) -> Form | None:
    return session.get(Form, form_id)


def newest_version(session: Session, key: str) -> FormVersion | None:
    """The version of a form that is filled in today."""
    return session.exec(
        select(FormVersion)
        .join(Form, col(Form.id) == col(FormVersion.form_id))
        .where(Form.key == key)
        .order_by(col(FormVersion.number).desc())
    ).first()


_NEWEST_ID = (
    select(FormVersion.id)
    .join(Form, col(Form.id) == col(FormVersion.form_id))
    .where(Form.key == bindparam("form_key"))
    .order_by(col(FormVersion.number).desc())
    .limit(1)
)


def newest_version_id(session: Session, key: str) -> int | None:
    """Only its number: the dialogue asks at every beginning, and knows the form itself already."""
    return session.exec(_NEWEST_ID, params={"form_key": key}).first()


_NEWEST_OF = (
    select(FormVersion.id)
    .where(FormVersion.form_id == bindparam("form"))
    .order_by(col(FormVersion.number).desc())
    .limit(1)
)


def newest_of(session: Session, form_id: int) -> int:
    """The same by the form's number. Raises NoResultFound for a form without a version."""
    return session.exec(_NEWEST_OF, params={"form": form_id}).one()


_ASKED = (
    select(Deadline.form_id, Deadline.form_version_id)
    .join(Obligation, col(Obligation.deadline_id) == col(Deadline.id))
    .where(Obligation.id == bindparam("obligation"))
)


def asked_version(session: Session, obligation_id: int) -> int | None:
    """The version with which an obligation is fulfilled: the deadline's own, or the newest. None for no obligation."""
    found = session.exec(_ASKED, params={"obligation": obligation_id}).first()
    if found is None:
        return None
    form_id, version_id = found
    return version_id or newest_of(session, form_id)


_FORM_ID = select(FormVersion.form_id).where(FormVersion.id == bindparam("version"))


def form_id_of(session: Session, version_id: int) -> int:
    """Which form a version belongs to."""
    return session.exec(_FORM_ID, params={"version": version_id}).one()


def versions_of(session: Session, form_id: int) -> Sequence[FormVersion]:
    """The newest first."""
    found = select(FormVersion).where(FormVersion.form_id == form_id).order_by(col(FormVersion.number).desc())
    return session.exec(found).all()


def version_numbered(session: Session, form_id: int, number: int) -> FormVersion | None:
    return session.exec(select(FormVersion).where(FormVersion.form_id == form_id, FormVersion.number == number)).first()


def forms_in_use(session: Session) -> Sequence[Form]:
    """Those that may be begun, by title."""
    return session.exec(select(Form).where(col(Form.retired_at).is_(None)).order_by(Form.title)).all()


def form_lines(session: Session) -> list[FormLine]:
    """All of them, those in use first, by title."""
    deadlines = _count(Deadline.id, Deadline.form_id == Form.id, col(Deadline.active).is_(True))
    of_form = select(FormVersion.id).where(FormVersion.form_id == Form.id)
    drafts = _count(Draft.id, col(Draft.form_version_id).in_(of_form), col(Draft.state).in_(UNFINISHED))
    updates = _count(Update.id, col(Update.form_version_id).in_(of_form))
    newest = (
        select(func.max(FormVersion.number)).where(FormVersion.form_id == Form.id).correlate(Form).scalar_subquery()
    )
    found = (
        select_columns(Form, col(FormVersion.number), col(FormVersion.published_at), deadlines, drafts, updates)
        .join(FormVersion, col(FormVersion.form_id) == col(Form.id))
        .where(col(FormVersion.number) == newest)
        .order_by(col(Form.retired_at).is_not(None), col(Form.title))
    )
    return [FormLine(*row) for row in session.execute(found)]


def _count(what: Any, *conditions: Any) -> Any:
    return select(func.count(what)).where(*conditions).correlate(Form).scalar_subquery()


def unfinished_by_version(session: Session, form_id: int) -> dict[int, int]:
    """How many drafts are still being filled in on each version, by its id."""
    rows = session.exec(
        select(Draft.form_version_id, func.count(col(Draft.id)))
        .join(FormVersion, col(FormVersion.id) == col(Draft.form_version_id))
        .where(FormVersion.form_id == form_id, col(Draft.state).in_(UNFINISHED))
        .group_by(col(Draft.form_version_id))
    )
    return {version: count for version, count in rows if version is not None}


def proposal(session: Session, proposal_id: int) -> FormProposal | None:
    return session.get(FormProposal, proposal_id)


def waiting_proposals(session: Session, limit: int = 10) -> Sequence[FormProposal]:
    """Uploaded and not published, the newest first, without their files."""
    found = (
        select(FormProposal)
        .where(col(FormProposal.version_id).is_(None))
        .options(defer(FormProposal.content))  # type: ignore[arg-type]  # SQLModel's type hides the column
        .order_by(col(FormProposal.id).desc())
        .limit(limit)
    )
    return session.exec(found).all()


def version_lines(session: Session, form_id: int) -> list[VersionLine]:
    """The versions of a form, the newest first, without their definitions."""
    drafts = _of_version(Draft, col(Draft.state).in_(UNFINISHED))
    found = (
        select_columns(
            col(FormVersion.id),
            col(FormVersion.number),
            col(FormVersion.published_at),
            col(FormVersion.source),
            col(Staff.name),
            drafts,
            _of_version(Update),
        )
        .outerjoin(Staff, col(Staff.id) == col(FormVersion.published_by))
        .where(col(FormVersion.form_id) == form_id)
        .order_by(col(FormVersion.number).desc())
    )
    return [VersionLine(*row) for row in session.execute(found)]


def _of_version(table: type[Draft] | type[Update], *conditions: Any) -> Any:
    mine = col(table.form_version_id) == col(FormVersion.id)
    return select(func.count(col(table.id))).where(mine, *conditions).correlate(FormVersion).scalar_subquery()


def deadlines_asking(session: Session, form_id: int) -> list[tuple[Deadline, int | None]]:
    """The active deadlines that ask a form, by title, each with the number of the version it keeps to, if it does."""
    found = (
        select_columns(Deadline, col(FormVersion.number))
        .outerjoin(FormVersion, col(FormVersion.id) == col(Deadline.form_version_id))
        .where(col(Deadline.form_id) == form_id, col(Deadline.active).is_(True))
        .order_by(col(Deadline.title), col(Deadline.id))
    )
    return [(deadline, number) for deadline, number in session.execute(found)]


def add_form(session: Session, key: str, title: str, about: str) -> Form | None:
    """None when somebody else has just made one with this key."""
    row = Form(key=key, title=title, about=about)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return None
    return row


def hold_form(session: Session, form_id: int) -> Form | None:
    """Held until the transaction ends: nobody publishes a version of it, retires it or makes it due meanwhile."""
    return session.exec(
        select(Form).where(Form.id == form_id).with_for_update().execution_options(populate_existing=True)
    ).first()


def hold_proposal(session: Session, proposal_id: int) -> FormProposal | None:
    """Held until the transaction ends: two people never publish the same file."""
    held = select(FormProposal).where(FormProposal.id == proposal_id).with_for_update()
    return session.exec(held.execution_options(populate_existing=True)).first()
