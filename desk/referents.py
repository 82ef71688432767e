"""The referents: who they are, how they are reached, how they come in. Registers and invites nobody by itself.

A key is shown once, on the page that answers the button, and is kept nowhere.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import House, Id, Manager, Page, Reader, Refuse, redirect, render, speaker
from desk.person_form import Person, form_values, look_over
from desk.phone import may_write_down
from desk.security import SignedIn
from facts.languages import Speaker
from intake.delegation import end
from intake.invitations import Invited, NobodyToInvite, invite, revoke
from registry.referents import add_pec, add_referent
from registry.report import RegistryRefused
from storage import audit
from storage.delegations import held_by, lent_projects, standing_in
from storage.desk import asked
from storage.desk_people import (
    Access,
    access_of,
    addresses_of,
    door_of,
    one_referent,
    reached_by,
    referents_page,
    roles_of,
    unreached_ids,
)
from storage.desk_updates import updates_page
from storage.halts import holding_on
from storage.lending import begun_there
from storage.people import is_here, projects_of, revoke_personal_links
from storage.reply_addresses import revoke_all as revoke_reply_addresses
from storage.tables import Channel

router = APIRouter()

RECENT = 5
LONGEST_PEC = 300  # letters


@router.get("/desk/referents")
def referents(
    request: Request, house: House, signed: Reader, pages: Page, *, q: str = "", unreached: bool = False
) -> Response:
    """`unreached`: only those to whom nothing that we write arrives."""
    with house.database.read() as session:
        lines, total = referents_page(
            session, house.clock(), q, unreached=unreached, limit=pages.size, offset=pages.offset
        )
        return render(
            request,
            "referents.html",
            lines=lines,
            q=q,
            unreached=unreached,
            how_many_unreached=len(unreached_ids(session)),
            pages=pages.counted(total),
        )


@router.get("/desk/referents/new")
def new(request: Request, house: House, signed: Manager, organization: str = "") -> Response:
    with house.database.read() as session:
        return _form(request, session, Person(organization=organization[:200]), house.clock())


@router.post("/desk/referents/new")
def add(
    request: Request,
    house: House,
    signed: Manager,
    *,
    name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    organization: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    which: Annotated[str, Form()] = "all",
    cup: Annotated[list[str] | None, Form()] = None,
    step: Annotated[str, Form()] = "save",
    own_pec: Annotated[str, Form()] = "",
) -> Response:
    person = Person(name, email, organization, role, which == "chosen", cup or (), own_pec=own_pec)
    _ = speaker(request)
    if look_over(person, _, ("name", "email", "organization"), saving=step == "save"):
        saved = _add(house, signed.staff_id, person, _)
        if saved is not None:
            return redirect(request, f"/desk/referents/{saved}", _("{name} is registered. Now invite them.", name=name))
    with house.database.read() as session:
        return _form(request, session, person, house.clock(), status=422 if person.errors else 200)


def _add(house: DeskHouse, staff_id: int, person: Person, _: Speaker) -> int | None:
    """The new referent's id; None when the registry refuses, with its sentence beside the field it is about."""
    try:
        with house.database.write() as session:
            referent = add_referent(
                session,
                now=house.clock(),
                actor=("staff", staff_id),
                name=person.name,
                email=person.email,
                organization=person.organization,
                role=person.role,
                cups=person.followed,
                own_pec=person.own_pec,
            )
            return referent.id
    except RegistryRefused as refused:
        # Refusals of the address itself come without the field's name.
        person.errors[getattr(refused, "field", "email")] = refused.say(_)
        return None


def _form(request: Request, session: Session, person: Person, now: datetime, *, status: int = 200) -> Response:
    return render(request, "referent_new.html", status=status, **form_values(session, person, now))


@router.get("/desk/referents/{referent_id}")
def referent(request: Request, house: House, signed: Reader, referent_id: Id) -> Response:
    return _page(request, house, signed, referent_id)


@router.post("/desk/referents/{referent_id}/invite")
def invite_them(request: Request, house: House, signed: Manager, referent_id: Id) -> Response:
    """Answers with the page itself: a redirect would have to carry the keys in an address or a cookie."""
    try:
        with house.database.write() as session:
            invited = invite(session, referent_id, house.clock(), house.links, by=signed.staff_id)
    except NobodyToInvite as error:
        raise Refuse(404) from error
    return _page(request, house, signed, referent_id, invited=invited)


