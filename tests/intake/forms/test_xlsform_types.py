"""What each row of the sheet `survey` becomes, and what is said of rows that cannot be asked."""

import re

import pytest

from intake.forms.nodes import Ask, Bound, Choice, Group, QuestionType, Rules
from tests.intake.forms.making import FILES, data_form, form_of, question, read, said, warnings

FUNCTIONS = (
    "selected", "count-selected", "if", "coalesce", "today", "now", "date", "format-date", "regex", "int", "round",
    "string-length", "concat", "contains", "not", "true", "false", "position", "once",
)  # fmt: skip


def test_there_are_forms_enough_for_every_type_and_function() -> None:
    forms = [data_form(path.stem) for path in FILES]
    rules = " ".join(str(node.rules) for form in forms for node in form.walk())

    assert len(FILES) >= 25
    assert {question.type for form in forms for question in form.questions} == set(QuestionType)
    assert [one for one in FUNCTIONS if not re.search(rf"(?<![a-z-]){one}\(", rules)] == []


@pytest.mark.parametrize(
    ("type_", "found"),
    [
        *((str(each), each) for each in QuestionType if not each.startswith(("select", "rank", "calc"))),
        ("string", QuestionType.TEXT),
        ("q string", QuestionType.TEXT),
        ("add text prompt", QuestionType.TEXT),
        ("int", QuestionType.INTEGER),
        ("add integer prompt", QuestionType.INTEGER),
        ("q decimal", QuestionType.DECIMAL),
        ("add date prompt", QuestionType.DATE),
        ("datetime", QuestionType.DATE_TIME),
        ("date time", QuestionType.DATE_TIME),
        ("q dateTime", QuestionType.DATE_TIME),
        ("gps", QuestionType.GEOPOINT),
        ("location", QuestionType.GEOPOINT),
        ("photo", QuestionType.IMAGE),
        ("add image prompt", QuestionType.IMAGE),
        ("q audio", QuestionType.AUDIO),
        ("add file prompt", QuestionType.FILE),
        ("q note", QuestionType.NOTE),
        ("trigger", QuestionType.ACKNOWLEDGE),
        ("  Text ", QuestionType.TEXT),
    ],
)
def test_every_type_has_its_names(type_: str, found: QuestionType) -> None:
    form = form_of(f"| survey |\n| | type | name | label |\n| | {type_} | a | A |\n| | text | b | B |")

    assert form.questions[0].type is found


@pytest.mark.parametrize(
    ("type_", "found", "other"),
    [
        ("select_one colours", QuestionType.SELECT_ONE, False),
        ("select one colours", QuestionType.SELECT_ONE, False),
        ("select one from colours", QuestionType.SELECT_ONE, False),
        ("select1 colours", QuestionType.SELECT_ONE, False),
        ("add select one prompt using colours", QuestionType.SELECT_ONE, False),
        ("select_one colours or_other", QuestionType.SELECT_ONE, True),
        ("select_multiple colours", QuestionType.SELECT_MULTIPLE, False),
        ("select all that apply from colours or other", QuestionType.SELECT_MULTIPLE, True),
        ("select_multiple  colours  or specify other", QuestionType.SELECT_MULTIPLE, True),
        ("rank colours", QuestionType.RANK, False),
    ],
)
def test_choosing_has_many_names(type_: str, found: QuestionType, other: bool) -> None:
    made = question(f"{type_} | a | A")

    assert (made.type, made.choices, made.other) == (found, "colours", other)


def test_groups_and_repeats_hold_what_is_between_their_rows() -> None:
    form = data_form("repeat-count")

    room = form.children[1]
    assert isinstance(room, Group)
    assert (room.repeats, room.rules.repeat_count, room.label) == (True, "${rooms}", {"it": "Una stanza"})
    assert [node.path for node in room.children] == [("room", "number"), ("room", "size")]


def test_a_group_inside_a_group_has_the_longer_path() -> None:
    form = data_form("groups")

    assert form.at("site/people/workers") is not None
    assert form.nodes[("site",)].rules.relevant == "${works} = 'yes'"
    assert form.nodes[("site",)].appearance == "field-list"


def test_rules_are_kept_as_they_are_written() -> None:
    columns = "type | name | label | relevant | required | constraint | calculation | choice_filter | default"

    found = question("integer | a | A | 1 = 1 | . < 3 | . > 2 | 1 + 2 | name = 'x' | 3 + 4", columns)

    assert found.rules == Rules("1 = 1", ". < 3", ". > 2", "1 + 2", "name = 'x'", "3 + 4")
    assert found.default_is_expression


@pytest.mark.parametrize("cell", ["yes", "Yes", "TRUE", "true()"])
def test_yes_is_the_expression_true(cell: str) -> None:
    assert question(f"text | a | A | {cell}", "type | name | label | required").rules.required == "true()"


@pytest.mark.parametrize("cell", ["", "no", "FALSE", "false()"])
def test_no_is_no_expression(cell: str) -> None:
    assert question(f"text | a | A | {cell}", "type | name | label | required").rules.required == ""


