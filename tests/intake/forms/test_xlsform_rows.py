"""What is said of a row of the sheet `survey` that is wrong, and of how rows stand together."""

import pytest

from tests.intake.forms.making import CHOICES, data_form, form_of, problems, question, read, said, warnings


@pytest.mark.parametrize(
    ("type_", "likely"),
    [
        ("integr", "integer"),
        ("select_on colours", "select_one"),
        ("begin_gruop", "begin_group"),
        ("geopiont", "geopoint"),
    ],
)
def test_a_misspelled_type_is_told_with_the_likely_one(type_: str, likely: str) -> None:
    assert f"The type “{type_}” is not known. Do you mean “{likely}”?" in said(f"{type_} | a | A")[0]


def test_an_unknown_type_is_told() -> None:
    assert said("xyz | a | A") == ["Sheet survey, row 2, column type: The type “xyz” is not known."]


@pytest.mark.parametrize(
    ("row", "columns", "said_of_it"),
    [
        ("| a | A", "type | name | label", "This row has no type"),
        ("text | | A", "type | name | label", "This row has no name"),
        ("text | a", "type | name | label", "This question has no label"),
        ("text | 1a | A", "type | name | label", "The name “1a” cannot be used"),
        ("text | a b | A", "type | name | label", "The name “a b” cannot be used"),
        ("text | meta | A", "type | name | label", "The name “meta” cannot be used"),
        (f"text | {'a' * 101} | A", "type | name | label", "cannot be used"),
        ("select_one | a | A", "type | name | label", "needs the name of a list: “select_one colours”"),
        ("select_one colour | a | A", "type | name | label", "Do you mean “colours”?"),
        ("select_one xyz | a | A", "type | name | label", "There is no list “xyz”"),
        ("calculate | a | | ", "type | name | label | calculation", "This calculation is empty"),
        ("begin_group | a | A", "type | name | label", "This group has no end: a row with “end_group” is missing."),
        ("end_repeat | | ", "type | name | label", "This row ends a repeat that is not open here."),
        ("text | a | A | rows 5", "type | name | label | parameters", "start=0 end=10 step=1"),
        ("text | a | A | rowz=5", "type | name | label | parameters", "“rowz” is not known for this type"),
        ("range | a | A | start=x", "type | name | label | parameters", "A range is written like"),
        ("range | a | A | start=5 end=1", "type | name | label | parameters", "A range is written like"),
        ("range | a | A | end=10 step=0", "type | name | label | parameters", "A range is written like"),
        ("range | a | A | end=inf", "type | name | label | parameters", "A range is written like"),
        ("integer | a | A | tre", "type | name | label | default", "The default “tre” is not an answer"),
        ("date | a | A | 2026-02-30", "type | name | label | default", "The default “2026-02-30” is not"),
        ("time | a | A | 25:00", "type | name | label | default", "The default “25:00” is not"),
        ("dateTime | a | A | ieri", "type | name | label | default", "The default “ieri” is not"),
        ("decimal | a | A | NaN", "type | name | label | default", "The default “NaN” is not"),
        ("geopoint | a | A | 45", "type | name | label | default", "The default “45” is not"),
        ("select_one colours | a | A | green", "type | name | label | default", "The default “green” is not"),
        ("select_multiple colours | a | A | red green", "type | name | label | default", "“red green” is not"),
        ("text | a | A | phases", "type | name | label | raccordo::field", "It may be: phase, progress, spent,"),
        ("text | a | A | sometimes", "type | name | label | raccordo::ask", "It may be: always, if-changed, once."),
        ("text | a | A | maybe", "type | name | label | raccordo::private", "It may be: yes, no."),
        ("text | a | A | ${b}", "type | name | label | relevant", "There is no question “b”."),
        ("text | a | ${b} è qui", "type | name | label", "There is no question “b”."),
        ("text | a | ${a | hint", "type | name | label | hint", "It is written ${name}."),
    ],
)
def test_every_slip_in_a_row_is_told_with_its_place(row: str, columns: str, said_of_it: str) -> None:
    found = said(row, columns)

    assert len([one for one in found if said_of_it in one]) == 1
    assert all(one.startswith("Sheet survey, row 2, column ") for one in found if said_of_it in one)


def test_what_stands_in_a_group_without_an_end_is_read_all_the_same() -> None:
    rows = "| | text | a | A | ${b} = 'x' |\n| | begin_group | g | G | |\n| | text | b | B | ${c} |"
    found = problems(read(f"| survey |\n| | type | name | label | relevant |\n{rows}"))

    assert [one.partition(": ")[2][:30] for one in found] == [
        "This group has no end: a row w",
        "There is no question “c”.",
    ]


