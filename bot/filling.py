"""One question of a form after the other: reads the answer, asks back, goes on. What answers mean, the form knows."""

from collections.abc import Mapping
from typing import Any

from bot import choosing
from bot.asked import TICKING, is_chosen, mark_of, range_steps
from bot.heard import id_in
from bot.markup import escape, lines
from bot.screens import show_step
from bot.steps import (
    SUMMARY,
    facts_now,
    filling_now,
    item_at,
    item_now,
    move_to,
    prior_now,
    repeat_last,
    step_after,
    step_before,
)
from bot.turn import Turn, shortened
from facts.folding import fold
from facts.languages import N_
from intake.forms.filling import Change, Filling, Item, More
from intake.forms.hearing import YES, Heard, hear, hear_ahead, weigh
from intake.forms.nodes import Question, QuestionType
from intake.forms.outcomes import Answered, Doubt
from intake.forms.values import fits, leading, show, title_of

SAME_WORDS = {"uguale", "stesso", "stessa", "come prima", "stessa risposta", "invariato", "same", "same as before", "="}
SKIP_WORDS = {"salta", "skip", "-"}
NOTHING_WORDS = {"no", "niente", "nessuna"}  # to skip a question for words
BACK_WORDS = {"indietro", "back"}
YES_WORDS = {"si", "yes", "ok"}
DONE_WORDS = {"no", "avanti", "basta", "fatto", "done", "go on", "next"}
PASSING_WORDS = SKIP_WORDS | DONE_WORDS
ADD_WORDS = YES_WORDS | {"aggiungi", "un altro", "un'altra", "add", "another"}
KEPT = ("editing", "left")  # what outlives the next message


def hear_answer(turn: Turn) -> None:
    """A text while something is asked: a word that stands for a button, or the answer."""
    item, word = item_now(turn), turn.heard.text.casefold().strip(" .!")
    if item is None:
        go_on(turn, filling_now(turn), turn.work.step)
    elif word in BACK_WORDS:
        _back(turn, item)
    elif isinstance(item, More):
        _hear_more(turn, item, fold(word))
    elif item.question.private:
        _hear_private(turn, item, word)
    else:
        _hear_item(turn, item, word)


def _hear_private(turn: Turn, item: Item, word: str) -> None:
    """Here it can only be passed by; what is written is no answer, and they are told so."""
    filling = filling_now(turn)
    given = filling.answers.get(item.key) is not None
    if word in PASSING_WORDS and (given or not filling.is_required(item)):
        _pass_by(turn, item)
        return
    _ = turn.html
    show_step(turn, _("What you wrote here does not count as an answer. If it is private, delete it from the chat."))


def _pass_by(turn: Turn, item: Item) -> None:
    """On to the next question with the answer that is there, from the page or as files."""
    go_on(turn, filling_now(turn), item.key)
    show_step(turn)


def _hear_item(turn: Turn, item: Item, word: str) -> None:
    turn.source = {"field": item.key, "text": turn.heard.text}
    filling, doubt = filling_now(turn), turn.work.memory.get("doubt", ())
    same = same_as_last(turn, item)
    if _skips(item.question, word) and not filling.is_required(item):
        _skip(turn, item)
    elif word in SAME_WORDS and same is not None:
        take(turn, item, weigh(filling, item, same, facts_now(turn)))
    elif fold(word) in YES_WORDS and len(doubt) == 1:
        accept(turn, item, doubt[0])
    else:
        _read(turn, item)


def _read(turn: Turn, item: Item) -> None:
    filling = filling_now(turn)
    heard = hear(filling, item, turn.heard.text, facts_now(turn))
    ahead = None if isinstance(heard, Answered | Doubt) else hear_ahead(filling, item, turn.heard.text)
    if ahead is None:
        take(turn, item, heard)
        return
    follows, story = ahead
    turn.source = {"field": follows.key, "text": turn.heard.text}
    accept(turn, follows, story, also={item.key: YES})


def _skips(question: Question, word: str) -> bool:
    return word in SKIP_WORDS or (word in NOTHING_WORDS and not is_chosen(question))


def same_as_last(turn: Turn, item: Item) -> Any:
    """Last time's answer, when it can be one again; None otherwise."""
    value = prior_now(turn).answers.get(item.key)
    filling = filling_now(turn)
    if filling.is_enclosing(item.key) or not fits(filling.plan.form, item.question, value):
        return None
    return value


def hear_button(turn: Turn, value: str) -> None:
    item = item_now(turn)
    action, _sep, argument = value.partition("-")
    if item is None:
        go_on(turn, filling_now(turn), turn.work.step)
    elif action == "back":
        _back(turn, item)
    elif isinstance(item, More):
        _press_more(turn, item, action)
    elif action == "skip" and not filling_now(turn).is_required(item):
        _skip(turn, item)
    else:
        _press(turn, item, action, argument)


