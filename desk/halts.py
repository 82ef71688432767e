"""The red switch: what is stopped and why, stopping reminders and letting them go on. The rules are in `reminders`."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import BEYOND, FormNumber, House, Id, Manager, Reader, Refuse, redirect, render, speaker
from facts.calendar import local_date, next_morning
from reminders.halts import resume, stop
from reminders.wanted import DeadlineRefused
from storage import halts
from storage.projects import organizations
from storage.tables import HaltKind

router = APIRouter()

Target = Annotated[int, Field(ge=0, lt=BEYOND)]


@router.get("/desk/halts")
def list_them(request: Request, house: House, signed: Reader) -> Response:
    with house.database.read() as session:
        return render(request, "halts.html", holding=halts.holding(session), over=halts.over(session))


@router.get("/desk/halts/new")
def before_stopping(
    request: Request, house: House, signed: Manager, kind: HaltKind = HaltKind.ALL, target: Target = 0
) -> Response:
    return _stop_page(request, house, kind, target)


@router.post("/desk/halts")
def begin(
    request: Request,
    house: House,
    signed: Manager,
    kind: Annotated[HaltKind, Form()] = HaltKind.ALL,
    target: FormNumber = 0,
    reason: Annotated[str, Form()] = "",
) -> Response:
    _, now = speaker(request), house.clock()
    try:
        with house.database.write() as session:
            _name(session, kind, target)
            done = stop(session, kind, target, reason, by=signed.staff_id, now=now)
    except DeadlineRefused as no:
        return _stop_page(request, house, kind, target, reason=reason, error=_(no.sentence, **no.values))
    if not done:
        return redirect(request, "/desk/halts", _("It was stopped already."), level="info")
    return redirect(request, "/desk/halts", _("Stopped: from now on no reminder of it leaves."))


@router.get("/desk/halts/{halt_id}/resume")
def before_resuming(request: Request, house: House, signed: Manager, halt_id: Id) -> Response:
    with house.database.read() as session:
        found = halts.one_stop(session, halt_id)
        if found is None:
            raise Refuse(404)
        if found.halt.ended_at is not None:
            return redirect(request, "/desk/halts")
        kept = halts.withheld_by(session, found.halt.kind, found.halt.target_id)
        return render(
            request,
            "halt_resume.html",
            it=found,
            people=len({referent_id for referent_id, _ in kept}),
            updates=len({obligation_id for _, obligation_id in kept}),
            again_at=next_morning(house.clock()),
            others=len(halts.holding(session)) - 1,
        )


@router.post("/desk/halts/{halt_id}/resume")
def end(request: Request, house: House, signed: Manager, halt_id: Id) -> Response:
    _ = speaker(request)
    with house.database.write() as session:
        if halts.one_stop(session, halt_id) is None:
            raise Refuse(404)
        told = resume(session, halt_id, by=signed.staff_id, now=house.clock())
    if told is None:
        return redirect(request, "/desk/halts", _("It was over already."), level="info")
    if not told:
        return redirect(request, "/desk/halts", _("Reminders go on. Nothing was kept back that is still awaited."))
    sentence = _.ngettext(
        "Reminders go on. The next working morning one person is told what was kept back.",
        "Reminders go on. The next working morning {n} people are told what was kept back.",
        told,
    )
    return redirect(request, "/desk/halts", sentence)


def _stop_page(
    request: Request, house: DeskHouse, kind: HaltKind, target: int, *, reason: str = "", error: str = ""
) -> Response:
    with house.database.read() as session:
        to_choose = kind is HaltKind.ORGANIZATION and target == 0
        return render(
            request,
            "halt_new.html",
            status=422 if error else 200,
            kind=kind,
            target=target,
            name="" if to_choose else _name(session, kind, target),
            choices=[(one.id, one.name) for one in organizations(session)] if to_choose else [],
            reach=None if to_choose else halts.reach(session, kind, target, local_date(house.clock(), house.zone)),
            reason=reason,
            error=error,
        )


def _name(session: Session, kind: HaltKind, target: int) -> str:
    name = halts.target_name(session, kind, target)
    if name is None:
        raise Refuse(404)
    return name
