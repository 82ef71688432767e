from typing import Any

import pytest

from facts.languages import Language
from intake.forms.nodes import Question
from intake.forms.others import with_others
from intake.forms.values import fits, fitting, label_of, leading, show, title_of
from tests.intake.forms.making import form_of

FORM = with_others(
    form_of("""
    | survey |
    | | type | name | label::Italiano (it) | label::English (en) | raccordo::field | raccordo::title::Italiano (it) |
    | | text | name | Come si chiama? | What is it called? | | Nome |
    | | integer | people | Quanti siete? | How many? | | |
    | | decimal | area | Quanti metri? | How many metres? | | |
    | | decimal | done | Quanto è fatto? | How much is done? | progress | |
    | | decimal | spent | Quanto avete speso? | How much was spent? | spent | |
    | | date | day | Quando? | When? | | |
    | | time | hour | A che ora? | At what time? | | |
    | | dateTime | moment | In che momento? | At what moment? | | |
    | | select_one colours or_other | colour | Di che colore? | What colour? | | |
    | | select_multiple colours | several | Quali colori? | Which colours? | | |
    | | rank colours | ranked | In quale ordine? | In what order? | | |
    | | geopoint | place | Dove? | Where? | | |
    | | image | photo | Una foto? | A photo? | | |
    | | acknowledge | read | Hai letto? | Have you read it? | | |
    | | note | note | Grazie | Thank you | | |
    | choices |
    | | list_name | name | label::Italiano (it) | label::English (en) |
    | | colours | red | Rosso | Red |
    | | colours | blue | Blu | Blue |
    """)
)
KEPT: dict[str, tuple[Any, str, str]] = {
    "name": ("Ex mercato", "Ex mercato", "Ex mercato"),
    "people": (1200, "1.200", "1,200"),
    "area": ("45.5", "45,5", "45.5"),
    "done": ("45.5", "45,5%", "45.5%"),
    "spent": ("1234.5", "1.234,50\xa0€", "€1,234.50"),
    "day": ("2026-12-10", "10 dicembre 2026", "10 December 2026"),
    "hour": ("09:05", "09:05", "09:05"),
    "moment": ("2026-12-10T14:30", "10 dicembre 2026, 14:30", "10 December 2026, 14:30"),
    "colour": ("other", "Altro", "Other"),
    "several": (["red", "blue"], "Rosso, Blu", "Red, Blue"),
    "ranked": (["blue", "red"], "Blu, Rosso", "Blue, Red"),
    "place": ([45.4642, 9.19], "45.46420, 9.19000", "45.46420, 9.19000"),
    "photo": ([4, 9], "2 file", "2 files"),
    "read": ("OK", "Letto", "Read"),
}
STRANGE: dict[str, list[Any]] = {
    "name": ["", 3, None],
    "people": ["3", True, 1.5],
    "area": [3, "NaN", "molto", "Infinity"],
    "done": ["101", "-1"],
    "day": ["2026-13-01", "domani", 3],
    "hour": ["25:00"],
    "colour": ["green", ["red"]],
    "several": [[], "red", ["red", "green"]],
    "place": [[45.1], ["a", "b"]],
    "photo": [[], ["a"], 4],
    "read": ["no"],
    "note": ["x"],
}


RECKONED = form_of(
    "| survey |\n| | type | name | label | calculation |\n"
    "| | decimal | each | Quanto? | |\n| | calculate | total | | ${each} * 2 |"
)


def question(name: str) -> Question:
    found = FORM.at(name)
    assert isinstance(found, Question)
    return found


@pytest.mark.parametrize("name", KEPT)
def test_what_is_kept_is_said_in_both_languages(name: str) -> None:
    value, italian, english = KEPT[name]

    assert fits(FORM, question(name), value)
    assert show(FORM, question(name), value, Language.IT) == italian
    assert show(FORM, question(name), value, Language.EN) == english


@pytest.mark.parametrize(
    ("kept", "italian"), [("12000.5", "12000,5"), ("2026", "2026"), ("1.2.3", "1.2.3"), ("a.5", "a.5")]
)
def test_what_is_reckoned_is_said_as_it_is_but_for_its_decimals(kept: str, italian: str) -> None:
    assert show(RECKONED, RECKONED.questions[1], kept, Language.IT) == italian
    assert show(RECKONED, RECKONED.questions[1], kept, Language.EN) == kept


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in STRANGE.items() for value in values])
def test_what_is_no_answer_does_not_fit_and_is_shown_as_it_is(name: str, value: Any) -> None:
    assert not fits(FORM, question(name), value)
    said = show(FORM, question(name), value, Language.IT)
    assert said == (
        "—" if value in (None, "", []) else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    )


def test_of_some_answers_those_stay_that_are_answers_here() -> None:
    last = {"name": "Ex mercato", "people": "molte", "gone": "x", "colour_other": "Verde"}

    assert fitting(FORM, last) == {"name": "Ex mercato", "colour_other": "Verde"}


def test_a_short_label_is_taken_where_there_is_one_and_a_choice_without_label_says_its_name() -> None:
    assert title_of(FORM, question("name"), Language.IT) == "Nome"
    assert title_of(FORM, question("people"), Language.EN) == "How many?"
    assert title_of(RECKONED, RECKONED.questions[1], Language.IT) == "total"
    assert label_of(FORM, question("colour"), "green", Language.IT) == "green"


@pytest.mark.parametrize(("label", "said"), [("Nome", "Nome:"), ("A che punto siete?", "A che punto siete?")])
def test_a_label_that_asks_has_no_colon_behind_it(label: str, said: str) -> None:
    assert leading(label) == said
