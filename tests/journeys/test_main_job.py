"""The four journeys of the house, over real HTTP and SMTP sockets, on both databases."""

import asyncio
from datetime import date

import pytest
from sqlmodel import select

from facts.recurrence import ONCE
from intake.invitations import invite
from reminders.deadlines import create_deadline
from storage.forms import newest_version
from storage.tables import (
    Channel,
    Decision,
    Obligation,
    ObligationState,
    Outcome,
    Question,
    QuestionState,
    Subject,
    Update,
)
from tests.cast import Cast
from tests.journeys.conftest import House, ada_of
from tests.journeys.talk import answers_everything, gives_an_update, presses, says

pytestmark = pytest.mark.journey


def a_deadline_on(house: House, day: date) -> None:
    with house.database.write() as session:
        version = newest_version(session, "project-update")
        assert version is not None
        create_deadline(
            session,
            title="Monitoraggio",
            form_id=version.form_id,
            subject=Subject.PROJECT,
            rule=ONCE,
            first_on=day,
            until=None,
            zone="Europe/Rome",
            opens_days_before=20,
            targets=[],
            created_by=None,
            now=house.clock(),
        )


async def test_a_message_becomes_an_update(house: House) -> None:
    ada = ada_of(house)

    receipt = await gives_an_update(ada)

    with house.database.read() as session:
        update = session.exec(select(Update)).one()
    assert f"n. {update.id}" in receipt.text
    assert update.answers["progress"] == "45.5"
    assert update.answers["spent"] == "250000"
    assert update.answers["expected_end"] == "2027-06-30"
    assert "45,5" in (await house.desk.get(f"/desk/updates/{update.id}")).text


async def test_a_question_is_answered_and_the_reply_joins_its_thread(house: House) -> None:
    ada = ada_of(house)

    await says(ada, "/domanda", "Scrivi qui la tua domanda")
    await says(ada, "Possiamo usare il ribasso d'asta?", "Di quale progetto")
    await presses(ada, "Ex mercato coperto", "inviata")
    with house.database.read() as session:
        question = session.exec(select(Question)).one()
    page = f"/desk/questions/{question.id}"
    after = ada.chat[-1].id
    await house.answers(question.id, "Sì, con una variante approvata.")
    answer = await ada.wait_for_message("con una variante approvata", after=after, timeout=60)
    await house.all_sent()
    await says(ada, "Grazie, e per il cortile?", f"n. {question.id}", reply_to=answer.id)

    thread = (await house.desk.get(page)).text
    assert thread.index("ribasso") < thread.index("con una variante approvata") < thread.index("e per il cortile?")
    with house.database.read() as session:
        again = session.exec(select(Question)).one()
    assert again.state in (QuestionState.NEW, QuestionState.TAKEN)


async def test_a_solved_question_is_closed_by_who_asked_it(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/domanda", "Scrivi qui la tua domanda")
    await says(ada, "Quando scade il monitoraggio?", "Di quale progetto")
    await presses(ada, "Nessun progetto", "inviata")
    after = ada.chat[-1].id
    await house.answers(1, "Il 10 dicembre.")
    await ada.wait_for_message("Il 10 dicembre", after=after, timeout=60)

    await presses(ada, "Risolto", "Ho chiuso la domanda")

    with house.database.read() as session:
        question = session.exec(select(Question)).one()
    assert (question.state, question.solved) == (QuestionState.CLOSED, True)


async def test_a_deadline_reminds_until_the_update_is_in_and_then_is_silent(house: House) -> None:
    ada = ada_of(house)
    a_deadline_on(house, date(2026, 12, 1))

    await house.move_to(seconds=1)
    reminder = await ada.wait_for_message("1 dicembre 2026", timeout=60)
    await presses(ada, "Aggiorna", "A che punto è il progetto?")
    await answers_everything(ada)
    told = len(ada.from_bot)
    for _ in range(10):
        await house.move_to(days=1)

    with house.database.read() as session:
        assert session.exec(select(Obligation.state)).all() == [ObligationState.DONE]
        outcomes = session.exec(select(Decision.outcome)).all()
    assert outcomes.count(Outcome.SENT) == 1
    assert reminder.labels
    assert len(ada.from_bot) == told


async def test_a_referent_without_telegram_is_reminded_and_answered_by_mail(house: House) -> None:
    with house.database.write() as session:
        cast = Cast(session, house.clock())
        organization = cast.an_organization("Ente di prova")
        project = cast.a_project(organization, title="Ex cinema")
        bruno = cast.a_referent("Bruno Esempio", organization, (project,), email="bruno@example.org")
        cast.a_question(bruno, "Serve una variante?", channel=Channel.WEB)
    a_deadline_on(house, date(2026, 12, 1))

    await house.move_to(seconds=1)
    reminder = await house.mail.wait_for_mail("bruno@example.org", containing="1 dicembre 2026", timeout=60)
    await house.answers(1, "No, non serve.")
    answer = await house.mail.wait_for_mail("bruno@example.org", containing="No, non serve.", timeout=60)

    assert "Ex cinema" in reminder.text
    assert "/r/" in answer.text
    assert answer.message["Message-ID"]


async def test_officers_are_told_by_mail_that_a_question_waits(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/domanda", "Scrivi qui la tua domanda")
    await says(ada, "Quando scade il monitoraggio?", "Di quale progetto")
    await presses(ada, "Nessun progetto", "inviata")

    await house.service.ticker.tick()
    notice = await house.mail.wait_for_mail("olga@example.org", timeout=60)

    assert "/desk/questions" in notice.text


async def test_an_invitation_by_mail_binds_the_chat_once(house: House) -> None:
    with house.database.write() as session:
        cast = Cast(session, house.clock())
        organization = cast.an_organization("Ente di prova")
        project = cast.a_project(organization)
        bruno = cast.a_referent("Bruno Esempio", organization, (project,), email="bruno@example.org")
        invited = invite(session, bruno.id, house.clock(), house.service.rooms.links)
    mail = await house.mail.wait_for_mail("bruno@example.org", timeout=60)
    token = invited.start_link.partition("start=")[2]
    person = house.telegram.add_person(1002, "Bruno")
    stranger = house.telegram.add_person(1003, "Carla")

    await says(person, f"/start {token}", "L'invito è per")
    await presses(person, "Sono io", "questa chat è la tua")
    refused = await says(stranger, f"/start {token}", "invito")

    assert "t.me/" in mail.text
    assert "non vale più" in refused.text


async def test_the_house_says_that_it_is_well(house: House) -> None:
    async with asyncio.timeout(60):
        while (ready := await house.public.get("/readyz")).status_code != 200:
            await asyncio.sleep(0.05)

    assert ready.json()["ready"] is True
    assert {"database", "telegram", "clock", "dispatch"} <= set(ready.json()["checks"])
    assert (await house.public.get("/healthz")).status_code == 200
