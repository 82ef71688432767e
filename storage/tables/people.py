"""Organisations, the referents in them, and how each referent can be reached."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.tables.base import instant, optional_instant, word


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


class Referent(SQLModel, table=True):
    """Our contact in one or more organisations. `substitute_id` is reminded when nothing reaches them."""

    id: int = Field(default=None, primary_key=True)
    name: str
    language: str = Field(default="it", max_length=2)
    substitute_id: int | None = Field(default=None, foreign_key="referent.id")
    created_at: datetime = instant()


class Membership(SQLModel, table=True):
    """A referent's role in an organisation (free words: "RUP", "ufficio tecnico")."""

    referent_id: int = Field(foreign_key="referent.id", primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True, index=True)
    role: str = ""


class Channel(StrEnum):
    TELEGRAM = "telegram"
    EMAIL = "email"
    WEB = "web"
    PHONE = "phone"


class Address(SQLModel, table=True):
    """One way to reach a referent: a private Telegram chat id, or an e-mail address in lower case."""

    __table_args__ = (UniqueConstraint("channel", "value"),)

    id: int = Field(default=None, primary_key=True)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    channel: Channel = word(Channel)
    value: str
    verified_at: datetime | None = optional_instant()
    unreachable_since: datetime | None = optional_instant()
    unreachable_reason: str | None = None
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
    """The key of a referent's personal page /r/{token}. Only its SHA-256 is kept."""

    __tablename__ = "personal_link"

    id: int = Field(default=None, primary_key=True)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    token_hash: str = Field(unique=True, max_length=64)
    created_at: datetime = instant()
    expires_at: datetime = instant()
    last_used_at: datetime | None = optional_instant()
    revoked_at: datetime | None = optional_instant()
