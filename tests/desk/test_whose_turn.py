"""Whose turn it is: what runs out soon, what a colleague leaves behind, and what we wait for from the referent."""

from datetime import datetime, timedelta

import pytest

from intake.questions import add_message, settle
from storage.tables import Channel, Question, QuestionState, Staff
from tests.desk.conftest import Desk
from tests.desk.test_personal import a_person
from tests.desk.test_personal import a_question as asked_by
from tests.desk.test_questions import a_question, press, the_question


@pytest.mark.parametrize(
    ("due_in", "said"),
    [
        (timedelta(minutes=30), "Scade entro un'ora lavorativa"),
        (timedelta(hours=2), "Scade entro 2 ore lavorative"),
        (timedelta(hours=6), "Scade oggi"),
        (timedelta(days=1), ""),
        (timedelta(minutes=-1), "In ritardo"),
    ],
)
async def test_what_runs_out_soon_is_marked(desk: Desk, due_in: timedelta, said: str) -> None:
    number = a_question(desk)
    with desk.house.database.write() as session:
        session.get_one(Question, number).due_at = desk.house.clock() + due_in
    rita = desk.browser("Rita")

    for path in ("/desk/questions", f"/desk/questions/{number}"):
        page = (await rita.get(path)).text
        assert said in page
        assert ("Scade " in page) == said.startswith("Scade ")


async def test_over_the_night_working_hours_count(desk: Desk, now: datetime) -> None:
    number = a_question(desk)
    with desk.house.database.write() as session:
        # From six in the afternoon, when the office closes, to half past nine of the next day: one hour of work.
        session.get_one(Question, number).due_at = now.replace(hour=8, minute=30) + timedelta(days=1)
    desk.house.clock.move(hours=8)  # type: ignore[attr-defined]

    assert "Scade entro un'ora lavorativa" in (await desk.browser("Rita").get("/desk/questions")).text


async def test_who_is_deactivated_gives_back_what_they_had_in_hand(desk: Desk) -> None:
    mine, proposed = a_question(desk), a_question(desk)
    await press(desk.browser("Olga"), mine, "take")
    await press(desk.browser("Vera"), proposed, "answer", text="Sì.")
    anna, place = desk.browser("Anna"), f"/desk/office/staff/{desk.people['Olga']}/deactivate"

    asked = (await anna.get(place)).text
    await anna.send_form(place, page=place)

    assert "Ha una domanda in carico" in asked
    assert (the_question(desk, mine).state, the_question(desk, mine).taken_by) == (QuestionState.NEW, None)
    assert the_question(desk, proposed).state is QuestionState.PROPOSED
    assert the_question(desk, mine).version == 3


@pytest.mark.parametrize("active", [True, False])
async def test_what_opens_again_goes_to_nobody_who_has_left(desk: Desk, active: bool) -> None:
    written, unsolved = a_question(desk), a_question(desk)
    with desk.house.database.write() as session:
        olga = session.get_one(Staff, desk.people["Olga"])
        olga.active = active
        for number in (written, unsolved):
            question = session.get_one(Question, number)
            question.state, question.taken_by = QuestionState.ANSWERED, olga.id
    now = desk.house.clock()

    with desk.house.database.write() as session:
        question, other = session.get_one(Question, written), session.get_one(Question, unsolved)
        assert question.referent_id is not None
        assert other.referent_id is not None
        person = question.referent_id
        add_message(session, question, referent_id=person, text="E poi?", channel=Channel.WEB, now=now)
        settle(session, unsolved, other.referent_id, solved=False, now=now)

    expected = (QuestionState.TAKEN, desk.people["Olga"]) if active else (QuestionState.NEW, None)
    for number in (written, unsolved):
        found = the_question(desk, number)
        assert (found.state, found.taken_by) == expected


async def test_the_referent_reads_that_we_wait_for_them(desk: Desk) -> None:
    ada = a_person(desk)
    number = asked_by(desk, ada, state=QuestionState.ANSWERED, awaits=True)
    asked_by(desk, ada, state=QuestionState.ANSWERED)

    listed = (await desk.browser().get(ada.page)).text
    page = (await desk.browser().get(f"{ada.page}/questions/{number}")).text

    assert "Aspettiamo una tua risposta" in listed
    assert "Risposta arrivata" in listed
    assert "Aspettiamo una tua risposta" in page
    assert "Risposta arrivata" not in page
