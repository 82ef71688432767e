"""Commands that run or look after the service: `serve`, `demo`, `check`, `migrate`, `sweep`."""

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from app.clock import system_clock
from app.commands.house import CommandFailed, Format, Shape, open_house, show
from app.keys import open_database
from app.logging import set_up_logging
from app.settings import Settings

DEMO_PORT = 8000


class Part(StrEnum):
    WEB = "web"
    TELEGRAM = "telegram"
    MAIL = "mail"
    CLOCK = "clock"
    DISPATCH = "dispatch"


def serve(
    without: Annotated[list[Part] | None, typer.Option("--without", help="A part to leave to another process")] = None,
) -> None:
    """Runs everything in one process: web pages, Telegram, mail, clock, dispatch. Ctrl-C ends it."""
    with quick_start():
        from app.service import build, serve_until_signal

    async def run() -> None:
        settings = Settings()
        service = await build(settings, without=[part.value for part in without or ()])
        await serve_until_signal(service, when_started=lambda: typer.echo(f"Raccordo: {settings.public_url}"))
        if service.failure:
            raise CommandFailed(service.failure)

    set_up_logging()
    _run(run())


@contextmanager
def quick_start() -> Iterator[None]:
    """Loads the house without looking for garbage: a seventh of the start, and none of it is ever garbage."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()


def _run(service: Coroutine[Any, Any, None]) -> None:
    """On uvloop where it is installed (not on Windows): a third of the main thread's work less."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(service)
    else:
        uvloop.run(service)


def demo(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the pages; 0 for any free one")] = DEMO_PORT,
) -> None:
    """The whole job in your browser on a throw-away folder: nothing to configure, nothing left behind."""
    import logging

    with quick_start():
        from app.demo import run_demo

    set_up_logging(logging.WARNING)
    run_demo(port, typer.echo)


def migrate() -> None:
    """Brings the database to the newest schema. Safe to run again."""
    from app.furnish import prepare
    from storage.schema import current_revision, newest_revision

    database = open_database(Settings())
    before = current_revision(database)
    prepare(database, system_clock)
    database.close()
    after = newest_revision()
    typer.echo(
        f"The database has schema {after}" + (" already." if before == after else f" (before: {before or 'none'}).")
    )


def check(shape: Format = Shape.TEXT) -> None:
    """Every setting, the database, Telegram, SMTP: one line each, ok or what to do."""
    from app.checks import check_all

    findings = asyncio.run(check_all(Settings()))
    show([{"ok": "ok" if each.ok else "NO", "what": each.name, "detail": each.detail} for each in findings], shape)
    if not all(each.ok for each in findings):
        raise typer.Exit(1)


def sweep(
    now: Annotated[str, typer.Option(help="Another instant than now, ISO 8601 with zone")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done")] = False,
    shape: Format = Shape.TEXT,
) -> None:
    """One pass over what is due: obligations ahead, reminders, notices to staff."""
    from app.sweep import sweep_once
    from delivery.links import Links
    from reminders.sweep import dry_run as look_ahead
    from reminders.timeline import why_planned
    from storage.files import Files

    instant = _instant(now)
    with open_house() as (settings, database):
        if dry_run:
            with database.read() as session:
                rows = [asdict(each) | {"why": why_planned(each)} for each in look_ahead(session, instant)]
            show(rows, shape)
            if not rows and shape is Shape.TEXT:
                typer.echo("Nothing is due.")
            return
        files = Files(settings.files, database.keys)
        show(sweep_once(database, instant, Links(settings.public_url), files), shape)


def _instant(text: str) -> datetime:
    if not text:
        return system_clock()
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailed(f"--now: {text!r} is not an instant; write for example 2026-12-09T09:00+01:00") from error
    if instant.tzinfo is None:
        raise CommandFailed("--now needs a zone: write for example 2026-12-09T09:00+01:00")
    return instant.astimezone(UTC)


def register(app: typer.Typer) -> None:
    for command in (serve, demo, check, migrate, sweep):
        app.command()(command)
