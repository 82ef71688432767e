"""What every command needs: the settings, an open database, and how to print. Starts nothing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any

import typer
from sqlalchemy.exc import OperationalError

from app.keys import note_our_keys, open_database
from app.settings import Settings
from storage.database import Database
from storage.schema import current_revision, newest_revision


class CommandFailed(Exception):
    """The command could not do what was asked; the text says why and what to do."""


class Shape(StrEnum):
    TEXT = "text"
    JSON = "json"


Format = Annotated[Shape, typer.Option("--format", help="text for people, json for programs")]


@contextmanager
def open_house() -> Iterator[tuple[Settings, Database]]:
    """The settings and a database of the newest schema."""
    settings = Settings()
    database = open_database(settings)
    try:
        found = current_revision(database)
        if found != newest_revision():
            state = f"the database has schema {found}" if found else "the database is empty"
            raise CommandFailed(f"{state}; run: raccordo migrate")
        note_our_keys(database)
        yield settings, database
    except OperationalError as error:
        raise CommandFailed(f"the database cannot be used: {error.orig}") from error
    finally:
        database.close()


def show(values: dict[str, Any] | Sequence[dict[str, Any]], shape: Shape) -> None:
    """Prints one record or a list: JSON on stdout, or aligned lines."""
    if shape is Shape.JSON:
        import json

        typer.echo(json.dumps(values, ensure_ascii=False, default=str))
        return
    if isinstance(values, dict):
        for name, value in values.items():
            typer.echo(f"{name}: {value}")
        return
    for row in _aligned(values):
        typer.echo(row)


def _aligned(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not rows:
        return
    cells = [[str(value if value is not None else "-") for value in row.values()] for row in rows]
    table = [list(rows[0]), *cells]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
