"""Groups of municipalities: the list, and who is in one. For administrators alone; the rules are in `answering`."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import groups as rules
from answering.refusal import Refused
from desk import denied
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, Admin, House, Id, Refuse, redirect, render, speaker
from facts.provinces import PROVINCES
from storage import groups
from storage.tables import MunicipalityGroup

router = APIRouter()

LIST = "/desk/office/groups"
Text = Annotated[str, Form()]


@router.get("/desk/office/groups")
def list_them(request: Request, house: House, signed: Admin) -> Response:
    return _list(request, house)


@router.post("/desk/office/groups")
def add(request: Request, house: House, signed: Admin, name: Text = "") -> Response:
    try:
        with house.database.write() as session:
            group_id = rules.add_group(session, signed.staff_id, name, now=house.clock()).id
    except Refused as no:
        return _list(request, house, name, _said(request, no))
    _ = speaker(request)
    return redirect(request, f"{LIST}/{group_id}", _("The group is made. Now put municipalities in."))


@router.get("/desk/office/groups/{group_id}")
def one(request: Request, house: House, signed: Admin, group_id: Id, q: str = "") -> Response:
    return _one(request, house, group_id, q)


@router.post("/desk/office/groups/{group_id}")
def rename(request: Request, house: House, signed: Admin, group_id: Id, name: Text = "") -> Response:
    try:
        with house.database.write() as session:
            _found(session, group_id)
            rules.rename(session, group_id, signed.staff_id, name, now=house.clock())
    except Refused as no:
        return _one(request, house, group_id, name=name, problem=_said(request, no))
    return redirect(request, f"{LIST}/{group_id}", speaker(request)(N_("The group is saved.")))


@router.post("/desk/office/groups/{group_id}/members")
def put_in(
    request: Request,
    house: House,
    signed: Admin,
    group_id: Id,
    *,
    organization: Annotated[list[int] | None, Form()] = None,
    province: Text = "",
) -> Response:
    chosen = [one for one in organization or () if 0 < one < BEYOND]
    try:
        with house.database.write() as session:
            _found(session, group_id)
            count = rules.put_in(session, group_id, signed.staff_id, chosen, _code(province), now=house.clock())
    except Refused as no:
        return _one(request, house, group_id, problem=_said(request, no))
    _ = speaker(request)
    said = _.ngettext("One municipality more.", "{n} municipalities more.", count) if count else _("All were there.")
    return redirect(request, f"{LIST}/{group_id}", said)


@router.post("/desk/office/groups/{group_id}/members/{organization_id}/out")
def take_out(request: Request, house: House, signed: Admin, group_id: Id, organization_id: Id) -> Response:
    with house.database.write() as session:
        _found(session, group_id)
        if not rules.take_out(session, group_id, signed.staff_id, organization_id, now=house.clock()):
            raise Refuse(404)
    return redirect(request, f"{LIST}/{group_id}", speaker(request)(N_("It is no longer in this group.")))


@router.get("/desk/office/groups/{group_id}/drop")
def before_dropping(request: Request, house: House, signed: Admin, group_id: Id) -> Response:
    with house.database.read() as session:
        group = _found(session, group_id)
        held, members = groups.held_by(session, group_id), len(groups.members_of(session, group_id))
        return render(request, "group_drop.html", group=group, held=held, members=members, problem="")


@router.post("/desk/office/groups/{group_id}/drop")
def drop(request: Request, house: House, signed: Admin, group_id: Id) -> Response:
    try:
        with house.database.write() as session:
            name = _found(session, group_id).name
            rules.drop(session, group_id, signed.staff_id, now=house.clock())
    except Refused as no:
        return _one(request, house, group_id, problem=_said(request, no), status=409)
    _ = speaker(request)
    return redirect(request, LIST, _("The group {name} is taken away.", name=name))


# --- the pages


def _list(request: Request, house: DeskHouse, name: str = "", problem: str = "") -> Response:
    with house.database.read() as session:
        rows = groups.all_groups(session)
        return render(request, "groups.html", status=422 if problem else 200, rows=rows, name=name, problem=problem)


def _one(
    request: Request,
    house: DeskHouse,
    group_id: int,
    q: str = "",
    *,
    name: str | None = None,
    problem: str = "",
    status: int = 422,
) -> Response:
    with house.database.read() as session:
        group = _found(session, group_id)
        found, total = groups.outside(session, group_id, q)
        return render(
            request,
            "group.html",
            status=status if problem else 200,
            group=group,
            name=group.name if name is None else name,
            members=groups.members_of(session, group_id),
            found=found,
            total=total,
            q=q,
            provinces=[(code, PROVINCES.get(code, code), n) for code, n in groups.provinces_outside(session, group_id)],
            problem=problem,
        )


def _found(session: Session, group_id: int) -> MunicipalityGroup:
    group = groups.one_group(session, group_id)
    if group is None:
        raise Refuse(404)
    return group


def _code(province: str) -> str:
    """Three digits; of anything else nothing."""
    return province if len(province) == 3 and province.isascii() and province.isdecimal() else ""


def _said(request: Request, no: Refused) -> str:
    denied.refused(request, no)
    return speaker(request)(no.sentence, **no.values)
