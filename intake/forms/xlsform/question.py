"""One row of the sheet `survey` as a question. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation

from facts.languages import N_
from intake.forms.nodes import CHOOSING, ENCLOSING, UNASKED, Ask, Bound, Path, Question, QuestionType, Rules
from intake.forms.xlsform.choices import Lists
from intake.forms.xlsform.columns import LEFT_OUT, OURS, Headed
from intake.forms.xlsform.findings import Findings
from intake.forms.xlsform.kinds import Kind
from intake.forms.xlsform.settings import NO, YES
from intake.forms.xlsform.tables import Row
from intake.forms.xlsform.texts import Translations

NO_LABEL = N_("This question has no label: nobody would know what to answer.")
NO_CALCULATION = N_("This calculation is empty: write it in the column “calculation”.")
NOT_ALLOWED = N_("“{value}” is not known here. It may be: {allowed}.")
NO_PARAMETERS = N_("The parameters are written like start=0 end=10 step=1.")
BAD_RANGE = N_(
    "A range is written like start=0 end=10 step=1: the end above the start, the step not larger than between them."
)
BAD_DEFAULT = N_("The default “{value}” is not an answer for the type “{type}”.")
READ_ONLY_RULE = N_("Raccordo does not know questions that are read-only at times: this one can be answered.")

RANGE_DEFAULTS = {"start": "1", "end": "10", "step": "1"}  # XLSForm's
_QUOTES = str.maketrans("‘’“”", "''\"\"")
_PARAMETER = re.compile(r"([^\s=,;]+)=([^\s=,;]+)")


@dataclass(frozen=True)
class Source:
    """What rows are read with."""

    sheet: Headed
    texts: Translations
    lists: Lists
    found: Findings


def read_question(one: Source, row: Row, kind: Kind, path: Path, *, private: bool) -> Question:
    """`private`: the group around it is. Raises Enough."""
    label, hint = one.texts.of(one.sheet, row, "label"), one.texts.of(one.sheet, row, "hint")
    if kind.type not in UNASKED and not (label or hint):
        one.found.problem(one.sheet.place(row.number, "label"), NO_LABEL)
    default, is_expression = _default(one, row, kind)
    rules = read_rules(one.sheet, row, default=default)
    if kind.type is QuestionType.CALCULATE and not (rules.calculation or is_expression):
        one.found.problem(one.sheet.place(row.number, "calculation"), NO_CALCULATION)
    return Question(
        name=path[-1],
        path=path,
        label=label or hint,
        rules=rules,
        appearance=one.sheet.cell(row, "appearance"),
        row=row.number,
        type=kind.type,
        title=one.texts.of(one.sheet, row, f"{OURS}::title"),
        hint=hint if label else {},
        required_message=one.texts.of(one.sheet, row, "required_message"),
        constraint_message=one.texts.of(one.sheet, row, "constraint_message"),
        choices=kind.list,
        other=kind.other,
        read_only=_read_only(one, row),
        default_is_expression=is_expression,
        parameters=_parameters(one, row, kind),
        bound=_bound(one, row),
        ask=_ask(one, row),
        private=private or is_private(one, row),
    )


def read_rules(sheet: Headed, row: Row, *, default: str = "") -> Rules:
    required = _condition(sheet.cell(row, "required"))
    return Rules(
        relevant=_condition(sheet.cell(row, "relevant")),
        required="" if required == "false()" else required,
        constraint=_condition(sheet.cell(row, "constraint")),
        calculation=expression(sheet.cell(row, "calculation")),
        choice_filter=expression(sheet.cell(row, "choice_filter")),
        default=default,
        repeat_count=expression(sheet.cell(row, "repeat_count")),
    )


def is_private(one: Source, row: Row) -> bool:
    value = _choice_of(one, row, "private", {**dict.fromkeys(YES, "yes"), **dict.fromkeys(NO, "no")}, ("yes", "no"))
    return value == "yes"


def expression(text: str) -> str:
    """Excel turns quotation marks into curly ones, which no expression knows."""
    return text.translate(_QUOTES)


def _condition(text: str) -> str:
    folded = text.casefold()
    if folded in {"yes", "true"}:
        return "true()"
    return "false()" if folded in {"no", "false"} else expression(text)


def _read_only(one: Source, row: Row) -> bool:
    text = one.sheet.cell(row, "read_only").casefold()
    if text and text not in YES | NO:
        one.found.warn(one.sheet.place(row.number, "read_only"), READ_ONLY_RULE)
    return text in YES


def _bound(one: Source, row: Row) -> Bound | None:
    value = _choice_of(one, row, "field", {str(each): str(each) for each in Bound}, tuple(Bound))
    return Bound(value) if value else None


def _ask(one: Source, row: Row) -> Ask:
    value = _choice_of(one, row, "ask", {str(each): str(each) for each in Ask}, tuple(Ask))
    return Ask(value) if value else Ask.ALWAYS


def _choice_of(one: Source, row: Row, name: str, known: Mapping[str, str], allowed: tuple[str, ...]) -> str:
    """A cell of one of our columns; "" when it is empty or not known, and then it is told."""
    text = one.sheet.cell(row, f"{OURS}::{name}")
    value = known.get(text.casefold(), "")
    if text and not value:
        place = one.sheet.place(row.number, f"{OURS}::{name}")
        one.found.problem(place, NOT_ALLOWED, value=text, allowed=", ".join(allowed))
    return value


def _parameters(one: Source, row: Row, kind: Kind) -> Mapping[str, str]:
    text = one.sheet.cell(row, "parameters")
    words = re.sub(" ?= ?", "=", " ".join(text.split())).replace(",", " ").replace(";", " ").split()
    pairs = [_PARAMETER.fullmatch(word) for word in words]
    found = {pair[1].lower(): pair[2] for pair in pairs if pair}
    if not all(pairs):
        one.found.problem(one.sheet.place(row.number, "parameters"), NO_PARAMETERS)
    elif kind.type is QuestionType.RANGE:
        found = RANGE_DEFAULTS | found
        if not _is_range(found):
            one.found.problem(one.sheet.place(row.number, "parameters"), BAD_RANGE)
    return found


def _is_range(parameters: Mapping[str, str]) -> bool:
    try:
        start, end, step = (Decimal(parameters[name]) for name in ("start", "end", "step"))
        return all(one.is_finite() for one in (start, end, step)) and 0 < step <= end - start
    except InvalidOperation:
        return False


def _default(one: Source, row: Row, kind: Kind) -> tuple[str, bool]:
    """The answer in advance, and whether it is an expression: as pyxform decides it, which ODK goes by."""
    from pyxform.utils import default_is_dynamic

    text = one.sheet.cell(row, "default")
    if not text:
        return "", False
    place = one.sheet.place(row.number, "default")
    if kind.type in ENCLOSING:
        one.found.warn(place, LEFT_OUT)
        return "", False
    if default_is_dynamic(expression(text), str(kind.type)):
        return expression(text), True
    if not _fits(text, kind, one.lists):
        one.found.problem(place, BAD_DEFAULT, value=text[:40], type=str(kind.type))
    return text, False


def _fits(text: str, kind: Kind, lists: Lists) -> bool:
    """Whether it is an answer to a question of this type."""
    if kind.type in CHOOSING:
        names = {choice.name for choice in lists.get(kind.list, ())} | ({"other"} if kind.other else set())
        return set([text] if kind.type is QuestionType.SELECT_ONE else text.split()) <= names
    try:
        read = _READERS.get(kind.type)
        return read is None or read(text) is not None
    except (ValueError, InvalidOperation):
        return False


def _numbers(text: str) -> list[Decimal]:
    """Raises ValueError, InvalidOperation."""
    numbers = [Decimal(part) for part in text.split()]
    if not all(one.is_finite() for one in numbers):
        raise ValueError(text)
    return numbers


_READERS: Mapping[QuestionType, Callable[[str], object]] = {
    QuestionType.INTEGER: lambda text: re.fullmatch(r"[+-]?[0-9]{1,18}", text),
    QuestionType.DECIMAL: lambda text: _numbers(text)[0] if len(text.split()) == 1 else None,
    QuestionType.RANGE: lambda text: _numbers(text)[0] if len(text.split()) == 1 else None,
    QuestionType.DATE: date.fromisoformat,
    QuestionType.TIME: time.fromisoformat,
    QuestionType.DATE_TIME: datetime.fromisoformat,
    QuestionType.GEOPOINT: lambda text: _numbers(text) if len(text.split()) in {2, 3, 4} else None,
}
