"""The days on which the office or an organisation is closed. Decides nothing, never commits."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from facts.closures import Calendar, Closed
from storage.tables import Closure


def calendar(session: Session) -> Calendar:
    """Every closure, as planning asks for it."""
    of: dict[int | None, list[Closure]] = {}
    for row in session.exec(select(Closure).order_by(col(Closure.id))):
        of.setdefault(row.organization_id, []).append(row)
    own = {id_: _closed(rows) for id_, rows in of.items() if id_ is not None}
    return Calendar(_closed(of.get(None, ())), own)


def _closed(rows: Iterable[Closure]) -> Closed:
    rows = list(rows)
    return Closed(
        {row.day: row.name for row in rows if not row.yearly},
        {(row.day.month, row.day.day): row.name for row in rows if row.yearly},
    )
