"""Who asks to be let in: the list, one request, yes and no. The rules are in `registry/admission.py`, not here."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import FormNumber, House, Id, Manager, Page, Refuse, redirect, render, speaker
from desk.person_form import Person, form_values, look_over
from desk.security import SignedIn
from facts.mail_addresses import is_free_mail
from registry.admission import Admission, NoSuchRequest, Overtaken, approve, refuse
from registry.report import RegistryRefused
from storage.access import RequestLine, Similar, count_waiting, one_request, requests_in, similar_referents
from storage.desk_people import roles_of
from storage.tables import AccessState

router = APIRouter()

DECIDED = (AccessState.APPROVED, AccessState.REFUSED)
NEW = "new"  # the person is nobody we know


@router.get("/desk/access")
def requests(request: Request, house: House, signed: Manager, pages: Page, decided: bool = False) -> Response:
    with house.database.read() as session:
        states: Sequence[AccessState] = DECIDED if decided else (AccessState.WAITING,)
        lines, total = requests_in(session, states, limit=pages.size, offset=pages.offset)
        waiting = count_waiting(session)
        return render(request, "access.html", lines=lines, waiting=waiting, decided=decided, pages=pages.counted(total))


@router.get("/desk/access/{request_id}")
def one(request: Request, house: House, signed: Manager, request_id: Id) -> Response:
    with house.database.read() as session:
        line = _line(session, request_id)
        similar = similar_referents(session, line.request)
        person = Person(name=line.request.name, organization=line.organization)
        return _page(request, session, house, line, person, similar, who=_likely(line, similar))


@router.post("/desk/access/{request_id}/approve")
def let_in(
    request: Request,
    house: House,
    signed: Manager,
    request_id: Id,
    *,
    revision: FormNumber,
    who: Annotated[str, Form()] = NEW,
    name: Annotated[str, Form()] = "",
    organization: Annotated[str, Form()] = "",
    new_actor: Annotated[str, Form()] = "",
    role: Annotated[str, Form()] = "",
    which: Annotated[str, Form()] = "all",
    cup: Annotated[list[str] | None, Form()] = None,
    step: Annotated[str, Form()] = "save",
) -> Response:
    person = Person(name, "", organization, role, which == "chosen", cup or (), bool(new_actor))
    _ = speaker(request)
    needed = ("name", "organization") if who == NEW else ("organization",)
    problem, status = "", 422
    if look_over(person, _, needed, saving=step == "save"):
        try:
            referent_id, called = _approve(house, signed, request_id, person, who, revision)
            return redirect(request, f"/desk/referents/{referent_id}", _("{name} is in, and is told.", name=called))
        except Overtaken as overtaken:
            problem, status = overtaken.say(_), 409
        except RegistryRefused as refused:
            _blame(person, refused, refused.say(_))
    with house.database.read() as session:
        line = _line(session, request_id)
        similar = similar_referents(session, line.request)
        status = status if person.errors or problem else 200
        return _page(request, session, house, line, person, similar, who=who, status=status, problem=problem)


@router.get("/desk/access/{request_id}/refuse")
def before_refusing(request: Request, house: House, signed: Manager, request_id: Id) -> Response:
    with house.database.read() as session:
        line = _line(session, request_id)
        if line.request.state is not AccessState.WAITING:
            return redirect(request, f"/desk/access/{request_id}")
        return render(request, "access_refuse.html", line=line, reason="", error="")


@router.post("/desk/access/{request_id}/refuse")
def say_no(
    request: Request,
    house: House,
    signed: Manager,
    request_id: Id,
    revision: FormNumber,
    reason: Annotated[str, Form()] = "",
) -> Response:
    _ = speaker(request)
    try:
        with house.database.write() as session:
            refuse(session, request_id, reason, revision=revision, by=signed.staff_id, now=house.clock())
    except NoSuchRequest as error:
        raise Refuse(404) from error
    except Overtaken as overtaken:
        return redirect(request, f"/desk/access/{request_id}", overtaken.say(_), level="warning")
    except RegistryRefused as refused:
        with house.database.read() as session:
            values: dict[str, Any] = {"line": _line(session, request_id), "reason": reason, "error": refused.say(_)}
            return render(request, "access_refuse.html", status=422, **values)
    return redirect(request, "/desk/access", _("The request is refused, and the person is told why."))


def _line(session: Session, request_id: int) -> RequestLine:
    """Those that are still being filled in are nobody's business."""
    line = one_request(session, request_id)
    if line is None or line.request.state in (AccessState.ASKING, AccessState.CONFIRMING):
        raise Refuse(404)
    return line


def _likely(line: RequestLine, similar: Sequence[Similar]) -> str:
    """Whom the form proposes: who has the same address, for a mailbox belongs to one person."""
    return next((str(one.referent.id) for one in similar if one.same_address), NEW)


def _approve(
    house: DeskHouse, signed: SignedIn, request_id: int, person: Person, who: str, revision: int
) -> tuple[int, str]:
    admission = Admission(
        name=person.name,
        organization=person.organization,
        role=person.role,
        cups=person.followed,
        new_actor=person.new_actor,
    )
    if who != NEW:
        admission = replace(admission, referent_id=int(who) if who.isdecimal() and len(who) < 10 else 0)
    try:
        with house.database.write() as session:
            referent = approve(session, request_id, admission, revision=revision, by=signed.staff_id, now=house.clock())
            return referent.id, referent.name
    except NoSuchRequest as error:
        raise Refuse(404) from error


def _blame(person: Person, refused: RegistryRefused, sentence: str) -> None:
    """Beside its field when the form has that field, else above the choice of the person."""
    field = getattr(refused, "field", "who")
    person.errors[field if field in ("name", "organization", "role", "cups") else "who"] = sentence


def _page(
    request: Request,
    session: Session,
    house: DeskHouse,
    line: RequestLine,
    person: Person,
    similar: Sequence[Similar],
    *,
    who: str,
    status: int = 200,
    problem: str = "",
) -> Response:
    referent_id = line.request.referent_id
    return render(
        request,
        "access_request.html",
        status=status,
        line=line,
        similar=similar,
        who=who,
        problem=problem,
        private=is_free_mail(line.request.email),
        roles=roles_of(session, referent_id) if referent_id is not None else (),
        waiting=line.request.state is AccessState.WAITING,
        **form_values(session, person, house.clock()),
    )
