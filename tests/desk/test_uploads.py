"""A file that Telegram did not hand over, left on the page: it lands in the very place where it was missing."""

import httpx
import pytest
from sqlmodel import select

from delivery.words import Words
from intake.expected import Expected, expect
from storage.attachments import put_in_draft, put_in_message
from storage.questions import thread
from storage.tables import (
    Attachment,
    Channel,
    Draft,
    DraftKind,
    FileKind,
    FileState,
    Message,
    Outbox,
    Question,
    QuestionState,
    Referent,
)
from tests.desk.conftest import CSRF, Desk
from tests.desk.test_personal import PDF, Person, a_person, carla

LARGE = 25 * 1024 * 1024


def a_missing_file(desk: Desk, person: Person, *, in_question: bool = False, size: int = LARGE) -> int:
    with desk.house.database.write() as session:
        what = Expected(FileKind.FILE, "progetto.pdf", size, "", "AgAC", "u", "7", "", {})
        row = expect(session, what, referent_id=person.id, inbox_id=None, now=desk.house.clock())
        cast = desk.cast(session)
        if in_question:
            question = cast.a_question(session.get_one(Referent, person.id))
            message = select(Message.id).where(Message.question_id == question.id)
            put_in_message(session, [row.id], session.exec(message).one())
        else:
            now = desk.house.clock()
            draft = cast.add(
                Draft(
                    kind=DraftKind.UPDATE,
                    referent_id=person.id,
                    project_id=person.project,
                    channel=Channel.TELEGRAM,
                    created_at=now,
                    touched_at=now,
                )
            )
            put_in_draft(session, [row.id], draft.id)
        return row.id


def the_file(desk: Desk, attachment_id: int) -> Attachment:
    with desk.house.database.read() as session:
        row = session.get_one(Attachment, attachment_id)
        session.expunge(row)
        return row


async def leave(desk: Desk, url: str, content: bytes = PDF, name: str = "progetto-def.pdf") -> httpx.Response:
    browser = desk.browser()
    csrf_page = await browser.get(url)
    found = CSRF.search(csrf_page.text)
    assert found is not None
    return await browser.post(url, data={"csrf": found[1]}, files={"file": (name, content, "application/pdf")})


async def test_a_file_of_25_megabytes_lands_in_the_draft_it_was_sent_for(desk: Desk) -> None:
    ada = a_person(desk, chat=11)
    attachment = a_missing_file(desk, ada)
    url = f"{ada.page}/upload/{attachment}"

    page = (await desk.browser().get(url)).text
    assert "Era troppo grande per Telegram" in page
    assert "Va con il tuo aggiornamento del progetto “Ex mercato”" in page
    large = PDF + bytes(LARGE)
    sent = await leave(desk, url, large)

    row = the_file(desk, attachment)
    assert sent.status_code == 303
    assert (row.state, row.size, row.name, row.error) == (FileState.KEPT, len(large), "progetto-def.pdf", None)
    assert row.draft_id is not None
    assert "Il file è arrivato" in (await desk.browser().get(url)).text
    with desk.house.database.read() as session:
        [said] = [Words.from_json(one.body) for one in session.exec(select(Outbox))]
    assert "“progetto-def.pdf” è arrivato" in said.html


async def test_a_file_of_a_question_lands_in_its_thread(desk: Desk) -> None:
    ada = a_person(desk, chat=11)
    attachment = a_missing_file(desk, ada, in_question=True)
    with desk.house.database.read() as session:
        question_id = session.exec(select(Question.id)).one()
    staff = desk.browser("Olga")
    assert "Non è arrivato" in (await staff.get(f"/desk/questions/{question_id}")).text
    assert f"/upload/{attachment}" in (await desk.browser().get(f"{ada.page}/questions/{question_id}")).text

    await leave(desk, f"{ada.page}/upload/{attachment}")

    page = (await staff.get(f"/desk/questions/{question_id}")).text
    assert f'href="/desk/attachments/{attachment}"' in page
    assert (await staff.get(f"/desk/attachments/{attachment}")).content == PDF


async def test_an_answered_question_is_open_again_when_its_missing_file_comes(desk: Desk) -> None:
    ada = a_person(desk, chat=11)
    attachment = a_missing_file(desk, ada, in_question=True)
    olga = desk.browser("Olga")
    with desk.house.database.read() as session:
        question_id = session.exec(select(Question.id)).one()
    page = f"/desk/questions/{question_id}"
    await olga.send_form(f"{page}/answer", page=page, version="1", text="Manca il file")

    await leave(desk, f"{ada.page}/upload/{attachment}")

    with desk.house.database.read() as session:
        question = session.get_one(Question, question_id)
        messages = thread(session, question_id)
    assert (question.state, question.version, question.channel) == (QuestionState.TAKEN, 3, Channel.TELEGRAM)
    assert question.last_message_at == desk.house.clock()
    said = messages[-1]
    assert (said.text, said.channel, said.referent_id) == (
        "Ho aggiunto un file a un mio messaggio di prima: progetto-def.pdf",
        Channel.WEB,
        ada.id,
    )
    assert len(messages) == 3
    late = await olga.send_form(f"{page}/answer", page=page, version="2", text="Manca ancora")
    assert late.status_code == 409, "who was writing has not seen the file"


