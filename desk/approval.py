"""What happens to an answer before it leaves: approved, corrected, returned, withdrawn, stopped in time.

The rules are in `answering`, not here.
"""

from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import Response

from answering import approval
from answering.refusal import Refused
from answering.undo import undo
from desk.acting import ActorHere, ManagerHere
from desk.pages import BEYOND, N_, FormNumber, House, Id, speaker
from desk.question_files import hold, stored
from desk.question_page import Typed, back, refused, show
from desk.questions import Text, Version, became_of_it
from storage import proposals

router = APIRouter()


@router.post("/desk/questions/{question_id}/approve")
def approve(
    request: Request,
    house: House,
    signed: ManagerHere,
    question_id: Id,
    *,
    version: Version,
    text: Text = "",
    awaits: Annotated[str, Form()] = "",
    keep: Annotated[list[int] | None, Form()] = None,
    file: Annotated[list[UploadFile] | None, File()] = None,
) -> Response:
    """Sends the answer that waits, as it stands in the box."""
    kept = tuple(one for one in keep or () if 0 < one < BEYOND)
    try:
        files = stored(house, file or (), len(kept))
        with house.database.write() as session:
            message = approval.approve(
                session,
                question_id,
                signed.staff_id,
                text,
                version=version,
                now=house.clock(),
                awaits=bool(awaits),
                files=files,
                kept=kept,
            )
    except Refused as no:
        held = hold(house, signed.staff_id, file or (), kept).kept
        return refused(request, house, signed, question_id, no, Typed(approve=text, awaits=bool(awaits), kept=held))
    return back(request, question_id, *became_of_it(request, house, question_id, message.id))


@router.post("/desk/questions/{question_id}/return")
def give_back(
    request: Request, house: House, signed: ManagerHere, question_id: Id, version: Version, text: Text = ""
) -> Response:
    """`text`: what is to be changed."""
    now = house.clock()
    try:
        with house.database.write() as session:
            approval.give_back(session, question_id, signed.staff_id, text, version=version, now=now)
    except Refused as no:
        return refused(request, house, signed, question_id, no, Typed(remark=text))
    return back(request, question_id, speaker(request)(N_("The answer is returned, with your remark.")))


@router.post("/desk/questions/{question_id}/withdraw")
def withdraw(request: Request, house: House, signed: ActorHere, question_id: Id, version: Version) -> Response:
    try:
        with house.database.write() as session:
            approval.withdraw(session, question_id, signed.staff_id, version=version, now=house.clock())
    except Refused as no:
        return refused(request, house, signed, question_id, no)
    return back(request, question_id, speaker(request)(N_("The answer is yours again: change it and propose it anew.")))


@router.post("/desk/questions/{question_id}/undo")
def stop(request: Request, house: House, signed: ActorHere, question_id: Id, message: FormNumber = 0) -> Response:
    """Back into its author's box; what was approved waits again, and whoever corrected it has their text."""
    try:
        with house.database.write() as session:
            stopped = undo(session, question_id, message, signed.staff_id, now=house.clock())
    except Refused as no:
        return refused(request, house, signed, question_id, no)
    with house.database.read() as session:
        if proposals.waiting_on(session, question_id) is not None:
            return show(request, session, signed, question_id, typed=Typed(approve=stopped.text))
    return back(request, question_id, speaker(request)(N_("The answer has not left.")))
