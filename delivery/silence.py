"""A certified mail without a receipt of delivery: after a day a person looks at it. Sends nothing.

RFC 6109 §3.3: the sender's provider warns after 12 hours and gives up after 24. Where neither came, something between
the providers and us is broken, or nobody fetches the certified mailbox.
"""

from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from storage import audit
from storage.receipts import mark_silent

SILENCE = timedelta(hours=24)
NO_RECEIPT = "no delivery receipt"

log = structlog.get_logger()


def note_silence(session: Session, now: datetime) -> int:
    """How many were found. They wait at the desk until somebody decides, or the receipt comes after all."""
    found = mark_silent(session, now - SILENCE, NO_RECEIPT)
    for outbox_id in found:
        audit.record(session, now, ("clock", None), "outbox.uncertain", ("outbox", outbox_id))
        log.error("outbox.uncertain", outbox=outbox_id, reason=NO_RECEIPT)
    return len(found)
