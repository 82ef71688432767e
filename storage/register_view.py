"""What the register shows: figures of organisations by month, from the cells, and what is behind each. Only looks.

A cell belongs to the month of its due day. Only what has opened is shown, except in the days to come.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from storage.obligations import Owed, owed
from storage.tables import (
    Deadline,
    GroupMember,
    Obligation,
    Organization,
    RegisterCell,
    Target,
    TargetKind,
)

MONTHS = 12  # that the page shows


class Heap(StrEnum):
    """AWAITED: open, and not late yet. SENT: in, and to be accepted."""

    LATE = "late"
    AWAITED = "awaited"
    SENT = "sent"
    DONE = "done"
    WAIVED = "waived"


Figures = Mapping[Heap, int]
Month = tuple[int, int]  # year, month


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Of which deadlines and organisations, opened by `today`, due in the twelve months up to the end of `month`.

    `programme_id`: of the deadlines whose scope names that programme.
    """

    today: date
    month: Month
    deadline_id: int | None = None
    programme_id: int | None = None
    group_id: int | None = None
    heap: Heap | None = None

    @property
    def months(self) -> Sequence[Month]:
        last = self.month[0] * 12 + self.month[1] - 1
        return [divmod_month(at) for at in range(last - MONTHS + 1, last + 1)]


@dataclass(frozen=True, slots=True)
class BodyLine:
    """`id` 0: the obligations of which no organisation is known; they have no name."""

    id: int
    name: str
    months: Mapping[Month, Figures]
    whole: Figures


@dataclass(frozen=True, slots=True)
class DayLine:
    """What is due on one day by one deadline."""

    on: date
    deadline: Deadline
    figures: Figures


def divmod_month(at: int) -> Month:
    """The month with this number, counted from the year 0."""
    year, month = divmod(at, 12)
    return year, month + 1


def deadline_choices(session: Session) -> Sequence[tuple[int, str]]:
    """Every deadline, active ones first, then by name."""
    columns: Any = (col(Deadline.id), col(Deadline.title))
    rows = session.execute(select(*columns).order_by(col(Deadline.active).desc(), columns[1], columns[0]))
    return [(row[0], row[1]) for row in rows]


def names_of_bodies(session: Session, ids: Collection[int]) -> Mapping[int, str]:
    columns: Any = (col(Organization.id), col(Organization.name))
    rows = session.execute(select(*columns).where(columns[0].in_(ids)))
    return {row[0]: row[1] for row in rows}


def newest_month(session: Session, narrowed: Narrowed) -> Month:
    """The last in which something that has opened is due; this one where there is nothing."""
    newest: date | None = session.execute(
        select(func.max(col(RegisterCell.due_on))).where(col(RegisterCell.opens_on) <= narrowed.today, *_of(narrowed))
    ).scalar_one()
    return (newest or narrowed.today).year, (newest or narrowed.today).month


def bodies(session: Session, narrowed: Narrowed, *, limit: int, offset: int = 0) -> Sequence[BodyLine]:
    """The one with the most late first, or with the most of the heap that is looked for."""
    first = _SUMS[narrowed.heap or Heap.LATE].desc()
    rows = session.execute(
        select(_BODY, col(Organization.name), *_SUMS.values())
        .outerjoin(Organization, col(Organization.id) == _BODY)
        .where(*_shown(narrowed))
        .group_by(_BODY, col(Organization.name))
        .having(_wanted(narrowed))
        .order_by(first, col(Organization.name), _BODY)
        .limit(limit)
        .offset(offset)
    ).all()
    by_month = _by_month(session, narrowed, [row[0] for row in rows])
    return [BodyLine(row[0], row[1] or "", by_month[row[0]], _figures(row[2:])) for row in rows]


def how_many_bodies(session: Session, narrowed: Narrowed) -> int:
    found = select(_BODY).where(*_shown(narrowed)).group_by(_BODY).having(_wanted(narrowed)).subquery()
    return int(session.execute(select(func.count()).select_from(found)).scalar_one())


def totals(session: Session, narrowed: Narrowed) -> Mapping[Month, Figures]:
    """Of all organisations together, by month."""
    rows = session.execute(select(*_MONTH, *_SUMS.values()).where(*_shown(narrowed)).group_by(*_MONTH))
    return {(int(row[0]), int(row[1])): _figures(row[2:]) for row in rows}


def by_period(session: Session, deadline_id: int, today: date, *, limit: int) -> Sequence[tuple[str, date, Figures]]:
    """The periods of one deadline that have opened, the newest first, with the day on which each is due."""
    day = func.min(col(RegisterCell.due_on))
    rows = session.execute(
        select(col(RegisterCell.period), day, *_SUMS.values())
        .where(col(RegisterCell.deadline_id) == deadline_id, col(RegisterCell.opens_on) <= today)
        .group_by(col(RegisterCell.period))
        .order_by(day.desc(), col(RegisterCell.period).desc())
        .limit(limit)
    )
    return [(row[0], row[1], _figures(row[2:])) for row in rows]


