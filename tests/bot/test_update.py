from datetime import date, timedelta

from sqlmodel import select

from storage.tables import Draft, DraftState, Following, ObligationState
from tests.bot.conftest import LAST, Stage
from tests.bot.talk import walk_to_summary


def test_a_whole_update(stage: Stage) -> None:
    owed = stage.owed(date(2026, 12, 10))
    ada = stage.ada

    ada.says("/aggiorna")
    assert "scadenza: 10 dicembre 2026" in ada.text
    assert ada.labels == ["1 · Ex mercato coperto", "2 · Biblioteca di quartiere", "✖ Annulla"]

    ada.presses("Ex mercato")
    assert "1 di 6 · Ex mercato coperto\nA che punto è il progetto?" in ada.text

    walk_to_summary(ada)
    assert "Avanzamento fisico: 45,5%" in ada.text
    assert "Speso finora: 310.000,50 €" in ada.text
    assert "Vale per: Monitoraggio mensile · 10 dicembre 2026" in ada.text
    assert stage.sent == []

    ada.presses("Invia")

    [update] = stage.sent
    assert f"Aggiornamento n. {update.id} ricevuto" in ada.text
    assert "24 novembre 2026, 10:00" in ada.text
    assert update.answers == {
        "phase": "03005",
        "progress": "45.5",
        "spent": "310000.5",
        "expected_end": "2027-09-30",
        "problems": "no",
    }
    stage.session.refresh(owed)
    assert (owed.state, update.obligation_id) == (ObligationState.DONE, owed.id)
    assert "Per questa scadenza non ti scriviamo più" in ada.text


def test_the_most_urgent_project_comes_first(stage: Stage) -> None:
    stage.owed(date(2026, 12, 10), stage.market)
    stage.owed(date(2026, 11, 10), stage.library)

    stage.ada.says("/update")

    assert stage.ada.labels[0] == "1 · Biblioteca di quartiere"
    assert "scaduto: 10 novembre 2026" in stage.ada.text


def test_a_deadline_whose_window_is_not_open_yet_hurries_nobody(stage: Stage) -> None:
    stage.owed(date(2027, 3, 10), stage.market)

    stage.ada.says("/aggiorna")

    assert "⏰" not in stage.ada.text
    assert stage.ada.labels[0] == "1 · Biblioteca di quartiere"


def test_who_has_one_project_is_not_asked_which(stage: Stage) -> None:
    assert "1 di 6 · Ex mercato coperto" in stage.bruno.says("/aggiorna").text


def test_many_projects_come_in_pages_and_are_found_by_typing(stage: Stage) -> None:
    for number in range(1, 21):
        project = stage.cast.a_project(stage.cast.an_organization(f"Comune {number:02}"), title=f"Scuola {number:02}")
        stage.cast.add(Following(referent_id=stage.referent.id, project_id=project.id, since=stage.cast.now))
    ada = stage.ada.says("/aggiorna")
    assert [label for label in ada.labels if "·" in label] == [
        f"{i} · {t}"
        for i, t in enumerate(
            ["Biblioteca di quartiere", "Ex mercato coperto", *(f"Scuola {n:02}" for n in range(1, 7))], 1
        )
    ]

    ada.presses("Altri (2 di 3)")
    assert "1 · Scuola 07" in ada.labels

    ada.says("scuola")
    assert "1 · Scuola 01" in ada.labels

    ada.says("nulla di simile")
    assert "Non trovo nessun progetto con «nulla di simile»" in ada.text

    ada.says("comune 13")
    assert "1 di 6 · Scuola 13" in ada.text


def test_a_project_is_found_by_its_cup(stage: Stage) -> None:
    assert "1 di 6 · Biblioteca di quartiere" in stage.ada.says("/aggiorna").says(stage.library.cup.lower()).text


def test_a_number_chooses_from_the_page(stage: Stage) -> None:
    assert "1 di 6 · Ex mercato coperto" in stage.ada.says("/aggiorna").says("2").text


def test_a_word_behind_the_command_chooses_at_once(stage: Stage) -> None:
    assert "1 di 6 · Biblioteca di quartiere" in stage.ada.says("/aggiorna biblioteca").text


def test_each_question_shows_last_time_and_takes_the_same_answer(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    bruno = stage.bruno.says("/aggiorna")

    for shown in ("Esecuzione dei lavori", "40%", "300.000,00 €", "30 giugno 2027", "No"):
        assert f"La volta scorsa (24 ottobre 2026): {shown}" in bruno.text
        bruno.presses("Stessa risposta")
    bruno.says("salta").presses("Invia")

    assert stage.sent[-1].answers == LAST


def test_the_same_can_be_said_in_words(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))

    bruno = stage.bruno.says("/aggiorna").says("uguale").says("come prima")

    assert "✓ Avanzamento fisico: 40%" in bruno.text


