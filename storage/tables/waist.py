"""The narrow waist: everything that arrived, everything that leaves, and who holds which duty."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from storage.tables.base import instant, optional_instant, sealed_document, word
from storage.tables.people import Channel
from storage.types import Fingerprint, SealedBytes


class InboxState(StrEnum):
    """UNREAD: a mail that nobody has taken apart yet; it is NEW once its reading is there."""

    UNREAD = "unread"
    NEW = "new"
    RETRY = "retry"
    DONE = "done"
    DEAD = "dead"
    DROPPED = "dropped"


class Inbox(SQLModel, table=True):
    """One thing a provider handed us, raw, before anybody thought about it.

    `provider_id` may come again with other content (Telegram restarts its numbers), hence `payload_hash`
    in the key: bind the content, a keyed hash is kept. `lane` is the chat or sender whose order is kept.
    """

    __table_args__ = (
        UniqueConstraint("kind", "account", "provider_id", "payload_hash"),
        Index(
            "ix_inbox_waiting",
            "lane",
            "id",
            sqlite_where=text("state IN ('new', 'retry')"),
            postgresql_where=text("state IN ('new', 'retry')"),
        ),
        Index(
            "ix_inbox_unread",
            "id",
            sqlite_where=text("state = 'unread'"),
            postgresql_where=text("state = 'unread'"),
        ),
        Index(
            "ix_inbox_aside",
            "state",
            "id",
            sqlite_where=text("state IN ('dead', 'dropped')"),
            postgresql_where=text("state IN ('dead', 'dropped')"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    kind: str = Field(max_length=20)
    account: str
    provider_id: str
    payload_hash: str = Field(sa_type=Fingerprint)
    payload: bytes = Field(sa_type=SealedBytes("inbox.payload"))
    lane: str
    state: InboxState = word(InboxState, InboxState.NEW)
    attempts: int = 0
    next_at: datetime | None = optional_instant()
    error: str | None = None
    received_at: datetime = instant()
    done_at: datetime | None = optional_instant()


class OutboxState(StrEnum):
    """QUEUED and RETRY wait for `next_at`; SENDING is a lease; UNCERTAIN may or may not have arrived.

    WITHHELD: worded at the moment of sending, and nothing was left to say. MOVED: its way was closed, and it goes to
    the same person by another.
    """

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    RETRY = "retry"
    DEAD = "dead"
    UNCERTAIN = "uncertain"
    WITHHELD = "withheld"
    MOVED = "moved"
    DROPPED = "dropped"


class OutboxKind(StrEnum):
    """RECALL: a draft was left half-way. CODE: what proves that a mailbox is theirs.

    NOTICE: what staff or a person should know, unasked. CIRCULAR: what staff wrote first.
    """

    DIALOGUE = "dialogue"
    ANSWER = "answer"
    REMINDER = "reminder"
    RECALL = "recall"
    INVITATION = "invitation"
    NOTICE = "notice"
    CODE = "code"
    AUTO_REPLY = "auto-reply"
    CIRCULAR = "circular"


class Outbox(SQLModel, table=True):
    """One message to one recipient on one channel, written with the change that caused it.

    `urgency` 0 goes before 1 and 2: who is writing to us now never waits for a mass message.
    `body` is what to say (see `delivery/outbox.py`); for a reminder, what to word at the moment of sending.
    """

    __table_args__ = (
        Index(
            "ix_outbox_waiting",
            "urgency",
            "id",
            sqlite_where=text("state IN ('queued', 'retry', 'sending')"),
            postgresql_where=text("state IN ('queued', 'retry', 'sending')"),
        ),
        Index("ix_outbox_provider", "address", "provider_id"),
        Index(
            "ix_outbox_certified",
            "sent_at",
            sqlite_where=text("channel = 'pec' AND state = 'sent'"),
            postgresql_where=text("channel = 'pec' AND state = 'sent'"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    kind: OutboxKind = word(OutboxKind)
    urgency: int = 1
    channel: Channel = word(Channel)
    address: str
    referent_id: int | None = Field(default=None, foreign_key="referent.id", index=True)
    question_id: int | None = Field(default=None, foreign_key="question.id", index=True)
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")
    dedupe_key: str = Field(unique=True)
    body: dict[str, Any] = sealed_document("outbox.body")
    state: OutboxState = word(OutboxState, OutboxState.QUEUED)
    attempts: int = 0
    next_at: datetime = instant()
    lease_until: datetime | None = optional_instant()
    possible_duplicate: bool = False
    provider_id: str | None = None
    error: str | None = None
    created_at: datetime = instant()
    sent_at: datetime | None = optional_instant()


class SentPart(SQLModel, table=True):
    """A further message of an album of ours: to Telegram each part is one, and people reply to any of them.

    The first is `Outbox.provider_id`.
    """

    __tablename__ = "sent_part"

    outbox_id: int = Field(foreign_key="outbox.id", primary_key=True)
    provider_id: str = Field(primary_key=True, index=True)


class Lease(SQLModel, table=True):
    """Which process holds a duty that only one may have (`poller:BOT`, `dispatcher`), and until when."""

    name: str = Field(primary_key=True)
    owner: str
    until: datetime = instant()
