"""Communications: what staff write first. The list, the draft, its text and files. The rules are in `answering`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from sqlmodel import Session
from starlette.responses import Response

from answering import circulars as rules
from answering.circular_words import LONGEST_SUBJECT, OFFERED
from answering.circulars import LONGEST, Files, Written
from answering.refusal import Refused
from desk import denied
from desk.circular_page import Version, act, address, show, the_draft, the_head
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, Actor, FormNumber, House, Id, Page, Reader, Refuse, redirect, render, speaker
from desk.question_files import Going, going_along, hold, stored
from desk.security import SignedIn
from storage import circulars
from storage.addressees import Heap
from storage.people import is_here
from storage.recipients import Wanted
from storage.tables import Attachment, Circular, Referent

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Sent:
    """The form as it was sent. `keep`: files of an earlier try that still go along."""

    written: Written
    file: Sequence[UploadFile]
    keep: tuple[int, ...]

    def files(self, house: DeskHouse) -> Files:
        return Files(stored(house, self.file, len(self.keep)), self.keep)


def _sent(
    subject: Annotated[str, Form()] = "",
    text: Annotated[str, Form()] = "",
    subject_en: Annotated[str, Form()] = "",
    text_en: Annotated[str, Form()] = "",
    file: Annotated[list[UploadFile] | None, File()] = None,
    keep: Annotated[list[int] | None, Form()] = None,
) -> Sent:
    written = Written(subject, text, subject_en, text_en)
    return Sent(written, file or (), tuple(one for one in keep or () if 0 < one < BEYOND))


FromForm = Annotated[Sent, Depends(_sent)]


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
def begin(request: Request, house: House, signed: Actor, sent: FromForm, to: FormNumber = 0) -> Response:
    try:
        files = sent.files(house)
        with house.database.write() as session:
            person = _person(session, to)
            wanted = Wanted(added=(person.id,)) if person else Wanted()
            draft = rules.begin(session, signed.staff_id, sent.written, now=house.clock(), wanted=wanted, files=files)
            number = draft.id
    except Refused as no:
        return _again(request, house, signed, sent, no, to=to)
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
def write(request: Request, house: House, signed: Actor, circular_id: Id, sent: FromForm, version: Version) -> Response:
    with house.database.read() as session:
        the_head(session, circular_id)
    try:
        files, now = sent.files(house), house.clock()
        with house.database.write() as session:
            rules.write(session, circular_id, signed.staff_id, sent.written, version=version, now=now, files=files)
    except Refused as no:
        return _again(request, house, signed, sent, no, number=circular_id, version=version)
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
    signed: SignedIn,
    sent: Sent,
    no: Refused,
    *,
    to: int = 0,
    number: int | None = None,
    version: int = 0,
) -> Response:
    """The form with everything that was typed and chosen, why not, and what a colleague has saved since."""
    denied.refused(request, no)
    problem = speaker(request)(no.sentence, **no.values)
    kept = hold(house, signed.staff_id, sent.file, sent.keep).kept
    with house.database.read() as session:
        now = circulars.find(session, number) if number is not None else None
        theirs = now if now is not None and now.version != version else None
        return _form(
            request,
            session,
            sent.written,
            to=to,
            number=number,
            version=theirs.version if theirs is not None else version,
            files=circulars.files_of(session, number) if number is not None else (),
            going=going_along(session, signed.staff_id, None, kept),
            problem=problem,
            theirs=theirs,
        )


def _form(
    request: Request,
    session: Session,
    written: Written,
    *,
    to: int = 0,
    number: int | None = None,
    version: int = 0,
    files: Sequence[Attachment] = (),
    going: Sequence[Going] = (),
    theirs: Circular | None = None,
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
        going=going,
        theirs=theirs,
        problem=problem,
        places=OFFERED[speaker(request).language],
        longest=LONGEST,
        longest_subject=LONGEST_SUBJECT,
    )
