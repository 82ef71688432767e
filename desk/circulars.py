"""Communications: what staff write first. The list, the draft, its text and files. The rules are in `answering`."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from sqlmodel import Session
from starlette.responses import Response

from answering import circulars as rules
from answering.circular_words import LONGEST_SUBJECT
from answering.circulars import LONGEST, Written
from answering.refusal import Refused
from desk import denied
from desk.circular_page import Version, act, address, show, the_draft, the_head
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, Actor, FormNumber, House, Id, Page, Reader, Refuse, redirect, render, speaker
from desk.question_files import stored
from storage import circulars
from storage.addressees import Heap
from storage.people import is_here
from storage.recipients import Wanted
from storage.tables import Attachment, Referent

router = APIRouter()

Text = Annotated[str, Form()]
Files = Annotated[list[UploadFile] | None, File()]


@router.get("/desk/circulars")
def all_of_them(request: Request, house: House, signed: Reader, pages: Page) -> Response:
    with house.database.read() as session:
        lines, total = circulars.page(session, limit=pages.size, offset=pages.offset)
        return render(request, "circulars.html", lines=lines, pages=pages.counted(total))


@router.get("/desk/circulars/new")
def new(request: Request, house: House, signed: Actor, to: int = 0) -> Response:
    """`to`: the referent it is for, when it is for one."""
    with house.database.read() as session:
        return _form(request, session, Written(), to=to)


@router.post("/desk/circulars/new")
def begin(
    request: Request,
    house: House,
    signed: Actor,
    *,
    subject: Text = "",
    text: Text = "",
    subject_en: Text = "",
    text_en: Text = "",
    to: FormNumber = 0,
    file: Files = None,
) -> Response:
    written = Written(subject, text, subject_en, text_en)
    try:
        files = stored(house, file or ())
        with house.database.write() as session:
            person = _person(session, to)
            wanted = Wanted(added=(person.id,)) if person else Wanted()
            draft = rules.begin(session, signed.staff_id, written, now=house.clock(), wanted=wanted, files=files)
            number = draft.id
    except Refused as no:
        return _again(request, house, written, no, to=to)
    return redirect(request, address(number), speaker(request)(N_("The draft is saved. Nothing has left yet.")))


@router.get("/desk/circulars/{circular_id}")
def circular(
    request: Request, house: House, signed: Reader, circular_id: Id, pages: Page, show_only: Heap = Heap.ALL
) -> Response:
    with house.database.read() as session:
        return show(request, session, signed, circular_id, heap=show_only, pages=pages)


@router.get("/desk/circulars/{circular_id}/text")
def before_writing(request: Request, house: House, signed: Actor, circular_id: Id) -> Response:
    with house.database.read() as session:
        draft = the_draft(session, circular_id)
        return _form(
            request,
            session,
            Written.of(draft),
            number=draft.id,
            version=draft.version,
            files=circulars.files_of(session, draft.id),
        )


@router.post("/desk/circulars/{circular_id}/text")
def write(
    request: Request,
    house: House,
    signed: Actor,
    circular_id: Id,
    *,
    version: Version,
    subject: Text = "",
    text: Text = "",
    subject_en: Text = "",
    text_en: Text = "",
    file: Files = None,
) -> Response:
    with house.database.read() as session:
        the_head(session, circular_id)
    written = Written(subject, text, subject_en, text_en)
    try:
        files = stored(house, file or ())
        with house.database.write() as session:
            rules.write(session, circular_id, signed.staff_id, written, version=version, now=house.clock(), files=files)
    except Refused as no:
        return _again(request, house, written, no, number=circular_id, version=version)
    return redirect(request, address(circular_id), speaker(request)(N_("The text is saved.")))


@router.post("/desk/circulars/{circular_id}/files/{attachment_id}/detach")
def detach(
    request: Request, house: House, signed: Actor, circular_id: Id, attachment_id: Id, version: Version
) -> Response:
    change = partial(rules.detach, attachment_id=attachment_id, version=version, now=house.clock())
    return act(request, house, signed, circular_id, lambda session: change(session, circular_id, signed.staff_id))


@router.post("/desk/circulars/{circular_id}/discard")
def discard(request: Request, house: House, signed: Actor, circular_id: Id, version: Version) -> Response:
    change = partial(rules.discard, version=version, now=house.clock())
    return act(request, house, signed, circular_id, lambda session: change(session, circular_id, signed.staff_id))


@router.post("/desk/circulars/{circular_id}/take-back")
def take_back(request: Request, house: House, signed: Actor, circular_id: Id, version: Version) -> Response:
    change = partial(rules.take_back, version=version, now=house.clock())
    return act(request, house, signed, circular_id, lambda session: change(session, circular_id, signed.staff_id))


@router.post("/desk/circulars/{circular_id}/again")
def again(request: Request, house: House, signed: Actor, circular_id: Id) -> Response:
    """A new draft for those who were not reached."""
    with house.database.read() as session:
        the_head(session, circular_id)
    with house.database.write() as session:
        number = rules.again(session, circular_id, signed.staff_id, now=house.clock()).id
    _ = speaker(request)
    return redirect(
        request, address(number), _("This is a new draft for those who were not reached. Nothing has left yet.")
    )


def _person(session: Session, referent_id: int) -> Referent | None:
    person = session.get(Referent, referent_id) if 0 < referent_id < BEYOND else None
    return person if person is not None and is_here(person) else None


def _again(
    request: Request,
    house: DeskHouse,
    written: Written,
    no: Refused,
    *,
    to: int = 0,
    number: int | None = None,
    version: int = 0,
) -> Response:
    """The form with everything that was typed, and why not. Files have to be chosen again."""
    denied.refused(request, no)
    problem = speaker(request)(no.sentence, **no.values)
    with house.database.read() as session:
        files = circulars.files_of(session, number) if number is not None else ()
        return _form(request, session, written, to=to, number=number, version=version, files=files, problem=problem)


def _form(
    request: Request,
    session: Session,
    written: Written,
    *,
    to: int = 0,
    number: int | None = None,
    version: int = 0,
    files: Sequence[Attachment] = (),
    problem: str = "",
) -> Response:
    person = _person(session, to)
    if to and person is None and not problem:
        raise Refuse(404)
    return render(
        request,
        "circular_write.html",
        status=409 if problem else 200,
        written=written,
        person=person,
        number=number,
        version=version,
        files=files,
        problem=problem,
        longest=LONGEST,
        longest_subject=LONGEST_SUBJECT,
    )
