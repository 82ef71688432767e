"""The register's figures, kept beside the obligations they count, and calendars that others read from us."""

from datetime import date, datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from storage.tables.base import instant, optional_instant


class RegisterCell(SQLModel, table=True):
    """Of one deadline, one period and one organisation (0: none is known), how many obligations are in which state.

    `late`: those of the open ones whose time is over; `next_late_at`: when the next of them will be.
    """

    __tablename__ = "register_cell"
    __table_args__ = (Index("ix_register_cell_next", "next_late_at"), Index("ix_register_cell_due", "due_on"))

    deadline_id: int = Field(foreign_key="deadline.id", primary_key=True)
    period: str = Field(primary_key=True, max_length=10)
    body_id: int = Field(primary_key=True)
    opens_on: date
    due_on: date
    open: int = 0
    late: int = 0
    sent: int = 0
    done: int = 0
    waived: int = 0
    next_late_at: datetime | None = optional_instant()


class RegisterTouched(SQLModel, table=True):
    """A cell that is to be counted anew. Several rows of one are one."""

    __tablename__ = "register_touched"

    id: int = Field(default=None, primary_key=True)
    deadline_id: int
    period: str = Field(max_length=10)
    body_id: int = 0


class Feed(SQLModel, table=True):
    """The key of a calendar that a referent, or one of us, lets their own calendar read. Only its SHA-256 is kept.

    `content_hash`: what it said when it was read last; it has said so since `changed_at`.
    """

    id: int = Field(default=None, primary_key=True)
    token_hash: str = Field(unique=True, max_length=64)
    referent_id: int | None = Field(default=None, foreign_key="referent.id", index=True)
    staff_id: int | None = Field(default=None, foreign_key="staff.id", index=True)
    created_at: datetime = instant()
    content_hash: str = Field(default="", max_length=64)
    changed_at: datetime | None = optional_instant()
    last_read_at: datetime | None = optional_instant()
    revoked_at: datetime | None = optional_instant()
