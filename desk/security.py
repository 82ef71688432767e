"""Who is signed in, and that a form was ours: sessions, passwords, CSRF, headers. Shows no page, writes no sentence.

A session lives in the database; the browser holds a random key, of which we keep only the hash. It is made new at
each sign-in and ends after 8 idle hours or 7 days. Every POST carries a token that only our own pages know.
"""

import base64
import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import Depends, Request
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlmodel import Session
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from delivery.links import Links
from desk.house import DeskHouse
from facts.languages import Language
from storage import audit, presence
from storage import staff as accounts
from storage.badges import waiting_counts
from storage.people import the_office
from storage.tables import Office, Role, Staff
from storage.tokens import new_token

IDLE = timedelta(hours=8)
ABSOLUTE = timedelta(days=7)
TOUCH_EVERY = timedelta(minutes=1)
PASSWORD_LENGTH = 12
PASSWORD_MOST = 128  # beyond this a "password" is only work for our processor
WELCOME_DAYS = 7
ATTEMPTS = 5
ATTEMPTS_OF_NETWORK = 50
WINDOW = timedelta(minutes=15)
BROWSER_MOST = 300  # letters of what a browser says of itself
MOST_FIELDS = 20_000  # of one form that is sent: somebody's own form may have some thousand questions

ASKED_BY_ITSELF = "/presence"

MANAGERS = frozenset({Role.OFFICER, Role.ADMIN})

_hasher = PasswordHasher()

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; font-src 'self' data:; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
HSTS = "max-age=31536000; includeSubDomains"


class NotSignedIn(Exception):
    """The page is for staff, and nobody is signed in."""


class NotAllowed(Exception):
    """Signed in, but this page or button is for other roles."""


class ForeignForm(Exception):
    """The form's token is missing or not ours."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is at this browser. `csrf` is the token that its forms carry."""

    session_id: int
    staff_id: int
    name: str
    email: str
    role: Role
    language: str
    csrf: str

    @property
    def may_act(self) -> bool:
        """Readers look; everyone else also acts."""
        return self.role is not Role.READER

    @property
    def may_manage(self) -> bool:
        """Officers and administrators register people and set deadlines; volunteers answer and follow."""
        return self.role in MANAGERS


# --- cookies


def session_cookie(house: DeskHouse) -> str:
    """`__Host-` binds the cookie to this host; browsers accept that name only over https."""
    return "__Host-raccordo_session" if house.secure else "raccordo_session"


def visit_cookie(house: DeskHouse) -> str:
    return "__Host-raccordo_visit" if house.secure else "raccordo_visit"


def set_cookie(
    house: DeskHouse, response: Response, name: str, value: str, *, seconds: int | None = None, path: str = "/"
) -> None:
    response.set_cookie(name, value, max_age=seconds, path=path, secure=house.secure, httponly=True, samesite="lax")


def drop_cookie(house: DeskHouse, response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=house.secure, httponly=True, samesite="lax")


def remember(house: DeskHouse, response: Response, token: str) -> None:
    """Hands the browser the key of its session, which `sign_in_as` made."""
    set_cookie(house, response, session_cookie(house), token, seconds=int(ABSOLUTE.total_seconds()))


# --- sessions


def sign_in_as(session: Session, staff_id: int, now: datetime, whence: accounts.Whence = accounts.UNSAID) -> str:
    """Opens a session for this person; the key to put in the browser with `remember`."""
    token = new_token()
    row = accounts.open_session(session, staff_id, token, secrets.token_urlsafe(24), now, whence)
    accounts.forget_old(session, sessions_before=now - 2 * ABSOLUTE, attempts_before=now - timedelta(days=1))
    presence.forget(session, now - timedelta(days=1))
    audit.record(session, now, ("staff", staff_id), "staff.sign-in", ("staff-session", row.id))
    return token


def sign_out(session: Session, signed: SignedIn, now: datetime) -> None:
    accounts.end_session(session, signed.session_id, now)
    audit.record(session, now, ("staff", signed.staff_id), "staff.sign-out", ("staff-session", signed.session_id))


