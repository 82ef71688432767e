"""What was decided, sent and answered, as a line of time: of one obligation, of one person. Changes nothing.

The words are those of `reminders/timeline.py`. Staff alone look at it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from desk import audit_words
from desk.house import DeskHouse
from desk.pages import BEYOND, House, Id, Page, Reader, Refuse, redirect, render, speaker
from facts.calendar import local_date, local_instant
from facts.languages import Speaker
from reminders.timeline import Line, Rows, Tone, in_order, of_person, timeline
from storage.audit_log import names_of
from storage.ladder import reminders_since
from storage.sendings import messages
from storage.tables import Audit, Obligation, Referent
from storage.timelines import (
    Decided,
    ToldAgain,
    acts_on,
    answers,
    decisions,
    extensions,
    told_again,
)
from storage.to_come import coming_for, coming_to

router = APIRouter()

AHEAD = timedelta(days=60)
Person = Annotated[int, Query(ge=0, lt=BEYOND)]


@dataclass(frozen=True, slots=True)
class Story:
    """The lines, less those of other people than `person`; whom one may choose; what is to come stands apart."""

    past: Sequence[Line]
    to_come: Sequence[Line]
    people: Sequence[tuple[int, str]]
    person: int


def of_obligation(session: Session, house: DeskHouse, obligation_id: int, _: Speaker, person: int = 0) -> Story:
    """Everything about one obligation, with what staff did to it by the log."""
    now = house.clock()
    decided, again = decisions(session, obligation_id=obligation_id), told_again(session, obligation_id=obligation_id)
    coming = coming_for(session, obligation_id)
    rows = Rows(
        decided,
        again,
        messages(session, _ids([*decided, *again])),
        coming,
        answers(session, obligation_id),
        extensions(session, obligation_id),
        _written_to(session, house, now, {who for one in coming for who, _name in one.undecided}),
    )
    lines = in_order([*timeline(rows, _, now, house.zone), *_acts(session, obligation_id, _)])
    people = {line.person_id: line.who for line in lines if line.person_id is not None}
    shown = of_person(lines, person) if person in people else lines
    return _story(shown, sorted(people.items(), key=lambda one: one[1].casefold()), person if person in people else 0)


@router.get("/desk/obligations/{obligation_id}")
def short_address(request: Request, house: House, signed: Reader, obligation_id: Id) -> Response:
    """For whoever knows the number only: the log, a line of somebody's reminders."""
    with house.database.read() as session:
        found = session.get(Obligation, obligation_id)
        if found is None:
            raise Refuse(404)
        return redirect(request, f"/desk/deadlines/{found.deadline_id}/obligations/{obligation_id}")


@router.get("/desk/referents/{referent_id}/reminders")
def of_referent(request: Request, house: House, signed: Reader, referent_id: Id, pages: Page) -> Response:
    """The newest first, a page at a time; above it what is to come."""
    now, _ = house.clock(), speaker(request)
    with house.database.read() as session:
        person = session.get(Referent, referent_id)
        if person is None:
            raise Refuse(404)
        until = pages.number * pages.size
        decided = decisions(session, referent_id=referent_id, limit=until + 1)
        again = told_again(session, referent_id=referent_id, limit=until + 1)
        newest: list[Decided | ToldAgain] = sorted([*decided, *again], key=lambda one: one.at or now, reverse=True)
        shown = newest[pages.offset : until]
        rows = Rows(
            [one for one in decided if one in shown],
            [one for one in again if one in shown],
            messages(session, _ids(shown)),
            coming_to(session, referent_id, now + AHEAD) if pages.number == 1 else (),
            written_to=_written_to(session, house, now, {referent_id}),
        )
        story = _story(timeline(rows, _, now, house.zone), (), 0)
        return render(
            request,
            "referent_reminders.html",
            person=person,
            story=story,
            past=list(reversed(story.past)),
            pages=pages.counted(len(newest)),
        )


def _ids(told: Sequence[Decided | ToldAgain]) -> set[int]:
    return {one.outbox_id for one in told if one.outbox_id is not None}


def _story(lines: Sequence[Line], people: Sequence[tuple[int, str]], person: int) -> Story:
    ahead = [line for line in lines if line.tone is Tone.PLANNED]
    return Story([line for line in lines if line.tone is not Tone.PLANNED], ahead, people, person)


def _written_to(session: Session, house: DeskHouse, now: datetime, people: set[int]) -> set[int]:
    """Those of these people who have had a reminder today."""
    began = local_instant(local_date(now, house.zone), time(0), house.zone)
    return set(reminders_since(session, people, began)) if people else set()


def _acts(session: Session, obligation_id: int, _: Speaker) -> list[Line]:
    """What the log says was done to it, by whom."""
    rows = [row for row in acts_on(session, obligation_id) if row.action in audit_words.ACTS]
    names = names_of(session, rows)
    return [Line(row.at, f"{_(audit_words.ACTS[row.action])}.", Tone.QUIET, _by(row, names, _)) for row in rows]


def _by(row: Audit, names: dict[tuple[str, int], str], _: Speaker) -> str:
    named = names.get((row.actor_kind, row.actor_id or 0))
    return named or _(audit_words.ACTORS.get(row.actor_kind, row.actor_kind))
