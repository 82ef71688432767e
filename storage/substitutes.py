"""Reminders told to a substitute: how they are recognised, and for whom they are. Decides nothing, never commits."""

from typing import Any

from sqlalchemy import ColumnElement, exists, not_, select, union_all
from sqlmodel import Session, col

from storage.people import reached
from storage.tables import Decision, Outbox, Referent, Snooze

FOR_ANOTHER = "reminder:for:"  # how the key of a message to a substitute begins


def in_own_name() -> ColumnElement[bool]:
    """What reaches a substitute for somebody else does not hold back what is due to them."""
    return not_(col(Outbox.dedupe_key).startswith(FOR_ANOTHER))


def substitute_reached(referent_id: Any) -> ColumnElement[bool]:
    """Whether this person has a substitute whom a message reaches."""
    return exists().where(col(Referent.id) == referent_id, reached(col(Referent.substitute_id)))


def told_in_place_of(session: Session, dedupe_key: str) -> int | None:
    """Whose obligations the message with this key tells of; None when there are none."""
    this = select(col(Outbox.id)).where(col(Outbox.dedupe_key) == dedupe_key).scalar_subquery()
    by_step = select(col(Decision.referent_id)).where(col(Decision.outbox_id) == this)
    again = select(col(Snooze.referent_id)).where(col(Snooze.outbox_id) == this)
    return session.execute(union_all(by_step, again).limit(1)).scalar_one_or_none()
