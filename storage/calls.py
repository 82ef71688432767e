"""Queries about calls that staff wrote down for who was on the phone: who wrote which, what it was about. No rule."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from storage.drafts import Subject
from storage.reports import latest_update
from storage.tables import Audit, Message, Project, Referent, Staff

QUESTION, UPDATE, ANSWER = "question.phone", "update.phone", "question.answer"


@dataclass(frozen=True, slots=True)
class ByVoice:
    """What of a thread was said on the phone.

    `written_by`: by message of the referent, the name of who wrote it down. `answers`: nothing left of them, and
    nothing was to leave.
    """

    written_by: Mapping[int, str]
    answers: frozenset[int]


def by_voice(session: Session, question_id: int) -> ByVoice:
    rows = session.execute(_NOTED, {"kind": "question", "number": question_id, "actions": [QUESTION, ANSWER]}).all()
    return ByVoice(
        {row.detail["message_id"]: row.name for row in rows if row.action == QUESTION and "message_id" in row.detail},
        frozenset(row.detail["message_id"] for row in rows if row.action == ANSWER and row.detail.get("by") == "voice"),
    )


def update_written_down_by(session: Session, update_id: int) -> str:
    """The name of who wrote an update down; "" for one that came by itself."""
    row = session.execute(_NOTED, {"kind": "update", "number": update_id, "actions": [UPDATE]}).first()
    return row.name if row else ""


_NOTED = (
    select(Audit.action, Audit.detail, Staff.name)
    .join(Staff, col(Staff.id) == col(Audit.actor_id))
    .where(
        Audit.object_kind == bindparam("kind"),
        Audit.object_id == bindparam("number"),
        col(Audit.action).in_(bindparam("actions", expanding=True)),
        Audit.actor_kind == "staff",
    )
    .order_by(col(Audit.id))
)


def made_of(session: Session, referent_id: int, provider_id: str) -> int | None:
    """The question that a call, by its key, was written down as."""
    return session.exec(
        select(Message.question_id).where(Message.provider_id == provider_id, Message.referent_id == referent_id)
    ).first()


def told_about(session: Session, project: Project, form_id: int) -> Subject:
    """What is known of a project before somebody speaks of it."""
    last = latest_update(session, project.id, form_id)
    return Subject(
        title=project.title,
        cup=project.cup,
        total_cents=project.total_cents or 0,
        phase=project.phase,
        progress_tenths=project.progress_tenths,
        spent_cents=project.spent_cents,
        expected_end=project.expected_end,
        last_answers=last.answers if last else None,
        last_at=last.received_at if last else None,
    )


def caller(session: Session, referent_id: int) -> Referent | None:
    """Who is on the phone; of two records made one, the one that stayed."""
    person = session.get(Referent, referent_id)
    if person is not None and person.merged_into_id is not None:
        return session.get(Referent, person.merged_into_id)
    return person
