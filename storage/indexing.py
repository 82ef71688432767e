"""Keeps the marks of questions and updates as what is written in them. Finds nothing; that is `storage/searching.py`.

Whoever writes only notes where (`note`): a row, committed with what was written. A moment later the clock takes the
note away and, in the same transaction, reads and marks what it names (`renew_some`); so nothing that was noted is lost,
and what is written meanwhile leaves a note of its own. The marks are held while the texts are read: of two processes
that renew one question, the second reads what both were told of.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import Column, Table, TableClause, bindparam, column, delete, func, insert, select, table, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

from facts.words import words_of
from storage import indexed
from storage.indexed import Content
from storage.marks import ASKED, FILE, Marker, marker_of
from storage.types import keys_of

MOST_WORDS = 5_000  # of one question; who writes more is found by the newest of them
BATCH = 200  # questions read at once


@dataclass(frozen=True)
class Shelf:
    """What is found: of which table, where its marks are, where it is noted anew, and what is written in it."""

    subject: Table
    table: Table
    touched: Table
    content: Callable[[Session, Sequence[int]], dict[int, Content]]

    @cached_property
    def id(self) -> Column[int]:
        return next(iter(self.table.primary_key.columns))

    @cached_property
    def held(self) -> Any:
        """What is there of some, in this order for everybody, and nobody else's until the transaction ends."""
        rows = select(self.id, self.table.c.marks).where(self.id.in_(bindparam("ids", expanding=True)))
        return rows.order_by(self.id).with_for_update()

    @cached_property
    def made(self) -> Any:
        change = update(self.table).where(self.id == bindparam("row"))
        return change.values(marks=bindparam("new"), made=bindparam("by"))

    @cached_property
    def noted(self) -> Any:
        return insert(self.touched).values({self.id.name: bindparam("row")})

    @cached_property
    def index(self) -> TableClause:
        """SQLite's index; the column that is called as itself takes commands."""
        name = f"{self.table.name}_index"
        return table(name, column("rowid"), column("marks"), column(name))

    def command(self, said: str) -> dict[str, str]:
        return {self.index.name: said}


_tables = SQLModel.metadata.tables
QUESTIONS = Shelf(_tables["question"], _tables["question_marks"], _tables["question_touched"], indexed.of_questions)
UPDATES = Shelf(_tables["update"], _tables["update_marks"], _tables["update_touched"], indexed.of_updates)
SHELVES = (QUESTIONS, UPDATES)


def marker(session: Session) -> Marker:
    return marker_of(keys_of(session.get_bind().dialect))


