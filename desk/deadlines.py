"""The deadlines: who owes what, who is late, and why somebody was reminded or not. The rules are in `reminders`.

Making one is in `desk/new_deadline.py`.
"""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from desk.deadline_facts import rules_of
from desk.house import DeskHouse
from desk.pages import (
    BEYOND,
    SENTENCES,
    FormNumber,
    House,
    Id,
    Manager,
    Page,
    Reader,
    Refuse,
    redirect,
    render,
    speaker,
)
from desk.timelines import Person, of_obligation
from facts.calendar import local_date
from reminders.acts import Seen, Who, undoable, waive
from reminders.deadlines import choose_version, stop_deadline
from reminders.wanted import DeadlineRefused
from storage.desk import (
    Opened,
    Which,
    all_late,
    coming_days,
    heap,
    heaps,
    one_deadline,
    one_obligation,
    opened_periods,
    who_owes,
)
from storage.desk_updates import update_of_obligation
from storage.forms import version_lines, version_numbered
from storage.halts import holding_on
from storage.ladder import newest_decisions
from storage.obligations import deadlines_with_counts
from storage.tables import Deadline, FormVersion, ObligationState
from storage.tables import Form as FormRow

router = APIRouter()

Reason = Annotated[str, Form()]
Number = Annotated[int, Field(ge=1, lt=BEYOND)]


@router.get("/desk/deadlines")
def deadlines(request: Request, house: House, signed: Reader) -> Response:
    today = local_date(house.clock(), house.zone)
    with house.database.read() as session:
        _late, how_many = all_late(session, today, limit=1)
        return render(
            request, "deadlines.html", lines=deadlines_with_counts(session, today), late=how_many, today=today
        )


@router.get("/desk/deadlines/late")
def late(request: Request, house: House, signed: Reader, pages: Page) -> Response:
    today = local_date(house.clock(), house.zone)
    with house.database.read() as session:
        lines, total = all_late(session, today, limit=pages.size, offset=pages.offset)
        return render(
            request,
            "deadlines_late.html",
            lines=lines,
            people=who_owes(session, lines),
            today=today,
            pages=pages.counted(total),
        )


@router.get("/desk/deadlines/{deadline_id}")
def deadline(
    request: Request,
    house: House,
    signed: Reader,
    pages: Page,
    *,
    deadline_id: Id,
    which: Which | None = None,
    period: str = "",
) -> Response:
    today = local_date(house.clock(), house.zone)
    with house.database.read() as session:
        one = _the_deadline(session, deadline_id)
        opened = Opened(deadline_id, today, period)
        counts = heaps(session, opened)
        which = which or next((heap for heap in Which if counts[heap]), Which.OPEN)
        lines = heap(session, opened, which, limit=pages.size, offset=pages.offset)
        return render(
            request,
            "deadline.html",
            one=one,
            form=session.get_one(FormRow, one.form_id),
            fixed=_fixed(session, one),
            rules=rules_of(session, one, speaker(request)),
            coming=coming_days(session, deadline_id, today),
            halts=holding_on(session, deadline_id=deadline_id),
            periods=opened_periods(session, deadline_id, today),
            period=period,
            counts=counts,
            which=which,
            lines=lines,
            people=who_owes(session, lines),
            told=newest_decisions(session, deadline_id),
            today=today,
            acts=undoable(session, one, house.clock()),
            pages=pages.counted(counts[which]),
        )


@router.get("/desk/deadlines/{deadline_id}/version")
def versions(request: Request, house: House, signed: Manager, deadline_id: Id) -> Response:
    with house.database.read() as session:
        one = _the_deadline(session, deadline_id)
        if not one.active:
            return redirect(request, f"/desk/deadlines/{deadline_id}")
        return render(
            request,
            "deadline_version.html",
            one=one,
            form=session.get_one(FormRow, one.form_id),
            fixed=_fixed(session, one),
            versions=version_lines(session, one.form_id),
        )


@router.post("/desk/deadlines/{deadline_id}/version")
def choose(
    request: Request,
    house: House,
    signed: Manager,
    deadline_id: Id,
    *,
    revision: FormNumber,
    number: Annotated[Number | None, Form()] = None,
) -> Response:
    """`number` None: the newest, whichever it is."""
    _, here = speaker(request), f"/desk/deadlines/{deadline_id}"
    with house.database.write() as session:
        one = _the_deadline(session, deadline_id)
        version = None if number is None else version_numbered(session, one.form_id, number)
        if number is not None and version is None:
            raise Refuse(422)
        chosen = None if version is None else version.id
        done = choose_version(session, one, chosen, revision=revision, by=signed.staff_id, now=house.clock())
    if not done:
        return redirect(request, here, _(SENTENCES[409]), level="warning")
    return redirect(request, here, _("Saved: it is asked from now on."))


