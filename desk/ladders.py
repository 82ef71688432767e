"""The ladders of reminders: their steps, copies, which deadlines use them. The rules are in `reminders/ladders.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import FormNumber, House, Id, Manager, Reader, Refuse, redirect, render, speaker
from reminders.ladders import MOST, WantedRung, add_rung, copy, retire, take_rung, use
from reminders.wanted import DeadlineRefused
from storage.ladders import LadderLine, deadlines_with, deadlines_without, ladder_lines, rungs_in_use
from storage.tables import Rung, Unit

router = APIRouter()

Text = Annotated[str, Form()]


class Side(StrEnum):
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the forms of a ladder's page, when one of them comes back."""

    days: int | str = ""
    unit: Unit = Unit.DAYS
    side: Side = Side.BEFORE
    urgent: bool = False
    text_it: str = ""
    text_en: str = ""
    name: str = ""

    def rung(self) -> WantedRung:
        days = int(self.days or 0)
        offset = -days if self.side is Side.BEFORE else days
        return WantedRung(offset, self.unit, self.urgent, _tidy(self.text_it), _tidy(self.text_en))


@router.get("/desk/ladders")
def list_them(request: Request, house: House, signed: Reader) -> Response:
    with house.database.read() as session:
        return render(request, "ladders.html", lines=ladder_lines(session))


@router.get("/desk/ladders/{ladder_id}")
def one(request: Request, house: House, signed: Reader, ladder_id: Id) -> Response:
    return _page(request, house, ladder_id)


@router.post("/desk/ladders/{ladder_id}/copy")
def make_copy(request: Request, house: House, signed: Manager, ladder_id: Id, name: Text = "") -> Response:
    now = house.clock()
    try:
        with house.database.write() as session:
            _the_ladder(session, ladder_id)
            made = copy(session, ladder_id, name, by=signed.staff_id, now=now).id
    except DeadlineRefused as no:
        return _page(request, house, ladder_id, no=no, typed=Typed(name=name))
    return redirect(request, f"/desk/ladders/{made}", speaker(request)("The copy is made. No deadline uses it yet."))


@router.post("/desk/ladders/{ladder_id}/rungs")
def add(
    request: Request,
    house: House,
    signed: Manager,
    ladder_id: Id,
    *,
    days: FormNumber = 0,
    unit: Annotated[Unit, Form()] = Unit.DAYS,
    side: Annotated[Side, Form()] = Side.BEFORE,
    urgent: Annotated[bool, Form()] = False,
    text_it: Text = "",
    text_en: Text = "",
) -> Response:
    typed = Typed(max(days, 0), unit, side, urgent, text_it, text_en)
    by, now = signed.staff_id, house.clock()
    said = speaker(request)("The step is added: it counts from now on for all that is awaited.")
    return _change(
        request,
        house,
        ladder_id,
        lambda session: add_rung(session, ladder_id, typed.rung(), by=by, now=now),
        said,
        typed,
    )


@router.get("/desk/ladders/{ladder_id}/rungs/{rung_id}/drop")
def before_dropping(request: Request, house: House, signed: Manager, ladder_id: Id, rung_id: Id) -> Response:
    with house.database.read() as session:
        line = _the_ladder(session, ladder_id)
        return render(request, "ladder_drop.html", line=line, rung=_the_rung(session, ladder_id, rung_id))


@router.post("/desk/ladders/{ladder_id}/rungs/{rung_id}/drop")
def drop(request: Request, house: House, signed: Manager, ladder_id: Id, rung_id: Id) -> Response:
    by, now = signed.staff_id, house.clock()

    def change(session: Session) -> None:
        _the_rung(session, ladder_id, rung_id)
        take_rung(session, ladder_id, rung_id, by=by, now=now)

    said = speaker(request)("The step is taken away: its reminders that were still to come do not leave.")
    return _change(request, house, ladder_id, change, said)


@router.post("/desk/ladders/{ladder_id}/use")
def give(request: Request, house: House, signed: Manager, ladder_id: Id, deadline: FormNumber = 0) -> Response:
    by, now = signed.staff_id, house.clock()
    said = speaker(request)("The deadline reminds by this ladder from now on.")
    return _change(request, house, ladder_id, lambda session: use(session, ladder_id, deadline, by=by, now=now), said)


@router.post("/desk/ladders/{ladder_id}/retire")
def take_out_of_use(request: Request, house: House, signed: Manager, ladder_id: Id) -> Response:
    try:
        with house.database.write() as session:
            _the_ladder(session, ladder_id)
            retire(session, ladder_id, by=signed.staff_id, now=house.clock())
    except DeadlineRefused as no:
        return _page(request, house, ladder_id, no=no)
    return redirect(request, "/desk/ladders", speaker(request)("The ladder is retired."))


def _change(
    request: Request,
    house: DeskHouse,
    ladder_id: int,
    change: Callable[[Session], None],
    said: str,
    typed: Typed | None = None,
) -> Response:
    try:
        with house.database.write() as session:
            _the_ladder(session, ladder_id)
            change(session)
    except DeadlineRefused as no:
        return _page(request, house, ladder_id, no=no, typed=typed)
    return redirect(request, f"/desk/ladders/{ladder_id}", said)


def _page(
    request: Request,
    house: DeskHouse,
    ladder_id: int,
    *,
    no: DeadlineRefused | None = None,
    typed: Typed | None = None,
) -> Response:
    problem = "" if no is None else speaker(request)(no.sentence, **no.values)
    with house.database.read() as session:
        line = _the_ladder(session, ladder_id)
        return render(
            request,
            "ladder.html",
            status=422 if problem else 200,
            line=line,
            rungs=rungs_in_use(session, ladder_id),
            used=deadlines_with(session, ladder_id),
            others=deadlines_without(session, ladder_id),
            most=MOST,
            typed=typed or Typed(),
            problem=problem,
        )


def _the_ladder(session: Session, ladder_id: int) -> LadderLine:
    found = ladder_lines(session, ladder_id)
    if not found:
        raise Refuse(404)
    return found[0]


def _the_rung(session: Session, ladder_id: int, rung_id: int) -> Rung:
    rung = session.get(Rung, rung_id)
    if rung is None or rung.ladder_id != ladder_id or rung.retired_at is not None:
        raise Refuse(404)
    return rung


def _tidy(text: str) -> str:
    return text.replace("\0", " ").replace("\r\n", "\n").strip()
