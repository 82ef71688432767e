"""A thread on a referent's own page: reading, replying, files, and that Carla reaches nothing of Ada's."""

import io

import pytest

from answering.answer import note
from intake.files import keep_file
from storage.tables import Attachment, QuestionState
from tests.desk.conftest import Desk
from tests.desk.test_personal import (
    PDF,
    a_person,
    a_question,
    answered,
    carla,
    messages_of,
    questions_of,
    send,
)

# --- a thread


async def test_the_thread_shows_answers_and_never_a_note(desk: Desk) -> None:
    ada = a_person(desk)
    question = a_question(desk, ada, "Quando <b>finisce</b>?")
    with desk.house.database.write() as session:
        note(session, question, desk.people["Olga"], "Solo fra noi", now=desk.house.clock())
    answered(desk, question, "A luglio.")

    page = (await desk.browser().get(f"{ada.page}/questions/{question}")).text

    assert "Quando &lt;b&gt;finisce&lt;/b&gt;?" in page
    assert "A luglio." in page
    assert "Solo fra noi" not in page
    assert "Olga" not in page


async def test_a_reply_goes_into_the_same_thread_and_opens_it_again(desk: Desk) -> None:
    ada = a_person(desk, chat=100)
    question = a_question(desk, ada)
    answered(desk, question)
    url = f"{ada.page}/questions/{question}"

    sent = await send(desk.browser(), url, url, text="Grazie, ma a che ora?")

    assert sent.status_code == 303
    assert [message.text for message in messages_of(desk, question)][-1] == "Grazie, ma a che ora?"
    assert questions_of(desk, ada)[0].state is QuestionState.TAKEN


async def test_a_file_alone_is_a_message_too(desk: Desk) -> None:
    ada = a_person(desk)
    url = f"{ada.page}/questions/{a_question(desk, ada)}"

    sent = await send(desk.browser(), url, url, file=("foto.png", b"\x89PNG\r\n\x1a\n1234", "image/png"))

    assert sent.status_code == 303
    page = (await desk.browser().get(url)).text
    assert "Lascio un file." in page
    assert "foto.png" in page


async def test_a_refused_file_on_a_thread_keeps_the_words(desk: Desk) -> None:
    ada = a_person(desk)
    question = a_question(desk, ada)
    url = f"{ada.page}/questions/{question}"

    refused = await send(desk.browser(), url, url, text="Ecco il piano", file=("p.html", b"<html>", "text/html"))

    assert refused.status_code == 422
    assert "Ecco il piano</textarea>" in refused.text
    assert len(messages_of(desk, question)) == 1


async def test_an_empty_reply_is_not_sent(desk: Desk) -> None:
    ada = a_person(desk)
    question = a_question(desk, ada)
    url = f"{ada.page}/questions/{question}"

    refused = await send(desk.browser(), url, url, text=" ")

    assert refused.status_code == 422
    assert len(messages_of(desk, question)) == 1


@pytest.mark.parametrize(
    ("solved", "state", "said"),
    [("yes", QuestionState.CLOSED, "La domanda è chiusa"), ("no", QuestionState.TAKEN, "Scrivici che cosa manca")],
)
async def test_saying_whether_it_is_solved(desk: Desk, solved: str, state: QuestionState, said: str) -> None:
    ada = a_person(desk, chat=100)
    question = a_question(desk, ada)
    answered(desk, question)
    browser, url = desk.browser(), f"{ada.page}/questions/{question}"

    await browser.send_form(f"{url}/solved", page=url, solved=solved)

    assert questions_of(desk, ada)[0].state is state
    assert said in (await browser.get(url)).text


# --- Carla may not


@pytest.mark.parametrize("url", ["/questions/{question}", "/files/{file}", "/questions/9999", "/files/9999"])
async def test_carla_sees_nothing_of_ada(desk: Desk, url: str) -> None:

    ada, other = a_person(desk), carla(desk)
    question = a_question(desk, ada)
    with desk.house.database.write() as session:
        message = messages_of(desk, question)[0].id
        file = keep_file(
            session,
            desk.house.files,
            "piano.pdf",
            "application/pdf",
            io.BytesIO(PDF),
            now=desk.house.clock(),
            referent_id=ada.id,
            message_id=message,
        ).id
    here = {"question": question, "file": file}

    hers = await desk.browser().get(other.page + url.format(**here))
    adas = await desk.browser().get(ada.page + url.format(**here))

    assert hers.status_code == 404
    assert adas.status_code == (404 if "9999" in url else 200)


@pytest.mark.parametrize("button", ["/questions/{question}", "/questions/{question}/solved"])
async def test_carla_writes_nothing_into_adas_thread(desk: Desk, button: str) -> None:
    ada, other = a_person(desk), carla(desk)
    question = a_question(desk, ada)

    refused = await desk.browser().send_form(
        other.page + button.format(question=question), page=f"{other.page}/ask", text="Eccomi", solved="yes"
    )

    assert refused.status_code == 404
    assert len(messages_of(desk, question)) == 1
    assert questions_of(desk, ada)[0].state is QuestionState.NEW


async def test_a_file_on_a_note_of_staff_is_not_for_the_referent(desk: Desk) -> None:
    ada = a_person(desk)
    question = a_question(desk, ada)
    with desk.house.database.write() as session:
        internal = note(session, question, desk.people["Olga"], "Solo fra noi", now=desk.house.clock())
        file = Attachment(
            sha256="0" * 64, size=1, name="riservato.pdf", message_id=internal.id, created_at=desk.house.clock()
        )
        session.add(file)
        session.flush()
        number = file.id

    browser = desk.browser()

    assert (await browser.get(f"{ada.page}/files/{number}")).status_code == 404
    assert "riservato.pdf" not in (await browser.get(f"{ada.page}/questions/{question}")).text