@router.get("/desk/deadlines/{deadline_id}/stop")
def before_stopping(request: Request, house: House, signed: Manager, deadline_id: Id) -> Response:
    return _stop_page(request, house, deadline_id)


@router.post("/desk/deadlines/{deadline_id}/stop")
def stop(request: Request, house: House, signed: Manager, deadline_id: Id, reason: Reason = "") -> Response:
    _ = speaker(request)
    try:
        with house.database.write() as session:
            _the_deadline(session, deadline_id)
            stopped = stop_deadline(session, deadline_id, reason, signed.staff_id, house.clock())
    except DeadlineRefused as refused:
        return _stop_page(request, house, deadline_id, reason=reason, error=_(refused.sentence, **refused.values))
    if not stopped:
        return redirect(request, f"/desk/deadlines/{deadline_id}", _("It was stopped already."), level="info")
    return redirect(request, f"/desk/deadlines/{deadline_id}", _("The deadline is stopped. Nobody is reminded of it."))


@router.get("/desk/deadlines/{deadline_id}/obligations/{obligation_id}")
def obligation(
    request: Request,
    house: House,
    signed: Reader,
    deadline_id: Id,
    obligation_id: Id,
    *,
    waiving: str = "",
    person: Person = 0,
) -> Response:
    """`waiving`: they came to let somebody off, so that form stands open. `person`: only what is about them."""
    return _obligation_page(request, house, deadline_id, obligation_id, waiving=bool(waiving), person=person)


@router.post("/desk/deadlines/{deadline_id}/obligations/{obligation_id}/waive")
def waive_one(
    request: Request, house: House, signed: Manager, deadline_id: Id, obligation_id: Id, reason: Reason = ""
) -> Response:
    _ = speaker(request)
    try:
        with house.database.write() as session:
            it = one_obligation(session, deadline_id, obligation_id)
            if it is None:
                raise Refuse(404)
            if it.obligation.state is not ObligationState.OPEN:
                back = f"/desk/deadlines/{deadline_id}/obligations/{obligation_id}"
                return redirect(request, back, _("It was no longer awaited: nothing is changed."), level="info")
            seen = Seen(obligation_id, it.obligation.version)
            act_id = waive(session, deadline_id, [seen], Who(signed.staff_id, house.clock(), reason)).id
    except DeadlineRefused as refused:
        error = _(refused.sentence, **refused.values)
        return _obligation_page(request, house, deadline_id, obligation_id, typed={"reason": reason, "error": error})
    here = f"/desk/deadlines/{deadline_id}/acts/{act_id}"
    return redirect(request, here, _("This update is no longer awaited, and nobody is reminded of it."))


def _obligation_page(
    request: Request,
    house: DeskHouse,
    deadline_id: int,
    obligation_id: int,
    *,
    typed: Mapping[str, str] | None = None,
    waiving: bool = False,
    person: int = 0,
) -> Response:
    today = local_date(house.clock(), house.zone)
    typed = typed or {"reason": "", "error": ""}
    with house.database.read() as session:
        it = one_obligation(session, deadline_id, obligation_id)
        if it is None:
            raise Refuse(404)
        return render(
            request,
            "obligation.html",
            status=422 if typed["error"] else 200,
            it=it,
            people=who_owes(session, [it])[obligation_id],
            halts=holding_on(session, deadline_id=deadline_id, organization_id=it.obligation.body_id or 0),
            story=of_obligation(session, house, obligation_id, speaker(request), person),
            update=update_of_obligation(session, obligation_id),
            today=today,
            waiving=waiving,
            **typed,
        )


def _stop_page(request: Request, house: DeskHouse, deadline_id: int, *, reason: str = "", error: str = "") -> Response:
    today = local_date(house.clock(), house.zone)
    with house.database.read() as session:
        return render(
            request,
            "deadline_stop.html",
            status=422 if error else 200,
            one=_the_deadline(session, deadline_id),
            counts=heaps(session, Opened(deadline_id, today)),
            reason=reason,
            error=error,
        )


def _the_deadline(session: Session, deadline_id: int) -> Deadline:
    one = one_deadline(session, deadline_id)
    if one is None:
        raise Refuse(404)
    return one


def _fixed(session: Session, one: Deadline) -> int | None:
    """The number of the version that a deadline keeps to; None for the newest."""
    return session.get_one(FormVersion, one.form_version_id).number if one.form_version_id is not None else None
