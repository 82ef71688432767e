"""Somebody is away from one day to another: said by staff, or by themselves. The rules are in `intake/absence.py`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import BEYOND, House, Id, Manager, Refuse, redirect, render, speaker
from desk.personal import closed, enter
from facts.calendar import local_date
from facts.languages import Speaker
from intake.absence import give_up, plan
from intake.delegation import Actor, NotPossible
from storage.delegations import colleagues, held_by
from storage.desk_people import note_use, one_referent
from storage.people import is_here
from storage.tables import Referent

router = APIRouter()

NOBODY = "nobody"


@dataclass
class Away:
    """What was typed, and what is wrong with it."""

    first: str = ""
    last: str = ""
    substitute: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    def days(self, _: Speaker) -> tuple[date, date] | None:
        read = {name: _day(getattr(self, name)) for name in ("first", "last")}
        for name, value in read.items():
            if value is None:
                self.errors[name] = _("Choose a day.")
        first, last = read["first"], read["last"]
        return (first, last) if first and last else None


@router.get("/desk/referents/{referent_id}/away")
def before(request: Request, house: House, signed: Manager, referent_id: Id) -> Response:
    with house.database.read() as session:
        one = _here(session, referent_id)
        return _desk_page(request, session, one, _known(one))


@router.post("/desk/referents/{referent_id}/away")
def by_staff(
    request: Request,
    house: House,
    signed: Manager,
    referent_id: Id,
    *,
    first: Annotated[str, Form()] = "",
    last: Annotated[str, Form()] = "",
    substitute: Annotated[str, Form()] = "",
    step: Annotated[str, Form()] = "save",
) -> Response:
    _, by, typed = speaker(request), ("staff", signed.staff_id), Away(first, last, substitute)
    page = f"/desk/referents/{referent_id}"
    if step == "end":
        with house.database.write() as session:
            _here(session, referent_id)
            if not give_up(session, referent_id, house.clock(), by=by):
                raise Refuse(404)
        return redirect(request, page, _("They are not away any more."))
    with house.database.read() as session:
        _here(session, referent_id)
    if _planned(house, referent_id, typed, _, by):
        return redirect(request, page, _("The absence is noted."))
    with house.database.read() as session:
        return _desk_page(request, session, _here(session, referent_id), typed)


@router.post("/r/{token}/preferences/away")
def by_themselves(
    request: Request,
    house: House,
    token: str,
    *,
    first: Annotated[str, Form()] = "",
    last: Annotated[str, Form()] = "",
    substitute: Annotated[str, Form()] = "",
    step: Annotated[str, Form()] = "save",
) -> Response:
    now, typed, page = house.clock(), Away(first, last, substitute), f"/r/{token}/preferences"
    with house.database.write() as session:
        me = enter(request, session, token, now)
        if me is None:
            return closed(request)
        me_id = me.id
        note_use(session, token, now)
        if step == "end" and not give_up(session, me_id, now, by=("referent", me_id)):
            raise Refuse(404)
    _ = speaker(request)
    if step == "end":
        return redirect(request, page, _("You are not away any more: the reminders come to you."))
    if _planned(house, me_id, typed, _, ("referent", me_id)):
        return redirect(request, page, _("Noted. Have a good time!"))
    said = " ".join(typed.errors.values())
    return redirect(request, page, said, level="danger")


def away_values(session: Session, one: Referent) -> Mapping[str, Any]:
    """What the part `away_part.html` needs: what is planned, who stands in, who could."""
    people, held = list(colleagues(session, one.id)), held_by(session, one.id)
    substitute = session.get(Referent, one.substitute_id) if one.substitute_id is not None else None
    if substitute is not None and substitute not in people:  # whom nothing reaches now: a look is not to lose them
        people.append(substitute)
    return {"colleagues": people, "held": held, "substitute": substitute, "known": _known(one)}


def _planned(house: DeskHouse, referent_id: int, typed: Away, _: Speaker, by: Actor) -> bool:
    days = typed.days(_)
    if days is None:
        return False
    now = house.clock()
    substitute_id = None if typed.substitute in ("", NOBODY) else _number(typed.substitute)
    try:
        with house.database.write() as session:
            plan(session, referent_id, substitute_id, *days, today=local_date(now, house.zone), now=now, by=by)
    except NotPossible as error:
        typed.errors["last"] = _(error.sentence, **error.values)
    return not typed.errors


def _desk_page(request: Request, session: Session, one: Referent, typed: Away) -> Response:
    values = away_values(session, one)
    return render(request, "away.html", status=422 if typed.errors else 200, one=one, typed=typed, **values)


def _known(one: Referent) -> Away:
    first, last = (f"{day:%Y-%m-%d}" if day else "" for day in (one.away_from, one.away_until))
    return Away(first, last, f"{one.substitute_id or NOBODY}")


def _here(session: Session, referent_id: int) -> Referent:
    one = one_referent(session, referent_id)
    if one is None or not is_here(one):
        raise Refuse(404)
    return one


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 11 and 0 < int(text) < BEYOND):
        raise Refuse(404)
    return int(text)
