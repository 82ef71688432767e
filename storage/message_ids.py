"""The Message-IDs of the mail we send: made of the outbox's row, so that a mail of ours is known again by its id alone.

Replies, bounces and receipts may come before we have written down that a mail was sent.
"""

import hashlib
import re

from sqlmodel import Session

from storage.tables import Outbox

LARGEST = 2**31 - 1  # a number of the outbox; PostgreSQL refuses to be asked for a larger one
_OURS = re.compile(r"<?([0-9]{1,10})\.([0-9a-f]{20})@[^\s<>@]+>?")


def message_id_of(outbox_id: int, dedupe_key: str, domain: str) -> str:
    """The same on every try, so that whoever gets it twice can tell."""
    return f"<{outbox_id}.{_mark(dedupe_key)}@{domain}>"


def mail_of_ours(session: Session, message_id: str) -> Outbox | None:
    """The message of ours with this Message-ID. Its mark cannot be guessed from a number: dedupe keys are not told."""
    found = _OURS.fullmatch(message_id.strip())
    row = None if found is None or int(found[1]) > LARGEST else session.get(Outbox, int(found[1]))
    return row if found is not None and row is not None and _mark(row.dedupe_key) == found[2] else None


def _mark(dedupe_key: str) -> str:
    return hashlib.sha256(dedupe_key.encode()).hexdigest()[:20]
