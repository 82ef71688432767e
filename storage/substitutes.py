"""Reminders told to a substitute: how they are recognised, and for whom they are. Decides nothing, never commits."""

from typing import Any

from sqlalchemy import ColumnElement, exists, not_, select
from sqlmodel import Session, col

from storage.tables import Address, Decision, Outbox, Referent

FOR_ANOTHER = "reminder:for:"  # how the key of a message to a substitute begins


def in_own_name() -> ColumnElement[bool]:
    """What reaches a substitute for somebody else does not hold back what is due to them."""
    return not_(col(Outbox.dedupe_key).startswith(FOR_ANOTHER))


def substitute_reached(referent_id: Any) -> ColumnElement[bool]:
    """Whether this person has a substitute with a working address."""
    return exists().where(
        col(Referent.id) == referent_id,
        col(Address.referent_id) == col(Referent.substitute_id),
        col(Address.unreachable_since).is_(None),
    )


def told_in_place_of(session: Session, dedupe_key: str) -> int | None:
    """Whose decisions the message with this key tells; None when there are none."""
    return session.execute(
        select(col(Decision.referent_id))
        .join(Outbox, col(Outbox.id) == col(Decision.outbox_id))
        .where(col(Outbox.dedupe_key) == dedupe_key)
        .limit(1)
    ).scalar_one_or_none()
