"""What a referent belongs to and follows: added, taken away. The rules are in `registry/memberships.py`, not here."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import N_, House, Id, Manager, Refuse, redirect, render, speaker
from desk.person_form import Person, form_values, look_over
from desk.security import SignedIn
from facts.languages import Speaker
from registry.memberships import Joining, NotThere, drop_project, join, part
from registry.report import RegistryRefused
from storage.delegations import held_with
from storage.desk_people import one_referent
from storage.memberships import membership_of, only_there, own_following
from storage.tables import Organization, Project, Referent

router = APIRouter()


@router.get("/desk/referents/{referent_id}/join")
def before_joining(request: Request, house: House, signed: Manager, referent_id: Id) -> Response:
    return _join_page(request, house, referent_id, Person())


@router.post("/desk/referents/{referent_id}/join")
def join_one(
    request: Request,
    house: House,
    signed: Manager,
    referent_id: Id,
    *,
    organization: Annotated[str, Form()] = "",
    new_actor: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    which: Annotated[str, Form()] = "all",
    cup: Annotated[list[str] | None, Form()] = None,
    step: Annotated[str, Form()] = "save",
) -> Response:
    person = Person("", "", organization, role, which == "chosen", cup or (), bool(new_actor))
    _ = speaker(request)
    if look_over(person, _, ("organization",), saving=step == "save"):
        called = _join(house, signed, referent_id, person, _)
        if called is not None:
            return redirect(request, f"/desk/referents/{referent_id}", _("Added: {name}.", name=called))
    return _join_page(request, house, referent_id, person, status=422 if person.errors else 200)


def _join(house: DeskHouse, signed: SignedIn, referent_id: int, person: Person, _: Speaker) -> str | None:
    """The organisation's name; None when the registry refuses, with its sentence beside the field it is about."""
    joining = Joining(person.organization, person.role, person.followed, person.new_actor)
    try:
        with house.database.write() as session:
            return join(session, referent_id, joining, by=signed.staff_id, now=house.clock()).name
    except NotThere as error:
        raise Refuse(404) from error
    except RegistryRefused as refused:
        person.errors[getattr(refused, "field", "organization")] = refused.say(_)
        return None


def _join_page(request: Request, house: DeskHouse, referent_id: int, person: Person, *, status: int = 200) -> Response:
    with house.database.read() as session:
        one = _referent(session, referent_id)
        values = form_values(session, person, house.clock())
        return render(request, "referent_join.html", status=status, one=one, **values)


@router.get("/desk/referents/{referent_id}/part/{organization_id}")
def before_parting(request: Request, house: House, signed: Manager, referent_id: Id, organization_id: Id) -> Response:
    with house.database.read() as session:
        one = _referent(session, referent_id)
        if membership_of(session, referent_id, organization_id) is None:
            raise Refuse(404)
        return render(
            request,
            "referent_part.html",
            one=one,
            organization=session.get_one(Organization, organization_id),
            projects=only_there(session, referent_id, organization_id),
            delegations=held_with(session, referent_id),
        )


@router.post("/desk/referents/{referent_id}/part/{organization_id}")
def part_with(request: Request, house: House, signed: Manager, referent_id: Id, organization_id: Id) -> Response:
    try:
        with house.database.write() as session:
            part(session, referent_id, organization_id, by=signed.staff_id, now=house.clock())
    except NotThere as error:
        raise Refuse(404) from error
    return redirect(request, f"/desk/referents/{referent_id}", speaker(request)(N_("The organisation is taken away.")))


@router.get("/desk/referents/{referent_id}/unfollow/{project_id}")
def before_unfollowing(request: Request, house: House, signed: Manager, referent_id: Id, project_id: Id) -> Response:
    with house.database.read() as session:
        one = _referent(session, referent_id)
        if own_following(session, referent_id, project_id) is None:
            raise Refuse(404)
        return render(request, "referent_unfollow.html", one=one, project=session.get_one(Project, project_id))


@router.post("/desk/referents/{referent_id}/unfollow/{project_id}")
def unfollow_it(request: Request, house: House, signed: Manager, referent_id: Id, project_id: Id) -> Response:
    try:
        with house.database.write() as session:
            drop_project(session, referent_id, project_id, by=signed.staff_id, now=house.clock())
    except NotThere as error:
        raise Refuse(404) from error
    return redirect(request, f"/desk/referents/{referent_id}", speaker(request)(N_("They follow the project no more.")))


def _referent(session: Session, referent_id: int) -> Referent:
    one = one_referent(session, referent_id)
    if one is None:
        raise Refuse(404)
    return one
