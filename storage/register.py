"""Keeps the register's figures as what they count: so many obligations of an organisation in each state. Shows nothing.

Whatever changes an obligation notes its cell, by triggers of the database (migration 0008): no statement, of whichever
room, can forget it, and the note is committed with the change. A second later the clock takes the notes away and, in
the same transaction, counts what they name (`count_some`); so it counts anew what has become late meanwhile. Of several
processes one counts at a time, or the older of two counts might be written last.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import and_, case, delete, func, insert, or_, select, tuple_
from sqlmodel import Session, col

from storage.tables import Obligation, ObligationState, RegisterCell, RegisterTouched

ONE_COUNTS = 7_247_308  # the lock of whoever counts

Cell = tuple[int, str, int]  # deadline, period, organisation

_KEY = (col(RegisterCell.deadline_id), col(RegisterCell.period), col(RegisterCell.body_id))
_NOTES = (
    col(RegisterTouched.id),
    col(RegisterTouched.deadline_id),
    col(RegisterTouched.period),
    col(RegisterTouched.body_id),
)


def anything_to_count(session: Session, now: datetime) -> bool:
    """A look that writes nothing."""
    looks: tuple[Any, ...] = (select(_NOTES[0]).limit(1), select(_KEY[0]).where(_overdue(now)).limit(1))
    return any(session.execute(look).first() is not None for look in looks)


def count_some(session: Session, now: datetime, limit: int) -> int:
    """Counts some cells anew that may not be right; how many notes and cells that were, `limit` at most.

    None when there is nothing to count, or another process is counting.
    """
    if not _alone(session):
        return 0
    return _count_noted(session, now, limit) or _count_overdue(session, now, limit)


def note_all(session: Session) -> None:
    """Every cell is counted anew from now on."""
    there: Any = select(col(Obligation.deadline_id), col(Obligation.period), func.coalesce(col(Obligation.body_id), 0))
    session.execute(
        insert(RegisterTouched).from_select(["deadline_id", "period", "body_id"], there.union(select(*_KEY)))
    )


def _alone(session: Session) -> bool:
    """SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "sqlite":
        return True
    return bool(session.execute(select(func.pg_try_advisory_xact_lock(ONE_COUNTS))).scalar_one())


def _count_noted(session: Session, now: datetime, limit: int) -> int:
    """The notes go first, the obligations are read after: what is committed in between is counted, its note stays."""
    taken = session.execute(select(*_NOTES).order_by(_NOTES[0]).limit(limit)).all()
    if taken:
        session.execute(delete(RegisterTouched).where(_NOTES[0].in_([row[0] for row in taken])))
        _keep(session, {(row[1], row[2], row[3]) for row in taken}, now)
    return len(taken)


def _count_overdue(session: Session, now: datetime, limit: int) -> int:
    """The next of their obligations has become late."""
    found = session.execute(select(*_KEY).where(_overdue(now)).order_by(col(RegisterCell.next_late_at)).limit(limit))
    cells = {(row[0], row[1], row[2]) for row in found}
    _keep(session, cells, now)
    return len(cells)


def _overdue(now: datetime) -> Any:
    return col(RegisterCell.next_late_at) <= now


def _keep(session: Session, cells: Collection[Cell], now: datetime) -> None:
    """From now on these cells say what is there; one that counts nothing is no more."""
    if not cells:
        return
    counted = _counted(session, cells, now)
    session.execute(
        delete(RegisterCell).where(tuple_(*_KEY).in_(sorted(cells))).execution_options(synchronize_session=False)
    )
    if counted:
        session.execute(insert(RegisterCell), counted)


def _counted(session: Session, cells: Collection[Cell], now: datetime) -> list[dict[str, Any]]:
    """Of a few more than these, that their index may be used; those are left out."""
    deadlines, periods, bodies = (set(part) for part in zip(*cells, strict=True))
    near = and_(col(Obligation.deadline_id).in_(deadlines), col(Obligation.period).in_(periods), _counted_for(bodies))
    names = ("deadline_id", "period", "body_id", *(name for name, _column in _COUNTS), "late", "next_late_at")
    body = func.coalesce(col(Obligation.body_id), 0)
    key = (col(Obligation.deadline_id), col(Obligation.period), body)
    rows = session.execute(
        select(*key, *(column for _name, column in _COUNTS), *_lateness(now)).where(near).group_by(*key)
    )
    return [dict(zip(names, row, strict=True)) for row in rows if (row[0], row[1], row[2]) in cells]


def _counted_for(bodies: Iterable[int]) -> Any:
    known = [body for body in bodies if body]
    return or_(col(Obligation.body_id).in_(known), *([col(Obligation.body_id).is_(None)] if 0 in bodies else ()))


def _how_many(condition: Any) -> Any:
    return func.sum(case((condition, 1), else_=0))


_COUNTS: tuple[tuple[str, Any], ...] = (
    ("opens_on", func.min(col(Obligation.opens_on))),
    ("due_on", func.min(col(Obligation.due_on))),
    *((state.value, _how_many(col(Obligation.state) == state)) for state in ObligationState),
)


def _lateness(now: datetime) -> tuple[Any, Any]:
    is_open, due_at = col(Obligation.state) == ObligationState.OPEN, col(Obligation.due_at)
    coming = and_(is_open, due_at > now)
    return _how_many(and_(is_open, due_at <= now)), func.min(case((coming, due_at), else_=None))