def test_curly_quotes_are_straight_in_expressions_and_stay_in_texts() -> None:
    form = data_form("curly-quotes")

    assert form.questions[1].rules.relevant == "${a} = 'x'"
    assert form.questions[1].label == {"it": "L’altro"}
    assert form.lists["l"] == (Choice("x", {"it": "L’uno"}),)


def test_defaults_are_expressions_where_odk_takes_them_for_one() -> None:
    found = {one.name: (one.rules.default, one.default_is_expression) for one in data_form("defaults").questions}

    assert found == {
        "town": ("Milano", False),
        "office": ("${last-saved#office}", True),
        "year": ("-5", False),
        "half": ("${year} div 2", True),
        "day": ("2026-01-31", False),
        "where": ("45.46 9.19", False),
        "size": ("small", False),
        "minus": ("semi-serio", False),
    }


def test_parameters_are_pairs_and_a_range_has_all_three() -> None:
    found = {one.name: dict(one.parameters) for one in data_form("range").questions}

    assert found == {
        "mood": {"start": "0", "end": "5", "step": "1"},
        "share": {"start": "0", "end": "1", "step": "0.25"},
        "plain": {"start": "1", "end": "10", "step": "1"},
    }


def test_appearances_are_kept_whatever_they_say() -> None:
    found = question("text | a | A | multiline w2 qualsiasi", "type | name | label | appearance")

    assert found.appearance == "multiline w2 qualsiasi"


def test_read_only_is_kept() -> None:
    assert [one.read_only for one in data_form("read-only").questions] == [False, True, True]


def test_a_rule_for_read_only_is_remarked() -> None:
    reading = read("| survey |\n| | type | name | label | read_only |\n| | text | a | A | 1 = 1 |")

    assert reading.form is not None
    assert not reading.form.questions[0].read_only
    assert "read-only at times" in warnings(reading)[0]


def test_columns_of_raccordo_are_understood() -> None:
    found = {one.name: one for one in data_form("raccordo").questions}

    assert {name: one.bound for name, one in found.items() if one.bound} == {
        "cup": Bound.CUP,
        "cig": Bound.CIG,
        "phase": Bound.PHASE,
        "progress": Bound.PROGRESS,
        "spent": Bound.SPENT,
        "end": Bound.EXPECTED_END,
    }
    assert (found["cup"].ask, found["cig"].ask, found["spent"].ask) == (Ask.ONCE, Ask.ONCE, Ask.IF_CHANGED)
    assert found["progress"].title == {"it": "Avanzamento"}


def test_what_is_in_a_private_group_is_private() -> None:
    assert [one.name for one in data_form("raccordo").questions if one.private] == ["health"]


def test_columns_of_choices_are_there_for_choice_filter() -> None:
    form = data_form("cascade")

    assert form.lists["offices"] == (
        Choice("b1", {"it": "Tecnico di Bollate"}, {"town": "bollate", "open": "yes"}),
        Choice("c1", {"it": "Tecnico di Corsico"}, {"town": "corsico", "open": "no"}),
    )
    assert form.questions[1].rules.choice_filter == "zone = ${zone}"


def test_what_a_device_fills_in_is_left_out_with_a_remark() -> None:
    reading = read("| survey |\n| | type | name | label |\n| | deviceid | d | |\n| | text | a | A |")

    assert reading.form is not None
    assert [node.name for node in reading.form.walk()] == ["a"]
    assert warnings(reading) == [
        "Sheet survey, row 2, column type: “deviceid” is filled in by a device, not by a person: it is left out."
    ]


def test_what_a_device_fills_in_is_there_when_others_use_it() -> None:
    found = {one.name: one for one in data_form("kobo").questions}

    assert (found["today"].type, found["today"].rules.calculation) == (QuestionType.CALCULATE, "once(today())")
    assert found["username"].type is QuestionType.HIDDEN
    assert not {"start", "end", "deviceid", "audit"} & set(found)


@pytest.mark.parametrize(
    ("type_", "advice"),
    [
        ("video", "Use “file”"),
        ("barcode", "Use “text”"),
        ("geotrace", "Use “geopoint”"),
        ("geoshape", "Use “geopoint”"),
        ("osm", "Use “geopoint”"),
        ("select_one_from_file towns.csv", "Put them in the sheet “choices”"),
        ("select_multiple_from_file towns.csv", "Put them in the sheet “choices”"),
        ("select_one_external towns", "Put them in the sheet “choices”"),
        ("select_one ${b}", "Put them in the sheet “choices”"),
        ("begin loop over l", "Use “begin_repeat”"),
        ("begin_kobomatrix", "Use single questions"),
    ],
)
def test_what_would_be_lost_is_a_problem_with_advice(type_: str, advice: str) -> None:
    [found] = said(f"{type_} | a | A")

    assert found.startswith("Sheet survey, row 2, column type: The type “")
    assert advice in found


@pytest.mark.parametrize("type_", ["csv-external", "xml-external", "start-geopoint", "background-audio", "audit"])
def test_what_is_no_answer_is_left_out(type_: str) -> None:
    reading = read(f"| survey |\n| | type | name | label |\n| | {type_} | x | |\n| | text | a | A |")

    assert reading.form is not None
    assert len(reading.form.children) == 1
    assert len(reading.warnings) == 1
