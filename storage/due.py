"""The steps that are due, and who must be told. Decides nothing, never commits.

A step waits until everybody it concerns has a decision: the followers of the project, or the members of the
organisation. What is decided, and that a step is settled, is written down by `storage/ladder.py`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, literal, not_, or_, select, union_all
from sqlmodel import Session, col

from storage.delegations import is_left_to_substitute
from storage.people import reached
from storage.substitutes import in_own_name, substitute_reached
from storage.tables import (
    Deadline,
    Decision,
    Following,
    Membership,
    Obligation,
    ObligationState,
    Outbox,
    OutboxKind,
    OutboxState,
    Referent,
    Rung,
    Step,
)

# A reminder in one of these states disturbed nobody.
UNHEARD = (OutboxState.WITHHELD, OutboxState.MOVED, OutboxState.DEAD, OutboxState.DROPPED)
BATCH = 5_000


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant, and the local day it belongs to with its first instant. Who was reminded on that day may wait."""

    now: datetime
    today: date
    day_began: datetime


@dataclass(frozen=True, slots=True)
class DueStep:
    """A due step and one person it concerns, without a decision yet. `since`: from when it is theirs.

    `urgent`: told even to whom a reminder was written today.
    """

    step_id: int
    due_at: datetime
    obligation_id: int
    urgent: bool
    state: ObligationState
    deadline_active: bool
    deadline_created_at: datetime
    referent_id: int
    since: datetime


def look(session: Session, moment: Moment) -> Mapping[int, Sequence[int]]:
    """Everybody with something to decide now: referent → their due steps. Less those that wait for tomorrow."""
    found: dict[int, list[int]] = {}
    for pairs in _pairs(is_due(moment.now)):
        wanted = pairs.with_only_columns(col(Referent.id), col(Step.id))
        for referent_id, step_id in session.execute(wanted.where(not_(_held(moment)))):
            found.setdefault(referent_id, []).append(step_id)
    return found


def claim_people(session: Session, referent_ids: Collection[int]) -> set[int]:
    """Those of these people whom no other process is deciding about; on PostgreSQL held until the transaction ends.

    What another process has decided meanwhile is no longer among their steps: read them again (`steps_of`).
    """
    these = select(col(Referent.id)).where(col(Referent.id).in_(referent_ids)).order_by(col(Referent.id))
    # "no key": a message written for them at the same time refers to this row and must not wait
    return set(session.execute(these.with_for_update(skip_locked=True, key_share=True)).scalars())


def steps_of(session: Session, referent_ids: Collection[int], step_ids: Sequence[int], moment: Moment) -> list[DueStep]:
    """What waits for a decision about these people, of these steps."""
    found: list[DueStep] = []
    for at in range(0, len(step_ids), BATCH):
        for pairs in _pairs(is_due(moment.now) & col(Step.id).in_(step_ids[at : at + BATCH])):
            theirs = pairs.where(col(Referent.id).in_(referent_ids), not_(_held(moment)))
            found += _due_steps(session, theirs)
    return found


def all_due_steps(session: Session, now: datetime) -> list[DueStep]:
    """Everything that waits for a decision about anybody, those reminded today included."""
    return _due_steps(session, _undecided(is_due(now)))


def reminded_since(session: Session, instant: datetime) -> set[int]:
    """Who was written a reminder from this instant on."""
    reminded = select(col(Outbox.referent_id)).where(
        col(Outbox.kind) == OutboxKind.REMINDER,
        col(Outbox.created_at) >= instant,
        in_own_name(),
        col(Outbox.state).not_in(UNHEARD),
    )
    return {referent_id for referent_id in session.execute(reminded).scalars() if referent_id is not None}


def first_heard_step(session: Session, moment: Moment) -> datetime | None:
    """The first instant after the moment at which a step of an open obligation reaches somebody reachable."""
    later = _heard(_undecided(not_(col(Step.settled)) & (col(Step.due_at) > moment.now)), moment.today).subquery()
    found: datetime | None = session.execute(select(func.min(later.c.due_at))).scalar_one()
    return found


