"""How much waits to be sorted, for the numbers beside the sections of every page. Changes nothing.

Every page asks: the counts are one statement, built once.
"""

from sqlalchemy import func, select
from sqlmodel import Session, col

from storage.access import waits
from storage.circulars import waits_for_an_officer
from storage.letters import HELD
from storage.tables import AccessRequest, Circular, Letter, Staff

_COUNTS = select(
    select(func.count()).select_from(AccessRequest).where(waits()).scalar_subquery(),
    select(func.count()).select_from(Letter).where(HELD).scalar_subquery(),
    select(func.count())
    .select_from(Circular)
    .join(Staff, col(Staff.id) == col(Circular.created_by))
    .where(waits_for_an_officer())
    .scalar_subquery(),
)


def waiting_counts(session: Session) -> tuple[int, int, int]:
    """Requests for access, e-mails of people we do not know, drafts of communications that wait for an officer."""
    requests, letters, drafts = session.execute(_COUNTS).one()
    return requests, letters, drafts
