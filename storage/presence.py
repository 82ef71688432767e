"""Who has which question open, as far as is known: rows that mean less the older they are. Decides nothing.

Not part of the log: it says who is there now, and is forgotten within days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, func, select

from storage.tables import Message, Presence, Question, Staff

_TABLE = SQLModel.metadata.tables["presence"]
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True, slots=True)
class Present:
    """A colleague who had it open at `seen_at`. `writing`: and was typing in it."""

    name: str
    writing: bool
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a question has got: its version, and the number of its newest message."""

    version: int
    newest: int


def note(session: Session, question_id: int, staff_id: int, now: datetime, *, writing: bool | None = None) -> None:
    """They have it open. `writing` None: as it was, and not when they only just came."""
    changes: dict[str, Any] = {"seen_at": now} | ({} if writing is None else {"writing": writing})
    row = {"question_id": question_id, "staff_id": staff_id, "seen_at": now, "writing": bool(writing)}
    insert = _INSERTS[session.get_bind().dialect.name](_TABLE).values(**row)
    session.execute(insert.on_conflict_do_update(index_elements=["question_id", "staff_id"], set_=changes))


# Whoever has a question open asks these every two seconds: built once.
_PRESENT = (
    select(Staff.name, Presence.writing, Presence.seen_at)
    .join(Presence, col(Presence.staff_id) == col(Staff.id))
    .where(
        Presence.question_id == bindparam("question_id"),
        Presence.staff_id != bindparam("besides"),
        Presence.seen_at > bindparam("since"),
    )
    .order_by(Staff.name, col(Staff.id))
)


def present(session: Session, question_id: int, since: datetime, *, besides: int) -> Sequence[Present]:
    """Who has been there since, by name, without the one who asks."""
    rows = session.execute(_PRESENT, {"question_id": question_id, "besides": besides, "since": since})
    return [Present(*row) for row in rows]


_newest = (
    select(func.coalesce(func.max(Message.id), 0))
    .where(Message.question_id == bindparam("question_id"))
    .scalar_subquery()
)
_STANDING = select(Question.version, _newest).where(Question.id == bindparam("question_id"))


def standing(session: Session, question_id: int) -> Standing | None:
    """None: there is no such question."""
    row = session.execute(_STANDING, {"question_id": question_id}).first()
    return None if row is None else Standing(*row)


def forget(session: Session, before: datetime) -> None:
    session.execute(delete(Presence).where(col(Presence.seen_at) < before))
