"""The rows of the office's calendar: who is closed when, looked at and changed. Decides nothing, never commits.

As planning asks for them: `storage/closures.py`.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import delete, func, select
from sqlmodel import Session, col

from facts.folding import fold
from storage.statements import changed
from storage.tables import Closure, Organization


def of_the_office(session: Session) -> Sequence[Closure]:
    """Our own closures, by day."""
    own = select(Closure).where(col(Closure.organization_id).is_(None))
    return session.execute(own.order_by(col(Closure.day), col(Closure.id))).scalars().all()


def of_organizations(
    session: Session, words: str, *, limit: int, offset: int
) -> tuple[list[tuple[Closure, Organization]], int]:
    """One page of the closures of organisations by their name, and how many there are; `words`: only names with it."""
    rows = session.execute(
        select(Closure, Organization)
        .join(Organization, col(Organization.id) == col(Closure.organization_id))
        .order_by(col(Organization.name), col(Closure.day), col(Closure.id))
    )
    found = [(closure, body) for closure, body in rows if fold(words) in fold(body.name)]
    return found[offset : offset + limit], len(found)


def one_closure(session: Session, closure_id: int) -> Closure | None:
    return session.get(Closure, closure_id, populate_existing=True)


def closures_like(session: Session, organization_id: int | None) -> Sequence[Closure]:
    """Those of one organisation, or of the office."""
    whose = col(Closure.organization_id)
    these = whose.is_(None) if organization_id is None else whose == organization_id
    return session.execute(select(Closure).where(these)).scalars().all()


def hold_calendar(session: Session) -> None:
    """Only one at a time changes the calendar: held until the transaction ends."""
    if session.connection().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_CALENDAR)))


_CALENDAR = 0x5261_6363  # any number of our own


def take_out(session: Session, closure_id: int) -> bool:
    """False when it was not there any more."""
    return changed(session, delete(Closure).where(col(Closure.id) == closure_id)) == 1


def put_in(session: Session, closure: Closure) -> Closure:
    session.add(closure)
    session.flush()
    return closure


def days_of(closure: Closure, first: date, last: date) -> list[date]:
    """On which days between two it falls: one, or each year's."""
    if not closure.yearly:
        return [closure.day]
    years = range(first.year, last.year + 1)
    found = [_in_year(closure.day, year) for year in years]
    return [day for day in found if day is not None and first <= day <= last]


def _in_year(day: date, year: int) -> date | None:
    """None for 29 February in a year that has none."""
    try:
        return day.replace(year=year)
    except ValueError:
        return None
