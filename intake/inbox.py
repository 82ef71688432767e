"""Keeps what a provider handed us, raw, before anybody reads it. Never looks inside, never keeps the same thing twice.

The same number with other content is another thing: Telegram may restart its numbers after a quiet week.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from storage.inbox import add_arrival, add_arrivals
from storage.tables import InboxState


@dataclass(frozen=True, slots=True)
class Arrival:
    """One raw thing. `account` is our own end (a bot, a mailbox), `lane` the chat or sender whose order is kept.

    `content`: by what it is recognised, where the same thing may come written in several ways; else the payload.
    """

    kind: str
    account: str
    provider_id: str
    payload: bytes
    lane: str
    content: bytes | None = None

    def row(self, now: datetime) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "account": self.account,
            "provider_id": self.provider_id,
            "payload_hash": self.payload if self.content is None else self.content,
            "payload": self.payload,
            "lane": self.lane,
            "state": InboxState.NEW,
            "attempts": 0,
            "received_at": now,
        }


def receive(  # noqa: PLR0913 - the names of an Arrival
    session: Session, *, kind: str, account: str, provider_id: str, payload: bytes, lane: str, now: datetime
) -> int | None:
    """The id of the new row; None when exactly this is here already."""
    return add_arrival(session, Arrival(kind, account, provider_id, payload, lane).row(now))


def receive_many(session: Session, items: Sequence[Arrival], now: datetime) -> int:
    """Keeps `items` in their order; how many were new."""
    return add_arrivals(session, [item.row(now) for item in items]) if items else 0
