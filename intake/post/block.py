"""The short block by which a form is filled in in a reply: which questions it asks, and how it is written. Pure.

A block is a line that names what it tells of, one line for each question, a line of dashes:

    --- Ex mercato · CUP G59J21015600007 ---
    Avanzamento fisico (%): 45
    ---

Refuses forms that lines of text cannot answer: those are filled in on the page. `block_reading` reads it back.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal

from facts.folding import fold
from facts.languages import N_, Language, speaking
from facts.numbers import LOCALES
from intake.forms.filling import Filling, Item
from intake.forms.hearing import hear
from intake.forms.nodes import Ask, Bound, Definition, Question, QuestionType
from intake.forms.outcomes import Answered
from intake.forms.plan import is_asked
from intake.forms.standing import is_empty
from intake.forms.values import fits, label_of, title_of

MOST_LINES = 8
LONGEST_LABEL = 60  # characters; mail programs break lines at 72 and more
LONGEST_SHOWN = 120  # of last time's answer: a longer one is only named
LONGEST_NAME = 40  # of a project in its heading
AS_LAST = N_("(as last time)")
END = "---"
UNITS: Mapping[Bound, str] = {Bound.PROGRESS: "%", Bound.SPENT: "€"}
BY_A_LINE = frozenset(
    {
        QuestionType.TEXT,
        QuestionType.INTEGER,
        QuestionType.DECIMAL,
        QuestionType.DATE,
        QuestionType.TIME,
        QuestionType.DATE_TIME,
        QuestionType.SELECT_ONE,
        QuestionType.SELECT_MULTIPLE,
        QuestionType.RANGE,
    }
)
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Line:
    """`text`: what stands behind the label, "" for nothing."""

    item: Item
    label: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """What an obligation is called in a heading; `deadline` only helps where that would not tell two apart."""

    id: int
    name: str
    cup: str
    deadline: str


def lines_of(filling: Filling, language: Language) -> tuple[Line, ...]:
    """The lines of a form, with the answers that it has; none when it must be filled in on the page."""
    form = filling.plan.form
    items = _asked(filling)
    labels = {item.key: line_label(form, item.question, language) for item in items}
    found = tuple(
        Line(item, labels[item.key], written(filling, item, filling.answers.get(item.key), language)) for item in items
    )
    alike = Counter(words_of(line.label) for line in found)
    return found if all(count == 1 for count in alike.values()) else ()


def _asked(filling: Filling) -> list[Item]:
    """Those that a line can answer, what the registry keeps first; none when something else must be answered too."""
    form = filling.plan.form
    if form.repeats:
        return []
    asked = [one for one in form.questions if is_asked(one)]
    simple = simple_questions(form)
    once = [one for one in simple if one.ask is Ask.ONCE and not is_empty(filling.known.last.get(one.name))]
    simple = [one for one in simple if one not in once]
    simple.sort(key=lambda one: one.bound is None)
    chosen = simple[:MOST_LINES]
    if any(one.rules.required for one in asked if one not in chosen and one not in once):
        return []
    return [Item(one.name, one) for one in asked if one in chosen]


def simple_questions(form: Definition) -> list[Question]:
    """Those that a line can answer."""
    return [
        one
        for one in form.questions
        if is_asked(one) and len(one.path) == 1 and one.type in BY_A_LINE and not one.private
    ]


def line_label(form: Definition, question: Question, language: Language) -> str:
    """`Avanzamento fisico (%)`: short, with the unit where there is one."""
    title = " ".join(title_of(form, question, language).split()).rstrip(" :")
    if len(title) > LONGEST_LABEL:
        title = f"{title[: LONGEST_LABEL - 1].rstrip()}…"
    unit = UNITS.get(question.bound, "") if question.bound else ""
    return f"{title} ({unit})" if unit and unit not in title else title


def words_of(text: str) -> tuple[str, ...]:
    """A text as it is compared: its words, without case, accents and signs."""
    return tuple(filter(None, (fold(word) for word in _WORD.findall(text))))


# --- what stands behind a label


def written(filling: Filling, item: Item, value: Any, language: Language) -> str:
    """As a person would write it, so that it reads the same again; what would not is only named."""
    if is_empty(value):
        return ""
    form, question = filling.plan.form, item.question
    text = _written(form, question, value, language) if fits(form, question, value) else ""
    same = _survives(text) and hear(filling, item, text) == Answered(value)
    return text if same else speaking(language)(AS_LAST)


def _survives(text: str) -> bool:
    """Whether mail programs, and who reads what they made of it, leave it as it is."""
    is_line = " ".join(text.replace("\u200b", " ").split()) == text and text.isprintable()
    return is_line and 0 < len(text) <= LONGEST_SHOWN and text.strip("*_>|»") == text


def _written(form: Definition, question: Question, value: Any, language: Language) -> str:
    if question.type in (QuestionType.SELECT_ONE, QuestionType.SELECT_MULTIPLE):
        names = value if isinstance(value, list) else [value]
        return ", ".join(" ".join(label_of(form, question, name, language).split()) for name in names)
    writer = _WRITERS.get(question.type)
    return writer(question, value, language) if writer else str(value)


def _number(question: Question, value: Any, language: Language) -> str:
    """Euro with their cents, so that they cannot be misread; others without dots between thousands."""
    number = Decimal(value)
    if question.bound is Bound.SPENT:
        return format_decimal(number, format="#,##0.00", locale=LOCALES[language])
    text = f"{number.normalize():f}"
    return text.replace(".", ",") if language is Language.IT else text


def _moment(_question: Question, value: Any, _language: Language) -> str:
    return f"{datetime.fromisoformat(value):%d/%m/%Y %H:%M}"


_WRITERS: Mapping[QuestionType, Callable[[Question, Any, Language], str]] = {
    QuestionType.INTEGER: _number,
    QuestionType.DECIMAL: _number,
    QuestionType.RANGE: _number,
    QuestionType.DATE: lambda _one, value, _language: f"{date.fromisoformat(value):%d/%m/%Y}",
    QuestionType.TIME: lambda _one, value, _language: f"{time.fromisoformat(value):%H:%M}",
    QuestionType.DATE_TIME: _moment,
}


# --- the block as text


def headings(named: Sequence[Named]) -> dict[int, str]:
    """How each of some obligations is named: what it is about and its CUP; the deadline too where it takes that."""
    plain = {one.id: _plain(one) for one in named}
    alike = Counter(fold(heading) for heading in plain.values())
    return {
        one.id: plain[one.id]
        if one.cup and alike[fold(plain[one.id])] == 1
        else f"{plain[one.id]} · {shortened(one.deadline)}"
        for one in named
    }


def _plain(one: Named) -> str:
    return f"{shortened(one.name)} · CUP {one.cup}" if one.cup else shortened(one.name)


def shortened(text: str) -> str:
    tidy = " ".join(text.split())
    return tidy if len(tidy) <= LONGEST_NAME else f"{tidy[: LONGEST_NAME - 1].rstrip()}…"


def block_text(heading: str, lines: Sequence[Line]) -> str:
    """Plain text, without an empty line: mails make one paragraph of it."""
    return "\n".join((f"--- {heading} ---", *(f"{line.label}: {line.text}".rstrip() for line in lines), END))