def somebody_waits(session: Session, moment: Moment, *, held: bool) -> bool:
    """Whether somebody reachable is to be told something open at this moment; `held`: not before tomorrow."""
    waiting = _heard(_undecided(is_due(moment.now)), moment.today).subquery()
    is_held = _is_held(waiting.c.urgent, waiting.c.referent_id, moment)
    return bool(session.execute(select(exists().where(is_held == literal(held)))).scalar_one())


def is_due(now: datetime) -> ColumnElement[bool]:
    """Whether a step (of the query around) is due and not settled yet."""
    return not_(col(Step.settled)) & (col(Step.due_at) <= now)


def _held(moment: Moment) -> ColumnElement[bool]:
    return _is_held(col(Rung.urgent), col(Referent.id), moment)


def _is_held(urgent: Any, referent_id: Any, moment: Moment) -> ColumnElement[bool]:
    """One reminder a day is enough, but not for what is urgent."""
    reminded = exists().where(
        col(Outbox.referent_id) == referent_id,
        col(Outbox.kind) == OutboxKind.REMINDER,
        col(Outbox.created_at) >= moment.day_began,
        in_own_name(),
        col(Outbox.state).not_in(UNHEARD),
    )
    return and_(not_(urgent), reminded)


def _undecided(which: ColumnElement[bool]) -> Select[Any]:
    """(step, person) pairs without a decision, in the order of `DueStep`."""
    return select(union_all(*_pairs(which)).subquery())


def _pairs(which: ColumnElement[bool]) -> list[Select[Any]]:
    """The same by followers of projects, and by members of organisations."""
    about: tuple[Any, ...] = (
        col(Step.id).label("step_id"),
        col(Step.due_at).label("due_at"),
        col(Obligation.id).label("obligation_id"),
        col(Rung.urgent).label("urgent"),
        col(Obligation.state).label("state"),
        col(Deadline.active).label("deadline_active"),
        col(Deadline.created_at).label("deadline_created_at"),
        col(Referent.id).label("referent_id"),
    )
    steps = (
        select(*about)
        .select_from(Step)
        .join(Rung, col(Rung.id) == col(Step.rung_id))
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .join(Deadline, col(Deadline.id) == col(Obligation.deadline_id))
        .where(which, not_(decided_for(col(Referent.id))))
    )
    follower: Any = col(Following.since).label("since")
    member: Any = col(Referent.created_at).label("since")
    return [
        steps.add_columns(follower)
        .join(Following, col(Following.project_id) == col(Obligation.project_id))
        .join(Referent, col(Referent.id) == col(Following.referent_id)),
        steps.add_columns(member)
        .join(Membership, col(Membership.organization_id) == col(Obligation.organization_id))
        .join(Referent, col(Referent.id) == col(Membership.referent_id)),
    ]


def decided_for(referent_id: Any) -> ColumnElement[bool]:
    """Whether something is decided about a step (of the query around) and this person."""
    decided = exists().where(col(Decision.step_id) == col(Step.id), col(Decision.referent_id) == referent_id)
    # Left to itself it joins the step anew when nested two deep, and one decision would stand for all.
    return decided.correlate_except(Decision)


def _heard(undecided: Select[Any], today: date) -> Select[Any]:
    """Those about something open, for somebody we can reach, or whose substitute we can, and who has not left it."""
    pairs = undecided.subquery()
    heard = or_(reached(pairs.c.referent_id), substitute_reached(pairs.c.referent_id))
    left = is_left_to_substitute(pairs.c.referent_id, pairs.c.obligation_id, today)
    return select(pairs).where(pairs.c.state == ObligationState.OPEN, heard, not_(left))


def _due_steps(session: Session, query: Select[Any]) -> list[DueStep]:
    return [DueStep(*row) for row in session.execute(query)]
