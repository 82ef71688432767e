"""The forms that come with Raccordo are complete, in both languages, and open elsewhere."""

import pytest
from pyxform.xls2xform import convert

from facts.languages import Language, speaking
from facts.phases import PHASES
from intake.forms.builtin import KEYS, PROJECT_UPDATE, builtin_file, builtin_form
from intake.forms.nodes import UNASKED, Bound, Question
from intake.forms.xlsform.reading import read_xlsform
from intake.forms.xlsform.writing import to_xlsx
from tests.intake.forms.making import problems, warnings


@pytest.mark.parametrize("key", KEYS)
def test_a_builtin_form_is_sound_and_has_its_key(key: str) -> None:
    reading = read_xlsform(builtin_file(key), f"{key}.md")

    assert (problems(reading), warnings(reading)) == ([], [])
    assert builtin_form(key).key == key


@pytest.mark.parametrize("key", KEYS)
def test_a_builtin_form_is_the_same_after_excel_and_back(key: str) -> None:
    assert read_xlsform(to_xlsx(builtin_form(key)), f"{key}.xlsx").form == builtin_form(key)


@pytest.mark.parametrize("key", KEYS)
def test_a_builtin_form_opens_in_odk(key: str) -> None:
    assert convert(xlsform=builtin_file(key).decode(), file_type=".md", validate=False).xform


@pytest.mark.parametrize("key", KEYS)
def test_a_builtin_form_says_everything_in_italian_and_english(key: str) -> None:
    form = builtin_form(key)
    texts = [form.title, *(choice.label for choices in form.lists.values() for choice in choices)]
    for node in form.walk():
        texts.append(node.label)
        if isinstance(node, Question) and node.type not in UNASKED:
            texts += [node.title, *filter(None, (node.hint, node.constraint_message))]

    assert form.languages == ("it", "en")
    assert all(set(one) == {"it", "en"} and all(one.values()) for one in texts)


@pytest.mark.parametrize("key", KEYS)
def test_every_constraint_of_a_builtin_form_says_what_is_wrong(key: str) -> None:
    assert [
        one.name for one in builtin_form(key).questions if one.rules.constraint and not one.constraint_message
    ] == []


def test_the_update_is_bound_to_what_the_registry_keeps() -> None:
    form = builtin_form(PROJECT_UPDATE)

    assert [one.name for one in form.questions] == [
        "phase", "progress", "spent", "expected_end", "problems", "problem", "notes",
    ]  # fmt: skip
    assert {one.bound for one in form.questions} == {None, Bound.PHASE, Bound.PROGRESS, Bound.SPENT, Bound.EXPECTED_END}


def test_the_phases_of_the_update_are_those_of_monitoring() -> None:
    chosen = builtin_form(PROJECT_UPDATE).lists["phases"]

    assert [(one.name, one.label) for one in chosen] == [
        (phase.code, {"it": speaking(Language.IT)(phase.label), "en": phase.label}) for phase in PHASES
    ]


def test_what_tells_of_health_never_goes_by_telegram() -> None:
    private = {one.name for one in builtin_form("event-registration").questions if one.private}

    assert private == {"diet", "access"}
