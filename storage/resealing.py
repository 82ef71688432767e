"""Brings rows into the state that keys and settings ask for: sealed with the key in use, or in clear. Few at a time.

Each call is one transaction of the caller, and the last one may be lost: what is not yet as it should be, the database
knows. Rows that somebody else is changing are passed over; rows that do not open stay as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    String,
    Table,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, SQLModel

from storage import indexing
from storage.database import Database
from storage.inbox import MAIL_KINDS, PLAIN_HASH
from storage.mail_threads import BY_MAIL
from storage.sealing import CLEAR, MARK, CannotOpen, Keyring
from storage.types import SEALED, InClear, SealedBytes, SealedJson, SealedText, keyed_hash, keys_of

ROWS = 100  # in one transaction: about 20 ms
BYTES = 8 * 1024 * 1024  # in one transaction, as far as more than one row is
_EMPTY = ("", "{}", "[]", "null")

_tables = SQLModel.metadata.tables
_inbox, _outbox, _attachment = _tables["inbox"], _tables["outbox"], _tables["attachment"]
_MAIL: dict[str, ColumnElement[bool]] = {
    "inbox": _inbox.c.kind.in_(MAIL_KINDS),
    "outbox": _outbox.c.channel.in_(BY_MAIL),
}


@dataclass(frozen=True)
class Shelf:
    """A table that keeps something sealed, and the columns that do."""

    table: Table
    columns: tuple[Column[Any], ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was done: rows kept anew, rows that did not open, and the last of them (None: there were none)."""

    done: int
    closed: int
    last: int | None


def _sealed_columns(table: Table) -> tuple[Column[Any], ...]:
    return tuple(column for column in table.columns if isinstance(column.type, SealedText | SealedBytes | SealedJson))


SHELVES = [Shelf(table, _sealed_columns(table)) for table in _tables.values() if _sealed_columns(table)]


def amiss(session: Session, shelf: Shelf) -> int:
    """How many rows are not yet as they should be."""
    rows = select(func.count()).select_from(shelf.table).where(_amiss(shelf, _keys(session)))
    return int(session.execute(rows).scalar_one())


def reseal_some(session: Session, shelf: Shelf, after: int) -> Batch:
    """Keeps up to `ROWS` rows behind the id `after` anew."""
    keys, id_ = _keys(session), shelf.table.c.id
    ids = _some(session, shelf, after, keys)
    raw = [type_coerce(column, column.type.impl).label(column.name) for column in shelf.columns]  # type: ignore[attr-defined]
    in_clear = _stays_in_clear(shelf, keys).label("in_clear")
    found = session.execute(
        select(id_, *raw, in_clear)
        .where(id_.in_(ids), _amiss(shelf, keys))
        .order_by(id_)
        .with_for_update(skip_locked=True)
    ).all()
    opened = [_opened(shelf, row, keys) for row in found]
    anew = [values for values in opened if values is not None]
    if anew:
        session.connection().execute(_anew(shelf), anew)
    return Batch(len(anew), len(found) - len(anew), ids[-1] if ids else None)


def _some(session: Session, shelf: Shelf, after: int, keys: Keyring) -> list[int]:
    """The next rows that are amiss, as many as should be held at once: one mail may have 25 MB."""
    size = sum((func.length(column) for column in shelf.columns if isinstance(column.type, SealedBytes)), literal(0))
    id_ = shelf.table.c.id
    rows = session.execute(select(id_, size).where(id_ > after, _amiss(shelf, keys)).order_by(id_).limit(ROWS)).all()
    totals = accumulate(row[1] for row in rows)
    return [
        row[0] for number, (row, total) in enumerate(zip(rows, totals, strict=True)) if not number or total <= BYTES
    ]


def _opened(shelf: Shelf, row: Any, keys: Keyring) -> dict[str, Any] | None:
    """What is to be kept; None when a part of it does not open."""
    try:
        values = {f"new_{column.name}": column.type.read(getattr(row, column.name), keys) for column in shelf.columns}  # type: ignore[attr-defined]
    except CannotOpen:
        return None
    if row.in_clear:
        values = {name: InClear(value) for name, value in values.items()}
    return values | {"row": row.id}


def _anew(shelf: Shelf) -> Any:
    values = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in shelf.columns}
    return update(shelf.table).where(shelf.table.c.id == bindparam("row")).values(values)


def _keys(session: Session) -> Keyring:
    keys = keys_of(session.get_bind().dialect)
    assert keys is not None, "the caller has keys"
    return keys


