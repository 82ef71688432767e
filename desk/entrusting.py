"""The roles of one colleague: the account's own, and those for a category or a group of municipalities.

For administrators alone; the rules are in `answering/entrusting.py`.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import entrusting as rules
from answering.refusal import Refused
from desk import denied
from desk.house import DeskHouse
from desk.labels import LABELS
from desk.office import ROLES
from desk.pages import BEYOND, N_, Admin, House, Id, Refuse, redirect, render, speaker
from facts.languages import Speaker
from storage.categories import active_categories
from storage.groups import all_groups
from storage.local_roles import Entrusted, roles_of
from storage.tables import Category, Role, Staff

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it was sent."""

    role: str = Role.VOLUNTEER.value
    category: str = ""
    group: str = ""

    def wished(self) -> rules.Wished:
        if self.role not in {one.value for one in Role}:
            raise Refused(N_("Choose reader, volunteer or officer."))
        return rules.Wished(Role(self.role), _number(self.category), _number(self.group))


@router.get("/desk/office/staff/{staff_id}/roles")
def roles(request: Request, house: House, signed: Admin, staff_id: Id) -> Response:
    return _page(request, house, staff_id, Filled())


@router.post("/desk/office/staff/{staff_id}/roles")
def entrust(
    request: Request,
    house: House,
    signed: Admin,
    staff_id: Id,
    *,
    role: Annotated[str, Form()] = "",
    category: Annotated[str, Form()] = "",
    group: Annotated[str, Form()] = "",
) -> Response:
    filled = Filled(role, category, group)
    try:
        with house.database.write() as session:
            _found(session, staff_id)
            rules.entrust(session, staff_id, signed.staff_id, filled.wished(), now=house.clock())
    except Refused as no:
        denied.refused(request, no)
        return _page(request, house, staff_id, filled, speaker(request)(no.sentence, **no.values))
    return redirect(request, _address(staff_id), speaker(request)(N_("Saved. From now on it is so.")))


@router.post("/desk/office/staff/{staff_id}/roles/{role_id}/end")
def take_away(request: Request, house: House, signed: Admin, staff_id: Id, role_id: Id) -> Response:
    try:
        with house.database.write() as session:
            _found(session, staff_id)
            rules.take_away(session, staff_id, signed.staff_id, role_id, now=house.clock())
    except Refused:
        raise Refuse(404) from None
    return redirect(request, _address(staff_id), speaker(request)(N_("This role no longer counts.")))


def _page(request: Request, house: DeskHouse, staff_id: int, filled: Filled, problem: str = "") -> Response:
    _ = speaker(request)
    with house.database.read() as session:
        person, rows = _found(session, staff_id), roles_of(session, staff_id)
        return render(
            request,
            "office_roles.html",
            status=422 if problem else 200,
            person=person,
            rows=[(one.row, in_words(one, _)) for one in rows],
            filled=filled,
            everywhere=[(role.value, _(LABELS[Role][role])) for role in ROLES],
            roles=[(role.value, _(LABELS[Role][role])) for role in rules.GIVEN],
            categories=[(one.id, _named(one, _)) for one in active_categories(session)],
            groups=[(line.group.id, line.group.name) for line in all_groups(session)],
            problem=problem,
        )


def in_words(one: Entrusted, _: Speaker) -> str:
    """One plain sentence of what a local role means."""
    role = _(LABELS[Role][one.row.role]).lower()
    if one.category is not None and one.group is not None:
        return _(
            "In the questions about {category} of the municipalities in {group}: {role}",
            category=_named(one.category, _),
            group=one.group.name,
            role=role,
        )
    if one.category is not None:
        return _("In the questions about {category}: {role}", category=_named(one.category, _), role=role)
    assert one.group is not None
    return _("In the questions of the municipalities in {group}: {role}", group=one.group.name, role=role)


def _named(category: Category, _: Speaker) -> str:
    return category.name_en if _.language == "en" and category.name_en else category.name


def _found(session: Session, staff_id: int) -> Staff:
    person = session.get(Staff, staff_id)
    if person is None:
        raise Refuse(404)
    return person


def _number(text: str) -> int | None:
    """Nothing chosen is None; nonsense is a number that nothing has."""
    if not text:
        return None
    return min(int(text), BEYOND - 1) if text.isascii() and text.isdigit() and len(text) < 12 else BEYOND - 1


def _address(staff_id: int) -> str:
    return f"/desk/office/staff/{staff_id}/roles"
