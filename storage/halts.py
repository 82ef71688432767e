"""What staff have stopped, and of whom that is true. Decides nothing, never commits.

Few stops hold at a time; so they are read whole, and only what is decided just now is asked about.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, Table, exists, func, or_, select, union, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col

from storage.obligations import concerns
from storage.tables import (
    Deadline,
    Decision,
    Following,
    Halt,
    HaltKind,
    Membership,
    Obligation,
    ObligationState,
    Organization,
    Outcome,
    Reason,
    Referent,
    Snooze,
    Staff,
    Step,
)

_halt: Table = SQLModel.metadata.tables["halt"]
_HOLDS = col(Halt.ended_at).is_(None)
_ONCE: Any = {"index_elements": ["kind", "target_id"], "index_where": _halt.c.ended_at.is_(None)}
_mine: Any = aliased(Halt)
_INSERT = {
    "sqlite": sqlite.insert(_halt).on_conflict_do_nothing(**_ONCE).returning(_halt.c.id),
    "postgresql": postgresql.insert(_halt).on_conflict_do_nothing(**_ONCE).returning(_halt.c.id),
}


@dataclass(frozen=True, slots=True)
class Stopped:
    """One stop with the names it is shown by. `name`: of what is stopped, "" for everything."""

    halt: Halt
    name: str
    began_by: str
    ended_by: str


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a stop goes: open obligations whose window has begun, and the people they concern."""

    obligations: int
    people: int


# --- stopping, and going on


def begin(session: Session, kind: HaltKind, target_id: int, reason: str, by: int | None, now: datetime) -> bool:
    """False when the same was stopped already."""
    row = {"kind": kind, "target_id": target_id, "reason": reason, "began_at": now, "began_by": by}
    connection = session.connection()
    return connection.execute(_INSERT[connection.dialect.name], row).scalar_one_or_none() is not None


def end(session: Session, halt_id: int, by: int | None, now: datetime) -> bool:
    """False when it was over already. Whoever decides about reminders at this moment is waited for."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        update(Halt).where(col(Halt.id) == halt_id, _HOLDS).values(ended_at=now, ended_by=by)
    )
    return done.rowcount == 1


def move(session: Session, gone_id: int, stays_id: int, now: datetime) -> int:
    """Stops of one person become another's, who are the same; how many. Of two that hold, theirs is over."""
    theirs = (col(Halt.kind) == HaltKind.REFERENT, col(Halt.target_id) == gone_id)
    mine = select(_mine.id).where(
        _mine.kind == HaltKind.REFERENT, _mine.target_id == stays_id, _mine.ended_at.is_(None)
    )
    session.execute(update(Halt).where(*theirs, _HOLDS, mine.exists()).values(ended_at=now))
    moved: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # as above
        update(Halt).where(*theirs).values(target_id=stays_id)
    )
    return moved.rowcount


def target_name(session: Session, kind: HaltKind, target_id: int) -> str | None:
    """What is to be stopped, by its name; None when there is no such thing."""
    if kind is HaltKind.ALL:
        return "" if target_id == 0 else None
    column, thing = _NAMED[kind]
    name: str | None = session.execute(select(column).where(thing == target_id)).scalar_one_or_none()
    return name


_NAMED: Mapping[HaltKind, tuple[Any, Any]] = {
    HaltKind.DEADLINE: (col(Deadline.title), col(Deadline.id)),
    HaltKind.ORGANIZATION: (col(Organization.name), col(Organization.id)),
    HaltKind.REFERENT: (col(Referent.name), col(Referent.id)),
}


# --- asking


def holding(session: Session) -> list[Stopped]:
    """What is stopped now; everything first, then what was stopped last."""
    query = _stopped().where(_HOLDS).order_by(col(Halt.target_id) != 0, col(Halt.began_at).desc(), col(Halt.id).desc())
    return _named(session, query)


def over(session: Session, limit: int = 50) -> list[Stopped]:
    """What was stopped before, the last first."""
    return _named(
        session, _stopped().where(~_HOLDS).order_by(col(Halt.ended_at).desc(), col(Halt.id).desc()).limit(limit)
    )


