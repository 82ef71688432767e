"""Forms, the drafts being filled in, the updates received, and the files that came along."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import CheckConstraint, Column, Field, ForeignKey, Index, SQLModel, UniqueConstraint, text

from storage.tables.base import (
    document,
    instant,
    only_one,
    optional_instant,
    optional_sealed_text,
    sealed_document,
    sealed_text,
    word,
)
from storage.tables.people import Channel


class Form(SQLModel, table=True):
    """`about`: whether it tells of a project or of an organisation (`intake.forms.nodes.About`).

    `retired_at`: nobody begins it any more; what was begun is finished.
    """

    id: int = Field(default=None, primary_key=True)
    key: str = Field(unique=True, max_length=60)
    title: str
    about: str = Field(default="project", max_length=20)
    retired_at: datetime | None = optional_instant()


class FormVersion(SQLModel, table=True):
    """One published definition (`intake/forms/document.py` says its shape). Never edited, only followed by the next.

    `source`: the name of the file it was in; of one that came with Raccordo, nobody has published it.
    """

    __tablename__ = "form_version"
    __table_args__ = (UniqueConstraint("form_id", "number"),)

    id: int = Field(default=None, primary_key=True)
    form_id: int = Field(foreign_key="form.id")
    number: int
    definition: dict[str, Any] = document()
    source: str = ""
    published_by: int | None = Field(default=None, foreign_key="staff.id")
    published_at: datetime = instant()


class FormProposal(SQLModel, table=True):
    """A form's file as it was uploaded: `definition` is empty while there are problems in it. Not yet published."""

    __tablename__ = "form_proposal"

    id: int = Field(default=None, primary_key=True)
    name: str
    content: bytes
    definition: dict[str, Any] = document()
    staff_id: int | None = Field(default=None, foreign_key="staff.id", index=True)
    created_at: datetime = instant()
    version_id: int | None = Field(default=None, foreign_key="form_version.id")


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
    `sources` says which message of the chat gave which answer, so that an edited message finds its place;
    `repetitions` says how often each repeat was begun, by its key;
    `corrects_id`: it changes an update that was sent already, and makes no other;
    `revision` rises with every change, so that an old button or a second door can tell it is late;
    `recalled_at`: since it was last touched it was seen to be left, and its writer was reminded of it, once, if there
    was anything in it.
    """

    __table_args__ = (
        only_one("uq_draft_one_open", "referent_id", where="state = 'open'"),
        # Asked at every tick; what was sent, after a year nearly all, is not in it. Not by touched_at, which changes
        # with every answer: each would pay for it.
        Index(
            "ix_draft_unfinished",
            "id",
            sqlite_where=text("state IN ('open', 'parked')"),
            postgresql_where=text("state IN ('open', 'parked')"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    kind: DraftKind = word(DraftKind)
    referent_id: int = Field(foreign_key="referent.id", index=True)
    form_version_id: int | None = Field(default=None, foreign_key="form_version.id")
    project_id: int | None = Field(default=None, foreign_key="project.id")
    organization_id: int | None = Field(default=None, foreign_key="organization.id")
    question_id: int | None = Field(default=None, foreign_key="question.id")
    obligation_id: int | None = Field(default=None, foreign_key="obligation.id")
    # an update points back to its draft: without `use_alter` the two tables would have to come before each other
    corrects_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("update.id", use_alter=True, name="fk_draft_corrects_id_update"))
    )
    channel: Channel = word(Channel)
    answers: dict[str, Any] = sealed_document("draft.answers")
    repetitions: dict[str, Any] = document()
    step: str = ""
    memory: dict[str, Any] = sealed_document("draft.memory")
    sources: dict[str, Any] = sealed_document("draft.sources")
    state: DraftState = word(DraftState, DraftState.OPEN)
    revision: int = 0
    created_at: datetime = instant()
    touched_at: datetime = instant()
    recalled_at: datetime | None = optional_instant()


class Review(StrEnum):
    """What staff made of an update: nothing yet, good, or sent back with remarks."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    RETURNED = "returned"


class Update(SQLModel, table=True):
    """What a referent reported on a project, or for an organisation. Its number is its id.

    `answers` are those that hold: what each was before, its changes say. `revision` rises with every change.
    """

    __table_args__ = (CheckConstraint("(project_id IS NULL) <> (organization_id IS NULL)", name="one_subject"),)

    id: int = Field(default=None, primary_key=True)
    project_id: int | None = Field(default=None, foreign_key="project.id", index=True)
    organization_id: int | None = Field(default=None, foreign_key="organization.id", index=True)
    referent_id: int | None = Field(default=None, foreign_key="referent.id", index=True)
    form_version_id: int = Field(foreign_key="form_version.id")
    obligation_id: int | None = Field(default=None, foreign_key="obligation.id")
    draft_id: int | None = Field(default=None, foreign_key="draft.id", unique=True)
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")
    channel: Channel = word(Channel)
    answers: dict[str, Any] = sealed_document("update.answers")
    unchanged: bool = False
    received_at: datetime = instant(index=True)
    revision: int = 0
    review: Review = word(Review, Review.RECEIVED, index=True)
    reviewed_by: int | None = Field(default=None, foreign_key="staff.id")
    reviewed_at: datetime | None = optional_instant()


