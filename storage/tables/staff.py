"""Who works at the desk, their sessions, and the log of what they did."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Index, SQLModel, UniqueConstraint

from storage.tables.base import document, instant, optional_instant, optional_sealed_text, word
from storage.types import Word


class Role(StrEnum):
    ADMIN = "admin"
    OFFICER = "officer"
    VOLUNTEER = "volunteer"
    READER = "reader"


class Staff(SQLModel, table=True):
    """A desk account. `notices`: wants mail about what waits; of what, and when, says `NoticeChoice`.

    `digested_on`: the day for which the morning's digest was last looked at, sent or not; `pictured_on`: the same for
    the week's picture of the deadlines.

    `second_factor`: the secret of the app that shows codes (RFC 6238); it counts from `second_factor_since` on. Of the
    code used last `second_factor_step` (half minutes since 1970) is kept: each opens once.
    """

    id: int = Field(default=None, primary_key=True)
    email: str = Field(unique=True)
    name: str
    role: Role = word(Role)
    password_hash: str | None = None
    language: str = Field(default="it", max_length=2)
    notices: bool = True
    active: bool = True
    second_factor: str = optional_sealed_text("staff.second_factor")
    second_factor_since: datetime | None = optional_instant()
    second_factor_step: int | None = None
    oidc_subject: str | None = Field(default=None, unique=True)
    digested_on: date | None = None
    pictured_on: date | None = None
    created_at: datetime = instant()


class MunicipalityGroup(SQLModel, table=True):
    """Organisations under one name, so that somebody may answer for them and not for others."""

    __tablename__ = "municipality_group"

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=80)
    created_at: datetime = instant()


class GroupMember(SQLModel, table=True):
    __tablename__ = "group_member"

    group_id: int = Field(foreign_key="municipality_group.id", primary_key=True)
    organization_id: int = Field(foreign_key="organization.id", primary_key=True, index=True)


class LocalRole(SQLModel, table=True):
    """Another role than the account's own, for the questions of one category, of one group, or of both."""

    __tablename__ = "local_role"
    __table_args__ = (CheckConstraint("category_id IS NOT NULL OR group_id IS NOT NULL", name="somewhere"),)

    id: int = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", index=True)
    category_id: int | None = Field(default=None, foreign_key="category.id", index=True)
    group_id: int | None = Field(default=None, foreign_key="municipality_group.id", index=True)
    role: Role = word(Role)
    created_at: datetime = instant()


class NoticeKind(StrEnum):
    """What staff are told by mail. FAILED: messages of ours that did not arrive."""

    NEW = "new"
    MINE = "mine"
    APPROVAL = "approval"
    EXPIRING = "expiring"
    OVERDUE = "overdue"
    MENTIONED = "mentioned"
    POST = "post"
    FAILED = "failed"


class NoticeWhen(StrEnum):
    """SOON: gathered, at most one mail in 15 minutes. DAILY: in the morning's digest."""

    SOON = "soon"
    DAILY = "daily"
    NEVER = "never"


class NoticeChoice(SQLModel, table=True):
    """What one person wishes otherwise than the house does by itself."""

    __tablename__ = "notice_choice"

    staff_id: int = Field(foreign_key="staff.id", primary_key=True)
    kind: NoticeKind = Field(sa_type=Word(NoticeKind), primary_key=True)
    wish: NoticeWhen = word(NoticeWhen)


class RecoveryCode(SQLModel, table=True):
    """Opens once in place of the second factor. Only its SHA-256 is kept."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("staff_id", "code_hash"),)

    id: int = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id")
    code_hash: str = Field(max_length=64)
    created_at: datetime = instant()
    used_at: datetime | None = optional_instant()


class StaffSession(SQLModel, table=True):
    """A signed-in browser. Only the SHA-256 of its cookie is kept.

    `browser` and `network`: by which its owner knows it again.
    """

    __tablename__ = "staff_session"

    id: int = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True, max_length=64)
    staff_id: int = Field(foreign_key="staff.id", index=True)
    csrf: str
    browser: str = optional_sealed_text("staff_session.browser")
    network: str = optional_sealed_text("staff_session.network")
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

    __table_args__ = (Index("ix_audit_object", "object_kind", "object_id"),)

    id: int = Field(default=None, primary_key=True)
    at: datetime = instant(index=True)
    actor_kind: str = Field(max_length=20)
    actor_id: int | None = None
    action: str = Field(max_length=60, index=True)
    object_kind: str = Field(max_length=20)
    object_id: int | None = None
    detail: dict[str, Any] = document()


class AuditLink(SQLModel, table=True):
    """One link of the chain over the log: SHA-256 of the link before and of this row. Appended, never changed.

    `number` counts from 1 without gaps: rows of transactions that ended later come later, whatever their ids.
    """

    __tablename__ = "audit_link"

    number: int = Field(primary_key=True)
    audit_id: int = Field(foreign_key="audit.id", unique=True)
    hash: str = Field(max_length=64)
    sealed_at: datetime = instant()
