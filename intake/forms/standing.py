"""How a form stands with some answers: what is relevant, what is calculated. Pure; nothing is changed in place.

Only what depends on a change is looked at again: see `plan`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Self

from intake.forms.expressions import BadExpression, Expression, Instance, Scope
from intake.forms.nodes import Group, Node, Path, Question, QuestionType
from intake.forms.plan import Plan

MOST_REPETITIONS = 100

Answers = Mapping[str, Any]


def is_empty(value: Any) -> bool:
    return value is None or value in ("", [])


@dataclass(frozen=True)
class Known:
    """What is known besides. `now` is aware, in the zone whose day counts. `last`: the answers of last time."""

    now: datetime
    last: Answers = field(default_factory=dict)
    language: str = "it"

    @cached_property
    def last_instance(self) -> Instance:
        return Instance(self.last)


@dataclass(frozen=True)
class Standing:
    """`answers` are those that were given; `shut`, the keys of what is not relevant. `instance` is what counts."""

    plan: Plan
    known: Known
    answers: Answers
    repetitions: Mapping[str, int]
    shut: frozenset[str]
    instance: Instance

    def is_open(self, key: str) -> bool:
        """Relevant itself, and so is everything around it."""
        return not self.shut or not any(one in self.shut for one in _around(key))

    def counts(self, key: str) -> bool:
        """Open, and in no repetition beyond the last."""
        beyond = (int(one[2]) > self.instance.repetitions(one[1]) for one in repetitions_of_key(key))
        return not any(beyond) and self.is_open(key)

    def worth(self, key: str, question: Question) -> Any:
        """The answer that counts: given, or calculated."""
        if question.path in self.plan.value:
            return self.instance.given(key)
        return self.answers.get(key)

    def repetitions_of(self, group: Group, key: str) -> Iterable[str]:
        return (f"{key}[{n}]" for n in range(1, self.instance.repetitions(key) + 1)) if group.repeats else (key,)

    def settled(self, paths: Sequence[Path]) -> Self:
        """Relevance and values of these nodes anew, in the plan's order."""
        found = self
        for path in paths:
            node = self.plan.form.nodes[path]
            for key in found.keys(path):
                found = found._settle_one(node, key)
        return found

    def _settle_one(self, node: Node, key: str) -> Self:
        found = self
        relevant = self.plan.relevant.get(node.path)
        if relevant is not None:
            shut = not found.holds(relevant, key, otherwise=True)
            if shut != (key in found.shut):
                found = replace(found, shut=found.shut | {key} if shut else found.shut - {key})
        value = self.plan.value.get(node.path)
        if isinstance(node, Group):
            return found if value is None else found._counted(node, key, value)
        counts: Any = None
        if found.is_open(key):
            counts = found.answers.get(key) if value is None else _typed(node, found.text(value, key))
        if counts != found.instance.given(key):
            found = replace(found, instance=found.instance.changed({key: counts}))
        return found

    def _counted(self, group: Group, key: str, count: Expression) -> Self:
        """`repeat_count` says how many repetitions there are."""
        try:
            wanted = count.number(self.scope(key))
        except BadExpression:
            return self
        number = int(min(max(wanted, 0), MOST_REPETITIONS)) if wanted == wanted else 0  # noqa: PLR0124 - NaN
        if self.instance.repetitions(key) == number:
            return self
        repetitions = {
            each: there
            for each, there in self.repetitions.items()
            if all(one[1] != key or int(one[2]) <= number for one in repetitions_of_key(each))
        }
        repetitions[key] = number
        return replace(self, repetitions=repetitions, instance=self.instance.changed({}, repetitions))

    def keys(self, path: Path) -> list[str]:
        """The keys of a path, one for each repetition that it is in; a repeat itself is one thing, however often."""
        found = [""]
        for depth in range(1, len(path) + 1):
            name, is_repeat = path[depth - 1], path[:depth] in self.plan.form.repeats
            further = []
            for prefix in found:
                key = prefix + name
                if not is_repeat:
                    further.append(key)
                    continue
                numbers = range(1, self.instance.repetitions(key) + 1)
                further += [key] if depth == len(path) else [f"{key}[{n}]" for n in numbers]
            found = [key + "/" for key in further] if depth < len(path) else further
        return found

    def walk(self, *, shut: bool = False) -> Iterator[tuple[str, Node]]:
        """All keys with their nodes, in order; what is not relevant only when asked for."""
        waiting: list[tuple[str, Node]] = [(node.name, node) for node in reversed(self.plan.form.children)]
        while waiting:
            key, node = waiting.pop()
            if not shut and not self.is_open(key):
                continue
            if isinstance(node, Group):
                inside = [
                    (f"{each}/{child.name}", child)
                    for each in self.repetitions_of(node, key)
                    for child in node.children
                ]
                waiting.extend(reversed(inside))
            yield key, node

    def scope(self, key: str, instance: Instance | None = None) -> Scope:
        known = self.known
        return Scope(instance or self.instance, known.now, at=key, last=known.last_instance, language=known.language)

    def holds(self, rule: Expression, key: str, *, otherwise: bool) -> bool:
        return is_true(rule, self.scope(key), otherwise=otherwise)

    def text(self, rule: Expression, key: str) -> str | None:
        try:
            return rule.text(self.scope(key)) or None
        except BadExpression:  # too much to calculate for these answers: the form's fault, never the person's
            return None


def _typed(node: Node, text: str | None) -> Any:
    """A calculated whole number is kept like one that was given."""
    whole = isinstance(node, Question) and node.type is QuestionType.INTEGER and text is not None
    return int(text) if whole and text and text.lstrip("-").isdecimal() else text


def is_true(rule: Expression, scope: Scope, *, otherwise: bool) -> bool:
    """`otherwise` when it cannot be worked out for these answers: nobody is to be stopped by a slip of the form."""
    try:
        return rule.truth(scope)
    except BadExpression:
        return otherwise


def repetitions_of_key(key: str) -> Iterator["re.Match[str]"]:
    """Of `a[2]/b[1]/c`: `a[2]` and `a[2]/b[1]`; their groups are the repeat's key and the number."""
    for end in re.finditer(r"\]", key):
        found = re.fullmatch(r"(.*)\[(\d+)\]", key[: end.end()])
        assert found is not None
        yield found


def _around(key: str) -> Iterator[str]:
    """The key and those of what it is in: `a[2]/b`, `a[2]`, `a`."""
    end = len(key)
    while end > 0:
        yield key[:end]
        if key[end - 1] == "]":
            yield key[: key.rindex("[", 0, end)]
        end = key.rfind("/", 0, end)
