"""Reads what a form's page sent: what was changed, and what it means. Pure; keeps nothing, raises for nothing.

A page says with each question what stood in it when it was made (`shown`). So it is known which ones the person has
changed, and what they left alone is never read, nor overwritten, again.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from desk.fill_controls import Raw, mark_of, raw_of, sent
from facts.languages import N_, Language
from intake.forms.doubts import Facts
from intake.forms.filling import Filling, Item
from intake.forms.hearing import hear, weigh
from intake.forms.nodes import ENCLOSING, QuestionType
from intake.forms.outcomes import Answered, Doubt, Refusal, Sentence

Heard = Answered | Doubt | Refusal
ANSWER, MEANT, FILE = "a:", "m:", "file:"  # what the names of the controls begin with, before the key
MOST_ROUNDS = 3
NOT_OFFERED = N_("This answer is no longer among those to choose from: choose again.")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")


@dataclass(frozen=True)
class Posted:
    """`shown`: by key, the mark of what stood there; `meant`: which of several meanings was picked, by key.

    `looks`: by key, how a script has it before it, so that it is not sent the same again.
    """

    revision: int
    action: str = ""
    shown: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    meant: Mapping[str, str] = field(default_factory=dict)
    sure: frozenset[str] = frozenset()
    step: str = ""
    complete: bool = False
    looks: Mapping[str, str] = field(default_factory=dict)

    def raw(self, item: Item) -> Raw:
        return sent(item.question, self.answers.get(item.key, ()))

    def changed(self, item: Item) -> bool:
        """Whether the person has put something else there."""
        return item.key in self.shown and (item.key in self.meant or mark_of(self.raw(item)) != self.shown[item.key])


def read_post(pairs: Iterable[tuple[str, Any]]) -> Posted:
    """From the fields of a form; files are none of its business."""
    answers: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    for name, value in pairs:
        if isinstance(value, str):
            into = answers if name.startswith(ANSWER) else others
            into.setdefault(name.removeprefix(ANSWER), []).append(value)
    one = {name: values[-1] for name, values in others.items()}
    revision = one.get("revision", "")
    return Posted(
        int(revision) if revision.isascii() and revision.isdecimal() and len(revision) < 10 else -1,
        one.get("action", ""),
        dict(each.rpartition("=")[::2] for each in one.get("shown", "").split()),
        answers,
        {name.removeprefix(MEANT): value for name, value in one.items() if name.startswith(MEANT) and value},
        frozenset(others.get("sure", ())),
        one.get("step", ""),
        one.get("complete", "") == "1",
        dict(each.rpartition("=")[::2] for each in one.get("looks", "").split()),
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """`unread`: what stands in the controls and is no answer, by key; `dropped`: answers that count no longer.

    `before`: what was answered where there is another answer now.
    """

    filling: Filling
    unread: Mapping[str, Raw]
    before: Mapping[str, Any]
    dropped: Mapping[str, Any]


def take(filling: Filling, posted: Posted, unread: Mapping[str, Raw], facts: Facts) -> Taken:
    """Everything that was changed, at once: one answer may be right only beside another that came with it."""
    items = {one.key: one for one in filling.items if isinstance(one, Item)}
    new = [key for key in posted.shown if key in items and _is_new(posted, items[key], unread)]
    waiting = {key: posted.raw(items[key]) for key in new}
    left = {key: raw for key, raw in unread.items() if key not in waiting}
    current, changes, dropped = filling, dict[str, Any](), dict[str, Any]()
    for _round in range(MOST_ROUNDS):
        heard = {key: read(current, items[key], raw, facts, posted.meant.get(key, "")) for key, raw in waiting.items()}
        found = {key: _value(each) for key, each in heard.items() if not is_unread(each)}
        if not found:
            break
        changed = current.change(found)
        current, changes, dropped = changed.filling, changes | found, {**dropped, **changed.dropped}
        waiting = {key: raw for key, raw in waiting.items() if key not in found}
    before = {key: filling.answers.get(key) for key in changes if filling.answers.get(key) != changes[key]}
    return Taken(current, left | waiting, before, {key: dropped[key] for key in dropped if key not in changes})


def _value(heard: Heard | None) -> Any:
    """What is kept of it: of what is only implausible, the one thing it means."""
    if heard is None:
        return None
    assert not isinstance(heard, Refusal), "see is_unread"
    return heard.value if isinstance(heard, Answered) else heard.candidates[0]


def _is_new(posted: Posted, item: Item, unread: Mapping[str, Raw]) -> bool:
    """What could not be read is read again: another answer may have made it right."""
    return item.question.type not in ENCLOSING and (posted.changed(item) or item.key in unread)


def is_unread(heard: Heard | None) -> bool:
    """Nothing to be kept as an answer. What is only implausible is one, and asked back beside the field."""
    return isinstance(heard, Refusal) or (isinstance(heard, Doubt) and len(heard.candidates) != 1)


def read(filling: Filling, item: Item, raw: Raw, facts: Facts, meant: str = "") -> Heard | None:
    """What stands in a question's controls; None when nothing does."""
    if not raw:
        return None
    reader = _PICKED.get(item.question.type)
    heard = reader(filling, item, raw, facts) if reader else hear(filling, item, _text_of(item, raw), facts)
    picked = int(meant) if meant.isdecimal() and len(meant) < 3 else -1
    if isinstance(heard, Doubt) and len(heard.candidates) > 1 and 0 <= picked < len(heard.candidates):
        return weigh(filling, item, heard.candidates[picked], facts)
    return heard