def test_before_the_first_update_the_register_is_shown(stage: Stage) -> None:
    stage.market.phase, stage.market.progress_tenths = "00313", 125
    stage.session.flush()

    bruno = stage.bruno.says("/aggiorna")

    assert "In archivio: Esecuzione dei lavori" in bruno.text
    assert "In archivio: 12,5%" in bruno.presses("Stessa risposta").text
    assert not [label for label in bruno.labels if "Nessuna novità" in label]


def test_what_is_implausible_is_asked_back(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    bruno = stage.bruno.says("/aggiorna").presses("Stessa risposta")

    bruno.says("20")
    assert "Prima era 40%, ora 20%: è diminuito. È giusto?" in bruno.text
    bruno.presses("Sì, è giusto")
    assert "✓ Avanzamento fisico: 20%" in bruno.text

    bruno.says("2 mln")
    assert "è più dell'intero finanziamento" in bruno.text
    bruno.presses("Correggo").says("310.000")
    assert "✓ Speso finora: 310.000,00 €" in bruno.text

    bruno.says("1/3/2026")
    assert "è una data già passata" in bruno.text
    bruno.says("1/3/2028")
    assert "✓ Fine prevista: 1 marzo 2028" in bruno.text


def test_an_ambiguous_amount_is_asked_back_with_its_meanings(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("10").says("1.234")
    assert bruno.labels[:2] == ["Sì, è giusto", "Correggo"]
    assert "1.234,00 €: è giusto?" in bruno.text
    bruno.says("12.34")
    assert bruno.labels[:2] == ["12,34 €", "1.234,00 €"]

    bruno.presses("1.234,00 €")

    assert "✓ Speso finora: 1.234,00 €" in bruno.text


def test_what_cannot_be_read_is_asked_again_saying_why(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").says("non saprei")
    assert "premi uno dei pulsanti" in bruno.text

    bruno.presses("Esecuzione").says("10").says("0").says("giugno 2027")

    assert "Manca il giorno" in bruno.text
    assert "Quando pensate di finire?" in bruno.text


def test_a_yes_is_followed_by_what_the_problem_is(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("10").says("0").says("30/6/2027")

    bruno.presses("Sì")
    assert "che cosa servirebbe?" in bruno.text
    bruno.says("Manca il parere dei <Vigili> & basta")

    assert "✓ Quale problema: Manca il parere dei <Vigili> & basta" in bruno.text
    assert "&lt;Vigili&gt; &amp; basta" in bruno.heard[0].html


def test_back_skip_and_cancel(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione").says("10")

    ada.presses("Indietro")
    assert "2 di 6" in ada.text
    ada.presses("Indietro").presses("Progetto esecutivo").says("5")
    assert "3 di 6" in ada.text

    ada.presses("Annulla")
    assert ada.text == "Annullato: non ho inviato niente."
    ada.presses("Riprendi")
    assert "3 di 6" in ada.text

    ada.says("annulla")
    assert stage.session.exec(select(Draft.state)).all() == [DraftState.CANCELLED]
    assert ada.says("/annulla").text == "Non c'è niente da annullare."


def test_back_from_the_first_question_chooses_another_project(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione").presses("Indietro")

    ada.says("indietro")
    assert "Di quale progetto si tratta?" in ada.text

    assert "1 di 6 · Biblioteca di quartiere" in ada.presses("Biblioteca").text


def test_back_leads_to_the_deadline_then_to_the_project_and_no_further(stage: Stage) -> None:
    stage.owed(date(2026, 10, 10))
    stage.owed(date(2026, 11, 10))
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("10 ottobre")

    assert "Ci sono più scadenze aperte" in ada.presses("Indietro").text
    assert "Di quale progetto si tratta?" in ada.presses("Indietro").text

    bruno = stage.bruno.says("/aggiorna").presses("10 novembre").presses("Indietro").presses("Indietro")
    assert bruno.text.startswith("Si comincia da qui: prima non c'è altro.")


def test_back_from_nothing_changed_asks_the_questions(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))

    bruno = stage.bruno.says("/aggiorna").presses("Nessuna novità").presses("Indietro")

    assert "1 di 6" in bruno.text
    assert stage.session.exec(select(Draft.answers)).one() == {}


def test_any_answer_can_be_changed_in_the_summary(stage: Stage) -> None:
    bruno = walk_to_summary(stage.bruno.says("/aggiorna"))

    bruno.presses("Cambia una risposta").presses("Avanzamento")
    assert "La tua risposta adesso: 45,5%" in bruno.text
    bruno.says("50")
    assert "Riepilogo" in bruno.text
    assert "Avanzamento fisico: 50%" in bruno.text

    bruno.presses("Cambia una risposta").presses("Fase").presses("Indietro").presses("Indietro")
    assert "6 di 6" in bruno.text
    bruno.says("Una nota").presses("Invia")
    assert (stage.sent[0].answers["progress"], stage.sent[0].answers["notes"]) == ("50", "Una nota")


def test_nothing_has_changed_takes_two_taps(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    owed = stage.owed(date(2026, 12, 10))
    bruno = stage.bruno.says("/aggiorna")

    bruno.presses("Nessuna novità")
    assert "Speso finora: 300.000,00 €" in bruno.text
    bruno.presses("tutto come prima")

    update = stage.sent[-1]
    assert (update.unchanged, update.answers, update.obligation_id) == (True, LAST, owed.id)


def test_nothing_has_changed_warns_of_what_has_become_implausible(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31), expected_end="2026-11-01")

    bruno = stage.bruno.says("/aggiorna").presses("Nessuna novità")
    assert "1 novembre 2026: è una data già passata" in bruno.text

    bruno.presses("È cambiato qualcosa").presses("Fine prevista").says("31/12/2027").presses("Invia")
    assert (stage.sent[-1].unchanged, stage.sent[-1].answers["expected_end"]) == (False, "2027-12-31")


def test_the_buttons_of_a_reminder_work(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    november, december = stage.owed(date(2026, 11, 25)), stage.owed(date(2026, 12, 10))

    stage.ada.presses_data(f"n:{stage.market.id}:{november.id}").presses("tutto come prima")
    assert stage.sent[-1].obligation_id == november.id

    stage.ada.presses_data(f"n:{stage.market.id}:{november.id}")
    assert stage.ada.text.startswith("Per questa scadenza è già tutto a posto")

    stage.ada.presses_data(f"r:{stage.market.id}:{december.id}")
    assert "1 di 6 · Ex mercato coperto" in stage.ada.text


def test_nothing_changed_without_an_earlier_update_asks_the_questions(stage: Stage) -> None:
    owed = stage.owed(date(2026, 12, 10))

    stage.ada.presses_data(f"n:{stage.market.id}:{owed.id}")

    assert stage.ada.text.startswith("È il primo aggiornamento di questo progetto")
    assert "1 di 6" in stage.ada.text


def test_when_several_deadlines_fit_the_person_chooses(stage: Stage) -> None:
    october, november = stage.owed(date(2026, 10, 10)), stage.owed(date(2026, 11, 10), title="Trimestrale")
    bruno = stage.bruno.says("/aggiorna")
    assert bruno.labels[:2] == ["Monitoraggio mensile · 10 ottobre 2026", "Trimestrale · 10 novembre 2026"]

    walk_to_summary(bruno.presses("Trimestrale"))
    assert "Vale per: Trimestrale · 10 novembre 2026" in bruno.text
    bruno.presses("Invia")

    assert stage.sent[0].obligation_id == november.id
    stage.session.refresh(october)
    assert october.state is ObligationState.OPEN
    assert "Ti resta un aggiornamento da dare." in bruno.text


def test_nothing_changed_for_one_of_several_deadlines(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=60))
    _october, november = stage.owed(date(2026, 10, 10)), stage.owed(date(2026, 11, 10), title="Trimestrale")

    stage.bruno.presses_data(f"n:{stage.market.id}:").presses("✅ Trimestrale · 10 novembre 2026")

    assert stage.sent[-1].obligation_id == november.id


def test_an_error_does_not_leave_the_doubt_about_an_earlier_answer(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("10").says("0").says("1/3/2026")
    assert "è una data già passata" in bruno.text

    bruno.says("fine 2026")

    assert "Manca il giorno" in bruno.text
    assert "Quando pensate di finire?" in bruno.text
    assert "già passata" not in bruno.text


def test_a_question_typed_at_the_summary_is_shown_the_way(stage: Stage) -> None:
    bruno = walk_to_summary(stage.bruno.says("/aggiorna")).says("Posso chiedere una proroga?")

    assert "Per fare una domanda usa /domanda: l'aggiornamento resta qui." in bruno.text
    assert "Riepilogo" in bruno.text


def test_skip_is_no_problem_but_skips_what_is_optional(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("10").says("0").says("30/6/2027")

    bruno.says("salta")
    assert "Non trovo questa risposta" in bruno.text
    assert "5 di 6" in bruno.text

    assert "Riepilogo" in bruno.presses("No").says("skip").text


def test_nothing_changed_pressed_twice_is_sent_once(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    bruno = stage.bruno.presses_data(f"n:{stage.market.id}:")
    first = dict(bruno.buttons)["✅ Sì, tutto come prima"]
    assert first is not None
    bruno.presses_data(f"n:{stage.market.id}:").presses("tutto come prima")

    bruno.presses_data(first)

    assert bruno.text == "È già stato inviato: non serve altro."
    assert len(stage.sent) == 2


def test_an_update_with_all_its_answers_is_said_to_wait_for_sending(stage: Stage) -> None:
    walk_to_summary(stage.bruno.says("/aggiorna"))

    assert "Da inviare:\n• Ex mercato coperto" in stage.bruno.says("/menu").text
    assert "Da inviare:\n• Ex mercato coperto" in stage.bruno.says("/aggiorna").text
    assert "a metà" not in stage.bruno.text
