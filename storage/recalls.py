"""Drafts that were left: which is next to be seen to, and who left it. Decides nothing, never commits."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, String, cast, exists, literal, not_, or_, text, update
from sqlmodel import Session, col, select

from storage.due import UNHEARD
from storage.substitutes import in_own_name
from storage.tables import Draft, Outbox, OutboxKind

RECALL_KEY = "recall:"  # how the key of the message about a draft begins; the draft's id follows

# Word for word the condition of ix_draft_unfinished: SQLite uses a partial index only when it finds it in the question.
_UNFINISHED = text("draft.state IN ('open', 'parked')")


def claim_left(session: Session, now: datetime, *, left: timedelta, forgotten: timedelta) -> Draft | None:
    """One unfinished draft not touched for `left` and not seen to since; None when there is none.

    Not one left for longer than `forgotten`, nor one that was recalled once already; and none of somebody to whom we
    have written of ourselves within `left`. On PostgreSQL another process passes over it.
    """
    draft = session.exec(
        select(Draft)
        .where(
            _UNFINISHED,
            col(Draft.touched_at) <= now - left,
            col(Draft.touched_at) > now - forgotten,
            or_(col(Draft.recalled_at).is_(None), col(Draft.recalled_at) <= col(Draft.touched_at)),
            not_(_recalled()),
            not_(_written_to_since(now - left)),
        )
        .order_by(col(Draft.touched_at), col(Draft.id))
        .limit(1)
        .with_for_update(of=Draft, skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    ).first()
    if draft is not None:
        # Not by the object: its revision and touched_at must stay as its writer left them.
        this = update(Draft).where(col(Draft.id) == draft.id).values(recalled_at=now)
        session.execute(this.execution_options(synchronize_session=False))
    return draft


def _recalled() -> ColumnElement[bool]:
    return exists().where(col(Outbox.dedupe_key) == literal(RECALL_KEY) + cast(col(Draft.id), String))


def _written_to_since(instant: datetime) -> ColumnElement[bool]:
    return exists().where(
        col(Outbox.referent_id) == col(Draft.referent_id),
        col(Outbox.kind).in_((OutboxKind.REMINDER, OutboxKind.RECALL)),
        col(Outbox.created_at) > instant,
        col(Outbox.state).not_in(UNHEARD),
        in_own_name(),
    )
