"""Duties that only one process may have at a time. A lease expires by itself; nobody needs to be trusted to give up."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, Table, bindparam, or_, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col

from storage.tables import Lease

_lease: Table = SQLModel.metadata.tables["lease"]
# In Core and once: a poller asks with every batch of messages.
_HOLD = (
    update(_lease)
    .where(
        _lease.c.name == bindparam("lease"),
        or_(_lease.c.owner == bindparam("holder"), _lease.c.until < bindparam("now", type_=_lease.c.until.type)),
    )
    .values(owner=bindparam("holder"), until=bindparam("new_until", type_=_lease.c.until.type))
)

SHARED_FOLDER = "data-dir"
FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def hold(session: Session, name: str, owner: str, now: datetime, *, seconds: float) -> bool:
    """Takes or prolongs the lease `name` for `owner`; False when somebody else has it."""
    until = now + timedelta(seconds=seconds)
    taken: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        _HOLD, {"lease": name, "holder": owner, "now": now, "new_until": until}
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


def shared_mark(session: Session, ours: str) -> str:
    """The mark of the one DATA_DIR that belongs to this database: `ours` when no process has left one before."""
    row = session.get(Lease, SHARED_FOLDER)
    if row is None:
        row = Lease(name=SHARED_FOLDER, owner=ours, until=FOR_EVER)
        session.add(row)
        session.flush()
    return row.owner
