"""Edited messages: a draft follows, what was sent is corrected beside it, nothing is overwritten."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from storage.corrections import of_thread, of_update
from storage.questions import thread
from storage.tables import Attachment, Draft, Question, QuestionState
from tests.bot.conftest import Stage
from tests.bot.talk import photo


def answers(stage: Stage) -> dict[str, Any]:
    """Of the newest draft."""
    newest = select(Draft).order_by(col(Draft.id).desc()).execution_options(populate_existing=True)
    found = stage.session.exec(newest).first()
    assert found is not None
    return found.answers


def the_question(stage: Stage) -> Question:
    return stage.session.exec(select(Question).execution_options(populate_existing=True)).one()


def test_an_edited_answer_follows_and_the_question_being_asked_stays(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("10")

    bruno.edits("20")

    assert "✏️ Corretto: Avanzamento fisico: 20%" in bruno.text
    assert "3 di 6" in bruno.text
    assert answers(stage)["progress"] == "20"


def test_a_slip_is_mended_by_editing_it(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("tanto")
    assert "⚠️" in bruno.text

    bruno.edits("30")

    assert "✓ Avanzamento fisico: 30%" in bruno.text
    assert "3 di 6" in bruno.text


def test_an_edit_that_cannot_be_read_is_asked_again(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("10")

    bruno.edits("boh")

    assert "Hai modificato questa risposta" in bruno.text
    assert "2 di 6" in bruno.text
    assert answers(stage)["progress"] == "10"


def test_an_answer_set_aside_follows_too(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("10")
    written = bruno.written
    bruno.says("/menu")

    bruno.edits("15", written)

    assert "✏️ Corretto: Avanzamento fisico: 15%" in bruno.text
    assert answers(stage)["progress"] == "15"


def test_an_edit_that_changes_nothing_is_not_answered(stage: Stage) -> None:
    stage.bruno.says("/aggiorna").presses("Esecuzione").says("10")

    assert stage.bruno.edits("10").heard == []


def test_a_part_of_a_question_being_written_is_replaced(stage: Stage) -> None:
    ada = stage.ada.says("/domanda").says("Buongiorno")
    first = ada.written
    ada.says("serve il CIG?")

    ada.edits("Buonasera", first).presses("Nessun progetto")

    assert [message.text for message in thread(stage.session, the_question(stage).id)] == ["Buonasera\nserve il CIG?"]


def test_a_sent_question_gets_the_correction_beside_it(stage: Stage) -> None:
    ada = stage.ada.says("/domanda").says("Entro il 10?")
    written = ada.written
    ada.presses("Nessun progetto")
    question = the_question(stage)

    ada.edits("Entro il 20?", written)

    [message] = thread(stage.session, question.id)
    [correction] = of_thread(stage.session, question.id)[message.id]
    assert message.text == "Entro il 10?"
    assert (correction.before, correction.after) == ("Entro il 10?", "Entro il 20?")
    assert "era già partita" in ada.text
    assert ada.edits("Entro il 20?", written).heard == [], "the same edit twice"


def test_a_correction_opens_an_answered_question_again(stage: Stage) -> None:
    ada = stage.ada.says("/domanda").says("Entro il 10?")
    written = ada.written
    ada.presses("Nessun progetto")
    question = the_question(stage)
    question.state = QuestionState.ANSWERED
    stage.session.flush()

    ada.edits("Entro il 20?", written)

    assert "di nuovo aperta" in ada.text
    assert the_question(stage).state is QuestionState.NEW
    assert the_question(stage).version > question.version - 1


def test_a_message_added_to_a_thread_is_corrected_there(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Serve il CUP?").presses("Nessun progetto").presses("Aggiungi qualcosa")
    ada.says("È urgnte")

    ada.edits("È urgente")

    question = the_question(stage)
    messages = thread(stage.session, question.id)
    assert [one.after for one in of_thread(stage.session, question.id)[messages[1].id]] == ["È urgente"]


def test_an_answer_of_a_sent_update_is_corrected_beside_it(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("45,5")
    written = bruno.written
    bruno.says("310000").says("30/9/2027").presses("No").presses("Salta").presses("Invia")

    bruno.edits("54,5", written)

    [update] = stage.sent
    [correction] = of_update(stage.session, update.id)
    assert update.answers["progress"] == "45.5"
    assert (correction.field, correction.before, correction.after) == ("progress", "45,5", "54,5")
    assert "era già partito" in bruno.text


def test_the_words_below_a_photo_of_a_draft_follow(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves("fachada", photo=photo(1))

    bruno.edits("facciata", photo=photo(1))

    assert stage.session.exec(select(Attachment.caption)).one() == "facciata"


@pytest.mark.parametrize("sent", [True, False])
def test_a_question_behind_its_command_is_edited_without_the_command(stage: Stage, sent: bool) -> None:
    ada = stage.ada.says("/domanda Entro il 10?")
    written = ada.written
    if sent:
        ada.presses("Nessun progetto")

    assert ada.edits("/domanda Entro il 10?", written).heard == [], "nothing but the formatting"
    ada.edits("/domanda Entro il 20?", written)

    if sent:
        [message] = thread(stage.session, the_question(stage).id)
        [correction] = of_thread(stage.session, the_question(stage).id)[message.id]
        assert (correction.before, correction.after) == ("Entro il 10?", "Entro il 20?")
    else:
        ada.presses("Nessun progetto")
        assert [one.text for one in thread(stage.session, the_question(stage).id)] == ["Entro il 20?"]


def test_back_to_what_it_said_first_is_a_correction_too(stage: Stage) -> None:
    ada = stage.ada.says("/domanda").says("Entro il 10?")
    written = ada.written
    ada.presses("Nessun progetto").edits("Entro il 20?", written)

    ada.edits("Entro il 10?", written)

    assert "era già partita" in ada.text
    [rows] = of_thread(stage.session, the_question(stage).id).values()
    assert [(row.before, row.after) for row in rows] == [
        ("Entro il 10?", "Entro il 20?"),
        ("Entro il 20?", "Entro il 10?"),
    ]


def test_each_message_of_a_question_is_corrected_by_itself(stage: Stage) -> None:
    ada = stage.ada.says("/domanda").says("Buongiorno")
    first = ada.written
    ada.says("serve il CIG?")
    second = ada.written
    ada.presses("Nessun progetto").edits("Buonasera", first).edits("serve il CUP?", second)

    assert ada.edits("Buonasera", first).heard == [], "said already"

    [rows] = of_thread(stage.session, the_question(stage).id).values()
    assert [row.after for row in rows] == ["Buonasera", "serve il CUP?"]


def test_any_message_of_what_was_added_to_a_question_is_corrected_there(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Serve il CUP?").presses("Nessun progetto")
    ada.says("Aggiungo una cosa:")
    first = ada.written
    ada.says("è urgnte")
    second = ada.written
    ada.presses("Aggiungi alla n.")

    ada.edits("è urgente", second)
    assert "era già partita" in ada.text
    ada.edits("Aggiungo:", first)

    messages = thread(stage.session, the_question(stage).id)
    rows = of_thread(stage.session, the_question(stage).id)[messages[1].id]
    assert [(row.before, row.after) for row in rows] == [("è urgnte", "è urgente"), ("Aggiungo una cosa:", "Aggiungo:")]


def test_an_answer_edited_while_the_project_is_chosen_follows(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione").says("10")
    written = ada.written
    ada.says("indietro").says("indietro").says("indietro")
    assert "Di quale progetto si tratta?" in ada.text

    ada.edits("20", written)

    assert "✏️ Corretto: Avanzamento fisico: 20%" in ada.text
    assert "Di quale progetto si tratta?" in ada.text
    assert answers(stage)["progress"] == "20"
    ada.edits("boh", written)
    assert "te la richiedo" in ada.text
    assert "progress" not in answers(stage)
    ada.says("/menu").edits("30", written)
    assert "✏️ Corretto: Avanzamento fisico: 30%" in ada.text


def test_an_answer_edited_under_nothing_changed_is_no_answer_any_more(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("10")
    written = bruno.written
    bruno.says("indietro").says("indietro").presses("Nessuna novità")

    bruno.edits("20", written)

    assert "non trovo niente da correggere" in bruno.text
    assert answers(stage)["progress"] == "40"


def test_what_was_cancelled_follows_too_for_it_may_be_taken_up_again(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Entro il 10?")
    asked = ada.written
    ada.presses("Annulla").says("/aggiorna").presses("Ex mercato").presses("Esecuzione").says("10")
    answered = ada.written
    ada.presses("Annulla")

    ada.edits("20", answered).presses("Riprendi")
    assert answers(stage)["progress"] == "20"
    assert "3 di 6" in ada.text
    ada.edits("/domanda Entro il 20?", asked).presses("Riprendi").presses("Nessun progetto")

    assert [one.text for one in thread(stage.session, the_question(stage).id)] == ["Entro il 20?"]


def test_an_edit_of_something_unknown_is_said_so(stage: Stage) -> None:
    stage.ada.says("grazie")

    assert "non trovo niente da correggere" in stage.ada.edits("grazie mille").text


def test_carla_cannot_correct_what_is_not_hers(stage: Stage) -> None:
    stage.ada.says("/domanda").says("Entro il 10?")
    written = stage.ada.written
    stage.ada.presses("Nessun progetto")

    stage.carla.edits("Rispondete a me", written)

    assert of_thread(stage.session, the_question(stage).id) == {}


def test_a_yes_edited_into_its_story_is_both(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("10").says("0").says("30/9/2027").says("sì")

    bruno.edits("Crepa nel muro nord")

    assert answers(stage)["problems"] == "yes"
    assert answers(stage)["problem"] == "Crepa nel muro nord"
    assert "Corretto: Quale problema: Crepa nel muro nord" in bruno.text
