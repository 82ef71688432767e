"""A form being filled in: what is asked next, what counts, what falls away when an answer changes. Pure.

Nothing here knows a channel: a chat asks one `Item` after the other, a page shows all of them. Nothing is changed in
place: each change gives another `Filling`, and says what it has dropped.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from intake.forms.expressions import Instance
from intake.forms.nodes import ENCLOSING, Ask, Choice, Group, Node, Path, Question, QuestionType, path_of
from intake.forms.plan import Plan, is_asked
from intake.forms.standing import (
    MOST_REPETITIONS,
    Answers,
    Known,
    Standing,
    is_empty,
    is_true,
    repetitions_of_key,
)

Groups = tuple[tuple[str, Group], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """A question to be asked, or a note to be read. `groups` are those around it, the outermost first, by key."""

    key: str
    question: Question
    groups: Groups = ()


@dataclass(frozen=True, slots=True)
class More:
    """Whether there is another repetition; `number` of them are there. `key` is that of the repeat, without number."""

    key: str
    group: Group
    number: int
    groups: Groups = ()


@dataclass(frozen=True, slots=True)
class Change:
    """`dropped`: answers that were given and count no longer, by key, in the form's order."""

    filling: "Filling"
    dropped: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Filling(Standing):
    """A standing, seen as what a person is asked."""

    @cached_property
    def kept(self) -> dict[str, Any]:
        """All answers that count, the calculated ones too: what an update keeps."""
        found = {}
        for key, node in self.walk():
            if isinstance(node, Question):
                value = self.worth(key, node)
                if not is_empty(value):
                    found[key] = value
        return found

    # --- what is asked

    @cached_property
    def items(self) -> tuple[Item | More, ...]:
        """What is asked and said, in order, as far as it is relevant."""
        return tuple(self._items(self.plan.form.children, "", ()))

    def _items(self, nodes: Iterable[Node], prefix: str, groups: Groups) -> Iterator[Item | More]:
        for node in nodes:
            key = prefix + node.name
            if isinstance(node, Question):
                if self._is_shown(node, key):
                    yield Item(key, node, groups)
            elif isinstance(node, Group):
                for each in self.repetitions_of(node, key):
                    if self.is_open(each):
                        yield from self._items(node.children, each + "/", (*groups, (each, node)))
                if node.repeats and node.path not in self.plan.value and self.is_open(key):
                    yield More(key, node, self.instance.repetitions(key), groups)

    def _is_shown(self, question: Question, key: str) -> bool:
        shown = is_asked(question) or question.type is QuestionType.NOTE
        return shown and self.is_open(key) and not self._is_settled(question, key)

    def _is_settled(self, question: Question, key: str) -> bool:
        """`raccordo::ask` once: last time's answer holds for good."""
        return question.ask is Ask.ONCE and not is_empty(self.known.last.get(key))

    def after(self, key: str | None) -> Item | More | None:
        """What follows; the first of all for None; None at the end. `key` may be of something that is asked no more."""
        if key is None:
            return self.items[0] if self.items else None
        place = self.position(key)
        return self.items[place + 1] if place + 1 < len(self.items) else None

    def before(self, key: str) -> Item | More | None:
        place = self.position(key)
        return self.items[place - 1] if place > 0 else None

    def position(self, key: str) -> int:
        """From 0, of all that is asked; of a key that is not asked now, where it would come after."""
        keys = [item.key for item in self.items]
        if key in keys:
            return keys.index(key)
        order = {found: number for number, (found, _) in enumerate(self.walk(shut=True))}
        mine = order.get(key, -1)
        return sum(order.get(each, 0) < mine for each in keys) - 1

    def progress(self, key: str) -> tuple[int, int]:
        """This is the n-th of m questions, as far as is known by now."""
        asked = [
            item.key for item in self.items if isinstance(item, Item) and item.question.type is not QuestionType.NOTE
        ]
        before = self.position(key)
        done = sum(isinstance(item, Item) and item.key in asked for item in self.items[: before + 1])
        return max(1, done), len(asked)

    def missing(self) -> list[Item]:
        """What must be answered and is not."""
        return [
            item
            for item in self.items
            if isinstance(item, Item) and is_asked(item.question) and self._lacks(item) and self.is_required(item)
        ]

    def _lacks(self, item: Item) -> bool:
        return is_empty(self.answers.get(item.key))

    def is_required(self, item: Item) -> bool:
        rule = item.question.rules.required
        return bool(rule) and self.holds(self.plan.expression(item.question, rule), item.key, otherwise=True)

    def choices(self, item: Item) -> tuple[Choice, ...]:
        """Those of its list that may be chosen now."""
        question = item.question
        found = self.plan.form.lists.get(question.choices, ())
        if question.rules.choice_filter:
            fits = self.plan.expression(question, question.rules.choice_filter, filtering=True)
            scope = self.scope(item.key)
            found = tuple(one for one in found if is_true(fits, scope.asking(item.key, one), otherwise=True))
        return found

    def satisfies(self, item: Item, value: Any) -> bool:
        """Whether an answer keeps the question's constraint. No answer always does."""
        rule = item.question.rules.constraint
        if not rule or is_empty(value):
            return True
        scope = self.scope(item.key, self.instance.changed({item.key: value}))
        return is_true(self.plan.expression(item.question, rule), scope, otherwise=True)

    def is_enclosing(self, key: str) -> bool:
        """Whether the answers under this key are files."""
        node = self.plan.form.at(key)
        return isinstance(node, Question) and node.type in ENCLOSING

    # --- changes

    def anew(self, answers: Answers) -> "Filling":
        """The same form with these answers instead, as those of last time."""
        return begin(self.plan, self.known, answers, repetitions_in(answers))

    def change(self, changes: Answers) -> Change:
        """Other answers to some questions; None for none. Only what depends on them is looked at again."""
        answers = {key: value for key, value in {**self.answers, **changes}.items() if value is not None}
        paths = {path_of(key) for key in changes}
        visible = {key: answers.get(key) if self.is_open(key) else None for key in changes}
        begun = replace(self, answers=answers, instance=self.instance.changed(visible))
        settled = begun.settled(self.plan.below(paths))
        return self._less_dropped(settled, changes)

    def add(self, key: str) -> Change:
        """One more repetition of the repeat with this key. No more than MOST_REPETITIONS."""
        number = self.instance.repetitions(key)
        if number >= MOST_REPETITIONS:
            return Change(self)
        more = self._repeated(key, number + 1, self.answers, self.repetitions)
        return Change(more._with_defaults(f"{key}[{number + 1}]/"))

    def remove(self, key: str) -> Change:
        """Without this repetition (`works[2]`); those behind it move up."""
        repeat, number = key[: key.rindex("[")], int(key[key.rindex("[") + 1 : -1])
        answers = _without(self.answers, repeat, number)
        repetitions = _without(self.repetitions, repeat, number)
        return Change(self._repeated(repeat, self.instance.repetitions(repeat) - 1, answers, repetitions))

    def _repeated(self, key: str, number: int, answers: Answers, repetitions: Mapping[str, int]) -> "Filling":
        counted = {**repetitions, key: number}
        open_again = frozenset(one for one in self.shut if not one.startswith(f"{key}["))
        begun = replace(
            self, answers=answers, repetitions=counted, shut=open_again, instance=Instance(answers, counted)
        )
        return begun.settled(self.plan.order)

    def _less_dropped(self, settled: "Filling", changes: Answers) -> Change:
        """What was given and is no longer asked, or no longer among the choices, is taken out."""
        gone = [key for key in settled.answers if key not in changes and self.counts(key) and not settled.counts(key)]
        gone += settled._no_longer_offered({path_of(key) for key in changes}, set(gone))
        if not gone:
            return Change(settled)
        order = {key: number for number, (key, _) in enumerate(self.walk(shut=True))}
        dropped = {key: settled.answers[key] for key in sorted(gone, key=order.__getitem__)}
        further = settled.change(dict.fromkeys(dropped))
        return Change(further.filling, {**dropped, **further.dropped})

    def _no_longer_offered(self, changed: set[Path], gone: set[str]) -> list[str]:
        found = []
        for path, reads in self.plan.filtered.items():
            if not changed & reads:
                continue
            for key in self.keys(path):
                question = self.plan.form.nodes[path]
                assert isinstance(question, Question)
                given = self.answers.get(key)
                if given is None or key in gone:
                    continue
                offered = {one.name for one in self.choices(Item(key, question))}
                if not offered.issuperset([given] if isinstance(given, str) else given):
                    found.append(key)
        return found

    def _with_defaults(self, prefix: str = "") -> "Filling":
        """With what the form fills in beforehand, where nothing is answered yet."""
        fresh = {}
        for key, node in self.walk():
            if isinstance(node, Question) and key.startswith(prefix) and key not in self.answers:
                value = self._default(node, key)
                if not is_empty(value):
                    fresh[key] = value
        return self.change(fresh).filling if fresh else self

    def _default(self, question: Question, key: str) -> Any:
        if question.ask is not Ask.ALWAYS and not is_empty(self.known.last.get(key)):
            return self.known.last[key]
        if not question.rules.default or question.path in self.plan.value:
            return None
        if not question.default_is_expression:
            return question.rules.default
        return self.text(self.plan.expression(question, question.rules.default), key)


def repetitions_in(answers: Answers) -> dict[str, int]:
    """How often each repeat was answered, by its key: what an update need not keep besides."""
    found: dict[str, int] = {}
    for key in answers:
        for one in repetitions_of_key(key):
            found[one[1]] = max(found.get(one[1], 0), int(one[2]))
    return found


def begin(
    plan: Plan, known: Known, answers: Answers | None = None, repetitions: Mapping[str, int] | None = None
) -> Filling:
    """A form at its beginning, with its defaults; or taken up again with the answers of a draft."""
    given, repeated = dict(answers or {}), dict(repetitions or {})
    fresh = Filling(plan, known, given, repeated, frozenset(), Instance(given, repeated))
    settled = fresh.settled(plan.order)
    return settled._with_defaults() if answers is None else settled


def _without(kept: Mapping[str, Any], repeat: str, removed: int) -> dict[str, Any]:
    """By key, without one repetition; those behind it have moved up."""
    found = {}
    for key, value in kept.items():
        if not key.startswith(f"{repeat}["):
            found[key] = value
            continue
        number, rest = key[len(repeat) + 1 :].split("]", 1)
        if int(number) != removed:
            found[f"{repeat}[{int(number) - (int(number) > removed)}]{rest}"] = value
    return found
