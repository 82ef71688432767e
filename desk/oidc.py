"""Signing in with the account of one's authority (OpenID Connect), when that is set up. Makes no account.

Who comes must have an active account here: known by the provider's subject, or, the first time, by an address that the
provider has verified. From then on only the subject counts: another address at the provider moves no account.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import structlog
from fastapi import APIRouter, Request
from itsdangerous import BadData, URLSafeSerializer
from sqlmodel import Session
from starlette.responses import Response

from desk import account_letters, second_factor, security
from desk.house import DeskHouse
from desk.oidc_provider import CALLBACK, Known, Provider, ProviderRefused
from desk.pages import N_, Admin, House, Id, Refuse, redirect, render, speaker
from desk.proving import too_many
from desk.sign_in import ask_code, enter, inside
from storage import audit, leases
from storage import staff as accounts
from storage.tables import Staff

router = APIRouter()
log = structlog.get_logger()


LASTS = timedelta(minutes=10)
SILENT = N_("{provider} does not answer now. Try again in a moment, or sign in with your password.")
STALE = N_("That took too long, or it was begun in another window. Begin again.")
CANCELLED = N_("You did not sign in with {provider}. Try again, or use your password.")
NOT_BELIEVED = N_(
    "What {provider} answered could not be believed. Try again; if it happens again, tell an administrator."
)
NOBODY = N_("{provider} knows you, but no account of this desk is yours. Ask an administrator.")


@router.get("/desk/sign-in/oidc")
def begin(request: Request, house: House, next: str = "") -> Response:
    """A link and no form: our own policy (`form-action`) keeps forms from leading elsewhere."""
    provider = _provider(house)
    state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
    try:
        response = redirect(request, provider.address(state, nonce, verifier))
    except ProviderRefused as refused:
        log.warning("oidc.no-answer", reason=str(refused))
        return _again(request, house, SILENT, 503)
    value = _signer(house).dumps([state, nonce, verifier, inside(next), int(house.clock().timestamp())])
    security.set_cookie(house, response, cookie(house), value, seconds=int(LASTS.total_seconds()))
    return response


@router.get(CALLBACK)
def come_back(request: Request, house: House, code: str = "", state: str = "", error: str = "") -> Response:
    provider, now, network = _provider(house), house.clock(), security.network_of(request)
    begun = _begun(request, house, state)
    if begun is None or not _first_time(house, state, now):
        return _again(request, house, STALE)
    if error or not code:
        return _again(request, house, CANCELLED)
    nonce, verifier, next = begun
    guess = f"oidc:{request.state.visit}"[:254]
    with house.database.write() as session:
        again_at = security.note_guess(session, guess, network, now)
    if again_at is not None:
        return _again(request, house, "", 429, too_many(request, house, again_at))
    try:
        known = provider.who(code[:4096], nonce, verifier)  # between two transactions: it may take seconds
    except ProviderRefused as refused:
        log.warning("oidc.refused", reason=str(refused))
        _failed(house, now)
        return _again(request, house, NOT_BELIEVED)
    return _let_in(request, house, known, guess, next)


def _let_in(request: Request, house: DeskHouse, known: Known, guess: str, next: str) -> Response:
    now, network = house.clock(), security.network_of(request)
    with house.database.write() as session:
        person, token = _whose(session, known), ""
        halfway = person is not None and second_factor.counts(person) and not known.second_factor
        if person is not None and not halfway:
            person = person if bound(session, person, known.subject, now) else None
        if person is not None:
            accounts.forget_failures(session, guess, network)
        if person is not None and halfway:
            audit.record(session, now, ("browser", None), "staff.half-signed", ("staff", person.id))
        elif person is not None:
            token = enter(request, session, person, now)
    if person is None:
        _failed(house, now)
        return _again(request, house, NOBODY, 403)
    if halfway:
        response = ask_code(request, house, person, next, subject=known.subject)
    else:
        response = redirect(request, next)
        security.remember(house, response, token)
    security.drop_cookie(house, response, cookie(house))
    return response


def _whose(session: Session, known: Known) -> Staff | None:
    """The active account of this subject; the first time that of the verified address, when none has opened it yet."""
    person = accounts.with_subject(session, known.subject)
    if person is None and known.email:
        person = accounts.find_staff(session, known.email)
        person = person if person is not None and person.oidc_subject is None else None
    return person if person is not None and person.active else None


def bound(session: Session, person: Staff, subject: str, now: datetime) -> bool:
    """Whether this subject opens the account: it did, or does from now on, which its owner is told. Empty: none asked.

    To be asked when nothing is left to prove: whoever has the first factor alone leaves no way in behind.
    """
    if subject in ("", person.oidc_subject):
        return True
    if not accounts.bind_subject(session, person.id, subject):
        return False
    audit.record(session, now, ("staff", person.id), "staff.oidc-bound", ("staff", person.id))
    account_letters.tell(session, person, account_letters.OIDC_BOUND, now)
    return True


@router.post("/desk/office/staff/{staff_id}/oidc/unlink")
def unlink(request: Request, house: House, signed: Admin, staff_id: Id) -> Response:
    """The provider has given them another subject, or the wrong one was bound. They sign in anew, everywhere."""
    now = house.clock()
    with house.database.write() as session:
        if session.get(Staff, staff_id) is None:
            raise Refuse(404)
        if not accounts.unbind_subject(session, staff_id):
            raise Refuse(409)
        accounts.end_sessions_of(session, staff_id, now)
        audit.record(session, now, ("staff", signed.staff_id), "staff.oidc-unbound", ("staff", staff_id))
    _ = speaker(request)
    return redirect(request, f"/desk/office/staff/{staff_id}/roles", _("From now on that sign-in opens nothing here."))


# --- between the two


def cookie(house: DeskHouse) -> str:
    return "__Host-raccordo_oidc" if house.secure else "raccordo_oidc"


def _begun(request: Request, house: DeskHouse, state: str) -> tuple[str, str, str] | None:
    """Nonce, verifier and where to go, when this browser began it, and lately."""
    try:
        begun, nonce, verifier, next, at = _signer(house).loads(request.cookies.get(cookie(house)) or "")
    except (BadData, ValueError, TypeError):
        return None
    if not 0 <= house.clock().timestamp() - at < LASTS.total_seconds() + 1:
        return None
    return (nonce, verifier, inside(next)) if hmac.compare_digest(begun.encode(), state.encode()) else None


def _first_time(house: DeskHouse, state: str, now: datetime) -> bool:
    """A browser can keep its cookie, and its owner the address: what came back once is not taken again."""
    what = f"oidc:{hashlib.sha256(state.encode()).hexdigest()}"
    with house.database.write() as session:
        return leases.use_once(session, what, now, seconds=LASTS.total_seconds() + 1)


def _signer(house: DeskHouse) -> URLSafeSerializer:
    return URLSafeSerializer(house.secret_key, salt="raccordo.desk.oidc")


def _provider(house: DeskHouse) -> Provider:
    if house.oidc is None:
        raise Refuse(404)
    return house.oidc


def _failed(house: DeskHouse, now: datetime) -> None:
    with house.database.write() as session:
        audit.record(session, now, ("browser", None), "staff.sign-in-failed", ("staff", None), by="oidc")


def _again(request: Request, house: DeskHouse, sentence: str, status: int = 422, said: str = "") -> Response:
    """The page of the sign-in with what went wrong. What was begun is over: a state is good once."""
    assert house.oidc is not None
    error = said or speaker(request)(sentence, provider=house.oidc.name)
    response = render(request, "sign_in.html", status=status, email="", next="", error=error)
    security.drop_cookie(house, response, cookie(house))
    return response
