"""What the lines of a block mean as answers of their form: understood or not, each with what was written. Pure.

A line that was deleted, or that stands as we wrote it, leaves the answer as it was; one whose text was taken out takes
the answer out; what cannot be read leaves the question open, so that nothing is sent that nobody meant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facts.folding import fold
from facts.languages import N_, Language
from intake.forms.doubts import Facts
from intake.forms.filling import Filling, Item
from intake.forms.hearing import hear, hear_ahead
from intake.forms.nodes import CHOOSING, QuestionType, say
from intake.forms.outcomes import Answered, Doubt, Refusal, Sentence
from intake.forms.values import show
from intake.post.block import line_label, simple_questions, words_of
from intake.post.block_reading import Said

MOST_ROUNDS = 4  # one answer may open the question of another, or be right only beside it
MOST_CHOICES = 12  # that are named to somebody who wrote none of them


@dataclass(frozen=True, slots=True)
class Unread:
    """An answer that is none: `text` as it was written, and what to say of it."""

    key: str
    label: str
    text: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Taken:
    """`filling` has what was understood; `changed`: the keys that were said anew; `unread`: those without an answer.

    `idle`: lines that were filled in and are not asked, as another answer closes them. `rest`: what stood below an
    answer and is none.
    """

    filling: Filling
    changed: frozenset[str]
    unread: tuple[Unread, ...]
    idle: tuple[str, ...]
    rest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A line that says something else than the one we sent; `said` is None for one that was emptied."""

    key: str
    label: str
    said: Said | None


def changes_in(filling: Filling, lines: Sequence[Said], sent: Sequence[Said]) -> list[Change]:
    """What differs from what was sent. Of several lines with one label: what was written now counts, then the first.

    A mail of ours may say a thing twice, as a sentence and in its block.
    """
    keys = _keys(filling)
    before: dict[str, list[str]] = {}
    for one in sent:
        before.setdefault(keys.get(words_of(one.label), ""), []).append(one.whole)
    found: dict[str, Change] = {}
    for one in sorted(lines, key=lambda line: not line.fresh):
        key = keys.get(words_of(one.label))
        if key is None or key in found or any(_same(one.whole, each) for each in before.get(key, [""])):
            continue
        found[key] = Change(key, one.label, one if one.whole else None)
    return list(found.values())


def _same(one: str, other: str) -> bool:
    """Programs put stars around what is bold."""
    left, right = (" ".join(text.replace("*", "").split()) for text in (one, other))
    return left == right or (fold(left) == fold(right) != "" and _is_plain(left))


def _is_plain(text: str) -> bool:
    """Without digits: `1.5` and `1,5` are folded alike, and are not the same."""
    return not any(one.isdigit() for one in text)


def _keys(filling: Filling) -> Mapping[tuple[str, ...], str]:
    """By the words of a label in any language: whoever reads the other one by now answers the mail of before."""
    form, found = filling.plan.form, dict[tuple[str, ...], str]()
    for language in Language:
        for one in simple_questions(form):
            found.setdefault(words_of(line_label(form, one, language)), one.name)
    return found


def labels_of(filling: Filling) -> list[str]:
    """Every label that a line of this form may begin with."""
    form = filling.plan.form
    return [line_label(form, one, language) for language in Language for one in simple_questions(form)]


def take(filling: Filling, changes: Sequence[Change], facts: Facts) -> Taken:
    """All of them at once, in whatever order they must be read in."""
    emptied = {one.key: None for one in changes if one.said is None}
    current = filling.change(emptied).filling if emptied else filling
    waiting = {one.key: one for one in changes if one.said is not None}
    refused: dict[str, Unread] = {}
    rest: list[str] = []
    understood: set[str] = set(emptied)
    for _round in range(MOST_ROUNDS):
        heard = {key: found for key, one in waiting.items() if (found := _hear(current, one, facts)) is not None}
        read = {key: found for key, found in heard.items() if not isinstance(found, Unread)}
        refused = {key: found for key, found in heard.items() if isinstance(found, Unread)}
        if not read:
            break
        answers: dict[str, Any] = {}
        for found in read.values():
            answers |= found.answers
            rest += found.rest
        current = current.change(answers).filling
        understood |= answers.keys()
        waiting = {key: one for key, one in waiting.items() if key not in understood}
    current = current.change(dict.fromkeys(refused)).filling if refused else current
    idle = tuple(one.label for key, one in waiting.items() if key not in refused)
    return Taken(current, frozenset(understood), tuple(refused.values()), idle, tuple(rest))


@dataclass(frozen=True, slots=True)
class _Read:
    answers: Mapping[str, Any]
    rest: tuple[str, ...] = ()


def _hear(filling: Filling, change: Change, facts: Facts) -> _Read | Unread | None:
    """None while the question is not asked."""
    item = next((one for one in filling.items if isinstance(one, Item) and one.key == change.key), None)
    if item is None or change.said is None:
        return None
    if item.question.type is QuestionType.TEXT:
        return _read(filling, item, change.said.whole, change.label, facts)
    whole = _read(filling, item, " ".join(change.said.whole.split()), change.label, facts)
    if isinstance(whole, _Read) or not change.said.rest:
        return whole
    alone = _read(filling, item, change.said.first, change.label, facts)
    return whole if isinstance(alone, Unread) else _Read(alone.answers, tuple(row.text for row in change.said.rest))


def _read(filling: Filling, item: Item, text: str, label: str, facts: Facts) -> _Read | Unread:
    heard = hear(filling, item, text, facts)
    if isinstance(heard, Answered):
        return _Read({item.key: heard.value})
    if isinstance(heard, Doubt) and len(heard.candidates) == 1:
        return _Read({item.key: heard.candidates[0]})
    ahead = hear_ahead(filling, item, text)
    if ahead is not None:
        return _Read({item.key: "yes", ahead[0].key: ahead[1]})
    return Unread(item.key, label, text, _why(filling, item, heard))


def _why(filling: Filling, item: Item, heard: Doubt | Refusal) -> Sentence:
    """With what may be written instead: a mail has no buttons to press."""
    form, question = filling.plan.form, item.question
    if isinstance(heard, Doubt):
        several = heard.candidates

        def meanings(language: Language) -> str:
            return ", ".join(show(form, question, one, language) for one in several)

        return Sentence(N_("It may mean several things ({meanings}): write it out in full."), {"meanings": meanings})
    choices = filling.choices(item) if question.type in CHOOSING else ()
    if not choices:
        return heard.sentence
    if len(choices) > MOST_CHOICES:
        return Sentence(N_("This is none of the answers to choose from: you find them on your page."))

    def offered(language: Language) -> str:
        return "; ".join(say(one.label, language, form.languages) or one.name for one in choices)

    return Sentence(N_("This is none of the answers to choose from. They are: {answers}."), {"answers": offered})
