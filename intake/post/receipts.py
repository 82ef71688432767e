"""What a receipt of certified mail says of a mail of ours. Opens nothing, answers nothing, sends nothing.

Only what a trusted provider has signed changes anything; the rest is written down and shown as doubtful.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from sqlmodel import Session

from delivery import doors
from delivery.outbox import CLOSED
from intake.incoming import RECEIPTS, Envelope, Incoming
from storage import audit
from storage.message_ids import mail_of_ours
from storage.receipts import FAILURES, add_receipt, has_receipt, mark_arrived, mark_failed, mark_taken
from storage.tables import Channel, Outbox, Receipt
from storage.words import LetterKind, ReceiptKind, Standing

# RFC 6109 §4.4, `errore`: what a provider calls its reasons.
NO_MAILBOX, NO_DOMAIN = "no-dest", "no-dominio"
_REASONS = frozenset({NO_MAILBOX, NO_DOMAIN, "virus", "altro"})
_CODE = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_OF_ONE = frozenset({ReceiptKind.DELIVERED, ReceiptKind.NOT_DELIVERED})  # one per recipient
_ERRORS: Mapping[ReceiptKind, str] = {
    ReceiptKind.NOT_ACCEPTED: "certified mail not accepted",
    ReceiptKind.NOT_DELIVERED: "certified mail not delivered",
}
CLOCKS = timedelta(hours=1)  # by which a provider's clock may go ahead of ours

log = structlog.get_logger()


def note_receipt(session: Session, incoming: Incoming, inbox_id: int | None, now: datetime) -> Outbox | None:
    """The certified mail of ours that it is about; None when it is about none: then nothing is written."""
    pec = incoming.pec
    if incoming.kind is not LetterKind.RECEIPT or pec is None or pec.kind not in RECEIPTS:
        return None
    row = mail_of_ours(session, pec.refers_to)
    if row is None or row.channel is not Channel.PEC or not _names(pec, row.address):
        return None
    kind, certified = RECEIPTS[pec.kind], pec.standing is Standing.CERTIFIED
    at = _moment(pec.at, now) if certified else now
    receipt = Receipt(outbox_id=row.id, kind=kind, standing=pec.standing, detail=_detail(pec), at=at, inbox_id=inbox_id)
    if add_receipt(session, receipt):
        log.info("receipt.noted", outbox=row.id, kind=kind.value, standing=pec.standing.value)
        if certified:
            _follow(session, row, receipt, pec.refers_to, now)
    return row


def _names(pec: Envelope, address: str) -> bool:
    """A receipt of one recipient is about that one; others may name all of them, or nobody."""
    if RECEIPTS[pec.kind] not in _OF_ONE and not pec.recipients:
        return True
    return address.lower() in (one.lower() for one in pec.recipients)


def _follow(session: Session, row: Outbox, receipt: Receipt, message_id: str, now: datetime) -> None:
    if receipt.kind is ReceiptKind.ACCEPTED and row.sent_at is None:
        mark_taken(session, row, message_id, receipt.at)
    elif receipt.kind is ReceiptKind.DELIVERED:
        mark_arrived(session, row, message_id, receipt.at)  # also after 24 hours, when it had been given up
        doors.open_again(session, row.channel, row.address, now)
    elif receipt.kind in FAILURES and not has_receipt(session, row.id, {ReceiptKind.DELIVERED}):
        _fail(session, row, receipt, now)


def _fail(session: Session, row: Outbox, receipt: Receipt, now: datetime) -> None:
    nobody = receipt.detail.split(" ")[0] in (NO_MAILBOX, NO_DOMAIN)
    error = f"{_ERRORS[receipt.kind]}: {receipt.detail}".rstrip(": ")
    if not mark_failed(session, row, error, row.body | ({CLOSED: True} if nobody else {})):
        return
    audit.record(session, now, ("system", None), "outbox.dead", ("outbox", row.id))
    log.error("outbox.dead", outbox=row.id, channel=row.channel.value, reason=error)
    if nobody:
        doors.close(session, row.channel, row.address, error, now)


def _detail(pec: Envelope) -> str:
    """Of a doubtful one, what is doubtful. Else the provider's word and code: its sentences name people."""
    if pec.standing is Standing.UNTRUSTED:
        return pec.why
    word = pec.why.partition(":")[0].strip().lower()
    code = _CODE.search(pec.why)
    return " ".join(part for part in (word if word in _REASONS else "", code[0] if code is not None else "") if part)


def _moment(written: str, now: datetime) -> datetime:
    """As the provider says it, unless it cannot be."""
    try:
        at = datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    return min(at, now) if at <= now + CLOCKS else now
