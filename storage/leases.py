"""Duties that only one process may have at a time. A lease expires by itself; nobody needs to be trusted to give up."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from storage.tables import Lease


def hold(session: Session, name: str, owner: str, now: datetime, *, seconds: float) -> bool:
    """Takes or prolongs the lease `name` for `owner`; False when somebody else has it."""
    until = now + timedelta(seconds=seconds)
    free = or_(col(Lease.owner) == owner, col(Lease.until) < now)
    taken: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Lease).where(col(Lease.name) == name, free).values(owner=owner, until=until)
    )
    if taken.rowcount == 1:
        return True
    if session.get(Lease, name) is not None:
        return False
    try:
        with session.begin_nested():
            session.add(Lease(name=name, owner=owner, until=until))
    except IntegrityError:
        return False  # another process made the row a moment before
    return True


def release(session: Session, name: str, owner: str, now: datetime) -> None:
    """Gives the duty back at once, so that the next process need not wait for the lease to run out."""
    session.execute(
        update(Lease).where(col(Lease.name) == name, col(Lease.owner) == owner).values(until=now - timedelta(seconds=1))
    )
