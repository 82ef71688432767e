from datetime import timedelta

from sqlmodel import col, select

from answering import joining
from answering.joining import Seen
from delivery.callbacks import add_to, not_solved, solved
from delivery.outbox import queue
from delivery.words import Words
from storage.questions import thread
from storage.tables import Channel, Draft, DraftState, Outbox, OutboxKind, Question, QuestionState, SentPart
from tests.bot.conftest import Stage


def questions(stage: Stage) -> list[Question]:
    return list(
        stage.session.exec(select(Question).order_by(col(Question.id)).execution_options(populate_existing=True))
    )


def texts(stage: Stage, question: Question) -> list[str]:
    return [message.text for message in thread(stage.session, question.id)]


def test_a_question_about_a_project(stage: Stage) -> None:
    ada = stage.ada.says("/domanda")
    assert "Scrivi qui la tua domanda" in ada.text

    ada.says("Possiamo usare il ribasso d'asta?")
    assert ada.labels[:3] == ["Nessun progetto in particolare", "Biblioteca di quartiere", "Ex mercato coperto"]
    ada.presses("Ex mercato")

    [question] = questions(stage)
    assert f"Domanda n. {question.id} inviata" in ada.text
    assert "Risposta prevista: 26 novembre 2026" in ada.text
    assert (question.project_id, question.state) == (stage.market.id, QuestionState.NEW)
    assert texts(stage, question) == ["Possiamo usare il ribasso d'asta?"]


def test_a_question_written_behind_the_command_in_several_messages(stage: Stage) -> None:
    stage.ada.says("/domanda Buongiorno,").says("serve il CUP?").presses("Nessun progetto")

    [question] = questions(stage)
    assert question.project_id is None
    assert texts(stage, question) == ["Buongiorno,\nserve il CUP?"]


def test_a_loose_text_may_become_a_question(stage: Stage) -> None:
    ada = stage.ada.says("Entro quando va fatto <il collaudo>?")
    assert "È una domanda per l'ufficio?" in ada.text
    assert questions(stage) == []

    ada.presses("Sì, inviala").presses("Nessun progetto")

    assert texts(stage, questions(stage)[0]) == ["Entro quando va fatto <il collaudo>?"]


def test_a_loose_text_may_be_added_to_an_open_question_or_forgotten(stage: Stage) -> None:
    stage.ada.says("/domanda Serve il CUP?").presses("Nessun progetto")

    stage.ada.says("Aggiungo: è urgente").presses("Aggiungi alla n.")
    assert stage.ada.text == f"✓ Aggiunto alla domanda n. {questions(stage)[0].id}."
    stage.ada.says("lascia stare").presses("Lascia perdere")

    assert texts(stage, questions(stage)[0]) == ["Serve il CUP?", "Aggiungo: è urgente"]
    assert DraftState.OPEN not in stage.session.exec(select(Draft.state)).all()


def test_thanks_and_greetings_are_no_questions(stage: Stage) -> None:
    assert "Grazie a te" in stage.ada.says("Grazie!").text
    assert "Ciao Ada" in stage.ada.says("Buongiorno").text
    assert questions(stage) == []


def answered(stage: Stage) -> Question:
    """Ada's question with an answer of the office in her chat, which is Telegram's message 900."""
    question = stage.cast.a_question(stage.referent, state=QuestionState.ANSWERED)
    queue(
        stage.session,
        Words("Sì, si può."),
        kind=OutboxKind.ANSWER,
        channel=Channel.TELEGRAM,
        address="11",
        now=stage.cast.now,
        dedupe_key="answer",
        referent_id=stage.referent.id,
        question_id=question.id,
    )
    stage.ada.delivered("900")
    return question


def test_a_reply_to_the_answer_continues_the_thread(stage: Stage) -> None:
    question = answered(stage)

    stage.ada.says("E per gli arredi?", reply_to="900")

    assert stage.ada.text == f"✓ Aggiunto: la domanda n. {question.id} è di nuovo aperta, l'ufficio la leggerà."
    assert texts(stage, question)[-1] == "E per gli arredi?"
    assert questions(stage)[0].state is QuestionState.NEW


def test_a_reply_in_a_chat_that_was_somebody_elses_before_opens_no_thread(stage: Stage) -> None:
    question = answered(stage)
    stage.session.exec(select(Outbox).where(Outbox.provider_id == "900")).one().address = "13"
    stage.session.flush()

    stage.carla.says("E per gli arredi?", reply_to="900")

    assert "È una domanda per l'ufficio?" in stage.carla.text
    assert len(texts(stage, question)) == 1