def keep(session: Session, shelf: Shelf, ids: Collection[int]) -> None:
    """From now on they are found by what is written in them now. Ids of what is not there are passed over."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), BATCH):
        _keep_some(session, shelf, wanted[start : start + BATCH])


def note(session: Session, shelf: Shelf, ids: Collection[int]) -> None:
    """They are found as before, and marked anew a moment later (`renew_some`)."""
    if ids:
        session.connection().execute(shelf.noted, [{"row": id_} for id_ in sorted(ids)])


def renew_some(session: Session, shelf: Shelf, limit: int) -> int:
    """Makes some anew that are not as they should be; how many notes or marks that were, `limit` at most.

    First what was noted, in its order; then what has marks of another key or recipe, the newest first. What somebody
    else has in hand at this moment is passed over: it is being done, or comes again.
    """
    return _renew_noted(session, shelf, limit) or _renew_amiss(session, shelf, limit)


def _renew_noted(session: Session, shelf: Shelf, limit: int) -> int:
    """The notes go first, the texts are read after: what is committed in between is read, and its note stays."""
    notes = shelf.touched
    rows = select(notes.c.id, notes.c[shelf.id.name]).order_by(notes.c.id).limit(limit)
    taken = session.connection().execute(rows.with_for_update(skip_locked=True)).all()
    if taken:
        session.connection().execute(delete(notes).where(notes.c.id.in_([row[0] for row in taken])))
        keep(session, shelf, {row[1] for row in taken})
    return len(taken)


def _renew_amiss(session: Session, shelf: Shelf, limit: int) -> int:
    rows = select(shelf.id).where(_amiss(session, shelf)).order_by(shelf.id.desc()).limit(limit)
    ids = session.execute(rows.with_for_update(skip_locked=True)).scalars().all()
    keep(session, shelf, ids)
    return len(ids)


def left_to_renew(session: Session) -> int:
    """How many are not as they should be: of questions and updates together."""
    return sum(int(session.execute(count).scalar_one()) for one in SHELVES for count in _left(session, one))


def anything_to_renew(session: Session) -> bool:
    """A look that writes nothing."""
    noted = (select(one.touched.c.id).limit(1) for one in SHELVES)
    amiss = (select(one.id).where(_amiss(session, one)).limit(1) for one in SHELVES)
    return any(session.execute(some).first() is not None for some in (*noted, *amiss))


def _left(session: Session, shelf: Shelf) -> Sequence[Any]:
    """Who was noted and has old marks besides is counted once."""
    noted = shelf.touched.c[shelf.id.name]
    amiss = select(func.count()).select_from(shelf.table).where(_amiss(session, shelf))
    return select(func.count(noted.distinct())), amiss.where(shelf.id.not_in(select(noted)))


def _amiss(session: Session, shelf: Shelf) -> Any:
    """Two ranges of the index, and not the one inequality that would read it all."""
    made = marker(session).made
    return (shelf.table.c.made < made) | (shelf.table.c.made > made)


def _keep_some(session: Session, shelf: Shelf, ids: Sequence[int]) -> None:
    marking = marker(session)
    held = _hold(session, shelf, ids)
    content = shelf.content(session, [*held])
    anew = {id_: sorted(_marks(marking, content.get(id_, Content()))) for id_ in held}
    _replace(session, shelf, held, anew)
    rows = [{"row": id_, "new": marks, "by": marking.made} for id_, marks in anew.items()]
    if rows:
        session.connection().execute(shelf.made, rows)


def _hold(session: Session, shelf: Shelf, ids: Sequence[int]) -> dict[int, list[int]]:
    """The marks of each as they are, which nobody else changes until our transaction ends."""
    held = _held(session, shelf, ids)
    missing = [id_ for id_ in ids if id_ not in held]
    if missing:
        _begin(session, shelf, missing)
        held |= _held(session, shelf, missing)
    return held


def _held(session: Session, shelf: Shelf, ids: Sequence[int]) -> dict[int, list[int]]:
    return {row[0]: row[1] for row in session.connection().execute(shelf.held, {"ids": ids})}


def _begin(session: Session, shelf: Shelf, ids: Sequence[int]) -> None:
    """What is not there any more gets no marks; what somebody else begins at this moment is waited for."""
    dialect: Any = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    there = select(shelf.subject.c.id).where(shelf.subject.c.id.in_(ids)).order_by(shelf.subject.c.id)
    found = session.connection().execute(there).scalars().all()
    if found:
        rows = [{shelf.id.name: id_, "made": "", "marks": []} for id_ in found]
        session.connection().execute(dialect.insert(shelf.table).on_conflict_do_nothing(), rows)


def _marks(marking: Marker, content: Content) -> set[int]:
    words = words_of(content.texts, most=MOST_WORDS)
    marks = marking.of_words(words) | marking.of_words(words_of(content.files, most=MOST_WORDS), FILE)
    if content.answered:
        marks |= marking.of_words(words_of([content.asked], most=MOST_WORDS), ASKED)
    return marks


def _replace(session: Session, shelf: Shelf, old: dict[int, list[int]], anew: dict[int, list[int]]) -> None:
    """SQLite's index keeps no text and no sizes: what goes out of it has to be said to it, and what comes in.

    One message more in a long thread is a few words more, and they are put in by themselves: the index holds the rows
    of each word and nothing of the row, so that it does not matter in how many parts that came. It must go out whole,
    for the index counts what went.
    """
    if session.get_bind().dialect.name != "sqlite":
        return
    connection = session.connection()
    gone = [id_ for id_ in anew if not set(old[id_]) <= set(anew[id_])]
    if gone:
        out = [shelf.command("delete") | {"rowid": id_, "marks": as_words(old[id_])} for id_ in gone]
        connection.execute(insert(shelf.index), out)
    come = {id_: set(anew[id_]).difference(() if id_ in gone else old[id_]) for id_ in anew}
    rows = [{"rowid": id_, "marks": as_words(marks)} for id_, marks in come.items() if marks]
    if rows:
        connection.execute(insert(shelf.index), rows)


def as_words(marks: Iterable[int]) -> str:
    """As SQLite's index reads them."""
    return " ".join(as_word(mark) for mark in marks)


def as_word(mark: int) -> str:
    return f"{mark & 0xFFFFFFFF:x}"
