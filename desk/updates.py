"""The updates received, and one of them beside the one before. Changes nothing: an update is what it was."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.pages import BEYOND, House, Id, Page, Reader, Refuse, render, speaker
from facts.languages import Language
from intake.catalogue import InUse
from intake.drafting import asked_in, label_of
from intake.forms.nodes import Question
from intake.forms.values import show
from storage import attachments, corrections, reviews
from storage.calls import update_written_down_by
from storage.desk import titles_of
from storage.desk_updates import OneUpdate, one_update, updates_page
from storage.staff import staff_name
from storage.tables import AnswerChange, Referent, Review

router = APIRouter()

Number = Annotated[int | None, Query(ge=1, lt=BEYOND)]


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
    request: Request,
    house: House,
    signed: Reader,
    pages: Page,
    *,
    q: str = "",
    project: Number = None,
    review: Review | None = None,
) -> Response:
    with house.database.read() as session:
        lines, total = updates_page(
            session, q, project_id=project, review=review, limit=pages.size, offset=pages.offset
        )
        title = titles_of(session, [project]).get(project) if project is not None else None
        if project is not None and title is None:
            raise Refuse(404)
        return render(
            request,
            "updates.html",
            lines=lines,
            corrected=_corrected(session, [line.id for line in lines]),
            review=review,
            waiting=reviews.to_check(session),
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
        form = house.catalogue.version(session, one.version.id)
        return render(
            request,
            "update.html",
            one=one,
            said=said_in(one, form, language, house.zone),
            files=files,
            amended=corrections.of_files(session, [file.id for file in files]),
            changes=_changes(session, form, update_id, language),
            remarks=[(_label(form, row.key, language), row) for row in reviews.remarks_on(session, update_id)],
            reviewer=staff_name(session, one.update.reviewed_by),
            written_by=update_written_down_by(session, update_id),
            corrections=[(_label(form, row.field, language), row) for row in corrections.of_update(session, update_id)],
        )


def _corrected(session: Session, ids: list[int]) -> frozenset[int]:
    """In their answers, or by an edited message."""
    return corrections.corrected_updates(session, ids) | reviews.changed_updates(session, ids)


Changed = tuple[str, str, str, AnswerChange, str | None]


def _changes(session: Session, form: InUse, update_id: int, language: Language) -> list[Changed]:
    """Label, before, after, the change itself, and who made it."""
    found = []
    for row in reviews.changes_of(session, update_id):
        question = form.form.at(row.key)
        before, after = row.before.get("value"), row.after.get("value")
        if isinstance(question, Question):
            before, after = (show(form.form, question, one, language) for one in (before, after))
        who = session.get(Referent, row.referent_id) if row.referent_id is not None else None
        found.append((_label(form, row.key, language), str(before), str(after), row, who.name if who else None))
    return found


def said_in(one: OneUpdate, form: InUse, language: Language, zone: str) -> list[Said]:
    """The answers in the order of their form, each with last time's; what the form does not know comes last, raw."""
    answers, before = one.update.answers, one.previous.answers if one.previous else {}
    asked = asked_in(form, answers, at=one.update.received_at, zone=zone)
    said = [
        Said(
            label_of(form.form, key, question, language),
            show(form.form, question, answers.get(key), language),
            show(form.form, question, before.get(key), language) if before else "",
        )
        for key, question in asked
    ]
    known = {key for key, _question in asked}
    return said + [Said(name, str(value)) for name, value in answers.items() if name not in known]


def _label(form: InUse, key: str, language: Language) -> str:
    """What a question is called in the form that was filled in."""
    question = form.form.at(key)
    return label_of(form.form, key, question, language) if isinstance(question, Question) else key
