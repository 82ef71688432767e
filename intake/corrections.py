"""Edits of what was already sent: kept beside it as corrections, both versions. Never changes what was received."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from intake.questions import expected_by
from storage import audit
from storage import corrections as stored
from storage import questions as threads
from storage.tables import Channel, Correction, Message, Update


@dataclass(frozen=True, slots=True)
class Edited:
    """What was there and what stands there now. `inbox_id`: the edit as it arrived."""

    before: str
    after: str
    inbox_id: int | None = None


def correct_message(session: Session, message: Message, edited: Edited, *, now: datetime, zone: str) -> Correction:
    """A message of a thread: whoever is about to answer it has not seen this, so the question moves, or opens again."""
    correction = _keep(session, edited, now, message_id=message.id)
    threads.touch(session, message.question_id, Channel.TELEGRAM, expected_by(now, zone), now)
    person = ("referent", message.referent_id)
    audit.record(session, now, person, "question.correct", ("question", message.question_id), message_id=message.id)
    return correction


def correct_update(session: Session, update: Update, field: str, edited: Edited, *, now: datetime) -> Correction:
    """An answer of an update. The update stays what it was: it may have closed an obligation."""
    correction = _keep(session, edited, now, update_id=update.id, field=field)
    person = ("referent", update.referent_id)
    audit.record(session, now, person, "update.correct", ("update", update.id), field=field)
    return correction


def said_last(session: Session, *, message_id: int | None = None, update_id: int | None = None, field: str = "") -> str:
    """What the newest correction says; empty when there is none."""
    newest = stored.newest(session, message_id=message_id, update_id=update_id, field=field)
    return newest.after if newest is not None else ""


def _keep(session: Session, edited: Edited, now: datetime, **where: Any) -> Correction:
    correction = Correction(before=edited.before, after=edited.after, inbox_id=edited.inbox_id, created_at=now, **where)
    session.add(correction)
    session.flush()
    return correction
