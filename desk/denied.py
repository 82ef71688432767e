"""Writes down every act that was refused to somebody: who, which page's pattern, which id. Never the address itself.

A personal page's key stands in its address, so only the pattern is kept. A script that tries a thousand doors must not
fill the disk: within a minute so many rows for one session, one personal page or one network; what is beyond is
counted, and the count becomes one row as soon as the minute is over and anybody is refused again, or the log is read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

import structlog
from fastapi import Request
from starlette.responses import Response

from answering.refusal import Denied, Refused
from desk import security
from desk.house import DeskHouse
from desk.security import SignedIn
from storage import audit
from storage.database import Database

log = structlog.get_logger()

ACT, MORE = "denied", "denied-more"
A_MINUTE = timedelta(minutes=1)
MOST = 20  # rows a minute for one who is refused
MOST_STRANGERS = 200  # rows a minute for all who are not signed in, whatever their networks

ROLE, NOT_THERE, FOREIGN_FORM, RIGHTS = "role", "not-there", "foreign-form", "rights"

Actor = tuple[str, int | None]
Answer = Callable[[Request, Exception], Response]


@dataclass
class Window:
    """What one was refused since a moment, and how much of it was not written row by row."""

    actor: Actor
    since: datetime
    count: int = 0
    beyond: int = 0


@dataclass
class Denials:
    """The counts of one process. Safe from several threads."""

    windows: dict[str, Window] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def admit(self, key: str, actor: Actor, now: datetime, most: int) -> bool:
        """Whether this one still gets a row of its own."""
        with self.lock:
            window = self.windows.setdefault(key, Window(actor, now))
            window.count += 1
            window.beyond += window.count > most
            return window.count <= most

    def over(self, now: datetime) -> list[Window]:
        """The windows that are past and left something uncounted; from now on those begin anew."""
        with self.lock:
            past = [key for key, it in self.windows.items() if not it.since <= now < it.since + A_MINUTE]
            return [it for it in map(self.windows.pop, past) if it.beyond]


def denials_of(request: Request) -> Denials:
    found: Denials = request.app.state.denials
    return found


def noted(answer: Answer, why: str) -> Answer:
    """The answer to a refusal, which is written down first."""

    def answer_and_note(request: Request, error: Exception) -> Response:
        note(request, why)
        return answer(request, error)

    return answer_and_note


def note(request: Request, why: str, about: Actor | None = None) -> None:
    """One refusal. Whatever goes wrong while it is written, the refusal stands.

    `about`: what was asked for, where the address does not say it.
    """
    house: DeskHouse = request.app.state.house
    try:
        _note(request, house, why, about or _object(request))
    except Exception as error:
        log.error("denied.not-noted", why=why, error=type(error).__name__)


def refused(request: Request, refusal: Refused) -> None:
    """For a page that says itself what the queue refused: written down when it was about rights."""
    if isinstance(refusal, Denied):
        note(request, RIGHTS)


def not_there(request: Request) -> None:
    """A page that is not there: a refusal when a known person asked for something by its number."""
    if _signed(request) and _object(request)[1] is None:
        return
    if _signed(request) or _referent(request):
        note(request, NOT_THERE)


def settle(database: Database, denials: Denials, now: datetime) -> None:
    """One row for what was only counted, of each minute that is over."""
    past = denials.over(now)
    if not past:
        return
    with database.write() as session:
        for window in past:
            audit.record(session, now, window.actor, MORE, ("page", None), count=window.beyond)


def _note(request: Request, house: DeskHouse, why: str, about: Actor) -> None:
    now, denials = house.clock(), denials_of(request)
    settle(house.database, denials, now)
    actor, key = _who(request)
    known = actor[1] is not None
    if not denials.admit(key, actor, now, MOST):
        return
    if not known and not denials.admit("strangers", actor, now, MOST_STRANGERS):
        return
    with house.database.write() as session:
        detail = {"method": request.method, "route": route(request), "why": why}
        audit.record(session, now, actor, ACT, about, **detail)


def _who(request: Request) -> tuple[Actor, str]:
    """Who was refused, and under which name that is counted."""
    signed, referent = _signed(request), _referent(request)
    if referent is not None:
        return ("referent", referent), f"referent {referent}"
    if signed is not None:
        return ("staff", signed.staff_id), f"session {signed.session_id}"
    return ("browser", None), f"network {security.network_of(request)}"


def _signed(request: Request) -> SignedIn | None:
    return getattr(request.state, "signed", None)


def _referent(request: Request) -> int | None:
    return getattr(request.state, "referent_id", None)


def _object(request: Request) -> Actor:
    """The thing that was asked for: the last number in the address, named as the pattern names it."""
    numbers = [
        (name.removesuffix("_id")[:20], int(text))
        for name, text in request.path_params.items()
        if name.endswith("_id") and str(text).isascii() and str(text).isdecimal() and len(str(text)) < 10
    ]
    return numbers[-1] if numbers else ("page", None)


def route(request: Request) -> str:
    """The pattern of the address, never the address: a personal page's key stays out of every log."""
    return getattr(request.scope.get("route"), "path", "")
