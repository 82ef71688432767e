"""What is known about an open update: its form, last time's answers, what it would fulfil. Says nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from bot.turn import Turn
from facts.calendar import local_date
from facts.dates import show_date
from intake.catalogue import InUse
from intake.drafting import Prior, facts_about, filling_of, prior_of
from intake.forms.doubts import Facts
from intake.forms.filling import Filling, Item, More
from intake.forms.nodes import About, Ask, QuestionType
from intake.handing_in import concern_of
from intake.updates import Concern, owed

# What a draft's step says when it is no question of the form: none has a name that begins so.
PROJECT, ORGANIZATION, OBLIGATION = "=project", "=organization", "=obligation"
SUMMARY, EDIT, UNCHANGED, REASON = "=summary", "=edit", "=unchanged", "=reason"


@dataclass(frozen=True, slots=True)
class Fitting:
    """An obligation that the update would fulfil."""

    id: int
    title: str
    due_on: date


def form_of(turn: Turn) -> InUse:
    assert turn.work.form_version_id is not None
    return turn.house.catalogue.version(turn.session, turn.work.form_version_id)


def is_about_project(turn: Turn) -> bool:
    return form_of(turn).form.about is About.PROJECT


def prior_now(turn: Turn) -> Prior:
    """Last time's; nothing while it is not known what the update is about."""
    subject = turn.scene.subject if turn.scene is not None else None
    return prior_of(form_of(turn).form, subject) if subject is not None else Prior({}, None)


def facts_now(turn: Turn) -> Facts:
    subject = turn.scene.subject if turn.scene is not None else None
    return facts_about(turn.today, subject, prior_now(turn)) if subject is not None else Facts(turn.today)


def filling_now(turn: Turn) -> Filling:
    """The open draft as it is filled in; worked out once for each revision of it."""
    work = turn.work
    if turn.filling is None or turn.filling[:2] != (work.id, work.revision):
        zone, language = turn.house.zone, turn.language
        found = filling_of(form_of(turn), work, prior_now(turn), now=turn.now, zone=zone, language=language)
        turn.filling = (work.id, work.revision, found)
    return turn.filling[2]


def move_to(turn: Turn, filling: Filling, step: str, memory: dict[str, Any] | None = None, **more: Any) -> None:
    """The draft has these answers now, and goes on at this step."""
    answers, repetitions = dict(filling.answers), dict(filling.repetitions)
    work = turn.move(answers=answers, repetitions=repetitions, step=step, memory=memory or {}, **more)
    turn.filling = (work.id, work.revision, filling)


def item_now(turn: Turn) -> Item | More | None:
    """What is being asked; None when the step is a word of the dialogue, or is asked no more."""
    step = turn.work.step
    return None if step.startswith("=") else item_at(filling_now(turn), step)


def item_at(filling: Filling, key: str) -> Item | More | None:
    return next((one for one in filling.items if one.key == key), None)


def is_question(turn: Turn) -> bool:
    return not turn.work.step.startswith("=")


def asked_from(filling: Filling, key: str | None) -> Iterator[Item | More]:
    """What the chat asks after a key, in order; notes are said along the way."""
    start = -1 if key is None else filling.position(key)
    return (one for one in filling.items[start + 1 :] if is_asked_here(filling, one))


def step_after(filling: Filling, key: str | None) -> str:
    """The next question; the summary at the end."""
    return next((one.key for one in asked_from(filling, key)), SUMMARY)


def step_before(filling: Filling, key: str) -> str | None:
    """The question before; None at the beginning. `key`: SUMMARY for the last one."""
    end = len(filling.items) if key == SUMMARY else filling.position(key)
    before = [one for one in filling.items[: max(end, 0)] if is_asked_here(filling, one)]
    return before[-1].key if before else None


def is_asked_here(filling: Filling, one: Item | More) -> bool:
    """Not a note; nor what is asked only when it has changed, while last time's answer stands in its place."""
    if isinstance(one, More):
        return True
    question = one.question
    if question.type is QuestionType.NOTE:
        return False
    carried = question.ask is Ask.IF_CHANGED and one.key in filling.answers
    return not (carried and filling.answers[one.key] == filling.known.last.get(one.key))


def first_step(turn: Turn) -> str:
    return step_after(filling_now(turn), None)


def repeated(turn: Turn) -> Filling | None:
    """The draft with last time's answers; None where there are none that would do as they are."""
    prior, form = prior_now(turn), form_of(turn)
    if prior.at is None or form.form.about is not About.PROJECT:
        return None
    begun = filling_now(turn)
    # files belong to the update with which they came
    answers = {key: value for key, value in prior.answers.items() if not begun.is_enclosing(key)}
    found = begun.anew(answers)
    return None if found.missing() else found


def can_repeat(turn: Turn) -> bool:
    return repeated(turn) is not None


def repeat_last(turn: Turn) -> bool:
    """Takes last time's answers over, to be confirmed; False when there are none that would do."""
    found = repeated(turn)
    if found is None:
        return False
    sources = {message: one for message, one in turn.work.sources.items() if "field" not in one}
    move_to(turn, found, UNCHANGED, sources=sources)
    return True


def fitting(turn: Turn, about: Concern | None = None) -> list[Fitting]:
    """The open obligations that the open draft would fulfil today, the oldest first."""
    found = owed(turn.session, about or concern_of(turn.work), form_of(turn).form_id, turn.person.id, turn.today)
    return [Fitting(obligation.id, deadline.title, obligation.due_on) for obligation, deadline in found]


def day_of(turn: Turn, at: datetime) -> str:
    return show_date(local_date(at, turn.house.zone), turn.language)