async def test_a_file_of_the_newest_message_needs_no_words_but_moves_the_question(desk: Desk) -> None:
    ada = a_person(desk, chat=11)
    attachment = a_missing_file(desk, ada, in_question=True)

    await leave(desk, f"{ada.page}/upload/{attachment}")

    with desk.house.database.read() as session:
        question = session.exec(select(Question)).one()
        assert (question.state, question.version) == (QuestionState.NEW, 2)
        assert len(thread(session, question.id)) == 1


async def test_leaving_it_twice_keeps_the_first(desk: Desk) -> None:
    ada = a_person(desk, chat=11)
    attachment = a_missing_file(desk, ada)
    url = f"{ada.page}/upload/{attachment}"
    browser = desk.browser()
    found = CSRF.search((await browser.get(url)).text)
    assert found is not None
    for content in (PDF, PDF + b"altro"):
        await browser.post(url, data={"csrf": found[1]}, files={"file": ("a.pdf", content, "application/pdf")})

    assert the_file(desk, attachment).size == len(PDF)
    with desk.house.database.read() as session:
        assert len(session.exec(select(Outbox)).all()) == 1


@pytest.mark.parametrize(("content", "said"), [(b"MZ", "programmi"), (b"", "vuoto")])
async def test_what_is_refused_says_why_and_stays_open(desk: Desk, content: bytes, said: str) -> None:
    ada = a_person(desk)
    attachment = a_missing_file(desk, ada)

    refused = await leave(desk, f"{ada.page}/upload/{attachment}", content)

    assert refused.status_code == 422
    assert said in refused.text
    assert the_file(desk, attachment).state is FileState.MISSING


async def test_nothing_chosen_is_said(desk: Desk) -> None:
    ada = a_person(desk)
    url = f"{ada.page}/upload/{a_missing_file(desk, ada)}"

    assert "Prima scegli il file" in (await desk.browser().send_form(url, page=url)).text


async def test_carla_finds_no_such_page(desk: Desk) -> None:
    ada, other = a_person(desk), carla(desk)
    attachment = a_missing_file(desk, ada)

    assert (await desk.browser().get(f"{other.page}/upload/{attachment}")).status_code == 404
    assert (await desk.browser().get(f"/r/unknown/upload/{attachment}")).status_code == 404


async def test_a_file_still_on_its_way_is_not_handed_out(desk: Desk) -> None:
    ada = a_person(desk)
    attachment = a_missing_file(desk, ada, size=10)

    assert the_file(desk, attachment).state is FileState.WAITING
    assert (await desk.browser("Olga").get(f"/desk/attachments/{attachment}")).status_code == 404


def an_expired_file(desk: Desk, person: Person) -> int:
    attachment = a_missing_file(desk, person, in_question=True)
    with desk.house.database.write() as session:
        session.get_one(Attachment, attachment).error = "expired"
    return attachment


async def test_staff_have_a_file_fetched_again(desk: Desk) -> None:
    attachment = an_expired_file(desk, a_person(desk, chat=11))
    with desk.house.database.read() as session:
        page = f"/desk/questions/{session.exec(select(Question.id)).one()}"
    vera = desk.browser("Vera")

    sent = await vera.send_form(f"/desk/attachments/{attachment}/fetch", page=page, back=page)

    row = the_file(desk, attachment)
    assert sent.headers["location"] == page
    assert (row.state, row.attempts, row.error) == (FileState.WAITING, 0, None)
    assert "in arrivo da Telegram" in (await vera.get(page)).text
    again = await vera.send_form(f"/desk/attachments/{attachment}/fetch", page=page, back=page)
    assert again.status_code == 404, "it is on its way already"


async def test_rita_may_not_have_it_fetched_and_nobody_what_is_too_large(desk: Desk) -> None:
    ada = a_person(desk, chat=11)
    attachment, large = an_expired_file(desk, ada), a_missing_file(desk, ada)

    refused = await desk.browser("Rita").send_form(f"/desk/attachments/{attachment}/fetch", page="/desk/questions")
    hopeless = await desk.browser("Olga").send_form(f"/desk/attachments/{large}/fetch", page="/desk/office")

    assert (refused.status_code, hopeless.status_code) == (403, 404)
    assert the_file(desk, attachment).state is FileState.MISSING
