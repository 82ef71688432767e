"""One's own second factor: set up, replaced, taken away, and its recovery codes. Each only with proof that it is they.

A new secret stands in the page alone, signed and bound to the session, until a code of it is written: nothing is kept
of a set-up that was left half-way, and an earlier factor counts until then. Recovery codes are shown once, on the page
that answers the button.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from itsdangerous import BadData, URLSafeSerializer
from starlette.responses import Response

from desk import second_factor as factor
from desk.house import DeskHouse
from desk.pages import N_, House, Reader, Refuse, redirect, render, speaker
from desk.proving import proven
from desk.security import SignedIn
from storage import staff as accounts
from storage.tables import Staff

router = APIRouter()

PAGE = "/desk/account"
NONE = N_("Your account has no second factor.")


@router.get("/desk/account/second-factor")
def begin(request: Request, house: House, signed: Reader) -> Response:
    return _set_up(request, house, signed, factor.new_secret(), {})


@router.post("/desk/account/second-factor")
def keep(
    request: Request,
    house: House,
    signed: Reader,
    *,
    pending: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    proof: Annotated[str, Form()] = "",
) -> Response:
    _ = speaker(request)
    secret, now = _secret_of(house, signed, pending), house.clock()
    step = factor.step_of(secret, factor.bare(code), now)
    if step is None:
        wrong = _("This is not the code that the app shows now. Check the time of your phone and write the next one.")
        return _set_up(request, house, signed, secret, {"code": wrong}, status=422)
    refused = proven(request, house, signed, proof)
    if refused:
        return _set_up(request, house, signed, secret, {"proof": refused}, status=422)
    with house.database.write() as session:
        person = session.get_one(Staff, signed.staff_id)
        codes = factor.set_factor(session, person, secret, step, now)
        if codes is None:
            raise Refuse(409)
        # The other browsers came in without it.
        accounts.end_other_sessions(session, person.id, signed.session_id, now)
    return render(request, "account_codes.html", codes=codes, fresh=True)


@router.get("/desk/account/second-factor/remove")
def before_removing(request: Request, house: House, signed: Reader) -> Response:
    return _ask(request, house, signed, "remove", "")


@router.post("/desk/account/second-factor/remove")
def remove(request: Request, house: House, signed: Reader, proof: Annotated[str, Form()] = "") -> Response:
    refused = _refused(request, house, signed, proof)
    if refused:
        return _ask(request, house, signed, "remove", refused)
    with house.database.write() as session:
        if not factor.remove_factor(session, session.get_one(Staff, signed.staff_id), house.clock()):
            raise Refuse(409)
    _ = speaker(request)
    return redirect(request, PAGE, _("The second factor is removed. Signing in asks only the password."))


@router.get("/desk/account/second-factor/codes")
def before_new_codes(request: Request, house: House, signed: Reader) -> Response:
    return _ask(request, house, signed, "codes", "")


@router.post("/desk/account/second-factor/codes")
def new_codes(request: Request, house: House, signed: Reader, proof: Annotated[str, Form()] = "") -> Response:
    refused = _refused(request, house, signed, proof)
    if refused:
        return _ask(request, house, signed, "codes", refused)
    with house.database.write() as session:
        codes = factor.new_codes(session, session.get_one(Staff, signed.staff_id), house.clock())
    return render(request, "account_codes.html", codes=codes, fresh=False)


def _refused(request: Request, house: DeskHouse, signed: SignedIn, proof: str) -> str:
    """What is wrong with the proof. Who has no second factor has nothing to do here, whatever their password."""
    _the_owner(house, signed)
    return proven(request, house, signed, proof)


def _the_owner(house: DeskHouse, signed: SignedIn) -> Staff:
    with house.database.read() as session:
        person = session.get_one(Staff, signed.staff_id)
    if not factor.counts(person):
        raise Refuse(409, NONE)
    return person


# --- pages


def _set_up(
    request: Request, house: DeskHouse, signed: SignedIn, secret: str, errors: dict[str, str], *, status: int = 200
) -> Response:
    with house.database.read() as session:
        person = session.get_one(Staff, signed.staff_id)
        return render(
            request,
            "account_factor.html",
            status=status,
            picture=factor.picture(secret, person.email),
            key=factor.in_groups(secret),
            pending=_pending(house).dumps([signed.session_id, secret]),
            counts=factor.counts(person),
            e=errors,
        )


def _ask(request: Request, house: DeskHouse, signed: SignedIn, what: str, error: str) -> Response:
    _the_owner(house, signed)
    return render(request, "account_prove.html", status=422 if error else 200, what=what, error=error)


def _secret_of(house: DeskHouse, signed: SignedIn, pending: str) -> str:
    try:
        session_id, secret = _pending(house).loads(pending)
    except (BadData, ValueError, TypeError):
        raise Refuse(422) from None
    if session_id != signed.session_id:
        raise Refuse(422)
    return str(secret)


def _pending(house: DeskHouse) -> URLSafeSerializer:
    return URLSafeSerializer(house.secret_key, salt="raccordo.desk.second-factor")
