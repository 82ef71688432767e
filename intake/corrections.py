"""Edits of what was already sent: kept beside it as corrections, both versions. Never changes what was received."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from intake.questions import add_file, expected_by
from storage import attachments, audit
from storage import corrections as stored
from storage import questions as threads
from storage.tables import CAPTION, FILE, Attachment, Channel, Correction, Message, Update


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


def correct_caption(session: Session, file: Attachment, edited: Edited, *, now: datetime, zone: str) -> Correction:
    """The words below a file that went along with a message or an update. The first ones stay."""
    correction = _keep(session, edited, now, **_home(file), attachment_id=file.id, field=CAPTION)
    if file.message_id is not None:
        question_id = session.get_one(Message, file.message_id).question_id
        threads.touch(session, question_id, Channel.TELEGRAM, expected_by(now, zone), now)
    _record(session, file, now)
    return correction


def correct_file(
    session: Session, old: Attachment, new: Attachment, *, inbox_id: int | None, now: datetime, zone: str
) -> Correction:
    """Another file came under the message of one that was sent: it stands beside it, and both stay."""
    attachments.follow(session, new.id, old)
    edited = Edited(old.name, new.name, inbox_id)
    correction = _keep(session, edited, now, **_home(old), attachment_id=old.id, field=FILE)
    if old.message_id is not None:
        add_file(session, old.message_id, new.name, channel=Channel.TELEGRAM, now=now, zone=zone)
    _record(session, old, now)
    return correction


def _home(file: Attachment) -> dict[str, Any]:
    """A file of a message keeps no update, and the other way round."""
    assert file.message_id is not None or file.update_id is not None, "it was sent"
    return {"message_id": file.message_id, "update_id": file.update_id}


def _record(session: Session, file: Attachment, now: datetime) -> None:
    person, action = ("referent", file.referent_id), "update.correct"
    about = ("update", file.update_id or 0)
    if file.message_id is not None:
        action, about = "question.correct", ("question", session.get_one(Message, file.message_id).question_id)
    audit.record(session, now, person, action, about, attachment_id=file.id)


def message_says(session: Session, message: Message, first: str) -> str:
    """What stands in a message now that said this `first`."""
    newest = stored.newest_of_message(session, message.id)
    return newest.after if newest is not None else first


def stand_in_of(session: Session, message: Message) -> str:
    """What stands in a message that had no words; nothing once any were put there, and taken away again perhaps."""
    return message.text if stored.newest_of_message(session, message.id) is None else ""


def caption_says(session: Session, file: Attachment) -> str:
    """What stands below a file now."""
    newest = stored.newest_of_caption(session, file.id)
    return newest.after if newest is not None else file.caption


def _keep(session: Session, edited: Edited, now: datetime, **where: Any) -> Correction:
    correction = Correction(before=edited.before, after=edited.after, inbox_id=edited.inbox_id, created_at=now, **where)
    session.add(correction)
    session.flush()
    return correction
