"""Queries about calls that staff wrote down for who was on the phone: who wrote which, what it was about. No rule."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from storage.drafts import Subject
from storage.reports import latest_update
from storage.tables import Audit, Message, Project, Referent, Staff

QUESTION, UPDATE = "question.phone", "update.phone"


def written_down_by(session: Session, question_id: int) -> Mapping[int, str]:
    """By message of a thread that was said on the phone: the name of who wrote it down."""
    rows = session.execute(_noted(QUESTION, "question", question_id, Audit.detail))
    return {detail["message_id"]: name for detail, name in rows if "message_id" in detail}


def spoken(session: Session, question_id: int) -> frozenset[int]:
    """The answers of a thread that were given by voice: nothing left, and nothing was to leave."""
    rows = session.execute(_noted("question.answer", "question", question_id, Audit.detail))
    return frozenset(detail["message_id"] for detail, _name in rows if detail.get("by") == "voice")


def update_written_down_by(session: Session, update_id: int) -> str:
    """The name of who wrote an update down; "" for one that came by itself."""
    row = session.execute(_noted(UPDATE, "update", update_id, Audit.id)).first()
    return row[1] if row else ""


def _noted(action: str, kind: str, number: int, what: Any) -> Any:
    return (
        select(what, Staff.name)
        .join(Staff, col(Staff.id) == col(Audit.actor_id))
        .where(
            Audit.object_kind == kind, Audit.object_id == number, Audit.action == action, Audit.actor_kind == "staff"
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
