"""What staff make of an update: good, or sent back with remarks on single answers. The rules are in `intake`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import N_, Actor, FormNumber, House, Id, Manager, Refuse, redirect, refusal, render, speaker
from facts.languages import Language
from intake import reviewing
from intake.catalogue import InUse
from intake.drafting import asked_in, label_of
from intake.forms.nodes import Question
from intake.forms.plan import is_asked
from intake.forms.values import show
from intake.reviewing import LONGEST_REMARK, MovedOn, NobodyThere
from storage.desk_updates import OneUpdate, one_update
from storage.tables import Review

router = APIRouter()

MOST_FIELDS = 6_000  # a form has 5,000 rows at most


async def _remarks(request: Request) -> dict[str, str]:
    """By key, of the fields `remark:<key>`."""
    form = await request.form(max_fields=MOST_FIELDS)
    return {
        name.removeprefix("remark:"): str(text).replace("\x00", "").strip()
        for name, text in form.items()
        if name.startswith("remark:")
    }


Revision = FormNumber
Remarks = Annotated[dict[str, str], Depends(_remarks)]


class Move(Protocol):
    def __call__(self, session: Session, update_id: int, revision: int, *, by: int, now: datetime) -> None: ...


MOVED = N_("This update was corrected or checked by somebody else meanwhile: look at it again.")


@router.post("/desk/updates/{update_id}/accept")
def accept(request: Request, house: House, signed: Manager, update_id: Id, revision: Revision) -> Response:
    return _move(request, house, update_id, (reviewing.accept, revision, signed.staff_id))


@router.post("/desk/updates/{update_id}/reopen")
def reopen(request: Request, house: House, signed: Manager, update_id: Id, revision: Revision) -> Response:
    return _move(request, house, update_id, (reviewing.reopen, revision, signed.staff_id))


def _move(request: Request, house: DeskHouse, update_id: int, move: tuple[Move, int, int]) -> Response:
    how, revision, staff_id = move
    _ = speaker(request)
    try:
        with house.database.write() as session:
            _there(session, update_id)
            how(session, update_id, revision, by=staff_id, now=house.clock())
    except MovedOn:
        return redirect(request, f"/desk/updates/{update_id}", _(MOVED), level="warning")
    accepted = how is reviewing.accept
    said = _("Accepted. The referent can no longer correct it.") if accepted else _("To be checked again.")
    return redirect(request, f"/desk/updates/{update_id}", said)


@router.get("/desk/updates/{update_id}/return")
def before_returning(request: Request, house: House, signed: Actor, update_id: Id) -> Response:
    with house.database.read() as session:
        return _page(request, house, session, update_id, {}, "")


@router.post("/desk/updates/{update_id}/return")
def give_back(
    request: Request, house: House, signed: Actor, update_id: Id, revision: Revision, remarks: Remarks
) -> Response:
    what = (signed.staff_id, update_id, revision)
    with house.database.write() as session:
        return _give_back(request, house, session, what, remarks)


def _give_back(
    request: Request, house: DeskHouse, session: Session, what: tuple[int, int, int], given: Mapping[str, str]
) -> Response:
    staff_id, update_id, revision = what
    _ = speaker(request)
    one = _there(session, update_id)
    form = house.catalogue.version(session, one.version.id)
    asked = {key for key, _question in _answerable(form, one, house.zone)}
    remarks = {key: text for key, text in given.items() if text and key in asked}
    problem = _problem(remarks)
    if problem:
        return _page(request, house, session, update_id, given, problem)
    if one.update.revision != revision or one.update.review is Review.ACCEPTED:
        return redirect(request, f"/desk/updates/{update_id}", _(MOVED), level="warning")
    try:
        reviewing.give_back(session, one.update, form, remarks, by=staff_id, now=house.clock())
    except NobodyThere:
        return refusal(request, 409, _("The referent is no longer here: there is nobody to send it back to."))
    except MovedOn:
        return redirect(request, f"/desk/updates/{update_id}", _(MOVED), level="warning")
    return redirect(request, f"/desk/updates/{update_id}", _("Sent back: the referent is asked just this."))


def _problem(remarks: Mapping[str, str]) -> str:
    """The sentence for the top of the page; "" when there is something to be asked."""
    if not remarks:
        return N_("Write at least one remark, beside the answer it is about.")
    if max(map(len, remarks.values())) > LONGEST_REMARK:
        return N_("A remark is too long: keep it within {n} characters.")
    return ""


def _page(
    request: Request, house: DeskHouse, session: Session, update_id: int, given: Mapping[str, str], problem: str
) -> Response:
    one, _ = _there(session, update_id), speaker(request)
    form = house.catalogue.version(session, one.version.id)
    return render(
        request,
        "update_return.html",
        status=422 if problem else 200,
        one=one,
        answers=_answers(form, one, house.zone, _.language),
        given=given,
        problem=_(problem, n=LONGEST_REMARK) if problem else "",
    )


def _answers(form: InUse, one: OneUpdate, zone: str, language: Language) -> list[tuple[str, str, str]]:
    """Key, label, and what was answered."""
    answers = one.update.answers
    return [
        (key, label_of(form.form, key, question, language), show(form.form, question, answers.get(key), language))
        for key, question in _answerable(form, one, zone)
    ]


def _answerable(form: InUse, one: OneUpdate, zone: str) -> list[tuple[str, Question]]:
    """What a person could answer anew: nobody can be asked about what the form reckons by itself."""
    found = asked_in(form, one.update.answers, at=one.update.received_at, zone=zone)
    return [(key, question) for key, question in found if is_asked(question)]


def _there(session: Session, update_id: int) -> OneUpdate:
    found = one_update(session, update_id)
    if found is None:
        raise Refuse(404)
    return found
