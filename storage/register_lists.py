"""Who is late, who never answers, which way of reminding works: lists beside the register's map. Only looks."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select
from sqlmodel import Session, col

from storage.obligations import Owed, owed
from storage.register_view import Narrowed, of_scope
from storage.tables import (
    Channel,
    Deadline,
    Decision,
    Obligation,
    ObligationState,
    Outbox,
    OutboxState,
    Outcome,
    Referent,
    Step,
    Update,
)

MOST_IDS = 500  # in one statement
LEAST_REMINDERS = 2  # before somebody is said never to answer
ANSWERS_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Silent:
    """Somebody who was reminded so many times, about so many periods, and has sent nothing since."""

    referent_id: int
    name: str
    reminders: int
    periods: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Way:
    """What reminders by one channel asked for: how many updates, and how many of them came within seven days."""

    channel: Channel
    reminders: int
    delivered: int
    asked: int
    answered: int


def late_ones(session: Session, narrowed: Narrowed, now: datetime, *, limit: int) -> list[Owed]:
    """The longest awaited first."""
    ids = (
        session.execute(
            select(col(Obligation.id))
            .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
            .where(
                col(Deadline.active),
                col(Obligation.state) == ObligationState.OPEN,
                col(Obligation.due_at) <= now,
                *of_scope(narrowed, col(Obligation.deadline_id), col(Obligation.body_id)),
            )
            .order_by(col(Obligation.due_at), col(Obligation.id))
            .limit(limit)
        )
        .scalars()
        .all()
    )
    return [one for start in range(0, len(ids), MOST_IDS) for one in owed(session, ids[start : start + MOST_IDS])]


def silent_ones(session: Session, narrowed: Narrowed, since: datetime, *, limit: int) -> Sequence[Silent]:
    """Who was reminded most comes first. Who left, or has sent anything since then, is not named."""
    reminders = func.count(func.distinct(col(Decision.outbox_id)))
    wrote = exists().where(col(Update.referent_id) == col(Referent.id), col(Update.received_at) >= since)
    rows = session.execute(
        select(
            col(Referent.id),
            col(Referent.name),
            reminders,
            func.count(func.distinct(col(Obligation.period))),
            func.max(col(Decision.decided_at)),
        )
        .select_from(Decision)
        .join(Referent, col(Referent.id) == col(Decision.referent_id))
        .join(Step, col(Step.id) == col(Decision.step_id))
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .where(
            col(Decision.outcome) == Outcome.SENT,
            col(Decision.decided_at) >= since,
            col(Referent.left_at).is_(None),
            ~wrote,
            *of_scope(narrowed, col(Obligation.deadline_id), col(Obligation.body_id)),
        )
        .group_by(col(Referent.id), col(Referent.name))
        .having(reminders >= LEAST_REMINDERS)
        .order_by(reminders.desc(), col(Referent.name), col(Referent.id))
        .limit(limit)
    )
    return [Silent(*row) for row in rows]


def ways(session: Session, narrowed: Narrowed, since: datetime) -> Sequence[Way]:
    """Of the reminders queued since then, by channel. One that asked for several updates counts once as a reminder."""
    told: dict[Channel, set[int]] = defaultdict(set)
    came: dict[Channel, set[int]] = defaultdict(set)
    asked: dict[Channel, set[int]] = defaultdict(set)
    answered: dict[Channel, set[int]] = defaultdict(set)
    for channel, outbox_id, sent_at, obligation_id, done_at in _told(session, narrowed, since):
        told[channel].add(outbox_id)
        if sent_at is None:
            continue
        came[channel].add(outbox_id)
        asked[channel].add(obligation_id)
        if done_at is not None and sent_at <= done_at <= sent_at + ANSWERS_WITHIN:
            answered[channel].add(obligation_id)
    return [
        Way(channel, len(told[channel]), len(came[channel]), len(asked[channel]), len(answered[channel]))
        for channel in Channel
        if told[channel]
    ]


def _told(
    session: Session, narrowed: Narrowed, since: datetime
) -> Iterator[tuple[Channel, int, datetime | None, int, datetime | None]]:
    """Channel, message, when it left (None: it did not), what it asked for, when that came."""
    rows = session.execute(
        select(
            col(Outbox.channel),
            col(Outbox.id),
            col(Outbox.sent_at),
            col(Outbox.state),
            col(Obligation.id),
            col(Obligation.done_at),
        )
        .select_from(Decision)
        .join(Outbox, col(Outbox.id) == col(Decision.outbox_id))
        .join(Step, col(Step.id) == col(Decision.step_id))
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .where(
            col(Decision.outcome) == Outcome.SENT,
            col(Decision.decided_at) >= since,
            *of_scope(narrowed, col(Obligation.deadline_id), col(Obligation.body_id)),
        )
    )
    for channel, outbox_id, sent_at, state, obligation_id, done_at in rows:
        yield channel, outbox_id, sent_at if state is OutboxState.SENT else None, obligation_id, done_at
