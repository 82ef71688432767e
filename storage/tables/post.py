"""Mail that came in and what became of it, the addresses people reply to, and what is known of the mail we sent."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, Index, SQLModel, UniqueConstraint, text

from storage.tables.base import instant, optional_instant, optional_sealed_text, sealed_document, word
from storage.tables.people import Channel
from storage.types import Fingerprint
from storage.words import LetterKind, ReceiptKind, Standing


class Mailbox(SQLModel, table=True):
    """How far one folder of a mailbox has been fetched: `uid` is the highest one kept of this `uidvalidity`.

    RFC 9051 §2.3.1.1: with another UIDVALIDITY the numbers mean other mails, and the folder is looked at anew.
    """

    account: str = Field(primary_key=True)
    folder: str = Field(primary_key=True)
    uidvalidity: int = Field(sa_type=BigInteger)
    uid: int = Field(default=0, sa_type=BigInteger)
    checked_at: datetime | None = optional_instant()


class Reading(SQLModel, table=True):
    """A mail taken apart (`intake/incoming.py` says how), while it waits to be understood. The files are on disk."""

    id: int = Field(default=None, primary_key=True)
    inbox_id: int = Field(foreign_key="inbox.id", unique=True)
    document: dict[str, Any] = sealed_document("reading.document")
    created_at: datetime = instant()


class LetterState(StrEnum):
    """THREADED: became a message of a question. UPDATE: holds an update. HELD: waits for staff to say whose it is.

    ADMITTED: staff said whose, and it became a question. ANSWERED: once, without being let in. FILED: nothing to do.
    """

    THREADED = "threaded"
    UPDATE = "update"
    HELD = "held"
    ADMITTED = "admitted"
    ANSWERED = "answered"
    DISCARDED = "discarded"
    FILED = "filed"


class Letter(SQLModel, table=True):
    """One mail that came in, and what became of it.

    `fingerprint` is of its Message-ID, From, Date, Subject and text: the same mail by two doors is one letter, another
    one with the same Message-ID is not. `sender` is as the mail says; how far to believe it, `standing` says.
    """

    __table_args__ = (
        Index(
            "ix_letter_held",
            "id",
            sqlite_where=text("state = 'held'"),
            postgresql_where=text("state = 'held'"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    inbox_id: int = Field(foreign_key="inbox.id", index=True)
    channel: Channel = word(Channel)
    fingerprint: str = Field(sa_type=Fingerprint, unique=True)
    provider_id: str = Field(default="", index=True)
    kind: LetterKind = word(LetterKind)
    state: LetterState = word(LetterState)
    standing: Standing = word(Standing)
    sender: str = optional_sealed_text("letter.sender")
    sender_name: str = optional_sealed_text("letter.sender_name")
    subject: str = optional_sealed_text("letter.subject")
    text: str = optional_sealed_text("letter.text")
    quoted: str = optional_sealed_text("letter.quoted")
    about: dict[str, Any] = sealed_document("letter.about")
    referent_id: int | None = Field(default=None, foreign_key="referent.id", index=True)
    question_id: int | None = Field(default=None, foreign_key="question.id", index=True)
    message_id: int | None = Field(default=None, foreign_key="message.id", index=True)
    update_id: int | None = Field(default=None, foreign_key="update.id")
    draft_id: int | None = Field(default=None, foreign_key="draft.id")
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)
    received_at: datetime = instant()
    decided_by: int | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = optional_instant()


class ReplyAddress(SQLModel, table=True):
    """The `+token` of an address to which one person may reply about one thing. Only its SHA-256 is kept.

    About a question, or about what one message of ours said (`outbox_id`: a reminder); about nothing: a new question.
    """

    __tablename__ = "reply_address"

    token_hash: str = Field(primary_key=True, max_length=64)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    question_id: int | None = Field(default=None, foreign_key="question.id", index=True)
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)
    created_at: datetime = instant()
    revoked_at: datetime | None = optional_instant()


class Receipt(SQLModel, table=True):
    """What one receipt or bounce said of one mail of ours. `detail`: why not, without personal data."""

    __table_args__ = (UniqueConstraint("outbox_id", "kind", "inbox_id"),)

    id: int = Field(default=None, primary_key=True)
    outbox_id: int = Field(foreign_key="outbox.id", index=True)
    kind: ReceiptKind = word(ReceiptKind)
    standing: Standing = word(Standing)
    detail: str = ""
    at: datetime = instant()
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")
