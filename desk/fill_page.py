"""A form as a page shows it: each question with its control, what stands in it, what is wrong with it. Pure.

Needs no draft: whoever has a `Filling` can show it, so that the desk sees a form as a referent will.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from desk.fill_controls import Control, Raw, control_of, mark_of, options_of, raw_of, suffix_of
from facts.languages import Language, Speaker, speaking
from intake.forms.doubts import Facts, doubt_about
from intake.forms.filling import Filling, Item
from intake.forms.hearing import weigh
from intake.forms.nodes import CHOOSING, ENCLOSING, UNASKED, Choice, Group, Node, Question, QuestionType
from intake.forms.outcomes import Doubt, Refusal
from intake.forms.plan import is_asked
from intake.forms.standing import MOST_REPETITIONS, is_empty
from intake.forms.values import show, title_of
from intake.forms.wording import worded


@dataclass(frozen=True, slots=True)
class Unread:
    """What stands in a control and is no answer yet, and why."""

    raw: Raw
    problem: Refusal | Doubt


@dataclass(frozen=True)
class Besides:
    """What is known beyond the form and its answers. `files`: those that answers name, by id.

    `sure`: keys whose doubt was answered with yes. `complete`: what is missing is to be said. `refused`: why a file was
    not kept, by key; `remarks`: what staff ask about an answer.
    """

    facts: Facts | None = None
    unread: Mapping[str, Unread] = field(default_factory=dict)
    sure: frozenset[str] = frozenset()
    files: Mapping[int, Any] = field(default_factory=dict)
    complete: bool = False
    refused: Mapping[str, str] = field(default_factory=dict)
    remarks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Option:
    """`value` is what is sent when it is chosen."""

    value: str
    text: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One question. `id` is its key, fit for an address behind `#` (with `f-` before it).

    `raw`: what stands in its controls; `last`: last time's answer, where it may be taken over; `meant`: what an answer
    with several meanings may mean.
    """

    key: str
    id: str
    control: Control
    label: str
    title: str
    hint: str = ""
    required: bool = False
    raw: Raw = ()
    options: tuple[Option, ...] = ()
    suffix: str = ""
    error: str = ""
    doubt: str = ""
    sure: bool = False
    meant: tuple[Option, ...] = ()
    last: str = ""
    files: tuple[Any, ...] = ()
    answered: bool = False
    accepts: str = ""
    remark: str = ""

    @property
    def asks(self) -> bool:
        """Whether there is something to be answered."""
        return self.control not in (Control.NOTE, Control.FIXED)

    @property
    def described(self) -> str:
        """The ids of what says more about it, for `aria-describedby`."""
        parts = (("h", self.hint), ("n", self.remark), ("e", self.error), ("d", self.doubt), ("l", self.last))
        return " ".join(f"{letter}-{self.id}" for letter, text in parts if text)

    @property
    def look(self) -> str:
        """Changes when it is to be shown otherwise, whatever stands in it."""
        said = (self.label, self.hint, self.required, self.error, self.doubt, self.last, self.sure, self.remark)
        names = [(one.value, one.text) for one in (*self.options, *self.meant)]
        return mark_of((repr((said, names, [file.id for file in self.files])),))

    @property
    def state(self) -> str:
        """Changes when something else is to stand in it."""
        return mark_of(self.raw)


@dataclass(frozen=True, slots=True)
class Section:
    """Questions that belong together. `repetition`: the key under which it can be taken out, when it can."""

    id: str
    title: str
    parts: tuple["Part", ...]
    repetition: str = ""


@dataclass(frozen=True, slots=True)
class Another:
    """Where one more repetition is begun; `number` of them are there."""

    key: str
    id: str
    title: str
    number: int
    full: bool


Part = Field | Section | Another


@dataclass(frozen=True)
class FormPage:
    title: str
    parts: tuple[Part, ...]

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        return tuple(_fields(self.parts))

    @cached_property
    def asked(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.asks)

    @property
    def answered(self) -> int:
        return sum(one.answered for one in self.asked)

    @property
    def errors(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.error)

    @property
    def doubts(self) -> tuple[Field, ...]:
        """Those to which nobody has said yes."""
        return tuple(one for one in self.fields if one.doubt and not one.sure)

    @property
    def remarked(self) -> tuple[Field, ...]:
        """Those that staff ask about."""
        return tuple(one for one in self.fields if one.remark)

    @property
    def encloses(self) -> bool:
        return any(one.control is Control.FILES for one in self.fields)

    @property
    def has_last(self) -> bool:
        """Whether there is something of last time that could be taken over."""
        return any(one.last and not one.answered for one in self.fields)

    @cached_property
    def shown(self) -> str:
        """What stood in the controls when the page was made: `key=mark` for each, to know later what was changed."""
        return " ".join(f"{one.key}={mark_of(one.raw)}" for one in self.asked if one.control is not Control.FILES)


def _fields(parts: Sequence[Part]) -> Iterator[Field]:
    for part in parts:
        if isinstance(part, Field):
            yield part
        elif isinstance(part, Section):
            yield from _fields(part.parts)


def id_of(key: str) -> str:
    """A key as part of an `id`: `works[2]/cost` is `works:2:cost`."""
    return key.replace("/", ":").replace("[", ":").replace("]", "")


def page_of(filling: Filling, language: Language, besides: Besides | None = None) -> FormPage:
    """The whole form, as far as it is relevant with these answers."""
    maker = _Maker(filling, language, besides or Besides())
    form = filling.plan.form
    return FormPage(worded(filling, "", form.title, language), tuple(maker.parts(form.children, "")))


