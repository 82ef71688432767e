"""Commands that bring data in and out: `import WHAT FILE`, `export WHAT`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlmodel import Session

from app.clock import system_clock
from app.commands.house import CommandFailed, Format, Shape, open_house, show
from app.settings import Settings
from facts.languages import N_, Language, speaking
from registry.deadlines import DeadlineRow
from registry.report import ImportReport, Progress, RegistryRefused
from storage.forms import form_with, version_numbered

WINDOW_DAYS = 20  # days before it is due in which an update fulfils an imported deadline


class Importable(StrEnum):
    PROJECTS = "projects"
    REFERENTS = "referents"
    DEADLINES = "deadlines"
    FORMS = "forms"


class Exportable(StrEnum):
    UPDATES = "updates"
    QUESTIONS = "questions"
    PROJECTS = "projects"
    REFERENTS = "referents"
    REQUESTS = "requests"
    OBLIGATIONS = "obligations"
    INBOX = "inbox"
    LETTERS = "letters"
    OUTBOX = "outbox"
    AUDIT = "audit"


class FileFormat(StrEnum):
    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


def bring_in(
    what: Annotated[Importable, typer.Argument(metavar="WHAT", help="projects, referents, deadlines or forms")],
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="CSV or Excel; a form: Excel or Markdown"),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check everything, keep nothing")] = False,
    shape: Format = Shape.TEXT,
) -> None:
    """Reads a file of projects, referents or deadlines, or a form: all of it or, with errors by row, nothing."""
    if what is Importable.FORMS:
        from app.commands.forms import import_form

        import_form(file, dry_run=dry_run, shape=shape)
    else:
        _import_rows(what, file, dry_run=dry_run, shape=shape)


def _import_rows(what: Importable, file: Path, *, dry_run: bool, shape: Shape) -> None:
    from reminders.deadlines import keep_obligations

    with open_house() as (_, database), progress_shown() as progress, database.write() as session:
        report = _importers()[what](session, file, progress, dry_run)
        if not report.ok:
            session.rollback()
        elif what is Importable.PROJECTS and not dry_run:
            # Projects that have just joined a deadline's scope owe from now on, not from tomorrow's first sweep.
            keep_obligations(session, system_clock())
    if shape is Shape.JSON:
        show(_as_record(what, report), shape)
    else:
        _tell(what, report)
    if not report.ok:
        raise CommandFailed(
            f"nothing was imported; errors, each shown above: {len(report.errors) + report.more_errors}"
        )


def _importers() -> dict[Importable, Callable[[Session, Path, Progress, bool], ImportReport]]:
    from registry.deadlines import import_deadlines
    from registry.projects import import_projects
    from registry.referents import import_referents

    now = system_clock()
    return {
        Importable.PROJECTS: lambda session, file, progress, dry_run: import_projects(
            session, file, now=now, progress=progress, dry_run=dry_run
        ),
        Importable.REFERENTS: lambda session, file, progress, dry_run: import_referents(
            session, file, now=now, progress=progress, dry_run=dry_run
        ),
        Importable.DEADLINES: lambda session, file, progress, dry_run: import_deadlines(
            session, file, _maker(session, now, Settings().timezone), progress=progress, dry_run=dry_run
        ),
    }


def _maker(session: Session, now: datetime, zone: str) -> Callable[[DeadlineRow], None]:
    """Makes the deadline of one row: registry and reminders are strangers, so they meet here."""
    from reminders.deadlines import create_deadline
    from reminders.wanted import DeadlineRefused

    def make(row: DeadlineRow) -> None:
        form_id, version_id = _asked(session, row)
        try:
            create_deadline(
                session,
                title=row.title,
                form_id=form_id,
                form_version_id=version_id,
                subject=row.subject,
                rule=row.rule,
                first_on=row.first_on,
                until=row.until,
                zone=zone,
                moved=row.moved,
                grace_days=row.grace_days,
                done_when=row.done_when,
                opens_days_before=WINDOW_DAYS,
                targets=row.scope,
                created_by=None,
                now=now,
            )
        except DeadlineRefused as refused:
            raise RegistryRefused(refused.sentence, **refused.values) from refused

    return make


def _asked(session: Session, row: DeadlineRow) -> tuple[int, int | None]:
    """The form that a row asks, and the version it keeps to."""
    form = form_with(session, row.form_key)
    if form is None:
        raise RegistryRefused(N_("There is no form {found}."), found=row.form_key)
    if row.form_version is None:
        return form.id, None
    version = version_numbered(session, form.id, row.form_version)
    if version is None:
        raise RegistryRefused(N_("“{title}” has no version {number}."), title=form.title, number=row.form_version)
    return form.id, version.id


@contextmanager
def progress_shown() -> Iterator[Progress]:
    """Tells on stderr how many rows were read; a line that moves for people, nothing for pipes."""
    if not sys.stderr.isatty():
        yield lambda _rows: None
        return
    from rich.console import Console

    with Console(stderr=True).status("…") as status:
        yield lambda rows: status.update(f"{rows:,} rows read")


def _as_record(what: Importable, report: ImportReport) -> dict[str, Any]:
    say = speaking(Language.EN)
    return {
        "what": what.value,
        "dry_run": report.dry_run,
        "rows": report.rows,
        "created": report.created,
        "changed": report.changed,
        "unchanged": report.unchanged,
        "errors": [
            {"row": error.row, "column": error.column, "text": say(error.sentence, **error.values)}
            for error in report.errors
        ],
        "more_errors": report.more_errors,
        "notes": [note.say(say) for note in report.notes],
    }


def _tell(what: Importable, report: ImportReport) -> None:
    say = speaking(Language.EN)
    for error in report.errors:
        typer.echo(error.say(say), err=True)
    for note in report.notes:
        typer.echo(note.say(say), err=True)
    if report.ok:
        tense = "Would be created" if report.dry_run else "Created"
        typer.echo(
            f"Rows read: {report.rows}. {tense} ({what.value}): {report.created}, changed: {report.changed}, "
            f"unchanged: {report.unchanged}."
        )


def bring_out(
    what: Annotated[Exportable, typer.Argument(metavar="WHAT")],
    file_format: Annotated[FileFormat, typer.Option("--format", help="json, csv (for Excel) or xlsx")] = FileFormat.CSV,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; stdout when left out")] = None,
    language: Annotated[Language, typer.Option(help="Language of the column headers")] = Language.IT,
) -> None:
    """Writes everything that is stored of one kind."""
    from registry.export import export

    if output is None and file_format is FileFormat.XLSX and sys.stdout.isatty():
        raise CommandFailed("an Excel file is not for a terminal; add --output FILE.xlsx")
    with open_house() as (_, database), database.read() as session:
        if output is None:
            export(session, what.value, file_format.value, sys.stdout.buffer, language=language)
            return
        with output.open("wb") as file:
            export(session, what.value, file_format.value, file, language=language)
    typer.echo(f"Written: {output}", err=True)


def register(app: typer.Typer) -> None:
    app.command("import")(bring_in)
    app.command("export")(bring_out)
