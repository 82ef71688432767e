"""What is written is what was read, and others can read it too."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from pyxform.xls2xform import convert

from intake.forms.document import from_document, to_document
from intake.forms.nodes import Choice, Definition, Group, Node, Question
from intake.forms.xlsform.reading import read_xlsform
from intake.forms.xlsform.writing import to_markdown, to_xlsx
from tests.intake.forms.making import FILES, data_form, definitions, form_of, problems


def without_rows(form: Definition) -> Definition:
    def bare(node: Node) -> Node:
        if isinstance(node, Group):
            return replace(node, row=0, children=tuple(map(bare, node.children)))
        return replace(node, row=0)

    return replace(form, children=tuple(map(bare, form.children)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_form_is_the_same_after_excel_and_back(path: Path) -> None:
    form = data_form(path.stem)

    reading = read_xlsform(to_xlsx(form), "copy.xlsx")

    assert problems(reading) == []
    assert reading.form == form


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_form_is_the_same_after_markdown_and_back(path: Path) -> None:
    form = data_form(path.stem)

    assert without_rows(form_of(to_markdown(form))) == without_rows(form)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_form_is_the_same_after_its_document_and_back(path: Path) -> None:
    form = data_form(path.stem)

    assert from_document(json.loads(json.dumps(to_document(form)))) == form


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_written_opens_in_odk(path: Path) -> None:
    form = data_form(path.stem)

    made = convert(xlsform=to_xlsx(form), file_type=".xlsx", validate=False)

    assert "<h:title>" in made.xform
    assert all(f"<{question.name}" in made.xform for question in form.questions)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(definitions())
def test_any_form_is_the_same_after_excel_and_back(form: Definition) -> None:
    reading = read_xlsform(to_xlsx(form), "copy.xlsx")

    assert problems(reading) == []
    assert reading.form == form


def test_nothing_that_is_written_is_a_formula() -> None:
    texts = {"it": "=1+1", "en": "+39 02"}
    nodes = (
        Question("a", ("a",), texts, hint={"it": "@x", "en": "-5"}, row=2),
        Question("b", ("b",), {"it": "#N/A", "en": "2026-01-01"}, row=3),
    )
    form = Definition("f", {"it": "=A1"}, ("it", "en"), nodes, {"l": (Choice("03001", texts),)})

    content = to_xlsx(form)

    book = load_workbook(io.BytesIO(content))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert read_xlsform(content, "f.xlsx").form == form


def test_the_first_row_stays_in_sight_and_columns_are_wide_enough() -> None:
    book = load_workbook(io.BytesIO(to_xlsx(data_form("languages"))))

    for sheet in book:
        assert sheet.freeze_panes == "A2"
        for number, column in enumerate(sheet.columns, start=1):
            longest = max(len(str(cell.value or "")) for cell in column)
            assert sheet.column_dimensions[get_column_letter(number)].width >= min(longest, 60)


def test_rows_stay_where_they_are() -> None:
    form = form_of("""
        | survey |
        | | type | name | label |
        | | text | a | A |
        | | start | s | |
        | | begin_group | g | G |
        | | deviceid | d | |
        | | text | b | B |
        | | end_group |
        | | text | c | C |
    """)

    again = read_xlsform(to_xlsx(form), "copy.xlsx").form

    assert again == form
    assert [node.row for node in form.walk()] == [2, 4, 6, 8]


def test_line_breaks_survive_excel_and_become_spaces_in_markdown() -> None:
    form = Definition("f", {"it": "T"}, ("it",), (Question("a", ("a",), {"it": "Prima\nseconda"}, row=2),))

    assert read_xlsform(to_xlsx(form), "f.xlsx").form == form
    assert form_of(to_markdown(form)).questions[0].label == {"it": "Prima seconda"}
