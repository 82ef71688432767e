"""Making a deadline in two steps: what it would mean is shown before anything is kept. The rules are in `reminders`.

The preview makes the deadline in a transaction that is rolled back: it cannot differ from the real thing.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel
from sqlmodel import Session
from starlette.responses import Response

from desk.house import DeskHouse
from desk.pages import House, Manager, redirect, render, speaker
from facts.calendar import local_date
from facts.codes import InvalidCode, read_cup
from facts.languages import Speaker
from facts.recurrence import ONCE, monthly
from intake.forms.nodes import About
from reminders.deadlines import create_deadline
from reminders.wanted import DeadlineRefused, Wanted
from storage.desk import Opened, Which, coming_days, heaps, who_owes
from storage.forms import forms_in_use, version_numbered
from storage.obligations import obligations_of, periods_of
from storage.projects import find_organization, likely_organization, organizations, programmes, projects_with_cup
from storage.scopes import Line
from storage.tables import Deadline, Subject, TargetKind
from storage.tables import Form as FormRow

router = APIRouter()

MOST_LINES = 500
Targets = set[Line]


class Wish(BaseModel):
    """The form as it was typed. `form_version`: its number, "" for the newest. `step`: check, edit or create."""

    title: str = ""
    form_id: str = ""
    form_version: str = ""
    recurrence: str = "monthly"
    due_on: str = ""
    day: str = "10"
    first_on: str = ""
    until: str = ""
    zone: str = ""
    opens: str = "20"
    scope: str = "all"
    programme: list[int] = []
    organizations: str = ""
    cups: str = ""
    step: str = "check"


@dataclass
class Reading:
    """What the form means, as far as it can be read; sentences by field for the rest."""

    wanted: Wanted
    form_title: str = ""
    targets: Targets = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the deadline would make: its next days, and for each of them how many updates are awaited and from whom.

    `reminded`: how many referents; `alone`: for how many of the updates there is nobody to remind.
    """

    days: tuple[date, ...]
    in_scope: int
    reminded: int
    alone: int
    periods: int
    late: int


@router.get("/desk/deadlines/new")
def new(request: Request, house: House, signed: Manager) -> Response:
    with house.database.read() as session:
        return _form(request, house, session, Wish(zone=house.zone), {})


@router.post("/desk/deadlines/new")
def make(request: Request, house: House, signed: Manager, wish: Annotated[Wish, Form()]) -> Response:
    _ = speaker(request)
    with house.database.read() as session:
        reading = _read(session, wish, _)
        if reading.errors or wish.step == "edit":
            return _form(request, house, session, wish, reading.errors)
    try:
        if wish.step == "create":
            deadline_id = _create(house, reading, signed.staff_id)
            return redirect(
                request, f"/desk/deadlines/{deadline_id}", _("The deadline is made. Reminders start alone.")
            )
        preview = _try(house, reading, signed.staff_id)
    except DeadlineRefused as refused:
        with house.database.read() as session:
            return _form(request, house, session, wish, {"": _(refused.sentence, **refused.values)})
    return render(
        request, "deadline_check.html", wish=wish, wanted=reading.wanted, form_title=reading.form_title, preview=preview
    )


def _create(house: DeskHouse, reading: Reading, staff_id: int) -> int:
    with house.database.write() as session:
        made = create_deadline(
            session, targets=reading.targets, created_by=staff_id, now=house.clock(), **reading.wanted
        )
        return made.id


def _try(house: DeskHouse, reading: Reading, staff_id: int) -> Preview:
    now = house.clock()
    with house.database.write() as session:
        wanted: Wanted = {**reading.wanted}
        made = create_deadline(session, targets=reading.targets, created_by=staff_id, now=now, **wanted)
        preview = _preview(session, made, local_date(now, made.zone))
        session.rollback()
    return preview


def _preview(session: Session, made: Deadline, today: date) -> Preview:
    periods = periods_of(session, made.id)
    each_time = obligations_of(session, made.id, period=periods[0]) if periods else []
    people = who_owes(session, each_time).values()
    reminded = {referent_id for them in people for referent_id, _name in them}
    late = heaps(session, Opened(made.id, today))[Which.LATE]
    return Preview(
        days=tuple(coming_days(session, made.id, min(made.first_on, today))),
        in_scope=len(each_time),
        reminded=len(reminded),
        alone=sum(not them for them in people),
        periods=len(periods),
        late=late,
    )


# --- reading the form


