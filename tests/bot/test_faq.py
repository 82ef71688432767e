"""Questions that are answered already: the list in the chat, and what is offered before a question is sent."""

import pytest
from sqlmodel import col, select

from storage.tables import Category, Draft, DraftState, FaqEntry, FaqState, Question, Role
from tests.bot.conftest import Stage

CUP = "Che cos'è il CUP e dove lo trovo?"


def published(stage: Stage, question: str = CUP, answer: str = "È scritto nella delibera.", **other: object) -> int:
    officer = stage.cast.a_staff(role=Role.OFFICER)
    values: dict[str, object] = {"proposed_by": officer.id, "created_at": stage.cast.now, "changed_at": stage.cast.now}
    entry = FaqEntry.model_validate({"question": question, "answer": answer, "state": "published"} | values | other)
    return int(stage.cast.add(entry).id)


def opinions(stage: Stage, entry_id: int) -> tuple[int, int]:
    entry = stage.session.get_one(FaqEntry, entry_id, populate_existing=True)
    return entry.helped, entry.not_helped


def asked(stage: Stage) -> list[Question]:
    return list(stage.session.exec(select(Question).order_by(col(Question.id))))


def test_they_are_one_press_from_the_menu(stage: Stage) -> None:
    published(stage, answer="Nella delibera.")

    ada = stage.ada.says("/menu").presses("💡 Domande frequenti")

    assert "Domande frequenti" in ada.text
    assert CUP in ada.text


def test_before_a_question_goes_what_is_answered_already_is_offered(stage: Stage) -> None:
    entry = published(stage, answer="È <scritto> nella delibera.")

    ada = stage.ada.says("/domanda Dove trovo il CUP?").presses("Ex mercato")

    assert "questo risponde alla tua domanda?" in ada.text
    assert "È <scritto> nella delibera." in ada.text
    assert ada.labels == ["👍 Sì, ha risposto", "No, invia la mia domanda", "✖ Annulla"]
    assert asked(stage) == []
    assert opinions(stage, entry) == (0, 0)


def test_who_has_the_answer_sends_nothing_and_still_can(stage: Stage) -> None:
    entry = published(stage)
    ada = stage.ada.says("/domanda Dove trovo il CUP?").presses("Ex mercato")

    ada.presses("Sì, ha risposto")

    assert "non ho inviato nulla" in ada.text
    assert asked(stage) == []
    assert opinions(stage, entry) == (1, 0)
    ada.presses("Invia lo stesso")
    assert "inviata" in ada.text
    assert [one.project_id for one in asked(stage)] == [stage.market.id]
    assert opinions(stage, entry) == (1, 0)


def test_who_looked_at_something_else_before_the_answers_is_not_asked_about_the_project_again(stage: Stage) -> None:
    published(stage)
    ada = stage.ada.says("/domanda Dove trovo il CUP?").presses("Ex mercato").says("/progetti")

    ada.presses("Invia")

    assert "inviata" in ada.text
    assert [one.project_id for one in asked(stage)] == [stage.market.id]


def test_sending_all_the_same_twice_sends_one(stage: Stage) -> None:
    published(stage)
    ada = stage.ada.says("/domanda Dove trovo il CUP?").presses("Ex mercato").presses("Sì, ha risposto")
    [data] = [data for text, data in ada.buttons if data and text == "Invia lo stesso"]

    ada.presses_data(data).presses_data(data)

    assert "già" in ada.text
    assert len(asked(stage)) == 1


def test_who_has_not_sends_it_about_the_project_that_was_chosen(stage: Stage) -> None:
    entry = published(stage)

    ada = stage.ada.says("/domanda Dove trovo il CUP?").presses("Ex mercato").presses("No, invia")

    assert "inviata" in ada.text
    assert [one.project_id for one in asked(stage)] == [stage.market.id]
    assert opinions(stage, entry) == (0, 1)


def test_of_several_the_one_that_was_the_answer_is_counted(stage: Stage) -> None:
    first = published(stage, "Dove trovo il codice CUP?")
    second = published(stage, "Il codice CUP dove lo trovo?")

    ada = stage.ada.says("/domanda Dove trovo il codice CUP?").presses("Nessun progetto")
    both = ada.text
    ada.presses("Ha risposto la n. 2")

    assert "una di queste risponde" in both
    assert "2. Il codice CUP dove lo trovo?" in both
    assert (opinions(stage, first), opinions(stage, second)) == ((0, 0), (1, 0))


@pytest.mark.parametrize("state", [FaqState.PROPOSED, FaqState.WITHDRAWN])
def test_what_is_not_published_is_offered_to_nobody(stage: Stage, state: FaqState) -> None:
    published(stage, state=state)

    stage.ada.says("/domanda Dove trovo il CUP?").presses("Nessun progetto")

    assert len(asked(stage)) == 1


def test_a_question_about_something_else_goes_at_once(stage: Stage) -> None:
    published(stage)

    stage.ada.says("/domanda L'impresa è fallita, che si fa?").presses("Nessun progetto")

    assert len(asked(stage)) == 1


