"""What becomes of an answer that a person wrote: taken, doubted, or refused with a sentence. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from facts.languages import Language, Speaker

LONGEST_TEXT = 1500  # characters of an answer


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message id with the functions that say its values in a language."""

    msgid: str
    values: Mapping[str, Callable[[Language], str]] = field(default_factory=dict)

    def say(self, _: Speaker) -> str:
        return _(self.msgid, **{name: value(_.language) for name, value in self.values.items()})


@dataclass(frozen=True, slots=True)
class Answered:
    value: Any


@dataclass(frozen=True, slots=True)
class Doubt:
    """Ask back. One candidate: is it right? Several: which one was meant?"""

    question: Sentence
    candidates: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """It cannot be read; the sentence says why and how to write it."""

    sentence: Sentence
