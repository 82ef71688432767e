"""From a file to a form in use: upload it, see what is wrong or how it looks, publish it. The rules: `intake`.

The file is read outside of any transaction: a large one takes seconds, and all others would wait for them.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, File, Request, UploadFile
from sqlmodel import Session
from starlette.responses import Response

from desk.forms_preview import preview
from desk.house import DeskHouse
from desk.pages import N_, FormNumber, House, Id, Manager, Reader, Refuse, redirect, render, speaker
from desk.security import SignedIn
from facts.languages import Language, Speaker
from intake.file_names import safe_name
from intake.forms.builtin import KEYS, builtin_form
from intake.forms.document import from_document
from intake.forms.nodes import Definition
from intake.forms.versions import Change, compare
from intake.forms.xlsform.files import EMPTY, too_large
from intake.forms.xlsform.findings import Finding
from intake.forms.xlsform.reading import read_xlsform
from intake.publishing import CannotPublish, discard, hindrance, propose, publish_proposal
from storage.forms import (
    deadlines_asking,
    form_with,
    hold_proposal,
    newest_version,
    proposal,
    unfinished_by_version,
)
from storage.tables import Deadline, FormProposal, FormVersion
from storage.tables import Form as FormRow

router = APIRouter()

NO_FILE = N_("Choose the file first.")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a proposal stands to what is in use. `row` and `newest` are None for a form that is new.

    `latest` are the active deadlines that ask the newest version, `fixed` those that keep to theirs.
    """

    row: FormRow | None
    newest: FormVersion | None
    changes: tuple[Change, ...] = ()
    refused: CannotPublish | None = None
    drafts: int = 0
    latest: tuple[Deadline, ...] = ()
    fixed: tuple[Deadline, ...] = ()


@router.get("/desk/forms/new")
def new(request: Request, signed: Manager) -> Response:
    return _upload_page(request)


@router.post("/desk/forms/new")
def upload(
    request: Request, house: House, signed: Manager, file: Annotated[UploadFile | None, File()] = None
) -> Response:
    _ = speaker(request)
    content, error = _content(file, _)
    if file is None or error:
        return _upload_page(request, error)
    name = safe_name(file.filename or "")
    reading = read_xlsform(content, name, language=_.language)
    with house.database.write() as session:
        kept = propose(session, reading, name=name, content=content, by=signed.staff_id, now=house.clock())
        url = f"/desk/forms/proposals/{kept.id}"
    return redirect(request, url)


@router.get("/desk/forms/proposals/{proposal_id}")
def look(
    request: Request, house: House, signed: Reader, proposal_id: Id, *, language: Language | None = None
) -> Response:
    with house.database.read() as session:
        row = _proposal(session, proposal_id)
        if row.version_id is not None:
            return redirect(request, _url_of(session, row.version_id))
        name, content, document = row.name, row.content, row.definition
    reading = read_xlsform(content, name, language=speaker(request).language)
    if not document:
        return render(request, "forms_problems.html", row=row, problems=reading.problems, warnings=reading.warnings)
    return _ready_page(request, house, row, from_document(document), reading.warnings, language)


@router.get("/desk/forms/proposals/{proposal_id}/publish")
def before_publishing(request: Request, house: House, signed: Manager, proposal_id: Id) -> Response:
    here = f"/desk/forms/proposals/{proposal_id}"
    with house.database.read() as session:
        row = _proposal(session, proposal_id)
        if row.version_id is not None or not row.definition:
            return redirect(request, here)
        form = from_document(row.definition)
        standing = _standing(session, form)
        if standing.refused is not None:
            return redirect(request, here)
        return render(request, "forms_publish.html", row=row, form=form, standing=standing)


@router.post("/desk/forms/proposals/{proposal_id}/publish")
def publish_it(request: Request, house: House, signed: Manager, proposal_id: Id, after: FormNumber) -> Response:
    _ = speaker(request)
    try:
        with house.database.write() as session:
            url, title = _publish(session, house, signed, proposal_id, after)
    except CannotPublish as refused:
        return redirect(request, f"/desk/forms/proposals/{proposal_id}", refused.say(_), level="warning")
    return redirect(request, url, _("“{title}” is published.", title=title))


@router.post("/desk/forms/proposals/{proposal_id}/discard")
def throw_away(request: Request, house: House, signed: Manager, proposal_id: Id) -> Response:
    with house.database.write() as session:
        row = hold_proposal(session, proposal_id)
        if row is None or row.version_id is not None:
            raise Refuse(404)
        discard(session, row, by=signed.staff_id, now=house.clock())
    _ = speaker(request)
    return redirect(request, "/desk/forms", _("The file is thrown away. Nothing else is changed."))


def _content(file: UploadFile | None, _: Speaker) -> tuple[bytes, str]:
    """The bytes, or a sentence. How many they are is known before one of them is read."""
    if file is None or not file.filename:
        return b"", _(NO_FILE)
    if not file.size:
        return b"", _(EMPTY)
    large = too_large(file.size)
    return (file.file.read(), "") if large is None else (b"", large.say(_))


def _publish(session: Session, house: DeskHouse, signed: SignedIn, proposal_id: int, after: int) -> tuple[str, str]:
    row = hold_proposal(session, proposal_id)
    if row is None or not row.definition:
        raise Refuse(404)
    if row.version_id is not None:  # pressed twice
        version = session.get_one(FormVersion, row.version_id)
    else:
        version = publish_proposal(session, row, by=signed.staff_id, now=house.clock(), after=after)
    return _url_of(session, version.id), session.get_one(FormRow, version.form_id).title


def _standing(session: Session, form: Definition) -> Standing:
    row, newest = form_with(session, form.key), newest_version(session, form.key)
    refused = hindrance(session, form)
    if row is None or newest is None:
        return Standing(None, None, refused=refused)
    asking = deadlines_asking(session, row.id)
    return Standing(
        row,
        newest,
        changes=compare(from_document(newest.definition), form),
        refused=refused,
        drafts=sum(unfinished_by_version(session, row.id).values()),
        latest=tuple(one for one, number in asking if number is None),
        fixed=tuple(one for one, number in asking if number is not None),
    )


def _proposal(session: Session, proposal_id: int) -> FormProposal:
    found = proposal(session, proposal_id)
    if found is None:
        raise Refuse(404)
    return found


def _url_of(session: Session, version_id: int) -> str:
    version = session.get_one(FormVersion, version_id)
    return f"/desk/forms/{version.form_id}/versions/{version.number}"


def _upload_page(request: Request, error: str = "") -> Response:
    beginnings = [(key, builtin_form(key).title) for key in KEYS]
    return render(request, "forms_new.html", status=422 if error else 200, error=error, beginnings=beginnings)


def _ready_page(
    request: Request,
    house: DeskHouse,
    row: FormProposal,
    form: Definition,
    warnings: tuple[Finding, ...],
    language: Language | None,
) -> Response:
    with house.database.read() as session:
        return render(
            request,
            "forms_proposal.html",
            row=row,
            form=form,
            warnings=warnings,
            standing=_standing(session, form),
            shown=preview(house, form, language or speaker(request).language),
        )
