"""People registered twice: who may be, two side by side. The rules are in `registry/merging.py`, not here."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import BEYOND, House, Id, Manager, Refuse, redirect, render, speaker
from registry.merging import NotThere, merge
from registry.report import RegistryRefused
from storage.desk import asked
from storage.desk_people import ReferentLine, addresses_of, one_referent, referent_lines, referents_page, roles_of
from storage.desk_updates import updates_page
from storage.merging import likely_pairs
from storage.people import is_here, projects_of
from storage.tables import Referent

router = APIRouter()

MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class Side:
    """What is shown of one of the two."""

    person: Referent
    roles: Any
    addresses: Any
    projects: Any
    updates: int
    questions: int


@router.get("/desk/referents/duplicates")
def duplicates(request: Request, house: House, signed: Manager) -> Response:
    with house.database.read() as session:
        pairs = likely_pairs(session)
        ids = {one.id for pair in pairs for one in (pair.one, pair.other)}
        lines: dict[int, ReferentLine] = {line.id: line for line in referent_lines(session, sorted(ids), house.clock())}
        return render(request, "duplicates.html", pairs=pairs, lines=lines)


@router.get("/desk/referents/{referent_id}/merge")
def compare(request: Request, house: House, signed: Manager, referent_id: Id, other: str = "", q: str = "") -> Response:
    """Without `other`: whom to compare them with."""
    with house.database.read() as session:
        one = _here(session, referent_id)
        if other:
            return _side_by_side(request, session, one, _here(session, _number(other)))
        lines, how_many = referents_page(session, house.clock(), q or one.name, limit=MOST_FOUND)
        found = [line for line in lines if line.id != one.id]
        return render(request, "merge_choose.html", one=one, found=found, q=q or one.name, how_many=how_many)


@router.post("/desk/referents/{referent_id}/merge")
def merge_them(
    request: Request,
    house: House,
    signed: Manager,
    referent_id: Id,
    *,
    other: Annotated[str, Form()] = "",
    stays: Annotated[str, Form()] = "",
    sure: Annotated[str, Form()] = "",
) -> Response:
    """`stays` is one of the two; everything of the other becomes theirs."""
    both = {referent_id, _number(other)}
    if not (stays and sure):
        return _ask_again(request, house, referent_id, _number(other), stays)
    kept = _number(stays)
    if kept not in both or len(both) != 2:
        raise Refuse(404)
    (gone,) = both - {kept}
    try:
        with house.database.write() as session:
            name = merge(session, gone, kept, by=signed.staff_id, now=house.clock()).referent.name
    except NotThere as error:
        raise Refuse(404) from error
    except RegistryRefused as refused:
        page = f"/desk/referents/{referent_id}/merge?other={other}"
        return redirect(request, page, refused.say(speaker(request)), level="danger")
    _ = speaker(request)
    return redirect(
        request, f"/desk/referents/{kept}", _("{name} is one person now, with everything of both.", name=name)
    )


def _ask_again(request: Request, house: DeskHouse, referent_id: int, other_id: int, stays: str) -> Response:
    with house.database.read() as session:
        one, other = _here(session, referent_id), _here(session, other_id)
        return _side_by_side(request, session, one, other, stays=stays, status=422)


def _side_by_side(
    request: Request, session: Session, one: Referent, other: Referent, *, stays: str = "", status: int = 200
) -> Response:
    if one.id == other.id:
        raise Refuse(404)
    sides = [_side(session, one), _side(session, other)]
    return render(request, "merge.html", status=status, one=one, sides=sides, stays=stays, asked=status != 200)


def _side(session: Session, person: Referent) -> Side:
    return Side(
        person,
        roles_of(session, person.id),
        addresses_of(session, person.id),
        projects_of(session, person.id),
        updates_page(session, referent_id=person.id, limit=1)[1],
        len(asked(session, referent_id=person.id)),
    )


def _here(session: Session, referent_id: int) -> Referent:
    one = one_referent(session, referent_id)
    if one is None or not is_here(one):
        raise Refuse(404)
    return one


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and 0 < int(text) < BEYOND):
        raise Refuse(404)
    return int(text)
