"""Reminds each person of everything that is due, and writes down why or why not. Words nothing: see `wording`.

Only in working hours of the office (08:30-18:00, holidays of Milan): what falls due at night or on a holiday
waits for the next working morning, and is then told late rather than never. A person gets one gathered reminder
a day; a second one on the same day only for a step that its ladder calls urgent.

What they asked to be told again, or missed while nothing reached them (`reminders/again.py`), is in the same message.

What is due to somebody whom no channel reaches goes to their substitute, when there is one who is reached: one
message per person they stand in for, beside their own. The substitute of a substitute is not asked.

Who has said that they are away is told nothing of what they have left to a colleague, as long as that one is reached.

What staff have stopped (`reminders/halts.py`) is withheld.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
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
from reminders.choices import Choice, choose, closed_for, to_substitute, unreachable
from reminders.rounds import Round, Waiting
from storage.delegations import left_to_substitutes
from storage.due import (
    DueStep,
    Moment,
    all_due_steps,
    claim_people,
    first_heard_step,
    reminded_since,
    somebody_waits,
    steps_of,
)
from storage.halts import all_stopped, halted
from storage.ladder import (
    Made,
    claim_finished_steps,
    record_decisions,
    reminders_since,
    reminders_written,
    settle,
    steps_with_nobody,
)
from storage.people import reachable_addresses, ways_to
from storage.snoozes import DueSnooze, decide_snooze, due_snoozes, next_snooze
from storage.substitutes import FOR_ANOTHER
from storage.tables import Address, Channel, OutboxKind, Outcome, Reason, Referent

AT_ONCE = 50  # people in one transaction: a commit is dear, and whoever writes to us waits behind it
MANY = 5_000  # steps in one transaction; a longer list of one person is settled at the end of the round
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


def remind_some(session: Session, now: datetime, people: Round, most: int = AT_ONCE) -> int:
    """Decides everything that is due for some people and queues one message each: how many people. 0: none is left.

    Then what concerns nobody is written down too, and all that is decided is settled. Outside working hours nothing
    happens.
    """
    if not within_working_hours(now, OFFICE_ZONE):
        return 0
    moment = _moment(now)
    while people.look(session, moment):
        decided = _remind_these(session, people.take(most, MANY), moment)
        if decided:  # else another process has just told them
            people.decided()
            return decided
    _settle_all(session, now)
    return 0


def remind_one(session: Session, now: datetime) -> bool:
    """The same for one person; whether there was such a person."""
    return remind_some(session, now, Round(), most=1) > 0


def next_due(session: Session, now: datetime) -> datetime | None:
    """When the next reminder leaves, as things stand; None when none is to come, or staff have stopped them all."""
    if all_stopped(session):
        return None
    opening = next_working_instant(now, OFFICE_ZONE)
    moment = _moment(opening)
    if somebody_waits(session, moment, held=False):
        return opening
    later = [one for one in (first_heard_step(session, moment), next_snooze(session)) if one is not None]
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
    held = [step for step in steps if referent_id in reminded and not step.urgent]
    quiet = _quiet(session, {referent_id: due}, moment)[referent_id]
    choices: Sequence[Choice] = _choices([one for one in due if one not in held], quiet)
    if not reachable_addresses(session, referent_id):
        substitute_id = _substitute_of(session, referent_id)
        reached = substitute_id is not None and reachable_addresses(session, substitute_id)
        choices = list(to_substitute(choices) if reached else unreachable(choices))
    waiting = [Plan(referent_id, step.step_id, step.obligation_id, None, None) for step in held]
    return [Plan(referent_id, _step_of(one), one.about.obligation_id, one.outcome, one.reason) for one in choices] + (
        waiting
    )


@dataclass(frozen=True, slots=True)
class _Quiet:
    """Of what somebody is told nothing now: a colleague answers for it meanwhile, or staff stopped reminders of it."""

    left: Collection[int]
    halted: Collection[int]


def _quiet(
    session: Session, due: Mapping[int, Sequence[DueStep | DueSnooze]], moment: Moment, *, hold: bool = False
) -> Mapping[int, _Quiet]:
    """Of what is due to each of these people. `hold`: something is withheld by it."""
    about = {referent_id: {one.obligation_id for one in theirs} for referent_id, theirs in due.items()}
    left, stopped = left_to_substitutes(session, about, moment.today), halted(session, about, hold=hold)
    return {referent_id: _Quiet(left[referent_id], stopped[referent_id]) for referent_id in about}


def _step_of(choice: Choice) -> int | None:
    return choice.about.step_id if isinstance(choice.about, DueStep) else None


def _moment(now: datetime) -> Moment:
    today = local_date(now, OFFICE_ZONE)
    return Moment(now, today, local_instant(today, time(0), OFFICE_ZONE))


def _remind_these(session: Session, people: Sequence[Waiting], moment: Moment) -> int:
    """How many of these people something was decided about."""
    ours = claim_people(session, [one.referent_id for one in people])
    due: dict[int, list[DueStep | DueSnooze]] = defaultdict(list)
    for step in steps_of(session, ours, [step_id for one in people for step_id in one.step_ids], moment):
        due[step.referent_id].append(step)
    for snooze in due_snoozes(session, moment.now, ours):
        due[snooze.referent_id].append(snooze)
    quiet, ways = _quiet(session, due, moment, hold=True), ways_to(session, due)
    written = reminders_since(session, due, moment.day_began)
    made: list[Made] = []
    for referent_id, about in due.items():
        person = _Person(referent_id, ways[referent_id], written.get(referent_id, 0), quiet[referent_id])
        made += _remind(session, person, about, moment)
    record_decisions(session, made, moment.now)
    # Now and not at the end of the round, or each look would find all that is already decided.
    finished = claim_finished_steps(session, moment.now, among=[one.step_id for one in made[:MANY]])
    settle(session, [step_id for step_id, *_ in finished])
    return len(due)


@dataclass(frozen=True, slots=True)
class _Person:
    """`written`: how many reminders they were written today. `quiet`: of what they are told nothing."""

    id: int
    ways: Mapping[Channel, Address]
    written: int
    quiet: _Quiet


def _remind(session: Session, person: _Person, due: Sequence[DueStep | DueSnooze], moment: Moment) -> list[Made]:
    """Queues one message for what is told; the decisions about the steps. Those about snoozes are in their own rows."""
    choices = _choices(due, person.quiet)
    outbox_id = None
    if any(choice.outcome is Outcome.SENT for choice in choices):
        outbox_id = _queue(session, person, moment)
        if outbox_id is None:
            outbox_id = _queue_for(session, person.id, moment)
            choices = list(unreachable(choices) if outbox_id is None else to_substitute(choices))
    made: list[Made] = []
    for one in choices:
        message = outbox_id if one.outcome is Outcome.SENT else None
        if isinstance(one.about, DueStep):
            made.append(Made(one.about.step_id, person.id, one.outcome, one.reason, message))
        else:
            decide_snooze(session, one.about.snooze_id, one.outcome, one.reason, moment.now, message)
    log.info("reminder.decided", referent=person.id, steps=len(choices), outbox=outbox_id)
    return made


def _choices(due: Sequence[DueStep | DueSnooze], quiet: _Quiet) -> list[Choice]:
    steps = [one for one in due if isinstance(one, DueStep)]
    snoozes = [one for one in due if isinstance(one, DueSnooze)]
    return choose(steps, snoozes, left=quiet.left, halted=quiet.halted)


def _queue(session: Session, person: _Person, moment: Moment) -> int | None:
    """One message for all of it; None when no channel reaches them."""
    if not person.ways:
        return None
    # counts the copies for other channels too: the number only has to be new
    key = f"reminder:{person.id}:{moment.today}:{person.written + 1}"
    return queue_to(
        session,
        person.id,
        UNWORDED,
        kind=OutboxKind.REMINDER,
        now=moment.now,
        dedupe_key=key,
        ways=person.ways,
    )


def _queue_for(session: Session, absent_id: int, moment: Moment) -> int | None:
    """The same to the substitute of somebody whom no channel reaches; None when there is none, or none is reached."""
    substitute_id = _substitute_of(session, absent_id)
    if substitute_id is None:
        return None
    # Both ids: two processes may decide about two people with one substitute, and must not find the same key.
    day = f"{FOR_ANOTHER}{substitute_id}-{absent_id}-{moment.today}:"
    key = f"{day}{reminders_written(session, substitute_id, day) + 1}"
    return queue_to(session, substitute_id, UNWORDED, kind=OutboxKind.REMINDER, now=moment.now, dedupe_key=key)


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
