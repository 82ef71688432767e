"""The form of six fixed kinds of questions that Raccordo had before XLSForm: read as a form of today, and its answers.

Only databases made before that hold such versions; they are brought forward once, when the service starts. Pure.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from facts.languages import Language, speaking
from facts.phases import PHASES
from intake.forms.nodes import Bound, Choice, Definition, Question, QuestionType, Rules, Texts

FORMAT = 1
# What a draft's step said when it was no question. Today such a word begins with `=`, which no question's name does.
FIRST_STEPS = frozenset({"project", "obligation", "summary", "edit", "unchanged"})
YES, NO = "yes", "no"

_TYPES = {
    "choice": QuestionType.SELECT_ONE,
    "percentage": QuestionType.DECIMAL,
    "money": QuestionType.DECIMAL,
    "date": QuestionType.DATE,
    "text": QuestionType.TEXT,
}
_LANGUAGES = tuple(one.value for one in Language)


def is_first(document: Mapping[str, Any]) -> bool:
    """What has fields, and no format, is one."""
    return "fields" in document and document.get("format", FORMAT) == FORMAT


def first_definition(document: Mapping[str, Any]) -> Definition:
    """The same questions under the same names; what followed upon a yes is a question of its own."""
    lists = {f"{one['name']}_list": _choices(one.get("choices")) for one in document["fields"] if "choices" in one}
    yes_no = {"yes_no": (_said(YES, "Yes"), _said(NO, "No"))}
    children = tuple(question for one in document["fields"] for question in _questions(one))
    return Definition(document["key"], document["title"], _LANGUAGES, children, {**lists, **yes_no}, "1")


def first_answers(document: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers to it, as they are kept today."""
    found: dict[str, Any] = {}
    types = {one["name"]: one["type"] for one in document["fields"]}
    for name, value in answers.items():
        match types.get(name):
            case "money" if isinstance(value, int):
                found[name] = f"{Decimal(value) / 100:f}"
            case "yes-text" if isinstance(value, Mapping):
                found[name] = YES if value.get("any") else NO
                found |= {_what(name): value["text"]} if value.get("text") else {}
            case _:
                found[name] = value
    return found


def _questions(one: Mapping[str, Any]) -> list[Question]:
    if one["type"] != "yes-text":
        return [_question(one)]
    name = one["name"]
    asked = Question(
        name,
        (name,),
        one["question"],
        Rules(required="true()"),
        type=QuestionType.SELECT_ONE,
        title=one["label"],
        hint=one.get("hint", {}),
        choices="yes_no",
    )
    rules = Rules(relevant=f"${{{name}}} = '{YES}'", required="true()")
    told = Question(_what(name), (_what(name),), one["follow_up"], rules, type=QuestionType.TEXT, title=one["label"])
    return [asked, told]


def _question(one: Mapping[str, Any]) -> Question:
    name = one["name"]
    bound = next((each for each in Bound if each == name), None)
    return Question(
        name,
        (name,),
        one["question"],
        Rules(required="" if one.get("optional") else "true()"),
        type=_TYPES[one["type"]],
        title=one["label"],
        hint=one.get("hint", {}),
        choices=f"{name}_list" if one["type"] == "choice" else "",
        bound=bound,
    )


def _what(name: str) -> str:
    """As the built-in form calls it today: last time's answer is found under it."""
    return "problem" if name == "problems" else f"{name}_text"


def _choices(given: Any) -> tuple[Choice, ...]:
    if given == "phases":
        return tuple(_said(one.code, one.label) for one in PHASES)
    return tuple(Choice(str(one["code"]), one["label"]) for one in given)


def _said(name: str, msgid: str) -> Choice:
    label: Texts = {each.value: speaking(each)(msgid) for each in Language}
    return Choice(name, label)
