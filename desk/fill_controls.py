"""Which control a question has on a page, and what stands in it for an answer. Pure.

People write numbers and days as they like, so those are plain fields that are read like a message in the chat; what is
picked from a list is sent as it is kept.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from zlib import crc32

from babel.numbers import format_decimal

from facts.languages import N_, Language
from facts.numbers import LOCALES, show_number
from intake.forms.hearing import RANGE
from intake.forms.nodes import Bound, Choice, Question, QuestionType

Raw = tuple[str, ...]
MOST_RADIOS = 8  # choices beyond are a list that opens
MOST_STEPS = 11  # of a range: beyond, the number is written


class Control(Enum):
    """A name for the templates, and what is said of it where the form says nothing."""

    TEXT = ("text", "")
    AREA = ("area", "")
    WHOLE = ("whole", "")
    NUMBER = ("number", "")
    STEPS = ("steps", "")
    DAY = ("day", N_("For example 10/12/2026, or 10 December 2026."))
    TIME = ("time", N_("Hours and minutes, for example 14:30."))
    MOMENT = ("moment", N_("The day like 10/12/2026, the time like 14:30."))
    ONE = ("one", "")
    LIST = ("list", "")
    SEVERAL = ("several", "")
    SCALE = ("scale", "")
    RANK = ("rank", N_("1 is the most important."))
    POINT = ("point", N_("In degrees: for example 45.4642 and 9.1900."))
    FILES = ("files", N_("Up to 50 MB each."))
    AGREE = ("agree", "")
    NOTE = ("note", "")
    FIXED = ("fixed", " ")

    def __init__(self, word: str, hint: str) -> None:
        self.word = word
        self.hint = hint


_CONTROLS: Mapping[QuestionType, Control] = {
    QuestionType.TEXT: Control.TEXT,
    QuestionType.INTEGER: Control.WHOLE,
    QuestionType.DECIMAL: Control.NUMBER,
    QuestionType.DATE: Control.DAY,
    QuestionType.TIME: Control.TIME,
    QuestionType.DATE_TIME: Control.MOMENT,
    QuestionType.SELECT_ONE: Control.ONE,
    QuestionType.SELECT_MULTIPLE: Control.SEVERAL,
    QuestionType.RANK: Control.RANK,
    QuestionType.RANGE: Control.NUMBER,
    QuestionType.GEOPOINT: Control.POINT,
    QuestionType.IMAGE: Control.FILES,
    QuestionType.FILE: Control.FILES,
    QuestionType.AUDIO: Control.FILES,
    QuestionType.ACKNOWLEDGE: Control.AGREE,
}


def control_of(question: Question, choices: int) -> Control:
    """`choices`: among how many answers one is chosen."""
    words = question.appearance.split()
    if question.type is QuestionType.TEXT and "multiline" in words:
        return Control.AREA
    if question.type is QuestionType.RANGE and steps_of(question):
        return Control.STEPS
    if question.type is QuestionType.SELECT_ONE:
        if "likert" in words:
            return Control.SCALE
        return Control.LIST if "minimal" in words or choices > MOST_RADIOS else Control.ONE
    return _CONTROLS[question.type]


def suffix_of(question: Question) -> str:
    """The unit behind the field."""
    return {Bound.PROGRESS: "%", Bound.SPENT: "€"}.get(question.bound, "") if question.bound else ""


def steps_of(question: Question) -> list[str]:
    """The numbers of a short range, as they are kept; none when there are many."""
    start, end, step = (Decimal(question.parameters.get(name, usual)) for name, usual in RANGE.items())
    step = abs(step) if end >= start else -abs(step)
    if not step or abs((end - start) / step) >= MOST_STEPS:
        return []
    return [f"{(start + step * n).normalize():f}" for n in range(int((end - start) / step) + 1)]


def options_of(
    question: Question, choices: Sequence[Choice], language: Language
) -> Iterator[tuple[str, Choice | None, str]]:
    """What can be picked: its value, and the choice that has words for it, or the words themselves."""
    for one in choices:
        yield one.name, one, ""
    if question.type is QuestionType.RANGE:
        for step in steps_of(question):
            yield step, None, show_number(Decimal(step), language)


def mark_of(raw: Raw) -> str:
    """Short for what stands in a control, to know later whether it is still that."""
    return f"{crc32(chr(0).join(raw).encode()):x}" if any(raw) else "-"


# --- what stands in the controls


def sent(question: Question, values: Sequence[str]) -> Raw:
    """What a browser sends of a question's controls, so that it can be compared with `raw_of`."""
    tidy = [value.replace("\r\n", "\n").replace("\x00", "") for value in values]
    if not any(value.strip() for value in tidy):
        return ()
    if question.type in (QuestionType.SELECT_MULTIPLE, QuestionType.RANK):
        return tuple(sorted(value for value in tidy if value))
    return tuple(tidy)


def raw_of(question: Question, value: Any, language: Language) -> Raw:
    """As a person would write it, so that it reads the same again. A value of another kind as it is."""
    if value is None or value in ("", []):
        return ()
    try:
        return _RAW.get(question.type, _as_it_is)(question, value, language)
    except (ArithmeticError, AttributeError, IndexError, TypeError, ValueError):
        return (str(value),)


def _as_it_is(_one: Question, value: Any, _language: Language) -> Raw:
    return tuple(sorted(map(str, value))) if isinstance(value, list) else (str(value),)


def _number(one: Question, value: Any, language: Language) -> Raw:
    """Euro with their cents, so that they cannot be misread; others without dots between thousands."""
    number = Decimal(value)
    if one.bound is Bound.SPENT:
        return (format_decimal(number, format="#,##0.00", locale=LOCALES[language]),)
    text = f"{number.normalize():f}"
    is_step = one.type is QuestionType.RANGE and steps_of(one)
    return (text.replace(".", ",") if language is Language.IT and not is_step else text,)


def _day(_one: Question, value: Any, _language: Language) -> Raw:
    return (f"{date.fromisoformat(value):%d/%m/%Y}",)


def _time(_one: Question, value: Any, _language: Language) -> Raw:
    return (f"{time.fromisoformat(value):%H:%M}",)


def _moment(_one: Question, value: Any, _language: Language) -> Raw:
    moment = datetime.fromisoformat(value)
    return (f"{moment:%d/%m/%Y}", f"{moment:%H:%M}")


def _point(_one: Question, value: Any, _language: Language) -> Raw:
    return tuple(f"{float(each):.6f}".rstrip("0").rstrip(".") for each in value[:2])


def _ranked(_one: Question, value: Any, _language: Language) -> Raw:
    return tuple(sorted(f"{place}:{name}" for place, name in enumerate(value, 1)))


_RAW: Mapping[QuestionType, Callable[[Question, Any, Language], Raw]] = {
    QuestionType.INTEGER: _number,
    QuestionType.DECIMAL: _number,
    QuestionType.RANGE: _number,
    QuestionType.DATE: _day,
    QuestionType.TIME: _time,
    QuestionType.DATE_TIME: _moment,
    QuestionType.GEOPOINT: _point,
    QuestionType.RANK: _ranked,
}
