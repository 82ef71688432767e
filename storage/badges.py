"""How much waits to be sorted, for the numbers beside the sections of every page. Changes nothing.

Every page asks: both counts are one statement, built once.
"""

from sqlalchemy import func, select
from sqlmodel import Session

from storage.access import waits
from storage.letters import HELD
from storage.tables import AccessRequest, Letter

_COUNTS = select(
    select(func.count()).select_from(AccessRequest).where(waits()).scalar_subquery(),
    select(func.count()).select_from(Letter).where(HELD).scalar_subquery(),
)


def waiting_counts(session: Session) -> tuple[int, int]:
    """Requests for access, and e-mails of people we do not know."""
    requests, letters = session.execute(_COUNTS).one()
    return requests, letters
