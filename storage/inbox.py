"""Queries on what arrived: keep it, find each lane's oldest waiting row, mark what became of it. Decides nothing.

A lane is a chat or a sender. Its rows are handled in the order of their ids, one at a time, whatever happens
in other lanes and however many processes look.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

from sqlalchemy import CursorResult, Insert, bindparam, case, exists, func, literal_column, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import defer
from sqlmodel import Session, SQLModel, col, select

from storage.tables import Inbox, InboxState
from storage.types import InClear, keyed_hash, keys_of

REPEATS = timedelta(hours=48)  # twice as long as Telegram does
PLAIN_HASH = 64  # letters; a keyed one has 43
MAIL_KINDS = frozenset(("mail", "pec"))

INBOX = SQLModel.metadata.tables["inbox"]
READING = SQLModel.metadata.tables["reading"]

# The words stand in the statement: with a bound value neither database may use the partial index.
_WAITING = "state IN ('new', 'retry')"
_ASIDE: Any = text("state IN ('dead', 'dropped')")

_DUE = "(next_at IS NULL OR next_at <= :now)"

# Jumps from lane to lane along the index (lane, id): its cost is that of the lanes looked at, however many rows
# wait behind their first. A lane whose oldest row waits for its next try is passed over.
_LANES = f"""
WITH RECURSIVE lanes(lane) AS (
    SELECT min(lane) FROM inbox WHERE {_WAITING} AND lane > :after
    UNION ALL
    SELECT (SELECT min(inbox.lane) FROM inbox WHERE {_WAITING} AND inbox.lane > lanes.lane)
    FROM lanes WHERE lanes.lane IS NOT NULL
)
"""  # noqa: S608 - here and below only our own words are put in

_OLDEST_SQLITE = f"""
{_LANES}
SELECT inbox.* FROM lanes CROSS JOIN inbox
    ON inbox.id = (SELECT min(oldest.id) FROM inbox AS oldest WHERE {_WAITING} AND oldest.lane = lanes.lane)
WHERE {_DUE} LIMIT :most
"""  # noqa: S608

# LATERAL, or the planner hashes all that waits and takes the lock of every lane for a few rows. Other processes
# leave a lane alone while its lock is held, which is until our transaction ends. Locking the row as well looks at
# its newest state: somebody may have finished it between our snapshot and our lock. (`|| ''` keeps the planner from
# reading all that waits by the partial index here: the ids are known.)
_OLDEST_POSTGRES = f"""
{_LANES}, first AS MATERIALIZED (
    SELECT oldest.id FROM lanes CROSS JOIN LATERAL (
        SELECT id, lane, next_at FROM inbox WHERE {_WAITING} AND inbox.lane = lanes.lane ORDER BY id LIMIT 1
    ) AS oldest
    WHERE {_DUE} AND pg_try_advisory_xact_lock(7247266, hashtext(oldest.lane)) LIMIT :most
)
SELECT inbox.* FROM first JOIN inbox ON inbox.id = first.id
WHERE inbox.state || '' IN ('new', 'retry') AND {_DUE} ORDER BY inbox.lane FOR UPDATE OF inbox SKIP LOCKED
"""  # noqa: S608

_LOOK = f"""
{_LANES}
SELECT 1 FROM lanes WHERE (
    SELECT {_DUE} FROM inbox WHERE {_WAITING} AND inbox.lane = lanes.lane ORDER BY id LIMIT 1
) LIMIT 1
"""  # noqa: S608


def _statement(sql: str) -> Any:
    bound = text(sql).bindparams(bindparam("now", type_=INBOX.c.next_at.type))
    # We change rows by statements; a row that this session knows already must be read anew.
    return select(Inbox).from_statement(bound.columns(*INBOX.columns)).execution_options(populate_existing=True)


_OLDEST = {"sqlite": _statement(_OLDEST_SQLITE), "postgresql": _statement(_OLDEST_POSTGRES)}
_ANY_DUE = text(_LOOK).bindparams(bindparam("now", type_=INBOX.c.next_at.type))
_INSERTS: Mapping[str, Insert] = {
    "sqlite": sqlite.insert(INBOX).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(INBOX).on_conflict_do_nothing(),
}
_RECOGNISE = update(INBOX).where(INBOX.c.id == bindparam("row")).values(payload_hash=bindparam("hash"))
_DONE = update(INBOX).where(INBOX.c.id.in_(bindparam("ids", expanding=True)))


def _as_kept(session: Session, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Mail stays in clear where the office wishes it so."""
    keys = keys_of(session.get_bind().dialect)
    if keys is None or keys.seals_mail or values["kind"] not in MAIL_KINDS:
        return values
    return {**values, "payload": InClear(values["payload"])}


def _insert(session: Session) -> Insert:
    return _INSERTS[session.get_bind().dialect.name]


def add_arrival(session: Session, values: Mapping[str, Any]) -> int | None:
    """The id of the new row; None when the same content is here already."""
    added: int | None = session.execute(_insert(session).returning(INBOX.c.id), _as_kept(session, values)).scalar()
    return added


def add_arrivals(session: Session, values: Sequence[Mapping[str, Any]]) -> int:
    """Keeps all in their order and says how many were new."""
    # Counted by what comes back: on PostgreSQL a row count of many is not known.
    kept = [_as_kept(session, one) for one in values]
    return len(session.execute(_insert(session).returning(INBOX.c.id), kept).all())


