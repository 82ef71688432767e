"""Reminders that reached nobody: what is still due of them is told again when a way opens. Words and sends nothing.

Only writes down what waits to be told; the sweep gathers it with whatever else is due to that person then.
"""

from datetime import datetime

from sqlmodel import Session

from storage.dispatching import dead_to, leave
from storage.snoozes import Telling, snooze, tellings
from storage.tables import Again, OutboxKind, OutboxState, Outcome, Reason


def tell_missed(session: Session, referent_id: int, now: datetime) -> int:
    """What nobody could tell them and is still due, they hear now. How many things.

    The reminders that did not arrive are put aside: they would all tell the same, and some of it too late.
    """
    latest: dict[int, bool] = {}
    for one in tellings(session, referent_id):
        latest[one.obligation_id] = _reached_nobody(one) if _counts(one) else latest.get(one.obligation_id, False)
    missed = [obligation_id for obligation_id, unheard in latest.items() if unheard]
    snooze(session, referent_id, missed, Again.MISSED, now, now)
    undelivered = [row.id for row in dead_to(session, referent_id, {OutboxKind.REMINDER})]
    leave(session, undelivered, OutboxState.WITHHELD)
    return len(missed)


def _counts(one: Telling) -> bool:
    """Whether it was meant to reach somebody: what was overtaken or came before their time was not."""
    return one.outcome is Outcome.SENT or one.reason is Reason.UNREACHABLE


def _reached_nobody(one: Telling) -> bool:
    return one.outcome is Outcome.WITHHELD or one.outbox_state is OutboxState.DEAD