def one_stop(session: Session, halt_id: int) -> Stopped | None:
    return next(iter(_named(session, _stopped().where(col(Halt.id) == halt_id))), None)


def holding_on(
    session: Session, *, deadline_id: int = 0, organization_id: int = 0, referent_id: int = 0
) -> list[Stopped]:
    """The stops that hold for these, and the one of everything."""
    about = {
        (HaltKind.ALL, 0),
        (HaltKind.DEADLINE, deadline_id),
        (HaltKind.ORGANIZATION, organization_id),
        (HaltKind.REFERENT, referent_id),
    }
    return [one for one in holding(session) if (one.halt.kind, one.halt.target_id) in about]


def all_stopped(session: Session) -> bool:
    return bool(session.execute(select(everything_stopped())).scalar_one())


def everything_stopped() -> ColumnElement[bool]:
    return exists().where(col(Halt.kind) == HaltKind.ALL, _HOLDS)


def halted(session: Session, about: Mapping[int, Collection[int]], *, hold: bool = False) -> dict[int, set[int]]:
    """Person → those of their obligations of which staff let nobody be told now.

    `hold`, of whoever withholds by it: on PostgreSQL no stop ends before the transaction does, so that who resumes
    finds what was withheld.
    """
    stops = _read(session, hold=hold)
    if not stops:
        return {referent_id: set() for referent_id in about}
    everybody = {id_ for ids in about.values() for id_ in ids}
    stopped = _among(session, everybody, stops)
    people = stops.get(HaltKind.REFERENT, frozenset())
    return {
        referent_id: set(ids) if referent_id in people else stopped.intersection(ids)
        for referent_id, ids in about.items()
    }


def _read(session: Session, *, hold: bool) -> Mapping[HaltKind, frozenset[int]]:
    query = select(col(Halt.kind), col(Halt.target_id)).where(_HOLDS)
    rows = session.execute(query.with_for_update(read=True) if hold else query).all()
    kinds = {kind for kind, _ in rows}
    return {kind: frozenset(target for one, target in rows if one is kind) for kind in kinds}


def _among(session: Session, ids: Collection[int], stops: Mapping[HaltKind, frozenset[int]]) -> set[int]:
    if HaltKind.ALL in stops:
        return set(ids)
    deadlines = stops.get(HaltKind.DEADLINE, frozenset())
    bodies = stops.get(HaltKind.ORGANIZATION, frozenset())
    if not deadlines and not bodies:
        return set()
    stopped = or_(col(Obligation.deadline_id).in_(deadlines), col(Obligation.body_id).in_(bodies))
    return set(session.execute(select(col(Obligation.id)).where(col(Obligation.id).in_(ids), stopped)).scalars())


def reach(session: Session, kind: HaltKind, target_id: int, today: date) -> Reached:
    """What a stop keeps back, as things stand."""
    awaited = (col(Obligation.state) == ObligationState.OPEN, _active(), col(Obligation.opens_on) <= today)
    follower, member = col(Following.referent_id), col(Membership.referent_id)
    of_projects: Any = (
        select(col(Obligation.id).label("obligation_id"), follower.label("referent_id"))
        .outerjoin(Following, col(Following.project_id) == col(Obligation.project_id))
        .where(col(Obligation.project_id).is_not(None), *awaited, *_of(kind, target_id, follower))
    )
    of_organizations: Any = (
        select(col(Obligation.id), member)
        .outerjoin(Membership, col(Membership.organization_id) == col(Obligation.organization_id))
        .where(col(Obligation.organization_id).is_not(None), *awaited, *_of(kind, target_id, member))
    )
    pairs = union_all(of_projects, of_organizations).subquery()
    counts = func.count(pairs.c.obligation_id.distinct()), func.count(pairs.c.referent_id.distinct())
    return Reached(*session.execute(select(*counts)).one())


