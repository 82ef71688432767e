"""The block by which a form is filled in by mail: what it asks, and how it is read whatever a program made of it."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facts.languages import Language, speaking
from intake.forms.builtin import KEYS, builtin_form
from intake.forms.doubts import Facts
from intake.forms.filling import Filling, Item, begin
from intake.forms.nodes import CHOOSING, Bound, Definition, Question, QuestionType
from intake.forms.plan import Plan
from intake.forms.standing import Known
from intake.forms.values import fits
from intake.forms.xlsform.reading import read_xlsform
from intake.post.block import (
    AS_LAST,
    MOST_LINES,
    Named,
    block_text,
    headings,
    line_label,
    lines_of,
    simple_questions,
    written,
)
from intake.post.block_reading import Section, read_reply
from intake.post.block_values import Taken, changes_in, labels_of, take
from tests.desk.filling import small_form

NOW = datetime(2026, 11, 24, 10, tzinfo=ZoneInfo("Europe/Rome"))
LAST = {"phase": "03005", "progress": "45", "spent": "120000", "expected_end": "2027-06-30", "problems": "no"}
CUP = "C47H20000010001"
HEADING = f"Ex mercato · CUP {CUP}"
PLANS = {key: Plan(builtin_form(key)) for key in KEYS}
UPDATE = PLANS["project-update"]


def a_filling(plan: Plan = UPDATE, last: dict[str, Any] | None = None) -> Filling:
    answers = LAST if last is None else last
    return begin(plan, Known(NOW, answers), answers)


def a_plan(*rows: str, columns: str = "type | name | label", choices: str = "") -> Plan:
    found = read_xlsform(
        small_form(*rows, columns=columns, **({"choices": choices} if choices else {})).encode(), "m.md"
    )
    assert found.form is not None, found.problems
    return Plan(found.form)


SENT = block_text(HEADING, lines_of(a_filling(), Language.IT))


def said(text: str, quoted: str = "") -> tuple[Section, ...]:
    return read_reply(text, quoted, labels_of(a_filling())).sections


def taken(text: str, quoted: str = "", *, sent: str = SENT, filling: Filling | None = None) -> Taken:
    """What one reply about one project means."""
    begun = filling or a_filling()
    labels = labels_of(begun)
    lines = [line for section in read_reply(text, quoted, labels).sections for line in section.lines]
    before = [line for section in read_reply(sent, "", labels).sections for line in section.lines]
    return take(begun, changes_in(begun, lines, before), Facts(NOW.date(), 0, dict(begun.known.last)))


def test_the_block_asks_what_the_form_asks_with_the_answers_of_last_time() -> None:
    assert (
        f"--- Ex mercato · CUP {CUP} ---\n"
        "Fase: Esecuzione dei lavori\n"
        "Avanzamento fisico (%): 45\n"
        "Speso finora (€): 120.000,00\n"
        "Fine prevista: 30/06/2027\n"
        "Problemi: No\n"
        "Quale problema:\n"
        "Note:\n"
        "---"
    ) == SENT


def test_who_reads_english_fills_in_english() -> None:
    lines = lines_of(a_filling(), Language.EN)

    assert [f"{line.label}: {line.text}" for line in lines][:3] == [
        "Phase: Works under way",
        "Physical progress (%): 45",
        "Spent to date (€): 120,000.00",
    ]


@pytest.mark.parametrize("key", ["project-census", "local-need", "event-registration"])
def test_forms_that_lines_cannot_answer_lead_to_the_page(key: str) -> None:
    assert lines_of(a_filling(PLANS[key], {}), Language.IT) == ()


def test_a_form_whose_files_need_not_be_there_has_a_block_without_them() -> None:
    plan = a_plan("text | one | Uno | yes", "file | two | Due | ", columns="type | name | label | required")

    assert [line.label for line in lines_of(a_filling(plan, {}), Language.IT)] == ["Uno"]


@pytest.mark.parametrize(
    "row", ["file | two | Due | yes | ", "text | two | Due | yes | yes", "geopoint | two | Due | yes | "]
)
def test_a_form_that_needs_what_no_line_can_say_leads_to_the_page(row: str) -> None:
    columns = "type | name | label | required | raccordo::private"

    assert lines_of(a_filling(a_plan("text | one | Uno | yes | ", row, columns=columns), {}), Language.IT) == ()


def test_of_many_questions_the_block_asks_a_handful_and_what_the_registry_keeps_among_them() -> None:
    rows = [f"text | q{n} | Domanda {n} | " for n in range(12)]
    plan = a_plan(*rows, "decimal | p | Avanzamento | progress", columns="type | name | label | raccordo::field")

    labels = [line.label for line in lines_of(a_filling(plan, {}), Language.IT)]

    assert len(labels) == MOST_LINES
    assert labels[-1] == "Avanzamento (%)"


def test_a_long_answer_of_last_time_is_only_named_and_stays_whole() -> None:
    story = "Il cantiere è fermo.\n" * 20
    last = {**LAST, "problems": "yes", "problem": story.strip()}
    filling = a_filling(last=last)
    sent = block_text(HEADING, lines_of(filling, Language.IT))

    found = taken(sent.replace(": 45", ": 50"), sent=sent, filling=filling)

    assert f"Quale problema: {speaking(Language.IT)(AS_LAST)}" in sent
    assert found.filling.answers == {**last, "progress": "50"}


def test_projects_with_one_cup_are_told_apart_by_the_deadline() -> None:
    both = headings([Named(1, "Ex mercato", CUP, "Mensile"), Named(2, "Ex mercato", CUP, "Annuale")])

    assert both == {1: f"{HEADING} · Mensile", 2: f"{HEADING} · Annuale"}


# --- reading it back


def _values(form: Definition, question: Question) -> st.SearchStrategy[Any]:
    """Answers that such a question can have."""
    names = [one.name for one in form.lists.get(question.choices, ())]
    words = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200)
    numbers = st.decimals(0, 10**9, places=2).map(lambda one: f"{one.normalize():f}")
    found: dict[QuestionType, st.SearchStrategy[Any]] = {
        QuestionType.TEXT: words,
        QuestionType.INTEGER: st.integers(-(10**6), 10**9),
        QuestionType.DECIMAL: numbers,
        QuestionType.RANGE: st.integers(1, 5).map(str),
        QuestionType.DATE: st.dates(date(1960, 1, 1), date(2099, 12, 31)).map(lambda one: one.isoformat()),
    }
    if question.bound is Bound.PROGRESS:
        return st.integers(0, 1000).map(lambda one: f"{one / 10:g}")
    if question.type is QuestionType.SELECT_ONE:
        return st.sampled_from(names)
    if question.type is QuestionType.SELECT_MULTIPLE:
        return st.lists(st.sampled_from(names), min_size=1, unique=True)
    return found[question.type]


CASES = [
    (plan, question)
    for plan in PLANS.values()
    for question in plan.form.questions
    if question in simple_questions(plan.form) and not question.name.endswith("_other")  # all have the same label
]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_whatever_is_shown_is_read_back_the_same(data: st.DataObject) -> None:
    plan, question = data.draw(st.sampled_from(CASES))
    language = data.draw(st.sampled_from(list(Language)))
    value = data.draw(_values(plan.form, question))
    filling = begin(plan, Known(NOW, {}, language.value), {question.name: value})
    label = line_label(plan.form, question, language)

    text = written(filling, Item(question.name, question), value, language)
    found = read_reply(f"--- x · CUP {CUP} ---\n{label}: {text}\n---", "", labels_of(filling)).sections[0].lines[0]

    assert fits(plan.form, question, value) or text == speaking(language)(AS_LAST)
    assert found.label in labels_of(filling)
    if text != speaking(language)(AS_LAST):
        other = begin(plan, Known(NOW, {}, language.value), {})
        asked = {one.key for one in other.items}
        again = take(other, changes_in(other, [found], []), Facts(NOW.date()))
        assert question.name not in asked or again.filling.answers.get(question.name) == value


def test_most_answers_of_the_forms_that_come_along_are_shown_and_not_only_named() -> None:
    """Else the property above would hold of nothing."""
    shown = [
        written(a_filling(), line.item, LAST.get(line.item.key), Language.IT)
        for line in lines_of(a_filling(), Language.IT)
    ]

    assert speaking(Language.IT)(AS_LAST) not in shown


# --- as mail programs make it

GMAIL = """Buongiorno,
ecco i dati.

