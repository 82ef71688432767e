"""Files that are no form: each gets one clear sentence, quickly, and no exception."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from datetime import time as dt_time

import pytest
from openpyxl import Workbook

from facts.languages import Language
from intake.forms.xlsform.reading import read_xlsform
from tests.intake.forms.making import problems, read, warnings
from tests.yardstick import effort

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
Rows = Sequence[Sequence[object]]
SURVEY: Rows = [["type", "name", "label"], ["text", "why", "Perché?"]]


def workbook(change: Callable[[Workbook], None] = lambda _book: None, **sheets: Rows) -> bytes:
    return workbook_of(sheets or {"survey": SURVEY}, change)


def workbook_of(sheets: Mapping[str, Rows], change: Callable[[Workbook], None] = lambda _book: None) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def with_part(content: bytes, name: str, data: bytes) -> bytes:
    """The same zip with a part more, or with one replaced."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for one in old.infolist():
            if one.filename != name:
                new.writestr(one, old.read(one))
        new.writestr(name, data)
    return file.getvalue()


def only_problem(content: bytes, name: str = "modulo.xlsx", language: Language = Language.EN) -> str:
    reading = read_xlsform(content, name)
    assert reading.form is None
    [problem] = problems(reading, language)
    return problem


def test_a_sound_workbook_is_read() -> None:
    reading = read_xlsform(workbook(), "Perché no.xlsx")

    assert problems(reading) == []
    assert reading.form is not None
    assert (reading.form.key, reading.form.title) == ("Perche-no", {"it": "Perché no"})


def test_the_content_says_what_a_file_is_not_its_name() -> None:
    assert read_xlsform(workbook(), "modulo.xls").form is not None
    assert read_xlsform(b"| survey |\n| | type | name | label |\n| | text | a | A |", "modulo.xlsx").form is not None


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.xlsx", "The file is empty."),
        (b" \n ", "a.md", "The file is empty."),
        (b"Hello there", "a.xlsx", "neither Excel nor a Markdown table"),
        (b"\x89PNG\r\n\0\0", "a.xlsx", "neither Excel nor a Markdown table"),
        (b"%PDF-1.4 \xe2\xe3\xcf", "a.xlsx", "neither Excel nor a Markdown table"),
        (b"| survey \xff |", "a.md", "not UTF-8"),
        (b"type,name\ntext,a", "a.csv", "Save it as “Excel Workbook (*.xlsx)”"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xls", "the old format of Excel"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx",
            "protected by a password",
        ),
        (b"PK\x03\x04 and then nothing", "a.xlsx", "cannot be opened"),
        (b"x" * (17 << 20), "a.xlsx", "The file has 17 MB"),
    ],
)
def test_what_is_no_workbook_is_told_with_what_to_do(content: bytes, name: str, said: str) -> None:
    assert said in only_problem(content, name)


def test_a_macro_file_is_refused() -> None:
    assert "macros" in only_problem(with_part(workbook(), "xl/vbaProject.bin", b"x"), "a.xlsm")


def test_a_macro_file_without_macros_is_refused_by_its_type() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook())) as archive:
        types = archive.read("[Content_Types].xml").replace(b"spreadsheetml.sheet.main", b"sheet.macroEnabled.main")

    assert "macros" in only_problem(with_part(workbook(), "[Content_Types].xml", types), "a.xlsm")


def test_an_open_document_sheet_is_refused_with_what_to_do() -> None:
    content = with_part(workbook(), "mimetype", b"application/vnd.oasis.opendocument.spreadsheet")

    assert "LibreOffice" in only_problem(content, "a.ods")


def test_a_word_document_is_no_workbook() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")

    assert "not an Excel workbook" in only_problem(file.getvalue(), "a.docx")


def test_a_binary_workbook_is_refused() -> None:
    assert ".xlsb" in only_problem(with_part(workbook(), "xl/workbook.bin", b"x"), "a.xlsb")


def test_an_encrypted_zip_is_told_as_a_password() -> None:
    content = bytearray(workbook())
    content[6] |= 1  # the flag, in the first part and in its line of the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1

    assert "password" in only_problem(bytes(content))


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"])
def test_a_broken_part_is_told_once(part: str) -> None:
    assert "cannot be opened" in only_problem(with_part(workbook(), part, b"<worksheet><row><c"))


def test_entities_that_grow_are_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet><sheetData>&b;</sheetData></worksheet>'

    assert "cannot be opened" in only_problem(with_part(workbook(), "xl/worksheets/sheet1.xml", bomb))