def test_a_row_that_says_nothing_is_remarked() -> None:
    reading = read("| survey |\n| | type | name | label | hint |\n| | text | a | A | |\n| | | | | appunto |")

    assert reading.form is not None
    assert "it is left out" in warnings(reading)[0]


def test_a_note_needs_no_name() -> None:
    form = form_of("| survey |\n| | type | name | label |\n| | note | | A |\n| | text | b | B |")

    assert [one.name for one in form.questions] == ["note_2", "b"]


def test_a_hint_alone_is_the_label() -> None:
    found = question("text | a | | Nome?", "type | name | label | hint")

    assert (found.label, found.hint) == ({"it": "Nome?"}, {})


def test_names_are_unique_where_they_stand() -> None:
    reading = read("""
        | survey |
        | | type | name | label |
        | | text | a | A |
        | | begin_group | g | G |
        | | text | a | Another A |
        | | end_group |
        | | text | a | A again |
        | | text | A | Capital A |
    """)

    assert problems(reading) == [
        "Sheet survey, row 6, column name: The name “a” is there already, in row 2. Give each question its own."
    ]
    assert "only in capital letters" in warnings(reading)[0]


def test_the_answer_to_other_keeps_its_place() -> None:
    reading = read(f"""
        | survey |
        | | type | name | label |
        | | select_one colours or_other | a | A |
        | | text | a_other | Another |
        | | begin_group | g | G |
        | | text | b_other | Another |
        | | select_one colours or_other | b | B |
        | | select_one colours or_other | c | C |
        | | end_group | | |
        | | text | c_other | In no one's way |
        {CHOICES}
    """)

    said = " is kept. Give this question another name."
    assert problems(reading) == [
        f"Sheet survey, row 3, column name: “a_other” is where the answer to “other” of row 2{said}",
        f"Sheet survey, row 5, column name: “b_other” is where the answer to “other” of row 6{said}",
    ]


def test_other_and_a_filter_do_not_go_together() -> None:
    columns = "type | name | label | choice_filter"

    assert "cannot have a choice_filter" in said("select_one colours or_other | a | A | name = 'x'", columns)[0]


def test_only_questions_are_bound() -> None:
    reading = read("""
        | survey |
        | | type | name | label | raccordo::field | raccordo::ask |
        | | begin_group | g | G | spent | once |
        | | decimal | a | A | | |
        | | end_group |
    """)

    assert [one.rpartition(": ")[2] for one in problems(reading)] == [
        "Only a question can have raccordo::field, not a group.",
        "Only a question can have raccordo::ask, not a group.",
    ]


def test_groups_end_in_the_opposite_order() -> None:
    reading = read("""
        | survey |
        | | type | name | label |
        | | begin_group | g | G |
        | | begin_repeat | r | R |
        | | text | a | A |
        | | end_group |
        | | end_repeat |
    """)

    assert [one.split(":")[0] for one in problems(reading)] == [
        "Sheet survey, row 5, column type",
        "Sheet survey, row 6, column type",
    ]


def test_groups_are_not_endlessly_deep() -> None:
    begins = "".join(f"| | begin_group | g{number} | G |\n" for number in range(17))
    ends = "| | end_group |\n" * 17

    reading = read(f"| survey |\n| | type | name | label |\n{begins}| | text | a | A |\n{ends}")

    assert problems(reading) == [
        "Sheet survey, row 18, column type: Groups are inside one another 16 times at most.",
    ]


def test_a_form_without_questions_is_refused() -> None:
    assert problems(read("| survey |\n| | type | name | label |\n| | hidden | a | |")) == [
        "Sheet survey: The form asks nothing: there is no question in it."
    ]


def test_a_disabled_row_is_not_there() -> None:
    assert [one.name for one in data_form("disabled").questions] == ["a", "c"]


def test_no_more_than_a_hundred_problems_are_told() -> None:
    rows = "".join(f"| | tixt{number} | a{number} | A |\n" for number in range(4_000))

    found = problems(read(f"| survey |\n| | type | name | label |\n{rows}"))

    assert len(found) == 101
    assert found[-1].startswith("There are more problems")


def test_no_more_than_a_hundred_remarks_are_told() -> None:
    rows = "".join("| | deviceid | d | |\n" for _ in range(150))

    found = warnings(read(f"| survey |\n| | type | name | label |\n| | text | a | A |\n{rows}"))

    assert len(found) == 101
    assert found[-1] == "There are 50 more remarks like these."
