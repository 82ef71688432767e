"""What staff wrote first is answered in the chat: by a reply, by its button; each person's answers are one question."""

from sqlmodel import select

from answering.circular_sending import word_circular
from bot.asking import CIRCULAR
from storage.circulars import replied
from storage.tables import Circular, Draft, DraftState, Outbox, OutboxKind, OutboxState, Question, QuestionState
from tests.answering.circular_makers import being_sent, queue_all
from tests.bot.conftest import Stage


def arrived(stage: Stage) -> Circular:
    """A circular that Ada and Bruno have got, hers as message 500."""
    circular = being_sent(stage.cast, [stage.referent, stage.colleague])
    queue_all(stage.cast)
    for row in stage.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.CIRCULAR)).all():
        words = word_circular()(stage.session, row, stage.cast.now)
        assert words is not None
        row.body, row.state = words.to_json(), OutboxState.SENT
        row.provider_id = "500" if row.referent_id == stage.referent.id else "600"
    stage.session.flush()
    return circular


def questions(stage: Stage) -> list[Question]:
    return list(stage.session.exec(select(Question).order_by("id").execution_options(populate_existing=True)))


def test_a_reply_becomes_a_question_at_once(stage: Stage) -> None:
    circular = arrived(stage)

    stage.ada.says("E il parcheggio?", reply_to="500")

    (question,) = questions(stage)
    assert (question.circular_id, question.referent_id) == (circular.id, stage.referent.id)
    assert f"è la domanda n. {question.id}" in stage.ada.text


def test_what_is_said_of_it_later_goes_into_the_same_thread(stage: Stage) -> None:
    arrived(stage)
    stage.ada.says("E il parcheggio?", reply_to="500")

    stage.ada.says("E il cortile?", reply_to="500")

    assert len(questions(stage)) == 1
    assert "Aggiunto" in stage.ada.text or "aggiunto" in stage.ada.text


def test_a_file_in_reply_is_an_answer_too(stage: Stage) -> None:
    circular = arrived(stage)

    stage.ada.leaves("Ecco", reply_to="500")

    assert [one.circular_id for one in questions(stage)] == [circular.id]


def test_its_button_asks_for_the_answer_and_keeps_what_it_answers(stage: Stage) -> None:
    circular = arrived(stage)

    stage.carla.presses_data(f"w:{circular.id}")
    assert "non trovo questa comunicazione" in stage.carla.text.lower()

    stage.ada.presses_data(f"w:{circular.id}").says("Ci saremo").presses("Nessun progetto in particolare")

    assert replied(stage.session, stage.referent.id, circular.id) == questions(stage)[0].id


def test_its_button_leads_into_the_thread_when_they_have_answered(stage: Stage) -> None:
    circular = arrived(stage)
    stage.ada.says("Ci saremo", reply_to="500")

    stage.ada.presses_data(f"w:{circular.id}").says("Anzi no")

    (question,) = questions(stage)
    assert question.state is QuestionState.NEW
    assert len(stage.session.exec(select(Draft).where(Draft.state == DraftState.OPEN)).all()) == 0


def test_a_button_without_a_number_is_answered_kindly(stage: Stage) -> None:
    arrived(stage)

    for data in ("w:", "w:99999999999999999999", "w:nonsense"):
        assert "Non trovo questa comunicazione" in stage.ada.presses_data(data).text


def test_an_answer_begun_by_the_button_can_be_cancelled(stage: Stage) -> None:
    circular = arrived(stage)

    stage.ada.presses_data(f"w:{circular.id}").presses("Annulla")

    assert questions(stage) == []
    assert stage.session.exec(select(Draft)).one().answers == {CIRCULAR: circular.id}


def test_somebody_elses_circular_is_not_answered_by_a_reply(stage: Stage) -> None:
    arrived(stage)

    stage.carla.says("E io?", reply_to="500")

    assert questions(stage) == []
