"""One field of a form after the other: reads the answer, asks back, goes on. What an answer means, the form knows."""

from typing import Any

from bot import choosing
from bot.heard import id_in
from bot.markup import escape
from bot.screens import show_step
from bot.steps import SUMMARY, facts_of, form_of, prior_of, repeat_last
from bot.turn import Turn, shortened
from intake.forms import Answered, Doubt, Facts, Field, FieldType, More, Outcome, consider, fits, parse, show

SAME_WORDS = {"uguale", "stesso", "stessa", "come prima", "stessa risposta", "invariato", "same", "same as before", "="}
SKIP_WORDS = {"salta", "skip", "-", "no", "niente", "nessuna"}
BACK_WORDS = {"indietro", "back"}
YES_WORDS = {"sì", "si", "yes", "ok"}


def hear_answer(turn: Turn) -> None:
    """A text while a field is asked: a word that stands for a button, or the answer."""
    field = form_of(turn).field(turn.work.step)
    assert field is not None
    word = turn.heard.text.casefold().strip(" .!")
    turn.source = {"field": field.name, "text": turn.heard.text, "more": bool(turn.work.memory.get("more"))}
    more = bool(turn.work.memory.get("more"))
    if word in BACK_WORDS:
        _back(turn)
    elif word in SKIP_WORDS and field.optional:
        _skip(turn, field)
    elif word in SAME_WORDS and not more and fits(field, _same(turn, field)):
        take(turn, field, consider(field, _same(turn, field), facts_of(turn)))
    elif word in YES_WORDS and len(turn.work.memory.get("doubt", ())) == 1:
        _accept(turn, field, turn.work.memory["doubt"][0])
    else:
        take(turn, field, parse(field, turn.heard.text, facts_of(turn), more=more))


def _same(turn: Turn, field: Field) -> Any:
    return prior_of(turn.subject).answers.get(field.name)


def hear_button(turn: Turn, value: str) -> None:
    field = form_of(turn).field(turn.work.step)
    assert field is not None
    action, _sep, argument = value.partition("-")
    match action:
        case "back":
            _back(turn)
        case "skip" if field.optional:
            _skip(turn, field)
        case "unchanged":
            _repeat(turn)
        case "same" if fits(field, _same(turn, field)):
            take(turn, field, consider(field, _same(turn, field), facts_of(turn)))
        case "choose":
            take(turn, field, _chosen(field, argument, facts_of(turn)))
        case "pick" | "yes" | "again":
            _settle_doubt(turn, field, action, argument)
        case _:
            show_step(turn)


def _chosen(field: Field, argument: str, facts: Facts) -> Outcome:
    if field.type is FieldType.YES_TEXT:
        return More() if argument == "yes" else Answered({"any": False, "text": ""})
    return parse(field, argument, facts)


def _settle_doubt(turn: Turn, field: Field, action: str, argument: str) -> None:
    candidates = turn.work.memory.get("doubt", [])
    if action == "yes" and len(candidates) == 1:
        _accept(turn, field, candidates[0])
    elif action == "pick" and id_in(argument) < len(candidates):
        take(turn, field, consider(field, candidates[id_in(argument)], facts_of(turn)))
    else:
        turn.move(memory=_kept(turn))
        show_step(turn)


def take(turn: Turn, field: Field, outcome: Outcome) -> None:
    """What becomes of an answer that was read: kept, asked back, or told why it cannot be read."""
    match outcome:
        case Answered(value):
            _accept(turn, field, value)
        case Doubt(_, candidates):
            turn.move(memory=_kept(turn) | {"doubt": list(candidates)})
            show_step(turn)
        case More():
            turn.move(memory=_kept(turn) | {"more": True})
            show_step(turn)
        case _:
            _forget_doubt(turn)
            show_step(turn, "⚠️ " + outcome.sentence.say(turn.html))


def _forget_doubt(turn: Turn) -> None:
    """Before an error is told: the doubt was about an earlier answer, and both together confuse.

    What was written is remembered: people mend a slip by editing it.
    """
    if turn.source is not None or "doubt" in turn.work.memory:
        turn.move(memory={name: value for name, value in turn.work.memory.items() if name != "doubt"})


def _kept(turn: Turn) -> dict[str, Any]:
    """What outlives the next message."""
    return {name: value for name, value in turn.work.memory.items() if name == "editing"}


def _accept(turn: Turn, field: Field, value: Any) -> None:
    """Keeps an answer and goes on to the next question, or back to the summary when one was being edited."""
    _ = turn.html
    label, shown = field.label[turn.language], show(field, value, turn.language)
    _go_on(turn, field, turn.work.answers | {field.name: value})
    show_step(turn, escape(f"✓ {label}: {shortened(shown, 200)}"))


def _skip(turn: Turn, field: Field) -> None:
    answers = {name: value for name, value in turn.work.answers.items() if name != field.name}
    _go_on(turn, field, answers)
    show_step(turn, "")


def _go_on(turn: Turn, field: Field, answers: dict[str, Any]) -> None:
    names = form_of(turn).names
    at = names.index(field.name) + 1
    last = turn.work.memory.get("editing") or at == len(names)
    turn.move(answers=answers, step=SUMMARY if last else names[at], memory={})


def _back(turn: Turn) -> None:
    """To the same question without its doubt, to the summary when editing, else to the question before."""
    names = form_of(turn).names
    memory, at = turn.work.memory, names.index(turn.work.step)
    if "doubt" in memory or "more" in memory:
        turn.move(memory=_kept(turn))
        show_step(turn)
    elif memory.get("editing"):
        turn.move(step=SUMMARY, memory={})
        show_step(turn)
    elif at > 0:
        turn.move(step=names[at - 1])
        show_step(turn)
    else:
        choosing.back(turn)


def _repeat(turn: Turn) -> None:
    repeat_last(turn)
    show_step(turn)
