"""What leaves: written once per key, found again, counted, shown to staff. Refuses to know what a message says.

What the dispatcher asks is in `storage/dispatching.py`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Table, func, not_, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from storage import audit
from storage.mail_threads import BY_MAIL
from storage.tables import Channel, Outbox, OutboxState, SentPart
from storage.types import InClear, keys_of

outbox: Table = SQLModel.metadata.tables["outbox"]

# Core and once: a dialogue step pays for this on every message.
_INSERT = {
    "sqlite": sqlite.insert(outbox).on_conflict_do_nothing(index_elements=["dedupe_key"]).returning(outbox.c.id),
    "postgresql": postgresql.insert(outbox)
    .on_conflict_do_nothing(index_elements=["dedupe_key"])
    .returning(outbox.c.id),
}
_FRESH: dict[str, Any] = {
    "state": OutboxState.QUEUED,
    "attempts": 0,
    "lease_until": None,
    "possible_duplicate": False,
    "provider_id": None,
    "error": None,
    "sent_at": None,
    "referent_id": None,
    "question_id": None,
    "inbox_id": None,
}
MENDABLE = (OutboxState.DEAD, OutboxState.UNCERTAIN)
NOTICE_KEY = "notice:"  # how the dedupe key of a gathered notice to staff begins
DIGEST_KEY = "digest:"  # and that of the morning's
DROPPABLE = (*MENDABLE, OutboxState.QUEUED, OutboxState.RETRY)


def insert_message(session: Session, values: dict[str, Any]) -> int | None:
    """Its id; None when a message with this `dedupe_key` is there already."""
    connection = session.connection()
    kept = _FRESH | values | {"body": as_kept(session, values["channel"], values["body"])}
    found: int | None = connection.execute(_INSERT[connection.dialect.name], kept).scalar()
    return found


def as_kept(session: Session, channel: Channel, body: dict[str, Any]) -> Any:
    """Mail, certified or not, stays in clear where the office wishes it so."""
    keys = keys_of(session.get_bind().dialect)
    seals = channel not in BY_MAIL or keys is None or keys.seals_mail
    return body if seals else InClear(body)


def message_at(session: Session, channel: Channel, address: str, provider_id: str) -> Outbox | None:
    """The message of ours that has this id at the provider, or a part of it has."""
    ours = select(Outbox).where(Outbox.address == address, Outbox.channel == channel)
    found = session.exec(ours.where(Outbox.provider_id == provider_id)).first()
    if found is not None:
        return found
    parts = select(SentPart.outbox_id).where(SentPart.provider_id == provider_id)
    return session.exec(ours.where(col(Outbox.id).in_(parts)).order_by(col(Outbox.id).desc())).first()


def state_of(session: Session, dedupe_key: str) -> OutboxState | None:
    """Of the message with this key; None when there is none."""
    found = session.exec(select(Outbox.state).where(Outbox.dedupe_key == dedupe_key)).first()
    return None if found is None else OutboxState(found)


def outbox_counts(session: Session) -> dict[OutboxState, int]:
    """How many messages are in each state; states without any are 0."""
    rows = session.exec(select(Outbox.state, func.count()).group_by(col(Outbox.state)))
    return dict.fromkeys(OutboxState, 0) | {OutboxState(state): number for state, number in rows}


def needs_somebody() -> ColumnElement[bool]:
    """Whether a message (of the query around) waits for a person. Notices to staff aside: nobody would hear of them."""
    notices = or_(*(col(Outbox.dedupe_key).startswith(key) for key in (NOTICE_KEY, DIGEST_KEY)))
    return col(Outbox.state).in_(MENDABLE) & not_(notices)


def stuck_count(session: Session) -> int:
    """How many messages wait for a person to look at them."""
    return session.exec(select(func.count()).select_from(Outbox).where(needs_somebody())).one()


def oldest_waiting(session: Session, now: datetime) -> datetime | None:
    """Since when the oldest message that is due waits; None when nothing does."""
    waiting = col(Outbox.state).in_((OutboxState.QUEUED, OutboxState.RETRY))
    return session.exec(select(func.min(Outbox.next_at)).where(waiting, Outbox.next_at <= now)).one()


def outbox_page(
    session: Session,
    state: OutboxState | None = None,
    channel: Channel | None = None,
    before_id: int | None = None,
    limit: int = 50,
) -> Sequence[Outbox]:
    """The newest messages first, narrowed; `before_id` turns the page."""
    query = select(Outbox).order_by(col(Outbox.id).desc()).limit(limit)
    if state is not None:
        query = query.where(Outbox.state == state)
    if channel is not None:
        query = query.where(Outbox.channel == channel)
    if before_id is not None:
        query = query.where(col(Outbox.id) < before_id)
    return session.exec(query).all()


def retry_outbox(session: Session, outbox_id: int, now: datetime, *, staff_id: int | None = None) -> bool:
    """Queues a dead or uncertain message again; False when it is neither (any more)."""
    fresh = {"state": OutboxState.QUEUED, "attempts": 0, "next_at": now, "error": None, "lease_until": None}
    # What may have arrived says so when it comes again.
    again = (col(Outbox.state) == OutboxState.UNCERTAIN) | col(Outbox.possible_duplicate)
    return _mend(session, outbox_id, MENDABLE, fresh | {"possible_duplicate": again}, ("outbox.retry", staff_id, now))


def drop_outbox(session: Session, outbox_id: int, now: datetime, *, staff_id: int | None = None) -> bool:
    """Gives a message up by hand; False when it was sent, is being sent, or was dropped before."""
    return _mend(
        session,
        outbox_id,
        DROPPABLE,
        {"state": OutboxState.DROPPED, "lease_until": None},
        ("outbox.drop", staff_id, now),
    )


def _mend(
    session: Session,
    outbox_id: int,
    states: tuple[OutboxState, ...],
    values: dict[str, Any],
    act: tuple[str, int | None, datetime],
) -> bool:
    action, staff_id, now = act
    changed: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        update(Outbox)
        .where(col(Outbox.id) == outbox_id, col(Outbox.state).in_(states))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:
        return False
    audit.record(session, now, ("staff" if staff_id else "system", staff_id), action, ("outbox", outbox_id))
    return True


def take_back(session: Session, question_id: int, message_id: int) -> bool:
    """Keeps an answer in the house, all parts of it; False when one is being sent, was tried, or none is there.

    After False the caller undoes the transaction: some parts may have been held back by then.
    """
    ours = _parts_of(question_id, message_id)
    parts = session.exec(select(func.count()).select_from(Outbox).where(*ours)).one()
    held: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Outbox)
        .where(*ours, col(Outbox.state) == OutboxState.QUEUED, col(Outbox.attempts) == 0)
        .values(state=OutboxState.DROPPED, lease_until=None)
        .execution_options(synchronize_session=False)
    )
    return 0 < parts == held.rowcount


def _parts_of(question_id: int, message_id: int) -> tuple[ColumnElement[bool], ...]:
    key = f"answer:{message_id}"
    mine = (col(Outbox.dedupe_key) == key) | col(Outbox.dedupe_key).startswith(f"{key}:", autoescape=True)
    return col(Outbox.question_id) == question_id, mine
