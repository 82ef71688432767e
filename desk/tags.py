"""The words on questions: the list for who arranges them, and those of one question. The rules are in `answering`."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import tags as rules
from answering.refusal import Refused
from desk.acting import ActorHere
from desk.house import DeskHouse
from desk.pages import FormNumber, House, Id, Manager, Refuse, redirect, render, speaker
from desk.question_page import back, refused
from storage.tables import Tag
from storage.tags import all_tags

router = APIRouter()

Text = Annotated[str, Form()]


@router.get("/desk/tags")
def list_them(request: Request, house: House, signed: Manager) -> Response:
    return _list(request, house)


@router.post("/desk/tags")
def add(request: Request, house: House, signed: Manager, name: Text = "") -> Response:
    try:
        with house.database.write() as session:
            rules.add(session, signed.staff_id, name, now=house.clock())
    except Refused as no:
        return _list(request, house, no, typed=name)
    return _saved(request)


@router.post("/desk/tags/{tag_id}")
def rename(request: Request, house: House, signed: Manager, tag_id: Id, name: Text = "") -> Response:
    try:
        with house.database.write() as session:
            _found(session, tag_id)
            rules.rename(session, tag_id, signed.staff_id, name, now=house.clock())
    except Refused as no:
        return _list(request, house, no, renamed=(tag_id, name))
    return _saved(request)


@router.post("/desk/tags/{tag_id}/retire")
def retire(request: Request, house: House, signed: Manager, tag_id: Id) -> Response:
    return _set(request, house, tag_id, signed.staff_id, active=False)


@router.post("/desk/tags/{tag_id}/use")
def use_again(request: Request, house: House, signed: Manager, tag_id: Id) -> Response:
    return _set(request, house, tag_id, signed.staff_id, active=True)


@router.post("/desk/questions/{question_id}/tag")
def put_on(request: Request, house: House, signed: ActorHere, question_id: Id, tag: Text = "") -> Response:
    """By its name, as it stands in the list or as it is written."""
    try:
        with house.database.write() as session:
            rules.put_on(session, question_id, signed.staff_id, tag, now=house.clock())
    except Refused as no:
        return refused(request, house, signed, question_id, no)
    return back(request, question_id)


@router.post("/desk/questions/{question_id}/untag")
def take_off(request: Request, house: House, signed: ActorHere, question_id: Id, tag: FormNumber = 0) -> Response:
    try:
        with house.database.write() as session:
            rules.take_off(session, question_id, signed.staff_id, tag, now=house.clock())
    except Refused as no:
        return refused(request, house, signed, question_id, no)
    return back(request, question_id)


def _set(request: Request, house: DeskHouse, tag_id: int, staff_id: int, *, active: bool) -> Response:
    with house.database.write() as session:
        _found(session, tag_id)
        rules.set_in_use(session, tag_id, staff_id, active=active, now=house.clock())
    return redirect(request, "/desk/tags")


def _saved(request: Request) -> Response:
    _ = speaker(request)
    return redirect(request, "/desk/tags", _("The tag is saved."))


def _list(
    request: Request,
    house: DeskHouse,
    no: Refused | None = None,
    *,
    typed: str = "",
    renamed: tuple[int, str] = (0, ""),
) -> Response:
    problem = "" if no is None else speaker(request)(no.sentence, **no.values)
    with house.database.read() as session:
        return render(
            request,
            "tags.html",
            status=422 if problem else 200,
            rows=all_tags(session),
            problem=problem,
            typed=typed,
            renamed=renamed,
        )


def _found(session: Session, tag_id: int) -> Tag:
    tag = session.get(Tag, tag_id)
    if tag is None:
        raise Refuse(404)
    return tag
