"""The functions of expressions that work on values alone, and those of ODK that are refused. Pure.

As in JavaRosa's XPathFuncExpr; where it would stop the form (a date that is none, a logarithm of a negative number),
the result is NaN, which is less than nothing and equal to nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation

from facts.languages import N_
from intake.forms import moments
from intake.forms.bad_expression import BadExpression
from intake.forms.comparing import NAN, Value, number, text, truth
from intake.forms.instance import Scope

MOST_DIGITS = 30  # to round to; beyond it JavaRosa says NaN


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """How many: from `least` to `most`, `step` more at a time."""

    least: int = 1
    most: int | None = 1
    step: int = 1

    def take(self, count: int) -> bool:
        enough = self.least <= count and (self.most is None or count <= self.most)
        return enough and (count - self.least) % self.step == 0

    def wanted(self, name: str, given: int) -> BadExpression:
        sentence = N_("Values in the brackets of {function}(): {given} instead of {least} to {most}.")
        if self.most == self.least:
            sentence = N_("Values in the brackets of {function}(): {given} instead of {least}.")
        elif self.step > 1:
            sentence = N_(
                "Values in the brackets of {function}(): {given} instead of {least} and {step} more each time."
            )
        elif self.most is None:
            sentence = N_("Values in the brackets of {function}(): {given} instead of at least {least}.")
        values = {"function": name, "given": given, "least": self.least, "most": self.most, "step": self.step}
        return BadExpression(sentence, values)


@dataclass(frozen=True, slots=True)
class Function(Arguments):
    """`call` gets the scope and the values of the arguments.

    After the first `single` arguments, one that speaks of several answers stands for them all.
    Without arguments, one with `own` gets the answer of who asks. `clock`: it changes with time.
    """

    call: Callable[..., Value]
    single: int | None = None
    own: bool = False
    clock: bool = False


def _of_text(work: Callable[..., Value]) -> Callable[..., Value]:
    return lambda _scope, *values: work(*map(text, values))


def _of_numbers(work: Callable[..., float]) -> Callable[..., Value]:
    """NaN where there is no result, infinity where it is too large for a number."""

    def call(scope: Scope, *values: Value) -> Value:
        try:
            return float(work(*(number(one, scope.zone) for one in values)))
        except (ValueError, ZeroDivisionError):
            return NAN
        except OverflowError:
            return math.inf

    return call


def rounded(value: float, digits: float = 0.0) -> float:
    """A half goes up (towards zero below it), as XPath says and JavaRosa does. NaN beyond 30 digits."""
    if math.isnan(value) or math.isinf(value):
        return value
    if math.isnan(digits) or abs(digits) >= MOST_DIGITS + 1:
        return NAN
    try:
        unit = Decimal(1).scaleb(-int(digits))
        return float(Decimal(repr(value)).quantize(unit, ROUND_HALF_UP if value >= 0 else ROUND_HALF_DOWN))
    except InvalidOperation:
        return value  # more digits than decimals have: there is nothing to round


def whole(value: float) -> float:
    """Cut, not rounded."""
    return value if math.isnan(value) or math.isinf(value) else float(math.trunc(value))


def as_index(value: float, otherwise: int = 0) -> int:
    return otherwise if math.isnan(value) else int(min(max(value, -(10.0**9)), 10.0**9))


def _power(base: float, exponent: float) -> float:
    return math.inf if not base and exponent < 0 else math.pow(base, exponent)


def _substr(_scope: Scope, value: Value, start: Value, end: Value | None = None) -> Value:
    """From 0; negative counts from the end; the last is not in it."""
    shown = text(value)
    first, last = as_index(number(start)), len(shown) if end is None else as_index(number(end))
    return shown[first:last]


def _translated(value: str, one: str, other: str) -> str:
    table: dict[int, str | None] = {}
    for place, letter in enumerate(one):
        table.setdefault(ord(letter), other[place] if place < len(other) else None)
    return value.translate(table)


def _before(value: str, mark: str) -> str:
    return value.partition(mark)[0] if mark and mark in value else ""


def _after(value: str, mark: str) -> str:
    return value[value.index(mark) + len(mark) :] if mark in value else ""


def _selected(_scope: Scope, chosen: Value, name: Value) -> bool:
    """`selected('', '')` holds, in JavaRosa as in Enketo: nothing is chosen."""
    return text(name).strip() in text(chosen).split(" ")


def _chosen_at(scope: Scope, chosen: Value, place: Value) -> str:
    """From 0."""
    names, index = text(chosen).split(), as_index(number(place, scope.zone), -1)
    return names[index] if 0 <= index < len(names) else ""


def _numbers(scope: Scope, values: tuple[Value, ...]) -> list[float]:
    """What is no number (an empty answer) does not count."""
    return [one for one in (number(each, scope.zone) for each in values) if not math.isnan(one)]


def _checklist(scope: Scope, least: Value, most: Value, *factors: Value) -> bool:
    """A negative limit is none."""
    low, high = number(least, scope.zone), number(most, scope.zone)
    held = sum(map(truth, factors))
    return (low < 0 or held >= low) and (high < 0 or held <= high)


def _weighted(scope: Scope, least: Value, most: Value, *factors: Value) -> bool:
    low, high = number(least, scope.zone), number(most, scope.zone)
    weights = (
        number(weight, scope.zone) for held, weight in zip(factors[::2], factors[1::2], strict=True) if truth(held)
    )
    return low <= sum(weights) <= high


def _joined(_scope: Scope, between: Value, *values: Value) -> str:
    return text(between).join(map(text, values))


FUNCTIONS: dict[str, Function] = {
    "true": Function(lambda _scope: True, least=0, most=0),
    "false": Function(lambda _scope: False, least=0, most=0),
    "boolean": Function(lambda _scope, value: truth(value)),
    "not": Function(lambda _scope, value: not truth(value)),
    "boolean-from-string": Function(lambda _scope, value: text(value).lower() == "true" or text(value) == "1"),
    "checklist": Function(_checklist, least=2, most=None, single=2),
    "weighted-checklist": Function(_weighted, least=4, most=None, step=2),
    "selected": Function(_selected, least=2, most=2),
    "is-selected": Function(_selected, least=2, most=2),
    "count-selected": Function(lambda _scope, value: float(len(text(value).split()))),
    "selected-at": Function(_chosen_at, least=2, most=2),
    "number": Function(lambda scope, value: number(value, scope.zone), least=0, own=True),
    "int": Function(_of_numbers(whole)),
    "round": Function(_of_numbers(rounded), least=1, most=2),
    "floor": Function(_of_numbers(math.floor)),
    "ceiling": Function(_of_numbers(math.ceil)),
    "abs": Function(_of_numbers(abs)),
    "pow": Function(_of_numbers(_power), least=2, most=2),
    "sqrt": Function(_of_numbers(math.sqrt)),
    "exp": Function(_of_numbers(math.exp)),
    "exp10": Function(_of_numbers(lambda value: math.pow(10, value))),
    "log": Function(_of_numbers(math.log)),
    "log10": Function(_of_numbers(math.log10)),
    "sin": Function(_of_numbers(math.sin)),
    "cos": Function(_of_numbers(math.cos)),
    "tan": Function(_of_numbers(math.tan)),
    "asin": Function(_of_numbers(math.asin)),
    "acos": Function(_of_numbers(math.acos)),
    "atan": Function(_of_numbers(math.atan)),
    "atan2": Function(_of_numbers(math.atan2), least=2, most=2),
    "pi": Function(lambda _scope: math.pi, least=0, most=0),
    "sum": Function(lambda scope, *values: sum(_numbers(scope, values), 0.0), least=1, most=None, single=0),
    "max": Function(lambda scope, *values: max(_numbers(scope, values), default=NAN), least=1, most=None, single=0),
    "min": Function(lambda scope, *values: min(_numbers(scope, values), default=NAN), least=1, most=None, single=0),
    "string": Function(lambda _scope, value: text(value), least=0, own=True),
    "string-length": Function(lambda _scope, value: float(len(text(value))), least=0, own=True),
    "normalize-space": Function(lambda _scope, value: " ".join(text(value).split()), least=0, own=True),
    "concat": Function(lambda scope, *values: _joined(scope, "", *values), least=0, most=None, single=0),
    "join": Function(_joined, least=1, most=None, single=1),
    "substr": Function(_substr, least=2, most=3),
    "substring-before": Function(_of_text(_before), least=2, most=2),
    "substring-after": Function(_of_text(_after), least=2, most=2),
    "translate": Function(_of_text(_translated), least=3, most=3),
    "contains": Function(_of_text(lambda one, other: other in one), least=2, most=2),
    "starts-with": Function(_of_text(str.startswith), least=2, most=2),
    "ends-with": Function(_of_text(str.endswith), least=2, most=2),
    "today": Function(lambda scope: scope.now.date().isoformat(), least=0, most=0, clock=True),
    "now": Function(lambda scope: moments.shown(scope.now), least=0, most=0, clock=True),
    "date": Function(moments.date),
    "date-time": Function(moments.date_time),
    "decimal-date-time": Function(moments.decimal_date_time),
    "decimal-time": Function(moments.decimal_time),
    "format-date": Function(moments.formatted, least=2, most=2),
    "format-date-time": Function(moments.formatted, least=2, most=2),
}

_OUTSIDE = N_("{function}() reads a file beside the form, which does not exist here: make a list of choices of it.")
_CHANGING = N_("{function}() gives something else each time, so an answer would change by itself: leave it out.")
_ABSENT = N_("{function}() exists in ODK, but not here.")

REFUSED: dict[str, str] = {
    **dict.fromkeys(("pulldata", "instance"), _OUTSIDE),
    **dict.fromkeys(("random", "randomize", "uuid"), _CHANGING),
    **dict.fromkeys(
        ("area", "enclosed-area", "distance", "geofence", "digest", "base64-decode", "extract-signed"), _ABSENT
    ),
    **dict.fromkeys(("jr:itext", "property", "version", "depend", "last", "id", "lang", "name", "local-name"), _ABSENT),
}
