"""The least that any sweep has to do, in bare SQL: read what is due, write a message and a decision for each, mark it.

One transaction on SQLite (WAL, synchronous FULL), with no rules and no words. What the rules cost is the rest.
"""

import sqlite3
import tempfile
import time
from pathlib import Path

_TABLES = """
CREATE TABLE step (id INTEGER PRIMARY KEY, person INTEGER, due_at TEXT, settled INTEGER);
CREATE INDEX step_waiting ON step (due_at) WHERE settled = 0;
CREATE TABLE message (id INTEGER PRIMARY KEY, person INTEGER, key TEXT UNIQUE, body TEXT, state TEXT);
CREATE INDEX message_waiting ON message (state, id) WHERE state = 'queued';
CREATE TABLE decision (id INTEGER PRIMARY KEY, step INTEGER, person INTEGER, message INTEGER, outcome TEXT, why TEXT);
CREATE UNIQUE INDEX decision_once ON decision (step, person);
"""


def bare_sql(due: int) -> float:
    """Seconds for so many."""
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name:
        connection = sqlite3.connect(Path(name) / "floor.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.executescript(_TABLES)
        connection.execute("BEGIN")
        rows = ((number, number, "2026-11-24 07:30:00") for number in range(due))
        connection.executemany("INSERT INTO step VALUES (?, ?, ?, 0)", rows)
        connection.execute("COMMIT")
        began = time.perf_counter()
        _sweep(connection)
        seconds = time.perf_counter() - began
        connection.close()
    return seconds


def _sweep(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    due = connection.execute("SELECT id, person FROM step WHERE settled = 0 AND due_at <= '2026-11-24 08:00:00'")
    for step, person in due.fetchall():
        message = connection.execute(
            "INSERT INTO message (person, key, body, state) VALUES (?, ?, '{}', 'queued')",
            (person, f"reminder:{person}:2026-11-24:1"),
        ).lastrowid
        connection.execute(
            "INSERT INTO decision (step, person, message, outcome, why) VALUES (?, ?, ?, 'sent', 'due')",
            (step, person, message),
        )
        connection.execute("UPDATE step SET settled = 1 WHERE id = ?", (step,))
    connection.execute("COMMIT")