def who_is(session: Session, token: str | None, now: datetime) -> tuple[SignedIn, datetime] | None:
    """Who holds this cookie, and when that was last noted; None when it is unknown, ended or too old."""
    found = accounts.session_with(session, token) if token else None
    if found is None:
        return None
    row, person = found
    if now - row.seen_at > IDLE or now - row.created_at > ABSOLUTE:
        return None
    return _signed(row.id, row.csrf, person), row.seen_at


def _signed(session_id: int, csrf: str, person: Staff) -> SignedIn:
    return SignedIn(session_id, person.id, person.name, person.email, person.role, person.language, csrf)


# --- passwords


def hash_password(password: str) -> str:
    """argon2id with the library's present parameters."""
    return _hasher.hash(password)


@cache
def _hash_of_nobody() -> str:
    """Compared when there is no such account, so that the answer takes as long and tells nothing."""
    return _hasher.hash(secrets.token_urlsafe())


def password_fits(password_hash: str | None, password: str) -> bool:
    """Takes equally long whether or not there is an account."""
    try:
        return _hasher.verify(password_hash or _hash_of_nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def set_password(session: Session, person: Staff, password: str, now: datetime) -> bool:
    """Replaces the password and signs the person out everywhere; False when somebody was quicker."""
    if not PASSWORD_LENGTH <= len(password) <= PASSWORD_MOST:
        raise ValueError(f"a password has {PASSWORD_LENGTH} to {PASSWORD_MOST} characters")
    if not accounts.keep_password(session, person.id, hash_password(password), instead_of=person.password_hash):
        return False
    accounts.end_sessions_of(session, person.id, now)
    audit.record(session, now, ("staff", person.id), "staff.password", ("staff", person.id))
    return True


def welcome_link(links: Links, person: Staff, secret_key: bytes) -> str:
    """The address where this person chooses a password: once, within 7 days."""
    return links.desk(f"welcome/{_welcomes(secret_key).dumps([person.id, _mark(person)])}")


def welcomed(session: Session, token: str, secret_key: bytes) -> Staff | None:
    """Whose link this is; None when it is false, too old, or the password was set since."""
    try:
        staff_id, mark = _welcomes(secret_key).loads(token, max_age=WELCOME_DAYS * 86_400)
    except (BadData, ValueError, TypeError):
        return None
    person = session.get(Staff, staff_id)
    if person is None or not person.active or not hmac.compare_digest(mark, _mark(person)):
        return None
    return person


def _welcomes(secret_key: bytes) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_key, salt="raccordo.desk.welcome")


def _mark(person: Staff) -> str:
    # Bound to the present password: when that changes, every older link is dead.
    return hashlib.sha256(f"{person.email}|{person.password_hash}".encode()).hexdigest()[:24]


# --- limits on sign-in


