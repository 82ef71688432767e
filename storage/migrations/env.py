"""Runs migrations on the connection that `storage/schema.py` hands over. Reads no settings."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON
from sqlmodel import AutoString, SQLModel

import storage.tables  # noqa: F401 - fills the metadata
from storage.types import Fingerprint, SealedBytes, SealedJson, SealedText, UtcDateTime, Word

PLAIN: tuple[tuple[type, str], ...] = (
    (UtcDateTime, "sa.DateTime(timezone=True)"),
    (Word, "sa.String(length=20)"),
    (Fingerprint, "sa.String(length=64)"),
    (SealedText, "sa.String()"),
    (SealedBytes, "sa.LargeBinary()"),
    (SealedJson, "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"),
    (JSON, "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"),
)


def render(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Writes our types as plain ones: an old migration must not change when the house does."""
    if kind != "type":
        return False
    if isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    return next((plain for ours, plain in PLAIN if isinstance(item, ours)), False)


def ours(_object: Any, name: str | None, _kind: str, _reflected: bool, _other: Any) -> bool:
    """Alembic knows neither SQLite's index of marks nor PostgreSQL's: `0007_search.py` makes them."""
    return name is None or "_marks_index" not in name


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    render_item=render,
    include_object=ours,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
