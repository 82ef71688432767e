"""Forms, the drafts being filled in, the updates received, and the files that came along."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Field, SQLModel, UniqueConstraint

from storage.tables.base import document, instant, only_one, word
from storage.tables.people import Channel


class Form(SQLModel, table=True):
    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=60)
    title: str


class FormVersion(SQLModel, table=True):
    """One published definition (see `intake/forms.py` for its shape). Never edited, only followed by the next."""

    __tablename__ = "form_version"
    __table_args__ = (UniqueConstraint("form_id", "number"),)

    id: int = Field(default=None, primary_key=True)
    form_id: int = Field(foreign_key="form.id")
    number: int
    definition: dict[str, Any] = document()
    published_at: datetime = instant()


class DraftKind(StrEnum):
    UPDATE = "update"
    QUESTION = "question"
    FOLLOW_UP = "follow-up"


class DraftState(StrEnum):
    OPEN = "open"
    PARKED = "parked"
    SENT = "sent"
    CANCELLED = "cancelled"


class Draft(SQLModel, table=True):
    """A conversation in progress: what is being filled in, the answers so far, where we are.

    `step` is the name of the question being asked (or a word of the dialogue: "project", "summary");
    `memory` holds what only the next message needs (page, search, candidates of an ambiguous answer);
    `revision` rises with every change, so that an old button or a second door can tell it is late.
    """

    __table_args__ = (only_one("uq_draft_one_open", "referent_id", where="state = 'open'"),)

    id: int = Field(default=None, primary_key=True)
    kind: DraftKind = word(DraftKind)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    form_version_id: int | None = Field(default=None, foreign_key="form_version.id")
    project_id: int | None = Field(default=None, foreign_key="project.id")
    question_id: int | None = Field(default=None, foreign_key="question.id")
    obligation_id: int | None = Field(default=None, foreign_key="obligation.id")
    channel: Channel = word(Channel)
    answers: dict[str, Any] = document()
    step: str = ""
    memory: dict[str, Any] = document()
    state: DraftState = word(DraftState, DraftState.OPEN)
    revision: int = 0
    created_at: datetime = instant()
    touched_at: datetime = instant()


class Update(SQLModel, table=True):
    """What a referent reported on a project, once and for all. Its number is its id."""

    id: int = Field(default=None, primary_key=True)
    project_id: int = Field(foreign_key="project.id", index=True)
    referent_id: int | None = Field(default=None, foreign_key="referent.id", index=True)
    form_version_id: int = Field(foreign_key="form_version.id")
    obligation_id: int | None = Field(default=None, foreign_key="obligation.id")
    draft_id: int | None = Field(default=None, foreign_key="draft.id", unique=True)
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")
    channel: Channel = word(Channel)
    answers: dict[str, Any] = document()
    unchanged: bool = False
    received_at: datetime = instant(index=True)


class Attachment(SQLModel, table=True):
    """A file kept in DATA_DIR under the name of its SHA-256. `size` in bytes."""

    id: int = Field(default=None, primary_key=True)
    sha256: str = Field(index=True, max_length=64)
    size: int
    name: str
    type_claimed: str = ""
    type_seen: str = ""
    referent_id: int | None = Field(default=None, foreign_key="referent.id")
    message_id: int | None = Field(default=None, foreign_key="message.id", index=True)
    update_id: int | None = Field(default=None, foreign_key="update.id", index=True)
    created_at: datetime = instant()
