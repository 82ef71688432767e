"""The usual update, answered as people do, held against what is known of the project."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.languages import Language, speaking
from intake.forms.builtin import PROJECT_UPDATE, builtin_form
from intake.forms.doubts import Facts
from intake.forms.filling import Filling, Item, begin
from intake.forms.hearing import Heard, hear, hear_ahead, weigh
from intake.forms.nodes import Question
from intake.forms.outcomes import Answered, Doubt, Refusal
from intake.forms.plan import Plan
from intake.forms.standing import Known
from intake.forms.values import fits, show

IT = speaking(Language.IT)
TODAY = date(2026, 11, 24)
LAST = {"phase": "03005", "progress": "40", "spent": "300000", "expected_end": "2027-06-30"}
FACTS = Facts(TODAY, total_cents=100_000_000, last=LAST)
PLAN = Plan(builtin_form(PROJECT_UPDATE))
NAMES = ("phase", "progress", "spent", "expected_end", "problems", "notes")
FILLING: Filling = begin(PLAN, Known(datetime(2026, 11, 24, 9, tzinfo=UTC), LAST))


def question(name: str) -> Question:
    found = PLAN.form.at(name)
    assert isinstance(found, Question)
    return found


def item(name: str) -> Item:
    return Item(name, question(name))


def heard(name: str, text: str, facts: Facts = FACTS) -> Heard:
    return hear(FILLING, item(name), text, facts)


def shown(name: str, value: Any) -> str:
    return show(PLAN.form, question(name), value, Language.IT)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("phase", "03005", "03005"),
        ("phase", "5", "03005"),
        ("phase", "lavori", "03005"),
        ("phase", "Progetto esecutivo", "03004"),
        ("progress", "45,5 %", "45.5"),
        ("progress", "100", "100"),
        ("spent", "450.000,00 €", "450000"),
        ("spent", "350mila", "350000"),
        ("expected_end", "30 giugno 2028", "2028-06-30"),
        ("expected_end", "domani", "2026-11-25"),
        ("problems", "No", "no"),
        ("problems", "tutto bene", "no"),
        ("problems", "purtroppo sì", "yes"),
        ("notes", "  Tutto <bene> & in orario ", "Tutto <bene> & in orario"),
    ],
)
def test_answers_are_read_as_people_write_them(name: str, text: str, value: object) -> None:
    assert heard(name, text) == Answered(value)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("progress", "35", "Prima era 40%, ora 35%: è diminuito. È giusto?"),
        ("spent", "290000", "Prima era 300.000,00\xa0€, ora 290.000,00\xa0€: è diminuito. È giusto?"),
        (
            "spent",
            "1.200.000",
            "1.200.000,00\xa0€ è più dell'intero finanziamento del progetto (1.000.000,00\xa0€). È giusto?",
        ),
        ("expected_end", "01/03/2026", "1 marzo 2026: è una data già passata. È giusto?"),
        (
            "expected_end",
            "30/06/2033",
            "Prima era 30 giugno 2027, ora 30 giugno 2033: più di cinque anni di differenza. È giusto?",
        ),
    ],
)
def test_what_is_implausible_is_asked_back_and_can_be_kept(name: str, text: str, sentence: str) -> None:
    doubt = heard(name, text)

    assert isinstance(doubt, Doubt)
    assert doubt.question.say(IT) == sentence
    assert len(doubt.candidates) == 1
    assert fits(PLAN.form, question(name), doubt.candidates[0])


def test_an_amount_with_two_meanings_gives_both() -> None:
    doubt = heard("spent", "312.340", Facts(TODAY))

    assert isinstance(doubt, Doubt)
    assert [shown("spent", each) for each in doubt.candidates] == ["312.340,00\xa0€", "312,34\xa0€"]


def test_what_is_known_may_leave_one_meaning_only() -> None:
    assert heard("spent", "312.345") == Answered("312345")


def test_a_chosen_meaning_is_doubted_too() -> None:
    doubt = weigh(FILLING, item("spent"), "312.34", FACTS)

    assert isinstance(doubt, Doubt)
    assert doubt.candidates == ("312.34",)


@pytest.mark.parametrize(
    ("name", "text", "beginning"),
    [
        ("phase", "boh", "Non trovo questa risposta"),
        ("progress", "tanto", "Scrivi un numero da 0 a 100, per esempio 45,5."),
        ("progress", "12.34", "Basta un decimale: per esempio 12,3."),
        ("progress", "120", "Una percentuale"),
        ("spent", "boh", "Non riesco a leggere questo numero"),
        ("expected_end", "giugno 2027", "Manca il giorno"),
        ("notes", "x" * 1501, "Il testo è di 1.501 caratteri: al massimo 1.500."),
        ("notes", " ", "Non c'è"),
    ],
)
def test_what_cannot_be_read_is_refused_saying_why(name: str, text: str, beginning: str) -> None:
    refusal = heard(name, text)

    assert isinstance(refusal, Refusal)
    assert refusal.sentence.say(IT).startswith(beginning), refusal.sentence.say(IT)


@pytest.mark.parametrize(
    ("text", "story"),
    [
        ("Manca il parere\x00 dei vigili", "Manca il parere dei vigili"),
        ("sì, il cantiere è fermo", "il cantiere è fermo"),
        ("Non abbiamo i soldi", "Non abbiamo i soldi"),
    ],
)
def test_a_story_instead_of_a_yes_is_both(text: str, story: str) -> None:
    found = hear_ahead(FILLING, item("problems"), text)

    assert found is not None
    assert (found[0].key, found[1]) == ("problem", story)


@pytest.mark.parametrize("text", ["salta", "Skip", "-", "😀😀😀", "boh", "no, va tutto bene", "sì", "x" * 1501])
def test_a_word_that_describes_no_problem_is_not_kept_as_one(text: str) -> None:
    assert hear_ahead(FILLING, item("problems"), text) is None


def test_no_story_is_taken_for_a_question_that_opens_none() -> None:
    assert hear_ahead(FILLING, item("phase"), "Il cantiere è fermo") is None
    assert hear_ahead(FILLING, item("notes"), "Il cantiere è fermo") is None


def test_without_a_last_time_nothing_falls_and_five_years_count_from_today() -> None:
    facts = Facts(TODAY)

    assert heard("progress", "3", facts) == Answered("3")
    assert isinstance(heard("expected_end", "31/12/2031", facts), Doubt)
    assert heard("spent", "900 mln", facts) == Answered("900000000")


def test_answers_of_another_version_that_no_longer_fit_are_left_out() -> None:
    strange = Facts(TODAY, last={"progress": "forse", "spent": ["molto"], "expected_end": None, "phase": "00309"})

    assert heard("progress", "3", strange) == Answered("3")
    assert heard("spent", "3", strange) == Answered("3")


@given(name=st.sampled_from(NAMES), text=st.text(max_size=60))
def test_no_text_raises_and_every_answer_fits_its_question(name: str, text: str) -> None:
    outcome = heard(name, text)

    values: tuple[Any, ...] = ()
    if isinstance(outcome, Answered):
        values = (outcome.value,)
    if isinstance(outcome, Doubt):
        values = outcome.candidates
    assert all(fits(PLAN.form, question(name), value) and shown(name, value) for value in values)
