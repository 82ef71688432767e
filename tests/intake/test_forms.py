import copy
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from facts.languages import Language, speaking
from intake.builtin import ensure_builtin_forms, project_update
from intake.forms import (
    Answered,
    BadDefinition,
    Doubt,
    Facts,
    Field,
    More,
    Refusal,
    consider,
    fits,
    parse,
    read_form,
    show,
)
from storage.tables import FormVersion
from tests.cast import Cast

IT = speaking(Language.IT)
TODAY = date(2026, 11, 24)
LAST = {"phase": "03005", "progress": "40.0", "spent": 30_000_000, "expected_end": "2027-06-30"}
FACTS = Facts(TODAY, total_cents=100_000_000, last=LAST)


def field(name: str) -> Field:
    found = project_update()[0].field(name)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("phase", "03005", "03005"),
        ("phase", "5", "03005"),
        ("phase", "lavori", "03005"),
        ("phase", "Progetto esecutivo", "03004"),
        ("progress", "45,5 %", "45.5"),
        ("progress", "100", "100.0"),
        ("spent", "450.000,00 €", 45_000_000),
        ("spent", "350mila", 35_000_000),
        ("expected_end", "30 giugno 2028", "2028-06-30"),
        ("expected_end", "domani", "2026-11-25"),
        ("problems", "No", {"any": False, "text": ""}),
        ("problems", "Manca il parere\x00 dei vigili", {"any": True, "text": "Manca il parere dei vigili"}),
        ("notes", "  Tutto <bene> & in orario ", "Tutto <bene> & in orario"),
    ],
)
def test_answers_are_read_as_people_write_them(name: str, text: str, value: object) -> None:
    assert parse(field(name), text, FACTS) == Answered(value)


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
    doubt = parse(field(name), text, FACTS)

    assert isinstance(doubt, Doubt)
    assert doubt.question.say(IT) == sentence
    assert len(doubt.candidates) == 1
    assert fits(field(name), doubt.candidates[0])


def test_an_amount_with_two_meanings_gives_both() -> None:
    doubt = parse(field("spent"), "312.340", Facts(TODAY))

    assert isinstance(doubt, Doubt)
    assert [show(field("spent"), each, Language.IT) for each in doubt.candidates] == [
        "312.340,00\xa0€",
        "312,34\xa0€",
    ]


def test_an_amount_that_could_only_be_rounded_otherwise_is_confirmed() -> None:
    doubt = parse(field("spent"), "1.234", Facts(TODAY))

    assert isinstance(doubt, Doubt)
    assert (doubt.candidates, doubt.question.say(IT)) == ((123_400,), "1.234,00\xa0€: è giusto?")


@pytest.mark.parametrize("text", ["salta", "Skip", "-", "😀😀😀", "boh"])
@pytest.mark.parametrize("more", [False, True])
def test_a_word_that_describes_no_problem_is_not_kept_as_one(text: str, more: bool) -> None:
    assert isinstance(parse(field("problems"), text, FACTS, more=more), Refusal)


def test_what_is_known_may_leave_one_meaning_only() -> None:
    assert parse(field("spent"), "312.345", FACTS) == Answered(31_234_500)


def test_a_chosen_meaning_is_doubted_too() -> None:
    doubt = consider(field("spent"), 31_234, FACTS)

    assert isinstance(doubt, Doubt)
    assert doubt.candidates == (31_234,)


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
        ("problems", "x" * 1501, "Il testo è di 1.501 caratteri: al massimo 1.500."),
        ("notes", " ", "Non c'è"),
    ],
)
def test_what_cannot_be_read_is_refused_saying_why(name: str, text: str, beginning: str) -> None:
    refusal = parse(field(name), text, FACTS)

    assert isinstance(refusal, Refusal)
    assert refusal.sentence.say(IT).startswith(beginning), refusal.sentence.say(IT)


def test_a_yes_asks_for_more_and_takes_it() -> None:
    assert parse(field("problems"), "Sì", FACTS) == More()
    assert isinstance(parse(field("problems"), "sì", FACTS, more=True), Refusal)
    assert parse(field("problems"), "Manca il progetto", FACTS, more=True) == Answered(
        {"any": True, "text": "Manca il progetto"}
    )


def test_without_a_last_time_nothing_falls_and_five_years_count_from_today() -> None:
    facts = Facts(TODAY)

    assert parse(field("progress"), "3", facts) == Answered("3.0")
    assert isinstance(parse(field("expected_end"), "31/12/2031", facts), Doubt)
    assert parse(field("spent"), "900 mln", facts) == Answered(90_000_000_000)


def test_answers_of_another_version_that_no_longer_fit_are_left_out() -> None:
    strange = Facts(TODAY, last={"progress": "forse", "spent": "molto", "expected_end": None, "phase": "00309"})

    assert parse(field("progress"), "3", strange) == Answered("3.0")
    assert parse(field("spent"), "3", strange) == Answered(300)
    assert not fits(field("phase"), "00309")
    assert not fits(field("problems"), {"any": True})


@given(name=st.sampled_from(project_update()[0].names), text=st.text(max_size=60), more=st.booleans())
def test_no_text_raises_and_every_answer_fits_its_field(name: str, text: str, more: bool) -> None:
    outcome = parse(field(name), text, FACTS, more=more)

    values: tuple[Any, ...] = ()
    if isinstance(outcome, Answered):
        values = (outcome.value,)
    if isinstance(outcome, Doubt):
        values = outcome.candidates
    assert all(fits(field(name), value) and show(field(name), value, Language.IT) for value in values)


def test_the_builtin_form_speaks_both_languages() -> None:
    form, _definition = project_update()

    assert form.names == ("phase", "progress", "spent", "expected_end", "problems", "notes")
    for one in form.fields:
        for text in (one.label, one.question, *(each.label for each in one.choices)):
            assert text[Language.IT] != text[Language.EN], text
    assert [one.name for one in form.fields if one.optional] == ["notes"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda form: form["fields"][0]["label"].pop("it"), "field 'phase' has no label in it"),
        (lambda form: form["fields"][0].update(type="colour"), "field 'phase': 'colour' is not a valid FieldType"),
        (lambda form: form["fields"][0].update(choices=[]), "field 'phase' has no choices"),
        (lambda form: form["fields"][4].pop("follow_up"), "field 'problems' has no follow_up in it and en"),
        (lambda form: form["fields"].append(form["fields"][0]), "two fields have the same name"),
        (lambda form: form["fields"][0].update(name="summary"), "field 'summary' has no usable name"),
        (lambda form: form["fields"][0].update(name="a b"), "field 'a b' has no usable name"),
        (lambda form: form.pop("number"), "a form needs a key and a number"),
    ],
)
def test_an_incomplete_definition_is_refused(spoil: Any, message: str) -> None:
    definition = copy.deepcopy(project_update()[1])
    spoil(definition)

    with pytest.raises(BadDefinition, match=message):
        read_form(definition)


def test_the_builtin_form_is_written_once(session: Session, cast: Cast) -> None:
    first = ensure_builtin_forms(session, cast.now)
    second = ensure_builtin_forms(session, cast.now)

    assert first.id == second.id
    assert [read_form(one.definition).key for one in session.exec(select(FormVersion))] == ["project-update"]


def test_a_newer_builtin_form_follows_the_older_one(session: Session, cast: Cast) -> None:
    form, definition = project_update()
    older = cast.a_form(definition=definition | {"number": 0})
    older.number = 0
    session.flush()

    newer = ensure_builtin_forms(session, cast.now)

    assert (newer.form_id, newer.number) == (older.form_id, form.number)
    assert newer.id != older.id