def test_a_reply_to_ones_own_message_continues_the_thread_too(stage: Stage) -> None:
    stage.ada.says("/domanda").says("Serve il CUP?").presses("Nessun progetto")
    question = questions(stage)[0]
    own = thread(stage.session, question.id)[0].provider_id

    stage.ada.says("Anche il CIG?", reply_to=own)

    assert texts(stage, question) == ["Serve il CUP?", "Anche il CIG?"]


def test_a_reply_to_any_part_of_an_album_of_ours_continues_the_thread(stage: Stage) -> None:
    question = answered(stage)
    row = stage.session.exec(select(Outbox).where(Outbox.provider_id == "900")).one()
    stage.cast.add(SentPart(outbox_id=row.id, provider_id="901"))

    stage.ada.says("Questa non si legge", reply_to="901")

    assert texts(stage, question)[-1] == "Questa non si legge"


def test_a_reply_to_any_part_of_ones_own_album_continues_the_thread(stage: Stage) -> None:
    ada = stage.ada.leaves("Quale muro?", album="3")
    parts = [ada.written, ada.leaves(album="3").written]
    ada.waits().presses("Sì, inviala").presses("Nessun progetto")

    for number, part in enumerate(parts):
        ada.says(f"Intendo questo ({number})", reply_to=part)

    assert texts(stage, questions(stage)[0]) == ["Quale muro?", "Intendo questo (0)", "Intendo questo (1)"]


def test_carla_cannot_reach_adas_thread_by_a_part_of_her_album(stage: Stage) -> None:
    stage.ada.leaves("Quale muro?", album="3").leaves(album="3")
    part = stage.ada.written
    stage.ada.waits().presses("Sì, inviala").presses("Nessun progetto")

    stage.carla.says("Anch'io", reply_to=part)

    assert texts(stage, questions(stage)[0]) == ["Quale muro?"]


def test_a_reply_in_the_middle_of_an_update_leaves_the_update_alone(stage: Stage) -> None:
    question = answered(stage)
    stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione")

    stage.ada.says("45", reply_to="900")

    assert texts(stage, question)[-1] == "45"
    assert stage.session.exec(select(Draft.answers)).one() == {"phase": "03005"}
    assert "✓ Avanzamento fisico: 45%" in stage.ada.says("45").text


def test_solved_closes_and_not_solved_asks_what_is_missing(stage: Stage) -> None:
    question = answered(stage)

    stage.ada.presses_data(not_solved(question.id))
    assert stage.ada.text.startswith("Mi dispiace. Ho riaperto la domanda")
    stage.ada.says("Manca la norma")
    assert texts(stage, question)[-1] == "Manca la norma"
    assert (questions(stage)[0].state, questions(stage)[0].solved) == (QuestionState.NEW, False)

    stage.ada.presses_data(solved(question.id)).presses("Sì, chiudila")
    assert stage.ada.text.startswith("Bene! Ho chiuso la domanda")
    assert (questions(stage)[0].state, questions(stage)[0].solved) == (QuestionState.CLOSED, True)


def test_add_takes_the_next_message(stage: Stage) -> None:
    question = answered(stage)

    stage.ada.presses_data(add_to(question.id)).says("Dimenticavo: è urgente")

    assert texts(stage, question)[-1] == "Dimenticavo: è urgente"


def test_own_questions_are_listed_with_their_state(stage: Stage) -> None:
    stage.cast.a_question(stage.referent, "Prima domanda", state=QuestionState.CLOSED)
    stage.cast.a_question(stage.referent, "Seconda domanda").due_at = stage.cast.now + timedelta(days=2)
    stage.session.flush()

    ada = stage.ada.says("/domande")

    assert "in attesa dell'ufficio\nSeconda domanda\nRisposta prevista: 26 novembre 2026" in ada.text
    assert "chiusa\nPrima domanda" in ada.text


def test_carla_cannot_touch_adas_question(stage: Stage) -> None:
    question = answered(stage)

    for data in (solved(question.id), not_solved(question.id), add_to(question.id)):
        assert stage.carla.presses_data(data).text == "Non trovo questa domanda tra le tue."
    stage.carla.says("intrusa", reply_to="900")
    stage.carla.presses("Sì, inviala").presses_data(f"d:1:1:project-{stage.market.id}")

    assert "intrusa" not in texts(stage, question)
    assert questions(stage)[0].state is QuestionState.ANSWERED
    assert [one.project_id for one in questions(stage)[1:]] in ([], [None])


