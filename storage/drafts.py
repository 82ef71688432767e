"""Queries about drafts: the conversation of a referent, whatever the channel. Changes them only by compare-and-set."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from storage.tables import Draft, DraftKind, DraftState, FormVersion

_UNFINISHED = (DraftState.OPEN, DraftState.PARKED)


def drafts_overtaken(session: Session, project_id: int, form_id: int, referent_id: int) -> Sequence[tuple[int, int]]:
    """Unfinished drafts of other referents for the same project and form: (draft, referent)."""
    rows = session.exec(
        select(Draft.id, Draft.referent_id)
        .join(FormVersion, col(FormVersion.id) == col(Draft.form_version_id))
        .where(
            Draft.kind == DraftKind.UPDATE,
            Draft.project_id == project_id,
            col(Draft.state).in_(_UNFINISHED),
            Draft.referent_id != referent_id,
            FormVersion.form_id == form_id,
        )
        .order_by(col(Draft.id))
    )
    return [(draft, referent) for draft, referent in rows]


def change_draft(session: Session, draft_id: int, revision: int, now: datetime, **values: Any) -> bool:
    """Changes a draft as it was at `revision`; False when it has moved on since."""
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Draft)
        .where(col(Draft.id) == draft_id, col(Draft.revision) == revision)
        .values(revision=revision + 1, touched_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    return result.rowcount == 1
