"""The forms: which are in use, their versions, what is different between two, out of use and back. Rules: `intake`.

Uploading and publishing one is in `desk/forms_upload.py`, its files in `desk/forms_files.py`.
"""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.forms_preview import preview
from desk.pages import BEYOND, House, Id, Manager, Reader, Refuse, redirect, render, speaker
from facts.languages import Language
from intake.forms.document import from_document
from intake.forms.nodes import About
from intake.forms.versions import compare
from intake.publishing import CannotRetire, retire, revive
from storage.forms import (
    VersionLine,
    deadlines_asking,
    form_lines,
    unfinished_by_version,
    version_lines,
    version_numbered,
    waiting_proposals,
)
from storage.tables import Form, FormVersion

router = APIRouter()

Number = Annotated[int, Query(ge=1, lt=BEYOND)]


@router.get("/desk/forms")
def forms(request: Request, house: House, signed: Reader) -> Response:
    with house.database.read() as session:
        lines, waiting = form_lines(session), waiting_proposals(session)
        return render(request, "forms.html", lines=lines, waiting=waiting, About=About)


@router.get("/desk/forms/{form_id}")
def form(request: Request, house: House, signed: Reader, form_id: Id) -> Response:
    with house.database.read() as session:
        one = _form(session, form_id)
        lines = version_lines(session, form_id)
        return render(
            request,
            "forms_form.html",
            one=one,
            about=About(one.about),
            lines=lines,
            came_along={line.number for line in lines if _came_along(one, line)},
            asking=deadlines_asking(session, form_id),
        )


@router.get("/desk/forms/{form_id}/versions/{number}")
def version(
    request: Request, house: House, signed: Reader, form_id: Id, number: Id, *, language: Language | None = None
) -> Response:
    with house.database.read() as session:
        one, row = _form(session, form_id), _version(session, form_id, number)
        shown = preview(house, from_document(row.definition), language or speaker(request).language)
        newest = version_lines(session, form_id)[0].number
        return render(request, "forms_version.html", one=one, row=row, newest=newest, shown=shown)


@router.get("/desk/forms/{form_id}/compare")
def differences(request: Request, house: House, signed: Reader, form_id: Id, *, old: Number, new: Number) -> Response:
    """Of two versions, the older first whichever way round they were chosen."""
    old, new = sorted((old, new))
    with house.database.read() as session:
        one = _form(session, form_id)
        before, after = _version(session, form_id, old), _version(session, form_id, new)
        changes = compare(from_document(before.definition), from_document(after.definition))
        return render(request, "forms_compare.html", one=one, before=before, after=after, changes=changes)


@router.get("/desk/forms/{form_id}/retire")
def before_retiring(request: Request, house: House, signed: Manager, form_id: Id) -> Response:
    with house.database.read() as session:
        one = _form(session, form_id)
        if one.retired_at is not None:
            return redirect(request, f"/desk/forms/{form_id}")
        drafts = sum(unfinished_by_version(session, form_id).values())
        asking = deadlines_asking(session, form_id)
        return render(request, "forms_retire.html", one=one, drafts=drafts, asking=asking)


@router.post("/desk/forms/{form_id}/retire")
def retire_it(request: Request, house: House, signed: Manager, form_id: Id) -> Response:
    _, here = speaker(request), f"/desk/forms/{form_id}"
    try:
        with house.database.write() as session:
            retire(session, _form(session, form_id), by=signed.staff_id, now=house.clock())
    except CannotRetire as refused:
        return redirect(request, here, refused.say(_), level="warning")
    return redirect(request, here, _("The form is retired: nobody begins it any more."))


@router.post("/desk/forms/{form_id}/revive")
def bring_back(request: Request, house: House, signed: Manager, form_id: Id) -> Response:
    with house.database.write() as session:
        revive(session, _form(session, form_id), by=signed.staff_id, now=house.clock())
    _ = speaker(request)
    return redirect(request, f"/desk/forms/{form_id}", _("The form is in use again."))


def _form(session: Session, form_id: int) -> Form:
    found = session.get(Form, form_id)
    if found is None:
        raise Refuse(404)
    return found


def _version(session: Session, form_id: int, number: int) -> FormVersion:
    found = version_numbered(session, form_id, number)
    if found is None:
        raise Refuse(404)
    return found


def _came_along(one: Form, line: VersionLine) -> bool:
    """Whether a version came with Raccordo: see `intake/builtin.py` for what its source is then."""
    return line.by is None and (
        not line.source or bool(re.fullmatch(rf"{re.escape(one.key)}\.md \w{{16}}", line.source))
    )
