"""Expressions that cannot be evaluated are told where they stand, and so are those that go round in circles."""

import pytest

from facts.languages import Language
from tests.intake.forms.making import CHOICES, problems, read
from tests.yardstick import effort

HEADERS = "| survey |\n| | type | name | label | relevant | calculation | constraint | repeat_count | choice_filter |\n"


def said(*rows: str, more: str = "", language: Language = Language.EN) -> list[str]:
    return problems(read(HEADERS + "".join(f"| | {row} |\n" for row in rows) + more), language)


@pytest.mark.parametrize(
    ("row", "place", "words"),
    [
        ("text | a | A | today( |", "column relevant", "The bracket ( at character 6 is not closed."),
        ("text | a | A | todey() = 1 |", "column relevant", "There is no function todey(). Did you mean today()?"),
        ("text | a | A | ${b} = 1 |", "column relevant", "There is no question “b”."),
        ("text | a | A | | | . > 1 and |", "column constraint", "The expression stops too early"),
        ("calculate | a | | | (1 + 2 |", "column calculation", "The bracket ( at character 1 is not closed."),
        ("begin_repeat | a | A | | | | ${n} + |", "column repeat_count", "The expression stops too early"),
        ("text | a | ${name} è qui |", "column label", "There is no question “name”."),
        ("text | a | ${name è qui |", "column label", "It is written ${name}."),
    ],
)
def test_an_expression_that_cannot_be_evaluated_is_told_where_it_stands(row: str, place: str, words: str) -> None:
    ends = ["text | z | Z", "end_repeat"] if row.startswith("begin") else ["text | z | Z"]

    [found] = said(row, *ends)

    assert found.startswith(f"Sheet survey, row 2, {place}: ")
    assert words in found


def test_a_filter_knows_the_columns_of_its_list() -> None:
    choices = CHOICES.replace("| label |", "| label | zone |").replace("Rosso |", "Rosso | north |")

    assert said("select_one colours | a | A | | | | | zone = 'north' and name != 'x'", more=choices) == []
    [found] = said("select_one colours | a | A | | | | | zona = 'north'", more=choices)
    assert found.startswith("Sheet survey, row 2, column choice_filter: ")
    assert "zone" in found


def test_all_expressions_are_told_at_once() -> None:
    found = said("text | a | A | foo() | | bar() |", "text | b | B | ${zzz} = 1 | | |")

    assert [one.partition(": ")[0] for one in found] == [
        "Sheet survey, row 2, column relevant",
        "Sheet survey, row 2, column constraint",
        "Sheet survey, row 3, column relevant",
    ]


def test_two_that_depend_on_each_other_go_round_in_a_circle() -> None:
    rows = ("text | a | A | ${c} = 'x' |", "calculate | b | | | ${a}", "calculate | c | | | ${b}")

    assert said(*rows) == ["Sheet survey, row 2, column relevant: This goes round in a circle: a → c → b → a."]
    assert said(*rows, language=Language.IT) == [
        "Foglio survey, riga 2, colonna relevant: Riferimento circolare: a → c → b → a."
    ]


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (("text | a | A | ${a} = 'x'",), "a → a"),
        (("integer | a | A | | ${a} + 1",), "a → a"),
        (("begin_group | g | G | ${a} = 'x'", "text | a | A", "end_group"), "g → a → g"),
        (("begin_repeat | g | G | | | | ${a}", "integer | a | A", "end_repeat"), "g → a → g"),
        (("integer | n | N", "calculate | a | | | ${b} + ${n}", "calculate | b | | | ${a} * 2"), "a → b → a"),
    ],
)
def test_every_circle_is_found(rows: tuple[str, ...], names: str) -> None:
    [found] = said(*rows)

    assert found.endswith(f"This goes round in a circle: {names}.")


def test_two_circles_are_two_problems() -> None:
    found = said("text | a | A | ${a} = ''", "text | b | B", "text | c | C | ${d} = ''", "text | d | D | ${c} = ''")

    assert [one.rpartition(": ")[2] for one in found] == ["a → a.", "c → d → c."]


@pytest.mark.parametrize(
    "rows",
    [
        ("integer | a | A | | | . > ${b}", "integer | b | B | | | . < ${a}"),
        ("integer | a | A | | | . != ${a} + 1",),
        ("select_one colours | a | A | | | | | name != ${b}", "select_one colours | b | B | | | | | name != ${a}"),
        (
            "integer | a | A",
            "calculate | b | | | ${a}",
            "calculate | c | | | ${a} + ${b}",
            "text | d | D | ${c} = ${b}",
        ),
        ("begin_group | g | G", "text | a | A", "text | b | B | ${a} = 'x'", "end_group", "text | c | C | ${b} = 'x'"),
    ],
)
def test_what_only_looks_like_a_circle_is_none(rows: tuple[str, ...]) -> None:
    assert said(*rows, more=CHOICES) == []


def test_a_chain_of_thousands_is_no_circle_and_takes_no_time() -> None:
    rows = [f"text | q{number} | Q | ${{q{number - 1}}} = 'x'" for number in range(1, 3_000)]

    assert said("text | q0 | Q", *rows) == []
    assert effort(lambda: said("text | q0 | Q", *rows)) < 3_000