def _text_of(item: Item, raw: Raw) -> str:
    if item.question.type is QuestionType.GEOPOINT:
        return ", ".join(_DECIMAL_COMMA.sub(".", part.strip()) for part in raw)
    return " ".join(part.strip() for part in raw)


def _one(filling: Filling, item: Item, raw: Raw, facts: Facts) -> Heard:
    if raw[0] not in {one.name for one in filling.choices(item)}:
        return Refusal(Sentence(NOT_OFFERED))
    return weigh(filling, item, raw[0], facts)


def _several(filling: Filling, item: Item, raw: Raw, facts: Facts) -> Heard:
    offered = [one.name for one in filling.choices(item)]
    if not set(raw) <= set(offered):
        return Refusal(Sentence(NOT_OFFERED))
    return weigh(filling, item, [name for name in offered if name in raw], facts)


def _ranked(filling: Filling, item: Item, raw: Raw, facts: Facts) -> Heard:
    places = dict(each.partition(":")[::2] for each in raw)
    order = [places[number] for number in sorted(places, key=lambda number: int(number) if number.isdecimal() else 0)]
    if len(places) < len(raw) or sorted(order) != sorted(one.name for one in filling.choices(item)):
        return Refusal(Sentence(N_("Give each one a number of its own, from 1 to {n}."), {"n": _count(filling, item)}))
    return weigh(filling, item, order, facts)


def _count(filling: Filling, item: Item) -> Any:
    number = len(filling.choices(item))
    return lambda _language: str(number)


def _agreed(_filling: Filling, _item: Item, _raw: Raw, _facts: Facts) -> Heard:
    return Answered("OK")


_PICKED = {
    QuestionType.SELECT_ONE: _one,
    QuestionType.SELECT_MULTIPLE: _several,
    QuestionType.RANK: _ranked,
    QuestionType.ACKNOWLEDGE: _agreed,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One question that has another answer here than there. `mine`: it was changed on this page, `theirs`: elsewhere.

    `asked`: whether it still is.
    """

    key: str
    here: Raw
    there: Any
    mine: bool
    theirs: bool
    asked: bool = True


def differences(filling: Filling, posted: Posted, unread: Mapping[str, Raw], language: Language) -> list[Difference]:
    """What this page would change, and does not know, when the draft has moved on since it was made.

    Nothing, when the other door changed no answer of which the page knew another.
    """
    items = {one.key: one for one in filling.items if isinstance(one, Item)}
    found = []
    for key, mark in posted.shown.items():
        item = items.get(key)
        if item is None:
            raw = tuple(value for value in posted.answers.get(key, ()) if value.strip())
            if raw and mark_of(raw) != mark:
                found.append(Difference(key, raw, None, mine=True, theirs=True, asked=False))
            continue
        value = filling.answers.get(key)
        there = unread.get(key) or raw_of(item.question, value, language)
        here, mine = posted.raw(item), posted.changed(item)
        if mark_of(here) != mark_of(there):
            found.append(Difference(key, here, value, mine, mark_of(there) != mark))
    return found if any(one.theirs for one in found) else []
