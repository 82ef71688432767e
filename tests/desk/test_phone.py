"""Calls written down at the desk: a question, its answer by voice, an update; each once."""

import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import select

from intake.builtin import ensure_builtin_forms
from storage.reports import latest_update
from storage.tables import (
    Audit,
    Channel,
    Inbox,
    InboxState,
    Message,
    Obligation,
    ObligationState,
    Outbox,
    Question,
    QuestionState,
    Referent,
    Update,
)
from tests.desk.conftest import Browser, Desk

KEY = re.compile(r'name="key" value="([0-9a-f]{32})"')
ANSWERS = {
    "a:phase": "03005",
    "a:progress": "45,5",
    "a:spent": "400.000,00",
    "a:expected_end": "30/06/2027",
    "a:problems": "no",
    "a:notes": "Tutto bene",
}


def ada(desk: Desk) -> tuple[int, int]:
    """A referent and the project that they follow."""
    with desk.house.database.write() as session:
        ensure_builtin_forms(session, desk.house.clock())
        cast = desk.cast(session)
        organization = cast.an_organization()
        project = cast.a_project(organization)
        return cast.a_referent("Ada Esempio", organization, (project,), chat=100).id, project.id


def owes(desk: Desk, project_id: int) -> int:
    """An update that the project owes by the form that comes with us."""
    now = desk.house.clock()
    with desk.house.database.write() as session:
        version = ensure_builtin_forms(session, now)
        cast = desk.cast(session)
        deadline = cast.a_deadline(version, now.date())
        project = session.get_one(type(cast.a_project(cast.an_organization("Corsico"))), project_id)
        due = now.date() + timedelta(days=5)
        return cast.an_obligation(deadline, project, due, now + timedelta(days=5)).id


async def key_on(browser: Browser, page: str) -> str:
    found = KEY.search((await browser.get(page)).text)
    assert found is not None
    return found[1]


async def writes(browser: Browser, referent_id: int, **fields: str) -> httpx.Response:
    page = f"/desk/referents/{referent_id}/phone"
    return await browser.send_form(page, page=page, **({"key": await key_on(browser, page)} | fields))


async def tells(browser: Browser, referent_id: int, project_id: int, step: str, **fields: Any) -> httpx.Response:
    page = f"/desk/referents/{referent_id}/phone"
    key = fields.pop("key", None) or await key_on(browser, page)
    about = {"key": key, "project": str(project_id), "step": step}
    return await browser.send_form(f"{page}/update", page=page, **about, **(ANSWERS | fields))


def every(desk: Desk, table: Any) -> list[Any]:
    with desk.house.database.read() as session:
        found = list(session.exec(select(table).order_by(table.id)))
        session.expunge_all()
        return found


async def test_a_question_by_phone_waits_in_the_queue_with_who_wrote_it_down(desk: Desk) -> None:
    person, project = ada(desk)
    vera = desk.browser("Vera")

    pressed = await writes(vera, person, what="question", project=str(project), text="Posso usare il <b>ribasso</b>?")

    question = every(desk, Question)[0]
    page = (await vera.get(pressed.headers["location"])).text
    assert (question.state, question.channel, question.project_id) == (QuestionState.NEW, Channel.PHONE, project)
    assert "per telefono, annotata da Vera Esempio" in page
    assert "&lt;b&gt;ribasso" in page
    assert [row.state for row in every(desk, Inbox)] == [InboxState.DONE]
    assert every(desk, Outbox) == []


async def test_what_was_answered_by_voice_is_kept_closed_and_sent_to_nobody(desk: Desk) -> None:
    person, _project = ada(desk)
    olga = desk.browser("Olga")

    pressed = await writes(olga, person, what="question", text="Entro quando?", answered="1", reply="Entro il 10.")

    question = every(desk, Question)[0]
    page = (await olga.get(pressed.headers["location"])).text
    assert question.state is QuestionState.CLOSED
    assert question.first_answer_at == desk.house.clock()
    assert "Entro il 10." in page
    assert "Detta al telefono" in page
    assert "Nessun canale" not in page
    assert every(desk, Outbox) == []


async def test_a_question_answered_by_voice_needs_the_answer(desk: Desk) -> None:
    person, _project = ada(desk)

    pressed = await writes(desk.browser("Olga"), person, what="question", text="Entro quando?", answered="1")

    assert pressed.status_code == 422
    assert "Scrivi che cosa hai risposto" in pressed.text
    assert "Entro quando?" in pressed.text
    assert every(desk, Question) == []


