"""What statements over many rows have in common. Knows no table, never commits."""

from typing import Any

from sqlalchemy import CursorResult, Executable, literal
from sqlmodel import Session


def changed(session: Session, statement: Executable) -> int:
    """Carries it out; how many rows it touched."""
    # without the option an INSERT … SELECT on PostgreSQL says -1
    counted = statement.execution_options(preserve_rowcount=True)
    result: CursorResult[Any] = session.execute(counted)  # type: ignore[assignment]
    return result.rowcount


def typed(column: Any, value: object) -> Any:
    """A value bound with the column's own type, so that INSERT … SELECT stores it as a plain INSERT would."""
    return literal(value, column.type)
