"""Writes the forms that come with Raccordo, each version once. Never changes a version that is there."""

import functools
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from facts.languages import Language
from intake.forms import Form as FormDefinition
from intake.forms import read_form
from storage.reports import form_with, newest_version
from storage.tables import Form, FormVersion

FORMS = Path(__file__).parent / "forms"
PROJECT_UPDATE = "project-update"


@functools.cache
def project_update() -> tuple[FormDefinition, dict[str, Any]]:
    """The built-in form and its definition."""
    definition = json.loads((FORMS / f"{PROJECT_UPDATE}.json").read_text(encoding="utf-8"))
    return read_form(definition), definition


def ensure_builtin_forms(session: Session, now: datetime) -> FormVersion:
    """The newest version of `project-update`, written when it is absent or older than ours."""
    form, definition = project_update()
    newest = newest_version(session, PROJECT_UPDATE)
    if newest is not None and newest.number >= form.number:
        return newest
    row = form_with(session, PROJECT_UPDATE)
    if row is None:
        row = Form(key=PROJECT_UPDATE, title=form.title[Language.IT])
        session.add(row)
        session.flush()
    newest = FormVersion(form_id=row.id, number=form.number, definition=definition, published_at=now)
    session.add(newest)
    session.flush()
    return newest
