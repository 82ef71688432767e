"""Brings a database to the state in which the house can work. Does nothing the second time."""

from app.clock import Clock
from app.keys import note_our_keys
from intake.builtin import ensure_builtin_forms
from registry.municipalities import load_municipalities
from storage.database import Database
from storage.inbox import recognise_anew
from storage.schema import migrate, one_at_a_time


def prepare(database: Database, clock: Clock) -> None:
    """Newest schema, the keys in use written down, built-in forms, the municipalities."""
    migrate(database)
    note_our_keys(database)
    with database.write() as session:
        one_at_a_time(session)  # processes that start together would write the same rows
        recognise_anew(session, clock())
        ensure_builtin_forms(session, clock())
        load_municipalities(session)