def test_a_question_left_before_its_project_is_chosen_is_kept_and_offered(stage: Stage) -> None:
    ada = stage.ada.says("Possiamo comprare gli arredi?").presses("Sì, inviala")
    old = dict(ada.buttons)["Nessun progetto in particolare"]
    assert old is not None

    for left in ("/domande", "/menu", "/domanda"):
        assert "Hai una domanda non inviata:\n\nPossiamo comprare gli arredi?" in ada.says(left).text
    assert questions(stage) == []
    ada.presses_data(old)
    assert "Hai una domanda non inviata" in ada.text

    ada.presses("Inviala").presses("Ex mercato")

    [question] = questions(stage)
    assert (question.project_id, texts(stage, question)) == (stage.market.id, ["Possiamo comprare gli arredi?"])
    assert "non inviata" not in ada.says("/domande").text


def test_a_question_put_by_may_be_left_and_is_not_offered_again(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Serve il CUP?").says("/progetti")

    ada.presses("Lascia perdere")

    assert ada.text == "Va bene, non ho inviato niente."
    assert "non inviata" not in ada.says("/menu").text
    assert questions(stage) == []


def test_a_question_that_was_cancelled_can_be_taken_up_again(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Serve il CUP?").presses("Annulla")
    assert ada.text.startswith("Va bene, non ho inviato niente.")

    ada.presses("Riprendi").presses("Nessun progetto")

    (question,) = questions(stage)
    assert texts(stage, question) == ["Serve il CUP?"]


def test_a_question_that_was_left_can_be_taken_up_again(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Serve il CUP?").says("/menu").presses("Lascia perdere")

    ada.presses("Riprendi").presses("Nessun progetto")

    (question,) = questions(stage)
    assert texts(stage, question) == ["Serve il CUP?"]


def test_an_empty_question_leaves_nothing_to_take_up(stage: Stage) -> None:
    assert stage.ada.says("/domanda").presses("Annulla").labels == ["Menu"]


def test_a_question_cancelled_on_purpose_is_not_offered(stage: Stage) -> None:
    ada = stage.ada.says("/domanda Serve il CUP?").says("/annulla")

    assert "non inviata" not in ada.text
    assert "non inviata" not in ada.says("/menu").text


def test_carla_cannot_send_nor_drop_adas_unsent_question(stage: Stage) -> None:
    stage.ada.says("/domanda Serve il CUP?").says("/menu")
    draft = stage.session.exec(select(Draft.id)).one()

    for action in ("ask", "drop"):
        assert stage.carla.presses_data(f"m:{action}-{draft}").text == "Questo pulsante non è per te."

    assert stage.session.exec(select(Draft.state)).one() is DraftState.PARKED


def test_solved_with_something_just_added_asks_before_closing(stage: Stage) -> None:
    question = answered(stage)
    ada = stage.ada.says("E per gli arredi?", reply_to="900")

    ada.presses_data(solved(question.id))
    assert ada.text == f"Hai appena aggiunto qualcosa alla domanda n. {question.id}: la chiudo lo stesso?"
    assert questions(stage)[0].state is QuestionState.NEW
    ada.presses("No, aspetto la risposta")
    assert questions(stage)[0].state is QuestionState.NEW

    ada.presses_data(solved(question.id)).presses("Sì, chiudila")
    assert "Ho chiuso la domanda" in ada.text
    assert questions(stage)[0].state is QuestionState.CLOSED


def test_carla_cannot_close_adas_question_after_all(stage: Stage) -> None:
    question = answered(stage)
    stage.ada.says("E per gli arredi?", reply_to="900")

    for action in ("close", "keep"):
        assert stage.carla.presses_data(f"m:{action}-{question.id}").text == "Non trovo questa domanda tra le tue."

    assert questions(stage)[0].state is QuestionState.NEW


def test_of_a_merged_question_buttons_and_replies_lead_to_where_it_is_now(stage: Stage) -> None:
    second = answered(stage)
    first = stage.cast.a_question(stage.referent, "Il ribasso?")
    joining.merge(stage.session, Seen(second.id, 1), Seen(first.id, 1), stage.cast.a_staff().id, now=stage.cast.now)

    stage.ada.presses_data(add_to(second.id)).says("Ancora una cosa")
    stage.ada.says("E un'altra", reply_to="900")

    assert texts(stage, first)[-2:] == ["Ancora una cosa", "E un'altra"]
    assert stage.ada.text == f"✓ Aggiunto alla domanda n. {first.id}."


def test_the_list_says_which_questions_wait_for_them(stage: Stage) -> None:
    stage.cast.a_question(stage.referent, state=QuestionState.ANSWERED, awaits=True)
    stage.cast.a_question(stage.referent, state=QuestionState.CLOSED, awaits=True)

    said = stage.ada.says("/domande").text

    assert "aspettiamo una tua risposta" in said
    assert "chiusa" in said