def test_who_goes_on_writing_is_not_asked_again(stage: Stage) -> None:
    published(stage)
    ada = stage.ada.says("/domanda Dove trovo il CUP?").presses("Nessun progetto")

    ada.says("Intendo quello del lotto di Corsico, che è sbagliato in tutte le fatture liquidate")
    chosen = ada.labels
    ada.presses("Ex mercato")

    assert "Ex mercato coperto" in chosen
    assert len(asked(stage)) == 1


def test_what_is_withdrawn_meanwhile_holds_nothing_up(stage: Stage) -> None:
    entry = published(stage)
    ada = stage.ada.says("/domanda Dove trovo il CUP?").presses("Nessun progetto")
    stage.session.get_one(FaqEntry, entry).state = FaqState.WITHDRAWN
    stage.session.flush()

    ada.leaves()
    assert ada.labels[0] == "Inviala"
    ada.presses("Inviala")

    assert len(asked(stage)) == 1
    assert opinions(stage, entry) == (0, 0)


def test_a_button_of_an_answer_that_was_not_offered_counts_nothing(stage: Stage) -> None:
    published(stage)
    other = published(stage, "Entro quale giorno va inviato?")
    ada = stage.ada.says("/domanda Dove trovo il CUP?").presses("Nessun progetto")
    data = str(dict(ada.buttons)["👍 Sì, ha risposto"])

    ada.presses_data(data.rsplit("-", 1)[0] + f"-{other}")

    assert "questo risponde alla tua domanda?" in ada.text
    assert opinions(stage, other) == (0, 0)


def test_with_the_answer_before_them_people_can_cancel(stage: Stage) -> None:
    published(stage)

    stage.ada.says("/domanda Dove trovo il CUP?").presses("Nessun progetto").presses("Annulla")

    assert asked(stage) == []
    assert stage.session.exec(select(Draft.state)).all() == [DraftState.CANCELLED]


def test_a_long_answer_is_begun_and_the_page_has_the_rest(stage: Stage) -> None:
    entry = published(stage, answer="parola " * 400)

    ada = stage.ada.says("/domanda Dove trovo il CUP?").presses("Nessun progetto")

    assert len(ada.text) < 1200
    assert f"https://raccordo.example.org/public/faq#faq-{entry}" in ada.heard[0].html


def test_in_english_the_english_text_is_looked_at_and_read(stage: Stage) -> None:
    published(stage, question_en="Where do I find the CUP code?", answer_en="In the resolution.")
    stage.referent.language = "en"
    stage.session.flush()

    ada = stage.ada.says("/ask Where can I find the CUP code?").presses("No project in particular")

    assert "In the resolution." in ada.text
    assert ada.labels[0] == "👍 Yes, that is my answer"


# -- /faq


def test_the_list_in_the_chat_and_one_answer(stage: Stage) -> None:
    published(stage)

    ada = stage.ada.says("/faq")
    listed = ada.text
    ada.presses("Che cos'è il CUP")

    assert "1. Che cos'è il CUP e dove lo trovo?" in listed
    assert "È scritto nella delibera." in ada.text
    assert "Tocca una domanda" in ada.presses("Indietro").text


def test_many_are_listed_by_category_and_page(stage: Stage) -> None:
    regis = stage.cast.add(Category(name="ReGiS", name_en="ReGiS system", hours=4, created_at=stage.cast.now)).id
    for number in range(10):
        published(stage, f"Domanda {number}?", category_id=regis)
    published(stage, "Altra?")

    ada = stage.ada.says("/faq")
    categories = ada.labels
    ada.presses("ReGiS (10)").presses("Altri")

    assert categories == ["ReGiS (10)", "Altre domande (1)", "Menu"]
    assert "9. Domanda 8?" in ada.text
    assert "Domanda 7?" not in ada.text
    assert "Altra?" not in ada.text


def test_with_nothing_published_the_chat_says_how_to_ask(stage: Stage) -> None:
    assert "Non ci sono ancora risposte per tutti" in stage.ada.says("/faq").text


@pytest.mark.parametrize("data", ["k:", "k:e:", "k:e:99999999999999999999", "k:7:x", "k:99999999999999:9", "k:²:1"])
def test_odd_buttons_lead_to_the_list(stage: Stage, data: str) -> None:
    published(stage)

    assert "Domande frequenti" in stage.ada.presses_data(data).text


def test_what_is_withdrawn_is_read_no_more(stage: Stage) -> None:
    entry = published(stage)
    published(stage, "Altra?")
    ada = stage.ada.says("/faq")
    stage.session.get_one(FaqEntry, entry).state = FaqState.WITHDRAWN
    stage.session.flush()

    ada.presses("Che cos'è il CUP")

    assert "delibera" not in ada.text
    assert "1. Altra?" in ada.text


def test_a_stranger_is_led_to_the_page(stage: Stage) -> None:
    from tests.bot.talk import Phone

    stranger = Phone(stage.session, 99, stage.cast.now).says("/faq")

    assert "https://raccordo.example.org/public/faq" in stranger.text
    assert stranger.buttons == []
