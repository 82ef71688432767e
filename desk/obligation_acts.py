"""What is done to many obligations at once: another day, let off, a period closed; shown before, and undone that day.

The rules are in `reminders/acts.py`. Works without JavaScript: the list is a form, and each act has a page that asks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from answering.refusal import Refused
from desk.house import DeskHouse
from desk.pages import BEYOND, N_, House, Id, Manager, Refuse, redirect, render, speaker
from facts.calendar import local_date
from reminders import acts as rules
from reminders.acts import Act, Seen, Who
from reminders.wanted import DeadlineRefused
from storage import bulk
from storage.acts import awaited
from storage.desk import Opened, Which, one_deadline, opened_periods, whole_heap
from storage.obligations import owed
from storage.tables import BulkAct, Deadline

router = APIRouter()

SHOWN = 20
MOST = 10_000
NOTHING = N_("Choose at least one line of the list.")
TOO_MANY = N_("These are more than {n}: choose one period, and do them period by period.")

Text = Annotated[str, Form()]
Picked = Annotated[list[str] | None, Form()]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen in the list: single lines, or `whole`, all of a heap (of one period)."""

    pick: Sequence[str] = ()
    whole: str = ""
    which: str = ""
    period: str = ""

    def seen(self, session: Session, deadline_id: int, today: date) -> list[Seen]:
        """Raises DeadlineRefused when it is nothing, or too much."""
        if self.whole and self.which in (Which.OPEN, Which.LATE):
            heap = whole_heap(session, Opened(deadline_id, today, self.period), Which(self.which), limit=MOST + 1)
            found = [Seen(*one) for one in heap]
        else:
            found = _seen(self.pick[: MOST + 1])
        if not found:
            raise DeadlineRefused(NOTHING)
        if len(found) > MOST:
            raise DeadlineRefused(TOO_MANY, n=MOST)
        return found


@router.get("/desk/deadlines/{deadline_id}/many")
def before(
    request: Request,
    house: House,
    signed: Manager,
    deadline_id: Id,
    *,
    act: str = "",
    pick: Annotated[list[str] | None, Query()] = None,
    whole: str = "",
    which: str = "",
    period: str = "",
) -> Response:
    return _ask(request, house, deadline_id, _act(house, deadline_id, act), Choice(pick or (), whole, which, period))


@router.post("/desk/deadlines/{deadline_id}/many")
def do(
    request: Request,
    house: House,
    signed: Manager,
    deadline_id: Id,
    *,
    act: Text = "",
    pick: Picked = None,
    whole: Text = "",
    which: Text = "",
    period: Text = "",
    day: Text = "",
    reason: Text = "",
) -> Response:
    what, choice = _act(house, deadline_id, act), Choice(pick or (), whole, which, period)
    who = Who(signed.staff_id, house.clock(), reason)

    def carry_out(session: Session) -> BulkAct:
        many = choice.seen(session, deadline_id, _today(house))
        if what is Act.WAIVE:
            return rules.waive(session, deadline_id, many, who)
        return rules.postpone(session, deadline_id, many, _day(day), who)

    try:
        return _done(request, house, deadline_id, carry_out)
    except DeadlineRefused as no:
        error = speaker(request)(no.sentence, **no.values)
        return _ask(request, house, deadline_id, what, choice, day=day, reason=reason, error=error)


@router.get("/desk/deadlines/{deadline_id}/close")
def before_closing(request: Request, house: House, signed: Manager, deadline_id: Id, period: str = "") -> Response:
    return _ask_closing(request, house, deadline_id, period)


@router.post("/desk/deadlines/{deadline_id}/close")
def close(
    request: Request, house: House, signed: Manager, deadline_id: Id, *, period: Text = "", reason: Text = ""
) -> Response:
    who = Who(signed.staff_id, house.clock(), reason)
    try:
        return _done(request, house, deadline_id, lambda session: rules.close_period(session, deadline_id, period, who))
    except DeadlineRefused as no:
        error = speaker(request)(no.sentence, **no.values)
        return _ask_closing(request, house, deadline_id, period, reason=reason, error=error)


