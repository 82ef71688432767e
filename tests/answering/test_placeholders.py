"""The gaps of saved answers."""

import pytest

from answering.placeholders import check_gaps, fill_gaps, gaps_in, shown
from answering.refusal import Refused
from facts.languages import Language


def test_gaps_are_filled_and_what_nobody_knows_stays() -> None:
    said = fill_gaps("{name}, del progetto {project} ({number}).", {"name": "Ada", "project": "", "number": "7"})

    assert said == "Ada, del progetto {project} (7)."
    assert gaps_in(said) == ["{project}"]


def test_gaps_may_be_written_in_italian() -> None:
    said = fill_gaps("{Nome}, del progetto {progetto} ({numero}).", {"name": "Ada", "project": "", "number": "7"})

    assert said == "Ada, del progetto {progetto} (7)."
    assert gaps_in(said) == ["{progetto}"]


@pytest.mark.parametrize("language", list(Language))
def test_what_a_page_names_is_understood(language: Language) -> None:
    check_gaps(shown(language))

    assert len(gaps_in(shown(language))) == 5


def test_what_fills_a_gap_is_no_gap_itself() -> None:
    assert fill_gaps("{name}", {"name": "{office}", "office": "Noi"}) == "{office}"


@pytest.mark.parametrize(
    "text", ["", "Senza segnaposto.", "Gentile {name},\n{office}", "{nome}{ente}{progetto}{numero}{ Ufficio }"]
)
def test_texts_that_are_right(text: str) -> None:
    check_gaps(text)


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("Gentile {nomme},", 1, "{nomme}"),
        ("Uno\ndue {name}\ntre {}", 3, "{}"),
        ("Uno\n{name", 2, None),
        ("a } b", 1, None),
        ("{{name}}", 1, None),
        ("{" + "x" * 900 + "}", 1, "{" + "x" * 39),
    ],
)
def test_a_brace_that_means_nothing_is_refused_with_its_line(text: str, line: int, found: str | None) -> None:
    with pytest.raises(Refused) as no:
        check_gaps(text)

    assert no.value.values["line"] == line
    assert no.value.values.get("found") == found
