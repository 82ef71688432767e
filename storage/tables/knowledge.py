"""What is answered again and again: texts that staff keep at hand, and answers that are published."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from storage.tables.base import instant, optional_instant, word


class SavedAnswer(SQLModel, table=True):
    """A text with placeholders (`{name}`), for one category or for all. Written by staff, about nobody."""

    __tablename__ = "saved_answer"

    id: int = Field(default=None, primary_key=True)
    version: int = 1
    title: str = Field(unique=True, max_length=120)
    text: str
    text_en: str = ""
    category_id: int | None = Field(default=None, foreign_key="category.id", index=True)
    active: bool = True
    used: int = 0
    created_by: int = Field(foreign_key="staff.id")
    created_at: datetime = instant()
    changed_at: datetime = instant()


class FaqState(StrEnum):
    """PROPOSED: waits for an officer's check. PUBLISHED: everybody reads it."""

    PROPOSED = "proposed"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class FaqEntry(SQLModel, table=True):
    """A question and its answer for everybody to read, without personal data. `question_id`: where it came from.

    `helped` and `not_helped`: what people said to whom the bot had offered it.
    """

    __tablename__ = "faq_entry"

    id: int = Field(default=None, primary_key=True)
    state: FaqState = word(FaqState, FaqState.PROPOSED, index=True)
    version: int = 1
    question: str
    answer: str
    question_en: str = ""
    answer_en: str = ""
    category_id: int | None = Field(default=None, foreign_key="category.id", index=True)
    question_id: int | None = Field(default=None, foreign_key="question.id", index=True)
    proposed_by: int = Field(foreign_key="staff.id")
    checked_by: int | None = Field(default=None, foreign_key="staff.id")
    helped: int = 0
    not_helped: int = 0
    created_at: datetime = instant()
    changed_at: datetime = instant()
    published_at: datetime | None = optional_instant()
