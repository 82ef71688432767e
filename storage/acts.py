"""What staff do to many obligations at once: which they are, what is written, what is put back. Decides nothing.

Each change is by compare-and-set: what is no longer open stays as it is. Never commits.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Executable, exists, func, select, union, update
from sqlmodel import Session, col

from storage.tables import (
    BulkAct,
    Decision,
    Following,
    Membership,
    Obligation,
    ObligationState,
    Outcome,
    Reason,
    Rung,
    Snooze,
    Step,
    Waiver,
)

AT_ONCE = 5_000  # numbers in one statement: SQLite takes 32,766, PostgreSQL 65,535


def in_parts(obligation_ids: Collection[int]) -> Iterator[list[int]]:
    """As many at once as every database takes."""
    ids = sorted(obligation_ids)
    for at in range(0, len(ids), AT_ONCE):
        yield ids[at : at + AT_ONCE]


def held(session: Session, deadline_id: int, obligation_ids: Collection[int]) -> list[Obligation]:
    """Those of these that this deadline has, as they are now; held until the transaction ends."""
    found: list[Obligation] = []
    for some in in_parts(obligation_ids):
        these = (
            select(Obligation)
            .where(col(Obligation.deadline_id) == deadline_id, col(Obligation.id).in_(some))
            .order_by(col(Obligation.id))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        found += session.execute(these).scalars()
    return found


def postpone(session: Session, obligation_ids: Collection[int], values: Mapping[str, Any]) -> None:
    """Writes the new day of these, which are held, and the day they had before when it was the first change."""
    first = func.coalesce(col(Obligation.postponed_from), col(Obligation.due_on))
    _change(session, obligation_ids, (_open(),), postponed_from=first, **values)


def waive(session: Session, obligation_ids: Collection[int], why: Waiver, reason: str) -> None:
    """Lets these off, which are held."""
    values = {"state": ObligationState.WAIVED, "waived": why, "waived_reason": reason}
    _change(session, obligation_ids, (_open(),), **values)


def awaited(session: Session, deadline_id: int, period: str) -> int:
    """How many updates of a period are still awaited."""
    return len(session.execute(select(col(Obligation.id)).where(*_of_period(deadline_id, period), _open())).all())


def close_period(session: Session, deadline_id: int, period: str, reason: str) -> int:
    """Waives all that a period still awaits; how many."""
    values = {"state": ObligationState.WAIVED, "waived": Waiver.CLOSED, "waived_reason": reason}
    close = update(Obligation).where(*_of_period(deadline_id, period), _open()).values(**values, **_newer())
    return _changed(session, close)


def closed_in(session: Session, deadline_id: int, period: str) -> Sequence[int]:
    """What closing a period has waived."""
    closed = (col(Obligation.state) == ObligationState.WAIVED, col(Obligation.waived) == Waiver.CLOSED)
    return session.execute(select(col(Obligation.id)).where(*_of_period(deadline_id, period), *closed)).scalars().all()


def owe_again(session: Session, obligation_ids: Collection[int]) -> None:
    """Takes a waiver of these back."""
    values = {"state": ObligationState.OPEN, "waived": None, "waived_reason": None}
    _change(session, obligation_ids, (col(Obligation.state) == ObligationState.WAIVED,), **values)


def put_back(session: Session, obligation_ids: Collection[int], values: Mapping[str, Any]) -> None:
    """Gives these, which are held and open, the day that they had before."""
    _change(session, obligation_ids, (_open(),), **values)


# --- their steps


def rungs_to_come(session: Session, obligation_ids: Collection[int]) -> Sequence[Rung]:
    """Of which rungs a step is still to be decided for some of these."""
    found: dict[int, Rung] = {}
    for some in in_parts(obligation_ids):
        waits = exists().where(
            col(Step.rung_id) == col(Rung.id), col(Step.obligation_id).in_(some), col(Step.settled).is_(False)
        )
        found |= {one.id: one for one in session.execute(select(Rung).where(waits)).scalars()}
    return list(found.values())


def move_steps(session: Session, obligation_ids: Collection[int], rung_id: int, instant: datetime) -> None:
    """The steps of one rung that are still to be decided fall due then. What was decided stays."""
    for some in in_parts(obligation_ids):
        session.execute(
            update(Step)
            .where(col(Step.obligation_id).in_(some), col(Step.rung_id) == rung_id, col(Step.settled).is_(False))
            .values(due_at=instant)
            .execution_options(synchronize_session=False)
        )


def silent_until(session: Session, obligation_ids: Collection[int], instant: datetime) -> list[int]:
    """Those of which no step is left that falls due before this instant."""
    silent: list[int] = []
    for some in in_parts(obligation_ids):
        step = exists().where(
            col(Step.obligation_id) == col(Obligation.id), col(Step.settled).is_(False), col(Step.due_at) < instant
        )
        silent += session.execute(select(col(Obligation.id)).where(col(Obligation.id).in_(some), ~step)).scalars()
    return silent


def whom_they_concern(session: Session, obligation_ids: Collection[int]) -> dict[int, list[int]]:
    """referent → obligations: the followers of the projects, and the members of the organisations."""
    followers: Any = select(col(Following.referent_id), col(Obligation.id)).join(
        Obligation, col(Obligation.project_id) == col(Following.project_id)
    )
    members: Any = select(col(Membership.referent_id), col(Obligation.id)).join(
        Obligation, col(Obligation.organization_id) == col(Membership.organization_id)
    )
    found: dict[int, list[int]] = {}
    for some in in_parts(obligation_ids):
        these = col(Obligation.id).in_(some)
        for referent_id, obligation_id in session.execute(union(followers.where(these), members.where(these))):
            found.setdefault(referent_id, []).append(obligation_id)
    return found


def withheld_as_waived(session: Session, obligation_ids: Collection[int]) -> dict[int, list[int]]:
    """referent → obligations that they were not told of because these were waived."""
    found: dict[int, list[int]] = {}
    withheld = (Outcome.WITHHELD, Reason.WAIVED)
    for some in in_parts(obligation_ids):
        by_step: Any = (
            select(col(Decision.referent_id), col(Step.obligation_id))
            .join(Step, col(Step.id) == col(Decision.step_id))
            .where(
                col(Step.obligation_id).in_(some),
                col(Decision.referent_id).is_not(None),
                col(Decision.outcome) == withheld[0],
                col(Decision.reason) == withheld[1],
            )
        )
        again: Any = select(col(Snooze.referent_id), col(Snooze.obligation_id)).where(
            col(Snooze.obligation_id).in_(some),
            col(Snooze.outcome) == withheld[0],
            col(Snooze.reason) == withheld[1],
        )
        for referent_id, obligation_id in session.execute(union(by_step, again)):
            found.setdefault(referent_id, []).append(obligation_id)
    return found


# --- the acts themselves


def acts_since(session: Session, deadline_id: int, actions: Collection[str], since: datetime) -> list[BulkAct]:
    """What was done to obligations of this deadline from this instant on and not undone, the newest first."""
    acts = (
        select(BulkAct)
        .where(col(BulkAct.action).in_(actions), col(BulkAct.created_at) >= since, col(BulkAct.undone_at).is_(None))
        .order_by(col(BulkAct.id).desc())
    )
    return [one for one in session.execute(acts).scalars() if one.before["deadline"] == deadline_id]


def _open() -> Any:
    return col(Obligation.state) == ObligationState.OPEN


def _of_period(deadline_id: int, period: str) -> tuple[Any, ...]:
    return col(Obligation.deadline_id) == deadline_id, col(Obligation.period) == period


def _newer() -> dict[str, Any]:
    return {"version": col(Obligation.version) + 1}


def _change(session: Session, obligation_ids: Collection[int], still: Sequence[Any], **values: Any) -> None:
    for some in in_parts(obligation_ids):
        session.execute(
            update(Obligation)
            .where(col(Obligation.id).in_(some), *still)
            .values(**values, **_newer())
            .execution_options(synchronize_session=False)
        )


def _changed(session: Session, statement: Executable) -> int:
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]  # an UPDATE gives a CursorResult
        statement.execution_options(synchronize_session=False)
    )
    return result.rowcount