@router.get("/desk/referents/{referent_id}/revoke")
def before_revoking(request: Request, house: House, signed: Manager, referent_id: Id) -> Response:
    with house.database.read() as session:
        person = one_referent(session, referent_id)
        if person is None:
            raise Refuse(404)
        access = access_of(session, referent_id, house.clock())
        return render(
            request, "referent_revoke.html", person=person, access=access, open=_is_open(access, house.clock())
        )


@router.post("/desk/referents/{referent_id}/revoke")
def revoke_all(request: Request, house: House, signed: Manager, referent_id: Id) -> Response:
    now = house.clock()
    with house.database.write() as session:
        if one_referent(session, referent_id) is None:
            raise Refuse(404)
        revoke(session, referent_id, now, by=signed.staff_id)
        revoke_personal_links(session, referent_id, now)
        revoke_reply_addresses(session, referent_id, now)
        audit.record(session, now, ("staff", signed.staff_id), "personal-link.revoke", ("referent", referent_id))
    _ = speaker(request)
    return redirect(request, f"/desk/referents/{referent_id}", _("The links no longer open anything."))


@router.post("/desk/referents/{referent_id}/pec")
def add_their_pec(
    request: Request, house: House, signed: Manager, referent_id: Id, pec: Annotated[str, Form()] = ""
) -> Response:
    _ = speaker(request)
    page = f"/desk/referents/{referent_id}"
    try:
        with house.database.write() as session:
            person = one_referent(session, referent_id)
            if person is None or not is_here(person):
                raise Refuse(404)
            kept = add_pec(session, person, pec[:LONGEST_PEC], now=house.clock(), actor=("staff", signed.staff_id))
    except RegistryRefused as refused:
        return redirect(request, page, refused.say(_), level="danger")
    return redirect(request, page, _("What comes from {pec} is theirs from now on.", pec=kept))


@router.get("/desk/referents/{referent_id}/back")
def before_ending_absence(request: Request, house: House, signed: Manager, referent_id: Id) -> Response:
    with house.database.read() as session:
        held = held_by(session, referent_id)
        if held is None:
            raise Refuse(404)
        return render(request, "referent_back.html", held=held, begun=begun_there(session, held))


@router.post("/desk/referents/{referent_id}/back")
def end_absence(request: Request, house: House, signed: Manager, referent_id: Id) -> Response:
    """Their colleague no longer stands in for them; both are told, and a new one can be chosen in the chat."""
    with house.database.write() as session:
        held = held_by(session, referent_id)
        if held is None:
            raise Refuse(404)
        end(session, held, house.clock(), by=("staff", signed.staff_id))
    _ = speaker(request)
    return redirect(request, f"/desk/referents/{referent_id}", _("The absence is over. Both have been told."))


def _page(
    request: Request, house: DeskHouse, signed: SignedIn, referent_id: int, *, invited: Invited | None = None
) -> Response:
    now = house.clock()
    with house.database.read() as session:
        person = one_referent(session, referent_id)
        if person is None:
            raise Refuse(404)
        access = access_of(session, referent_id, now)
        updates, how_many = updates_page(session, referent_id=referent_id, limit=RECENT)
        addresses = addresses_of(session, referent_id)
        values: Mapping[str, Any] = {
            "roles": roles_of(session, referent_id),
            "addresses": addresses,
            "doors": {one.id: door_of(session, one) for one in addresses if one.channel is Channel.TELEGRAM},
            "heir": one_referent(session, person.merged_into_id or person.successor_id or 0),
            "substitute": one_referent(session, person.substitute_id or 0),
            "lent": lent_projects(session, referent_id),
            "halts": holding_on(session, referent_id=referent_id),
            "reached": reached_by(addresses, access.links, person.prefers),
            "projects": projects_of(session, referent_id),
            "away": held_by(session, referent_id),
            "stands_in": standing_in(session, referent_id),
            "questions": asked(session, referent_id=referent_id),
        }
        return render(
            request,
            "referent.html",
            person=person,
            access=access,
            open=_is_open(access, now),
            calls=may_write_down(session, signed, referent_id),
            invited=invited,
            updates=updates,
            how_many_updates=how_many,
            **values,
        )


def _is_open(access: Access, now: datetime) -> bool:
    """Whether the newest invitation can still be accepted."""
    one = access.invitation
    return one is not None and one.used_at is None and one.revoked_at is None and one.expires_at > now