def recognise_anew(session: Session, now: datetime) -> int:
    """What arrived lately without our keys is recognised with them from now on, and how much that was.

    A provider repeats what it did not see confirmed: Telegram for 24 hours. Newest first, until a row that has it.
    """
    keys = keys_of(session.get_bind().dialect)
    if keys is None:
        return 0
    # Not "received_at >" in the statement: that would look at everything that ever came, behind whole mails.
    newest_first = select(col(Inbox.id), col(Inbox.payload_hash), col(Inbox.received_at)).order_by(col(Inbox.id).desc())
    known: list[dict[str, Any]] = []
    with session.execute(newest_first, execution_options={"yield_per": 50}) as found:
        for id_, digits, at in takewhile(lambda row: len(row[1]) == PLAIN_HASH, found):
            if at > now - REPEATS:
                known.append({"row": id_, "hash": keyed_hash(keys, bytes.fromhex(digits))})
    if known:
        session.connection().execute(_RECOGNISE, known)
    return len(known)


def oldest_of_each_lane(session: Session, now: datetime, *, after: str, most: int) -> Sequence[Inbox]:
    """The oldest waiting row of up to `most` lanes that come after the lane `after`, when it is due.

    On PostgreSQL their lanes are ours until the transaction ends; lanes that another process holds are left out.
    """
    statement = _OLDEST[session.get_bind().dialect.name]
    return session.execute(statement, {"now": now, "after": after, "most": most}).scalars().all()


def any_due(session: Session, now: datetime) -> bool:
    """Whether the worker would find something. A cheap look."""
    return bool(session.execute(_ANY_DUE, {"now": now, "after": ""}).scalar())


def mark_done(session: Session, inbox_ids: Sequence[int], now: datetime) -> None:
    values = {"state": InboxState.DONE, "done_at": now, "next_at": None, "error": None}
    session.execute(_DONE.values(values), {"ids": list(inbox_ids)})


def mark_failed(session: Session, row: Inbox, error: str, next_at: datetime | None) -> None:
    """One try more has failed. Without a next try the row is a dead letter."""
    state = InboxState.RETRY if next_at else InboxState.DEAD
    values = {"state": state, "attempts": row.attempts + 1, "error": error, "next_at": next_at}
    session.execute(update(INBOX).where(INBOX.c.id == row.id).values(values))


def put_off(session: Session, kind: str, provider_id: str, until: datetime) -> None:
    """A timer that waits: not before `until`."""
    waiting = (INBOX.c.kind == kind) & (INBOX.c.provider_id == provider_id) & (INBOX.c.state == InboxState.NEW)
    session.execute(update(INBOX).where(waiting).values(next_at=until))


def inbox_row(session: Session, inbox_id: int) -> Inbox | None:
    return session.get(Inbox, inbox_id)


def newest_arrival(session: Session, kind: str, account: str) -> datetime | None:
    """When the newest row of this kind and account came in."""
    ours = select(Inbox.received_at).where(Inbox.kind == kind, Inbox.account == account)
    return session.exec(ours.order_by(col(Inbox.id).desc()).limit(1)).first()


def dead_letters(session: Session, *, most: int = 200) -> Sequence[Inbox]:
    """What could not be processed, newest first; what came stays where it is until somebody asks for one of them."""
    dead = select(Inbox).where(_ASIDE, Inbox.state == InboxState.DEAD).options(defer(Inbox.payload))  # type: ignore[arg-type]
    return session.exec(dead.order_by(col(Inbox.id).desc()).limit(most)).all()


def arrivals(session: Session) -> dict[InboxState, int]:
    """How many things that came in are in each state. By indexes alone: SQLite has the state behind the whole mail."""
    found = dict.fromkeys(InboxState, 0)
    for these in (_ASIDE, text(_WAITING), text("state = 'unread'")):
        for state, number in session.execute(
            select(col(Inbox.state), func.count()).where(these).group_by(col(Inbox.state))
        ):
            found[state] = number
    total = session.exec(select(func.count()).select_from(Inbox)).one()
    found[InboxState.DONE] = total - sum(found.values())
    return found


def revive(session: Session, inbox_id: int) -> bool:
    """A dead letter waits again, with all its tries; False when it was not one.

    A mail waits to be taken apart, unless that was done and is still there.
    """
    unread = INBOX.c.kind.in_(MAIL_KINDS) & ~exists().where(READING.c.inbox_id == INBOX.c.id)
    state = case((unread, literal_column(f"'{InboxState.UNREAD}'")), else_=literal_column(f"'{InboxState.NEW}'"))
    return _leave_dead(session, inbox_id, {"state": state, "attempts": 0, "next_at": None})


def drop(session: Session, inbox_id: int, now: datetime) -> bool:
    """A dead letter that nobody needs: kept as it came, never tried again. False when it was not one."""
    return _leave_dead(session, inbox_id, {"state": InboxState.DROPPED, "done_at": now})


def _leave_dead(session: Session, inbox_id: int, values: Mapping[str, Any]) -> bool:
    dead = (INBOX.c.id == inbox_id) & (INBOX.c.state == InboxState.DEAD)
    result: CursorResult[Any] = session.execute(update(INBOX).where(dead).values(values))  # type: ignore[assignment]
    return result.rowcount == 1
