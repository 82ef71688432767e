"""Signing in and out, and choosing a password. Never says whether an account exists; locks nobody out for good."""

from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk import account_letters, half_signed, second_factor, security
from desk.house import DeskHouse
from desk.pages import N_, House, Reader, Refuse, redirect, render, speaker
from desk.proving import too_many
from storage import audit
from storage import staff as accounts
from storage.tables import Staff

router = APIRouter()

START = "/desk/questions"
NO_LINK = N_("This link is no longer good: it was used, or it is too old. Ask an administrator for a new one.")


@router.get("/desk")
def desk(request: Request) -> Response:
    return redirect(request, START)


@router.get("/desk/sign-in")
def sign_in_page(request: Request, next: str = "") -> Response:
    if request.state.signed is not None:
        return redirect(request, inside(next))
    return render(request, "sign_in.html", email="", next=next, error="")


@router.post("/desk/sign-in")
def sign_in(
    request: Request,
    house: House,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "",
) -> Response:
    account, network, now = email.strip().lower()[:254], security.network_of(request), house.clock()
    again_at, person = _attempt(house, account, network, now)
    if again_at is not None:
        return _again(request, 429, email, next, too_many(request, house, again_at))
    # Between two transactions: hashing takes a while, on purpose, and the one writer must not wait for it.
    fits = security.password_fits(person.password_hash if person else None, password[: security.PASSWORD_MOST + 1])
    if person is None or not fits or not person.active:
        _failed(house, person, now)
        _ = speaker(request)
        return _again(request, 422, email, next, _("The e-mail address or the password is not right. Try again."))
    halfway = second_factor.counts(person)
    with house.database.write() as session:
        accounts.forget_failures(session, person.email, network)
        if halfway:
            audit.record(session, now, ("browser", None), "staff.half-signed", ("staff", person.id))
        token = "" if halfway else enter(request, session, person, now)
    if halfway:
        return ask_code(request, house, person, next)
    response = redirect(request, inside(next))
    security.remember(house, response, token)
    return response


def ask_code(request: Request, house: DeskHouse, person: Staff, next: str = "", *, subject: str = "") -> Response:
    """To the second step: the browser has shown the first factor, and opens nothing yet.

    `subject`: the provider's, when it is to open the account from then on.
    """
    wanted = f"?{urlencode({'next': inside(next)})}" if next else ""
    response = redirect(request, f"/desk/sign-in/code{wanted}")
    half_signed.remember(house, response, person, house.clock(), subject=subject)
    return response


@router.post("/desk/sign-out")
def sign_out(request: Request, house: House, signed: Reader) -> Response:
    with house.database.write() as session:
        security.sign_out(session, signed, house.clock())
    _ = speaker(request)
    response = redirect(request, "/desk/sign-in", _("You have signed out."))
    security.drop_cookie(house, response, security.session_cookie(house))
    return response


@router.get("/desk/welcome/{token}")
def welcome(request: Request, house: House, token: str) -> Response:
    with house.database.read() as session:
        person = _welcomed(house, session, token)
        return render(request, "welcome.html", person=person, token=token, error="")


@router.post("/desk/welcome/{token}")
def choose_password(
    request: Request,
    house: House,
    token: str,
    password: Annotated[str, Form()] = "",
    repeated: Annotated[str, Form()] = "",
) -> Response:
    problem = password_problem(request, password, repeated)
    if problem:
        with house.database.read() as session:
            person = _welcomed(house, session, token)
            return render(request, "welcome.html", status=422, person=person, token=token, error=problem)
    now = house.clock()
    with house.database.write() as session:
        person = _welcomed(house, session, token)
        had_one = person.password_hash is not None
        if not security.set_password(session, person, password, now):
            raise Refuse(404, NO_LINK)
        if had_one:
            account_letters.tell(session, person, account_letters.PASSWORD, now)
        cookie = None if second_factor.counts(person) else enter(request, session, person, now)
    if cookie is None:
        return ask_code(request, house, person)
    _ = speaker(request)
    response = redirect(request, START, _("Your password is set. You are signed in."))
    security.remember(house, response, cookie)
    return response


def _attempt(house: DeskHouse, account: str, network: str, now: datetime) -> tuple[datetime | None, Staff | None]:
    """When to come back; or else the account."""
    with house.database.write() as session:
        again_at = security.note_guess(session, account, network, now)
        return (again_at, None) if again_at is not None else (None, accounts.find_staff(session, account))


def _failed(house: DeskHouse, person: Staff | None, now: datetime) -> None:
    with house.database.write() as session:
        who = person.id if person else None
        audit.record(session, now, ("browser", None), "staff.sign-in-failed", ("staff", who))


def enter(request: Request, session: Session, person: Staff, now: datetime) -> str:
    """Opens a session in this browser, in place of one that was there; the key to hand to it."""
    if request.state.signed is not None:
        security.sign_out(session, request.state.signed, now)
    return security.sign_in_as(session, person.id, now, security.whence(request))


def _again(request: Request, status: int, email: str, next: str, error: str) -> Response:
    return render(request, "sign_in.html", status=status, email=email, next=next, error=error)


def _welcomed(house: DeskHouse, session: Session, token: str) -> Staff:
    person = security.welcomed(session, token, house.secret_key)
    if person is None:
        raise Refuse(404, NO_LINK)
    return person


def password_problem(request: Request, password: str, repeated: str) -> str:
    _ = speaker(request)
    if len(password) < security.PASSWORD_LENGTH:
        return _("The password is too short: at least {n} characters.", n=security.PASSWORD_LENGTH)
    if len(password) > security.PASSWORD_MOST:
        return _("The password is too long: {n} characters at most.", n=security.PASSWORD_MOST)
    if password != repeated:
        return _("The two passwords are not the same.")
    return ""


def inside(next: str) -> str:
    """Where to go after signing in: only a page of the desk, never another site."""
    plain = next.startswith("/desk/") and "//" not in next and "\\" not in next and next.isprintable()
    return next if plain and not next.startswith("/desk/sign-in") else START
