"""Brings a database to the state in which the house can work. Does nothing the second time."""

from app.clock import Clock
from intake.builtin import ensure_builtin_forms
from registry.municipalities import load_municipalities
from storage.database import Database
from storage.schema import migrate


def prepare(database: Database, clock: Clock) -> None:
    """Newest schema, built-in forms, the municipalities."""
    migrate(database)
    with database.write() as session:
        ensure_builtin_forms(session, clock())
        load_municipalities(session)