def _read(session: Session, wish: Wish, _: Speaker) -> Reading:
    errors: dict[str, str] = {}
    if not wish.title.strip():
        errors["title"] = _("Give the deadline a title.")
    once = wish.recurrence == "once"
    first = _day(wish.due_on if once else wish.first_on, "due_on" if once else "first_on", errors, _)
    until = None if once or not wish.until.strip() else _day(wish.until, "until", errors, _)
    if first and until and until < first:
        errors["until"] = _("The last day comes before the first one.")
    day = None if once else _number(wish.day, "day", errors, _, most=31)
    opens = _number(wish.opens, "opens", errors, _, least=0, most=366)
    form = _chosen_form(session, wish)
    wanted = Wanted(
        title=wish.title,
        form_id=form.id if form is not None else 0,
        form_version_id=_version(session, form, wish, errors, _) if form is not None else None,
        subject=Subject(form.about) if form is not None else Subject.PROJECT,
        rule=monthly(day) if day else ONCE,
        first_on=first or date.min,
        until=until,
        zone=wish.zone.strip(),
        opens_days_before=opens or 0,
    )
    title = form.title if form is not None else ""
    return Reading(wanted, title, _targets(session, wish, errors, _), errors)


def _chosen_form(session: Session, wish: Wish) -> FormRow | None:
    """Who owes it, each project or each organisation, follows from the form: nobody is asked what is known."""
    known = wish.form_id.isascii() and wish.form_id.isdecimal() and len(wish.form_id) < 10
    return session.get(FormRow, int(wish.form_id)) if known else None


def _version(session: Session, form: FormRow, wish: Wish, errors: dict[str, str], _: Speaker) -> int | None:
    if not wish.form_version.strip():
        return None
    number = _number(wish.form_version, "form_version", errors, _, most=9999)
    found = version_numbered(session, form.id, number) if number is not None else None
    if number is not None and found is None:
        errors["form_version"] = _("“{title}” has no version {number}.", title=form.title, number=number)
    return found.id if found is not None else None


def _day(text: str, name: str, errors: dict[str, str], _: Speaker) -> date | None:
    """Browsers send ISO dates, whatever they show."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        errors[name] = _("Choose a day.")
        return None


def _number(text: str, name: str, errors: dict[str, str], _: Speaker, *, least: int = 1, most: int) -> int | None:
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) < 5 and least <= int(text) <= most:
        return int(text)
    errors[name] = _("Write a number from {least} to {most}.", least=least, most=most)
    return None


def _targets(session: Session, wish: Wish, errors: dict[str, str], _: Speaker) -> Targets:
    if wish.scope == "programme":
        if not wish.programme:
            errors["programme"] = _("Choose at least one programme.")
        return {Line(TargetKind.PROGRAMME, id_) for id_ in wish.programme}
    if wish.scope == "organizations":
        return _organizations(session, _lines(wish.organizations, "organizations", errors, _), errors, _)
    if wish.scope == "projects":
        return _projects(session, _lines(wish.cups, "cups", errors, _), errors, _)
    return set()


def _lines(text: str, name: str, errors: dict[str, str], _: Speaker) -> list[str]:
    lines = [line for line in (" ".join(line.split()) for line in text.splitlines()) if line]
    if not lines:
        errors[name] = _("Write at least one, each on its own line.")
    if len(lines) > MOST_LINES:
        errors[name] = _("Too many lines: {n} at most.", n=MOST_LINES)
    return lines[:MOST_LINES]


def _organizations(session: Session, names: list[str], errors: dict[str, str], _: Speaker) -> Targets:
    found: Targets = set()
    for name in names:
        row = find_organization(session, name)
        if row is not None:
            found.add(Line(TargetKind.ORGANIZATION, row.id))
            continue
        likely = likely_organization(session, name)
        errors["organizations"] = (
            _("No organisation is called {found}. Perhaps {suggestion}?", found=name, suggestion=likely.name)
            if likely
            else _("No organisation is called {found}.", found=name)
        )
    return found


def _projects(session: Session, codes: list[str], errors: dict[str, str], _: Speaker) -> Targets:
    found: Targets = set()
    for code in codes:
        try:
            rows = projects_with_cup(session, read_cup(code).value)
        except InvalidCode as error:
            errors["cups"] = (
                _("{cup} is not a CUP. Perhaps {suggestion}?", cup=code, suggestion=error.suggestion)
                if error.suggestion
                else _("{cup} is not a CUP.", cup=code)
            )
            continue
        if not rows:
            errors["cups"] = _("No project has the CUP {cup}.", cup=code)
        found |= {Line(TargetKind.PROJECT, row.id) for row in rows}
    return found


def _form(request: Request, house: DeskHouse, session: Session, wish: Wish, errors: dict[str, str]) -> Response:
    return render(
        request,
        "deadline_new.html",
        status=422 if errors else 200,
        wish=wish,
        errors=errors,
        forms=forms_in_use(session),
        About=About,
        programmes=programmes(session),
        organizations=[row.name for row in organizations(session)],
    )
