"""Whatever is written in an expression, and whatever is answered: a value or BadExpression, and soon."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from intake.forms.expressions import BadExpression, Expression, Instance, Scope, compile
from intake.forms.functions import FUNCTIONS, REFUSED
from intake.forms.special import SPECIAL
from tests.intake.forms.making import form_of

NOW = datetime(2026, 11, 24, 18, 30, tzinfo=ZoneInfo("Europe/Rome"))
MOST_SECONDS = 1.0  # of the processor, for one expression
FORM = form_of("""
    | survey |
    | | type | name | label |
    | | text | t | Testo |
    | | integer | n | Numero |
    | | decimal | d | Decimale |
    | | date | day | Giorno |
    | | dateTime | moment | Momento |
    | | select_multiple l | many | Molti |
    | | geopoint | where | Dove |
    | | begin_repeat | works | Lavori |
    | | decimal | cost | Costo |
    | | begin_repeat | parts | Parti |
    | | text | part | Parte |
    | | end_repeat | | |
    | | end_repeat | | |
    | choices |
    | | list_name | name | label |
    | | l | a | A |
    | | l | b | B |
""")
NAMES = [
    "${t}",
    "${n}",
    "${d}",
    "${day}",
    "${moment}",
    "${many}",
    "${where}",
    "${works}",
    "${cost}",
    "${parts}",
    "${part}",
]
LITERALS = [
    "''",
    "'a'",
    "'2026-11-24'",
    "'2026-02-31T25:00'",
    "'10:30'",
    "'-1,5'",
    "0",
    "1",
    "-1",
    "3.5",
    "1e400",
    "9" * 400,
]
PATHS = [".", "..", "../t", "../../n", "/data/works/cost", "current()/../n", "${works}[1]/cost", "${last-saved#n}"]
PATTERNS = ["'(a+)+b'", "'[0-9]{1,30}'", "'.*.*.*x'", "'('", "'%Y-%m-%d'", "'%'"]
KNOWN = {**FUNCTIONS, **SPECIAL}
REFUSALS = sorted({*REFUSED, "unheard-of"})
OPERATORS = ["+", "-", "*", " div ", " mod ", "=", "!=", "<", "<=", ">", ">=", " and ", " or ", "|", "/", ","]


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Mostly with as many arguments as the function takes."""

    def called(name: str) -> st.SearchStrategy[str]:
        takes = KNOWN[name]
        counts = st.integers(takes.least, takes.least + 2 if takes.most is None else takes.most)
        return counts.flatmap(lambda count: st.lists(inner, min_size=count, max_size=count)).map(
            lambda arguments: f"{name}({', '.join(arguments)})"
        )

    refused = st.tuples(st.sampled_from([*REFUSALS, *KNOWN]), inner).map(lambda both: f"{both[0]}({both[1]})")
    return st.one_of(*[st.sampled_from(sorted(KNOWN)).flatmap(called)] * 4, refused)


EXPRESSIONS = st.recursive(
    st.sampled_from([*NAMES, *LITERALS, *PATHS, *PATTERNS]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(OPERATORS), inner).map("".join),
        calls(inner),
        calls(inner),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"-{one}"),
        st.tuples(st.sampled_from(NAMES), inner).map(lambda both: f"{both[0]}[{both[1]}]"),
    ),
    max_leaves=12,
)
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["2026-11-24", "9999-12-31T23:59:59-12:00", "0001-01-01", "1" * 400, "a" * 1500, "nan"]
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "t": TEXTS,
        "n": st.integers(),
        "d": st.decimals(allow_nan=False, allow_infinity=False).map(str),
        "day": st.dates().map(str),
        "moment": st.datetimes().map(datetime.isoformat) | TEXTS,
        "many": st.lists(st.sampled_from(["a", "b"])),
        "where": st.lists(st.floats(-180, 180), min_size=4, max_size=4),
        "works[1]/cost": TEXTS,
        "works[2]/cost": st.integers(0, 9).map(str),
        "works[2]/parts[3]/part": TEXTS,
    },
)
ASKERS = st.sampled_from(["t", "n", "day", "works[2]/cost", "works[2]/parts[1]/part"])


T = TypeVar("T")


def soon(work: Callable[[], T]) -> T | None:
    """What it gives, None for BadExpression. Once it may be late: Python collects its garbage when it likes."""
    for _ in range(3):
        began = time.thread_time()
        try:
            found = work()
        except BadExpression:
            found = None
        if time.thread_time() - began < MOST_SECONDS:
            return found
    raise AssertionError(f"more than {MOST_SECONDS} s")


def compiled(source: str, asker: str) -> Expression | None:
    node = FORM.at(asker)
    assert node is not None
    return soon(lambda: compile(source, FORM, node.path))


@given(EXPRESSIONS, ANSWERS, ASKERS, st.integers(0, 3))
@settings(max_examples=1500, deadline=None)
def test_an_expression_has_a_value_or_is_refused_soon(
    source: str, answers: dict[str, object], asker: str, repetitions: int
) -> None:
    expression = compiled(source, asker)
    if expression is None:
        return
    scope = Scope(Instance(answers, {"works": repetitions}), NOW, at=asker, language="it")

    value = soon(lambda: expression.evaluate(scope))

    assert isinstance(value, str | float | bool | None)
    if value is not None:
        assert isinstance(expression.truth(scope), bool)
        assert isinstance(expression.text(scope), str)
        assert isinstance(expression.number(scope), float)


@given(EXPRESSIONS, ANSWERS, ANSWERS, ASKERS)
@settings(max_examples=500, deadline=None)
def test_what_an_expression_does_not_read_does_not_change_it(
    source: str, answers: dict[str, object], others: dict[str, object], asker: str
) -> None:
    expression = compiled(source, asker)
    if expression is None or "once(" in source:
        return
    read = {key: value for key, value in answers.items() if _path(key) in expression.reads}
    counts = {"works": 2, "works[2]/parts": 3}
    mixed = read | {key: value for key, value in others.items() if _path(key) not in expression.reads}

    first = soon(lambda: expression.text(Scope(Instance(answers, counts), NOW, at=asker)))
    second = soon(lambda: expression.text(Scope(Instance(mixed, counts), NOW, at=asker)))

    assert first == second


@given(st.text("${}tn.'\"()[],/*+-<>=! ador|@:#12", max_size=40) | st.text(max_size=40))
@settings(max_examples=1500, deadline=None)
def test_any_text_is_an_expression_or_refused_soon(source: str) -> None:
    expression = compiled(source, "t")
    if expression is not None:
        soon(lambda: expression.evaluate(Scope(Instance({}), NOW, at="t")))


def _path(key: str) -> tuple[str, ...]:
    node = FORM.at(key)
    assert node is not None
    return node.path