async def test_pressed_twice_one_question(desk: Desk) -> None:
    person, _project = ada(desk)
    olga = desk.browser("Olga")
    key = await key_on(olga, f"/desk/referents/{person}/phone")

    first = await writes(olga, person, key=key, text="Una sola volta")
    second = await writes(olga, person, key=key, text="Una sola volta")

    assert first.headers["location"] == second.headers["location"]
    assert len(every(desk, Question)) == len(every(desk, Message)) == 1


async def test_a_call_about_an_earlier_question_goes_into_its_thread_and_opens_it_again(desk: Desk) -> None:
    person, _project = ada(desk)
    with desk.house.database.write() as session:
        row = desk.cast(session).a_question(session.get_one(Referent, person), state=QuestionState.CLOSED)
        number = row.id

    page = (await desk.browser("Olga").get(f"/desk/referents/{person}/phone?question={number}")).text
    await writes(desk.browser("Olga"), person, what="more", question=str(number), text="Aggiungo una cosa")

    assert f"Qualcosa sulla domanda n. {number}" in page
    assert [(one.id, one.state) for one in every(desk, Question)] == [(number, QuestionState.NEW)]
    assert [one.text for one in every(desk, Message)][-1] == "Aggiungo una cosa"


async def test_answering_by_voice_takes_no_question_out_of_a_colleagues_hand(desk: Desk) -> None:
    person, _project = ada(desk)
    with desk.house.database.write() as session:
        held: dict[str, Any] = {"state": QuestionState.TAKEN, "taken_by": desk.people["Ugo"]}
        number = desk.cast(session).a_question(session.get_one(Referent, person), **held).id

    more = {"what": "more", "question": str(number), "text": "E ora?", "answered": "1", "reply": "Ora sì."}
    await writes(desk.browser("Olga"), person, **more)

    assert every(desk, Question)[0].state is QuestionState.TAKEN
    assert every(desk, Question)[0].taken_by == desk.people["Ugo"]
    assert [one.text for one in every(desk, Message)][-2:] == ["E ora?", "Ora sì."]


async def test_an_update_by_phone_is_read_shown_and_settles_what_is_owed(desk: Desk) -> None:
    person, project = ada(desk)
    owed = owes(desk, project)
    olga = desk.browser("Olga")

    form = await writes(olga, person, what="update", project=str(project), text="Procede")
    checked = await tells(olga, person, project, "check")
    before = every(desk, Update)
    sent = await tells(olga, person, project, "send")

    update = every(desk, Update)[0]
    assert form.status_code == checked.status_code == 200
    assert "Procede</textarea>" in form.text
    assert "400.000,00" in checked.text
    assert before == []
    assert (update.channel, update.obligation_id, update.referent_id) == (Channel.PHONE, owed, person)
    assert update.answers["progress"] == "45.5"
    assert [one.state for one in every(desk, Obligation)] == [ObligationState.DONE]
    page = (await olga.get(sent.headers["location"])).text
    assert "per telefono, annotata da Olga Esempio" in page
    assert "è a posto" in page


async def test_an_update_pressed_twice_is_one(desk: Desk) -> None:
    person, project = ada(desk)
    olga = desk.browser("Olga")
    key = await key_on(olga, f"/desk/referents/{person}/phone")

    await tells(olga, person, project, "send", key=key)
    again = await tells(olga, person, project, "send", key=key)

    assert again.headers["location"] == f"/desk/referents/{person}"
    assert len(every(desk, Update)) == 1


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("a:progress", "200", "Una percentuale va da 0 a 100"),
        ("a:progress", "", "Chiedi anche questo"),
        ("a:problem", "Manca un parere", "Serve solo se"),
        ("a:spent", "400.000", "Si può leggere in più modi"),
    ],
)
async def test_what_cannot_be_read_is_asked_again_and_nothing_kept(
    desk: Desk, field: str, text: str, said: str
) -> None:
    person, project = ada(desk)

    answer = await tells(desk.browser("Olga"), person, project, "send", **{field: text})

    assert said in answer.text
    assert answer.status_code == 422
    assert every(desk, Update) == []


