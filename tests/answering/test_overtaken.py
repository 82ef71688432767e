"""Why a move came too late: nobody is told that somebody answered when nobody did. And whose word was the last."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from answering import answer as answers
from answering import moves
from answering.refusal import Refused
from intake.corrections import Edited, correct_message
from intake.questions import add_message, settle
from storage.tables import Channel, Message, Question, QuestionState, Referent, Staff
from storage.threads import awaits_reply, last_word
from tests.cast import Cast

LATER = timedelta(minutes=1)


@pytest.fixture
def ada(cast: Cast) -> Referent:
    return cast.a_referent("Ada Esempio", chat=7)


@pytest.fixture
def olga(cast: Cast) -> Staff:
    return cast.a_staff("Olga Esempio")


@pytest.fixture
def question(cast: Cast, ada: Referent) -> Question:
    return cast.a_question(ada)


def edits(session: Session, question: Question, now: datetime, after: str = "Anzi, tutto il ribasso?") -> None:
    first = session.exec(select(Message).where(Message.question_id == question.id)).first()
    assert first is not None
    correct_message(session, first, Edited(first.text, after), now=now, zone="Europe/Rome")
    session.expire_all()


def why(session: Session, question: Question, staff: Staff, version: int, now: datetime) -> str:
    with pytest.raises(Refused) as refused:
        answers.answer(session, question.id, staff.id, "Ecco", version=version, now=now)
    return refused.value.sentence.format(**refused.value.values)


def test_who_answered_is_not_told_that_she_did_when_the_question_was_edited_since(
    session: Session, question: Question, olga: Staff, now: datetime
) -> None:
    answers.answer(session, question.id, olga.id, "Sì", version=1, now=now)
    edits(session, question, now + LATER)
    seen = question.version
    edits(session, question, now + 2 * LATER, "Anzi, metà?")

    assert why(session, question, olga, seen, now + 3 * LATER).startswith("Something has changed")


def test_not_yet_is_nobodys_answer(
    session: Session, question: Question, ada: Referent, olga: Staff, now: datetime
) -> None:
    answers.answer(session, question.id, olga.id, "Sì", version=1, now=now)
    settle(session, question.id, ada.id, solved=False, now=now + LATER)

    assert why(session, question, olga, 2, now + 2 * LATER).startswith("Something has changed")


def test_a_colleagues_answer_is_told_with_their_name(
    session: Session, cast: Cast, question: Question, olga: Staff, now: datetime
) -> None:
    answers.answer(session, question.id, olga.id, "Sì", version=1, now=now)

    assert why(session, question, cast.a_staff("Ugo Esempio"), 1, now).startswith("Olga Esempio has answered")


def test_ones_own_answer_from_another_window_is_told_as_such(
    session: Session, question: Question, olga: Staff, now: datetime
) -> None:
    answers.answer(session, question.id, olga.id, "Sì", version=1, now=now)

    assert why(session, question, olga, 1, now).startswith("You have answered already")


def test_who_has_it_in_hand_is_not_told_that_she_has(
    session: Session, cast: Cast, question: Question, olga: Staff, now: datetime
) -> None:
    moves.take(session, question.id, olga.id, version=1, now=now)

    assert why(session, question, olga, 1, now).startswith("Something has changed")
    assert why(session, question, cast.a_staff("Ugo Esempio"), 1, now).startswith("Olga Esempio is working")


# --- whose word was the last


def test_a_question_awaits_a_reply_until_it_is_answered(
    session: Session, question: Question, ada: Referent, olga: Staff, now: datetime
) -> None:
    assert awaits_reply(session, question.id)

    answers.answer(session, question.id, olga.id, "Sì", version=1, now=now)
    assert not awaits_reply(session, question.id)

    add_message(session, question, referent_id=ada.id, text="E poi?", channel=Channel.TELEGRAM, now=now + LATER)
    assert awaits_reply(session, question.id)


def test_a_correction_after_the_answer_awaits_a_reply(
    session: Session, question: Question, olga: Staff, now: datetime
) -> None:
    answers.answer(session, question.id, olga.id, "Sì", version=1, now=now)
    edits(session, question, now + LATER)

    word = last_word(session, question.id)
    assert word is not None
    assert (word.corrected, word.text) == (True, "Anzi, tutto il ribasso?")

    answers.answer(session, question.id, olga.id, "No", version=question.version, now=now + 2 * LATER)
    assert not awaits_reply(session, question.id)


def test_the_last_word_is_what_stands_there_now(session: Session, question: Question, now: datetime) -> None:
    edits(session, question, now + LATER)

    word = last_word(session, question.id)

    assert word is not None
    assert (word.corrected, word.text) == (True, "Anzi, tutto il ribasso?")


def test_not_yet_awaits_a_reply_until_there_is_another_answer(
    session: Session, question: Question, ada: Referent, olga: Staff, now: datetime
) -> None:
    answers.answer(session, question.id, olga.id, "Sì", version=1, now=now)
    settle(session, question.id, ada.id, solved=False, now=now + LATER)

    word = last_word(session, question.id)
    assert word is not None
    assert (word.unsolved, word.text) == (True, "Sì")

    answers.answer(session, question.id, olga.id, "Ecco come", version=3, now=now + 2 * LATER)
    session.refresh(question)
    assert not awaits_reply(session, question.id)
    assert (question.state, question.solved) == (QuestionState.ANSWERED, None)
