"""What every table shares: constraint names and column makers. Declares no table.

A table's `id` is declared `int` although it is None until the row is flushed: nobody asks for it before.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from storage.types import Json, SealedJson, SealedText, UtcDateTime, Word

# Named constraints: without names a reversible migration cannot find them again.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def instant(*, index: bool = False) -> Any:
    """A required instant (aware, UTC)."""
    return Field(sa_type=UtcDateTime, nullable=False, index=index)


def optional_instant(*, index: bool = False) -> Any:
    """An instant that may not have come yet."""
    return Field(default=None, sa_type=UtcDateTime, nullable=True, index=index)


def word(words: type[StrEnum], default: StrEnum | None = None, *, index: bool = False) -> Any:
    """A required word of an enumeration."""
    if default is None:
        return Field(sa_type=Word(words), nullable=False, index=index)
    return Field(default=default, sa_type=Word(words), nullable=False, index=index)


def document() -> Any:
    """A JSON document, empty at first. Replace it whole: changes inside are not noticed."""
    return Field(default_factory=dict, sa_type=Json, nullable=False)


def sealed_document(place: str) -> Any:
    """As `document`, sealed. `place` is `table.column`: what is sealed there opens only there."""
    return Field(default_factory=dict, sa_type=SealedJson(place), nullable=False)


def sealed_text(place: str) -> Any:
    """A required text that people wrote, sealed."""
    return Field(sa_type=SealedText(place), nullable=False)


def optional_sealed_text(place: str) -> Any:
    """A text that people may have written, sealed; empty at first."""
    return Field(default="", sa_type=SealedText(place), nullable=False)


def only_one(name: str, *columns: str, where: str) -> Index:
    """A unique index over the rows for which `where` (SQL that both databases read alike) holds."""
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))
