"""Queries of the staff's queue: what lies in which heap, in which order. Changes nothing.

The lines that a heap shows are in `storage/queue_lines.py`; one thread and its changes of state in
`storage/threads.py`. Nothing here may read the whole archive for one page of it: each part of a heap is counted and
read by an index.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func
from sqlmodel import Session, col, select

from storage.mentions import unseen_by
from storage.questions import whereabouts
from storage.queue_lines import QueueLine, lines_of
from storage.searching import MOST_COUNTED, narrow
from storage.tables import Question, QuestionState

AT_WORK = (QuestionState.NEW, QuestionState.TAKEN, QuestionState.PROPOSED)
UNCLOSED = (*AT_WORK, QuestionState.ANSWERED)


class View(StrEnum):
    """The heaps of the queue. APPROVE: volunteers' answers wait for an officer. MENTIONED: a note calls upon me."""

    NEW = "new"
    MINE = "mine"
    APPROVE = "approve"
    MENTIONED = "mentioned"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Part:
    """Of a heap, what is in these states, in this order."""

    states: tuple[QuestionState, ...]
    order: tuple[Any, ...]


# What was answered, and then what is closed, comes last; there neither hurry nor due time counts any more.
_PARTS = (
    Part(AT_WORK, (col(Question.urgent).desc(), col(Question.due_at), col(Question.id))),
    Part((QuestionState.ANSWERED,), (col(Question.id),)),
    Part((QuestionState.CLOSED,), (col(Question.id),)),
)
_STATES = {
    View.NEW: (QuestionState.NEW,),
    View.MINE: UNCLOSED,
    View.APPROVE: (QuestionState.PROPOSED,),
    View.MENTIONED: tuple(QuestionState),
    View.ALL: tuple(QuestionState),
}
_UNMERGED = col(Question.merged_into_id).is_(None)


