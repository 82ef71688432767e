"""What the demo knows: texts that the rules take as they are, without a thing to confirm."""

import pytest
from sqlmodel import Session, select

from answering.faq import offers_for
from app.demo_knowledge import FAQ, SAVED, learn
from facts.languages import Language
from storage.faq import published
from storage.tables import SavedAnswer
from tests.cast import Cast


@pytest.fixture
def learned(session: Session, cast: Cast) -> Session:
    learn(session, cast.a_staff("Olga Esempio").id, cast.now)
    return session


def test_all_of_it_is_at_hand(learned: Session) -> None:
    assert len(published(learned)) == len(FAQ) == 4
    assert len(learned.exec(select(SavedAnswer)).all()) == len(SAVED) == 5


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Buongiorno, dove si trova il CUP?", "Il CUP, codice unico"),
        ("I dati li devo inserire anche in regis?", "Sì. L'aggiornamento"),
        ("Se non ci sono novità devo inviare lo stesso l'aggiornamento?", "La data è"),
        ("Si possono mandare documenti via PEC?", "Sì, dalla PEC"),
    ],
)
def test_who_asks_like_people_do_is_offered_the_answer(learned: Session, text: str, answer: str) -> None:
    assert offers_for(learned, text, Language.IT)[0].answer.startswith(answer)


def test_the_question_of_the_demo_itself_is_answered_by_none(learned: Session) -> None:
    text = "Buongiorno, possiamo usare il ribasso d'asta per sistemare anche il cortile?"

    assert offers_for(learned, text, Language.IT) == []
