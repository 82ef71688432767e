"""What is asked next, what counts and what falls away: the same for whoever asks, one by one or all at once."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.forms.filling import Filling, Item, begin
from intake.forms.nodes import Definition, QuestionType
from intake.forms.plan import Plan
from intake.forms.standing import MOST_REPETITIONS, Known
from tests.intake.forms.making import data_form, form_of, large_form

NOW = datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("Europe/Rome"))
WORKS = """
    | survey |
    | | type | name | label | relevant | required | calculation | constraint | choice_filter | default |
    | | select_one yn | any | Ci sono lavori? | | yes | | | | |
    | | begin group | site | Il cantiere | ${any} = 'yes' | | | | | |
    | | integer | workers | Quante persone? | | yes | | . > 0 | | |
    | | integer | double | Il doppio | | | ${workers} * 2 | | | |
    | | text | why | Perché così tante? | ${double} > 4 | | | | | |
    | | end group | | | | | | | | |
    | | begin repeat | works | Lavori | ${any} = 'yes' | | | | | |
    | | text | name | Nome | | yes | | | | |
    | | decimal | cost | Costo | ${name} != '' | | | | | 1 |
    | | end repeat | | | | | | | | |
    | | calculate | total | | | | sum(${cost}) | | | |
    | | note | said | In tutto ${total} | ${total} > 5 | | | | | |
    | | select_one cities | city | Città | | | | | open = ${any} | |
    | choices |
    | | list_name | name | label | open |
    | | yn | yes | Sì | |
    | | yn | no | No | |
    | | cities | mi | Milano | yes |
    | | cities | to | Torino | no |
