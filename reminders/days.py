"""The days that a reminder by mail brings for the reader's calendar, moves or takes out again. Words nothing.

Nobody is written to only because a deadline is over or has another day: their next reminder says so to their calendar.
"""

from collections.abc import Iterable
from datetime import datetime

from sqlmodel import Session

from delivery.calendar_file import Event
from facts.calendar import OFFICE_ZONE, local_date
from storage.obligations import Owed, owed
from storage.told import over_since_told, postponed_since_told

MOST = 50  # of each; who owes more has a list on their page


def days_of(session: Session, owing: list[Owed], reader_id: int, now: datetime) -> tuple[Event, ...]:
    """What is owed here; of what the reader was told by mail before and is still to come, what has another day by now,
    and what is no longer owed.
    """
    told, today = {one.obligation.id for one in owing}, local_date(now, OFFICE_ZONE)
    moved = owed(session, postponed_since_told(session, reader_id, today))
    over = owed(session, over_since_told(session, reader_id, today))
    return (
        *_events(owing, over=False),
        *_events((one for one in moved if one.obligation.id not in told), over=False),
        *_events((one for one in over if one.obligation.id not in told), over=True),
    )


def _events(owing: Iterable[Owed], *, over: bool) -> list[Event]:
    return [
        Event(
            obligation_id=one.obligation.id,
            title=title_of(one),
            on=one.obligation.due_on,
            sequence=one.obligation.version - 1,
            about=about_of(one),
            over=over,
        )
        for one in list(owing)[:MOST]
    ]


def title_of(one: Owed) -> str:
    """The deadline and what it is about, the same in every calendar."""
    if one.project is not None:
        return f"{one.deadline.title}: {one.project.title}"
    assert one.organization is not None
    return f"{one.deadline.title}: {one.organization.name}"


def about_of(one: Owed) -> str:
    return f"CUP {one.project.cup}" if one.project is not None else ""