def network_of(request: HTTPConnection) -> str:
    """The caller's network: an IPv4 address, or the /64 that one IPv6 subscriber owns."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host or "unknown"
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if address.version == 6 else str(address)


def whence(request: HTTPConnection) -> accounts.Whence:
    """By which the owner of a session knows it again."""
    return accounts.Whence(request.headers.get("user-agent", "")[:BROWSER_MOST], network_of(request))


def note_guess(session: Session, account: str, network: str, now: datetime) -> datetime | None:
    """When to come back; None: it is counted, look at it. Counted before: guesses side by side count one by one."""
    accounts.one_at_a_time(session, network)
    again_at = retry_at(session, account, network, now)
    if again_at is None:
        accounts.note_failure(session, account, network, now)
    return again_at


def retry_at(session: Session, account: str, network: str, now: datetime) -> datetime | None:
    """When the next attempt is welcome; None: now. Counted per account and network, so nobody locks another out."""
    since = now - WINDOW
    for most, (count, first) in (
        (ATTEMPTS, accounts.failures_since(session, account, network, since)),
        (ATTEMPTS_OF_NETWORK, accounts.failures_from(session, network, since)),
    ):
        if count >= most and first is not None:
            return first + WINDOW
    return None


# --- forms


def visit_csrf(house: DeskHouse, visit: str) -> str:
    """The token for the forms of a browser that is not signed in, bound to its visit cookie."""
    return hmac.new(house.secret_key, b"raccordo.desk.csrf|" + visit.encode(), hashlib.sha256).hexdigest()


def office_of(house: DeskHouse) -> Office:
    """Whose desk this is, for header and footer."""
    with house.database.read() as session:
        office = the_office(session)
        session.expunge_all()
    return office


async def posted_token(request: Request) -> AsyncIterator[str]:
    """The token that came with a form (field `csrf`) or a script (`X-CSRF-Token`). Files of the form end with it."""
    try:
        yield await _token_of(request)
    finally:
        await request.close()


async def _token_of(request: Request) -> str:
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return ""
    header = request.headers.get("X-CSRF-Token")
    if header is not None:
        return header
    value = (await request.form(max_fields=MOST_FIELDS)).get("csrf")
    return value if isinstance(value, str) else ""


def guard(request: Request, posted: Annotated[str, Depends(posted_token)]) -> None:
    """Before every page: says who is there (`request.state.signed`) and refuses forms that are not ours."""
    house: DeskHouse = request.app.state.house
    _look(request, house, house.clock())
    request.state.visit = request.cookies.get(visit_cookie(house)) or secrets.token_urlsafe(24)
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return
    if not hmac.compare_digest(unmasked(posted), csrf_of(request).encode()):
        raise ForeignForm


def _look(request: Request, house: DeskHouse, now: datetime) -> None:
    """What every page shows, in one look; here, because a page already holds one connection while it renders."""
    with house.database.read() as session:
        request.state.office = the_office(session)
        found = who_is(session, request.cookies.get(session_cookie(house)), now)
        signed = request.state.signed = found[0] if found else None
        manages = signed is not None and signed.may_manage
        counts = waiting_counts(session) if manages else (0, 0, 0, False)
        request.state.waiting, request.state.all_stopped = counts[:3], counts[3]
    if signed is not None:
        request.state.language = Language(signed.language)
    # A page that is left open asks by itself who else is there: that keeps no session alive.
    by_itself = request.url.path.endswith(ASKED_BY_ITSELF)
    if found is not None and not by_itself and now - found[1] > TOUCH_EVERY:
        with house.database.write() as session:
            accounts.touch_session(session, found[0].session_id, now)


def csrf_of(request: Request) -> str:
    """The token that this browser's forms must carry."""
    signed: SignedIn | None = request.state.signed
    return signed.csrf if signed else visit_csrf(request.app.state.house, request.state.visit)


def masked(token: str) -> str:
    """The token as a page carries it: never twice the same. Pages are compressed, and how long one gets would otherwise
    tell, guess by guess, what stands in it beside what a stranger made it say (BREACH)."""
    mask, said = secrets.token_bytes(len(token)), token.encode()
    return base64.urlsafe_b64encode(mask + _crossed(mask, said)).decode()


def unmasked(text: str) -> bytes:
    """What was masked; nonsense gives nonsense."""
    try:
        whole = base64.urlsafe_b64decode(text.encode())
    except ValueError:
        return b""
    half = len(whole) // 2
    return _crossed(whole[:half], whole[half:])


def _crossed(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))


def headers_of(house: DeskHouse) -> dict[str, str]:
    """What every answer carries."""
    return HEADERS | ({"Strict-Transport-Security": HSTS} if house.secure else {})


class SecurityHeaders:
    """Adds the headers to every answer, files and errors included; a page may set its own stricter ones."""

    def __init__(self, app: ASGIApp, *, house: DeskHouse) -> None:
        self.app = app
        self.headers = headers_of(house)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith("/static/"):
                    headers.setdefault("Cache-Control", "no-store")
                if scope["path"].startswith(("/r/", "/calendar/")):
                    # The key stands in the address: no other site, and no search engine, may learn it.
                    headers["Referrer-Policy"] = "no-referrer"
                    headers["X-Robots-Tag"] = "noindex, nofollow"
            await send(message)

        await self.app(scope, receive, send_with_headers)
