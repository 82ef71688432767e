"""Colleagues called upon in notes: by name or by choice, told, and seen once the question is opened."""

from datetime import datetime

import pytest
from sqlmodel import Session, col, select

from answering import answer as answers
from answering.refusal import Refused
from storage import mentions, waiting
from storage.queue import View, queue_counts, queue_page
from storage.tables import Mention, Message, Question, Role, Staff
from tests.cast import Cast


@pytest.fixture
def olga(cast: Cast) -> Staff:
    return cast.a_staff("Olga Esempio")


@pytest.fixture
def question(cast: Cast) -> Question:
    return cast.a_question(cast.a_referent())


def called(session: Session) -> list[int]:
    return list(session.exec(select(Mention.staff_id).order_by(col(Mention.id))))


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("@Ugo guarda qui", ["Ugo"]),
        ("guarda, @ugo rossi?", ["Ugo"]),
        ("(@Niccolò) e @Ugo, e ancora @Ugo", ["Nico", "Ugo"]),
        ("@niccolo'", ["Nico"]),
        ("scrivi a ugo@example.org", []),
        ("@nessuno @ @@Ugo", []),
        ("Ugo", []),
        ("@Olga", []),  # oneself
        ("@Piero se n'è andato", []),
    ],
)
def test_a_name_behind_an_at_calls_upon_its_owner(
    session: Session, cast: Cast, olga: Staff, question: Question, text: str, whom: list[str]
) -> None:
    people = {"Ugo": cast.a_staff("Ugo Rossi", Role.READER), "Nico": cast.a_staff("Niccolò Verdi")}
    cast.a_staff("Piero Bianchi", active=False)

    answers.note(session, question.id, olga.id, text, now=cast.now)

    assert called(session) == [people[name].id for name in whom]


def test_of_two_with_one_first_name_the_surname_decides(
    session: Session, cast: Cast, now: datetime, olga: Staff, question: Question
) -> None:
    rossi, _ = cast.a_staff("Ugo Rossi"), cast.a_staff("Ugo Verdi")

    with pytest.raises(Refused, match="several colleagues"):
        answers.note(session, question.id, olga.id, "@Ugo guarda", now=now)
    answers.note(session, question.id, olga.id, "@Ugo Rossi guarda", now=now)

    assert called(session) == [rossi.id]
    assert len(session.exec(select(Message).where(col(Message.staff_id).is_not(None))).all()) == 1


def test_one_can_be_chosen_and_is_called_once(
    session: Session, cast: Cast, now: datetime, olga: Staff, question: Question
) -> None:
    ugo = cast.a_staff("Ugo Rossi")

    answers.note(session, question.id, olga.id, "@Ugo", now=now, calls=ugo.id)
    answers.note(session, question.id, olga.id, "Nessuno", now=now, calls=999_999)

    assert called(session) == [ugo.id]


def test_it_lies_in_their_heap_until_they_open_the_question(
    session: Session, cast: Cast, now: datetime, olga: Staff, question: Question
) -> None:
    ugo = cast.a_staff("Ugo Rossi")
    answers.note(session, question.id, olga.id, "@Ugo", now=now)

    assert [line.id for line in queue_page(session, View.MENTIONED, ugo.id)[0]] == [question.id]
    assert queue_counts(session, ugo.id)[View.MENTIONED] == 1
    assert queue_counts(session, olga.id)[View.MENTIONED] == 0
    assert waiting.mentioned_in(session, ugo.id) == [question.id]
    mentions.see(session, question.id, olga.id, now)
    assert mentions.waits(session, question.id, ugo.id)
    mentions.see(session, question.id, ugo.id, now)
    assert not mentions.waits(session, question.id, ugo.id)
    assert queue_counts(session, ugo.id)[View.MENTIONED] == 0
