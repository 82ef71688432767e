"""The command that changes the key of what is kept: `rotate-key`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import typer

from app.alone import hold
from app.commands.house import CommandFailed, Format, Shape, open_house, show
from app.rotation import Rotation, RotationStuck, Watch, rotate
from app.settings import Settings
from storage.files import Files


def rotate_key(shape: Format = Shape.TEXT) -> None:
    """Encrypts everything that is kept with a new key, while the service runs. May be interrupted and run again.

    What is in clear from before is encrypted too; with RACCORDO_SEAL=false everything is decrypted.
    """
    with open_house() as (settings, database), progress_shown() as watch:
        if database.keys is None:
            raise CommandFailed("nothing is encrypted here, and RACCORDO_SEAL is false: there is no key to change")
        with hold(settings.beside("raccordo.data-keys.lock"), "another rotate-key is at work; wait for it to end"):
            try:
                done = rotate(settings, database, Files(settings.files, database.keys), watch=watch)
            except RotationStuck as stuck:
                raise CommandFailed(str(stuck)) from stuck
    shown = asdict(done)
    show(shown if shape is Shape.JSON else shown | {"removed": ", ".join(done.removed) or "-"}, shape)
    _say_what_is_next(settings, done)


def _say_what_is_next(settings: Settings, done: Rotation) -> None:
    if done.closed:
        raise CommandFailed(f"{done.closed} could not be opened: they stay as they are, and the old keys with them")
    if done.key is None:
        typer.echo("Nothing is encrypted any more; raccordo.data-keys may go after two days.", err=True)
    elif not settings.data_keys.get_secret_value():
        typer.echo(
            "Back up raccordo.data-keys again. Its earlier copy opens earlier backups of the data: keep them together.",
            err=True,
        )
    elif done.removed:
        typer.echo(f"Take these keys out of RACCORDO_DATA_KEYS: {', '.join(done.removed)}", err=True)
    else:
        typer.echo(
            "To change the key: add a new one at the end of RACCORDO_DATA_KEYS everywhere and restart, then move it to "
            "the front everywhere and restart, then run this again.",
            err=True,
        )


@contextmanager
def progress_shown() -> Iterator[Watch]:
    """A bar on stderr for people, nothing for pipes."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _whole: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bars:
        shown = {what: bars.add_task(what, total=None, visible=False) for what in ("rows", "files")}
        yield lambda what, done, whole: bars.update(shown[what], completed=done, total=whole, visible=True)


def register(app: typer.Typer) -> None:
    app.command("rotate-key")(rotate_key)
