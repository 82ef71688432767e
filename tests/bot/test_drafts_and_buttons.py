from datetime import date, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import col, func, select

from bot.heard import Heard, Kind
from bot.turn import DraftMoved, Turn
from storage.drafts import change_draft, scene_at
from storage.tables import Channel, Draft, DraftState, Following, Outbox, Referent
from tests.bot.conftest import Stage
from tests.bot.talk import Phone, walk_to_summary


def test_a_draft_is_offered_again_after_something_else(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione").says("10")
    ada.says("/domanda").says("Una domanda veloce").presses("Nessun progetto")

    ada.says("/menu")
    assert "Hai lasciato a metà:\n• Ex mercato coperto" in ada.text
    ada.says("/aggiorna")
    assert "Ex mercato coperto (risposte: 2 su 6)" in ada.text

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

    told = stage.session.exec(select(Outbox).where(Outbox.address == "11").order_by(col(Outbox.id))).all()[-1]
    assert "Bruno Esempio ha appena inviato l'aggiornamento" in told.body["html"]
    ada.says("50").says("320000").says("30/9/2027").presses("Stessa risposta").presses("Salta").presses("Invia")
    assert stage.sent[-1].obligation_id is None


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
    assert len(stage.sent) == 1


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


def test_a_made_up_button_cannot_choose_a_foreign_project(stage: Stage) -> None:
    park = stage.cast.a_project(stage.cast.an_organization("Rho"), title="Altro parco")
    stage.cast.add(Following(referent_id=stage.foreigner.id, project_id=park.id, since=stage.cast.now))
    carla = stage.carla.says("/aggiorna")
    own = carla.buttons[0][1]
    assert own is not None

    carla.presses_data(own.rpartition("-")[0] + f"-{stage.market.id}")

    assert "Di quale progetto si tratta?" in carla.text
    assert stage.session.exec(select(Draft.project_id)).one() is None


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


def test_deadlines_and_projects_are_listed_with_their_buttons(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    stage.owed(date(2026, 11, 20), stage.library)
    stage.owed(date(2026, 12, 10))
    stage.owed(date(2027, 3, 10))

    ada = stage.ada.says("/scadenze")
    assert "🔴 20/11/2026 – Monitoraggio mensile: Biblioteca di quartiere" in ada.text
    assert "Più avanti\n• 10/03/2027" in ada.text
    assert ada.labels.count("🔁 Nessuna novità") == 1  # the library has no update to repeat

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

    assert len(stage.sent) == 1


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
    bruno.says("/aggiorna").presses("Nessuna novità").presses("tutto come prima")
    bruno.says("/domanda <i>" + "&" * 3000).presses("<b>Ex").says("/domande")

    assert len(stage.sent) == 2


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
    assert scene is not None
    assert scene.work is not None
    turn = Turn(stage.bruno.house, stage.session, Heard(Kind.TEXT, 12, 12, True), 1, stage.cast.now, scene)
    assert change_draft(stage.session, draft.id, draft.revision, stage.cast.now, step="notes")

    with pytest.raises(DraftMoved):
        turn.move(step="progress")

    stage.session.refresh(draft)
    assert (draft.step, draft.revision) == ("notes", scene.work.revision + 1)
