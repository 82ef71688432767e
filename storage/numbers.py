"""How much came in and how soon it was answered, counted by the database. Numbers only; names nobody but bodies.

A question that was merged into another is not counted: its messages are counted there. One that replies to a circular
is told apart. `edges`: the instants between which is counted, one more than there are stretches; the last is excluded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select
from sqlmodel import Session, col

from storage.tables import (
    Category,
    Channel,
    Decision,
    Membership,
    Obligation,
    ObligationState,
    Organization,
    Outcome,
    Question,
    QuestionState,
    Step,
    Update,
)

Edges = Sequence[datetime]
OURS = (QuestionState.NEW, QuestionState.TAKEN, QuestionState.PROPOSED)  # it is the desk's turn


@dataclass(frozen=True, slots=True)
class Count:
    """How many within the stretch `at` (0 is the first). `what`: a channel or a body; None: of nobody's body."""

    at: int
    what: str | None
    number: int
    to_circular: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """One question, when it was asked and first answered. `waits`: for the desk, now."""

    category_id: int | None
    asked_at: datetime
    answered_at: datetime | None
    waits: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Questions of one state: how many, since when the oldest, how many past their time."""

    state: QuestionState
    number: int
    oldest: datetime
    late: int


@dataclass(frozen=True, slots=True)
class Reminded:
    """`messages` told somebody; `obligations` were asked for in them, of which `received` have come since."""

    messages: int
    obligations: int
    received: int


def questions_by_channel(session: Session, edges: Edges) -> list[Count]:
    """By the channel that their referent used last."""
    return _counted(session, _asked(edges, col(Question.channel)), Channel)


def questions_by_body(session: Session, edges: Edges) -> list[Count]:
    """By the body of who asked; of several the first by name, as in the queue."""
    body = _first_bodies()
    return _counted(session, _asked(edges, body.c.name).outerjoin(body, body.c.referent_id == Question.referent_id))


def updates_by_channel(session: Session, edges: Edges) -> list[Count]:
    return _counted(session, _received(edges, col(Update.channel)), Channel)


def updates_by_body(session: Session, edges: Edges) -> list[Count]:
    """By the body they tell of, else that of who sent them; of several the first by name."""
    body = _first_bodies()
    rows = (
        _received(edges, func.coalesce(col(Organization.name), body.c.name))
        .outerjoin(Organization, col(Organization.id) == col(Update.organization_id))
        .outerjoin(body, body.c.referent_id == Update.referent_id)
    )
    return _counted(session, rows)


def first_answers(session: Session, since: datetime, until: datetime) -> list[Answered]:
    """Of each question asked between the two, replies to circulars aside: many of those need no answer."""
    rows = session.execute(
        select(
            col(Question.category_id),
            col(Question.created_at),
            col(Question.first_answer_at),
            col(Question.state).in_(OURS),
        ).where(_counts(), col(Question.circular_id).is_(None), *_between(col(Question.created_at), since, until))
    )
    return [Answered(*row) for row in rows]


def category_hours(session: Session) -> list[tuple[int, str, str, int]]:
    """Id, name, English name and working hours of every category, by name."""
    columns: Any = (col(Category.id), col(Category.name), col(Category.name_en), col(Category.hours))
    return [tuple(row) for row in session.execute(select(*columns).order_by(func.lower(Category.name)))]


def waiting_now(session: Session, now: datetime) -> list[Waiting]:
    """Those that wait for the desk, by state."""
    rows = session.execute(
        select(
            col(Question.state),
            func.count(),
            func.min(Question.created_at),
            func.sum(case((col(Question.due_at) < now, 1), else_=0)),
        )
        .where(_counts(), col(Question.state).in_(OURS))
        .group_by(col(Question.state))
    )
    found = {row[0]: Waiting(*row) for row in rows}
    return [found[state] for state in OURS if state in found]


def awaiting_referents(session: Session) -> int:
    """Questions whose answer asked something of the referent, who has not replied."""
    asked = select(func.count()).select_from(Question).where(_counts(), col(Question.awaits))
    return int(session.execute(asked.where(col(Question.state) == QuestionState.ANSWERED)).scalar_one())


def reminded(session: Session, since: datetime, until: datetime) -> Reminded:
    done = case((col(Obligation.state) == ObligationState.DONE, col(Obligation.id)))
    row = session.execute(
        select(
            func.count(func.distinct(Decision.outbox_id)),
            func.count(func.distinct(Obligation.id)),
            func.count(func.distinct(done)),
        )
        .select_from(Decision)
        .join(Step, col(Step.id) == col(Decision.step_id))
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .where(col(Decision.outcome) == Outcome.SENT, *_between(col(Decision.decided_at), since, until))
    ).one()
    return Reminded(*row)


def _counts() -> ColumnElement[bool]:
    return col(Question.merged_into_id).is_(None)


def _between(when: Any, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return when >= since, when < until


def _stretch(when: Any, edges: Edges) -> ColumnElement[int]:
    """In which of the stretches an instant lies."""
    beyond = [(when < edge, at) for at, edge in enumerate(edges[1:-1])]
    last = len(edges) - 2
    return case(*beyond, else_=last) if beyond else literal(last)


def _asked(edges: Edges, what: Any) -> Select[Any]:
    when = col(Question.created_at)
    to_circular = col(Question.circular_id).is_not(None)
    return (
        select(_stretch(when, edges).label("at"), what.label("what"), to_circular.label("to_circular"))
        .select_from(Question)
        .where(_counts(), *_between(when, edges[0], edges[-1]))
    )


def _received(edges: Edges, what: Any) -> Select[Any]:
    when = col(Update.received_at)
    return (
        select(_stretch(when, edges).label("at"), what.label("what"), literal(False).label("to_circular"))
        .select_from(Update)
        .where(*_between(when, edges[0], edges[-1]))
    )


def _first_bodies() -> Any:
    return (
        select(col(Membership.referent_id), func.min(Organization.name).label("name"))
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .group_by(col(Membership.referent_id))
        .subquery()
    )


def _counted(session: Session, rows: Select[Any], words: type[Channel] | None = None) -> list[Count]:
    """The rows in heaps. The heaps are named in a query around them: PostgreSQL knows no two parameters as equal."""
    each = rows.subquery()
    heap = (each.c["at"], each.c.what, each.c.to_circular)
    found = session.execute(select(*heap, func.count()).group_by(*heap).order_by(*heap))
    return [Count(at, words(what) if words else what, number, bool(to)) for at, what, to, number in found]
