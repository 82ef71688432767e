"""What is known of a mail of ours after it was handed over, and what that changes of its state. Decides nothing."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, bindparam, exists, func, not_, select, text, update
from sqlmodel import Session, SQLModel, col
from sqlmodel import select as rows_of

from storage.outbox import as_kept, outbox
from storage.tables import Channel, Outbox, OutboxState, Receipt
from storage.words import ReceiptKind, Standing

_receipt = SQLModel.metadata.tables["receipt"]
_state = outbox.c.state
FAILURES = frozenset({ReceiptKind.NOT_ACCEPTED, ReceiptKind.NOT_DELIVERED, ReceiptKind.BOUNCED})
# What has left, or may have: the rest is not told about by anybody.
_LEFT = (OutboxState.SENDING, OutboxState.SENT, OutboxState.RETRY, OutboxState.UNCERTAIN)


def add_receipt(session: Session, receipt: Receipt) -> bool:
    """False when one mail that came in has said this already; of what nobody vouches for, one of each kind is kept."""
    same = select(_receipt.c.id).where(
        _receipt.c.outbox_id == receipt.outbox_id,
        _receipt.c.kind == receipt.kind,
        _receipt.c.standing == receipt.standing,
    )
    if receipt.standing is Standing.CERTIFIED or receipt.kind in _OF_SERVERS:
        same = same.where(_receipt.c.inbox_id == receipt.inbox_id)
    if session.execute(same.limit(1)).first() is not None:
        return False
    session.add(receipt)
    session.flush()
    return True


_OF_SERVERS = frozenset({ReceiptKind.BOUNCED, ReceiptKind.DELAYED})  # nobody signs these


_RECEIPTS = (
    rows_of(Receipt).where(col(Receipt.outbox_id).in_(bindparam("ids", expanding=True))).order_by(col(Receipt.id))
)


def receipts_of(session: Session, outbox_ids: Collection[int]) -> dict[int, list[Receipt]]:
    """By message, in the order in which they came."""
    found: defaultdict[int, list[Receipt]] = defaultdict(list)
    if outbox_ids:
        for row in session.exec(_RECEIPTS, params={"ids": list(outbox_ids)}):
            found[row.outbox_id].append(row)
    return dict(found)


def has_receipt(session: Session, outbox_id: int, kinds: Collection[ReceiptKind]) -> bool:
    """Whether one that counts says so: certified, or of a mail server."""
    return session.execute(_counting(outbox_id, kinds).limit(1)).first() is not None


def _counting(outbox_id: Any, kinds: Collection[ReceiptKind]) -> Any:
    counts = (_receipt.c.standing == Standing.CERTIFIED) | _receipt.c.kind.in_(_OF_SERVERS)
    return select(_receipt.c.id).where(_receipt.c.outbox_id == outbox_id, _receipt.c.kind.in_(kinds), counts)


def mark_failed(session: Session, row: Outbox, error: str, body: dict[str, Any]) -> bool:
    """It has left, and did not arrive: dead. False when its state says something else meanwhile."""
    values = {"state": OutboxState.DEAD, "error": error, "body": as_kept(session, row.channel, body)}
    return _change(session, row, _LEFT, values)


def mark_taken(session: Session, row: Outbox, provider_id: str, at: datetime) -> bool:
    """Nobody knew whether it had left: it has. False when that was known."""
    values = {"state": OutboxState.SENT, "error": None, "provider_id": provider_id}
    waiting = (OutboxState.UNCERTAIN, OutboxState.RETRY)
    return _change(session, row, waiting, values | {"sent_at": func.coalesce(outbox.c.sent_at, at)})


def mark_arrived(session: Session, row: Outbox, provider_id: str, at: datetime) -> bool:
    """It was given up, or doubtful, and has arrived after all."""
    values = {"state": OutboxState.SENT, "error": None, "provider_id": provider_id}
    doubtful = (OutboxState.UNCERTAIN, OutboxState.RETRY, OutboxState.DEAD)
    return _change(session, row, doubtful, values | {"sent_at": func.coalesce(outbox.c.sent_at, at)})


def _change(session: Session, row: Outbox, states: Collection[OutboxState], values: dict[str, Any]) -> bool:
    these = update(outbox).where(outbox.c.id == row.id, _state.in_(states))
    changed: CursorResult[Any] = session.connection().execute(these.values(lease_until=None, **values))
    session.refresh(row)
    return changed.rowcount == 1


def bounced_at(session: Session, channel: Channel, address: str) -> Sequence[int]:
    """The messages that came back from this address and were not sent another way."""
    came_back = exists().where(_receipt.c.outbox_id == outbox.c.id, _receipt.c.kind == ReceiptKind.BOUNCED)
    here = select(outbox.c.id).where(outbox.c.address == address, outbox.c.channel == channel)
    return list(session.execute(here.where(_state == OutboxState.DEAD, came_back).order_by(outbox.c.id)).scalars())


def mark_silent(session: Session, sent_before: datetime, error: str) -> list[int]:
    """Certified mail sent before then of which no receipt says that it arrived: uncertain from now on; the ids."""
    # Not by a failure: what was sent again after one waits for a receipt of its own.
    answered = _counting(outbox.c.id, {ReceiptKind.DELIVERED}).correlate(outbox).exists()
    silent = (text("channel = 'pec' AND state = 'sent'"), outbox.c.sent_at <= sent_before)  # as ix_outbox_certified
    changed = session.connection().execute(
        update(outbox)
        .where(*silent, not_(answered))
        .values(state=OutboxState.UNCERTAIN, error=error)
        .returning(outbox.c.id)
    )
    return sorted(changed.scalars())
