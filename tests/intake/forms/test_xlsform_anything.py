"""Whatever is in a file, reading it raises nothing: there is a form, or there are problems."""

from hypothesis import given
from hypothesis import strategies as st

from intake.forms.xlsform.reading import read_xlsform
from tests.intake.forms.making import problems, read, warnings
from tests.intake.forms.test_xlsform_files import workbook


@given(
    st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"| survey |\n"])
)
def test_no_bytes_raise(content: bytes, start: bytes) -> None:
    assert read_xlsform(start + content, "a.xlsx").problems


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
def test_no_damage_raises(place: int, damage: bytes) -> None:
    content = bytearray(workbook())
    place %= len(content)
    content[place : place + len(damage)] = damage

    reading = read_xlsform(bytes(content), "a.xlsx")

    assert (reading.form is None) == bool(reading.problems)


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    reading = read(f"| survey |\n| | type | name | label | relevant |\n| | text | a | A | |\n{text}")

    assert (reading.form is None) == bool(reading.problems)


USUAL = {"survey": ("type", "name", "label"), "choices": ("list_name", "name", "label")}
HEADERS = st.sampled_from([
    "type", "name", "label", "label::Italiano (it)", "hint::x", "required", "relevant", "constraint", "calculation",
    "default", "choice_filter", "appearance", "parameters", "read_only", "repeat_count", "disabled", "list_name",
    "raccordo::field", "raccordo::ask", "raccordo::private", "raccordo::title", "form_title", "form_id", "zone",
    "default_language", "allow_choice_duplicates", "media::image", "relevent", "bind::jr:constraintMsg", "label:en",
])  # fmt: skip
CELLS = st.one_of(
    st.sampled_from([
        "", "", "text", "integer", "range", "date", "calculate", "note", "today", "video", "a", "b", "yes", "no", "l",
        "select_one l", "select_multiple l or_other", "rank l", "begin_group", "end_group", "begin_repeat",
        "end_repeat", "${a}", "${b} + 1", "${a} = ", "start=1 end=5", "1 +", "${last-saved#a}", "spent", "once",
    ]),
    st.text(max_size=8),
)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["survey", "choices", "settings", "choises"]),
        st.tuples(
            st.lists(HEADERS, min_size=1, max_size=9, unique=True),
            st.lists(st.lists(CELLS, max_size=9), max_size=8),
        ),
    )
)
def test_no_tables_raise(sheets: dict[str, tuple[list[str], list[list[str]]]]) -> None:
    lines = []
    for name, (headers, rows) in sheets.items():
        header = list(dict.fromkeys([*USUAL.get(name, ()), *headers]))
        lines += [f"| {name} |", *("| | " + " | ".join(cells) + " |" for cells in [header, *rows])]

    reading = read("\n".join(lines))

    assert (reading.form is None) == bool(reading.problems)
    assert len(problems(reading)) == len(reading.problems)
    assert len(warnings(reading)) == len(reading.warnings)
