"""Writes down the files that came with a mail: their bytes are on disk already. Opens none.

What was not kept has a row as well, so that its reader knows that something was there, and why it is not.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from intake.file_names import safe_name
from intake.incoming import Enclosed, Incoming
from storage import audit
from storage.tables import Attachment, FileState

REFUSED = "refused"  # `Attachment.error`: a kind of file that we do not take; `detail` says it in our words


def add_enclosures(session: Session, incoming: Incoming, now: datetime, *, inbox_id: int, **home: Any) -> None:
    """`home`: `message_id` and `referent_id`, or `letter_id` while nobody knows whose that is."""
    rows = [Attachment(**_of(one), **home, inbox_id=inbox_id, created_at=now) for one in incoming.files]
    if not rows:
        return
    session.add_all(rows)
    session.flush()
    referent_id = home.get("referent_id")
    actor = ("referent", referent_id) if referent_id is not None else ("stranger", None)
    for row in rows:
        if row.sha256 is not None:
            audit.record(session, now, actor, "file.keep", ("attachment", row.id), size=row.size)


def _of(one: Enclosed) -> dict[str, Any]:
    """`detail`: what its name does not say."""
    detail = {"inside": one.inside, "signed": one.signed, "inline": one.inline, "refused": one.refused}
    kept = bool(one.kept) and not one.refused
    return {
        "state": FileState.KEPT if kept else FileState.MISSING,
        "error": None if kept else REFUSED,
        "sha256": one.kept if kept else None,
        "size": one.size,
        "name": safe_name(one.name),
        "type_claimed": one.type[:120].replace("\x00", ""),
        "type_seen": one.seen,
        "detail": {name: value for name, value in detail.items() if value},
    }