def _press(turn: Turn, item: Item, action: str, argument: str) -> None:
    filling, same = filling_now(turn), same_as_last(turn, item)
    match action:
        case "unchanged":
            repeat_last(turn)
            show_step(turn)
        case "same" if same is not None:
            take(turn, item, weigh(filling, item, same, facts_now(turn)))
        case "choose":
            take(turn, item, _chosen(turn, item, id_in(argument)))
        case "tick":
            tick(turn, item, id_in(argument.partition("-")[0]))
        case "page":
            turn.move(memory=turn.work.memory | {"page": id_in(argument)})
            show_step(turn, instead=True)
        case "done":
            _done(turn, item)
        case "pick" | "yes" | "again":
            _settle_doubt(turn, item, action, argument)
        case _:
            show_step(turn)


def _chosen(turn: Turn, item: Item, number: int) -> Heard:
    """By its place in the list as it was shown: the button is of this revision of the draft."""
    filling, question = filling_now(turn), item.question
    found: list[Any]
    match question.type:
        case QuestionType.RANGE:
            found = [f"{one.normalize():f}" for one in range_steps(question)]
        case QuestionType.ACKNOWLEDGE:
            found = ["OK"]
        case _:
            found = [one.name for one in filling.choices(item)]
    if number >= len(found):
        return hear(filling, item, "")
    return weigh(filling, item, found[number], facts_now(turn))


def is_tick(turn: Turn, value: str) -> bool:
    """A tick of the question being asked, perhaps pressed before the chat showed the one before."""
    action, _sep, argument = value.partition("-")
    return action == "tick" and argument.partition("-")[2] == mark_of(turn.work.step)


def tick(turn: Turn, item: Item, number: int) -> None:
    """On, or off; of a rank, the next place. The pressed message shows it."""
    if item.question.type not in TICKING:
        show_step(turn)
        return
    names = [one.name for one in filling_now(turn).choices(item)]
    ticked = list(turn.work.memory.get("ticked", _given(turn, item)))
    if number < len(names):
        name = names[number]
        ticked = [one for one in ticked if one != name] if name in ticked else [*ticked, name]
    if item.question.type is QuestionType.RANK and len(ticked) == len(names):
        take(turn, item, weigh(filling_now(turn), item, ticked, facts_now(turn)))
        return
    turn.move(memory=turn.work.memory | {"ticked": ticked})
    show_step(turn, instead=True)


def _given(turn: Turn, item: Item) -> list[str]:
    given = filling_now(turn).answers.get(item.key)
    return list(given) if isinstance(given, list) and item.question.type is QuestionType.SELECT_MULTIPLE else []


def _done(turn: Turn, item: Item) -> None:
    """With what is ticked, in the order of the list; of files, with those that have come."""
    filling = filling_now(turn)
    if item.question.private or filling.is_enclosing(item.key):
        _pass_by(turn, item)
        return
    ticked = turn.work.memory.get("ticked", _given(turn, item))
    chosen = [one.name for one in filling.choices(item) if one.name in ticked]
    if chosen:
        take(turn, item, weigh(filling, item, chosen, facts_now(turn)))
    else:
        show_step(turn)


def _settle_doubt(turn: Turn, item: Item, action: str, argument: str) -> None:
    candidates = turn.work.memory.get("doubt", [])
    if action == "yes" and len(candidates) == 1:
        accept(turn, item, candidates[0])
    elif action == "pick" and id_in(argument) < len(candidates):
        take(turn, item, weigh(filling_now(turn), item, candidates[id_in(argument)], facts_now(turn)))
    else:
        turn.move(memory=_kept(turn))
        show_step(turn)


def take(turn: Turn, item: Item, heard: Heard) -> None:
    """What becomes of an answer that was read: kept, asked back, or told why it cannot be read."""
    match heard:
        case Answered(value):
            accept(turn, item, value)
        case Doubt(_, candidates):
            turn.move(memory=_kept(turn) | {"doubt": list(candidates)})
            show_step(turn)
        case _:
            _forget_doubt(turn)
            show_step(turn, "⚠️ " + heard.sentence.say(turn.html))


def _forget_doubt(turn: Turn) -> None:
    """Before an error is told: the doubt was about an earlier answer, and both together confuse.

    What was written is remembered: people mend a slip by editing it.
    """
    if turn.source is not None or "doubt" in turn.work.memory:
        turn.move(memory={name: value for name, value in turn.work.memory.items() if name != "doubt"})


