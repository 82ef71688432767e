"""What the buttons of a form's page do to its answers. Pure: saves nothing, sends nothing.

`remove` is done at once only for a repetition in which nothing is answered: else it is asked for first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from desk.fill_draft import Notes, Opened
from desk.fill_reading import Posted, Taken, take
from intake.forms.filling import Change, Filling, Item
from intake.forms.hearing import weigh
from intake.forms.nodes import CHOOSING, ENCLOSING, path_of
from intake.forms.outcomes import Refusal
from intake.forms.standing import is_empty

MOST_ROUNDS = 20  # answers of last time open questions that were answered last time too


@dataclass(frozen=True)
class Done:
    """`taken_over`: how many answers of last time were; `files`: those that were taken out; `kept`: the button did
    nothing, as the page was of another moment; `confirm`: the repetition that is to be asked about before it goes.
    """

    opened: Opened
    taken_over: int | None = None
    files: tuple[int, ...] = ()
    kept: bool = False
    confirm: str = ""


def after_post(opened: Opened, posted: Posted) -> Done:
    """With what was written, and then what the button says."""
    taken = take(opened.filling, posted, opened.notes.unread, opened.facts)
    notes = replace(opened.notes, unread=taken.unread)
    if taken.dropped:
        notes = replace(notes, before=_causes(opened.filling, taken), dropped=taken.dropped)
    written = opened.now(taken.filling, _still(notes, taken.filling))
    written = written.now(written.filling, replace(written.notes, sure=_sure(written, posted)))
    verb, _colon, what = posted.action.partition(":")
    button = _BUTTONS.get(verb)
    if button is None:
        return Done(written)
    if posted.revision != opened.work.revision and verb in NUMBERED:
        return Done(written, kept=True)
    return button(written, what)


def _causes(filling: Filling, taken: Taken) -> Mapping[str, Any]:
    """Of what was changed, that by which answers fell away, as it was before."""
    lost = {path_of(key) for key in taken.dropped}
    return {key: value for key, value in taken.before.items() if lost & set(filling.plan.below([path_of(key)]))}


def _sure(opened: Opened, posted: Posted) -> Mapping[str, Any]:
    """Confirmed for as long as the answer stays the same. A box that is not on the page is not unticked."""
    asked = posted.shown.keys()
    kept = {key: value for key, value in opened.notes.sure.items() if key not in asked}
    given = {key: opened.filling.answers.get(key) for key in posted.sure}
    return kept | {key: value for key, value in given.items() if not is_empty(value)}


def _still(notes: Notes, filling: Filling) -> Notes:
    """Without the way back when what fell away has been answered anew."""
    if notes.dropped and any(filling.counts(key) and not is_empty(filling.answers.get(key)) for key in notes.dropped):
        return replace(notes, before={}, dropped={})
    return notes


def _changed(opened: Opened, change: Change, before: Mapping[str, Any]) -> Opened:
    notes = opened.notes
    unread = {key: raw for key, raw in notes.unread.items() if key not in before}
    notes = replace(notes, unread=unread)
    if change.dropped:
        notes = replace(notes, before=before, dropped=change.dropped)
    return opened.now(change.filling, notes)


# --- the buttons


def _same(opened: Opened, key: str) -> Done:
    """Last time's answer to one question."""
    item = opened.items.get(key)
    value = opened.prior.answers.get(key)
    if item is None or is_empty(value) or not _may(opened.filling, item, value):
        return Done(opened, taken_over=0)
    before = {key: opened.filling.answers.get(key)}
    return Done(_changed(opened, opened.filling.change({key: value}), before))


def _repeat_last(opened: Opened, _what: str) -> Done:
    """Last time's answers to all that is not answered yet; what they open too."""
    filling, count = opened.filling, 0
    unread = opened.notes.unread.keys()
    for _round in range(MOST_ROUNDS):
        found = {
            item.key: opened.prior.answers[item.key]
            for item in filling.items
            if isinstance(item, Item) and item.key not in unread and _may_be_taken(opened, filling, item)
        }
        if not found:
            break
        filling, count = filling.change(found).filling, count + len(found)
    return Done(opened.now(filling, opened.notes), taken_over=count)


