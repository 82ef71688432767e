"""Decides what of all that is due one person is told and what is withheld, and why. Pure: no database, no clock."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from storage.due import DueStep
from storage.snoozes import DueSnooze
from storage.tables import ObligationState, Outcome, Reason


@dataclass(frozen=True, slots=True)
class Choice:
    """What becomes of one due step, or of one thing to be told again, for its person."""

    about: DueStep | DueSnooze
    outcome: Outcome
    reason: Reason


def choose(
    steps: Sequence[DueStep],
    snoozes: Sequence[DueSnooze] = (),
    *,
    left: Collection[int] = (),
    halted: Collection[int] = (),
) -> list[Choice]:
    """One choice each, all of one person. Of several due steps of one obligation, only the newest is told.

    DUE is told alone, GATHERED together with others in one message. `left`: obligations left to who stands in for them.
    `halted`: those of which staff let nobody be told.
    """
    newest = _newest_of_each(steps)
    choices = [_choice(step, newest) for step in steps] + [_again(one) for one in snoozes]
    choices = [_not(one, Reason.AWAY) if one.about.obligation_id in left else one for one in choices]
    choices = [_not(one, Reason.HALTED) if one.about.obligation_id in halted else one for one in choices]
    told = {one.about.obligation_id for one in choices if one.outcome is Outcome.SENT}
    if len(told) < 2:
        return choices
    return [replace(one, reason=Reason.GATHERED) if one.outcome is Outcome.SENT else one for one in choices]


def _not(choice: Choice, why: Reason) -> Choice:
    told = choice.outcome is Outcome.SENT
    return replace(choice, outcome=Outcome.WITHHELD, reason=why) if told else choice


def unreachable(choices: Sequence[Choice]) -> Iterator[Choice]:
    """The same, for somebody whom no channel reaches: staff see it on the obligation."""
    for choice in choices:
        yield _not(choice, Reason.UNREACHABLE)


def to_substitute(choices: Sequence[Choice]) -> Iterator[Choice]:
    """The same, told to the substitute of somebody whom no channel reaches."""
    for choice in choices:
        yield replace(choice, reason=Reason.SUBSTITUTE) if choice.outcome is Outcome.SENT else choice


def closed_for(state: ObligationState, deadline_active: bool) -> Reason | None:
    """Why nothing needs to be said about an obligation any more; None while it is open."""
    if state is ObligationState.DONE:
        return Reason.DONE
    if state is ObligationState.SENT:
        return Reason.RECEIVED
    if state is ObligationState.WAIVED:
        return Reason.WAIVED if deadline_active else Reason.STOPPED
    return None


def _newest_of_each(steps: Sequence[DueStep]) -> set[int]:
    latest: dict[int, DueStep] = {}
    for step in steps:
        other = latest.get(step.obligation_id)
        if other is None or other.due_at < step.due_at:
            latest[step.obligation_id] = step
    return {step.step_id for step in latest.values()}


def _again(snooze: DueSnooze) -> Choice:
    closed = closed_for(snooze.state, snooze.deadline_active)
    if closed is None and not snooze.theirs:
        closed = Reason.NO_LONGER_THEIRS
    if closed is not None:
        return Choice(snooze, Outcome.WITHHELD, closed)
    return Choice(snooze, Outcome.SENT, Reason.DUE)


def _choice(step: DueStep, newest: set[int]) -> Choice:
    closed = closed_for(step.state, step.deadline_active)
    if closed is not None:
        return Choice(step, Outcome.WITHHELD, closed)
    if step.step_id not in newest:
        return Choice(step, Outcome.WITHHELD, Reason.OVERTAKEN)
    # A deadline entered late has steps older than itself: who was here when it was entered must hear of it.
    if step.since > max(step.due_at, step.deadline_created_at):
        return Choice(step, Outcome.WITHHELD, Reason.JOINED_LATER)
    return Choice(step, Outcome.SENT, Reason.DUE)