@router.get("/desk/deadlines/{deadline_id}/acts/{act_id}")
def became(request: Request, house: House, signed: Manager, deadline_id: Id, act_id: Id) -> Response:
    with house.database.read() as session:
        one, act = _the_deadline(session, deadline_id), _the_act(session, deadline_id, act_id)
        done = [int(number) for number in act.before["done"]]
        to = act.before.get("to")
        return render(
            request,
            "deadline_act.html",
            one=one,
            act=act,
            count=act.before.get("count", len(done)),
            shown=owed(session, done[:SHOWN]),
            stayed=owed(session, act.before["stayed"][:SHOWN]),
            more=max(0, len(done) - SHOWN),
            stayed_count=len(act.before["stayed"]),
            to=date.fromisoformat(to) if to else None,
            may_undo=one.active and rules.may_undo(act, house.clock()),
        )


@router.post("/desk/deadlines/{deadline_id}/acts/{act_id}/undo")
def undo(request: Request, house: House, signed: Manager, deadline_id: Id, act_id: Id) -> Response:
    _, back = speaker(request), f"/desk/deadlines/{deadline_id}"
    try:
        with house.database.write() as session:
            act = _the_act(session, deadline_id, act_id)
            count = rules.undo(session, act, signed.staff_id, house.clock())
    except DeadlineRefused as no:
        return redirect(request, f"{back}/acts/{act_id}", _(no.sentence, **no.values), level="warning")
    return redirect(request, back, _.ngettext("Undone for one update.", "Undone for {n} updates.", count))


# --- the pages


def _done(request: Request, house: DeskHouse, deadline_id: int, what: Callable[[Session], BulkAct]) -> Response:
    with house.database.write() as session:
        _the_deadline(session, deadline_id)
        act_id = what(session).id
    return redirect(request, f"/desk/deadlines/{deadline_id}/acts/{act_id}")


def _ask(
    request: Request,
    house: DeskHouse,
    deadline_id: int,
    act: Act,
    choice: Choice,
    *,
    day: str = "",
    reason: str = "",
    error: str = "",
) -> Response:
    with house.database.read() as session:
        one = _the_deadline(session, deadline_id)
        try:
            seen = choice.seen(session, deadline_id, _today(house))
        except DeadlineRefused as no:
            _ = speaker(request)
            return redirect(request, f"/desk/deadlines/{deadline_id}", _(no.sentence, **no.values), level="warning")
        lines = [it for it in owed(session, [it.id for it in seen[:SHOWN]]) if it.deadline.id == deadline_id]
        return render(
            request,
            "deadline_many.html",
            status=422 if error else 200,
            one=one,
            act=act.value,
            choice=choice,
            count=len(seen),
            lines=lines,
            day=day,
            reason=reason,
            error=error,
        )


def _ask_closing(
    request: Request, house: DeskHouse, deadline_id: int, period: str, *, reason: str = "", error: str = ""
) -> Response:
    with house.database.read() as session:
        one = _the_deadline(session, deadline_id)
        if period not in opened_periods(session, deadline_id, date.max):
            raise Refuse(404)
        count = awaited(session, deadline_id, period)
        return render(
            request,
            "deadline_close.html",
            status=422 if error else 200,
            one=one,
            period=period,
            count=count,
            reason=reason,
            error=error,
        )


def _act(house: DeskHouse, deadline_id: int, text: str) -> Act:
    with house.database.read() as session:
        _the_deadline(session, deadline_id)
    if text not in (Act.POSTPONE, Act.WAIVE):
        raise Refused(N_("Choose what is to be done."))
    return Act(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise DeadlineRefused(N_("Write the new day: day, month and year.")) from error


def _seen(pick: Sequence[str]) -> list[Seen]:
    """Each once; what is no number of ours is left out."""
    found = {}
    for one in pick:
        number, _, version = one.partition(".")
        if all(part.isascii() and part.isdecimal() and 0 < len(part) < 11 for part in (number, version)):
            found[int(number)] = Seen(int(number), int(version))
    return [one for one in found.values() if one.id < BEYOND]


def _today(house: DeskHouse) -> date:
    return local_date(house.clock(), house.zone)


def _the_deadline(session: Session, deadline_id: int) -> Deadline:
    one = one_deadline(session, deadline_id)
    if one is None:
        raise Refuse(404)
    return one


def _the_act(session: Session, deadline_id: int, act_id: int) -> BulkAct:
    act = bulk.one(session, act_id)
    if act is None or act.action not in set(Act) or act.before["deadline"] != deadline_id:
        raise Refuse(404)
    return act
