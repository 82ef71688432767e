"""Questions and their threads."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel

from storage.tables.base import instant, only_one, optional_instant, optional_sealed_text, sealed_text, word
from storage.tables.people import Channel
from storage.types import Word
from storage.words import Standing


class QuestionState(StrEnum):
    """PROPOSED: a volunteer's answer waits for an officer. ANSWERED: it is the referent's turn, if anybody's."""

    NEW = "new"
    TAKEN = "taken"
    PROPOSED = "proposed"
    ANSWERED = "answered"
    CLOSED = "closed"


class Question(SQLModel, table=True):
    """A thread opened by a referent. Its number is its id; `channel` is the one they used last.

    `version` rises with every change of state: who changes it says which one they saw. `awaits`: the answer asked the
    referent for something, and is no answer until that comes. `first_answer_at`: when an answer first left.
    `merged_into_id`: its messages stand there now. `split_from_id`: they stood there before. `circular_id`: what it
    replies to.
    """

    __table_args__ = (
        Index("ix_question_taken_by", "taken_by", "state"),
        # A heap in the order of its numbers. An index over all of the next column, nearly all of it empty, would lead
        # SQLite to look for what is unmerged there, and to read everything.
        Index(
            "ix_question_heap",
            "state",
            "id",
            sqlite_where=text("merged_into_id IS NULL"),
            postgresql_where=text("merged_into_id IS NULL"),
        ),
        Index(
            "ix_question_merged",
            "merged_into_id",
            sqlite_where=text("merged_into_id IS NOT NULL"),
            postgresql_where=text("merged_into_id IS NOT NULL"),
        ),
    )

    id: int = Field(default=None, primary_key=True)
    referent_id: int | None = Field(default=None, foreign_key="referent.id", index=True)
    project_id: int | None = Field(default=None, foreign_key="project.id", index=True)
    state: QuestionState = word(QuestionState, QuestionState.NEW, index=True)
    version: int = 1
    taken_by: int | None = Field(default=None, foreign_key="staff.id")
    channel: Channel = word(Channel)
    created_at: datetime = instant(index=True)
    due_at: datetime = instant()
    last_message_at: datetime = instant()
    closed_at: datetime | None = optional_instant()
    solved: bool | None = None
    category_id: int | None = Field(default=None, foreign_key="category.id", index=True)
    urgent: bool = False
    awaits: bool = False
    first_answer_at: datetime | None = optional_instant()
    merged_into_id: int | None = Field(default=None, foreign_key="question.id")
    split_from_id: int | None = Field(default=None, foreign_key="question.id", index=True)
    circular_id: int | None = Field(default=None, foreign_key="circular.id", index=True)


class Category(SQLModel, table=True):
    """What questions are about. `hours`: working hours to answer one. `free`: volunteers need no approval."""

    id: int = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    name_en: str = ""
    hours: int = 19
    free: bool = False
    active: bool = True
    created_at: datetime = instant()


class ProposalState(StrEnum):
    """RETURNED: its author is told why. WITHDRAWN: by its author. OVERTAKEN: the question moved on without it."""

    WAITING = "waiting"
    SENT = "sent"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    OVERTAKEN = "overtaken"


class Proposal(SQLModel, table=True):
    """A volunteer's answer, which an officer sends, corrects or returns. `text` stays as its author wrote it.

    `message_id`: the answer that left, corrected perhaps. `remark`: why it was returned.
    """

    __table_args__ = (only_one("uq_proposal_waiting", "question_id", where="state = 'waiting'"),)

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", index=True)
    staff_id: int = Field(foreign_key="staff.id", index=True)
    text: str = sealed_text("proposal.text")
    awaits: bool = False
    state: ProposalState = word(ProposalState, ProposalState.WAITING)
    remark: str = optional_sealed_text("proposal.remark")
    message_id: int | None = Field(default=None, foreign_key="message.id")
    decided_by: int | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = optional_instant()
    created_at: datetime = instant()


class Audience(StrEnum):
    """Who may read a message. STAFF is an internal note; NOBODY: an answer that was taken back before it left."""

    REFERENT = "referent"
    STAFF = "staff"
    NOBODY = "nobody"


class Message(SQLModel, table=True):
    """One message of a thread, by a referent or by staff. Plain text, whatever it arrived as.

    Of a mail: `quoted` is what it repeats of earlier ones and its signature; `standing` says how sure its writer is;
    `automatic`: a machine wrote it (out of office), and it moves nothing. `moved_from_id`: the question it stood in
    before that was merged or split.
    """

    id: int = Field(default=None, primary_key=True)
    question_id: int = Field(foreign_key="question.id", index=True)
    audience: Audience = word(Audience)
    referent_id: int | None = Field(default=None, foreign_key="referent.id")
    staff_id: int | None = Field(default=None, foreign_key="staff.id")
    text: str = sealed_text("message.text")
    quoted: str = optional_sealed_text("message.quoted")
    standing: Standing | None = Field(default=None, sa_type=Word(Standing), nullable=True)
    automatic: bool = False
    moved_from_id: int | None = Field(default=None, foreign_key="question.id", index=True)
    channel: Channel = word(Channel)
    provider_id: str | None = Field(default=None, index=True)
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")
    created_at: datetime = instant()


CAPTION, FILE = "caption", "file"  # what was corrected of a file


class Correction(SQLModel, table=True):
    """A message that its writer edited after it was sent: what it said, what it says now. Nothing is overwritten.

    Of a message in a thread, or of an answer (`field`) in an update. With `attachment_id` of a file that went along: of
    the words below it (`field` is CAPTION); or its message was edited to bring another (FILE), whose name is `after`.
    """

    __table_args__ = (CheckConstraint("(message_id IS NULL) <> (update_id IS NULL)", name="one_thing"),)

    id: int = Field(default=None, primary_key=True)
    message_id: int | None = Field(default=None, foreign_key="message.id", index=True)
    update_id: int | None = Field(default=None, foreign_key="update.id", index=True)
    attachment_id: int | None = Field(default=None, foreign_key="attachment.id")
    field: str = ""
    before: str = sealed_text("correction.before")
    after: str = sealed_text("correction.after")
    inbox_id: int | None = Field(default=None, foreign_key="inbox.id")
    created_at: datetime = instant()
