"""Finds questions and updates by words: by marks of them, for SQL sees of a sealed text only that it is sealed.

Each word finds its other forms and the longer words that begin so; all words must be there, wherever they stand.
Reads no text.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, false
from sqlmodel import Session

from facts.words import wanted_words
from storage.indexing import QUESTIONS, Shelf, as_word, marker
from storage.marks import TEXT

MOST_WANTED = 12  # words

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
        index = shelf.index
        match = index.c[index.name].bool_op("MATCH")(_expression(choices))
        narrowed = rows.join(index, index.c.rowid == id_).where(match).order_by(index.c.rowid.desc())
    else:
        marks = shelf.table.c.marks
        any_of = [marks.bool_op("&&")(list(choice)) for choice in choices]
        narrowed = rows.join(shelf.table, shelf.id == id_).where(*any_of).order_by(shelf.id.desc())
    return narrowed


def _expression(choices: Sequence[Choice]) -> str:
    """For SQLite's index. Marks are numbers: nothing that was typed is in it."""
    return " AND ".join(f"({' OR '.join(as_word(mark) for mark in choice)})" for choice in choices)
