"""The days that a reminder by mail brings for the reader's calendar, and those that it takes out again. Words nothing.

Nobody is written to only because a deadline is over: their next reminder says so to their calendar.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from delivery.calendar_file import Event
from facts.calendar import OFFICE_ZONE, local_date
from storage.obligations import Owed, owed
from storage.told import over_since_told

MOST = 50  # of each; who owes more has a list on their page


def days_of(session: Session, owing: list[Owed], reader_id: int, now: datetime) -> tuple[Event, ...]:
    """What is owed here, and what the reader was told by mail before that is still to come and no longer owed."""
    over = owed(session, over_since_told(session, reader_id, local_date(now, OFFICE_ZONE)))
    told = {one.obligation.id for one in owing}
    return (
        *_events(owing, over=False),
        *_events((one for one in over if one.obligation.id not in told), over=True),
    )


def _events(owing: Iterable[Owed], *, over: bool) -> list[Event]:
    return [
        Event(
            obligation_id=one.obligation.id,
            title=f"{one.deadline.title}: {_name(one)}",
            on=one.obligation.due_on,
            sequence=one.obligation.version - 1,
            about=f"CUP {one.project.cup}" if one.project is not None else "",
            over=over,
        )
        for one in list(owing)[:MOST]
    ]


def _name(one: Owed) -> str:
    if one.project is not None:
        return one.project.title
    assert one.organization is not None
    return one.organization.name
