"""The updates received, and one of them beside the one before. Changes nothing: an update is what it was."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from desk.pages import House, Id, Page, Reader, Refuse, render, speaker
from facts.languages import Language
from intake.forms import BadDefinition, fits, read_form, show
from storage import attachments, corrections
from storage.desk import OneUpdate, one_update, titles_of, updates_page

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Said:
    """One answer in words. `before` is empty when there is nothing to compare with."""

    label: str
    now: str
    before: str = ""

    @property
    def changed(self) -> bool:
        return bool(self.before) and self.before != self.now


@router.get("/desk/updates")
def updates(
    request: Request, house: House, signed: Reader, pages: Page, q: str = "", project: int | None = None
) -> Response:
    with house.database.read() as session:
        lines, total = updates_page(session, q, project_id=project, limit=pages.size, offset=pages.offset)
        title = titles_of(session, [project]).get(project) if project is not None else None
        if project is not None and title is None:
            raise Refuse(404)
        return render(
            request,
            "updates.html",
            lines=lines,
            corrected=corrections.corrected_updates(session, [line.id for line in lines]),
            q=q,
            project_id=project,
            project=title,
            pages=pages.counted(total),
        )


@router.get("/desk/updates/{update_id}")
def update(request: Request, house: House, signed: Reader, update_id: Id) -> Response:
    with house.database.read() as session:
        one = one_update(session, update_id)
        if one is None:
            raise Refuse(404)
        language, files = speaker(request).language, attachments.of_update(session, update_id)
        return render(
            request,
            "update.html",
            one=one,
            said=said_in(one, language),
            files=files,
            amended=corrections.of_files(session, [file.id for file in files]),
            corrections=[(_label(one, row.field, language), row) for row in corrections.of_update(session, update_id)],
        )


def said_in(one: OneUpdate, language: Language) -> list[Said]:
    """The answers in the order of their form, each with last time's; what the form does not know comes last, raw."""
    answers, before = one.update.answers, one.previous.answers if one.previous else {}
    try:
        fields = read_form(one.version.definition).fields
    except BadDefinition:
        fields = ()
    said = [
        Said(field.label[language], _words(field, answers, language), _words(field, before, language) if before else "")
        for field in fields
    ]
    known = {field.name for field in fields}
    return said + [Said(name, str(value)) for name, value in answers.items() if name not in known]


def _label(one: OneUpdate, name: str, language: Language) -> str:
    """What a field is called in the form that was filled in."""
    try:
        field = read_form(one.version.definition).field(name)
    except BadDefinition:
        field = None
    return field.label[language] if field is not None else name


def _words(field: Any, answers: dict[str, Any], language: Language) -> str:
    value = answers.get(field.name)
    if value is None or fits(field, value):
        return show(field, value, language)
    return str(value)  # an answer of another version of the form: as it is, rather than nothing
