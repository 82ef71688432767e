"""What a form is, as XLSForm cuts it: questions in groups and repeats, and lists of choices. Pure: reads no file.

The words are those of XLSForm (https://xlsform.org): `relevant`, `constraint`, `calculation`, `choice_filter` are
XPath expressions as text, in which `${name}` is the answer to another question.

Every question has a path: its name behind the names of the groups and repeats around it (`site/area`). An answer has
a key: its path with the number of each repetition, from 1 (`works[2]/cost`). Keys are what answers are kept under.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

Texts = Mapping[str, str]  # language code → text
Path = tuple[str, ...]

_NUMBER = re.compile(r"\[\d+\]")


class QuestionType(StrEnum):
    """XLSForm's names. `HIDDEN` and `CALCULATE` are never asked."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    TIME = "time"
    DATE_TIME = "dateTime"
    SELECT_ONE = "select_one"
    SELECT_MULTIPLE = "select_multiple"
    RANK = "rank"
    RANGE = "range"
    GEOPOINT = "geopoint"
    IMAGE = "image"
    FILE = "file"
    AUDIO = "audio"
    NOTE = "note"
    ACKNOWLEDGE = "acknowledge"
    CALCULATE = "calculate"
    HIDDEN = "hidden"


CHOOSING = frozenset({QuestionType.SELECT_ONE, QuestionType.SELECT_MULTIPLE, QuestionType.RANK})
ENCLOSING = frozenset({QuestionType.IMAGE, QuestionType.FILE, QuestionType.AUDIO})
UNASKED = frozenset({QuestionType.CALCULATE, QuestionType.HIDDEN})


class Bound(StrEnum):
    """`raccordo::field`: what the registry keeps of an answer."""

    PHASE = "phase"
    PROGRESS = "progress"  # percent
    SPENT = "spent"  # euro
    EXPECTED_END = "expected_end"
    CUP = "cup"
    CIG = "cig"


class Ask(StrEnum):
    """`raccordo::ask`: every time, only after last time's answer was said not to hold any more, or once and for all."""

    ALWAYS = "always"
    IF_CHANGED = "if-changed"
    ONCE = "once"


class About(StrEnum):
    """`raccordo::about` in the settings: what is told of one project, or of the organisation who tells it."""

    PROJECT = "project"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class Choice:
    """`more`: the columns of the sheet beside name and label, for `choice_filter`."""

    name: str
    label: Texts
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rules:
    """The expressions of a node; empty where there is none. `required` is one too: `true()` for yes."""

    relevant: str = ""
    required: str = ""
    constraint: str = ""
    calculation: str = ""
    choice_filter: str = ""
    default: str = ""  # an expression when `default_is_expression`
    repeat_count: str = ""


@dataclass(frozen=True)
class Node:
    """What questions, groups and repeats share. `row`: of the sheet `survey`, from 2, 0 when it has none."""

    name: str
    path: Path
    label: Texts
    rules: Rules = Rules()
    appearance: str = ""
    row: int = 0


@dataclass(frozen=True)
class Question(Node):
    """`title` is short, for summaries (`raccordo::title`, else the label). `private`: never by Telegram."""

    type: QuestionType = QuestionType.TEXT
    title: Texts = field(default_factory=dict)
    hint: Texts = field(default_factory=dict)
    required_message: Texts = field(default_factory=dict)
    constraint_message: Texts = field(default_factory=dict)
    choices: str = ""  # the name of a list
    other: bool = False  # `or_other`
    read_only: bool = False
    default_is_expression: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    bound: Bound | None = None
    ask: Ask = Ask.ALWAYS
    private: bool = False


@dataclass(frozen=True)
class Group(Node):
    """Questions that belong together. `repeats`: they are answered any number of times, or `repeat_count` times."""

    children: tuple[Node, ...] = ()
    repeats: bool = False


@dataclass(frozen=True)
class Definition:
    """One form. `languages`: codes, the default first; every text that is there is in at least the first of them."""

    key: str
    title: Texts
    languages: tuple[str, ...]
    children: tuple[Node, ...]
    lists: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    version: str = ""
    about: About = About.PROJECT

    def walk(self) -> Iterator[Node]:
        """All nodes as they stand in the sheet, a group before what is in it."""
        waiting = list(reversed(self.children))
        while waiting:
            node = waiting.pop()
            yield node
            if isinstance(node, Group):
                waiting.extend(reversed(node.children))

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """As they are asked."""
        return tuple(node for node in self.walk() if isinstance(node, Question))

    @cached_property
    def nodes(self) -> Mapping[Path, Node]:
        return {node.path: node for node in self.walk()}

    @cached_property
    def named(self) -> Mapping[str, tuple[Path, ...]]:
        """The paths that end in a name: `${name}` says which, when there is one. With what is beside `or_other`."""
        others = ((*node.path[:-1], f"{node.name}_other") for node in self.questions if node.other)
        found: dict[str, tuple[Path, ...]] = {}
        for path in dict.fromkeys((*self.nodes, *others)):
            found[path[-1]] = (*found.get(path[-1], ()), path)
        return found

    @cached_property
    def repeats(self) -> frozenset[Path]:
        """The paths of what is answered several times."""
        return frozenset(node.path for node in self.walk() if isinstance(node, Group) and node.repeats)

    def is_repeated(self, path: Path) -> bool:
        """Whether it is inside of something that is answered several times, and so has several answers."""
        return any(path[:depth] in self.repeats for depth in range(1, len(path)))

    def at(self, key: str) -> Node | None:
        """What an answer's key is about."""
        return self.nodes.get(path_of(key))


def path_of(key: str) -> Path:
    """`works[2]/cost` → ("works", "cost")."""
    return tuple(_NUMBER.sub("", key).split("/"))


def say(texts: Texts, language: str, fallback: tuple[str, ...]) -> str:
    """The text in a language, else in the first of `fallback` that has it, else nothing."""
    return next((texts[one] for one in (language, *fallback) if texts.get(one)), "")
