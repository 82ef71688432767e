"""What is kept of an answer (decision 10): whether it is one to a question, and how it is said to people. Pure.

Never raises for a value of another version of the form, or of another program: see `fits`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from facts.dates import show_date
from facts.languages import N_, Language, speaking
from facts.numbers import show_cents, show_number, show_percentage
from intake.forms.nodes import CHOOSING, Bound, Choice, Definition, Question, QuestionType, path_of, say

NOTHING = N_("—")
READ = N_("Read")
_DECIMALS = re.compile(r"-?\d+\.\d+")
MOST_ENCLOSED = 20  # files of one answer


def fits(form: Definition, question: Question, value: Any) -> bool:
    """Whether a kept value is an answer to this question. None is none."""
    try:
        return _FITS[question.type](form, question, value)
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return False


def fitting(form: Definition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Those of some answers, perhaps of an earlier version, that are answers in this form."""
    found = {}
    for key, value in answers.items():
        node = form.nodes.get(path_of(key))
        if isinstance(node, Question) and fits(form, node, value):
            found[key] = value
    return found


def show(form: Definition, question: Question, value: Any, language: Language) -> str:
    """Plain text for an answer; a dash for none; one that does not fit as it is, rather than nothing."""
    if value is None or value in ("", []):
        return speaking(language)(NOTHING)
    if not fits(form, question, value):
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if question.type in CHOOSING:
        names = value if isinstance(value, list) else [value]
        return ", ".join(label_of(form, question, name, language) for name in names)
    return _SHOWN[question.type](question, value, language) if question.type in _SHOWN else str(value)


def label_of(form: Definition, question: Question, name: str, language: Language) -> str:
    """Of a choice; its name where it has no label."""
    found = _choice(form, question, name)
    return (say(found.label, language, form.languages) if found else "") or name


def title_of(form: Definition, question: Question, language: Language) -> str:
    """The short label, for summaries; the name of what has none, as most calculations."""
    languages = form.languages
    return say(question.title, language, languages) or say(question.label, language, languages) or question.name


def leading(label: str) -> str:
    """A label as it stands before its value: with a colon, unless it asks by itself."""
    return label if label.endswith(("?", ":", "!")) else f"{label}:"


def _choice(form: Definition, question: Question, name: str) -> Choice | None:
    return next((one for one in form.lists.get(question.choices, ()) if one.name == name), None)


# --- whether it is one


def _is_text(_form: Definition, _one: Question, value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_whole(_form: Definition, _one: Question, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(_form: Definition, one: Question, value: Any) -> bool:
    found = Decimal(value) if isinstance(value, str) else None
    if found is None or not found.is_finite():
        return False
    return one.bound is not Bound.PROGRESS or 0 <= found <= 100


def _is_one(form: Definition, one: Question, value: Any) -> bool:
    return isinstance(value, str) and _choice(form, one, value) is not None


def _is_several(form: Definition, one: Question, value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_one(form, one, each) for each in value)


def _is_point(_form: Definition, _one: Question, value: Any) -> bool:
    return isinstance(value, list) and 2 <= len(value) <= 4 and all(isinstance(each, int | float) for each in value)


def _is_enclosed(_form: Definition, _one: Question, value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, int) for each in value)


def _reads(read: Callable[[str], Any]) -> Callable[[Definition, Question, Any], bool]:
    return lambda _form, _one, value: read(value) is not None


_FITS: dict[QuestionType, Callable[[Definition, Question, Any], bool]] = {
    **dict.fromkeys((QuestionType.TEXT, QuestionType.CALCULATE, QuestionType.HIDDEN), _is_text),
    QuestionType.INTEGER: _is_whole,
    QuestionType.DECIMAL: _is_number,
    QuestionType.RANGE: _is_number,
    QuestionType.DATE: _reads(date.fromisoformat),
    QuestionType.TIME: _reads(time.fromisoformat),
    QuestionType.DATE_TIME: _reads(datetime.fromisoformat),
    QuestionType.SELECT_ONE: _is_one,
    QuestionType.SELECT_MULTIPLE: _is_several,
    QuestionType.RANK: _is_several,
    QuestionType.GEOPOINT: _is_point,
    QuestionType.IMAGE: _is_enclosed,
    QuestionType.FILE: _is_enclosed,
    QuestionType.AUDIO: _is_enclosed,
    QuestionType.NOTE: lambda _form, _one, _value: False,
    QuestionType.ACKNOWLEDGE: lambda _form, _one, value: value == "OK",
}


# --- how it is said


def _number(one: Question, value: Any, language: Language) -> str:
    match one.bound:
        case Bound.PROGRESS:
            return show_percentage(Decimal(value), language)
        case Bound.SPENT:
            return show_cents(int(Decimal(value) * 100), language)
        case _:
            return show_number(Decimal(value), language)


def _calculated(_one: Question, value: Any, language: Language) -> str:
    """Only the decimals of a number are written as the language does: digits may also be a code, or a year."""
    shown = str(value)
    return shown.replace(".", ",") if language is Language.IT and _DECIMALS.fullmatch(shown) else shown


def _day_and_time(_one: Question, value: Any, language: Language) -> str:
    moment = datetime.fromisoformat(value)
    return f"{show_date(moment.date(), language)}, {moment:%H:%M}"


def _enclosed(_one: Question, value: Any, language: Language) -> str:
    return speaking(language).ngettext("{n} file", "{n} files", len(value))


_SHOWN: dict[QuestionType, Callable[[Question, Any, Language], str]] = {
    QuestionType.CALCULATE: _calculated,
    QuestionType.INTEGER: _number,
    QuestionType.DECIMAL: _number,
    QuestionType.RANGE: _number,
    QuestionType.DATE: lambda _one, value, language: show_date(date.fromisoformat(value), language),
    QuestionType.TIME: lambda _one, value, _language: f"{time.fromisoformat(value):%H:%M}",
    QuestionType.DATE_TIME: _day_and_time,
    QuestionType.GEOPOINT: lambda _one, value, _language: f"{value[0]:.5f}, {value[1]:.5f}",
    QuestionType.IMAGE: _enclosed,
    QuestionType.FILE: _enclosed,
    QuestionType.AUDIO: _enclosed,
    QuestionType.ACKNOWLEDGE: lambda _one, _value, language: speaking(language)(READ),
}
