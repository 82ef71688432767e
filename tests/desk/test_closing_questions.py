"""Closing asks first when nobody has answered what the referent said last, in whatever way they said it."""

from datetime import timedelta

import pytest
from sqlmodel import select

from intake.corrections import Edited, correct_message
from intake.questions import settle
from storage.tables import Message, Question, QuestionState
from tests.desk.conftest import Desk
from tests.desk.test_questions import a_question, press


def edits(desk: Desk, question_id: int) -> None:
    with desk.house.database.write() as session:
        message = session.exec(select(Message).where(Message.question_id == question_id)).first()
        assert message is not None
        edited = Edited(message.text, "Anzi: tutto il ribasso?")
        correct_message(session, message, edited, now=desk.house.clock() + timedelta(minutes=1), zone="Europe/Rome")


def says_not_yet(desk: Desk, question_id: int) -> None:
    with desk.house.database.write() as session:
        question = session.get_one(Question, question_id)
        assert question.referent_id is not None
        settle(session, question_id, question.referent_id, solved=False, now=desk.house.clock())


@pytest.mark.parametrize(
    ("does", "said", "shown"),
    [
        (edits, "ha corretto quello che aveva scritto", "Anzi: tutto il ribasso?"),
        (says_not_yet, "ha detto che questa risposta non è bastata", "Sì, si può"),
    ],
)
async def test_closing_asks_first_also_after_a_correction_and_after_not_yet(
    desk: Desk, does: object, said: str, shown: str
) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")
    await press(olga, question_id, "answer", text="Sì, si può")
    does(desk, question_id)  # type: ignore[operator]  # one of two alike

    asked = await press(olga, question_id, "close", version=3)

    assert asked.headers["location"] == f"/desk/questions/{question_id}/close"
    page = (await olga.get(f"/desk/questions/{question_id}/close")).text
    assert said in page
    assert shown in page
    await olga.send_form(
        f"/desk/questions/{question_id}/close",
        page=f"/desk/questions/{question_id}/close",
        version="3",
        unanswered="yes",
    )
    with desk.house.database.read() as session:
        assert session.get_one(Question, question_id).state is QuestionState.CLOSED
