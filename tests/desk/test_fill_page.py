"""What a page shows of a form, without any draft: as the desk shows one to its makers."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from desk.fill_page import Another, Field, FormPage, Section, page_of
from facts.languages import Language
from intake.forms.builtin import KEYS, builtin_form
from intake.forms.filling import Filling, begin
from intake.forms.plan import Plan
from intake.forms.standing import Known
from tests.intake.forms.making import FILES, data_form, form_of

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=ZoneInfo("Europe/Rome"))


def filling_of(tables: str, **answers: object) -> Filling:
    return begin(Plan(form_of(tables)), Known(NOW), answers or None)


def shown(tables: str, **answers: object) -> FormPage:
    return page_of(filling_of(tables, **answers), Language.IT)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("language", Language)
def test_each_form_that_comes_along_can_be_shown_without_a_draft(key: str, language: Language) -> None:
    page = page_of(begin(Plan(builtin_form(key)), Known(NOW, language=language.value)), language)

    assert page.title
    assert all(one.label for one in page.fields)
    assert page.answered == 0
    assert page.errors == ()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_form_of_the_tests_can_be_shown(file: Path) -> None:
    filling = begin(Plan(data_form(file.stem)), Known(NOW))

    page = page_of(filling, Language.IT)

    asked = {item.key for item in filling.items}
    assert asked == {one.key for one in page.fields if one.control.word != "fixed"} | _repeats(page)


def _repeats(page: FormPage) -> set[str]:
    found, waiting = set(), list(page.parts)
    while waiting:
        part = waiting.pop()
        if isinstance(part, Another):
            found.add(part.key)
        elif isinstance(part, Section):
            waiting.extend(part.parts)
    return found


def test_ids_of_questions_are_never_alike() -> None:
    page = shown(
        "| survey |\n| | type | name | label |\n| | begin_repeat | a | A |\n| | text | b | B |\n| | end_repeat | | |\n"
        "| | begin_group | a-1 | A |\n| | text | b | B |\n| | end_group | | |\n| | text | a.b | B |\n",
        **{"a[1]/b": "x"},
    )

    ids = [one.id for one in page.fields]

    assert ids == ["a:1:b", "a-1:b", "a.b"]


def test_a_group_in_which_nothing_is_asked_is_not_shown() -> None:
    page = shown(
        "| survey |\n| | type | name | label | relevant |\n| | text | a | A | |\n| | begin_group | g | G | |\n"
        "| | text | b | B | ${a} = 'x' |\n| | end_group | | | |\n"
    )

    assert [part.label for part in page.parts if isinstance(part, Field)] == ["A"]
    assert len(page.parts) == 1
