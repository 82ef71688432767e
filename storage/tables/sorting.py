"""How the desk keeps its queue in order: tags, saved filters, who was called upon, what was done to many at once."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.tables.base import document, instant, optional_instant


class Tag(SQLModel, table=True):
    """A word that staff put on questions, beside their category. Names no person."""

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=40)
    active: bool = True
    created_at: datetime = instant()


class QuestionTag(SQLModel, table=True):
    __tablename__ = "question_tag"

    question_id: int = Field(foreign_key="question.id", primary_key=True)
    tag_id: int = Field(foreign_key="tag.id", primary_key=True, index=True)


class SavedFilter(SQLModel, table=True):
    """A view of the queue under a name: `query` is that of its address (`view=all&category=3`).

    `shared`: all see it.
    """

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("staff_id", "name"),)

    id: int = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id")
    name: str = Field(max_length=60)
    query: str
    shared: bool = False
    created_at: datetime = instant()


class Mention(SQLModel, table=True):
    """A colleague who is called upon in an internal note. `seen_at`: they have opened the question since."""

    __table_args__ = (UniqueConstraint("message_id", "staff_id"),)

    id: int = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="message.id")
    staff_id: int = Field(foreign_key="staff.id", index=True)
    created_at: datetime = instant()
    seen_at: datetime | None = optional_instant()


class BulkAct(SQLModel, table=True):
    """One act on many questions, or on what a deadline awaits. `before`: what to put back when it is undone; which
    stayed, and why."""

    __tablename__ = "bulk_act"

    id: int = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", index=True)
    action: str = Field(max_length=20)
    before: dict[str, Any] = document()
    created_at: datetime = instant()
    undone_at: datetime | None = optional_instant()


class Presence(SQLModel, table=True):
    """Who has which question open now. `writing`: is typing in it. Old rows say nothing any more."""

    question_id: int = Field(foreign_key="question.id", primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", primary_key=True)
    seen_at: datetime = instant()
    writing: bool = False
