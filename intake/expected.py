"""Files that a provider still has: expected when their message comes, fetched later, or left by another way.

What cannot be had is known as early as possible: by its claimed size and name at once, by its content when it is
here. The bytes themselves are kept by `intake/files.py`; who fetches them is another room.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Session

from intake.file_names import safe_name
from intake.files import LIMIT, StoredFile, is_refused_name
from intake.questions import add_file
from storage import attachments, audit
from storage.tables import Attachment, Channel, FileKind, FileState

# Seconds before the 2nd, 3rd … try; then the person is shown where to leave the file.
BACK_OFF = (5, 20, 60, 300, 1200)
LEASE = timedelta(seconds=120)  # longer than one try may last


class WhyMissing(StrEnum):
    """Why a file cannot be had from its provider. Kept in `Attachment.error`."""

    TOO_LARGE = "too-large"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Expected:
    """What a message says of the file that came with it. `size` in bytes, 0 when it does not say."""

    kind: FileKind
    name: str
    size: int
    type_claimed: str
    file_id: str
    file_unique_id: str
    provider_id: str
    caption: str
    detail: dict[str, Any]


def expect(
    session: Session,
    what: Expected,
    *,
    referent_id: int,
    inbox_id: int | None,
    now: datetime,
    album_id: int | None = None,
) -> Attachment:
    """Writes a file down that is still elsewhere; a place or a contact is here already. It belongs nowhere yet."""
    state, why = _prospect(what)
    row = Attachment(
        kind=what.kind,
        state=state,
        size=what.size,
        name=safe_name(what.name),
        type_claimed=what.type_claimed,
        caption=what.caption,
        detail=dict(what.detail),
        referent_id=referent_id,
        album_id=album_id,
        inbox_id=inbox_id,
        provider_id=what.provider_id,
        file_id=what.file_id,
        file_unique_id=what.file_unique_id,
        next_at=now if state is FileState.WAITING else None,
        error=why,
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def _prospect(what: Expected) -> tuple[FileState, WhyMissing | None]:
    if not what.file_id:
        return FileState.KEPT, None
    if what.size > LIMIT:
        return FileState.MISSING, WhyMissing.TOO_LARGE
    if is_refused_name(what.name):
        return FileState.MISSING, WhyMissing.REFUSED
    return FileState.WAITING, None


def claim(session: Session, now: datetime) -> Attachment | None:
    """The next file to fetch, ours for a while; None when none is due. `attempts` says which try this is."""
    return attachments.claim_fetch(session, now, now + LEASE)


def arrived(session: Session, row: Attachment, stored: StoredFile, now: datetime) -> bool:
    """The bytes are on disk; False when another try, or the person, was quicker."""
    if not attachments.settle_fetch(session, row.id, row.attempts, **_kept(stored)):
        return False
    audit.record(session, now, ("system", None), "file.fetch", ("attachment", row.id), size=stored.size)
    return True


def cannot_be_had(session: Session, row: Attachment, why: WhyMissing) -> bool:
    """No use in trying again; True when the person is still to be told."""
    return attachments.settle_fetch(
        session, row.id, row.attempts, state=FileState.MISSING, error=why.value, next_at=None
    )


def try_again(session: Session, row: Attachment, now: datetime, wait: float = 0.0) -> bool:
    """Another try later, in `wait` seconds at the earliest; False when there have been enough."""
    if row.attempts > len(BACK_OFF):
        return False
    seconds = max(BACK_OFF[row.attempts - 1], wait)
    attachments.settle_fetch(session, row.id, row.attempts, next_at=now + timedelta(seconds=seconds))
    return True


def fetch_again(session: Session, attachment_id: int, now: datetime, *, by: int) -> bool:
    """Staff want another try at what Telegram did not hand over; False for what cannot be had by trying."""
    if not attachments.wait_again(session, attachment_id, WhyMissing.EXPIRED, now):
        return False
    audit.record(session, now, ("staff", by), "file.fetch-again", ("attachment", attachment_id))
    return True


def fill(session: Session, row: Attachment, stored: StoredFile, *, now: datetime, zone: str) -> bool:
    """Left on the page, the file takes the place that waited for it. False when it was here already."""
    if not attachments.fill_missing(session, row.id, name=stored.name, **_kept(stored)):
        return False
    audit.record(session, now, ("referent", row.referent_id), "file.fill", ("attachment", row.id), size=stored.size)
    if row.message_id is not None:
        add_file(session, row.message_id, stored.name, channel=Channel.WEB, now=now, zone=zone)
    return True


def join(session: Session, late: Attachment, first: Attachment, *, now: datetime, zone: str) -> bool:
    """A part of an album that came after the others were put away goes where they are; False: they belong nowhere."""
    if not attachments.follow(session, late.id, first):
        return False
    if first.message_id is not None:
        add_file(session, first.message_id, late.name, channel=Channel.TELEGRAM, now=now, zone=zone)
    return True


def _kept(stored: StoredFile) -> dict[str, Any]:
    return {
        "state": FileState.KEPT,
        "sha256": stored.sha256,
        "size": stored.size,
        "type_seen": stored.type_seen,
        "next_at": None,
        "error": None,
    }
