"""Where every door of the post office ends: a raw mail is kept before the door says "got it". Reads nothing.

A mail is UNREAD until `intake/post/reader.py` has taken it apart and given it the lane of its sender.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from storage.inbox import add_arrivals
from storage.tables import Channel, InboxState

KINDS = {Channel.EMAIL: "mail", Channel.PEC: "pec"}  # how a mail is called in the inbox
LARGEST = 25 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class RawMail:
    """`account`: the address or mailbox of ours it came to, without a `+token`. `provider_id`: what the door calls it.

    Left empty, the content is the number. All our doors do: numbers of IMAP mean other mails when a mailbox is moved.
    `raw` begins with what the last server adds (RFC 5321 §4.4): Return-Path, Delivered-To.
    """

    channel: Channel
    account: str
    raw: bytes
    provider_id: str = ""

    def row(self, now: datetime) -> dict[str, Any]:
        return {
            "kind": KINDS[self.channel],
            "account": self.account,
            "provider_id": self.provider_id or f"sha256:{hashlib.sha256(self.raw).hexdigest()}",
            "payload_hash": self.raw,
            "payload": self.raw,
            "lane": f"{KINDS[self.channel]}:",
            "state": InboxState.UNREAD,
            "attempts": 0,
            "received_at": now,
        }


def receive_mails(session: Session, mails: list[RawMail], now: datetime) -> int:
    """Keeps them in their order; how many were not here already. They are safe once the caller has committed."""
    return add_arrivals(session, [mail.row(now) for mail in mails]) if mails else 0