class AnswerChange(SQLModel, table=True):
    """One answer of an update that was changed after it was sent: by whom, by which door, why.

    `before` and `after` are `{"value": …}`, empty where there was none, or is none any more.
    """

    __tablename__ = "answer_change"

    id: int = Field(default=None, primary_key=True)
    update_id: int = Field(foreign_key="update.id", index=True)
    key: str
    before: dict[str, Any] = sealed_document("answer_change.before")
    after: dict[str, Any] = sealed_document("answer_change.after")
    reason: str = optional_sealed_text("answer_change.reason")
    referent_id: int | None = Field(default=None, foreign_key="referent.id")
    channel: Channel = word(Channel)
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")
    created_at: datetime = instant()


class Remark(SQLModel, table=True):
    """What staff remarked on one answer of an update they returned; `settled_at` when it was answered."""

    id: int = Field(default=None, primary_key=True)
    update_id: int = Field(foreign_key="update.id", index=True)
    key: str
    text: str = sealed_text("remark.text")
    staff_id: int = Field(foreign_key="staff.id")
    created_at: datetime = instant()
    settled_at: datetime | None = optional_instant()


class Album(SQLModel, table=True):
    """Photos or files sent together: separate updates to Telegram, one answer to us.

    Its parts gather until it has been quiet for a while; then they go where they belong (`closed_at`), and a part that
    comes later goes where they went. `provider_id`: the message of the part that brought the words; of the first one,
    while there are none.
    """

    __table_args__ = (
        UniqueConstraint("chat", "group_id"),
        only_one("uq_album_one_open", "referent_id", where="closed_at IS NULL"),
    )

    id: int = Field(default=None, primary_key=True)
    chat: str
    group_id: str
    referent_id: int = Field(foreign_key="referent.id")
    caption: str = optional_sealed_text("album.caption")
    reply_to: str | None = None
    provider_id: str = ""
    created_at: datetime = instant()
    closed_at: datetime | None = optional_instant()


class FileKind(StrEnum):
    """How it was sent. LOCATION and CONTACT carry no file: what they say is in `detail`."""

    FILE = "file"
    PHOTO = "photo"
    VOICE = "voice"
    VIDEO = "video"
    LOCATION = "location"
    CONTACT = "contact"


class FileState(StrEnum):
    """WAITING to be fetched; MISSING: cannot be had from there, the person was shown where to put it."""

    KEPT = "kept"
    WAITING = "waiting"
    MISSING = "missing"


class Attachment(SQLModel, table=True):
    """A file that came along, or one that staff send. Kept in DATA_DIR under its `sha256`; `size` in bytes.

    `sha256` is keyed (see `storage/files.py`); until it is fetched from Telegram (`file_id`) there is none. It belongs
    to a draft until that is sent, then to an update or to a message of a thread; to a letter (`letter_id`) while nobody
    knows whose that is; to a proposal (`proposal_id`) until that is decided; to a circular (`circular_id`).
    `provider_id`: the message of the chat with which it came; several rows have the same one when it was edited to
    bring another file.
    """

    __table_args__ = (
        Index("ix_attachment_chat_message", "referent_id", "provider_id"),
        Index(
            "ix_attachment_waiting",
            "next_at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    kind: FileKind = word(FileKind, FileKind.FILE)
    state: FileState = word(FileState, FileState.KEPT)
    sha256: str | None = Field(default=None, index=True, max_length=64)
    size: int
    name: str = sealed_text("attachment.name")
    type_claimed: str = ""
    type_seen: str = ""
    caption: str = optional_sealed_text("attachment.caption")
    detail: dict[str, Any] = sealed_document("attachment.detail")
    referent_id: int | None = Field(default=None, foreign_key="referent.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    draft_id: int | None = Field(default=None, foreign_key="draft.id", index=True)
    album_id: int | None = Field(default=None, foreign_key="album.id", index=True)
    message_id: int | None = Field(default=None, foreign_key="message.id", index=True)
    update_id: int | None = Field(default=None, foreign_key="update.id", index=True)
    letter_id: int | None = Field(default=None, foreign_key="letter.id", index=True)
    proposal_id: int | None = Field(default=None, foreign_key="proposal.id", index=True)
    circular_id: int | None = Field(default=None, foreign_key="circular.id", index=True)
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")
    provider_id: str = ""
    file_id: str = ""
    file_unique_id: str = ""
    attempts: int = 0
    next_at: datetime | None = optional_instant()
    error: str | None = None
    created_at: datetime = instant()
