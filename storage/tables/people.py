"""Organisations, the referents in them, and how each referent can be reached."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.tables.base import instant, only_one, optional_instant, optional_sealed_text, sealed_document, word
from storage.types import Word


class OrganizationKind(StrEnum):
    MUNICIPALITY = "municipality"
    OTHER = "other"


class Organization(SQLModel, table=True):
    id: int = Field(default=None, primary_key=True)
    kind: OrganizationKind = word(OrganizationKind)
    name: str = Field(index=True)
    istat_code: str | None = Field(default=None, unique=True, max_length=6)
    cadastral_code: str | None = Field(default=None, max_length=4)
    email: str | None = None
    pec: str | None = None


class Channel(StrEnum):
    TELEGRAM = "telegram"
    EMAIL = "email"
    PEC = "pec"
    WEB = "web"
    PHONE = "phone"


class Referent(SQLModel, table=True):
    """Our contact in one or more organisations. `substitute_id` is reminded when nothing reaches them.

    `prefers`: by which way they would rather hear from us, when several are open. `away_from` to `away_until`: their
    substitute is reminded. `left_at`: they are a contact no more; `successor_id` took over. `merged_into_id`: they were
    registered twice, and this row is only what old links and files still name.
    """

    id: int = Field(default=None, primary_key=True)
    name: str
    language: str = Field(default="it", max_length=2)
    prefers: Channel | None = Field(default=None, sa_type=Word(Channel), nullable=True)
    substitute_id: int | None = Field(default=None, foreign_key="referent.id")
    away_from: date | None = None
    away_until: date | None = None
    left_at: datetime | None = optional_instant()
    successor_id: int | None = Field(default=None, foreign_key="referent.id")
    merged_into_id: int | None = Field(default=None, foreign_key="referent.id", index=True)
    created_at: datetime = instant()


class Membership(SQLModel, table=True):
    """A referent's role in an organisation (free words: "RUP", "ufficio tecnico")."""

    referent_id: int = Field(foreign_key="referent.id", primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True, index=True)
    role: str = ""


class Address(SQLModel, table=True):
    """One way to reach a referent: a private Telegram chat id, or an address of (certified) e-mail in lower case.

    `bounces`: how many mails came back for good since one last arrived; by the second it is taken to be out of order.
    """

    __table_args__ = (UniqueConstraint("channel", "value"),)

    id: int = Field(default=None, primary_key=True)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    channel: Channel = word(Channel)
    value: str
    verified_at: datetime | None = optional_instant()
    unreachable_since: datetime | None = optional_instant()
    unreachable_reason: str | None = None
    bounces: int = 0
    created_at: datetime = instant()


class Invitation(SQLModel, table=True):
    """A single-use key that binds a Telegram chat to a referent. Only its SHA-256 is kept."""

    id: int = Field(default=None, primary_key=True)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    token_hash: str = Field(unique=True, max_length=64)
    email: str
    created_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = optional_instant()
    revoked_at: datetime | None = optional_instant()


class PersonalLink(SQLModel, table=True):
    """The key of a referent's personal page /r/{token}. Only its SHA-256 is kept. `outbox_id`: the message it is in."""

    __tablename__ = "personal_link"

    id: int = Field(default=None, primary_key=True)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id")
    token_hash: str = Field(unique=True, max_length=64)
    created_at: datetime = instant()
    expires_at: datetime = instant()
    last_used_at: datetime | None = optional_instant()
    revoked_at: datetime | None = optional_instant()


class Delegation(SQLModel, table=True):
    """ "My substitute answers until…": until that day `substitute_id` also follows what `referent_id` follows.

    One at a time. The rows that make it so are in `following`, and go when it ends (`ended_at`).
    """

    __table_args__ = (only_one("uq_delegation_one_open", "referent_id", where="ended_at IS NULL"),)

    id: int = Field(default=None, primary_key=True)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    substitute_id: int = Field(foreign_key="referent.id", index=True)
    until: date
    created_at: datetime = instant()
    ended_at: datetime | None = optional_instant()


class AccessState(StrEnum):
    """ASKING: being filled in. CONFIRMING: a code is on its way. WAITING: for the desk."""

    ASKING = "asking"
    CONFIRMING = "confirming"
    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class AccessRequest(SQLModel, table=True):
    """Somebody asks to be let in, from a Telegram chat. A conversation is a row: what is still empty is asked next.

    `referent_id`: a known person who asks for one more organisation; once approved, whoever was let in.
    `sources` says which message of the chat gave which answer, so that an edited message finds its place.
    Of the code sent to `email` only the SHA-256 is kept.
    """

    __tablename__ = "access_request"
    __table_args__ = (
        only_one("uq_access_request_one_open", "chat", where="state IN ('asking', 'confirming', 'waiting')"),
    )

    id: int = Field(default=None, primary_key=True)
    chat: str = Field(index=True)
    language: str = Field(default="it", max_length=2)
    referent_id: int | None = Field(default=None, foreign_key="referent.id", index=True)
    name: str = optional_sealed_text("access_request.name")
    organization_id: int | None = Field(default=None, foreign_key="organization.id")
    organization: str = optional_sealed_text("access_request.organization")
    email: str = optional_sealed_text("access_request.email")
    sources: dict[str, Any] = sealed_document("access_request.sources")
    code_hash: str | None = Field(default=None, max_length=64)
    code_sent_at: datetime | None = optional_instant()
    tries: int = 0
    state: AccessState = word(AccessState, AccessState.ASKING, index=True)
    revision: int = 0
    created_at: datetime = instant()
    touched_at: datetime = instant()
    decided_by: int | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = optional_instant()
    reason: str = optional_sealed_text("access_request.reason")
