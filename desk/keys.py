"""The keys of the desk: what each does, and whether this browser listens to them. Acts on nothing itself.

Single keys get in the way of who speaks to the machine or hits one by chance (WCAG 2.1.4): they can be turned off, for
the browser one sits at, and are never heard while something is being typed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import KEYS, N_, House, Reader, redirect, render, speaker
from desk.security import drop_cookie, set_cookie

router = APIRouter()

YEAR = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Key:
    """`keys`: pressed one after the other. What `desk/static/keys.js` does at them."""

    keys: Sequence[str]
    does: str


SHEET: Sequence[tuple[str, Sequence[Key]]] = (
    (
        N_("Everywhere"),
        (
            Key(("?",), N_("Shows these keys")),
            Key(("/",), N_("Goes to the search box")),
            Key(("g", "q"), N_("Goes to the questions")),
            Key(("g", "m"), N_("Goes to your own questions")),
            Key(("g", "u"), N_("Goes to the updates")),
            Key(("g", "d"), N_("Goes to the deadlines")),
            Key(("g", "p"), N_("Goes to the projects")),
            Key(("g", "r"), N_("Goes to the referents")),
        ),
    ),
    (
        N_("In a list"),
        (
            Key(("j",), N_("Next line")),
            Key(("k",), N_("Line before")),
            Key(("Enter",), N_("Opens it")),
        ),
    ),
    (
        N_("In a question"),
        (
            Key(("j",), N_("Next question of the list")),
            Key(("k",), N_("Question before")),
            Key(("r",), N_("Goes to the box for the answer")),
            Key(("n",), N_("Goes to the box for an internal note")),
            Key(("t",), N_("Takes it, when it is new")),
            Key(("c",), N_("Closes it")),
        ),
    ),
)


@router.get("/desk/keys")
def sheet(request: Request, signed: Reader) -> Response:
    return render(request, "keys.html", sheet=SHEET)


@router.post("/desk/account/keys")
def turn(request: Request, house: House, signed: Reader, on: Annotated[str, Form()] = "") -> Response:
    """`on` empty: off."""
    _ = speaker(request)
    said = _("The keys are on.") if on else _("The keys are off in this browser.")
    return _kept(redirect(request, "/desk/keys", said), house, on=bool(on))


def _kept(response: Response, house: DeskHouse, *, on: bool) -> Response:
    if on:
        drop_cookie(house, response, KEYS)
    else:
        set_cookie(house, response, KEYS, "off", seconds=YEAR)
    return response