def coming(session: Session, narrowed: Narrowed, days: int) -> Sequence[DayLine]:
    """What is due from today on, by day and deadline; also what has not opened yet."""
    on = col(RegisterCell.due_on)
    until = narrowed.today + timedelta(days=days)
    rows = session.execute(
        select(on, Deadline, *_SUMS.values())
        .join(Deadline, col(Deadline.id) == col(RegisterCell.deadline_id))
        .where(on >= narrowed.today, on <= until, col(Deadline.active), *_of(narrowed))
        .group_by(on, *Deadline.__table__.columns)  # type: ignore[attr-defined]  # SQLModel's type hides the table
        .order_by(on, col(Deadline.title), col(Deadline.id))
    )
    return [DayLine(row[0], row[1], _figures(row[2:])) for row in rows]


def behind(
    session: Session, narrowed: Narrowed, body_id: int, month: Month, *, limit: int, offset: int = 0
) -> tuple[list[Owed], int]:
    """The obligations that one organisation's figure of one month counts, and how many they are."""
    counted = (
        select(col(Obligation.id), col(Obligation.due_at))
        .join(
            RegisterCell,
            (col(RegisterCell.deadline_id) == col(Obligation.deadline_id))
            & (col(RegisterCell.period) == col(Obligation.period)),
        )
        .where(
            _BODY.in_([body_id]),
            col(Obligation.body_id) == body_id if body_id else col(Obligation.body_id).is_(None),
            col(RegisterCell.opens_on) <= narrowed.today,
            *_in_months([month]),
            *_of(narrowed),
        )
    )
    total = session.execute(select(func.count()).select_from(counted.subquery())).scalar_one()
    page = counted.order_by(col(Obligation.due_at), col(Obligation.id)).limit(limit).offset(offset)
    ids = [row[0] for row in session.execute(page)]
    return (owed(session, ids) if ids else []), int(total)


def of_scope(narrowed: Narrowed, deadline_id: Any, body_id: Any) -> list[ColumnElement[bool]]:
    """As conditions on a deadline and an organisation of the query around."""
    found: list[ColumnElement[bool]] = []
    if narrowed.deadline_id is not None:
        found.append(deadline_id == narrowed.deadline_id)
    if narrowed.programme_id is not None:
        about = select(col(Target.deadline_id)).where(
            col(Target.kind) == TargetKind.PROGRAMME,
            col(Target.target_id) == narrowed.programme_id,
            col(Target.excluded).is_(False),
        )
        found.append(deadline_id.in_(about))
    if narrowed.group_id is not None:
        members = select(col(GroupMember.organization_id)).where(col(GroupMember.group_id) == narrowed.group_id)
        found.append(body_id.in_(members))
    return found


_BODY: Any = col(RegisterCell.body_id)
_MONTH: Any = (func.extract("year", col(RegisterCell.due_on)), func.extract("month", col(RegisterCell.due_on)))
_COLUMNS: Mapping[Heap, Any] = {
    Heap.LATE: col(RegisterCell.late),
    Heap.AWAITED: col(RegisterCell.open) - col(RegisterCell.late),
    Heap.SENT: col(RegisterCell.sent),
    Heap.DONE: col(RegisterCell.done),
    Heap.WAIVED: col(RegisterCell.waived),
}
_SUMS: Mapping[Heap, Any] = {heap: func.sum(column) for heap, column in _COLUMNS.items()}


def _by_month(session: Session, narrowed: Narrowed, ids: Sequence[int]) -> Mapping[int, Mapping[Month, Figures]]:
    rows = session.execute(
        select(_BODY, *_MONTH, *_SUMS.values()).where(_BODY.in_(ids), *_shown(narrowed)).group_by(_BODY, *_MONTH)
    )
    found: dict[int, dict[Month, Figures]] = defaultdict(dict)
    for row in rows:
        found[row[0]][int(row[1]), int(row[2])] = _figures(row[3:])
    return found


def _shown(narrowed: Narrowed) -> list[ColumnElement[bool]]:
    opened = col(RegisterCell.opens_on) <= narrowed.today
    return [opened, *_in_months(narrowed.months), *_of(narrowed)]


def _of(narrowed: Narrowed) -> list[ColumnElement[bool]]:
    return of_scope(narrowed, col(RegisterCell.deadline_id), _BODY)


def _in_months(months: Sequence[Month]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    year, month = divmod_month(months[-1][0] * 12 + months[-1][1])
    on = col(RegisterCell.due_on)
    return on >= date(*months[0], 1), on < date(year, month, 1)


def _wanted(narrowed: Narrowed) -> ColumnElement[bool]:
    wanted: ColumnElement[bool] = (_SUMS[narrowed.heap] if narrowed.heap else sum(_SUMS.values())) > 0
    return wanted


def _figures(numbers: Sequence[Any]) -> Figures:
    return dict(zip(Heap, map(int, numbers), strict=True))