def test_a_sheet_with_another_name_is_told_with_the_likely_one() -> None:
    assert "Rename “survy”" in only_problem(workbook(survy=SURVEY, choices=[["list_name", "name", "label"]]))
    assert "Rename “Domande”" in only_problem(workbook(Domande=SURVEY, Altro=[["x"]]))
    assert "Rename “Foglio1”" in only_problem(workbook(Foglio1=SURVEY))


def test_without_any_likely_sheet_those_in_the_file_are_named() -> None:
    assert "Sheets in the file: uno, due." in only_problem(workbook(uno=SURVEY, due=SURVEY))
    assert only_problem(workbook(uno=SURVEY, due=SURVEY), language=Language.IT).startswith("Non c'è il foglio «survey»")


def test_the_case_of_a_sheets_name_does_not_matter() -> None:
    assert read_xlsform(workbook_of({"Survey ": SURVEY}), "a.xlsx").form is not None


def test_a_misspelled_sheet_of_choices_is_told_beside_what_it_causes() -> None:
    reading = read("""
        | survey |
        | | type | name | label |
        | | select_one colours | a | A |
        | choises |
        | | list_name | name | label |
        | | colours | red | Rosso |
    """)

    assert problems(reading) == [
        "Sheet survey, row 2, column type: There is no list “colours” in the sheet “choices”.",
    ]
    assert "If it is “choises”, rename it." in warnings(reading)[0]


def test_sheets_that_raccordo_does_not_read_are_remarked() -> None:
    reading = read_xlsform(workbook(survey=SURVEY, entities=[["list_name"]], notes=[["x"]]), "a.xlsx")

    assert reading.form is not None
    assert warnings(reading) == ["Raccordo does not do what the sheet “entities” says: it is left out."]


def test_a_cell_full_of_references_is_refused_before_pyxform_looks_for_them() -> None:
    rows = [["type", "name", "label"], ["text", "a", "${" * 16_000]]

    assert "refers to other questions more than 200 times" in only_problem(workbook(survey=rows))


def test_a_header_of_a_thousand_letters_is_refused() -> None:
    rows = [["type", "name", "label", "x" * 1_000], ["text", "a", "A", ""]]

    assert "The cell has 1000 characters: 200 at most." in problems(read_xlsform(workbook(survey=rows), "a.xlsx"))[0]


def test_each_formula_is_told_with_its_cell() -> None:
    rows = [["type", "name", "label"], ["text", "a", "=B2"], ["text", '=CONCATENATE("b")', "B"]]

    assert problems(read_xlsform(workbook(survey=rows), "a.xlsx"))[:2] == [
        "Sheet survey, row 2: Cell C2 holds a formula: its value is not known here. Copy it and paste it as value.",
        "Sheet survey, row 3: Cell B3 holds a formula: its value is not known here. Copy it and paste it as value.",
    ]


def test_a_sheet_as_excel_writes_it_is_read() -> None:
    strings = "".join(
        f"<si>{text}</si>"
        for text in (
            "<t>type</t>",
            "<t>name</t>",
            "<t>label::Italiano (it)</t>",
            "<t>required</t>",
            "<t>default</t>",
            "<t>integer</t>",
            "<t>quanti</t>",
            '<r><t xml:space="preserve">Quanti </t></r><r><rPr><b/></rPr><t>sono?</t></r>',
        )
    )
    table = f'<sst xmlns="{MAIN}" count="8" uniqueCount="8">{strings}</sst>'
    sheet = f"""<worksheet xmlns="{MAIN}" xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac">
        <dimension ref="A1"/><sheetFormatPr defaultRowHeight="15" x14ac:dyDescent="0.25"/><sheetData>
        <row r="1" spans="1:5" x14ac:dyDescent="0.25"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c>
        <c r="C1" t="s"><v>2</v></c><c r="D1" t="s"><v>3</v></c><c r="E1" t="s"><v>4</v></c></row>
        <row r="4" spans="1:5"><c r="A4" t="s"><v>5</v></c><c r="B4" t="s"><v>6</v></c><c r="C4" t="s"><v>7</v></c>
        <c r="D4" t="b"><v>1</v></c><c r="E4"><v>3.0</v></c></row></sheetData></worksheet>"""
    types = '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument'
    content = with_part(workbook(), "xl/worksheets/sheet1.xml", sheet.encode())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        listed = archive.read("[Content_Types].xml").decode().replace("sharedStrings", "noStrings")
    kind = f'{types}.spreadsheetml.sharedStrings+xml"/></Types>'
    content = with_part(content, "[Content_Types].xml", listed.replace("</Types>", kind).encode())

    form = read_xlsform(with_part(content, "xl/sharedStrings.xml", table.encode()), "a.xlsx").form

    assert form is not None
    [question] = form.questions
    assert (question.row, question.label, question.rules.default) == (4, {"it": "Quanti sono?"}, "3")
    assert question.rules.required == "true()"


