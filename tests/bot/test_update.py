from datetime import date, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import func, select

from bot.heard import Heard, Kind
from bot.turn import DraftMoved, Turn
from storage.drafts import change_draft, scene_at
from storage.tables import Channel, Draft, DraftState, Following, ObligationState, Outbox, Referent, Update
from tests.bot.conftest import LAST, Stage
from tests.bot.talk import Phone


def walk_to_summary(phone: Phone) -> Phone:
    """Everything answered by typing or pressing, from the question on the phase on."""
    return (
        phone.presses("Esecuzione dei lavori")
        .says("45,5")
        .says("310000,50")
        .says("30/9/2027")
        .presses("No")
        .presses("Salta")
    )


def sent(stage: Stage) -> list[Update]:
    return list(stage.session.exec(select(Update).order_by(Update.id)))  # type: ignore[arg-type]


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
    assert sent(stage) == []

    ada.presses("Invia")

    [update] = sent(stage)
    assert f"Aggiornamento n. {update.id} ricevuto" in ada.text
    assert "24 novembre 2026, 10:00" in ada.text
    assert update.answers == {
        "phase": "03005",
        "progress": "45.5",
        "spent": 31_000_050,
        "expected_end": "2027-09-30",
        "problems": {"any": False, "text": ""},
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

    assert sent(stage)[-1].answers == LAST


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
    assert not [label for label in bruno.labels if "Nulla è cambiato" in label]


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
    assert bruno.labels[:2] == ["1.234,00 €", "1,23 €"]

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

    assert "✓ Problemi: Manca il parere dei <Vigili> & basta" in bruno.text
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

    bruno = stage.bruno.says("/aggiorna").presses("Nulla è cambiato").presses("Indietro")

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
    assert (sent(stage)[0].answers["progress"], sent(stage)[0].answers["notes"]) == ("50.0", "Una nota")


def test_nothing_has_changed_takes_two_taps(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    owed = stage.owed(date(2026, 12, 10))
    bruno = stage.bruno.says("/aggiorna")

    bruno.presses("Nulla è cambiato")
    assert "Speso finora: 300.000,00 €" in bruno.text
    bruno.presses("tutto come prima")

    update = sent(stage)[-1]
    assert (update.unchanged, update.answers, update.obligation_id) == (True, LAST, owed.id)


def test_nothing_has_changed_warns_of_what_has_become_implausible(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31), expected_end="2026-11-01")

    bruno = stage.bruno.says("/aggiorna").presses("Nulla è cambiato")
    assert "1 novembre 2026: è una data già passata" in bruno.text

    bruno.presses("È cambiato qualcosa").presses("Fine prevista").says("31/12/2027").presses("Invia")
    assert (sent(stage)[-1].unchanged, sent(stage)[-1].answers["expected_end"]) == (False, "2027-12-31")


def test_the_buttons_of_a_reminder_work(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    november, december = stage.owed(date(2026, 11, 25)), stage.owed(date(2026, 12, 10))

    stage.ada.presses_data(f"n:{stage.market.id}:{november.id}").presses("tutto come prima")
    assert sent(stage)[-1].obligation_id == november.id

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

    assert sent(stage)[0].obligation_id == november.id
    stage.session.refresh(october)
    assert october.state is ObligationState.OPEN
    assert "Ti resta un aggiornamento da dare." in bruno.text


def test_nothing_changed_for_one_of_several_deadlines(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=60))
    _october, november = stage.owed(date(2026, 10, 10)), stage.owed(date(2026, 11, 10), title="Trimestrale")

    stage.bruno.presses_data(f"n:{stage.market.id}:").presses("✅ Trimestrale · 10 novembre 2026")

    assert sent(stage)[-1].obligation_id == november.id


def test_a_draft_is_offered_again_after_something_else(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione").says("10")
    ada.says("/domanda").says("Una domanda veloce").presses("Nessun progetto")

    ada.says("/menu")
    assert "Hai lasciato a metà:\n• Ex mercato coperto" in ada.text
    ada.says("/aggiorna")
    assert "Ex mercato coperto (2 risposte su 6)" in ada.text

    ada.presses("Continua")
    assert "3 di 6" in ada.text


def test_a_draft_can_be_begun_afresh_or_left_for_another(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione")

    ada.says("/aggiorna").presses("Un altro aggiornamento").presses("Biblioteca")
    assert "1 di 6 · Biblioteca di quartiere" in ada.text

    ada.says("/aggiorna").presses_data(f"m:over-{stage.session.exec(select(func.min(Draft.id))).one()}")
    assert "1 di 6 · Ex mercato coperto" in ada.text
    states = stage.session.exec(select(Draft.state).where(Draft.project_id == stage.market.id)).all()
    assert sorted(states) == [DraftState.CANCELLED, DraftState.OPEN]


def test_a_draft_survives_a_restart(stage: Stage) -> None:
    stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione")

    after_restart = Phone(stage.session, 11, stage.cast.now)

    assert "✓ Avanzamento fisico: 10%" in after_restart.says("10").text


def test_a_reminders_button_takes_up_the_draft_of_its_project(stage: Stage) -> None:
    owed = stage.owed(date(2026, 12, 10))
    stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione").says("/menu")

    stage.ada.presses_data(f"r:{stage.market.id}:{owed.id}")

    assert stage.ada.text.startswith("Riprendiamo da dove eri.")
    assert "2 di 6" in stage.ada.text


def test_a_colleague_filling_in_the_same_is_told(stage: Stage) -> None:
    stage.owed(date(2026, 12, 10))
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione")

    walk_to_summary(stage.bruno.says("/aggiorna")).presses("Invia")

    told = stage.session.exec(select(Outbox).where(Outbox.address == "11")).all()[-1]
    assert "Bruno Esempio ha appena inviato l'aggiornamento" in told.body["html"]
    ada.says("50").says("320000").says("30/9/2027").presses("Stessa risposta").presses("Salta").presses("Invia")
    assert sent(stage)[-1].obligation_id is None


def test_old_buttons_answer_kindly_and_show_where_we_are(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna")
    old = dict(bruno.buttons)["Progetto esecutivo"]
    assert old is not None
    bruno.presses("Esecuzione")

    bruno.presses_data(old)

    assert bruno.text.startswith("Quel pulsante è di un messaggio precedente. Siamo qui:")
    assert "2 di 6" in bruno.text
    assert stage.session.exec(select(Draft.answers)).one() == {"phase": "03005"}


def test_sending_twice_sends_once(stage: Stage) -> None:
    bruno = walk_to_summary(stage.bruno.says("/aggiorna"))
    send = dict(bruno.buttons)["✅ Invia"]
    assert send is not None

    bruno.presses_data(send).presses_data(send)

    assert bruno.text == "È già stato inviato: non serve altro."
    assert len(sent(stage)) == 1


def test_carla_cannot_press_adas_buttons_nor_reach_adas_project(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna")
    data = bruno.buttons[0][1]
    assert data is not None

    assert stage.carla.presses_data(data).text == "Questo pulsante non è per te."
    assert stage.carla.presses_data(f"r:{stage.market.id}:").text == "Non trovo questo progetto tra i tuoi."
    assert stage.carla.presses_data(f"n:{stage.market.id}:").text == "Non trovo questo progetto tra i tuoi."
    for odd in ("d:1", "d:²:0:x", f"d:{10**30}:0:same", f"m:resume-{10**30}", "x:", "q:1:boh", "i:yes:x"):
        assert stage.carla.presses_data(odd).text
    draft = stage.session.exec(select(Draft.id)).one()
    assert "già stato inviato" in stage.carla.presses_data(f"m:resume-{draft}").text
    assert stage.session.exec(select(Draft.referent_id)).one() == stage.colleague.id


def test_a_button_pressed_by_somebody_else_in_the_chat_is_refused(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna")
    data = bruno.buttons[0][1]
    assert data is not None

    bruno.presses_data(data, sender=stage.carla.chat)

    assert bruno.text.startswith("Parlo solo in privato")
    assert stage.session.exec(select(Draft.answers)).one() == {}


def test_a_project_taken_away_ends_its_draft(stage: Stage) -> None:
    stage.bruno.says("/aggiorna").presses("Esecuzione")
    stage.session.delete(stage.session.get_one(Following, (stage.colleague.id, stage.market.id)))
    stage.session.flush()

    stage.bruno.says("50")

    assert "non è più tra i tuoi" in stage.bruno.text
    assert "Non vedo ancora nessun tuo progetto" in stage.bruno.says("/aggiorna").text


def test_an_edited_answer_is_said_not_to_be_read(stage: Stage) -> None:
    stage.bruno.says("/aggiorna").presses("Esecuzione").says("10")

    stage.bruno.sends({"edited_message": stage.bruno.message() | {"text": "20"}})

    assert "non leggo le modifiche" in stage.bruno.text
    assert stage.session.exec(select(Draft.answers)).one()["progress"] == "10.0"


def test_files_are_answered_with_a_way_to_leave_them_once_for_an_album(stage: Stage) -> None:
    photo = stage.ada.message() | {"photo": [{"file_id": "x"}], "media_group_id": "7"}

    stage.ada.sends({"message": photo})
    assert "solo i messaggi scritti" in stage.ada.text
    [page] = [button for row in stage.ada.heard[0].buttons for button in row if button.url]
    assert page.url is not None
    assert page.url.startswith("https://raccordo.example.org/r/")

    stage.ada.sends({"message": photo | {"message_id": 9}})
    assert stage.ada.heard == []


def test_deadlines_and_projects_are_listed_with_their_buttons(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    stage.owed(date(2026, 11, 20), stage.library)
    stage.owed(date(2026, 12, 10))
    stage.owed(date(2027, 3, 10))

    ada = stage.ada.says("/scadenze")
    assert "🔴 20/11/2026 – Monitoraggio mensile: Biblioteca di quartiere" in ada.text
    assert "Più avanti\n• 10/03/2027" in ada.text
    assert ada.labels.count("🔁 Nulla di nuovo") == 2

    ada.says("/progetti")
    assert "Ultimo aggiornamento: 24 ottobre 2026" in ada.text
    assert "Nessun aggiornamento finora" in ada.text
    assert "1 di 6 · Ex mercato coperto" in ada.presses("Ex mercato").text


def test_carla_sees_nothing_of_abbiategrasso(stage: Stage) -> None:
    stage.owed(date(2026, 12, 10))

    for command in ("/scadenze", "/progetti", "/domande", "/aggiorna mercato"):
        assert "mercato coperto" not in stage.carla.says(command).text


def test_a_summary_is_sent_by_words_too(stage: Stage) -> None:
    walk_to_summary(stage.bruno.says("/aggiorna")).says("Ok")

    assert len(sent(stage)) == 1


def test_whatever_staff_and_people_have_written_is_escaped_on_every_screen(stage: Stage) -> None:
    odd = "<b>Ex & mercato</i> " + "🏗" * 400
    stage.market.title = odd
    stage.session.get_one(Referent, stage.colleague.id).name = "<Bruno>"
    stage.owed(date(2026, 11, 10), title=odd)
    stage.owed(date(2026, 12, 10), title=odd)
    stage.session.flush()
    bruno = stage.bruno

    # the phone reads each message as strictly as Telegram does
    for said in ("/menu", "/progetti", "/scadenze", "/aggiorna"):
        assert "<" in bruno.says(said).text
    bruno.presses("10 dicembre").presses("Esecuzione").says("10").says("0").says("30/6/2027").says(odd)
    walked = bruno.says("<a href='x'>&amp;" + "&" * 1400)
    assert "Riepilogo" in walked.text
    bruno.presses("Cambia una risposta").presses("Indietro").presses("Invia")
    bruno.says("/aggiorna").presses("Nulla è cambiato").presses("tutto come prima")
    bruno.says("/domanda <i>" + "&" * 3000).presses("<b>Ex").says("/domande")

    assert len(sent(stage)) == 2


def test_a_question_of_a_form_costs_three_statements(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna")
    connection = stage.session.connection()
    counted: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *seen: counted.append(seen[2]))

    bruno.presses("Esecuzione")

    dialogue = [statement for statement in counted if "INTO inbox" not in statement and "SAVEPOINT" not in statement]
    assert [statement.split()[0] for statement in dialogue if "FROM outbox" not in statement] == [
        "SELECT",
        "UPDATE",
        "INSERT",
    ]


def test_a_draft_changed_by_another_door_meanwhile_is_not_overwritten(stage: Stage) -> None:
    stage.bruno.says("/aggiorna")
    draft = stage.session.exec(select(Draft)).one()
    scene = scene_at(stage.session, Channel.TELEGRAM, "12")
    turn = Turn(stage.bruno.house, stage.session, Heard(Kind.TEXT, 12, 12, True), 1, stage.cast.now, scene)
    assert change_draft(stage.session, draft.id, draft.revision, stage.cast.now, step="notes")

    with pytest.raises(DraftMoved):
        turn.move(step="progress")

    stage.session.refresh(draft)
    assert (draft.step, draft.revision) == ("notes", 2)
