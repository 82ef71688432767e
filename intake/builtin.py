"""Writes the forms that come with Raccordo, and brings versions of before XLSForm forward. Twice does nothing more.

A form that the office has published itself is the office's: ours is not put over it.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlmodel import Session, select

from intake.forms.builtin import KEYS, PROJECT_UPDATE, builtin_file, builtin_form
from intake.forms.document import to_document
from intake.forms.first_format import FIRST_STEPS, first_answers, first_definition, is_first
from intake.publishing import publish
from storage.forms import newest_version
from storage.tables import Draft, Form, FormVersion, Update

__all__ = ["PROJECT_UPDATE", "ensure_builtin_forms"]


def ensure_builtin_forms(session: Session, now: datetime) -> FormVersion:
    """The newest version of `project-update`; of each form the one that comes with this release is written if need be.

    What is there already is known by its file's fingerprint: reading the files takes as long as all the rest.
    """
    _bring_forward(session)
    for key in KEYS:
        newest = newest_version(session, key)
        if newest is None or (_is_ours(session, newest) and newest.source != _source(key)):
            _publish(session, key, newest, now)
    found = newest_version(session, PROJECT_UPDATE)
    assert found is not None
    return found


def _publish(session: Session, key: str, newest: FormVersion | None, now: datetime) -> None:
    form = builtin_form(key)
    if newest is not None and newest.definition == to_document(form):
        newest.source = _source(key)  # the file was written otherwise, and asks the same
        session.add(newest)
        session.flush()
        return
    publish(session, form, now=now, source=_source(key))


def _is_ours(session: Session, newest: FormVersion) -> bool:
    """Neither followed by a version of the office, nor taken out of use."""
    return newest.published_by is None and session.get_one(Form, newest.form_id).retired_at is None


def _source(key: str) -> str:
    return f"{key}.md {sha256(builtin_file(key)).hexdigest()[:16]}"


def _bring_forward(session: Session) -> None:
    """Definitions of before XLSForm, and the answers that were given to them."""
    for version in session.exec(select(FormVersion)).all():
        if is_first(version.definition):
            _rewrite(session, version)


def _rewrite(session: Session, version: FormVersion) -> None:
    document: Mapping[str, Any] = version.definition
    updates = session.exec(select(Update).where(Update.form_version_id == version.id)).all()
    drafts = session.exec(select(Draft).where(Draft.form_version_id == version.id)).all()
    for update in updates:
        update.answers = first_answers(document, update.answers)
    for draft in drafts:
        draft.answers = first_answers(document, draft.answers)
        draft.step = f"={draft.step}" if draft.step in FIRST_STEPS else draft.step
    session.add_all([*updates, *drafts])
    version.definition = to_document(first_definition(document))
    session.add(version)
    session.flush()
