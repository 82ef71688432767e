"""Making a deadline in two steps: what it would mean is shown before anything is kept. The rules are in `reminders`.

The preview makes the deadline in a transaction that is rolled back: it cannot differ from the real thing. The days
are shown while somebody types, too, where a browser runs our scripts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from desk.deadline_facts import Rules, rules_of
from desk.deadline_templates import TEMPLATES, begun_with
from desk.deadline_wish import DayOf, Reading, Wish, read_rhythm, read_wish
from desk.house import DeskHouse
from desk.pages import House, Manager, redirect, render, speaker
from facts.calendar import local_date
from facts.languages import Speaker
from facts.phases import PHASES
from facts.recurrence_words import OFTEN, month_names, weekday_names
from intake.forms.nodes import About
from reminders.coming import ComingDay, Rhythm, coming
from reminders.deadlines import create_deadline
from reminders.wanted import MAY_FOLLOW, DeadlineRefused
from storage.closures import calendar
from storage.desk import Opened, Which, heaps, who_owes
from storage.forms import forms_in_use
from storage.ladders import ladders_in_use
from storage.obligations import obligations_of, periods_of
from storage.projects import organizations, programmes
from storage.staff import list_staff
from storage.tables import Deadline

router = APIRouter()

NOT_KEPT = {"step", "programme", "phase"}


@dataclass(frozen=True, slots=True)
class Preview:
    """What the deadline would make: its next days, and for each of them how many updates are awaited and from whom.

    `reminded`: how many referents; `alone`: for how many of the updates there is nobody to remind.
    """

    made: Deadline
    days: Sequence[ComingDay]
    rules: Rules
    in_scope: int
    reminded: int
    alone: int
    late: int


@router.get("/desk/deadlines/new")
def new(request: Request, house: House, signed: Manager, template: str = "") -> Response:
    """The templates first; with one of them, or with none at all (`blank`), the form."""
    if not template:
        return render(request, "deadline_templates.html", templates=TEMPLATES)
    wish = begun_with(template, speaker(request), house.zone, local_date(house.clock(), house.zone))
    with house.database.read() as session:
        return _form(request, house, session, wish, {})


@router.get("/desk/deadlines/new/days")
def days(request: Request, house: House, signed: Manager, wish: Annotated[Wish, Query()]) -> Response:
    """The next days of what is typed so far: a part of the page."""
    with house.database.read() as session:
        return render(request, "deadline_days.html", days=_days(house, session, wish, speaker(request)))


@router.post("/desk/deadlines/new")
def make(request: Request, house: House, signed: Manager, wish: Annotated[Wish, Form()]) -> Response:
    _ = speaker(request)
    with house.database.read() as session:
        reading = read_wish(session, wish, _)
        if reading.errors or wish.step == "edit":
            return _form(request, house, session, wish, reading.errors)
    try:
        if wish.step == "create":
            deadline_id = _create(house, reading, signed.staff_id)
            return redirect(
                request, f"/desk/deadlines/{deadline_id}", _("The deadline is made. Reminders start alone.")
            )
        preview = _try(house, reading, signed.staff_id, _)
    except DeadlineRefused as refused:
        with house.database.read() as session:
            return _form(request, house, session, wish, {"": _(refused.sentence, **refused.values)})
    kept = wish.model_dump(exclude=NOT_KEPT)
    return render(request, "deadline_check.html", wish=wish, kept=kept, form_title=reading.form_title, preview=preview)


def _create(house: DeskHouse, reading: Reading, staff_id: int) -> int:
    with house.database.write() as session:
        made = create_deadline(
            session, targets=reading.targets, created_by=staff_id, now=house.clock(), **reading.wanted
        )
        return made.id


def _try(house: DeskHouse, reading: Reading, staff_id: int, _: Speaker) -> Preview:
    now = house.clock()
    with house.database.write() as session:
        made = create_deadline(session, targets=reading.targets, created_by=staff_id, now=now, **reading.wanted)
        preview = _preview(session, made, local_date(now, made.zone), _)
        session.rollback()
    return preview


def _preview(session: Session, made: Deadline, today: date, _: Speaker) -> Preview:
    periods = periods_of(session, made.id)
    each_time = obligations_of(session, made.id, period=periods[0]) if periods else []
    people = who_owes(session, each_time).values()
    preview = Preview(
        made=made,
        days=coming(Rhythm(made.rule, made.first_on, made.until, made.moved), calendar(session), today),
        rules=rules_of(session, made, _),
        in_scope=len(each_time),
        reminded=len({referent_id for them in people for referent_id, _name in them}),
        alone=sum(not them for them in people),
        late=heaps(session, Opened(made.id, today))[Which.LATE],
    )
    session.expunge_all()  # what was read is shown after the transaction is rolled back
    return preview


def _days(house: DeskHouse, session: Session, wish: Wish, _: Speaker) -> Sequence[ComingDay]:
    """None while what is typed says no days yet."""
    errors: dict[str, str] = {}
    rhythm = read_rhythm(wish, errors, _)
    if errors or not 2000 <= rhythm.first_on.year <= 2200:
        return ()
    return coming(rhythm, calendar(session), local_date(house.clock(), house.zone))


def _form(request: Request, house: DeskHouse, session: Session, wish: Wish, errors: dict[str, str]) -> Response:
    _ = speaker(request)
    return render(
        request,
        "deadline_new.html",
        status=422 if errors else 200,
        wish=wish,
        errors=errors,
        forms=forms_in_use(session),
        About=About,
        DayOf=DayOf,
        often=OFTEN,
        weekdays=weekday_names(_),
        months=month_names(_),
        phases=PHASES,
        programmes=programmes(session),
        organizations=[row.name for row in organizations(session)],
        ladders=ladders_in_use(session),
        officers=[one for one in list_staff(session) if one.active and one.role in MAY_FOLLOW],
        days=_days(house, session, wish, _),
    )
