"""What helps while an answer is being written: saved answers put into it, and how the referent will see it.

Sends nothing. Every page that comes back has the text, the tick and the files as they were.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from starlette.responses import JSONResponse, Response

from answering import answer as answers
from answering.refusal import Refused
from answering.saved import ready_for
from desk.acting import ActorHere
from desk.answer_preview import seen_by_referent
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, FormNumber, House, Id, Refuse, render, speaker
from desk.question_files import hold
from desk.question_page import Typed, refused, show
from desk.security import SignedIn
from storage.tables import Question

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Draft:
    """The form of an answer as it was sent, not to be sent on yet."""

    text: str
    awaits: bool
    kept: tuple[int, ...]
    files: list[UploadFile]
    version: int

    @property
    def typed(self) -> Typed:
        return Typed(answer=self.text, awaits=self.awaits, kept=self.kept)


def _draft(
    text: Annotated[str, Form()] = "",
    awaits: Annotated[str, Form()] = "",
    keep: Annotated[list[int] | None, Form()] = None,
    file: Annotated[list[UploadFile] | None, File()] = None,
    version: FormNumber = 0,
) -> Draft:
    return Draft(text, bool(awaits), tuple(one for one in keep or () if 0 < one < BEYOND), list(file or ()), version)


Written = Annotated[Draft, Depends(_draft)]


@router.post("/desk/questions/{question_id}/saved")
def insert(
    request: Request,
    house: House,
    signed: ActorHere,
    question_id: Id,
    written: Written,
    saved: FormNumber = 0,
) -> Response:
    """The saved answer, filled in: at the end of the text, or by itself for a script that knows where the cursor is."""
    by_script = "application/json" in request.headers.get("accept", "")
    _there(house, question_id)
    try:
        with house.database.write() as session:
            if not saved:
                raise Refused(N_("Choose a saved answer, then put it into the text."))
            ready = ready_for(session, saved, question_id, signed.staff_id)
    except Refused as no:
        if by_script:
            return JSONResponse({"problem": speaker(request)(no.sentence, **no.values)}, 409)
        return refused(request, house, signed, question_id, no, _held(house, signed, written)[0])
    missing = _missing(request, ready.gaps)
    if by_script:
        return JSONResponse({"text": ready.text, "missing": missing})
    typed, why = _held(house, signed, written)
    text = f"{typed.answer.rstrip()}\n\n{ready.text}" if typed.answer.strip() else ready.text
    typed = replace(typed, answer=text, missing=missing)
    return _again(request, house, signed, question_id, typed, why)


@router.post("/desk/questions/{question_id}/write")
def go_on(request: Request, house: House, signed: ActorHere, question_id: Id, written: Written) -> Response:
    """Back from the preview, to write on."""
    _there(house, question_id)
    return _again(request, house, signed, question_id, *_held(house, signed, written))


@router.post("/desk/questions/{question_id}/preview")
def preview(request: Request, house: House, signed: ActorHere, question_id: Id, written: Written) -> Response:
    _there(house, question_id)
    typed, why = _held(house, signed, written)
    if why is not None:
        return refused(request, house, signed, question_id, why, typed)
    try:
        text = answers.readable(written.text)
        with house.database.read() as session:
            seen = seen_by_referent(session, house, signed.staff_id, question_id, replace(typed, answer=text))
            return render(request, "question_preview.html", typed=typed, version=written.version, seen=seen)
    except Refused as no:
        return refused(request, house, signed, question_id, no, typed)


def _there(house: DeskHouse, question_id: int) -> None:
    with house.database.read() as session:
        if session.get(Question, question_id) is None:
            raise Refuse(404)


def _held(house: DeskHouse, signed: SignedIn, written: Draft) -> tuple[Typed, Refused | None]:
    """What was written, its files kept; and what was not kept, if anything."""
    held = hold(house, signed.staff_id, written.files, written.kept)
    return replace(written.typed, kept=held.kept), held.why


def _again(
    request: Request, house: DeskHouse, signed: SignedIn, question_id: int, typed: Typed, why: Refused | None
) -> Response:
    if why is not None:
        return refused(request, house, signed, question_id, why, typed)
    with house.database.read() as session:
        return show(request, session, signed, question_id, typed=typed)


def _missing(request: Request, gaps: Sequence[str]) -> str:
    """What has to be written by hand; empty when nothing has."""
    _ = speaker(request)
    return _("We do not know this: write it yourself where you read {gaps}.", gaps=", ".join(gaps)) if gaps else ""
