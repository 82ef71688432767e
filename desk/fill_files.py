"""Files that answer a question of a form: kept on disk, then named by the answer. Refuses what is none of its kind.

Nothing of a file is kept before it is known whose form it is for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session
from starlette.datastructures import UploadFile

from desk.fill_draft import Opened
from desk.fill_reading import FILE
from desk.house import DeskHouse
from desk.pages import N_
from facts.languages import Speaker
from intake.files import PAGE_LIMIT, FileRefused, StoredFile, add_file, store_file
from intake.forms.nodes import ENCLOSING, QuestionType
from intake.forms.values import MOST_ENCLOSED
from storage.attachments import put_in_draft

_KINDS: Mapping[QuestionType, tuple[tuple[str, ...], str]] = {
    QuestionType.IMAGE: (("image/",), N_("A picture is needed here, and this is something else.")),
    QuestionType.AUDIO: (("audio/", "video/"), N_("A recording is needed here, and this is something else.")),
}


@dataclass(frozen=True)
class Arrived:
    """`stored`: by key, in the order in which they came; `refused`: why one was not kept, by key."""

    stored: Mapping[str, list[StoredFile]] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


def arrived(house: DeskHouse, opened: Opened, pairs: Iterable[tuple[str, Any]], _: Speaker) -> Arrived:
    """Keeps the files that came with a form. Needs no transaction, and should have none."""
    stored: dict[str, list[StoredFile]] = {}
    refused: dict[str, str] = {}
    for name, upload in pairs:
        key = name.removeprefix(FILE)
        if not isinstance(upload, UploadFile) or not upload.filename or not _is_for(opened, name, key):
            continue
        there = len(opened.filling.answers.get(key, [])) + len(stored.get(key, []))
        try:
            stored.setdefault(key, []).append(_keep(house, opened, key, upload, there))
        except FileRefused as problem:
            refused[key] = _(problem.sentence, **problem.values)
    return Arrived({key: files for key, files in stored.items() if files}, refused)


def _is_for(opened: Opened, name: str, key: str) -> bool:
    return name.startswith(FILE) and key in opened.items and opened.items[key].question.type in ENCLOSING


def _keep(house: DeskHouse, opened: Opened, key: str, upload: UploadFile, there: int) -> StoredFile:
    if there >= MOST_ENCLOSED:
        raise FileRefused(N_("There are {n} files here already: no more fit in one answer."), n=there)
    name, claimed = upload.filename or "", upload.content_type or ""
    found = store_file(house.files, name, claimed, upload.file, limit=PAGE_LIMIT)
    kinds, sentence = _KINDS.get(opened.items[key].question.type, ((), ""))
    if kinds and not found.type_seen.startswith(kinds) and not claimed.startswith(kinds):
        raise FileRefused(sentence)
    return found


def enclose(session: Session, opened: Opened, files: Arrived, now: datetime) -> Opened:
    """The same draft, in which answers name these files too, which go along with it from now on."""
    answers: dict[str, list[int]] = {}
    known = dict(opened.files)
    for key, stored in files.stored.items():
        rows = [add_file(session, one, now=now, referent_id=opened.me.id) for one in stored]
        put_in_draft(session, [row.id for row in rows], opened.work.id)
        answers[key] = [*opened.filling.answers.get(key, []), *(row.id for row in rows)]
        known |= {row.id: row for row in rows}
    if not answers:
        return opened
    return replace(opened.now(opened.filling.change(answers).filling, opened.notes), files=known)
