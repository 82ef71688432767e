"""The office and its accounts: what it is called and where it is found, who may sign in. For administrators alone.

A link to choose a password is shown once, on the page that answers the button, and is kept nowhere. Nobody
deactivates themselves, and of two administrators who deactivate each other one comes too late: one always stays.
"""

from dataclasses import asdict, dataclass, field
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from answering import moves
from desk.house import DeskHouse
from desk.labels import LABELS
from desk.pages import N_, Admin, House, Id, Refuse, redirect, render, speaker
from desk.security import NotAllowed, SignedIn, welcome_link
from facts.languages import Speaker
from registry.people import read_email
from registry.report import RegistryRefused
from storage import audit, threads
from storage import staff as accounts
from storage.local_roles import counts_by_person
from storage.people import UNNAMED_OFFICE, the_office
from storage.tables import Office, Role, Staff

router = APIRouter()

MOST_LETTERS = {
    "name": 120,
    "authority": 200,
    "hours": 200,
    "phone": 40,
    "email": 254,
    "controller": 300,
    "dpo_contact": 300,
    "account_name": 120,
    "account_email": 254,
}
ROLES = (Role.READER, Role.VOLUNTEER, Role.OFFICER, Role.ADMIN)
ONESELF = N_("This is your own account: ask another administrator.")
INACTIVE = N_("This account is not active: reactivate it first.")


@dataclass
class Facts:
    """What the form says of the office, with single spaces: it goes into the headers of e-mails too."""

    name: str = ""
    authority: str = ""
    hours: str = ""
    phone: str = ""
    email: str = ""
    controller: str = ""
    dpo_contact: str = ""

    def __post_init__(self) -> None:
        for name, text in asdict(self).items():
            setattr(self, name, " ".join(text.split()))

    @classmethod
    def of(cls, office: Office) -> "Facts":
        kept = cls(**{name: getattr(office, name) for name in cls.__dataclass_fields__})
        kept.name = "" if kept.name == UNNAMED_OFFICE else kept.name
        return kept


@dataclass
class Account:
    """What the form says of a new account."""

    account_email: str = ""
    account_name: str = ""
    account_role: Role = Role.VOLUNTEER


@dataclass
class Shown:
    """What a page has besides what is stored: forms to be corrected, sentences by field, a link shown once."""

    facts: Facts | None = None
    account: Account = field(default_factory=Account)
    errors: dict[str, str] = field(default_factory=dict)
    link: str = ""
    owner: str = ""


@router.get("/desk/office")
def office(request: Request, house: House, signed: Admin) -> Response:
    return _page(request, house, Shown())


@router.post("/desk/office")
def change(
    request: Request,
    house: House,
    signed: Admin,
    *,
    name: Annotated[str, Form()] = "",
    authority: Annotated[str, Form()] = "",
    hours: Annotated[str, Form()] = "",
    phone: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    controller: Annotated[str, Form()] = "",
    dpo_contact: Annotated[str, Form()] = "",
) -> Response:
    _ = speaker(request)
    facts = Facts(name, authority, hours, phone, email, controller, dpo_contact)
    errors = _too_long(asdict(facts), _)
    if not facts.name:
        errors["name"] = _("Write what the office is called.")
    _read_address(errors, "email", facts.email, _)
    if "@" in facts.dpo_contact and " " not in facts.dpo_contact:  # it may be words, a phone number or a page too
        _read_address(errors, "dpo_contact", facts.dpo_contact, _)
    if errors:
        return _page(request, house, Shown(facts=facts, errors=errors), status=422)
    with house.database.write() as session:
        row = the_office(session)
        for key, text in asdict(facts).items():
            setattr(row, key, text)
        session.add(row)
        audit.record(session, house.clock(), ("staff", signed.staff_id), "office.change", ("office", row.id))
    return redirect(request, "/desk/office", _("The facts about the office are saved."))


# --- accounts


@router.post("/desk/office/staff")
def add(
    request: Request,
    house: House,
    signed: Admin,
    *,
    account_email: Annotated[str, Form()] = "",
    account_name: Annotated[str, Form()] = "",
    account_role: Annotated[Role, Form()] = Role.VOLUNTEER,
) -> Response:
    """Answers with the page itself: a redirect would have to carry the link in an address or a cookie."""
    _ = speaker(request)
    account = Account(account_email.strip(), " ".join(account_name.split()), account_role)
    errors = _too_long({"account_email": account.account_email, "account_name": account.account_name}, _)
    if not account.account_name:
        errors["account_name"] = _("Write name and surname.")
    if not account.account_email:
        errors["account_email"] = _("Write the e-mail address.")
    _read_address(errors, "account_email", account.account_email, _)
    person = None if errors else _add(house, signed, account)
    if person is None:
        errors = errors or {"account_email": _("This address has an account already: find it in the list.")}
        return _page(request, house, Shown(account=account, errors=errors), status=422)
    return _with_link(request, house, person)


