"""When staff write first: to one referent, or to many at once."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel

from storage.tables.base import document, instant, optional_instant, optional_sealed_text, word


class CircularState(StrEnum):
    """DRAFT: being written. SENDING: confirmed; rows are queued, some at a time. STOPPED: what had not left stays."""

    DRAFT = "draft"
    SENDING = "sending"
    SENT = "sent"
    STOPPED = "stopped"
    DISCARDED = "discarded"


class WhyNot(StrEnum):
    """Why somebody a circular was for was not told. STOPPED: it was stopped before."""

    LEFT = "left"
    MERGED = "merged"
    UNREACHABLE = "unreachable"
    STOPPED = "stopped"


class Circular(SQLModel, table=True):
    """What staff write to many. `audience`: the filter by which they are chosen, as data.

    English texts may be empty: who reads English then gets the Italian ones.
    """

    id: int = Field(default=None, primary_key=True)
    state: CircularState = word(CircularState, CircularState.DRAFT, index=True)
    version: int = 1
    subject: str = optional_sealed_text("circular.subject")
    text: str = optional_sealed_text("circular.text")
    subject_en: str = optional_sealed_text("circular.subject_en")
    text_en: str = optional_sealed_text("circular.text_en")
    audience: dict[str, Any] = document()
    created_by: int = Field(foreign_key="staff.id", index=True)
    created_at: datetime = instant()
    changed_at: datetime = instant()
    confirmed_by: int | None = Field(default=None, foreign_key="staff.id")
    confirmed_at: datetime | None = optional_instant()
    ended_by: int | None = Field(default=None, foreign_key="staff.id")
    ended_at: datetime | None = optional_instant()


class Addressee(SQLModel, table=True):
    """One person a circular is for. `outbox_id`: the message that told them; `why_not` (WhyNot): why there is none."""

    circular_id: int = Field(foreign_key="circular.id", primary_key=True)
    referent_id: int = Field(foreign_key="referent.id", primary_key=True, index=True)
    outbox_id: int | None = Field(default=None, foreign_key="outbox.id", index=True)
    why_not: str = Field(default="", max_length=40)
    decided_at: datetime | None = optional_instant()