def _kept(turn: Turn) -> dict[str, Any]:
    return {name: value for name, value in turn.work.memory.items() if name in KEPT}


def accept(turn: Turn, item: Item, value: Any, also: Mapping[str, Any] | None = None) -> None:
    """Keeps an answer and goes on to the next question, or back to the summary when one was being edited."""
    changed = filling_now(turn).change({**(also or {}), item.key: value})
    go_on(turn, changed.filling, item.key)
    show_step(turn, lines(_said(turn, item, value), dropped(turn, changed)))


def _said(turn: Turn, item: Item, value: Any) -> str:
    form = filling_now(turn).plan.form
    label, shown = title_of(form, item.question, turn.language), show(form, item.question, value, turn.language)
    return escape(f"✓ {leading(shortened(label, 100))} {shortened(shown, 200)}")


def dropped(turn: Turn, changed: Change) -> str:
    """Which later answers no longer count, by their names."""
    if not changed.dropped:
        return ""
    form, _ = changed.filling.plan.form, turn.html
    nodes = [form.at(key) for key in changed.dropped]
    names = [title_of(form, one, turn.language) for one in nodes if isinstance(one, Question)]
    return _.ngettext(
        "With this answer, another one no longer counts: {names}.",
        "With this answer, {n} others no longer count: {names}.",
        len(names),
        names=shortened(", ".join(f"“{shortened(one, 60)}”" for one in names), 300),
    )


def _skip(turn: Turn, item: Item) -> None:
    changed = filling_now(turn).change({item.key: None})
    go_on(turn, changed.filling, item.key)
    show_step(turn, dropped(turn, changed))


def go_on(turn: Turn, filling: Filling, key: str) -> None:
    """To what comes after `key`. When one answer was being changed: to what it makes necessary, or to the summary."""
    memory: dict[str, Any] = {}
    if turn.work.memory.get("editing"):
        missing, left = filling.missing(), list(turn.work.memory.get("left", ()))
        following = missing[0].key if missing else left.pop(0) if left else None
        step = following or SUMMARY
        memory = {"editing": True, "left": left} if following else {}
    else:
        step = step_after(filling, key)
    move_to(turn, filling, step, memory)


def _back(turn: Turn, item: Item | More) -> None:
    """To the same question without its doubt, to the summary when editing, else to the question before."""
    memory = turn.work.memory
    if "doubt" in memory or "removing" in memory:
        turn.move(memory=_kept(turn))
    elif memory.get("editing"):
        turn.move(step=SUMMARY, memory={})
    else:
        before = step_before(filling_now(turn), item.key)
        if before is None:
            choosing.back(turn)
            return
        turn.move(step=before, memory={})
    show_step(turn)


# -- repeats ---------------------------------------------------------------------------------------------


def _hear_more(turn: Turn, more: More, word: str) -> None:
    if word in DONE_WORDS:
        _press_more(turn, more, "done")
    elif word in ADD_WORDS:
        _press_more(turn, more, "yes" if "removing" in turn.work.memory else "add")
    else:
        _ = turn.html
        show_step(turn, _("Please press one of the buttons below."))


def _press_more(turn: Turn, more: More, action: str) -> None:
    filling = filling_now(turn)
    match action:
        case "add":
            _add(turn, filling, more)
        case "done" if "removing" not in turn.work.memory:
            go_on(turn, filling, more.key)
            show_step(turn)
        case "remove" if more.number:
            turn.move(memory=_kept(turn) | {"removing": more.number})
            show_step(turn)
        case "yes" if turn.work.memory.get("removing") == more.number:
            _remove_last(turn, filling, more)
        case _:
            turn.move(memory=_kept(turn))
            show_step(turn)


def _add(turn: Turn, filling: Filling, more: More) -> None:
    added = filling.add(more.key).filling
    first = next((one for one in added.items if one.key.startswith(f"{more.key}[{more.number + 1}]/")), None)
    step = step_after(added, more.key) if first is None else first.key
    first_asked = item_at(added, step)
    if isinstance(first_asked, Item) and first_asked.question.type is QuestionType.NOTE:
        step = step_after(added, step)
    move_to(turn, added, step, _kept(turn))
    _ = turn.html
    show_step(turn, "" if first is not None else _("There can be no more of these."))


def _remove_last(turn: Turn, filling: Filling, more: More) -> None:
    """What was answered in it goes; so do the messages that gave those answers."""
    last = f"{more.key}[{more.number}]"
    sources = {
        message: one
        for message, one in turn.work.sources.items()
        if not str(one.get("field", "")).startswith(last + "/")
    }
    move_to(turn, filling.remove(last).filling, more.key, _kept(turn), sources=sources)
    _ = turn.html
    show_step(turn, _(N_("Taken away.")))