def _add(house: DeskHouse, signed: SignedIn, account: Account) -> Staff | None:
    """The new account; None when the address has one."""
    now = house.clock()
    with house.database.write() as session:
        person = accounts.add_new_staff(
            session, email=account.account_email, name=account.account_name, role=account.account_role, now=now
        )
        if person is not None:
            role = person.role.value
            audit.record(session, now, ("staff", signed.staff_id), "staff.add", ("staff", person.id), role=role)
        return person


@router.post("/desk/office/staff/{staff_id}/link")
def new_link(request: Request, house: House, signed: Admin, staff_id: Id) -> Response:
    with house.database.write() as session:
        person = session.get(Staff, staff_id)
        if person is None:
            raise Refuse(404)
        if not person.active:
            raise Refuse(409, INACTIVE)
        audit.record(session, house.clock(), ("staff", signed.staff_id), "staff.link", ("staff", staff_id))
    return _with_link(request, house, person)


@router.get("/desk/office/staff/{staff_id}/deactivate")
def before_deactivating(request: Request, house: House, signed: Admin, staff_id: Id) -> Response:
    return _confirm(request, house, signed, staff_id, active=False)


@router.post("/desk/office/staff/{staff_id}/deactivate")
def deactivate(request: Request, house: House, signed: Admin, staff_id: Id) -> Response:
    name = _set_active(house, signed, staff_id, active=False)
    _ = speaker(request)
    return redirect(request, "/desk/office", _("{name} can no longer sign in.", name=name))


@router.get("/desk/office/staff/{staff_id}/reactivate")
def before_reactivating(request: Request, house: House, signed: Admin, staff_id: Id) -> Response:
    return _confirm(request, house, signed, staff_id, active=True)


@router.post("/desk/office/staff/{staff_id}/reactivate")
def reactivate(request: Request, house: House, signed: Admin, staff_id: Id) -> Response:
    name = _set_active(house, signed, staff_id, active=True)
    _ = speaker(request)
    return redirect(request, "/desk/office", _("{name} can sign in again.", name=name))


def _confirm(request: Request, house: DeskHouse, signed: SignedIn, staff_id: int, *, active: bool) -> Response:
    with house.database.read() as session:
        person = session.get(Staff, staff_id)
        if person is None:
            raise Refuse(404)
        if staff_id == signed.staff_id:
            raise Refuse(409, ONESELF)
        in_hand = threads.in_hands_of(session, staff_id)
        return render(request, "office_staff.html", person=person, active=active, in_hand=in_hand)


def _set_active(house: DeskHouse, signed: SignedIn, staff_id: int, *, active: bool) -> str:
    """The person's name. Whoever may no longer sign in is signed out everywhere, for good."""
    now = house.clock()
    if staff_id == signed.staff_id:
        raise Refuse(409, ONESELF)
    with house.database.write() as session:
        if signed.staff_id not in accounts.administrators(session):
            raise NotAllowed
        person = session.get(Staff, staff_id)
        if person is None:
            raise Refuse(404)
        if not accounts.set_active(session, staff_id, active=active):
            raise Refuse(409)
        if not active:
            accounts.end_sessions_of(session, staff_id, now)
            moves.release_all(session, staff_id, signed.staff_id, now=now)
        act = "staff.reactivate" if active else "staff.deactivate"
        audit.record(session, now, ("staff", signed.staff_id), act, ("staff", staff_id))
        return person.name


# --- the page


def _with_link(request: Request, house: DeskHouse, person: Staff) -> Response:
    link = welcome_link(house.links, person, house.secret_key)
    return _page(request, house, Shown(link=link, owner=person.name))


def _page(request: Request, house: DeskHouse, shown: Shown, *, status: int = 200) -> Response:
    _ = speaker(request)
    with house.database.read() as session:
        return render(
            request,
            "office.html",
            status=status,
            facts=shown.facts or Facts.of(the_office(session)),
            account=shown.account,
            e=shown.errors,
            link=shown.link,
            owner=shown.owner,
            staff=accounts.list_staff(session),
            local_roles=counts_by_person(session),
            roles=[(role.value, _(LABELS[Role][role])) for role in ROLES],
        )


def _too_long(texts: dict[str, str], _: Speaker) -> dict[str, str]:
    return {
        name: _("This is too long: keep it within {n} characters.", n=MOST_LETTERS[name])
        for name, text in texts.items()
        if len(text) > MOST_LETTERS[name]
    }


def _read_address(errors: dict[str, str], name: str, text: str, _: Speaker) -> None:
    """Notes what is wrong with an e-mail address, when one is written."""
    try:
        if text and name not in errors:
            read_email(text)
    except RegistryRefused as refused:
        errors[name] = refused.say(_)
