"""Updates that a person has begun and not sent, as their own page shows them. Own ones only; changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from storage.tables import (
    Draft,
    DraftKind,
    DraftState,
    Following,
    Form,
    FormVersion,
    Membership,
    Organization,
    Project,
    Update,
)

UNFINISHED = (DraftState.OPEN, DraftState.PARKED)


@dataclass(frozen=True, slots=True)
class Begun:
    """A draft by which form, and what it tells of; `draft.corrects_id` when it corrects what was sent."""

    draft: Draft
    form: Form
    subject: str


def begun_by(session: Session, referent_id: int) -> list[Begun]:
    """Those of projects that they follow and of organisations that they are in, the last touched first."""
    return _begun(session, referent_id)


def own_begun(session: Session, referent_id: int, draft_id: int) -> Begun | None:
    """One of these; None for another's, for what was sent or dropped, and for what was never there."""
    return next(iter(_begun(session, referent_id, col(Draft.id) == draft_id)), None)


def _begun(session: Session, referent_id: int, *conditions: Any) -> list[Begun]:
    follows = and_(
        col(Following.project_id) == col(Draft.project_id), col(Following.referent_id) == col(Draft.referent_id)
    )
    belongs = and_(
        col(Membership.organization_id) == col(Draft.organization_id),
        col(Membership.referent_id) == col(Draft.referent_id),
    )
    theirs = (
        select(Draft, Form, Project.title, Organization.name)
        .join(FormVersion, col(FormVersion.id) == col(Draft.form_version_id))
        .join(Form, col(Form.id) == col(FormVersion.form_id))
        .outerjoin(Following, follows)
        .outerjoin(Project, col(Project.id) == col(Following.project_id))
        .outerjoin(Membership, belongs)
        .outerjoin(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(Draft.referent_id == referent_id, Draft.kind == DraftKind.UPDATE)
        .where(col(Draft.state).in_(UNFINISHED))
        .where(or_(col(Project.id).is_not(None), col(Organization.id).is_not(None)), *conditions)
        .order_by(col(Draft.touched_at).desc(), col(Draft.id).desc())
        .execution_options(populate_existing=True)
    )
    return [Begun(draft, form, title or name) for draft, form, title, name in session.exec(theirs)]


def own_update(session: Session, referent_id: int, update_id: int) -> Update | None:
    """What this person has sent, or what tells of something of theirs; None for another's and for none alike."""
    theirs = or_(col(Update.referent_id) == referent_id, _concerns(referent_id))
    return session.exec(select(Update).where(Update.id == update_id, theirs)).first()


def concerned_update(session: Session, referent_id: int, update_id: int) -> Update | None:
    """What tells of a project that they follow or of an organisation they are in, whoever sent it."""
    return session.exec(select(Update).where(Update.id == update_id, _concerns(referent_id))).first()


def _concerns(referent_id: int) -> Any:
    followed = select(Following.project_id).where(Following.referent_id == referent_id)
    joined = select(Membership.organization_id).where(Membership.referent_id == referent_id)
    return or_(col(Update.project_id).in_(followed), col(Update.organization_id).in_(joined))


def sent_by(session: Session, referent_id: int, limit: int) -> Sequence[Update]:
    """What this person has sent, the newest first."""
    newest = select(Update).where(Update.referent_id == referent_id).order_by(col(Update.id).desc()).limit(limit)
    return session.exec(newest).all()


def update_from(session: Session, referent_id: int, draft_id: int) -> Update | None:
    """What a draft of this person became, or has corrected."""
    became = select(Update).where(Update.draft_id == draft_id, Update.referent_id == referent_id)
    corrected = (
        select(Update)
        .join(Draft, col(Draft.corrects_id) == col(Update.id))
        .where(Draft.id == draft_id, Draft.referent_id == referent_id, Draft.state == DraftState.SENT)
    )
    return session.exec(became).first() or session.exec(corrected).first()


def titles(session: Session, rows: Sequence[Update]) -> dict[int, str]:
    """What each of these updates tells of, by its id."""
    found = {}
    for row in rows:
        if row.project_id is not None:
            found[row.id] = session.get_one(Project, row.project_id).title
        else:
            found[row.id] = session.get_one(Organization, row.organization_id).name
    return found
