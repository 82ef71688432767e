"""Finds questions and updates by words: by marks of them, for SQL sees of a sealed text only that it is sealed.

Each word finds its other forms and the longer words that begin so; all words must be there, wherever they stand.
Reads no text.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Select, any_, false, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session

from facts.words import wanted_words
from storage.indexing import QUESTIONS, Shelf, as_word, marker
from storage.marks import TEXT

MOST_WANTED = 12  # words
CANDIDATES = 2_000  # of a common word, on PostgreSQL: the newest, looked through first
MOST_COUNTED = 1000  # of what is found: whoever finds more looks for too little

Choice = Sequence[int]
"""Marks of which one must be there."""


def narrow(
    session: Session, rows: Any, id_: Any, wanted: str, *, shelf: Shelf = QUESTIONS, kind: str = TEXT
) -> Select[Any]:
    """Of `rows` (a SELECT) those found by `wanted`, the newest first. `id_`: their column with the id."""
    words = wanted_words(wanted, most=MOST_WANTED)
    marking = marker(session)
    return having(session, rows, id_, [marking.finding(word, kind) for word in words], shelf)


def having(session: Session, rows: Any, id_: Any, choices: Sequence[Choice], shelf: Shelf) -> Select[Any]:
    """Of `rows` those with a mark of each choice, the newest first: as few are read as are asked for."""
    if not choices:
        narrowed: Select[Any] = rows.where(false())
        return narrowed
    if session.get_bind().dialect.name == "sqlite":
        rowid = shelf.index.c.rowid
        narrowed = rows.join(shelf.index, rowid == id_).where(_matches(shelf, choices)).order_by(rowid.desc())
    else:
        narrowed = _among_newest(session, rows, id_, choices, shelf).order_by(id_.desc())
    return narrowed


def _among_newest(session: Session, rows: Any, id_: Any, choices: Sequence[Choice], shelf: Shelf) -> Select[Any]:
    """For PostgreSQL. Where filters leave fewer of the newest than anybody looks at, all are looked through."""
    newest = session.connection().execute(_newest(session, shelf, choices).limit(CANDIDATES)).scalars().all()
    some: Select[Any] = rows.where(id_ == any_(literal([*newest], ARRAY(Integer))))
    if len(newest) < CANDIDATES:
        return some
    counted = select(func.count()).select_from(some.limit(MOST_COUNTED + 1).subquery())
    if session.connection().execute(counted).scalar_one() > MOST_COUNTED:
        return some
    # Materialized, or the planner takes marks out of each row that the filters leave.
    every = _having(shelf, choices).cte("found").prefix_with("MATERIALIZED")
    narrowed: Select[Any] = rows.where(id_.in_(select(every.c[shelf.id.name])))
    return narrowed


def newest_with(session: Session, choice: Choice, shelf: Shelf, limit: int) -> Sequence[int]:
    """Ids of the newest that have one of these marks."""
    if session.get_bind().dialect.name == "sqlite":
        index = shelf.index
        rows: Any = select(index.c.rowid).where(_matches(shelf, [choice])).order_by(index.c.rowid.desc())
    else:
        rows = _newest(session, shelf, [choice])
    return session.connection().execute(rows.limit(limit)).scalars().all()


def _matches(shelf: Shelf, choices: Sequence[Choice]) -> Any:
    return shelf.index.c[shelf.index.name].bool_op("MATCH")(_expression(choices))


def _newest(session: Session, shelf: Shelf, choices: Sequence[Choice]) -> Any:
    """For PostgreSQL, which does not know what it costs to take marks out of where it keeps what is long.

    Left to itself it reads those of every row, three seconds for a word that is nowhere: it is kept from that, for the
    rest of the transaction, and by the sum from going through the rows in their order.
    """
    session.connection().exec_driver_sql("SET LOCAL enable_seqscan = off")
    return _having(shelf, choices).order_by((shelf.id + 0).desc())


def _having(shelf: Shelf, choices: Sequence[Choice]) -> Select[Any]:
    marks = shelf.table.c.marks
    return select(shelf.id).where(*(marks.bool_op("&&")(list(choice)) for choice in choices))


def _expression(choices: Sequence[Choice]) -> str:
    """For SQLite's index. Marks are numbers: nothing that was typed is in it."""
    return " AND ".join(f"({' OR '.join(as_word(mark) for mark in choice)})" for choice in choices)