@pytest.mark.parametrize(
    ("type_", "cell", "default"),
    [
        ("date", date(2026, 11, 24), "2026-11-24"),
        ("dateTime", datetime.combine(date(2026, 11, 24), dt_time(9, 30)), "2026-11-24T09:30:00"),
        ("time", dt_time(9, 30), "09:30:00"),
        ("decimal", 0.1, "0.1"),
        ("integer", 45.0, "45"),
        ("text", True, "TRUE"),
        ("text", "  due\xa0parole ", "due parole"),
    ],
)
def test_cells_that_are_no_text_are_read_as_xlsform_writes_them(type_: str, cell: object, default: str) -> None:
    rows: Rows = [["type", "name", "label", "default"], [type_, "a", "A", cell]]

    form = read_xlsform(workbook(survey=rows), "a.xlsx").form

    assert form is not None
    assert form.questions[0].rules.default == default


def test_an_error_in_a_cell_is_told() -> None:
    def spoil(book: Workbook) -> None:
        book["survey"]["C2"].value = "#N/A"

    assert "Cell C2 holds the error #N/A" in problems(read_xlsform(workbook(spoil), "a.xlsx"))[0]


def test_merged_cells_are_told() -> None:
    def merge(book: Workbook) -> None:
        book["survey"].merge_cells("A2:B3")

    found = only_problem(workbook(merge))

    assert found == (
        "Sheet survey, row 2: The cells A2:B3 are merged: only the first of them would be read. Unmerge them."
    )


def test_merged_cells_on_a_sheet_that_is_not_read_do_not_matter() -> None:
    def merge(book: Workbook) -> None:
        book["appunti"].merge_cells("A1:B3")

    assert read_xlsform(workbook(merge, survey=SURVEY, appunti=[["x"]]), "a.xlsx").form is not None


def large_sheet(rows: int) -> bytes:
    """A hundred thousand rows, as Excel writes them."""
    row = b'<row r="%d"><c r="A%d" t="inlineStr"><is><t>text</t></is></c></row>'
    body = b"".join(row % (number, number) for number in range(1, rows + 1))
    return with_part(
        workbook(), "xl/worksheets/sheet1.xml", b"<worksheet><sheetData>" + body + b"</sheetData></worksheet>"
    )


def test_a_hundred_thousand_rows_are_refused_before_they_are_read() -> None:
    content = large_sheet(100_000)
    read_xlsform(content, "a.xlsx")  # imports are not counted

    tracemalloc.start()
    found = only_problem(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert found.startswith("Sheet survey: The sheet has more than 5000 rows. Delete the rows below")
    assert peak < 8 << 20
    assert effort(lambda: only_problem(content)) < 1_000


def test_a_hundred_thousand_rows_of_another_sheet_do_not_matter() -> None:
    content = workbook(survey=SURVEY, appunti=[["x"]])
    with zipfile.ZipFile(io.BytesIO(large_sheet(100_000))) as archive:
        rows = archive.read("xl/worksheets/sheet1.xml")

    assert read_xlsform(with_part(content, "xl/worksheets/sheet2.xml", rows), "a.xlsx").form is not None


def test_one_row_far_down_is_one_row_too_many() -> None:
    sheet = b'<worksheet><sheetData><row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData></worksheet>'

    assert "more than 5000 rows" in only_problem(with_part(workbook(), "xl/worksheets/sheet1.xml", sheet))


def test_a_cell_far_to_the_right_costs_nothing() -> None:
    rows = b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (number, number) for number in range(1, 4_000))
    sheet = b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>"

    found = read_xlsform(with_part(workbook(), "xl/worksheets/sheet1.xml", sheet), "a.xlsx")

    assert found.form is None


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/theme/theme1.xml"])
def test_a_zip_bomb_is_refused_by_its_directory(part: str) -> None:
    content = with_part(workbook(), part, b"\0" * (65 << 20))
    assert len(content) < 1 << 20
    tracemalloc.start()

    found = only_problem(content)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "larger than any form" in found
    assert peak < 8 << 20


def test_thousands_of_parts_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(2_001):
            archive.writestr(f"xl/{number}", b"")

    assert "larger than any form" in only_problem(file.getvalue())


def test_too_many_rows_of_markdown_are_refused() -> None:
    tables = "| survey |\n| | type | name | label |\n" + "| | text | a | A |\n" * 5_001

    assert "more than 5000 rows" in problems(read(tables))[0]
