"""Commands for what could not be processed: `dead-letters list`, `retry ID`, `drop ID`."""

from typing import Annotated

import typer

from app.clock import system_clock
from app.commands.house import CommandFailed, Format, Shape, open_house, show
from intake.worker import drop_dead, retry_dead
from storage.inbox import dead_letters

letters = typer.Typer(
    help="What arrived and could not be processed: kept raw, to retry or to drop.", no_args_is_help=True
)


@letters.command("list")
def list_letters(shape: Format = Shape.TEXT) -> None:
    """Number, kind, when it arrived, how often it was tried, and the error."""
    with open_house() as (_, database), database.read() as session:
        rows = [
            {
                "id": row.id,
                "kind": row.kind,
                "received": row.received_at.isoformat(timespec="seconds"),
                "attempts": row.attempts,
                "error": row.error,
            }
            for row in dead_letters(session)
        ]
    show(rows, shape)
    if not rows and shape is Shape.TEXT:
        typer.echo("No dead letters.")


@letters.command()
def retry(number: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Gives it to the worker again, as if it had just arrived."""
    with open_house() as (_, database), database.write() as session:
        if not retry_dead(session, number, system_clock()):
            raise CommandFailed(f"there is no dead letter {number}; see: raccordo dead-letters list")
    typer.echo(f"{number} will be tried again.")


@letters.command()
def drop(
    number: Annotated[int, typer.Argument(metavar="ID")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Sets it aside for good. Its raw content stays in the database and in exports."""
    if not yes:
        typer.confirm(f"Set dead letter {number} aside for good?", abort=True)
    with open_house() as (_, database), database.write() as session:
        if not drop_dead(session, number, system_clock()):
            raise CommandFailed(f"there is no dead letter {number}; see: raccordo dead-letters list")
    typer.echo(f"{number} is set aside.")


def register(app: typer.Typer) -> None:
    app.add_typer(letters, name="dead-letters")