def withheld_by(session: Session, kind: HaltKind, target_id: int) -> list[tuple[int, int]]:
    """(person, obligation) pairs of which a stop of this reach kept something back, still open and theirs.

    Not those told of it since, nor those that wait to be told again already.
    """
    kept = union(_kept_steps(kind, target_id), _kept_snoozes(kind, target_id)).subquery()
    rows = session.execute(
        select(kept.c.referent_id, kept.c.obligation_id)
        .join(Obligation, col(Obligation.id) == kept.c.obligation_id)
        .where(
            col(Obligation.state) == ObligationState.OPEN,
            _active(),
            concerns(kept.c.referent_id),
            ~_told_since(kept.c.referent_id, kept.c.obligation_id, kept.c.decided_at),
        )
        .distinct()
        .order_by(kept.c.referent_id, kept.c.obligation_id)
    )
    return [(row[0], row[1]) for row in rows]


def _kept_steps(kind: HaltKind, target_id: int) -> Any:
    return (
        select(
            col(Decision.referent_id).label("referent_id"),
            col(Obligation.id).label("obligation_id"),
            col(Decision.decided_at).label("decided_at"),
        )
        .select_from(Decision)
        .join(Step, col(Step.id) == col(Decision.step_id))
        .join(Obligation, col(Obligation.id) == col(Step.obligation_id))
        .where(
            col(Decision.reason) == Reason.HALTED,
            col(Decision.referent_id).is_not(None),
            *_of(kind, target_id, col(Decision.referent_id)),
        )
    )


def _kept_snoozes(kind: HaltKind, target_id: int) -> Any:
    return (
        select(col(Snooze.referent_id), col(Obligation.id), col(Snooze.decided_at))
        .select_from(Snooze)
        .join(Obligation, col(Obligation.id) == col(Snooze.obligation_id))
        .where(col(Snooze.reason) == Reason.HALTED, *_of(kind, target_id, col(Snooze.referent_id)))
    )


def _of(kind: HaltKind, target_id: int, referent_id: Any) -> tuple[ColumnElement[bool], ...]:
    """Whether a stop reaches an obligation (of the query around) and this person, or whoever they stand in for."""
    if kind is HaltKind.DEADLINE:
        return (col(Obligation.deadline_id) == target_id,)
    if kind is HaltKind.ORGANIZATION:
        return (col(Obligation.body_id) == target_id,)
    if kind is HaltKind.REFERENT:
        other = aliased(Referent)
        stood_in_for = exists().where(col(other.id) == referent_id, col(other.substitute_id) == target_id)
        return (or_(referent_id == target_id, stood_in_for),)
    return ()


def _told_since(referent_id: Any, obligation_id: Any, instant: Any) -> ColumnElement[bool]:
    """Told, or told again, or about to be."""
    step, decision, snooze = aliased(Step), aliased(Decision), aliased(Snooze)
    by_step = exists(
        select(col(decision.id))
        .join(step, col(step.id) == col(decision.step_id))
        .where(
            col(step.obligation_id) == obligation_id,
            col(decision.referent_id) == referent_id,
            col(decision.outcome) == Outcome.SENT,
            col(decision.decided_at) > instant,
        )
    )
    again = exists().where(
        col(snooze.obligation_id) == obligation_id,
        col(snooze.referent_id) == referent_id,
        or_(
            col(snooze.decided_at).is_(None),
            (col(snooze.outcome) == Outcome.SENT) & (col(snooze.decided_at) > instant),
        ),
    )
    return or_(by_step, again)


def _active() -> ColumnElement[bool]:
    return exists().where(col(Deadline.id) == col(Obligation.deadline_id), col(Deadline.active))


_BEGAN, _ENDED = aliased(Staff), aliased(Staff)


def _stopped() -> Select[Halt, str, str]:
    return (
        select(Halt, col(_BEGAN.name), col(_ENDED.name))
        .outerjoin(_BEGAN, col(_BEGAN.id) == col(Halt.began_by))
        .outerjoin(_ENDED, col(_ENDED.id) == col(Halt.ended_by))
    )


def _named(session: Session, query: Select[Halt, str, str]) -> list[Stopped]:
    return [
        Stopped(halt, target_name(session, halt.kind, halt.target_id) or "", began or "", ended or "")
        for halt, began, ended in session.execute(query)
    ]
