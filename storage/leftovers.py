"""Queries on files that staff chose and then left: they go along with nothing. Decides nothing of when they go."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage.attachments import loose
from storage.tables import Attachment, Reading


class Leftover(NamedTuple):
    """A row that is no more, and the name of its bytes."""

    attachment_id: int
    name: str | None


def take_away_some(session: Session, before: datetime, *, most: int) -> Sequence[Leftover]:
    """Deletes rows that were left before this instant, oldest first. Who sends one with an answer now holds its row."""
    these = (
        select(Attachment.id, Attachment.sha256)
        .where(col(Attachment.staff_id).is_not(None), Attachment.created_at < before, *loose())
        .order_by(col(Attachment.id))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    found = [Leftover(*row) for row in session.execute(these)]
    session.execute(delete(Attachment).where(col(Attachment.id).in_([one.attachment_id for one in found])))
    return found


def is_named(session: Session, name: str) -> bool:
    """Whether anything needs these bytes: the same content may have come twice, or lie in a mail that waits."""
    if session.exec(select(Attachment.id).where(Attachment.sha256 == name).limit(1)).first() is not None:
        return True
    return any(name in str(document) for document in session.exec(select(Reading.document)))