Il giorno mar 24 nov 2026 alle ore 10:00 Raccordo <
ricevuti+abc@ufficio.example.org> ha scritto:

> Manca un aggiornamento
>
> --- Ex mercato · CUP C47H20000010001 ---
> Fase: Collaudo o regolare esecuzione
> Avanzamento fisico (%): 50
> Speso finora (€): 150 mila
> Fine prevista: 30/06/2027
> Problemi: No
> Quale problema:
> Note:
> ---
>
> Nella tua pagina trovi tutte le tue scadenze.
"""
OUTLOOK = """Ecco.

________________________________
Da: Raccordo <ricevuti@ufficio.example.org>
Inviato: martedì 24 novembre 2026 10:00
A: Ada
Oggetto: Promemoria

Manca un aggiornamento


--- Ex mercato \u00b7 CUP\u00a0C47H20000010001 ---

Fase: 6

Avanzamento fisico (%):\u00a050 %

Speso finora (\u20ac): 150.000

Fine prevista: 30/06/2027

Problemi: No

---
"""
APPLE = """> Il giorno 24 nov 2026, alle ore 10:00, Raccordo ha scritto:
>
> --- Ex mercato · CUP C47H20000010001 ---
> Fase: collaudo
> Avanzamento fisico (%): 50,0
> Speso finora (€): € 150.000,00
> ---
"""
THUNDERBIRD = """>> *--- Ex mercato · CUP
>> C47H20000010001 ---*
>> *Fase:* Collaudo o regolare
>> esecuzione
>> *Avanzamento fisico (%):* 50
>> *Speso finora (€):* 150.000,00
>> ---
"""
COPIED = """--- Ex mercato · CUP C47H20000010001 ---
FASE = Collaudo
avanzamento fisico 50
Speso  finora: 150mila euro
"""


@pytest.mark.parametrize("mail", [GMAIL, OUTLOOK, APPLE, THUNDERBIRD, COPIED])
def test_it_is_read_as_every_mail_program_quotes_it(mail: str) -> None:
    for found in (taken(mail), taken("", mail)):
        assert found.unread == ()
        assert found.filling.answers == {**LAST, "phase": "03006", "progress": "50", "spent": "150000"}


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("Avanzamento fisico (%): 46,5", "progress", "46.5"),
        ("Avanzamento fisico: 46.5", "progress", "46.5"),
        ("avanzamento  FISICO (%) = 46,5 %", "progress", "46.5"),
        ("* Avanzamento fisico (%): 46,5", "progress", "46.5"),
        ("Avanzamento fisico (%) 46,5", "progress", "46.5"),
        ("Avanzamento fisico (%) : 46,5", "progress", "46.5"),
        ("Avanzamento fisico - 46,5", "progress", "46.5"),
        ("Avanzamento\nfisico (%): 46,5", "progress", "46.5"),
        ("Avanzamento fisico (%):\n46,5", "progress", "46.5"),
        ("Speso finora (€): 1,2 mln", "spent", "1200000"),
        ("Speso finora (€): 130.000,00 €", "spent", "130000"),
        ("Fine prevista: 31 dicembre 2027", "expected_end", "2027-12-31"),
        ("Fase: 4", "phase", "03004"),
        ("Fase: Progetto\nesecutivo", "phase", "03004"),
        ("Note: prima riga\nseconda riga", "notes", "prima riga\nseconda riga"),
        (
            "Note: una riga che è abbastanza lunga perché un programma la spezzi\nproprio qui",
            "notes",
            "una riga che è abbastanza lunga perché un programma la spezzi proprio qui",
        ),
    ],
)
def test_lines_are_read_as_people_write_them(line: str, key: str, value: str) -> None:
    found = taken(f"--- {HEADING} ---\n{line}\n---")

    assert found.unread == ()
    assert found.filling.answers == {**LAST, key: value}


def test_a_yes_with_its_story_answers_both_questions() -> None:
    found = taken(f"--- {HEADING} ---\nProblemi: sì, l'impresa è fallita\n---")

    assert (found.filling.answers["problems"], found.filling.answers["problem"]) == ("yes", "l'impresa è fallita")


def test_an_emptied_line_takes_the_answer_out_and_a_deleted_one_keeps_it() -> None:
    found = taken(f"--- {HEADING} ---\nFine prevista:\nAvanzamento fisico (%): 60\n---")

    assert "expected_end" not in found.filling.answers
    assert [item.key for item in found.filling.missing()] == ["expected_end"]
    assert found.filling.answers["spent"] == LAST["spent"]


def test_what_cannot_be_read_is_told_and_leaves_the_question_open() -> None:
    found = taken(f"--- {HEADING} ---\nFase: boh\nFine prevista: presto\nSpeso finora (€): 1.234.5\n---")

    _ = speaking(Language.IT)
    assert {one.label: (one.text, one.sentence.say(_)) for one in found.unread} == {
        "Fase": (
            "boh",
            "Non è fra le risposte possibili, che sono: Studio di fattibilità o progetto preliminare; "
            "Progetto definitivo; Progetto di fattibilità tecnico-economica (PFTE); Progetto esecutivo; "
            "Esecuzione dei lavori; Collaudo o regolare esecuzione.",
        ),
        "Fine prevista": ("presto", "Non riesco a leggere questa data. Scrivila così: 10/12/2026."),
        "Speso finora (€)": ("1.234.5", "Non riesco a leggere questo numero. Scrivilo così: 1234,56."),
    }
    assert found.filling.answers == {"progress": "45", "problems": "no"}


def test_what_may_mean_several_things_is_not_guessed() -> None:
    found = taken(f"--- {HEADING} ---\nSpeso finora (€): 150.25\n---")

    (one,) = found.unread
    assert "Può voler dire più cose (150,25" in one.sentence.say(speaking(Language.IT)).replace("\u00a0", " ")
    assert "spent" not in found.filling.answers


def test_a_line_that_another_answer_closes_is_named() -> None:
    found = taken(f"--- {HEADING} ---\nQuale problema: manca il gas\n---")

    assert found.idle == ("Quale problema",)
    assert found.filling.answers == LAST


def test_what_stands_above_counts_before_what_is_quoted() -> None:
    above = f"--- {HEADING} ---\nAvanzamento fisico (%): 70\n---"
    below = f"> --- {HEADING} ---\n> Avanzamento fisico (%): 60\n> ---"

    assert taken(f"{above}\n\n", below).filling.answers["progress"] == "70"


def test_an_untouched_block_says_nothing() -> None:
    quote = "\n".join(f"> {line}" for line in SENT.split("\n"))

    assert taken("Chi devo chiamare?", quote).changed == frozenset()


def test_words_below_the_block_are_no_part_of_its_last_answer() -> None:
    (section,) = said(f"{SENT}\nRicevi questo messaggio perché segui questo progetto.")

    assert section.lines[-1].whole == ""


@pytest.mark.parametrize("goodbye", ["\nGrazie, ci sentiamo", "Cordiali saluti\nAda Esempio"])
def test_a_goodbye_below_is_no_part_of_it_where_the_dashes_were_deleted(goodbye: str) -> None:
    (section,) = said(f"{SENT.removesuffix('---')}{goodbye}")

    assert section.lines[-1].whole == ""


def test_lines_of_old_mail_do_not_belong_to_a_block() -> None:
    reply = read_reply("-----Messaggio originale-----\nDa: Ada\nFase: due", "", labels_of(a_filling()), ["Asilo"])

    assert [section.heading for section in reply.sections] == [""]


@given(st.text(max_size=400), st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_mail_can_be_read(text: str, quoted: str) -> None:
    found = taken(text, quoted)

    assert set(found.filling.answers) <= {question.name for question in UPDATE.form.questions}


def test_a_bomb_of_dashes_and_quotes_costs_no_more_than_its_lines() -> None:
    bomb = "\n".join(("-" * 60_000, "> " * 30_000, "--- " * 15_000, f"--- {'x ' * 30_000}", "Fase" * 15_000))

    assert taken(bomb).changed == frozenset()


def test_choices_with_commas_in_their_words_are_named_and_kept() -> None:
    choices = (
        "| choices |\n| | list_name | name | label |\n| | uses | a | Casa, orto |\n| | uses | b | Casa, giardino |"
    )
    plan = a_plan("select_multiple uses | use | Usi", choices=choices)
    filling = a_filling(plan, {"use": ["a", "b"]})

    (line,) = lines_of(filling, Language.IT)

    assert line.item.question.type in CHOOSING
    assert line.text == speaking(Language.IT)(AS_LAST)
