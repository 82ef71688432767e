"""The ladders of reminders: copied, given and taken rungs, chosen for a deadline, retired.

A rung is never changed, since what was decided refers to it. A change counts at once for all that is awaited, and only
for what is still to come: nobody is told today of a rung that would have been last week. Raises DeadlineRefused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from facts.languages import N_
from reminders.planning import periods
from reminders.wanted import DeadlineRefused
from storage import audit, ladders
from storage.closures import calendar
from storage.making import make_steps
from storage.obligations import lock_deadline
from storage.tables import Ladder, Rung, Unit
from storage.tables.deadlines import STANDARD_LADDER

LONGEST_NAME = 80
LONGEST_WORDS = 500
FARTHEST = 366  # days from the due day
MOST = 20  # rungs: more of them are no reminder any more

NOT_THERE = N_("This ladder of reminders is not in use any more. Choose another one.")


@dataclass(frozen=True, slots=True)
class WantedRung:
    """So many days before (-7) or after (2) the due day; see `storage.tables.Rung`."""

    offset_days: int
    unit: Unit
    urgent: bool
    text_it: str = ""
    text_en: str = ""


def copy(session: Session, ladder_id: int, name: str, *, by: int, now: datetime) -> Ladder:
    """A new ladder with the same rungs, which no deadline uses yet."""
    _in_use(session, ladder_id)
    name = " ".join(name.replace("\0", " ").split())
    if not name:
        raise DeadlineRefused(N_("Give the ladder a name."))
    if len(name) > LONGEST_NAME:
        raise DeadlineRefused(N_("The name is too long: keep it within {n} characters."), n=LONGEST_NAME)
    new = Ladder(name=name, created_by=by, created_at=now)
    if not ladders.add(session, new):
        raise DeadlineRefused(N_("There is a ladder of this name already. Choose another name."))
    for one in ladders.rungs_in_use(session, ladder_id):
        kept = one.model_dump(exclude={"id", "ladder_id", "retired_at"})
        session.add(Rung(ladder_id=new.id, **kept))
    session.flush()
    _note(session, "ladder.copy", new.id, by, now, of=ladder_id)
    return new


def add_rung(session: Session, ladder_id: int, wanted: WantedRung, *, by: int, now: datetime) -> None:
    ladder = _in_use(session, ladder_id)
    _check(wanted)
    if len(ladders.rungs_in_use(session, ladder_id)) >= MOST:
        raise DeadlineRefused(N_("A ladder has {most} steps at most. Take one away first."), most=MOST)
    rung = Rung(
        ladder_id=ladder.id,
        offset_days=wanted.offset_days,
        unit=wanted.unit,
        urgent=wanted.urgent,
        text_it=wanted.text_it,
        text_en=wanted.text_en,
    )
    if not ladders.add(session, rung):
        raise DeadlineRefused(
            N_("This ladder has a step on that day already. Take it away first, or choose another day.")
        )
    _remake(session, ladder_id, now)
    _note(session, "ladder.add-rung", ladder_id, by, now, rung=rung.id)


def take_rung(session: Session, ladder_id: int, rung_id: int, *, by: int, now: datetime) -> bool:
    """Its reminders that are still to come do not leave. False when it was taken away before."""
    _in_use(session, ladder_id)
    if len(ladders.rungs_in_use(session, ladder_id)) == 1:
        raise DeadlineRefused(N_("This is the last step: without one nobody is reminded. Add another one first."))
    if not ladders.retire_rung(session, rung_id, now):
        return False
    _remake(session, ladder_id, now)
    _note(session, "ladder.take-rung", ladder_id, by, now, rung=rung_id)
    return True


def use(session: Session, ladder_id: int, deadline_id: int, *, by: int, now: datetime) -> None:
    """The deadline reminds by this ladder from now on."""
    _in_use(session, ladder_id)
    if not ladders.give_ladder(session, deadline_id, ladder_id):
        raise DeadlineRefused(N_("This deadline is stopped, or has this ladder already."))
    _remake_for(session, [deadline_id], ladder_id, now)
    audit.record(session, now, ("staff", by), "deadline.ladder", ("deadline", deadline_id), ladder=ladder_id)


def retire(session: Session, ladder_id: int, *, by: int, now: datetime) -> None:
    ladder = _in_use(session, ladder_id)
    if ladder_id == STANDARD_LADDER:
        raise DeadlineRefused(N_("New deadlines begin with this ladder: it stays."))
    if ladders.deadlines_with(session, ladder_id):
        raise DeadlineRefused(N_("Deadlines use this ladder. Give them another one first."))
    ladder.retired_at = now
    session.add(ladder)
    _note(session, "ladder.retire", ladder_id, by, now)


def _remake(session: Session, ladder_id: int, now: datetime) -> None:
    _remake_for(session, [one.id for one in ladders.deadlines_with(session, ladder_id)], ladder_id, now)


def _remake_for(session: Session, deadline_ids: Iterable[int], ladder_id: int, now: datetime) -> None:
    closures, rungs = calendar(session), ladders.rungs_in_use(session, ladder_id)
    for deadline_id in deadline_ids:
        deadline = lock_deadline(session, deadline_id)
        if deadline is not None and deadline.active:
            ladders.lay_aside(session, deadline_id, ladder_id)
            ladders.take_up(session, deadline_id, ladder_id, now)
            make_steps(session, deadline, periods(deadline, rungs, closures, now=now), now)


def _check(wanted: WantedRung) -> None:
    if abs(wanted.offset_days) > FARTHEST:
        raise DeadlineRefused(N_("A step is at most {n} days from the due day."), n=FARTHEST)
    if max(len(wanted.text_it), len(wanted.text_en)) > LONGEST_WORDS:
        raise DeadlineRefused(N_("The words are too long: keep them within {n} characters."), n=LONGEST_WORDS)


def _in_use(session: Session, ladder_id: int) -> Ladder:
    ladder = ladders.hold_ladder(session, ladder_id)
    if ladder is None or ladder.retired_at is not None:
        raise DeadlineRefused(NOT_THERE)
    return ladder


def _note(session: Session, act: str, ladder_id: int, by: int, now: datetime, **detail: int) -> None:
    audit.record(session, now, ("staff", by), act, ("ladder", ladder_id), **detail)