def _may_be_taken(opened: Opened, filling: Filling, item: Item) -> bool:
    value = opened.prior.answers.get(item.key)
    return is_empty(filling.answers.get(item.key)) and not is_empty(value) and _may(filling, item, value)


def _may(filling: Filling, item: Item, value: Any) -> bool:
    """Whether an answer of last time is one today. Files went along with that update."""
    question = item.question
    if question.type in ENCLOSING or isinstance(weigh(filling, item, value), Refusal):
        return False
    offered = {one.name for one in filling.choices(item)} if question.type in CHOOSING else set()
    return question.type not in CHOOSING or offered.issuperset([value] if isinstance(value, str) else value)


def _add(opened: Opened, key: str) -> Done:
    return Done(opened.now(opened.filling.add(key).filling, opened.notes)) if _is_repeat(opened, key) else Done(opened)


def _remove_empty(opened: Opened, key: str) -> Done:
    """At once where nothing would be lost."""
    if key not in repetitions(opened.filling):
        return Done(opened)
    written = any(each.startswith(f"{key}/") for each in opened.notes.unread)
    return Done(opened, confirm=key) if written or answers_in(opened.filling, key) else _remove(opened, key)


def _remove(opened: Opened, key: str) -> Done:
    """Taken out; those behind it move up, with what stands in their controls."""
    if key not in repetitions(opened.filling):
        return Done(opened)
    filling = opened.filling.remove(key).filling
    notes = Notes(_moved(opened.notes.unread, key), _moved(opened.notes.sure, key))
    gone = [each for each in _enclosed(opened) if each not in _enclosed(opened.now(filling, notes))]
    return Done(opened.now(filling, notes), files=tuple(gone))


def _take_file(opened: Opened, what: str) -> Done:
    """`12@place/photo`: without file 12."""
    number, _at, key = what.partition("@")
    held = opened.filling.answers.get(key)
    if key not in opened.items or not isinstance(held, list) or number not in map(str, held):
        return Done(opened)
    left = [each for each in held if str(each) != number]
    change = opened.filling.change({key: left or None})
    return Done(_changed(opened, change, {}), files=(int(number),))


def _undo(opened: Opened, _what: str) -> Done:
    """As it was before answers fell away."""
    notes = opened.notes
    change = opened.filling.change({**notes.before, **notes.dropped})
    return Done(opened.now(change.filling, replace(notes, before={}, dropped={})))


def _dismiss(opened: Opened, _what: str) -> Done:
    return Done(opened.now(opened.filling, replace(opened.notes, before={}, dropped={})))


_BUTTONS: Mapping[str, Callable[[Opened, str], Done]] = {
    "same": _same,
    "repeat-last": _repeat_last,
    "add": _add,
    "remove": _remove_empty,
    "removed": _remove,
    "unfile": _take_file,
    "undo": _undo,
    "dismiss": _dismiss,
}
NUMBERED = frozenset({"add", "remove", "removed"})  # a second press would mean another repetition


def _is_repeat(opened: Opened, key: str) -> bool:
    return any(one.key == key and not isinstance(one, Item) for one in opened.filling.items)


def repetitions(filling: Filling) -> frozenset[str]:
    """The keys of the repetitions that a person may take out."""
    free = [one for one in filling.items if not isinstance(one, Item)]
    return frozenset(each for one in free for each in filling.repetitions_of(one.group, one.key))


def answers_in(filling: Filling, key: str) -> Mapping[str, Any]:
    """What is answered in one repetition, or in one group."""
    return {each: value for each, value in filling.answers.items() if each.startswith(f"{key}/")}


def _enclosed(opened: Opened) -> list[int]:
    """The files that answers name."""
    answers = opened.filling.answers
    return [
        each for key, item in opened.items.items() if item.question.type in ENCLOSING for each in answers.get(key, [])
    ]


def _moved(kept: Mapping[str, Any], removed: str) -> dict[str, Any]:
    """By key, without a repetition; those behind it under the number before."""
    repeat, number = removed[: removed.rindex("[")], int(removed[removed.rindex("[") + 1 : -1])
    found = {}
    for key, value in kept.items():
        if not key.startswith(f"{repeat}["):
            found[key] = value
            continue
        mine, rest = key[len(repeat) + 1 :].split("]", 1)
        if int(mine) != number:
            found[f"{repeat}[{int(mine) - (int(mine) > number)}]{rest}"] = value
    return found
