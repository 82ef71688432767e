"""How much waits to be sorted, for the numbers beside the sections of every page. Changes nothing.

And whether staff have stopped all reminders. Every page asks: all of it is one statement, built once.
"""

from sqlalchemy import func, select
from sqlmodel import Session, col

from storage.access import waits
from storage.circulars import waits_for_an_officer
from storage.halts import everything_stopped
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
    everything_stopped(),
)


def waiting_counts(session: Session) -> tuple[int, int, int, bool]:
    """Requests for access, e-mails of people we do not know, drafts of communications that wait for an officer.

    And whether all reminders are stopped.
    """
    requests, letters, drafts, stopped = session.execute(_COUNTS).one()
    return requests, letters, drafts, bool(stopped)
