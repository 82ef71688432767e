"""A form read from its definition (a JSON document). Refuses one that is incomplete: each text in every language.

    {"key": "project-update", "number": 1, "title": {"it": …, "en": …}, "fields": [
        {"name": "phase", "type": "choice", "choices": "phases" | [{"code": …, "label": {…}}, …],
         "label": {…}, "question": {…}, "hint": {…}?, "follow_up": {…}?, "optional": false?, "checks": […]?}]}

Texts are given in each language inside the definition, as XLSForm does: whoever writes a form has no
gettext catalogue. `label` is short (summaries), `question` is what is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from facts.languages import Language, speaking
from facts.phases import PHASES

Text = Mapping[Language, str]

# What a draft's `step` says when it is no field: a field of that name could not be asked.
STEPS = frozenset({"project", "obligation", "summary", "edit", "unchanged"})


class BadDefinition(ValueError):
    """The document is not a form; the message says where."""


class FieldType(StrEnum):
    """`YES_TEXT`: no, or yes with a text that says what."""

    CHOICE = "choice"
    PERCENTAGE = "percentage"
    MONEY = "money"
    DATE = "date"
    YES_TEXT = "yes-text"
    TEXT = "text"


class Check(StrEnum):
    """What makes a well-formed answer implausible, so that it is asked back."""

    NEVER_FALLS = "never-falls"
    WITHIN_TOTAL = "within-total"
    NOT_PAST = "not-past"
    NEAR_LAST = "near-last"


@dataclass(frozen=True, slots=True)
class Choice:
    code: str
    label: Text


@dataclass(frozen=True)
class Field:
    """One question. Its answer is stored as JSON: see `intake/forms/answers.py`."""

    name: str
    type: FieldType
    label: Text
    question: Text
    hint: Text | None = None
    follow_up: Text | None = None
    choices: tuple[Choice, ...] = ()
    optional: bool = False
    checks: tuple[Check, ...] = ()

    def choice(self, code: object) -> Choice | None:
        return next((one for one in self.choices if one.code == code), None)


@dataclass(frozen=True)
class Form:
    key: str
    number: int
    title: Text
    fields: tuple[Field, ...] = field(default=())

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.fields)

    def field(self, name: str) -> Field | None:
        return next((one for one in self.fields if one.name == name), None)

    def position(self, name: str) -> int:
        """From 0, as they are asked."""
        return self.names.index(name)


def read_form(definition: Mapping[str, Any]) -> Form:
    """The form in a definition. Raises BadDefinition."""
    fields = tuple(_field(one) for one in definition.get("fields", ()))
    names = [one.name for one in fields]
    if len(set(names)) != len(names):
        raise BadDefinition("two fields have the same name")
    if not definition.get("key") or not isinstance(definition.get("number"), int):
        raise BadDefinition("a form needs a key and a number")
    return Form(definition["key"], definition["number"], _text(definition, "title", "the form"), fields)


def _field(document: Mapping[str, Any]) -> Field:
    name = document.get("name", "")
    where = f"field {name!r}"
    if not isinstance(name, str) or not name.isidentifier() or name in STEPS:
        raise BadDefinition(f"{where} has no usable name")
    try:
        type_ = FieldType(document.get("type", ""))
        checks = tuple(Check(one) for one in document.get("checks", ()))
    except ValueError as error:
        raise BadDefinition(f"{where}: {error}") from error
    return Field(
        name,
        type_,
        _text(document, "label", where),
        _text(document, "question", where),
        _text(document, "hint", where) if "hint" in document else None,
        _text(document, "follow_up", where) if type_ is FieldType.YES_TEXT else None,
        _choices(document.get("choices", ()), where) if type_ is FieldType.CHOICE else (),
        bool(document.get("optional", False)),
        checks,
    )


def _text(document: Mapping[str, Any], key: str, where: str) -> Text:
    given = document.get(key)
    missing = [each.value for each in Language if not (isinstance(given, Mapping) and given.get(each.value))]
    if missing:
        raise BadDefinition(f"{where} has no {key} in {' and '.join(missing)}")
    assert isinstance(given, Mapping)
    return {each: str(given[each.value]) for each in Language}


def _choices(given: object, where: str) -> tuple[Choice, ...]:
    if given == "phases":
        return tuple(Choice(one.code, {each: speaking(each)(one.label) for each in Language}) for one in PHASES)
    if not isinstance(given, list) or not given:
        raise BadDefinition(f"{where} has no choices")
    return tuple(Choice(str(one["code"]), _text(one, "label", f"{where}, choice {one['code']!r}")) for one in given)
