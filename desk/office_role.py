"""The role of a colleague's account, everywhere: another one after a question. One's own is changed by another.

Whoever asks has to be an administrator at the moment of the change, so that one always stays. Their local roles stay as
they are (`desk/entrusting.py`).
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from answering import moves
from desk import account_letters
from desk.house import DeskHouse
from desk.labels import LABELS
from desk.office import ONESELF, ROLES
from desk.pages import N_, Admin, House, Id, Refuse, redirect, render, speaker
from desk.security import NotAllowed, SignedIn
from facts.languages import Language, speaking
from storage import audit
from storage import staff as accounts
from storage.tables import Role, Staff

router = APIRouter()

CHOOSE = N_("Choose one of the roles.")
SAME = N_("This is their role already.")
MOVED = N_("Another administrator has changed this role meanwhile. Look again, then decide.")
MEANS = {
    Role.READER: N_("Reads questions, people and projects, and changes nothing."),
    Role.VOLUNTEER: N_("Answers, and an officer approves; follows updates, writes down calls."),
    Role.OFFICER: N_("Answers and approves; registers people, sets deadlines, writes to many."),
    Role.ADMIN: N_("All that an officer does, and decides on accounts, roles and the office."),
}


@router.get("/desk/office/staff/{staff_id}/role")
def before_changing(request: Request, house: House, signed: Admin, staff_id: Id, to: str = "") -> Response:
    """What the new role means, and a button."""
    with house.database.read() as session:
        person = _colleague(session, signed, staff_id)
        if not to:
            return redirect(request, f"/desk/office/staff/{staff_id}/roles")
        role = _another(person, to)
        return render(request, "office_role.html", person=person, role=role, means=speaker(request)(MEANS[role]))


@router.post("/desk/office/staff/{staff_id}/role")
def change(
    request: Request,
    house: House,
    signed: Admin,
    staff_id: Id,
    to: Annotated[str, Form()] = "",
    was: Annotated[str, Form()] = "",
) -> Response:
    """`was`: the role that whoever decides has seen."""
    with house.database.write() as session:
        if signed.staff_id not in accounts.administrators(session):
            raise NotAllowed
        person = _colleague(session, signed, staff_id)
        role = _another(person, to)
        _change(session, house, signed, person, was, role)
    _ = speaker(request)
    said = _("The role of {name} is now: {role}.", name=person.name, role=_(LABELS[Role][role]).lower())
    return redirect(request, f"/desk/office/staff/{staff_id}/roles", said)


def _change(session: Session, house: DeskHouse, signed: SignedIn, person: Staff, was: str, role: Role) -> None:
    now = house.clock()
    if was != person.role or not accounts.change_role(session, person.id, person.role, role):
        raise Refuse(409, MOVED)
    moves.release_unworkable(session, person.id, signed.staff_id, now=now)
    about = {"role": role.value, "was": was}
    audit.record(session, now, ("staff", signed.staff_id), "staff.role", ("staff", person.id), **about)
    name = speaking(Language(person.language))(LABELS[Role][role]).lower()
    account_letters.tell(session, person, account_letters.ROLE, now, role=name)


def _colleague(session: Session, signed: SignedIn, staff_id: int) -> Staff:
    person = session.get(Staff, staff_id)
    if person is None:
        raise Refuse(404)
    if staff_id == signed.staff_id:
        raise Refuse(409, ONESELF)
    return person


def _another(person: Staff, text: str) -> Role:
    if text not in set(ROLES):
        raise Refuse(422, CHOOSE)
    if person.role == text:
        raise Refuse(409, SAME)
    return Role(text)
