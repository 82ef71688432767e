"""The office's calendar: holidays of all, our closures, the patron's day of each organisation. What a change moves is
shown before it is kept, and listed after. The rules are in `reminders/closures.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import N_, House, Id, Manager, Page, Reader, Refuse, redirect, render, speaker
from facts.calendar import holidays_of, local_date
from reminders import closures as rules
from reminders.closures import Changed, Day
from reminders.replanning import Move
from reminders.wanted import DeadlineRefused
from storage import bulk
from storage.closure_days import of_organizations, of_the_office, one_closure
from storage.projects import find_organization, likely_organization, organizations
from storage.replanning import titles_of_deadlines
from storage.tables import BulkAct, Closure, Organization

router = APIRouter()

CALENDAR = "/desk/calendar"
YEARS = (1970, 2100)
Text = Annotated[str, Form()]


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it was typed. `whose`: the name of an organisation, "" for our office."""

    whose: str = ""
    day: str = ""
    yearly: str = ""
    name: str = ""


@router.get("/desk/calendar")
def calendar(request: Request, house: House, signed: Reader, pages: Page, *, year: str = "", q: str = "") -> Response:
    this_year = local_date(house.clock(), house.zone).year
    shown = int(year) if len(year) == 4 and year.isascii() and year.isdecimal() else this_year
    shown = min(max(shown, YEARS[0]), YEARS[1])
    with house.database.read() as session:
        lines, total = of_organizations(session, q, limit=pages.size, offset=pages.offset)
        return render(
            request,
            "calendar.html",
            year=shown,
            holidays=holidays_of(shown).items(),
            ours=of_the_office(session),
            lines=lines,
            q=q,
            pages=pages.counted(total),
        )


@router.get("/desk/calendar/new")
def new(request: Request, house: House, signed: Manager) -> Response:
    return _form(request, house, Typed(yearly="1"))


@router.post("/desk/calendar/new")
def add(
    request: Request,
    house: House,
    signed: Manager,
    *,
    whose: Text = "",
    day: Text = "",
    yearly: Text = "",
    name: Text = "",
    step: Text = "check",
) -> Response:
    return _keep(request, house, signed.staff_id, Typed(whose, day, yearly, name), step)


@router.get("/desk/calendar/{closure_id}")
def edit(request: Request, house: House, signed: Manager, closure_id: Id) -> Response:
    with house.database.read() as session:
        row = _the_closure(session, closure_id)
        body = None if row.organization_id is None else session.get_one(Organization, row.organization_id)
        typed = Typed(body.name if body else "", row.day.isoformat(), "1" if row.yearly else "", row.name)
    return _form(request, house, typed, closure_id)


@router.post("/desk/calendar/{closure_id}")
def change(
    request: Request,
    house: House,
    signed: Manager,
    closure_id: Id,
    *,
    whose: Text = "",
    day: Text = "",
    yearly: Text = "",
    name: Text = "",
    step: Text = "check",
) -> Response:
    with house.database.read() as session:
        _the_closure(session, closure_id)
    return _keep(request, house, signed.staff_id, Typed(whose, day, yearly, name), step, closure_id)


@router.get("/desk/calendar/{closure_id}/remove")
def before_removing(request: Request, house: House, signed: Manager, closure_id: Id) -> Response:
    with house.database.write() as session:
        name = _the_closure(session, closure_id).name
        gone = rules.remove(session, closure_id, signed.staff_id, house.clock())
        moves = _titled(session, gone.moves if gone else ())
        session.rollback()
    return render(request, "calendar_remove.html", closure_id=closure_id, name=name, moves=moves)


@router.post("/desk/calendar/{closure_id}/remove")
def remove(request: Request, house: House, signed: Manager, closure_id: Id) -> Response:
    with house.database.write() as session:
        _the_closure(session, closure_id)
        gone = rules.remove(session, closure_id, signed.staff_id, house.clock())
        act_id = gone.act.id if gone else 0
    return redirect(request, f"{CALENDAR}/acts/{act_id}", speaker(request)(N_("The day is out of the calendar.")))


@router.get("/desk/calendar/acts/{change_id}")
def became(request: Request, house: House, signed: Reader, change_id: Id) -> Response:
    with house.database.read() as session:
        act = bulk.one(session, change_id)
        if act is None or act.action != rules.ACT:
            raise Refuse(404)
        day = date.fromisoformat(act.before["day"])
        return render(request, "calendar_act.html", act=act, day=day, moves=_titled(session, rules.moves_of(act)))


# --- the pages


def _keep(
    request: Request, house: DeskHouse, staff_id: int, typed: Typed, step: str, closure_id: int | None = None
) -> Response:
    """Shows what would move; keeps it when that was seen."""
    if step == "edit":
        return _form(request, house, typed, closure_id)
    act: BulkAct | None = None
    try:
        with house.database.write() as session:
            done = _carry_out(session, house, staff_id, typed, closure_id)
            act, moves = done.act, _titled(session, done.moves)
            act_id = act.id
            if step != "save":
                session.rollback()
    except DeadlineRefused as no:
        return _form(request, house, typed, closure_id, speaker(request)(no.sentence, **no.values))
    if step != "save":
        return render(request, "calendar_check.html", typed=typed, closure_id=closure_id, moves=moves)
    return redirect(request, f"{CALENDAR}/acts/{act_id}", speaker(request)(N_("The calendar is saved.")))


def _carry_out(session: Session, house: DeskHouse, staff_id: int, typed: Typed, closure_id: int | None) -> Changed:
    wanted = _read(session, typed)
    if closure_id is None:
        return rules.add(session, wanted, staff_id, house.clock())
    changed = rules.change(session, closure_id, wanted, staff_id, house.clock())
    if changed is None:
        raise Refuse(404)
    return changed


def _read(session: Session, typed: Typed) -> Day:
    try:
        day = date.fromisoformat(typed.day.strip())
    except ValueError as error:
        raise DeadlineRefused(N_("Write the day: day, month and year.")) from error
    return Day(_whose(session, typed.whose), day, bool(typed.yearly), typed.name)


def _whose(session: Session, text: str) -> int | None:
    name = " ".join(text.replace("\x00", "").split())
    if not name:
        return None
    found = find_organization(session, name[:200])
    if found is not None:
        return found.id
    likely = likely_organization(session, name[:200])
    if likely is not None:
        raise DeadlineRefused(N_("We know no {name}. Did you mean {likely}?"), name=name[:200], likely=likely.name)
    raise DeadlineRefused(N_("We know no organisation called {name}."), name=name[:200])


def _form(request: Request, house: DeskHouse, typed: Typed, closure_id: int | None = None, error: str = "") -> Response:
    with house.database.read() as session:
        return render(
            request,
            "calendar_form.html",
            status=422 if error else 200,
            typed=typed,
            closure_id=closure_id,
            names=[row.name for row in organizations(session)],
            error=error,
        )


def _titled(session: Session, moves: Sequence[Move]) -> list[tuple[str, Move]]:
    titles = titles_of_deadlines(session, {one.deadline_id for one in moves})
    return [(titles[one.deadline_id], one) for one in moves]


def _the_closure(session: Session, closure_id: int) -> Closure:
    row = one_closure(session, closure_id)
    if row is None:
        raise Refuse(404)
    return row
