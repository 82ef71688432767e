"""Reminds one person at a time of everything that is due, and writes down why or why not. Words nothing: see `wording`.

Only in working hours of the office (08:30-18:00, holidays of Milan): what falls due at night or on a holiday
waits for the next working morning, and is then told late rather than never. A person gets one gathered reminder
a day; a second one on the same day only for what is due that day or late already.

What they asked to be told again, or missed while nothing reached them (`reminders/again.py`), is in the same message.

What is due to somebody whom no channel reaches goes to their substitute, when there is one who is reached: one
message per person they stand in for, beside their own. The substitute of a substitute is not asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from itertools import groupby
from operator import attrgetter

import structlog
from sqlmodel import Session

from delivery.outbox import queue_to
from delivery.words import Words
from facts.calendar import (
    OFFICE_ZONE,
    local_date,
    local_instant,
    next_working_day,
    next_working_instant,
    within_working_hours,
)
from reminders.choices import Choice, away, choose, closed_for, to_substitute, unreachable
from storage.delegations import held_by, is_reached
from storage.ladder import (
    DueStep,
    Made,
    Moment,
    all_due_steps,
    claim_finished_steps,
    claim_person,
    first_heard_step,
    record_decisions,
    reminded_since,
    reminders_written,
    settle,
    somebody_waits,
    steps_of,
    steps_with_nobody,
)
from storage.people import reachable_addresses
from storage.snoozes import DueSnooze, claim_snoozer, decide_snooze, due_snoozes, next_snooze
from storage.substitutes import FOR_ANOTHER
from storage.tables import OutboxKind, Outcome, Reason, Referent

MANY = 5_000  # steps of one person settled at once; a longer list is settled at the end of the pass
UNWORDED = Words(html="")  # a reminder is worded when it is sent

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a sweep would do with one step. `outcome` None: it waits until tomorrow. `referent_id` None: nobody.

    `step_id` None: something to be told again.
    """

    referent_id: int | None
    step_id: int | None
    obligation_id: int | None
    outcome: Outcome | None
    reason: Reason | None


def remind_one(session: Session, now: datetime) -> bool:
    """Decides everything that is due for one person and queues one message; whether there was such a person.

    When there is none left, what concerns nobody is written down too, and all that is decided is settled.
    Outside working hours nothing happens.
    """
    if not within_working_hours(now, OFFICE_ZONE):
        return False
    moment = _moment(now)
    while (referent_id := claim_person(session, moment) or claim_snoozer(session, now)) is not None:
        choices = choose(steps_of(session, referent_id, moment), due_snoozes(session, now, referent_id))
        if choices:  # else another process has just told them
            _remind(session, referent_id, choices, moment)
            return True
    _settle_all(session, now)
    return False


def next_due(session: Session, now: datetime) -> datetime | None:
    """When the next reminder leaves, as things stand; None when none is to come."""
    opening = next_working_instant(now, OFFICE_ZONE)
    moment = _moment(opening)
    if somebody_waits(session, moment, held=False):
        return opening
    later = [one for one in (first_heard_step(session, opening), next_snooze(session)) if one is not None]
    instants = [next_working_instant(max(one, opening), OFFICE_ZONE) for one in later]
    if somebody_waits(session, moment, held=True):
        tomorrow = local_instant(next_working_day(moment.today), time(0), OFFICE_ZONE)
        instants.append(next_working_instant(tomorrow, OFFICE_ZONE))
    return min(instants, default=None)


def dry_run(session: Session, now: datetime) -> list[Plan]:
    """What a sweep would decide now, or at the next opening when the office is closed. Writes nothing."""
    moment = _moment(next_working_instant(now, OFFICE_ZONE))
    reminded = reminded_since(session, moment.day_began)
    steps = sorted(all_due_steps(session, moment.now), key=attrgetter("due_at", "step_id"))
    due: list[DueStep | DueSnooze] = [*steps, *due_snoozes(session, moment.now)]
    plans: list[Plan] = []
    for referent_id, group in groupby(sorted(due, key=attrgetter("referent_id")), key=attrgetter("referent_id")):
        plans += _plans_for(session, referent_id, list(group), reminded, moment)
    nobody = steps_with_nobody(session, moment.now)
    return plans + [Plan(None, step_id, None, Outcome.WITHHELD, Reason.NOBODY) for step_id in nobody]


