"""Five photos with a caption are one answer, whatever happens between them."""

import threading
import time
from datetime import datetime

from sqlmodel import col, select

from answering.answer import answer
from storage import attachments
from storage.database import Database
from storage.questions import thread
from storage.tables import Album, Attachment, Question, QuestionState
from tests.bot.conftest import Stage, make_stage
from tests.bot.talk import Phone, walk_to_summary
from tests.cast import Cast


def parts(stage: Stage) -> list[Attachment]:
    return list(
        stage.session.exec(select(Attachment).order_by(col(Attachment.id)).execution_options(populate_existing=True))
    )


def send_album(stage: Stage, name: str = "77", count: int = 5, caption: str = "Il cantiere oggi") -> None:
    stage.bruno.leaves(caption, album=name)
    for _ in range(count - 1):
        stage.bruno.leaves(album=name)


def test_an_album_is_one_answer_once_it_has_been_quiet(stage: Stage) -> None:
    stage.bruno.says("/aggiorna").presses("Esecuzione").says("45").says("310000").says("30/9/2027")

    send_album(stage)
    assert stage.bruno.heard == [], "nothing is said while it gathers"
    assert stage.bruno.waits(2.0).heard == []
    stage.bruno.leaves(album="77")
    assert stage.bruno.waits(2.0).heard == [], "each part starts the time anew"
    stage.bruno.waits(1.0)

    assert len(stage.bruno.heard) == 1
    assert "📎 Ricevuto: 6 foto" in stage.bruno.text
    assert "✓ Quale problema: Il cantiere oggi" in stage.bruno.text
    stage.bruno.presses("Salta").presses("Invia")
    assert len(attachments.of_update(stage.session, stage.sent[0].id)) == 6


def test_whatever_else_is_done_closes_the_album_first(stage: Stage) -> None:
    send_album(stage, caption="Domanda con foto")

    stage.bruno.says("ciao")

    assert "📎 Ricevuto: 5 foto" in stage.bruno.text
    stage.bruno.waits()
    assert stage.bruno.heard == [], "the timer finds nothing left to do"
    assert {part.draft_id for part in parts(stage)} != {None}


def test_a_second_album_closes_the_first(stage: Stage) -> None:
    stage.bruno.says("/domanda Guardate le foto").presses("Nessun progetto")
    stage.bruno.presses("Aggiungi qualcosa")
    send_album(stage, "1", 2, "prima")

    send_album(stage, "2", 3, "seconda")
    stage.bruno.waits()

    question = stage.session.exec(select(Question)).one()
    assert [message.text for message in thread(stage.session, question.id)] == ["Guardate le foto", "prima"]
    assert "Ricevuto: 3 foto" in stage.bruno.text


def test_a_late_part_goes_where_the_others_went(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna")
    send_album(stage, count=2)
    walk_to_summary(bruno.waits()).presses("Invia")

    bruno.leaves(album="77")

    assert "l'ho messo insieme al resto" in bruno.text
    assert [part.update_id for part in parts(stage)] == [stage.sent[0].id] * 3
    assert bruno.leaves(album="77").heard == [], "said once"


def test_a_part_that_comes_after_the_answer_opens_the_question_again(stage: Stage) -> None:
    ada = stage.ada
    ada.leaves("Va bene così?", album="5")
    ada.waits().presses("Sì, inviala").presses("Nessun progetto")
    question = stage.session.exec(select(Question)).one()
    olga = stage.cast.a_staff()
    answer(stage.session, question.id, olga.id, "Manca la facciata", version=question.version, now=ada.now)

    ada.leaves(album="5")

    stage.session.expire_all()
    assert question.state is QuestionState.TAKEN
    texts = [message.text for message in thread(stage.session, question.id)]
    assert texts[:2] == ["Va bene così?", "Manca la facciata"]
    assert texts[2].startswith("Ho aggiunto un file a un mio messaggio di prima: foto-")
    assert "l'ho messo insieme al resto" in ada.text
    ada.leaves(album="5")
    assert len(thread(stage.session, question.id)) == 3, "said once"


def test_a_caption_on_a_later_part_is_the_albums(stage: Stage) -> None:
    stage.ada.leaves(album="5")
    stage.ada.leaves("Va bene?", album="5")
    stage.ada.waits().presses("Sì, inviala").presses("Nessun progetto")

    question = stage.session.exec(select(Question)).one()
    assert [message.text for message in thread(stage.session, question.id)] == ["Va bene?"]


def test_an_album_in_reply_to_a_thread_is_one_message_of_it(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Che foto servono?").presses("Nessun progetto")
    receipt = ada.delivered("900")
    ada.leaves("queste", album="6", reply_to=receipt)
    ada.leaves(album="6")
    ada.waits()

    question = stage.session.exec(select(Question)).one()
    messages = thread(stage.session, question.id)
    assert [message.text for message in messages] == ["Che foto servono?", "queste"]
    assert [part.message_id for part in parts(stage)] == [messages[1].id] * 2


def test_parts_that_are_too_large_are_told_together(stage: Stage) -> None:
    stage.bruno.says("/aggiorna")
    for name in ("a.mp4", "b.mp4"):
        stage.bruno.leaves(album="8", video={"file_id": name, "file_name": name, "file_size": 30_000_000})

    stage.bruno.waits()

    assert stage.bruno.labels[-2:] == ["⬆️ Carica “a.mp4”", "⬆️ Carica “b.mp4”"]


def test_who_leaves_while_an_album_gathers_gets_nothing_more(stage: Stage) -> None:
    stage.bruno.says("/esci")
    data = next(data for text, data in stage.bruno.buttons if text.startswith("Sì"))
    send_album(stage, count=2)
    assert data is not None

    stage.bruno.presses_data(data)
    stage.bruno.waits()

    assert stage.bruno.heard == []
    assert stage.session.exec(select(Album.closed_at)).one() is not None


def test_a_part_and_the_timer_at_the_same_moment_leave_no_part_behind(database: Database, now: datetime) -> None:
    with database.write() as session:
        stage = make_stage(session, Cast(session, now), now)
        chat, house = stage.bruno.chat, stage.bruno.house
        stage.bruno.leaves("foto", album="1")
    adding = threading.Event()

    def another_part() -> None:
        with database.write() as session:
            Phone(session, chat, now, house).leaves(album="1")
            adding.set()
            time.sleep(0.3)  # the transaction is open while the timer rings

    thread = threading.Thread(target=another_part)
    thread.start()
    adding.wait(10)
    with database.write() as session:
        Phone(session, chat, now, house).waits(10)
    thread.join()

    with database.read() as session:
        assert len({part.draft_id for part in session.exec(select(Attachment))}) == 1
        assert len(session.exec(select(Attachment)).all()) == 2
