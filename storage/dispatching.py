"""What the dispatcher asks of the outbox: what is due, claims, results, what a crash left. Refuses to decide.

A claim is an UPDATE of rows that still wait; `attempts` counts claims, and a result is written only on the claim it
belongs to.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, insert, or_, select, text, tuple_, update
from sqlmodel import Session, SQLModel

from storage.outbox import as_kept, outbox
from storage.tables import Channel, OutboxKind, OutboxState

_referent = SQLModel.metadata.tables["referent"]
_address = SQLModel.metadata.tables["address"]
_sent_part = SQLModel.metadata.tables["sent_part"]
_state = outbox.c.state
_WAITING = (OutboxState.QUEUED, OutboxState.RETRY)
# Word for word the condition of ix_outbox_waiting: SQLite uses a partial index only when it finds it in the question.
_INDEXED = text("state IN ('queued', 'retry', 'sending')")

# A kill leaves the same oldest messages in flight again and again: given up after the second, they might never have
# left at all. Each kill still repeats at most what was in flight.
MOST_CLAIMS = 5

_DUE = (
    select(
        outbox,
        _referent.c.language,
        _address.c.unreachable_since.is_not(None).label("thought_unreachable"),
        _address.c.referent_id.label("holder"),
    )
    .outerjoin(_referent, _referent.c.id == outbox.c.referent_id)
    .outerjoin(_address, and_(_address.c.channel == outbox.c.channel, _address.c.value == outbox.c.address))
    .where(
        _INDEXED,
        _state.in_(_WAITING),
        outbox.c.next_at <= bindparam("now"),
        outbox.c.channel.in_(bindparam("channels", expanding=True)),
        tuple_(outbox.c.urgency, outbox.c.id) > tuple_(bindparam("urgency"), bindparam("after")),
    )
    .order_by(outbox.c.urgency, outbox.c.id)
    .limit(bindparam("limit"))
)
_DUE_ELSEWHERE = _DUE.where(outbox.c.address.not_in(bindparam("elsewhere", expanding=True)))
_ANY_DUE = select(outbox.c.id).where(_INDEXED, _state.in_(_WAITING), outbox.c.next_at <= bindparam("now")).limit(1)
_CLAIM = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)), _state.in_(_WAITING))
    .values(state=OutboxState.SENDING, attempts=outbox.c.attempts + 1, lease_until=bindparam("until"))
    .returning(outbox.c.id)
)
_BODY = update(outbox).where(outbox.c.id == bindparam("row")).values(body=bindparam("words"))
# A success that comes after its lease was taken over still counts, unless somebody is already sending it again.
_SENT = (
    update(outbox)
    .where(
        outbox.c.id == bindparam("row"),
        outbox.c.attempts == bindparam("attempt"),
        # not IN: lists cannot be filled in when one statement runs for many rows
        or_(_state == OutboxState.SENDING, _state == OutboxState.RETRY, _state == OutboxState.UNCERTAIN),
    )
    .values(
        state=OutboxState.SENT,
        provider_id=bindparam("provider"),
        sent_at=bindparam("at"),
        lease_until=None,
        error=None,
    )
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A success, as it is written down. `further`: what the provider calls the other parts of it."""

    row: int
    attempt: int
    provider: str | None
    at: datetime
    further: Sequence[str] = ()


def due(
    session: Session,
    channels: Collection[Channel],
    now: datetime,
    after: tuple[int, int],
    limit: int,
    *,
    elsewhere: Collection[str] = (),
) -> Sequence[Row[Any]]:
    """Waiting messages in the order of their urgency, then age, behind `after` (urgency, id), with `language`,
    `thought_unreachable` and whose the address is now (`holder`).

    None to the addresses `elsewhere`: thousands of messages to one chat must not hide everybody else's.
    """
    values = {"now": now, "channels": list(channels), "urgency": after[0], "after": after[1], "limit": limit}
    if not elsewhere:
        return session.connection().execute(_DUE, values).all()
    return session.connection().execute(_DUE_ELSEWHERE, values | {"elsewhere": list(elsewhere)}).all()


def anything_due(session: Session, now: datetime) -> bool:
    return session.connection().execute(_ANY_DUE, {"now": now}).first() is not None


def claim(session: Session, ids: Collection[int], until: datetime) -> set[int]:
    """Marks these as being sent; the ids that are ours."""
    if not ids:
        return set()
    return set(session.connection().execute(_CLAIM, {"ids": list(ids), "until": until}).scalars())


def put_off(session: Session, ids: Collection[int], until: datetime) -> None:
    """Not before `until`. They wait as if they had never been tried: whoever is behind them need not wait too."""
    session.connection().execute(
        update(outbox).where(outbox.c.id.in_(ids), _state.in_(_WAITING)).values(state=OutboxState.QUEUED, next_at=until)
    )


def set_body(session: Session, outbox_id: int, channel: Channel, body: dict[str, Any]) -> None:
    """What was worded at the moment of sending."""
    session.connection().execute(_BODY, {"row": outbox_id, "words": as_kept(session, channel, body)})


def withhold(session: Session, ids: Collection[int]) -> None:
    """Nothing was left to say."""
    if ids:
        session.connection().execute(
            update(outbox)
            .where(outbox.c.id.in_(ids), _state.in_(_WAITING))
            .values(state=OutboxState.WITHHELD, lease_until=None)
        )


