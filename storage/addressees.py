"""Queries of the people a circular is for: who is still to be told, who was, by what, and who was not and why.

One row per person, written when a circular is confirmed; what became of them is in the outbox. Decides nothing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, and_, func, insert, or_, update
from sqlmodel import Session, col, select

from storage.tables import Addressee, Channel, Membership, Organization, Outbox, OutboxState, Referent, WhyNot

_WAITING = (OutboxState.QUEUED, OutboxState.SENDING, OutboxState.RETRY)
_LOST = (OutboxState.DEAD, OutboxState.WITHHELD, OutboxState.DROPPED, OutboxState.MOVED)
BATCH = 500


class Heap(StrEnum):
    """What became of people. DOUBTFUL: it may have arrived, and nobody knows."""

    ALL = "all"
    REACHED = "reached"
    WAITING = "waiting"
    MISSED = "missed"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class Told:
    """One person: what told them, or why nothing did. `outbox`: the message by the way it went last."""

    addressee: Addressee
    referent: Referent
    outbox: Outbox | None
    organizations: tuple[str, ...] = ()

    @property
    def why_not(self) -> WhyNot | None:
        return WhyNot(self.addressee.why_not) if self.addressee.why_not else None


@dataclass(slots=True)
class Counts:
    """How many people are in each heap; of those reached, by which channel."""

    heaps: dict[Heap, int] = field(default_factory=lambda: dict.fromkeys(Heap, 0))
    channels: dict[Channel, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        return self.heaps[Heap.ALL] - self.heaps[Heap.WAITING]


# --- writing


def add_all(session: Session, circular_id: int, people: Mapping[int, WhyNot | None], now: datetime) -> None:
    """Everybody whom it is for; those with a reason are left out from the beginning."""
    rows = [
        {
            "circular_id": circular_id,
            "referent_id": referent_id,
            "why_not": why or "",
            "decided_at": now if why else None,
        }
        for referent_id, why in people.items()
    ]
    if rows:
        session.execute(insert(Addressee), rows)


def told(session: Session, circular_id: int, referent_id: int, outbox_id: int, now: datetime) -> None:
    _change(session, _one(circular_id, referent_id), outbox_id=outbox_id, decided_at=now)


def leave_out(session: Session, circular_id: int, referent_id: int, why: WhyNot, now: datetime) -> None:
    _change(session, _one(circular_id, referent_id), why_not=why, decided_at=now)


def leave_out_message(session: Session, outbox_id: int, why: WhyNot) -> None:
    """Whoever this message was for is not told by it."""
    _change(session, col(Addressee.outbox_id) == outbox_id, why_not=why)


def went_another_way(session: Session, old_ids: Collection[int], new_id: int) -> None:
    """One of these messages could not be told, and this one goes in its place."""
    _change(session, col(Addressee.outbox_id).in_(old_ids), outbox_id=new_id)


def stop(session: Session, circular_id: int, now: datetime) -> int:
    """Whoever was not told yet is not: how many people. What is leaving at this moment leaves."""
    waits = select(Addressee.outbox_id).where(Addressee.circular_id == circular_id)
    held = session.execute(
        update(Outbox)
        .where(col(Outbox.id).in_(waits), col(Outbox.state).in_((OutboxState.QUEUED, OutboxState.RETRY)))
        .values(state=OutboxState.WITHHELD, lease_until=None)
        .returning(col(Outbox.id))
        .execution_options(synchronize_session=False)
    ).scalars()
    stopped = {"why_not": WhyNot.STOPPED, "decided_at": now}
    messages = _change(session, col(Addressee.outbox_id).in_(list(held)), **stopped)
    undecided = and_(col(Addressee.circular_id) == circular_id, col(Addressee.decided_at).is_(None))
    return messages + _change(session, undecided, **stopped)


# --- asking


def undecided(session: Session, circular_id: int, limit: int) -> Sequence[Referent]:
    """Some of those whom nobody has told yet."""
    return session.exec(
        select(Referent)
        .join(Addressee, col(Addressee.referent_id) == col(Referent.id))
        .where(Addressee.circular_id == circular_id, col(Addressee.decided_at).is_(None))
        .order_by(col(Referent.id))
        .limit(limit)
        .execution_options(populate_existing=True)
    ).all()


def anything_waits(session: Session, circular_id: int) -> bool:
    """Whether somebody may still be told: not decided yet, or their message has not left."""
    return session.execute(_rows(circular_id, Heap.WAITING).limit(1)).first() is not None


def of_message(session: Session, outbox_id: int) -> Addressee | None:
    """Whom this message is for."""
    return session.exec(select(Addressee).where(Addressee.outbox_id == outbox_id)).first()


def hears(session: Session, circular_id: int, referent_id: int) -> bool:
    """Whether this person is among those it is for, and was not left out."""
    one = session.get(Addressee, (circular_id, referent_id), populate_existing=True)
    return one is not None and not one.why_not


def told_by_another_name(session: Session, circular_id: int, ids: Collection[int]) -> set[int]:
    """Of these, who was told as somebody that has become one with them since."""
    found = session.exec(
        select(Referent.merged_into_id)
        .join(Addressee, col(Addressee.referent_id) == col(Referent.id))
        .where(
            Addressee.circular_id == circular_id,
            Addressee.why_not == "",
            col(Addressee.outbox_id).is_not(None),
            col(Referent.merged_into_id).in_(ids),
        )
    )
    return {one for one in found if one is not None}


def counts(session: Session, circular_id: int) -> Counts:
    """One statement, however many people."""
    found = Counts()
    rows = session.execute(
        select(col(Outbox.state), col(Outbox.channel), col(Addressee.decided_at).is_(None), func.count())
        .select_from(Addressee)
        .outerjoin(Outbox, col(Outbox.id) == col(Addressee.outbox_id))
        .where(col(Addressee.circular_id) == circular_id)
        .group_by(col(Outbox.state), col(Outbox.channel), col(Addressee.decided_at).is_(None))
    )
    for state, channel, open_, count in rows:
        heap = _heap_of(state, open_=bool(open_))
        found.heaps[heap] += count
        found.heaps[Heap.ALL] += count
        if heap is Heap.REACHED:
            found.channels[Channel(channel)] = found.channels.get(Channel(channel), 0) + count
    return found


def page(
    session: Session, circular_id: int, heap: Heap, *, limit: int | None = None, offset: int = 0
) -> Sequence[Told]:
    """People by name, of one heap."""
    query = _rows(circular_id, heap).order_by(col(Referent.name), col(Referent.id)).limit(limit).offset(offset)
    rows = session.execute(query.execution_options(populate_existing=True)).all()
    names = organizations_of(session, [referent.id for _, referent, _ in rows])
    return [Told(one, referent, row, names.get(referent.id, ())) for one, referent, row in rows]


def everybody(session: Session, circular_id: int, heap: Heap = Heap.ALL) -> Iterator[Told]:
    """All of a heap, some at a time."""
    offset = 0
    while rows := page(session, circular_id, heap, limit=BATCH, offset=offset):
        yield from rows
        offset += BATCH


def not_reached(session: Session, circular_id: int) -> Sequence[int]:
    """Of whom it is sure that they were not told."""
    return [one.referent.id for one in everybody(session, circular_id, Heap.MISSED)]


def organizations_of(session: Session, ids: Collection[int]) -> Mapping[int, tuple[str, ...]]:
    """The names of the organisations of these people."""
    found: dict[int, tuple[str, ...]] = {}
    for referent_id, name in session.execute(
        select(col(Membership.referent_id), col(Organization.name))
        .join(Organization, col(Organization.id) == col(Membership.organization_id))
        .where(col(Membership.referent_id).in_(ids))
        .order_by(col(Organization.name))
    ):
        found[referent_id] = (*found.get(referent_id, ()), name)
    return found


def _heap_of(state: OutboxState | None, *, open_: bool) -> Heap:
    if open_ or state in _WAITING:
        return Heap.WAITING
    if state is OutboxState.SENT:
        return Heap.REACHED
    return Heap.DOUBTFUL if state is OutboxState.UNCERTAIN else Heap.MISSED


def _rows(circular_id: int, heap: Heap) -> Any:
    state, open_ = col(Outbox.state), col(Addressee.decided_at).is_(None)
    wanted: dict[Heap, ColumnElement[bool]] = {
        Heap.REACHED: state == OutboxState.SENT,
        Heap.WAITING: or_(open_, state.in_(_WAITING)),
        Heap.MISSED: and_(~open_, or_(state.is_(None), state.in_(_LOST))),
        Heap.DOUBTFUL: state == OutboxState.UNCERTAIN,
    }
    query: Any = (
        select(Addressee, Referent, Outbox)
        .join(Referent, col(Referent.id) == col(Addressee.referent_id))
        .outerjoin(Outbox, col(Outbox.id) == col(Addressee.outbox_id))
        .where(col(Addressee.circular_id) == circular_id)
    )
    return query.where(wanted[heap]) if heap in wanted else query


def _one(circular_id: int, referent_id: int) -> ColumnElement[bool]:
    return and_(col(Addressee.circular_id) == circular_id, col(Addressee.referent_id) == referent_id)


def _change(session: Session, which: ColumnElement[bool], **values: Any) -> int:
    changed: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Addressee).where(which).values(**values).execution_options(synchronize_session=False)
    )
    return changed.rowcount
