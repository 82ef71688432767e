"""Which message a key to the personal page stands in, and whether the link was followed. Decides nothing.

The key itself says it: no other mark is in the address, and none of it comes into a log.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col

from storage.tables import Opening, PersonalLink
from storage.tokens import token_hash

_opening: Table = SQLModel.metadata.tables["opening"]
_INSERT: dict[str, Any] = {
    "sqlite": sqlite.insert(_opening).on_conflict_do_nothing(index_elements=["outbox_id"]),
    "postgresql": postgresql.insert(_opening).on_conflict_do_nothing(index_elements=["outbox_id"]),
}


@dataclass(frozen=True, slots=True)
class Followed:
    """The message whose link was followed, and what is known of that already."""

    outbox_id: int
    opened_at: datetime | None
    confirmed_at: datetime | None


def followed(session: Session, token: str, now: datetime) -> Followed | None:
    """None when the key opens nothing now, or stands in no message of ours."""
    row = session.execute(
        select(col(PersonalLink.outbox_id), col(Opening.opened_at), col(Opening.confirmed_at))
        .outerjoin(Opening, col(Opening.outbox_id) == col(PersonalLink.outbox_id))
        .where(
            col(PersonalLink.token_hash) == token_hash(token),
            col(PersonalLink.outbox_id).is_not(None),
            col(PersonalLink.expires_at) > now,
            col(PersonalLink.revoked_at).is_(None),
        )
    ).first()
    return None if row is None else Followed(*row)


def note_opening(session: Session, outbox_id: int, now: datetime, *, confirmed: bool) -> None:
    """The first time stays, whoever else writes at the same moment."""
    connection = session.connection()
    connection.execute(_INSERT[connection.dialect.name], {"outbox_id": outbox_id, "opened_at": now})
    if confirmed:
        first = update(_opening).where(_opening.c.outbox_id == outbox_id, _opening.c.confirmed_at.is_(None))
        connection.execute(first.values(confirmed_at=now))
