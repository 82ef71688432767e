"""Open obligations whose day by the rule is known, and their new days. Decides nothing, never commits."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from storage.acts import in_parts
from storage.tables import Deadline, Obligation, ObligationState


@dataclass(frozen=True, slots=True)
class Planned:
    """An open obligation that is due on a planned day: staff have not given it another."""

    id: int
    nominal_on: date
    due_on: date
    body_id: int | None


def planned(
    session: Session, deadline_id: int, since: date, first: date, last: date, *, body_id: int | None = None
) -> list[Planned]:
    """Those due from `since` on, whose day by the rule is between two days; of one organisation, or of all."""
    query = select(
        col(Obligation.id), col(Obligation.nominal_on), col(Obligation.due_on), col(Obligation.body_id)
    ).where(
        col(Obligation.deadline_id) == deadline_id,
        col(Obligation.state) == ObligationState.OPEN,
        col(Obligation.postponed_from).is_(None),
        col(Obligation.due_on) >= since,
        col(Obligation.nominal_on) >= first,
        col(Obligation.nominal_on) <= last,
    )
    if body_id is not None:
        query = query.where(col(Obligation.body_id) == body_id)
    return [Planned(*row) for row in session.execute(query.order_by(col(Obligation.id)))]


def give_day(session: Session, obligation_ids: Collection[int], due_on: date, due_at: datetime, opens_on: date) -> None:
    """The day by the plan, while they are open."""
    for some in in_parts(obligation_ids):
        session.execute(
            update(Obligation)
            .where(col(Obligation.id).in_(some), col(Obligation.state) == ObligationState.OPEN)
            .values(due_on=due_on, due_at=due_at, opens_on=opens_on, version=col(Obligation.version) + 1)
            .execution_options(synchronize_session=False)
        )


def titles_of_deadlines(session: Session, deadline_ids: Collection[int]) -> dict[int, str]:
    rows = session.execute(select(col(Deadline.id), col(Deadline.title)).where(col(Deadline.id).in_(deadline_ids)))
    return {row.id: row.title for row in rows}