async def test_what_was_said_last_time_stands_there_and_can_be_confirmed(desk: Desk) -> None:
    person, project = ada(desk)
    olga = desk.browser("Olga")
    await tells(olga, person, project, "send")

    form = (await writes(olga, person, what="update", project=str(project))).text
    odd = (await tells(olga, person, project, "check", **{"a:progress": "20"})).text

    assert 'value="45,5' in form
    assert '<option value="03005" selected' in form
    assert "Chiedi di nuovo" in odd
    with desk.house.database.read() as session:
        version = ensure_builtin_forms(session, desk.house.clock())
        assert latest_update(session, project, version.form_id) is not None


async def test_the_log_says_who_wrote_it_down_without_what(desk: Desk) -> None:
    person, project = ada(desk)

    await writes(desk.browser("Vera"), person, text="Segreto")
    await tells(desk.browser("Vera"), person, project, "send")

    found = {one.action: one for one in every(desk, Audit) if one.action.endswith(".phone")}
    assert set(found) == {"question.phone", "update.phone"}
    assert {one.actor_id for one in found.values()} == {desk.people["Vera"]}
    assert "Segreto" not in str([one.detail for one in found.values()])


async def test_of_two_records_made_one_the_call_is_of_the_one_that_stayed(desk: Desk) -> None:
    person, _project = ada(desk)
    with desk.house.database.write() as session:
        gone = desk.cast(session).a_referent("Ada Doppia")
        gone.merged_into_id = person
        session.add(gone)
        session.flush()
        twice = gone.id

    await writes(desk.browser("Olga"), twice, text="Sono sempre io")

    assert every(desk, Question)[0].referent_id == person


async def test_who_has_left_is_written_down_for_no_longer(desk: Desk) -> None:
    person, _project = ada(desk)
    page = f"/desk/referents/{person}"
    offered = (await desk.browser("Olga").get(page)).text
    with desk.house.database.write() as session:
        session.get_one(Referent, person).left_at = desk.house.clock()

    assert f"{page}/phone" in offered
    assert f"{page}/phone" not in (await desk.browser("Olga").get(page)).text
    assert (await desk.browser("Olga").get(f"{page}/phone")).status_code == 409


# --- who may, and whose it is


async def test_a_reader_writes_no_call_down_and_is_not_offered_to(desk: Desk) -> None:
    person, project = ada(desk)
    rita = desk.browser("Rita")

    seen = [(await rita.get(f"/desk/referents/{person}/phone")).status_code]
    seen += [(await rita.get(f"/desk/referents/{person}/phone?project={project}")).status_code]

    assert seen == [403, 403]
    for page in (f"/desk/referents/{person}", f"/desk/projects/{project}"):
        assert "/phone" not in (await rita.get(page)).text
        assert "/phone" in (await desk.browser("Vera").get(page)).text


async def test_what_is_somebody_elses_does_not_exist_in_this_call(desk: Desk) -> None:
    person, _project = ada(desk)
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        foreign = cast.a_project(cast.an_organization("Melzo")).id
        carla = cast.a_referent("Carla Esempio")
        question = cast.a_question(carla).id
    olga = desk.browser("Olga")
    page = f"/desk/referents/{person}/phone"

    seen = [
        (await olga.get(f"{page}{query}")).status_code for query in (f"?project={foreign}", f"?question={question}")
    ]
    seen += [(await writes(olga, person, project=str(foreign), text="x")).status_code]
    seen += [(await writes(olga, person, what="update", project=str(foreign))).status_code]
    seen += [(await writes(olga, person, what="more", question=str(question), text="x")).status_code]
    seen += [(await tells(olga, person, foreign, "send")).status_code]

    assert seen == [404] * 6
    assert len(every(desk, Message)) == 1
    assert every(desk, Update) == []


async def test_nothing_is_called_optional_that_a_question_needs(desk: Desk) -> None:
    referent, _project = ada(desk)

    page = (await desk.browser("Olga").get(f"/desk/referents/{referent}/phone")).text

    labels = dict(re.findall(r'<label for="f-(\w+)">(.*?)</label>', page))
    assert labels["text"] == "Che cosa ha detto?"
    assert "facoltativ" not in labels["reply"]
    assert "facoltativ" in labels["project"]
    assert "Solo per un aggiornamento puoi non scrivere nulla." in page
