"""Who works at the desk, their sessions, and the log of what they did."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from storage.tables.base import document, instant, optional_instant, word


class Role(StrEnum):
    ADMIN = "admin"
    OFFICER = "officer"
    VOLUNTEER = "volunteer"
    READER = "reader"


class Staff(SQLModel, table=True):
    """A desk account. `notices`: receives the gathered mail about new questions."""

    id: int = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    name: str
    role: Role = word(Role)
    password_hash: str | None = None
    language: str = Field(default="it", max_length=2)
    notices: bool = True
    active: bool = True
    created_at: datetime = instant()


class StaffSession(SQLModel, table=True):
    """A signed-in browser. Only the SHA-256 of its cookie is kept."""

    __tablename__ = "staff_session"

    id: int = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True, max_length=64)
    staff_id: int = Field(foreign_key="staff.id", index=True)
    csrf: str
    created_at: datetime = instant()
    seen_at: datetime = instant()
    ended_at: datetime | None = optional_instant()


class SignInAttempt(SQLModel, table=True):
    """A failed sign-in, by account and by network address, so that guessing is slowed and nobody locked out."""

    __tablename__ = "sign_in_attempt"

    id: int = Field(default=None, primary_key=True)
    account: str = Field(index=True)
    network: str = Field(index=True)
    at: datetime = instant(index=True)


class Audit(SQLModel, table=True):
    """Who did what to what. Appended, never changed; ids only, no personal data."""

    id: int = Field(default=None, primary_key=True)
    at: datetime = instant(index=True)
    actor_kind: str = Field(max_length=20)
    actor_id: int | None = None
    action: str = Field(max_length=60, index=True)
    object_kind: str = Field(max_length=20)
    object_id: int | None = None
    detail: dict[str, Any] = document()
