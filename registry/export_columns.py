"""Which columns an exported table has, in which order, with which header. Pure data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlmodel import Session

from facts.languages import N_
from storage import exports


class Kind(Enum):
    """How a stored value becomes a cell."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"  # euro cents
    TENTHS = "tenths"  # tenths of percent
    DAY = "day"
    MOMENT = "moment"
    LIST = "list"
    DOCUMENT = "document"
    RAW = "raw"  # bytes
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is the key in JSON and in the row; `header` is a message id (or, for an answer, the label itself)."""

    name: str
    header: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Table:
    rows: Callable[[Session], Iterator[dict[str, Any]]]
    columns: tuple[Column, ...]


NUMBER = Column("id", N_("Number"), Kind.NUMBER)
CUP = Column("cup", N_("CUP"))
LOCAL_CODE = Column("local_code", N_("Local code"))
PROJECT = Column("project", N_("Project"))
REFERENT = Column("referent", N_("Referent"))
REFERENT_ID = Column("referent_id", N_("Referent no."), Kind.NUMBER)
PROJECT_ID = Column("project_id", N_("Project no."), Kind.NUMBER)
CHANNEL = Column("channel", N_("Channel"))
STATE = Column("state", N_("State"))
INBOX_ID = Column("inbox_id", N_("Inbox no."), Kind.NUMBER)
PROVIDER_ID = Column("provider_id", N_("Provider's number"))
ATTEMPTS = Column("attempts", N_("Attempts"), Kind.NUMBER)
NEXT_AT = Column("next_at", N_("Next attempt"), Kind.MOMENT)
ERROR = Column("error", N_("Error"))
CREATED_AT = Column("created_at", N_("Created"), Kind.MOMENT)
DUE_AT = Column("due_at", N_("Due"), Kind.MOMENT)

TABLES = {
    "updates": Table(
        exports.update_rows,
        (
            NUMBER,
            Column("received_at", N_("Received"), Kind.MOMENT),
            CUP,
            LOCAL_CODE,
            PROJECT,
            Column("organization", N_("Organisation")),
            Column("form", N_("Form")),
            REFERENT,
            CHANNEL,
            Column("review", N_("Checked")),
            Column("unchanged", N_("Nothing changed")),
            Column("attachments", N_("Attachments"), Kind.LIST),
            Column("corrections", N_("Corrected to"), Kind.LIST),
            PROJECT_ID,
            REFERENT_ID,
            Column("obligation_id", N_("Obligation no."), Kind.NUMBER),
            Column("form_number", N_("Form version"), Kind.NUMBER),
            INBOX_ID,
        ),
    ),
    "questions": Table(
        exports.message_rows,
        (
            Column("question_id", N_("Question no."), Kind.NUMBER),
            STATE,
            Column("solved", N_("Solved")),
            Column("asked_by", N_("Asked by")),
            CUP,
            PROJECT,
            Column("asked_at", N_("Asked"), Kind.MOMENT),
            DUE_AT,
            Column("closed_at", N_("Closed"), Kind.MOMENT),
            Column("tags", N_("Tags"), Kind.LIST),
            Column("id", N_("Message no."), Kind.NUMBER),
            Column("created_at", N_("Written"), Kind.MOMENT),
            Column("audience", N_("Audience")),
            Column("answered_by", N_("Answered by")),
            CHANNEL,
            Column("text", N_("Text")),
            Column("attachments", N_("Attachments"), Kind.LIST),
            Column("corrections", N_("Corrected to"), Kind.LIST),
            Column("asked_by_id", N_("Referent no."), Kind.NUMBER),
            Column("staff_id", N_("Staff no."), Kind.NUMBER),
            Column("taken_by", N_("Taken by (staff no.)"), Kind.NUMBER),
            PROVIDER_ID,
            INBOX_ID,
        ),
    ),
    "projects": Table(
        exports.project_rows,
        (
            NUMBER,
            CUP,
            LOCAL_CODE,
            Column("title", N_("Title")),
            Column("title_is_working", N_("Working title")),
            Column("programme_code", N_("Measure")),
            Column("programme", N_("Programme")),
            Column("implementing_body", N_("Implementing body")),
            Column("places", N_("Municipalities"), Kind.LIST),
            Column("total_cents", N_("Total funding (€)"), Kind.MONEY),
            Column("pnrr_cents", N_("PNRR funding (€)"), Kind.MONEY),
            Column("paid_cents", N_("Payments (€)"), Kind.MONEY),
            Column("phase", N_("Phase")),
            Column("progress_tenths", N_("Physical progress (%)"), Kind.TENTHS),
            Column("spent_cents", N_("Spent to date (€)"), Kind.MONEY),
            Column("expected_end", N_("Expected end"), Kind.DAY),
        ),
    ),
    "referents": Table(
        exports.referent_rows,
        (
            NUMBER,
            Column("name", N_("Name")),
            Column("email", N_("E-mail"), Kind.LIST),
            Column("pec", N_("PEC"), Kind.LIST),
            Column("telegram", N_("Telegram"), Kind.LIST),
            Column("phone", N_("Phone"), Kind.LIST),
            Column("unreachable", N_("Unreachable"), Kind.LIST),
            Column("organizations", N_("Organisations"), Kind.LIST),
            Column("roles", N_("Roles"), Kind.LIST),
            Column("cups", N_("Projects followed (CUP)"), Kind.LIST),
            Column("cups_in_place", N_("Projects in another's place (CUP)"), Kind.LIST),
            Column("language", N_("Language")),
            Column("substitute_id", N_("Substitute (referent no.)"), Kind.NUMBER),
            Column("away_until", N_("Away until"), Kind.DAY),
            Column("away_substitute_id", N_("While away answers (referent no.)"), Kind.NUMBER),
            Column("left_at", N_("No contact since"), Kind.MOMENT),
            Column("successor_id", N_("Successor (referent no.)"), Kind.NUMBER),
            Column("merged_into_id", N_("Registered twice, now (referent no.)"), Kind.NUMBER),
            CREATED_AT,
        ),
    ),
    "requests": Table(
        exports.request_rows,
        (
            NUMBER,
            CREATED_AT,
            Column("name", N_("Name")),
            Column("chosen", N_("Organisation")),
            Column("organization", N_("Organisation (as typed)")),
            Column("email", N_("E-mail")),
            STATE,
            Column("decided_at", N_("Decided"), Kind.MOMENT),
            Column("decided_by_name", N_("Decided by")),
            Column("reason", N_("Reason")),
            REFERENT_ID,
        ),
    ),
    "obligations": Table(
        exports.obligation_rows,
        (
            NUMBER,
            Column("deadline", N_("Deadline")),
            Column("form", N_("Form")),
            CUP,
            LOCAL_CODE,
            PROJECT,
            Column("organization", N_("Organisation")),
            Column("period", N_("Period")),
            Column("opens_on", N_("Opens on"), Kind.DAY),
            Column("due_on", N_("Due on"), Kind.DAY),
            DUE_AT,
            STATE,
            Column("done_at", N_("Done"), Kind.MOMENT),
            Column("waived_reason", N_("Waived because")),
            Column("reminders", N_("Reminders"), Kind.DOCUMENT),
        ),
    ),
    "inbox": Table(
        exports.inbox_rows,
        (
            NUMBER,
            Column("kind", N_("Kind")),
            Column("account", N_("Account")),
            PROVIDER_ID,
            Column("lane", N_("Lane")),
            STATE,
            ATTEMPTS,
            NEXT_AT,
            ERROR,
            Column("received_at", N_("Received"), Kind.MOMENT),
            Column("done_at", N_("Done"), Kind.MOMENT),
            Column("payload_hash", N_("SHA-256")),
            Column("payload", N_("Content"), Kind.RAW),
        ),
    ),
    "letters": Table(
        exports.letter_rows,
        (
            NUMBER,
            Column("received_at", N_("Received"), Kind.MOMENT),
            CHANNEL,
            Column("kind", N_("Kind")),
            STATE,
            Column("standing", N_("How sure")),
            Column("sender", N_("Sender")),
            Column("sender_name", N_("Name")),
            Column("subject", N_("Subject")),
            Column("text", N_("Text")),
            Column("quoted", N_("Quoted text and signature")),
            REFERENT_ID,
            Column("question_id", N_("Question no."), Kind.NUMBER),
            INBOX_ID,
            Column("decided_at", N_("Decided"), Kind.MOMENT),
            Column("decided_by_name", N_("Decided by")),
        ),
    ),
    "outbox": Table(
        exports.outbox_rows,
        (
            NUMBER,
            Column("kind", N_("Kind")),
            Column("urgency", N_("Urgency"), Kind.NUMBER),
            CHANNEL,
            Column("address", N_("Address")),
            REFERENT_ID,
            Column("question_id", N_("Question no."), Kind.NUMBER),
            INBOX_ID,
            Column("dedupe_key", N_("Key")),
            STATE,
            ATTEMPTS,
            NEXT_AT,
            Column("possible_duplicate", N_("Possible duplicate")),
            PROVIDER_ID,
            Column("parts", N_("Numbers of further parts"), Kind.LIST),
            ERROR,
            CREATED_AT,
            Column("sent_at", N_("Sent"), Kind.MOMENT),
            Column("receipts", N_("Receipts"), Kind.DOCUMENT),
            Column("body", N_("Content"), Kind.DOCUMENT),
        ),
    ),
    "audit": Table(
        exports.audit_rows,
        (
            NUMBER,
            Column("at", N_("When"), Kind.MOMENT),
            Column("actor_kind", N_("Who (kind)")),
            Column("actor_id", N_("Who (no.)"), Kind.NUMBER),
            Column("action", N_("Action")),
            Column("object_kind", N_("What (kind)")),
            Column("object_id", N_("What (no.)"), Kind.NUMBER),
            Column("detail", N_("Details"), Kind.DOCUMENT),
        ),
    ),
}