def _plans_for(
    session: Session, referent_id: int, due: list[DueStep | DueSnooze], reminded: set[int], moment: Moment
) -> list[Plan]:
    steps = [one for one in due if isinstance(one, DueStep)]
    held = [step for step in steps if referent_id in reminded and step.due_on > moment.today]
    choices: Sequence[Choice] = choose(
        [step for step in steps if step not in held], [one for one in due if isinstance(one, DueSnooze)]
    )
    if _is_away(session, referent_id):
        choices = list(away(choices))
    elif not reachable_addresses(session, referent_id):
        substitute_id = _substitute_of(session, referent_id)
        reached = substitute_id is not None and reachable_addresses(session, substitute_id)
        choices = list(to_substitute(choices) if reached else unreachable(choices))
    waiting = [Plan(referent_id, step.step_id, step.obligation_id, None, None) for step in held]
    return [Plan(referent_id, _step_of(one), one.about.obligation_id, one.outcome, one.reason) for one in choices] + (
        waiting
    )


def _step_of(choice: Choice) -> int | None:
    return choice.about.step_id if isinstance(choice.about, DueStep) else None


def _moment(now: datetime) -> Moment:
    today = local_date(now, OFFICE_ZONE)
    return Moment(now, today, local_instant(today, time(0), OFFICE_ZONE))


def _remind(session: Session, referent_id: int, choices: list[Choice], moment: Moment) -> None:
    outbox_id = None
    if _is_away(session, referent_id):
        choices = list(away(choices))
    elif any(choice.outcome is Outcome.SENT for choice in choices):
        outbox_id = _queue(session, referent_id, moment)
        if outbox_id is None:
            outbox_id = _queue_for(session, referent_id, moment)
            choices = list(unreachable(choices) if outbox_id is None else to_substitute(choices))
    made = _written_down(session, referent_id, choices, outbox_id, moment.now)
    # Now and not at the end, or each of the next people is searched for among all that is already decided.
    finished = claim_finished_steps(session, moment.now, among=[one.step_id for one in made[:MANY]])
    settle(session, [step_id for step_id, *_ in finished])
    log.info("reminder.decided", referent=referent_id, steps=len(choices), outbox=outbox_id)


def _written_down(
    session: Session, referent_id: int, choices: Sequence[Choice], outbox_id: int | None, now: datetime
) -> list[Made]:
    """The decisions about the steps; what was to be told again is decided in its own rows."""
    made: list[Made] = []
    for one in choices:
        message = outbox_id if one.outcome is Outcome.SENT else None
        if isinstance(one.about, DueStep):
            made.append(Made(one.about.step_id, referent_id, one.outcome, one.reason, message))
        else:
            decide_snooze(session, one.about.snooze_id, one.outcome, one.reason, now, message)
    record_decisions(session, made, now)
    return made


def _queue(session: Session, referent_id: int, moment: Moment) -> int | None:
    """One message for all of it; None when no channel reaches them."""
    day = f"reminder:{referent_id}:{moment.today}:"
    # counts the copies for other channels too: the number only has to be new
    key = f"{day}{reminders_written(session, day) + 1}"
    return queue_to(session, referent_id, UNWORDED, kind=OutboxKind.REMINDER, now=moment.now, dedupe_key=key)


def _queue_for(session: Session, absent_id: int, moment: Moment) -> int | None:
    """The same to the substitute of somebody whom no channel reaches; None when there is none, or none is reached."""
    substitute_id = _substitute_of(session, absent_id)
    if substitute_id is None:
        return None
    # Both ids: two processes may decide about two people with one substitute, and must not find the same key.
    day = f"{FOR_ANOTHER}{substitute_id}-{absent_id}-{moment.today}:"
    key = f"{day}{reminders_written(session, day) + 1}"
    return queue_to(session, substitute_id, UNWORDED, kind=OutboxKind.REMINDER, now=moment.now, dedupe_key=key)


def _is_away(session: Session, referent_id: int) -> bool:
    """Whether a colleague answers for them, and can be told."""
    held = held_by(session, referent_id)
    return held is not None and is_reached(session, held.substitute_id)


def _substitute_of(session: Session, referent_id: int) -> int | None:
    referent = session.get(Referent, referent_id)
    return None if referent is None else referent.substitute_id


def _settle_all(session: Session, now: datetime) -> None:
    while finished := claim_finished_steps(session, now):
        nobody = [
            Made(step_id, None, Outcome.WITHHELD, closed_for(state, active) or Reason.NOBODY)
            for step_id, state, active, decided in finished
            if not decided
        ]
        record_decisions(session, nobody, now)
        settle(session, [step_id for step_id, *_ in finished])
