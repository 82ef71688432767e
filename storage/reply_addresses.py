"""The addresses `name+token@…` that people reply to: whose, about what. Of a token only the SHA-256 is kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from storage.tables import ReplyAddress
from storage.tokens import token_hash

_TABLE: Any = SQLModel.metadata.tables["reply_address"]
_INSERTS = {
    "sqlite": sqlite.insert(_TABLE).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_TABLE).on_conflict_do_nothing(),
}


@dataclass(frozen=True, slots=True)
class About:
    """What a reply is about: a question, or what one message of ours said; nothing: something new."""

    question_id: int | None = None
    outbox_id: int | None = None


def remember(session: Session, token: str, referent_id: int, about: About, now: datetime) -> None:
    """Once or again: the same token stays what it was."""
    values = {
        "token_hash": token_hash(token),
        "referent_id": referent_id,
        "question_id": about.question_id,
        "outbox_id": about.outbox_id,
        "created_at": now,
        "revoked_at": None,
    }
    connection = session.connection()
    connection.execute(_INSERTS[connection.dialect.name], values)


def reply_address(session: Session, token: str) -> ReplyAddress | None:
    """What this token stands for; None when it is unknown or revoked."""
    return session.exec(
        select(ReplyAddress).where(ReplyAddress.token_hash == token_hash(token), col(ReplyAddress.revoked_at).is_(None))
    ).first()


def revoke_all(session: Session, referent_id: int, now: datetime) -> None:
    theirs = (col(ReplyAddress.referent_id) == referent_id, col(ReplyAddress.revoked_at).is_(None))
    session.execute(update(ReplyAddress).where(*theirs).values(revoked_at=now))
