"""Tells people again tomorrow, because they asked. Words nothing.

Only writes down what waits to be told; the sweep gathers it with whatever else is due to that person then. What they
hear again because nothing reached them when it was due is written down in `delivery/missed.py`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from delivery.outbox import message_at
from facts.calendar import OFFICE_ZONE, local_date, next_morning
from reminders.wording import first_key
from storage.ladder import decisions_to_send, still_theirs
from storage.obligations import owed
from storage.snoozes import comes_again, snooze, snoozes_to_tell
from storage.tables import Again, Channel, ObligationState, OutboxKind
from storage.worklist import owed_by


@dataclass(frozen=True, slots=True)
class PutOff:
    """What will be told again, and when."""

    obligation_ids: tuple[int, ...]
    again_at: datetime


def remind_tomorrow(session: Session, referent_id: int, chat: str, message_id: str, now: datetime) -> PutOff | None:
    """Puts off what this message told and is still open and theirs; None when nothing of it is.

    When the message is not found (it is too old, or not a reminder), whatever they owe now. Doing it twice changes
    nothing.
    """
    about = _told(session, referent_id, chat, message_id)
    if about is None:
        about = [one.id for one in owed_by(session, referent_id) if one.opens_on <= local_date(now, OFFICE_ZONE)]
    about = _still_open(session, referent_id, about)
    if not about:
        return None
    snooze(session, referent_id, about, Again.ASKED, next_morning(now), now)
    again_at = comes_again(session, referent_id, about)
    assert again_at is not None, "it has just been written"
    return PutOff(tuple(about), again_at)


def _told(session: Session, referent_id: int, chat: str, message_id: str) -> list[int] | None:
    row = message_at(session, Channel.TELEGRAM, chat, message_id)
    if row is None or row.kind is not OutboxKind.REMINDER or row.referent_id != referent_id:
        return None
    key = first_key(row)
    return sorted({*decisions_to_send(session, key), *snoozes_to_tell(session, key)})


def _still_open(session: Session, referent_id: int, about: list[int]) -> list[int]:
    theirs = still_theirs(session, about, referent_id)
    return [
        one.obligation.id
        for one in owed(session, about)
        if one.obligation.state is ObligationState.OPEN and one.deadline.active and one.obligation.id in theirs
    ]