# --- what is amiss


def _amiss(shelf: Shelf, keys: Keyring) -> ColumnElement[bool]:
    sealed = or_(*(_begins(column, "") & not_(_begins(column, CLEAR)) for column in shelf.columns))
    if not keys.seals:
        return sealed
    current = f"{keys.ring.current.id}:"
    not_so = or_(*(not_(_begins(column, current)) & not_(_is_empty(column)) for column in shelf.columns))
    clear = _stays_in_clear(shelf, keys)
    return or_(and_(clear, sealed), and_(not_(clear), not_so))


def _stays_in_clear(shelf: Shelf, keys: Keyring) -> ColumnElement[bool]:
    """Of a row: whether it is mail, and the office wants mail in clear."""
    if keys.seals_mail or shelf.table.name not in _MAIL:
        return shelf.table.c.id.is_(None)
    return _MAIL[shelf.table.name]


def _begins(column: Column[Any], how: str) -> ColumnElement[bool]:
    """Whether the mark stands there, and `how` behind it."""
    if isinstance(column.type, SealedBytes):
        begin = f"{MARK}{how}".encode()
        found: ColumnElement[bool] = func.substr(column, 1, len(begin), type_=LargeBinary) == begin
        return found
    # PostgreSQL puts a blank behind the colon of a document. No value of ours has a quotation mark in it.
    begin_text = f'{{"{SEALED}":%"{how}%' if isinstance(column.type, SealedJson) else f"{MARK}{how}%"
    return cast(column, String).like(begin_text)


def _is_empty(column: Column[Any]) -> ColumnElement[bool]:
    if isinstance(column.type, SealedBytes):
        return func.length(column) == 0
    return cast(column, String).in_(_EMPTY)


# --- what comes twice


def rehash_some(session: Session, after: int) -> Batch:
    """What arrived without keys is recognised with them from now on, however long ago it was."""
    keys, digits = _keys(session), _inbox.c.payload_hash
    found = session.execute(
        select(_inbox.c.id, digits)
        .where(_inbox.c.id > after, func.length(digits) == PLAIN_HASH)
        .order_by(_inbox.c.id)
        .limit(ROWS)
        .with_for_update(skip_locked=True)
    ).all()
    if found:
        anew = [{"row": id_, "hash": keyed_hash(keys, bytes.fromhex(plain))} for id_, plain in found]
        _rehash(session, anew)
    return Batch(len(found), 0, found[-1].id if found else None)


def _rehash(session: Session, anew: Sequence[dict[str, Any]]) -> None:
    statement = update(_inbox).where(_inbox.c.id == bindparam("row")).values(payload_hash=bindparam("hash"))
    try:
        with session.begin_nested():
            session.connection().execute(statement, anew)
    except IntegrityError:
        # The same came once with keys and once without: both stay, and one has its number beside its hash.
        session.connection().execute(statement, [one | {"hash": f"{one['hash']}.{one['row']}"} for one in anew])


def plain_hashes(session: Session) -> int:
    """How many rows could still confirm a guess."""
    plain = select(func.count()).select_from(_inbox).where(func.length(_inbox.c.payload_hash) == PLAIN_HASH)
    return int(session.execute(plain).scalar_one())


# --- files, and what lies behind the rows


def rename_file(session: Session, old: str, new: str) -> None:
    """The rows of a file that was kept anew under another name."""
    session.execute(update(_attachment).where(_attachment.c.sha256 == old).values(sha256=new))


def anybody_at_work_since_before(session: Session, moment: Any) -> bool:
    """Whether a transaction that began before `moment` (of the server's clock) is still open in this database.

    On SQLite never: whoever holds its one pen has finished when we hold it.
    """
    if session.get_bind().dialect.name == "sqlite":
        return False
    open_since = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start < :moment"
    )
    return bool(session.execute(open_since, {"moment": moment}).scalar_one())


def clock_of(session: Session) -> Any:
    """The time of the database server."""
    return session.execute(select(func.now())).scalar_one()


def clear_free_pages(database: Database) -> None:
    """Writes the file anew, so that nothing of what rows said before is left in it. Only SQLite needs and can do it."""
    if not database.is_sqlite:
        return
    with database.engine.begin() as writing:
        for shelf in indexing.SHELVES:  # what went out of an index stays in it until it is written in one piece
            writing.execute(insert(shelf.index), shelf.command("optimize"))
    connection = database.engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()
