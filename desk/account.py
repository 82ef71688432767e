"""One's own account: name, language, notices, password, and where one is signed in. Touches nobody else's."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk import account_letters, account_notices, second_factor, security
from desk.browsers import browser_of
from desk.house import DeskHouse
from desk.pages import House, Id, Reader, Refuse, redirect, render, speaker
from desk.proving import password_proven
from desk.security import SignedIn
from desk.sign_in import password_problem
from facts.languages import Language, Speaker, speaking
from storage import audit
from storage import second_factors as factors
from storage import staff as accounts
from storage.tables import Staff, StaffSession

router = APIRouter()

PAGE = "/desk/account"
NAME_MOST = 120
LANGUAGES = (("it", "Italiano"), ("en", "English"))


@dataclass(frozen=True, slots=True)
class Place:
    """A browser in which one is signed in, in words."""

    row: StaffSession
    browser: str
    here: bool


@dataclass
class Shown:
    """What the page has besides what is stored: a name to be corrected, sentences by field."""

    name: str | None = None
    errors: dict[str, str] = field(default_factory=dict)


@router.get("/desk/account")
def account(request: Request, house: House, signed: Reader) -> Response:
    return _page(request, house, signed, Shown())


@router.post("/desk/account")
def change(
    request: Request,
    house: House,
    signed: Reader,
    *,
    name: Annotated[str, Form()] = "",
    language: Annotated[Language, Form()] = Language.IT,
    notices: Annotated[str, Form()] = "",
) -> Response:
    _ = speaker(request)
    plain = " ".join(name.split())
    if not plain or len(plain) > NAME_MOST:
        error = _("Write name and surname, within {n} characters.", n=NAME_MOST)
        return _page(request, house, signed, Shown(plain, {"name": error}), status=422)
    with house.database.write() as session:
        accounts.change_own(session, signed.staff_id, name=plain, language=language.value, notices=bool(notices))
        _note(session, house, signed, "staff.change-own", signed.staff_id)
    return redirect(request, PAGE, speaking(language)("Saved. From now on it is so."))


@router.post("/desk/account/password")
def change_password(
    request: Request,
    house: House,
    signed: Reader,
    *,
    present: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    repeated: Annotated[str, Form()] = "",
) -> Response:
    """Signs every browser out, this one too, and this one in again with a new key."""
    problem = password_problem(request, password, repeated)
    if problem:
        return _page(request, house, signed, Shown(errors={"password": problem}), status=422)
    with house.database.read() as session:
        proven_hash = session.get_one(Staff, signed.staff_id).password_hash
    refused = password_proven(request, house, signed, present)
    if refused:
        return _page(request, house, signed, Shown(errors={"present": refused}), status=422)
    now = house.clock()
    with house.database.write() as session:
        person = session.get_one(Staff, signed.staff_id)
        # What was proved must still be the password: somebody may have changed it since.
        if person.password_hash != proven_hash or not security.set_password(session, person, password, now):
            raise Refuse(409)
        account_letters.tell(session, person, account_letters.PASSWORD, now)
        token = security.sign_in_as(session, person.id, now, security.whence(request))
    _ = speaker(request)
    response = redirect(request, PAGE, _("Your password is changed. All other browsers are signed out."))
    security.remember(house, response, token)
    return response


# --- where one is signed in


@router.post("/desk/account/sessions/{session_id}/end")
def end(request: Request, house: House, signed: Reader, session_id: Id) -> Response:
    """Another browser of one's own; this one leaves by "Sign out"."""
    if session_id == signed.session_id:
        raise Refuse(409)
    with house.database.write() as session:
        if not accounts.end_session_of(session, signed.staff_id, session_id, house.clock()):
            raise Refuse(404)
        _note(session, house, signed, "staff.session-end", session_id, kind="staff-session")
    _ = speaker(request)
    return redirect(request, f"{PAGE}#sessions", _("That browser is signed out."))


@router.post("/desk/account/sessions/end-others")
def end_others(request: Request, house: House, signed: Reader) -> Response:
    with house.database.write() as session:
        accounts.end_other_sessions(session, signed.staff_id, signed.session_id, house.clock())
        _note(session, house, signed, "staff.sessions-end", signed.staff_id)
    _ = speaker(request)
    return redirect(request, f"{PAGE}#sessions", _("All other browsers are signed out."))


def _note(
    session: Session, house: DeskHouse, signed: SignedIn, act: str, object_id: int, *, kind: str = "staff"
) -> None:
    audit.record(session, house.clock(), ("staff", signed.staff_id), act, (kind, object_id))


# --- the page


def _page(request: Request, house: DeskHouse, signed: SignedIn, shown: Shown, *, status: int = 200) -> Response:
    _ = speaker(request)
    now = house.clock()
    with house.database.read() as session:
        person = session.get_one(Staff, signed.staff_id)
        rows = accounts.sessions_of(
            session, person.id, made_after=now - security.ABSOLUTE, seen_after=now - security.IDLE
        )
        return render(
            request,
            "account.html",
            status=status,
            person=person,
            name=person.name if shown.name is None else shown.name,
            e=shown.errors,
            languages=LANGUAGES,
            notices=account_notices.shown(session, person, _),
            notice_choices=account_notices.choices(_),
            places=[Place(row, _browser(row, _), row.id == signed.session_id) for row in rows],
            counts=second_factor.counts(person),
            left=factors.codes_left(session, person.id),
        )


def _browser(row: StaffSession, _: Speaker) -> str:
    browser, system = browser_of(row.browser)
    if browser and system:
        return _("{browser} on {system}", browser=browser, system=system)
    return browser or system or _("A browser we do not know")
