"""The second step of signing in: the code that an app shows, or a recovery code. Opens no other page."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from desk import half_signed, second_factor, security
from desk.oidc import STALE, bound
from desk.pages import House, redirect, render, speaker
from desk.proving import said_of
from desk.second_factor import Tried
from desk.sign_in import enter, inside

router = APIRouter()


@router.get("/desk/sign-in/code")
def ask(request: Request, house: House, next: str = "") -> Response:
    with house.database.read() as session:
        if half_signed.whose(request, house, session) is None:
            return redirect(request, "/desk/sign-in")
        return render(request, "sign_in_code.html", next=next, error="")


@router.post("/desk/sign-in/code")
def enter_code(
    request: Request, house: House, code: Annotated[str, Form()] = "", next: Annotated[str, Form()] = ""
) -> Response:
    now, token = house.clock(), ""
    with house.database.write() as session:
        half, tried = half_signed.whose(request, house, session), Tried()
        if half is not None:
            tried = second_factor.try_code(session, half.person, code, security.network_of(request), now)
        if half is not None and tried.proof and bound(session, half.person, half.subject, now):
            token = enter(request, session, half.person, now)
    _ = speaker(request)
    if half is None or (tried.proof and not token):
        return redirect(request, "/desk/sign-in", _(STALE), level="info")
    if not token:
        status = 429 if tried.again_at else 422
        return render(request, "sign_in_code.html", status=status, next=next, error=said_of(request, house, tried))
    response = redirect(request, inside(next))
    security.remember(house, response, token)
    half_signed.forget(house, response)
    return response
