"""The answers of one form as expressions see them, and where one of them asks. Pure.

ODK keeps a tree of XML elements; here a node of it is an answer's key (`works[2]/cost`), and its value is read from the
flat answers when it is asked for. A repetition that was begun has all its nodes, answered or not.
"""

import re
from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any

from facts.languages import N_
from intake.forms.bad_expression import BadExpression
from intake.forms.comparing import Value, number, text
from intake.forms.nodes import ENCLOSING, Choice, QuestionType, say

MOST_WORK = 200_000  # what one evaluation may do: a node looked at, or a part of a predicate about one
NUMERIC = frozenset({QuestionType.INTEGER, QuestionType.DECIMAL, QuestionType.RANGE})

_NUMBERED = re.compile(r"\[(\d+)\]")


class Instance:
    """`answers` are those that count (ODK takes what is not relevant for empty: leave it out).

    `repetitions` says how often a repeat was begun, by its key (`works`, `works[1]/tasks`); where it says nothing,
    the answers do. Neither may change afterwards: make another with `changed`.
    """

    __slots__ = ("_answers", "_given", "_repetitions", "_values")

    def __init__(self, answers: Mapping[str, Any], repetitions: Mapping[str, int] | None = None) -> None:
        self._answers = answers
        self._given = repetitions or {}
        self._repetitions: dict[str, int] | None = None
        self._values: dict[str, Value] = {}

    def changed(self, changes: Mapping[str, Any], repetitions: Mapping[str, int] | None = None) -> "Instance":
        """With other answers to some questions, None for none: what was read of the others stays read."""
        answers = {**self._answers, **changes}
        found = Instance(
            {key: value for key, value in answers.items() if value is not None}
            if None in changes.values()
            else answers,
            self._given if repetitions is None else repetitions,
        )
        found._values = {key: value for key, value in self._values.items() if key not in changes}
        return found

    def given(self, key: str) -> Any:
        """The answer as it is kept; None for none."""
        return self._answers.get(key)

    def value(self, key: str, kind: QuestionType | None) -> Value:
        """The answer under a key; the empty text when there is none."""
        found = self._values.get(key)
        if found is None:
            found = self._values[key] = as_value(self._answers.get(key), kind)
        return found

    def repetitions(self, key: str) -> int:
        """Of the repeat with this key, which has no number of its own."""
        if self._repetitions is None:
            self._repetitions = _counted(self._answers) | dict(self._given)
        return self._repetitions.get(key, 0)


def as_value(answer: Any, kind: QuestionType | None) -> Value:
    """A stored answer as ODK's text (decision 10), or as a number when the question asks for one."""
    if answer is None or answer == "":
        return ""
    if isinstance(answer, list | tuple):
        return float(len(answer)) if kind in ENCLOSING else " ".join(text(as_value(one, None)) for one in answer)
    if isinstance(answer, bool | float):
        return answer
    return number(str(answer)) if kind in NUMERIC or isinstance(answer, int) else str(answer)


def _counted(answers: Mapping[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for key in answers:
        for one in _NUMBERED.finditer(key):
            repeat = key[: one.start()]
            found[repeat] = max(found.get(repeat, 0), int(one[1]))
    return found


class Work:
    """What may still be done."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MOST_WORK

    def spend(self, amount: int) -> None:
        self.left -= amount
        if self.left < 0:
            raise too_much()


def too_much() -> BadExpression:
    return BadExpression(N_("There is too much to calculate here."))


class Scope:
    """What an expression is evaluated with. `now` is aware: its zone says which day it is.

    `at` is the key of who asks, or of the node that a predicate is about, the `position`th; `asker` stays the same.
    `choice` is the one that a choice filter is about. `last`: the answers of last time.
    """

    __slots__ = ("_steps", "answers", "asker", "at", "choice", "language", "last", "now", "position", "work", "zone")

    def __init__(
        self,
        answers: Instance,
        now: datetime,
        *,
        at: str = "",
        last: Instance | None = None,
        language: str = "",
    ) -> None:
        self.answers = answers
        self.now = now
        self.zone = now.tzinfo
        self.at = self.asker = at
        self.last = Instance({}) if last is None else last
        self.language = language
        self.choice: Choice | None = None
        self.position = 0
        self.work = Work()
        self._steps: list[str] | None = None

    def asking(self, at: str, choice: Choice | None = None) -> "Scope":
        """The same for another who asks."""
        found = copy(self)
        found.at = found.asker = at
        found.choice = choice
        found._steps = None
        return found

    def within(self, at: str, position: int) -> "Scope":
        """For a predicate about one node of several."""
        found = copy(self)
        found.at, found.position, found._steps = at, position, None
        return found

    def around(self, depth: int) -> str:
        """The key of the repetition that `at` is in, as many steps down."""
        if self._steps is None:
            self._steps = self.at.split("/")
        return "/".join(self._steps[:depth])

    def column(self, name: str, languages: tuple[str, ...]) -> str:
        """What the sheet says of the choice; `languages` for its label when there is none in that of who asks."""
        if self.choice is None:
            return ""
        if name == "name":
            return self.choice.name
        return say(self.choice.label, self.language, languages) if name == "label" else self.choice.more.get(name, "")
