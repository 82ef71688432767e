"""Somebody is no contact any more: who takes over, and what. The rules are in `registry/handing_over.py`, not here."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import BEYOND, House, Id, Manager, Refuse, redirect, render, speaker
from desk.person_form import MOST_LETTERS
from registry.handing_over import InField, NotThere, Taking, hand_over, look
from storage.desk_people import one_referent
from storage.handing_over import colleagues, load_of
from storage.people import is_here
from storage.tables import Referent

router = APIRouter()

SOMEBODY_NEW = "new"


@router.get("/desk/referents/{referent_id}/hand-over")
def before(request: Request, house: House, signed: Manager, referent_id: Id) -> Response:
    with house.database.read() as session:
        load = load_of(session, _leaver(session, referent_id).id)
        everything = Taking(None, "", "", [one.id for one in load.organizations], [one.id for one in load.projects])
        return _form(request, session, referent_id, everything)


@router.post("/desk/referents/{referent_id}/hand-over")
def change_hands(
    request: Request,
    house: House,
    signed: Manager,
    referent_id: Id,
    *,
    successor: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    organization: Annotated[list[str] | None, Form()] = None,
    project: Annotated[list[str] | None, Form()] = None,
    step: Annotated[str, Form()] = "check",
    sure: Annotated[str, Form()] = "",
) -> Response:
    """`step=check` shows what would happen; `save` does it, when the box is ticked."""
    taking = Taking(
        None if successor in ("", SOMEBODY_NEW) else _number(successor),
        name[: MOST_LETTERS["name"]],
        email[: MOST_LETTERS["email"]],
        [_number(one) for one in organization or ()],
        [_number(one) for one in project or ()],
    )
    try:
        if step != "save" or not sure:
            return _check(request, house, referent_id, taking, asked=step == "save")
        with house.database.write() as session:
            heir = hand_over(session, referent_id, taking, links=house.links, by=signed.staff_id, now=house.clock())
            called, page = heir.name, f"/desk/referents/{heir.id}"
    except NotThere as error:
        raise Refuse(404) from error
    except InField as refused:
        with house.database.read() as session:
            said = {refused.field: refused.say(speaker(request))}
            return _form(request, session, referent_id, taking, errors=said)
    _ = speaker(request)
    return redirect(request, page, _("{name} takes over. Both have been told.", name=called))


def _check(request: Request, house: DeskHouse, referent_id: int, taking: Taking, *, asked: bool) -> Response:
    """`asked`: it was to be done, without saying that they are sure."""
    with house.database.read() as session:
        leaver = _leaver(session, referent_id)
        preview = look(session, referent_id, taking)
        return render(
            request,
            "hand_over_check.html",
            status=422 if asked else 200,
            one=leaver,
            preview=preview,
            taking=taking,
            asked=asked,
        )


def _form(
    request: Request, session: Session, referent_id: int, taking: Taking, *, errors: dict[str, str] | None = None
) -> Response:
    leaver = _leaver(session, referent_id)
    load = load_of(session, referent_id)
    people: Sequence[Referent] = colleagues(session, referent_id)
    return render(
        request,
        "hand_over.html",
        status=422 if errors else 200,
        one=leaver,
        load=load,
        people=people,
        taking=taking,
        errors=errors or {},
    )


def _leaver(session: Session, referent_id: int) -> Referent:
    one = one_referent(session, referent_id)
    if one is None or not is_here(one):
        raise Refuse(404)
    return one


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and 0 < int(text) < BEYOND):
        raise Refuse(404)
    return int(text)
