"""Duties that only one process may have at a time. A lease expires by itself; nobody needs to be trusted to give up.

Marks that all processes must agree on are here too, as leases: for ever the shared folder and the keys in use, for some
minutes what may be used once.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, Table, bindparam, delete, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel, col, select

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
KEY = "key:"
ONCE = "once:"
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


def keys_used(session: Session) -> set[str]:
    """The ids of the keys without which something that is kept here may not be opened."""
    names = session.exec(select(Lease.name).where(col(Lease.name).startswith(KEY)))
    return {name.removeprefix(KEY) for name in names}


_NOTE = {
    "sqlite": sqlite.insert(_lease).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_lease).on_conflict_do_nothing(),
}


def note_keys(session: Session, ids: Collection[str]) -> None:
    """Writes down, before or as soon as they are used, that these keys are needed."""
    rows = [{"name": f"{KEY}{key_id}", "owner": "house", "until": FOR_EVER} for key_id in ids]
    session.connection().execute(_NOTE[session.get_bind().dialect.name], rows)


def forget_keys(session: Session, ids: Collection[str]) -> None:
    """Nothing is left that needs them."""
    session.execute(delete(Lease).where(col(Lease.name).in_([f"{KEY}{key_id}" for key_id in ids])))


def use_once(session: Session, what: str, now: datetime, *, seconds: float) -> bool:
    """True for whoever uses this first, whichever process they come to; it is remembered for so many seconds."""
    session.execute(delete(Lease).where(col(Lease.name).startswith(ONCE), col(Lease.until) < now))
    row = {"name": f"{ONCE}{what}", "owner": "house", "until": now + timedelta(seconds=seconds)}
    noting = _NOTE[session.get_bind().dialect.name].returning(_lease.c.name)
    return session.connection().execute(noting, row).first() is not None