"""


def a_filling(tables: str = WORKS, **last: Any) -> Filling:
    return begin(Plan(form_of(tables)), Known(NOW, last))


def asked(filling: Filling) -> list[str]:
    return [item.key for item in filling.items]


def with_answers(filling: Filling, **answers: Any) -> Filling:
    """One after the other, as a chat gives them."""
    for key, value in answers.items():
        filling = filling.change({key.replace("__", "/"): value}).filling
    return filling


def item(filling: Filling, key: str) -> Item:
    found = next(one for one in filling.items if one.key == key)
    assert isinstance(found, Item)
    return found


def test_only_what_is_relevant_is_asked() -> None:
    filling = a_filling()

    assert asked(filling) == ["any", "city"]
    assert asked(with_answers(filling, any="yes")) == ["any", "site/workers", "works", "city"]
    assert asked(with_answers(filling, any="yes", site__workers=3)) == [
        "any",
        "site/workers",
        "site/why",
        "works",
        "city",
    ]


def test_what_follows_and_what_was_before() -> None:
    filling = with_answers(a_filling(), any="yes")

    assert [filling.after(key) and filling.after(key).key for key in (None, "any", "works", "city")] == [  # type: ignore[union-attr]
        "any",
        "site/workers",
        "city",
        None,
    ]
    before = filling.before("works")
    assert before is not None
    assert before.key == "site/workers"
    assert filling.before("any") is None


def test_what_follows_something_that_is_asked_no_more_is_what_stood_behind_it() -> None:
    filling = with_answers(a_filling(), any="yes", site__workers=1)

    following = filling.after("site/why")

    assert following is not None
    assert following.key == "works"


def test_a_calculated_answer_counts_and_is_kept_like_a_given_one() -> None:
    filling = with_answers(a_filling(), any="yes", site__workers=3)

    assert filling.kept == {"any": "yes", "site/workers": 3, "site/double": 6, "total": "0"}


def test_changing_an_early_answer_drops_what_hung_on_it_and_says_so() -> None:
    filling = with_answers(a_filling(), any="yes", site__workers=3, site__why="Si lavora anche di notte", city="mi")

    fewer = filling.change({"site/workers": 1})
    none = filling.change({"any": "no"})

    assert fewer.dropped == {"site/why": "Si lavora anche di notte"}
    assert none.dropped == {"site/workers": 3, "site/why": "Si lavora anche di notte", "city": "mi"}
    assert none.filling.answers == {"any": "no"}


def test_a_repetition_is_added_with_its_defaults_and_taken_away_again() -> None:
    filling = with_answers(a_filling(), any="yes").add("works").filling
    named = with_answers(filling, **{"works[1]/name": "Tetto"}).add("works").filling
    both = named.change({"works[2]/name": "Scale", "works[2]/cost": "10.5", "works[1]/cost": "2"}).filling

    less = both.remove("works[1]").filling

    assert "works[1]/cost" not in asked(filling)
    assert asked(both)[2:] == [
        "works[1]/name",
        "works[1]/cost",
        "works[2]/name",
        "works[2]/cost",
        "works",
        "said",
        "city",
    ]
    assert both.kept["total"] == "12.5"
    assert less.answers == {"any": "yes", "works[1]/name": "Scale", "works[1]/cost": "10.5"}
    assert less.kept["total"] == "10.5"


def test_there_is_an_end_to_repetitions() -> None:
    filling = with_answers(a_filling(), any="yes")
    for _ in range(MOST_REPETITIONS + 3):
        filling = filling.add("works").filling

    assert filling.instance.repetitions("works") == MOST_REPETITIONS


def test_a_number_of_repetitions_that_is_an_answer_is_not_asked_for() -> None:
    filling = a_filling("""
        | survey |
        | | type | name | label | repeat_count |
        | | integer | floors | Quanti piani? | |
        | | begin repeat | floor | Piano | ${floors} |
        | | text | use | A che serve? | |
        | | end repeat | | | |
    """)

    two = with_answers(filling, floors=2)
    filled = two.change({"floor[1]/use": "negozi", "floor[2]/use": "case"}).filling
    one = filled.change({"floors": 1})

    assert asked(filling) == ["floors"]
    assert asked(two) == ["floors", "floor[1]/use", "floor[2]/use"]
    assert asked(one.filling) == ["floors", "floor[1]/use"]
    assert one.dropped == {"floor[2]/use": "case"}


def test_what_must_be_answered_and_is_not() -> None:
    filling = with_answers(a_filling(), any="yes")

    assert [one.key for one in filling.missing()] == ["site/workers"]
    assert [one.key for one in a_filling().missing()] == ["any"]


def test_a_constraint_is_about_the_answer_itself() -> None:
    filling = with_answers(a_filling(), any="yes")
    workers = item(filling, "site/workers")

    assert filling.satisfies(workers, 1)
    assert not filling.satisfies(workers, 0)
    assert filling.satisfies(workers, None)


def test_choices_are_those_that_fit_the_other_answers() -> None:
    filling = with_answers(a_filling(), any="no")

    assert [one.name for one in filling.choices(item(filling, "city"))] == ["to"]


def test_progress_counts_what_is_asked() -> None:
    filling = with_answers(a_filling(), any="yes", site__workers=3)

    assert [filling.progress(key) for key in ("any", "site/why", "city")] == [(1, 4), (3, 4), (4, 4)]


def test_what_is_asked_once_is_taken_over_from_last_time() -> None:
    tables = """
        | survey |
        | | type | name | label | raccordo::ask | default |
        | | text | place | Dove? | once | |
        | | text | use | A che serve? | | ${last-saved#use} |
    """

    again = a_filling(tables, place="Via Roma", use="deposito")

    assert asked(again) == ["use"]
    assert again.kept == {"place": "Via Roma", "use": "deposito"}
    assert asked(a_filling(tables)) == ["place", "use"]


def test_a_draft_is_taken_up_where_it_was() -> None:
    filling = with_answers(a_filling(), any="yes", site__workers=3).add("works").filling

    again = begin(filling.plan, filling.known, filling.answers, filling.repetitions)

    assert again.items == filling.items
    assert again.kept == filling.kept


def test_a_default_that_was_taken_out_does_not_come_back() -> None:
    filling = with_answers(a_filling(), any="yes").add("works").filling
    filling = filling.change({"works[1]/name": "Tetto", "works[1]/cost": None}).filling

    again = begin(filling.plan, filling.known, filling.answers, filling.repetitions)

    assert "works[1]/cost" not in again.answers


# --- whatever is answered, in whatever order


FORMS = {name: data_form(name) for name in ("cascade", "groups", "repeat", "repeat-count", "functions")} | {
    "works": form_of(WORKS),
    "large": form_of(large_form(60, 40)),
}
PLANS = {name: Plan(form) for name, form in FORMS.items()}


def values_for(form: Definition, question: Any) -> st.SearchStrategy[Any]:
    match question.type:
        case QuestionType.INTEGER:
            return st.integers(-2, 12)
        case QuestionType.DECIMAL | QuestionType.RANGE:
            return st.sampled_from(["0", "0.5", "3", "12.25"])
        case QuestionType.DATE:
            return st.sampled_from(["2026-01-31", "2027-12-01"])
        case QuestionType.SELECT_ONE:
            return st.sampled_from([one.name for one in form.lists[question.choices]])
        case QuestionType.SELECT_MULTIPLE | QuestionType.RANK:
            return st.lists(
                st.sampled_from([one.name for one in form.lists[question.choices]]), min_size=1, unique=True
            )
        case _:
            return st.sampled_from(["sì", "no", "x"])


def names_in(form: Definition, question: Any) -> st.SearchStrategy[str]:
    return st.sampled_from([one.name for one in form.lists[question.choices]])


@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=25)
@given(data=st.data())
def test_answers_given_one_by_one_stand_like_the_same_answers_all_at_once(name: str, data: st.DataObject) -> None:
    form, plan = FORMS[name], PLANS[name]
    filling = begin(plan, Known(NOW))
    for _ in range(data.draw(st.integers(1, 12))):
        one = data.draw(st.sampled_from(filling.items))
        if isinstance(one, Item):
            value = data.draw(st.none() | values_for(form, one.question))
            filling = filling.change({one.key: value}).filling
        elif data.draw(st.booleans()) and one.number:
            filling = filling.remove(f"{one.key}[{data.draw(st.integers(1, one.number))}]").filling
        else:
            filling = filling.add(one.key).filling

    at_once = begin(plan, Known(NOW), filling.answers, filling.repetitions)

    assert at_once.items == filling.items
    assert at_once.kept == filling.kept
    assert at_once.shut == filling.shut
    assert all(filling.counts(key) for key in filling.answers), "an answer is kept that nobody is asked for"
