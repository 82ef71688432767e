"""Statements compiled once for all tests of a process, not once per test: half of a short test's time.

A cache of SQLAlchemy's belongs to an engine and knows a statement by its dialect; so all get the first one's.
Only for the fixture `database`, of which a test has one: the keys hang at the dialect.
"""

from typing import Any

from sqlalchemy import Engine

from storage.database import Database

_first: dict[tuple[str, str], Engine] = {}


def share(database: Database) -> None:
    """Gives the database the dialect and the compiled statements of the first one of its kind."""
    for role, engine in (("writer", database._writer), ("reader", database._reader)):
        kind = (engine.dialect.name, role if database.is_sqlite else "both")
        if kind not in _first:
            with engine.connect():  # the first connection tells the dialect about its server
                _first[kind] = engine
        first: Any = _first[kind]
        engine.dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
    database.use(database.keys)
