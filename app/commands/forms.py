"""`import forms FILE`: reads the file of a form and publishes it. What is wrong is told by sheet and row."""

from pathlib import Path
from typing import Any

import typer
from sqlmodel import Session

from app.clock import system_clock
from app.commands.house import CommandFailed, Shape, open_house, show
from app.settings import Settings
from facts.languages import Language, speaking
from intake.forms.nodes import Definition
from intake.forms.xlsform.files import too_large
from intake.forms.xlsform.findings import Finding
from intake.forms.xlsform.reading import Reading, read_xlsform
from intake.publishing import SAME, CannotPublish, hindrance, propose, publish_proposal
from storage.forms import newest_version

EN = speaking(Language.EN)


def import_form(file: Path, *, dry_run: bool, shape: Shape) -> None:
    """Publishes the form in a file: a version more, or nothing when that is what is asked already."""
    with open_house() as (settings, database):
        content, reading = _read(file, settings)
        if reading.form is None:
            _tell(reading, {}, shape)
            raise CommandFailed(f"nothing was imported; problems, each shown above: {len(reading.problems)}")
        with database.write() as session:
            try:
                done = _publish(session, reading, file.name, content, dry_run=dry_run)
            except CannotPublish as refused:
                raise CommandFailed(refused.say(EN)) from refused
    _tell(reading, done, shape)


def _read(file: Path, settings: Settings) -> tuple[bytes, Reading]:
    large = too_large(file.stat().st_size)
    if large is not None:
        raise CommandFailed(large.say(EN))
    content = file.read_bytes()
    return content, read_xlsform(content, file.name, language=settings.language)


def _publish(session: Session, reading: Reading, name: str, content: bytes, *, dry_run: bool) -> dict[str, Any]:
    """What was done, or would be. Raises CannotPublish."""
    form, now = reading.form, system_clock()
    assert form is not None, "problems were told before"
    refused, newest = hindrance(session, form), newest_version(session, form.key)
    number = newest.number if newest is not None else 0
    if refused is not None:
        if refused.sentence.msgid != SAME:
            raise refused
        return _done(form, number, changed=False, dry_run=dry_run)
    if not dry_run:
        proposal = propose(session, reading, name=name, content=content, by=None, now=now)
        publish_proposal(session, proposal, by=None, now=now)
    return _done(form, number + 1, changed=True, dry_run=dry_run)


def _done(form: Definition, number: int, *, changed: bool, dry_run: bool) -> dict[str, Any]:
    """`version`: the one that asks this, or would."""
    title = form.title[form.languages[0]]
    done = {"form": form.key, "title": title, "version": number, "changed": changed}
    return {**done, "dry_run": dry_run, "published": changed and not dry_run}


def _tell(reading: Reading, done: dict[str, Any], shape: Shape) -> None:
    if shape is Shape.JSON:
        told = {"problems": _records(reading.problems), "warnings": _records(reading.warnings)}
        show({"what": "forms", **done, **told}, shape)
        return
    for one in (*reading.problems, *reading.warnings):
        typer.echo(one.say(EN), err=True)
    if done:
        typer.echo(_summary(done))


def _summary(done: dict[str, Any]) -> str:
    which = f"version {done['version']} of “{done['title']}” ({done['form']})"
    if not done["changed"]:
        return f"Nothing to publish: {which} asks the same."
    return f"Would be published: {which}." if done["dry_run"] else f"Published: {which}."


def _records(found: tuple[Finding, ...]) -> list[dict[str, Any]]:
    return [
        {"sheet": one.place.sheet, "row": one.place.row, "column": one.place.column, "text": one.sentence.say(EN)}
        for one in found
    ]