def waiting_at(
    session: Session, channel: Channel, address: str, *, besides: Collection[int] = ()
) -> Sequence[Row[Any]]:
    """Whole rows that wait for this address, in their order; and some more, whatever their state."""
    # not by _INDEXED: the address has an index of its own, and ten thousand others may wait
    here = select(outbox).where(outbox.c.address == address, outbox.c.channel == channel)
    return (
        session.connection()
        .execute(here.where(or_(_state.in_(_WAITING), outbox.c.id.in_(besides))).order_by(outbox.c.id))
        .all()
    )


def leave(session: Session, ids: Collection[int], state: OutboxState) -> set[int]:
    """Those of these that nobody is sending are not sent any more, but MOVED or WITHHELD: their ids."""
    if not ids:
        return set()
    these = update(outbox).where(outbox.c.id.in_(ids), _state.in_((*_WAITING, OutboxState.DEAD)))
    left = session.connection().execute(these.values(state=state, lease_until=None).returning(outbox.c.id))
    return set(left.scalars())


def dead_to(session: Session, referent_id: int, kinds: Collection[OutboxKind]) -> Sequence[Row[Any]]:
    """Whole rows of these kinds that could not be delivered to this person, in their order."""
    mine = select(outbox).where(outbox.c.referent_id == referent_id, _state == OutboxState.DEAD)
    return session.connection().execute(mine.where(outbox.c.kind.in_(kinds)).order_by(outbox.c.id)).all()


def revive(session: Session, outbox_id: int, values: dict[str, Any]) -> bool:
    """Puts a dead message in line again with these columns; False when it is dead no more."""
    fresh = {"state": OutboxState.QUEUED, "attempts": 0, "error": None, "lease_until": None}
    dead = update(outbox).where(outbox.c.id == outbox_id, _state == OutboxState.DEAD)
    return session.connection().execute(dead.values(**fresh, **values)).rowcount == 1


def mark_sent(session: Session, sent: Iterable[Sent]) -> None:
    done = list(sent)
    rows = [{"row": one.row, "attempt": one.attempt, "provider": one.provider, "at": one.at} for one in done]
    parts = [{"outbox_id": one.row, "provider_id": part} for one in done for part in one.further]
    if rows:
        session.connection().execute(_SENT, rows)
    if parts:
        session.connection().execute(insert(_sent_part), parts)


def finish(session: Session, outbox_id: int, attempt: int, values: dict[str, Any]) -> bool:
    """Writes what became of a claim; False when the claim is not ours any more."""
    changed = session.connection().execute(
        update(outbox)
        .where(outbox.c.id == outbox_id, outbox.c.attempts == attempt, _state == OutboxState.SENDING)
        .values(lease_until=None, **values)
    )
    return changed.rowcount == 1


def postpone(session: Session, outbox_id: int, values: dict[str, Any]) -> None:
    """Writes what became of a message that could not even be worded."""
    session.connection().execute(
        update(outbox).where(outbox.c.id == outbox_id, _state.in_(_WAITING)).values(lease_until=None, **values)
    )


def left_behind(
    session: Session, now: datetime, ours: Collection[int], *, whatever_lease: bool
) -> tuple[list[int], list[int]]:
    """Takes over what somebody was sending and will not finish; `whatever_lease` when nobody else can be alive.

    Ids to be sent again, and ids that stay uncertain: it happened `MOST_CLAIMS` times, or the mail is a certified one.
    """
    lost: list[Any] = [_INDEXED, _state == OutboxState.SENDING]
    if not whatever_lease:
        lost.append(or_(outbox.c.lease_until < now, outbox.c.lease_until.is_(None)))
    if ours:
        lost.append(outbox.c.id.not_in(ours))
    often = and_(outbox.c.possible_duplicate, outbox.c.attempts >= MOST_CLAIMS)
    connection = session.connection()
    given_up = connection.execute(
        update(outbox)
        .where(*lost, or_(often, outbox.c.channel == Channel.PEC))
        .values(state=OutboxState.UNCERTAIN, lease_until=None, error="interrupted", possible_duplicate=True)
        .returning(outbox.c.id)
    )
    uncertain = sorted(given_up.scalars())
    again = connection.execute(
        update(outbox)
        .where(*lost)
        .values(state=OutboxState.RETRY, lease_until=None, next_at=now, possible_duplicate=True, error="interrupted")
        .returning(outbox.c.id)
    )
    return sorted(again.scalars()), uncertain


def waiting_addresses(session: Session, now: datetime) -> Sequence[Any]:
    """Rows (channel, address, next_at, error): who waits for another try, until when and why."""
    return (
        session.connection()
        .execute(
            select(outbox.c.channel, outbox.c.address, outbox.c.next_at, outbox.c.error).where(
                _INDEXED, _state == OutboxState.RETRY, outbox.c.next_at > now
            )
        )
        .all()
    )


def hasten(session: Session, channel: Channel, reason: str, now: datetime) -> None:
    """The way is open again: who waited for that reason (how the error begins) need not wait any longer."""
    session.connection().execute(
        update(outbox)
        .where(_INDEXED, _state == OutboxState.RETRY, outbox.c.channel == channel, outbox.c.error.startswith(reason))
        .where(outbox.c.next_at > now)
        .values(next_at=now)
    )


def readdress(session: Session, channel: Channel, old: str, new: str) -> None:
    """Messages that wait for `old` go to `new`."""
    session.connection().execute(
        update(outbox)
        .where(_INDEXED, outbox.c.channel == channel, outbox.c.address == old, _state.in_(_WAITING))
        .values(address=new)
    )


def redirect(session: Session, ids: Collection[int], address: str) -> None:
    """Those of these that wait go to this address of the same channel."""
    session.connection().execute(
        update(outbox).where(outbox.c.id.in_(ids), _state.in_(_WAITING)).values(address=address)
    )