def _many(*which: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(Question).where(*which).scalar_subquery()


# All there are without those that were merged is far quicker than all that are unmerged: the first is the length of an
# index, the second a walk along it.
_ALL: Any = _many() - _many(col(Question.merged_into_id).is_not(None))

# Every page of the queue asks: built once, in the order of the heaps.
_COUNTS: Any = select(  # type: ignore[call-overload]  # typed for four columns at most
    _many(_UNMERGED, col(Question.state) == QuestionState.NEW),
    _many(col(Question.state).in_(UNCLOSED), col(Question.taken_by) == bindparam("staff_id")),
    _many(_UNMERGED, col(Question.state) == QuestionState.PROPOSED),
    _many(unseen_by(bindparam("staff_id"))),
    _ALL,
)


def queue_counts(session: Session, staff_id: int) -> dict[View, int]:
    """How many questions lie in each heap."""
    return dict(zip(View, session.execute(_COUNTS, {"staff_id": staff_id}).one(), strict=True))


def count_some(
    session: Session, staff_id: int, heaps: Sequence[tuple[View, Sequence[ColumnElement[bool]]]], most: int
) -> Sequence[int]:
    """How many lie in each of these narrowed heaps, `most` at most: for who only wants to know whether to look."""
    if not heaps:
        return ()
    some = [Heap(view, staff_id, narrowed).all_of_it().limit(most).subquery() for view, narrowed in heaps]
    counts: Any = select(*(select(func.count()).select_from(each).scalar_subquery() for each in some))
    return list(session.execute(counts).one())


def queue_page(  # noqa: PLR0913 - which heap, narrowed how, which page of it
    session: Session,
    view: View,
    staff_id: int,
    wanted: str = "",
    *,
    offset: int = 0,
    limit: int = 50,
    narrowed: Sequence[ColumnElement[bool]] = (),
) -> tuple[Sequence[QueueLine], int]:
    """One page of a heap and how many there are in all.

    Work to be done first; of that what is urgent, then what is to be answered first. What is searched for comes the
    newest first, and of more than `MOST_COUNTED` nobody counts how many.
    """
    number = number_of(wanted)
    if number is not None:
        narrowed = (*narrowed, col(Question.id) == whereabouts(number))
    heap = Heap(view, staff_id, narrowed)
    if wanted.strip() and number is None:
        found = narrow(session, heap.all_of_it(), col(Question.id), wanted)
        some = found.limit(MOST_COUNTED + 1).subquery()
        total = session.execute(select(func.count()).select_from(some)).scalar_one()
        return lines_of(session, list(session.execute(found.offset(offset).limit(limit)).scalars())), total
    sizes = heap.sizes(session)
    return lines_of(session, heap.page(session, sizes, offset, limit)), sum(sizes)


def number_of(wanted: str) -> int | None:
    """The question that is asked for by its number (`41`, `n. 41`, `#41`)."""
    number = wanted.strip().lower().removeprefix("n.").removeprefix("#").strip()
    return int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None


@dataclass(frozen=True, slots=True)
class Heap:
    """One heap, of which only what is `narrowed` is wanted. `staff_id`: whose; in a query that is kept, a parameter."""

    view: View
    staff_id: Any
    narrowed: Sequence[ColumnElement[bool]] = ()

    @property
    def parts(self) -> Sequence[Part]:
        return [part for part in _PARTS if not set(part.states).isdisjoint(_STATES[self.view])]

    def all_of_it(self) -> Any:
        """In no order."""
        rows = select(Question.id).where(self._whose(), *self.narrowed)
        states = _STATES[self.view]
        return rows if len(states) == len(QuestionState) else rows.where(col(Question.state).in_(states))

    def sizes(self, session: Session) -> Sequence[int]:
        """How many questions each part has."""
        if self.narrowed:
            return session.execute(select(*(_many(*self.holds(part)) for part in self.parts))).one()
        *early, last = session.execute(_whole(self.view), {"staff_id": self.staff_id}).one()
        return *early, last - sum(early) if self.view is View.ALL else last

    def page(self, session: Session, sizes: Sequence[int], offset: int, limit: int) -> Sequence[int]:
        ids: list[int] = []
        for part, size in zip(self.parts, sizes, strict=True):
            skip, offset = offset, max(0, offset - size)
            if skip < size and len(ids) < limit:
                ids += self._some(session, part, skip, min(limit - len(ids), size - skip), size)
        return ids

    def _some(self, session: Session, part: Part, skip: int, many: int, size: int) -> Sequence[int]:
        """From whichever end is nearer: an archive's last page costs as little as its first."""
        backwards = len(part.order) == 1 and skip > size // 2
        ids = self.in_order(part, backwards) if self.narrowed else _in_order(self.view, part, backwards)
        skip = size - skip - many if backwards else skip
        found = session.execute(ids, {"skip": skip, "many": many, "staff_id": self.staff_id}).scalars().all()
        return found[::-1] if backwards else found

    def in_order(self, part: Part, backwards: bool) -> Any:
        ids = select(Question.id).where(*self.holds(part)).offset(bindparam("skip")).limit(bindparam("many"))
        return ids.order_by(part.order[0].desc()) if backwards else ids.order_by(*part.order)

    def holds(self, part: Part) -> Sequence[ColumnElement[bool]]:
        states = [state for state in _STATES[self.view] if state in part.states]
        return [col(Question.state).in_(states), self._whose(), *self.narrowed]

    def _whose(self) -> ColumnElement[bool]:
        """What was merged is closed: of what somebody has in hand it need not be asked."""
        if self.view is View.MENTIONED:
            return unseen_by(self.staff_id)
        return col(Question.taken_by) == self.staff_id if self.view is View.MINE else _UNMERGED


# Whole heaps are what is looked at most: their queries are built once.


@cache
def _whole(view: View) -> Any:
    """How large each part is; in the heap of all, instead of its last, all of it: that is quicker counted."""
    heap = Heap(view, bindparam("staff_id"))
    sizes = [_many(*heap.holds(part)) for part in heap.parts]
    return select(*sizes[:-1], _ALL if view is View.ALL else sizes[-1])  # type: ignore[call-overload]


@cache
def _in_order(view: View, part: Part, backwards: bool) -> Any:
    return Heap(view, bindparam("staff_id")).in_order(part, backwards)
