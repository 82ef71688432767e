"""Queries on mail that nobody has taken apart yet, and on what was found in it. Decides nothing.

Two processes may take the same mail apart; who is first to mark it keeps what it found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, and_, bindparam, delete, func, insert, or_, update
from sqlmodel import Session, SQLModel, select

from storage.tables import InboxState, Reading
from storage.types import InClear, keys_of

_INBOX: Any = SQLModel.metadata.tables["inbox"]
_READING: Any = SQLModel.metadata.tables["reading"]
# Written out: with a bound value neither database may use the partial index.
_UNREAD = _INBOX.c.state == "unread"
_MARK = (
    update(_INBOX)
    .where(_INBOX.c.id == bindparam("row"), _UNREAD)
    .values(state=InboxState.NEW, lane=bindparam("its_lane"), attempts=0, next_at=None, error=None)
)
_ADD = insert(_READING)


@dataclass(frozen=True, slots=True)
class Unread:
    """A mail that waits to be read, raw. `kind`: mail or pec. `attempts`: how often that has failed."""

    inbox_id: int
    kind: str
    raw: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one mail, and the lane of its sender."""

    inbox_id: int
    lane: str
    document: dict[str, Any]


def unread_mails(session: Session, now: datetime, *, most: int, most_bytes: int) -> list[Unread]:
    """The oldest that are due, as many as fit, one at least."""
    due = and_(_UNREAD, or_(_INBOX.c.next_at.is_(None), _INBOX.c.next_at <= now))
    sizes = session.execute(
        select(_INBOX.c.id, func.length(_INBOX.c.payload)).where(due).order_by(_INBOX.c.id).limit(most)
    ).all()
    ids: list[int] = []
    total = 0
    for id_, size in sizes:
        total += size
        if ids and total > most_bytes:
            break
        ids.append(id_)
    rows = session.execute(
        select(_INBOX.c.id, _INBOX.c.kind, _INBOX.c.payload, _INBOX.c.attempts)
        .where(_INBOX.c.id.in_(ids))
        .order_by(_INBOX.c.id)
    )
    return [Unread(*row) for row in rows] if ids else []


def keep_readings(session: Session, found: Sequence[Found], now: datetime) -> list[int]:
    """Each mail that was still unread has its reading and waits for the worker: their ids."""
    kept = [one for one in found if _marked(session, one)]
    if kept:
        seals = _seals(session)
        rows = [
            {"inbox_id": one.inbox_id, "document": one.document if seals else InClear(one.document), "created_at": now}
            for one in kept
        ]
        session.execute(_ADD, rows)
    return [one.inbox_id for one in kept]


def _marked(session: Session, one: Found) -> bool:
    result: CursorResult[Any] = session.connection().execute(_MARK, {"row": one.inbox_id, "its_lane": one.lane})
    return result.rowcount == 1


def _seals(session: Session) -> bool:
    keys = keys_of(session.get_bind().dialect)
    return keys is None or keys.seals_mail


def reading_failed(session: Session, mail: Unread, error: str, next_at: datetime | None) -> bool:
    """One try more has failed; without a next one it is a dead letter. False when somebody else was quicker."""
    values = {
        "state": InboxState.UNREAD if next_at else InboxState.DEAD,
        "attempts": mail.attempts + 1,
        "error": error,
        "next_at": next_at,
    }
    mine = and_(_INBOX.c.id == mail.inbox_id, _UNREAD, _INBOX.c.attempts == mail.attempts)
    result: CursorResult[Any] = session.connection().execute(update(_INBOX).where(mine).values(values))
    return result.rowcount == 1


def any_unread(session: Session, now: datetime) -> bool:
    """Whether a mail is due to be read. A cheap look."""
    due = and_(_UNREAD, or_(_INBOX.c.next_at.is_(None), _INBOX.c.next_at <= now))
    return session.execute(select(_INBOX.c.id).where(due).limit(1)).first() is not None


def reading_of(session: Session, inbox_id: int) -> dict[str, Any] | None:
    """What was found in a mail, as `Incoming.from_json` takes it; None when it is not read, or was handled."""
    row = session.exec(select(Reading).where(Reading.inbox_id == inbox_id)).first()
    return None if row is None else row.document


def forget_reading(session: Session, inbox_id: int) -> None:
    """It is handled, and its letter says what is to be kept."""
    session.execute(delete(_READING).where(_READING.c.inbox_id == inbox_id))