@dataclass(frozen=True)
class _Maker:
    filling: Filling
    language: Language
    besides: Besides
    labels: dict[int, str] = field(default_factory=dict)

    @cached_property
    def _(self) -> Speaker:
        return speaking(self.language)

    @cached_property
    def items(self) -> frozenset[str]:
        return frozenset(item.key for item in self.filling.items)

    def parts(self, nodes: Sequence[Node], prefix: str) -> Iterator[Part]:
        for node in nodes:
            key = prefix + node.name
            if isinstance(node, Group):
                yield from self.sections(node, key)
            elif isinstance(node, Question) and key in self.items:
                yield self.field(Item(key, node))
            elif isinstance(node, Question) and self._is_fixed(node, key):
                yield self._fixed(key, node)

    def sections(self, group: Group, key: str) -> Iterator[Part]:
        free = group.repeats and key in self.items
        for number, each in enumerate(self.filling.repetitions_of(group, key), 1):
            parts = tuple(self.parts(group.children, each + "/")) if self.filling.is_open(each) else ()
            if parts or free:
                yield Section(id_of(each), self._name(group, each, number), parts, each if free else "")
        if free:
            number = self.filling.instance.repetitions(key)
            yield Another(key, id_of(key), self._name(group, key, 0), number, number >= MOST_REPETITIONS)

    def _name(self, group: Group, key: str, number: int) -> str:
        label = worded(self.filling, key, group.label, self.language)
        return f"{label or group.name} {number}" if group.repeats and number else label

    def _is_fixed(self, question: Question, key: str) -> bool:
        """What is worked out and shown, not asked."""
        shown = question.type not in UNASKED and bool(question.label) and not is_asked(question)
        return shown and self.filling.is_open(key) and not is_empty(self.filling.worth(key, question))

    def _fixed(self, key: str, question: Question) -> Field:
        form = self.filling.plan.form
        label = worded(self.filling, key, question.label, self.language)
        value = show(form, question, self.filling.worth(key, question), self.language)
        return Field(key, id_of(key), Control.FIXED, label, label, raw=(value,))

    def field(self, item: Item) -> Field:
        question, form = item.question, self.filling.plan.form
        label = worded(self.filling, item.key, question.label, self.language)
        hint = worded(self.filling, item.key, question.hint, self.language)
        if question.type is QuestionType.NOTE:
            return Field(item.key, id_of(item.key), Control.NOTE, label, label, hint)
        value = self.filling.answers.get(item.key)
        choices = self.filling.choices(item) if question.type in CHOOSING else ()
        unread = self.besides.unread.get(item.key)
        raw = unread.raw if unread else raw_of(question, value, self.language)
        doubt = self._doubt(item, value) if unread is None else ""
        control = control_of(question, len(choices))
        return Field(
            item.key,
            id_of(item.key),
            control,
            label,
            title_of(form, question, self.language) if question.title else label,
            hint or self._(control.hint),
            self.filling.is_required(item),
            raw,
            self._options(question, choices, raw),
            suffix_of(question),
            self._error(item, value, unread),
            doubt,
            item.key in self.besides.sure,
            self._meant(item, unread),
            self._last(item, value),
            self._files(question, value),
            unread is None and not is_empty(value),
            ACCEPTS.get(question.type, ""),
            self.besides.remarks.get(item.key, ""),
        )

    def _options(self, question: Question, choices: Sequence[Choice], raw: Raw) -> tuple[Option, ...]:
        found = options_of(question, choices, self.language)
        return tuple(Option(value, text or self._label(choice), value in raw) for value, choice, text in found)

    def _label(self, choice: Choice | None) -> str:
        """Said once for a page: many questions share one list."""
        assert choice is not None, "what has no words is a choice"
        said = self.labels.get(id(choice))
        if said is None:
            said = self.labels[id(choice)] = worded(self.filling, "", choice.label, self.language) or choice.name
        return said

    def _error(self, item: Item, value: Any, unread: Unread | None) -> str:
        if item.key in self.besides.refused:
            return self.besides.refused[item.key]
        if unread is not None:
            problem = unread.problem
            return (problem.sentence if isinstance(problem, Refusal) else problem.question).say(self._)
        if is_empty(value):
            return self._missing(item) if self.besides.complete and self.filling.is_required(item) else ""
        heard = weigh(self.filling, item, value) if item.question.rules.constraint else None
        return heard.sentence.say(self._) if isinstance(heard, Refusal) else ""

    def _missing(self, item: Item) -> str:
        own = worded(self.filling, item.key, item.question.required_message, self.language)
        return own or self._("An answer is needed here.")

    def _doubt(self, item: Item, value: Any) -> str:
        facts = self.besides.facts
        sentence = doubt_about(self.filling, item, value, facts) if facts and not is_empty(value) else None
        return sentence.say(self._) if sentence else ""

    def _meant(self, item: Item, unread: Unread | None) -> tuple[Option, ...]:
        if unread is None or not isinstance(unread.problem, Doubt):
            return ()
        form, question = self.filling.plan.form, item.question
        candidates = enumerate(unread.problem.candidates)
        return tuple(Option(str(n), show(form, question, one, self.language), False) for n, one in candidates)

    def _last(self, item: Item, value: Any) -> str:
        """Last time's answer as words, unless it is given again already, or was a file."""
        last = self.filling.known.last.get(item.key)
        if is_empty(last) or last == value or item.question.type in ENCLOSING:
            return ""
        return show(self.filling.plan.form, item.question, last, self.language)

    def _files(self, question: Question, value: Any) -> tuple[Any, ...]:
        if question.type not in ENCLOSING or not isinstance(value, list):
            return ()
        return tuple(self.besides.files[each] for each in value if each in self.besides.files)


ACCEPTS: Mapping[QuestionType, str] = {QuestionType.IMAGE: "image/*", QuestionType.AUDIO: "audio/*"}
