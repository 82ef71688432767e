"""What a mail server says of a mail of ours that came back (RFC 3464). Answers nothing and sends nothing.

Anybody can write such a mail. It is heard only about a mail whose Message-ID it knows, for the address to which that
was sent: nobody but who got the mail can say that it did not arrive, and only of themselves.
"""

from datetime import datetime

import structlog
from sqlmodel import Session

from delivery import doors
from delivery.outbox import CLOSED
from intake.incoming import Incoming, Report
from storage import audit, people
from storage.message_ids import mail_of_ours
from storage.receipts import add_receipt, bounced_at, mark_failed
from storage.tables import Channel, Outbox, OutboxState, Receipt
from storage.words import LetterKind, ReceiptKind, Standing

NO_SUCH_MAILBOX = "5.1.1"  # RFC 3463 §3.2
ENOUGH = 2  # hard bounces after which an address is closed
MOST = 20  # reports of one mail that are looked at: each mail of ours has one recipient
BOUNCED = "bounced"

log = structlog.get_logger()


def note_bounce(session: Session, incoming: Incoming, inbox_id: int | None, now: datetime) -> Outbox | None:
    """The mail of ours that came back or is late; None when it is about none: then nothing is written."""
    if incoming.kind is not LetterKind.BOUNCE:
        return None
    about = None
    for report in incoming.reports[:MOST]:
        row = mail_of_ours(session, report.message_id)
        if row is None or row.channel is not Channel.EMAIL or row.address.lower() != report.recipient.strip().lower():
            continue
        about = row
        if report.action == "delayed":
            _note(session, row, ReceiptKind.DELAYED, report, inbox_id, now)
        elif report.action == "failed":
            _came_back(session, row, report, inbox_id, now)
    return about


def _note(
    session: Session, row: Outbox, kind: ReceiptKind, report: Report, inbox_id: int | None, now: datetime
) -> bool:
    """Only the code: the words of a mail server name people."""
    receipt = Receipt(
        outbox_id=row.id, kind=kind, standing=Standing.UNVERIFIED, detail=_code(report), at=now, inbox_id=inbox_id
    )
    return add_receipt(session, receipt)


def _came_back(session: Session, row: Outbox, report: Report, inbox_id: int | None, now: datetime) -> None:
    reason = f"{BOUNCED} {_code(report)}".strip()
    told = _note(session, row, ReceiptKind.BOUNCED, report, inbox_id, now)
    # A mail that went twice comes back twice: it is one mail, and says one thing about the mailbox.
    if not told or not mark_failed(session, row, reason, row.body | {CLOSED: True}):
        return
    bounces = people.count_bounce(session, row.channel, row.address) if _is_hard(report) else 0
    moved: set[int] = set()
    if bounces >= ENOUGH or (bounces and _code(report) == NO_SUCH_MAILBOX):
        back = bounced_at(session, row.channel, row.address)
        moved = doors.close(session, row.channel, row.address, reason, now, refused=back)
        session.refresh(row)
    log.warning("outbox.bounced", outbox=row.id, reason=reason, moved=len(moved))
    if row.id not in moved:
        audit.record(session, now, ("system", None), f"outbox.{OutboxState.DEAD.value}", ("outbox", row.id))


def _is_hard(report: Report) -> bool:
    """What a server gave up after trying for days (4.x.x) says nothing about the mailbox."""
    return not report.status.startswith("4")


def _code(report: Report) -> str:
    parts = report.status.split(".")
    return report.status if len(parts) == 3 and all(part.isdecimal() and len(part) <= 3 for part in parts) else ""
