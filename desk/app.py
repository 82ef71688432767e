"""Puts the pages together into one application. Holds no page itself; publishes no interface description."""

from collections.abc import Callable
from functools import cache

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.responses import Response

from answering.refusal import Denied, Refused
from desk import (
    access,
    account,
    account_factor,
    account_notices,
    approval,
    assets,
    attachments,
    audit_log,
    away,
    bulk,
    calendar,
    calendars,
    categories,
    circular_people,
    circular_sending,
    circulars,
    composing,
    dead_letters,
    deadline_progress,
    deadlines,
    denied,
    entrusting,
    faq,
    fill,
    fill_begin,
    fill_send,
    forms,
    forms_files,
    forms_upload,
    groups,
    guide,
    halts,
    hand_over,
    health,
    joining,
    keys,
    ladders,
    letters,
    memberships,
    merging,
    new_deadline,
    numbers,
    obligation_acts,
    office,
    office_factor,
    office_role,
    oidc,
    openings,
    outbox,
    personal,
    personal_circulars,
    phone,
    preferences,
    presence,
    projects,
    public,
    public_faq,
    questions,
    referents,
    register,
    reviewing,
    saved_answers,
    saved_filters,
    search,
    sign_in,
    sign_in_code,
    similar,
    tags,
    timelines,
    told,
    updates,
    uploads,
    why,
)
from desk.house import Check, DeskHouse
from desk.pages import Refuse, redirect, refusal
from desk.security import ForeignForm, NotAllowed, NotSignedIn, SecurityHeaders, guard, headers_of
from facts.languages import N_

__all__ = ["Check", "DeskHouse", "make_desk"]

# Every module of pages; each has a `router`. One line per module.
PAGES = (
    public,
    public_faq,
    sign_in,
    sign_in_code,
    keys,
    oidc,
    account,
    account_factor,
    account_notices,
    questions,
    similar,
    search,
    presence,
    approval,
    joining,
    composing,
    tags,
    saved_filters,
    bulk,
    categories,
    saved_answers,
    faq,
    attachments,
    reviewing,
    updates,
    projects,
    phone,
    merging,
    referents,
    memberships,
    away,
    hand_over,
    timelines,
    told,
    access,
    letters,
    new_deadline,
    halts,
    ladders,
    deadlines,
    deadline_progress,
    register,
    obligation_acts,
    calendar,
    forms_upload,
    forms_files,
    forms,
    circulars,
    circular_people,
    circular_sending,
    outbox,
    dead_letters,
    office,
    audit_log,
    numbers,
    guide,
    office_factor,
    office_role,
    groups,
    entrusting,
    personal,
    personal_circulars,
    preferences,
    why,
    calendars,
    uploads,
    fill_begin,
    fill,
    fill_send,
)

MOST_BYTES = 60 * 1024 * 1024  # files of 50 MiB in all and their form; more is refused while it comes in

# What people sent is handed out as it is, and mostly packed already.
NOT_SMALLER = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")

log = structlog.get_logger()


def make_desk(house: DeskHouse) -> FastAPI:
    """The application: staff, personal and public pages, health. Every page stands behind `guard`."""
    app = FastAPI(
        title="Raccordo",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        max_body_size=MOST_BYTES,
    )
    app.state.house = house
    app.state.denials = denied.Denials()
    app.state.streams = presence.Streams()
    app.router.routes.extend(_pages().routes)
    assets.serve(app)
    _answer_errors(app)
    app.add_middleware(SecurityHeaders, house=house)
    app.add_middleware(GZipMiddleware, compresslevel=4, exclude_content_types=NOT_SMALLER)
    return app


@cache
def _pages() -> APIRouter:
    """Every page, once for a process: FastAPI works out what each takes when one is first asked."""
    pages = APIRouter(max_body_size=MOST_BYTES)
    pages.include_router(health.router)
    for module in PAGES:
        pages.include_router(module.router, dependencies=[Depends(guard), Depends(openings.note)])
    return pages


def _answer_errors(app: FastAPI) -> None:
    answers: dict[int | type[Exception], Callable[..., Response]] = {
        NotSignedIn: _to_sign_in,
        NotAllowed: denied.noted(lambda request, _: refusal(request, 403), denied.ROLE),
        ForeignForm: denied.noted(_foreign, denied.FOREIGN_FORM),
        Refuse: _refuse,
        Denied: denied.noted(_not_now, denied.RIGHTS),
        Refused: _not_now,
        RequestValidationError: _not_valid,
        HTTPException: lambda request, error: refusal(request, error.status_code),
        Exception: _broken,
    }
    for what, answer in answers.items():
        app.add_exception_handler(what, answer)


def _foreign(request: Request, _: Exception) -> Response:
    return refusal(request, 403, N_("This form was open for too long. Go back, reload the page and send it again."))


def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refuse)
    if error.status == 403:
        denied.note(request, denied.ROLE)
    if error.status == 404:
        denied.not_there(request)
    return refusal(request, error.status, error.sentence, error.values)


def _not_now(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return refusal(request, 409, error.sentence, error.values)


def _to_sign_in(request: Request, _: Exception) -> Response:
    # Only pages are worth coming back to: a form's content would be lost anyway.
    wanted = f"?next={request.url.path}" if request.method == "GET" and request.url.path != "/desk" else ""
    return redirect(request, f"/desk/sign-in{wanted}")


def _not_valid(request: Request, error: RequestValidationError) -> Response:
    # A number in the address that is no number is simply a page that does not exist.
    in_path = any(problem["loc"][:1] == ("path",) for problem in error.errors())
    return refusal(request, 404 if in_path else 422)


def _broken(request: Request, error: Exception) -> Response:
    log.error("page.failed", method=request.method, route=denied.route(request), error=type(error).__name__)
    response = refusal(request, 500)
    # This one answer is made outside every middleware of ours, so nobody else adds them.
    response.headers.update(headers_of(request.app.state.house))
    return response
