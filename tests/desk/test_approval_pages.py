"""The pages on which answers are proposed, approved, returned, stopped; and questions sorted."""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from answering.answer import UNDO
from storage.tables import Attachment, Audience, Category, Message, Outbox, OutboxState, Question, QuestionState
from tests.desk.conftest import Browser, Clock, Desk
from tests.desk.test_questions import a_question, press, the_question

PDF = b"%PDF-1.4 prova"


async def proposes(desk: Desk, text: str = "Sì, con una variante.") -> int:
    question_id = a_question(desk)
    await press(desk.browser("Vera"), question_id, "answer", 1, text=text)
    return question_id


async def page_of(browser: Browser, question_id: int) -> str:
    return (await browser.get(f"/desk/questions/{question_id}")).text


def outgoing(desk: Desk) -> list[OutboxState]:
    with desk.house.database.read() as session:
        return [row.state for row in session.exec(select(Outbox))]


async def test_a_volunteer_proposes_and_is_told_so_before_and_after(desk: Desk) -> None:
    question_id = a_question(desk)
    vera = desk.browser("Vera")

    before = await page_of(vera, question_id)
    await press(vera, question_id, "answer", 1, text="Sì, con una variante.")
    after = await page_of(vera, question_id)

    assert "Proponi la risposta" in before
    assert "Invia la risposta" not in before
    assert "La risposta aspetta l&#39;approvazione" in after
    assert "Ritira la risposta" in after
    assert "Testo che parte" not in after
    assert outgoing(desk) == []


async def test_officers_find_it_in_a_heap_of_its_own_and_send_it(desk: Desk) -> None:
    question_id = await proposes(desk)
    olga = desk.browser("Olga")

    heap = (await olga.get("/desk/questions?view=approve")).text
    page = await page_of(olga, question_id)
    sent = await press(olga, question_id, "approve", 2, text="Sì, con una variante.")
    after = await page_of(desk.browser("Vera"), question_id)

    assert f'href="/desk/questions/{question_id}"' in heap
    assert re.search(r'Da approvare <span class="count">1<', heap)
    assert "Sì, con una variante.</textarea>" in page
    assert sent.status_code == 303
    assert "Approvata da Olga Esempio" in after
    assert "con correzioni" not in after
    assert outgoing(desk) == [OutboxState.QUEUED]


async def test_what_an_officer_corrected_is_shown_word_by_word(desk: Desk) -> None:
    question_id = await proposes(desk, "Sì, con una <b>variante.")

    await press(desk.browser("Olga"), question_id, "approve", 2, text="Sì, con due <b>variante.")
    page = await page_of(desk.browser("Vera"), question_id)

    assert "Approvata da Olga Esempio, con correzioni" in page
    assert "Sì, con <del>una</del><ins>due</ins> &lt;b&gt;variante." in page


async def test_what_is_returned_is_in_the_box_again_with_the_remark(desk: Desk) -> None:
    question_id = await proposes(desk)

    await press(desk.browser("Ugo"), question_id, "return", 2, text="Cita la <circolare>.")
    vera, olga = await page_of(desk.browser("Vera"), question_id), await page_of(desk.browser("Olga"), question_id)

    assert "Ugo Esempio ha rimandato la tua risposta" in vera
    assert "Cita la &lt;circolare&gt;." in vera
    assert "Sì, con una variante.</textarea>" in vera
    assert "Cita la" not in olga
    assert the_question(desk, question_id).state is QuestionState.TAKEN


async def test_who_withdraws_an_answer_has_it_in_the_box(desk: Desk) -> None:
    question_id = await proposes(desk)
    vera = desk.browser("Vera")

    await press(vera, question_id, "withdraw", 2)

    assert "Sì, con una variante.</textarea>" in await page_of(vera, question_id)


async def test_the_second_officer_is_stopped_and_keeps_their_correction(desk: Desk) -> None:
    question_id = await proposes(desk)
    await press(desk.browser("Olga"), question_id, "approve", 2, text="Quella di Olga")

    late = await press(desk.browser("Ugo"), question_id, "return", 2, text="Da rifare")

    assert late.status_code == 409
    assert "Nel frattempo ha risposto Vera Esempio" in late.text
    assert outgoing(desk) == [OutboxState.QUEUED]


async def test_who_answers_what_somebody_has_proposed_reads_it_and_keeps_their_text(desk: Desk) -> None:
    question_id = await proposes(desk)

    late = await press(desk.browser("Olga"), question_id, "answer", 1, text="La mia <risposta>")

    assert late.status_code == 409
    assert "Vera Esempio ha proposto una risposta" in late.text
    assert "Che cosa ha scritto Vera Esempio" in late.text
    assert "La mia &lt;risposta&gt;</textarea>" in late.text
    assert outgoing(desk) == []


async def test_the_one_who_was_quicker_stands_before_who_was_stopped(desk: Desk) -> None:
    question_id = a_question(desk)
    await press(desk.browser("Olga"), question_id, "answer", 1, text="La prima")

    late = await press(desk.browser("Ugo"), question_id, "answer", 1, text="La seconda")

    assert "Che cosa ha scritto Olga Esempio" in late.text
    assert late.text.index("Che cosa ha scritto") < late.text.index("La seconda</textarea>")


@pytest.mark.parametrize("button", ["approve", "return"])
@pytest.mark.parametrize("who", ["Vera", "Rita"])
async def test_who_may_not_decide_does_not(desk: Desk, who: str, button: str) -> None:
    question_id = await proposes(desk)

    refused = await desk.browser(who).send_form(
        f"/desk/questions/{question_id}/{button}", page="/desk/questions", version="2", text="Sì"
    )

    assert refused.status_code == 403
    assert the_question(desk, question_id).state is QuestionState.PROPOSED


@pytest.mark.parametrize("button", ["approve", "return", "withdraw", "undo", "assign", "urgent", "category"])
async def test_of_a_question_that_is_not_there_nothing_is_decided(desk: Desk, button: str) -> None:
    answer = await desk.browser("Anna").send_form(
        f"/desk/questions/999/{button}", page="/desk/questions", version="1", text="x"
    )

    assert answer.status_code == 404


async def test_files_wait_with_the_proposal_and_go_along(desk: Desk) -> None:
    question_id = a_question(desk)
    vera, url = desk.browser("Vera"), f"/desk/questions/{question_id}"
    token = re.search(r'name="csrf" value="([^"]+)"', await page_of(vera, question_id))
    assert token is not None
    await vera.post(
        f"{url}/answer",
        data={"csrf": token[1], "version": "1", "text": "Eccolo"},
        files={"file": ("modello.pdf", PDF, "application/pdf")},
    )

    page = await page_of(desk.browser("Olga"), question_id)
    await press(desk.browser("Olga"), question_id, "approve", 2, text="Eccolo")

    assert "modello.pdf" in page
    with desk.house.database.read() as session:
        file = session.exec(select(Attachment)).one()
        message = session.exec(select(Message).where(Message.staff_id != None)).one()  # noqa: E711
    assert (file.message_id, file.proposal_id) == (message.id, None)


async def test_an_answer_can_be_stopped_while_it_waits(desk: Desk, clock: Clock) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")
    await press(olga, question_id, "answer", 1, text="Troppo presto")
    clock.move(seconds=5)

    page = await page_of(olga, question_id)
    others = await page_of(desk.browser("Vera"), question_id)
    number = re.search(r'name="message" value="(\d+)"', page)
    assert number is not None
    await press(olga, question_id, "undo", message=number[1])
    after = await page_of(olga, question_id)

    assert "<strong data-seconds>15</strong>" in page
    assert "Annulla l'invio" in page
    assert "Annulla l'invio" not in others
    assert "La risposta non è partita." in after
    assert "Troppo presto</textarea>" in after
    assert "Invio annullato: nessuno l'ha ricevuta" in after
    assert "Annulla l'invio" not in after
    assert outgoing(desk) == [OutboxState.DROPPED]


async def test_after_20_seconds_it_is_no_longer_offered_and_what_left_is_not_stopped(desk: Desk, clock: Clock) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")
    await press(olga, question_id, "answer", 1, text="Va bene.")
    with desk.house.database.write() as session:
        row, message = session.exec(select(Outbox)).one(), session.exec(select(Message.id)).all()[-1]
        row.state, row.attempts = OutboxState.SENDING, 1
        session.add(row)
    clock.move(seconds=UNDO.total_seconds())

    page = await page_of(olga, question_id)
    late = await press(olga, question_id, "undo", message=str(message))

    assert "Annulla l'invio" not in page
    assert late.status_code == 409
    assert "Questa risposta è già partita" in late.text
    with desk.house.database.read() as session:
        assert session.get_one(Message, message).audience is Audience.REFERENT


async def test_a_stopped_answer_is_on_no_page_of_the_referent(desk: Desk) -> None:
    from storage.people import new_personal_link

    question_id = a_question(desk)
    olga = desk.browser("Olga")
    await press(olga, question_id, "answer", 1, text="Parole ritirate")
    with desk.house.database.write() as session:
        ada = session.get_one(Question, question_id).referent_id
        assert ada is not None
        key, message = new_personal_link(session, ada, desk.house.clock()), session.exec(select(Message.id)).all()[-1]
    shown = (await desk.browser().get(f"/r/{key}/questions/{question_id}")).text

    await press(olga, question_id, "undo", message=str(message))
    hidden = (await desk.browser().get(f"/r/{key}/questions/{question_id}")).text

    assert "Parole ritirate" in shown
    assert "Parole ritirate" not in hidden


async def test_an_approved_answer_that_is_stopped_waits_with_the_correction_in_the_box(desk: Desk) -> None:
    question_id = await proposes(desk)
    olga = desk.browser("Olga")
    await press(olga, question_id, "approve", 2, text="La correzione")
    with desk.house.database.read() as session:
        message = session.exec(select(Message.id)).all()[-1]

    page = (await press(olga, question_id, "undo", message=str(message))).text

    assert "La correzione</textarea>" in page
    assert the_question(desk, question_id).state is QuestionState.PROPOSED


# --- sorting


async def test_urgent_comes_first_then_what_is_to_be_answered_first(desk: Desk) -> None:
    later, sooner, urgent = a_question(desk, "dopo"), a_question(desk, "prima"), a_question(desk, "urgente")
    with desk.house.database.write() as session:
        for number, days in ((later, 3), (sooner, 1), (urgent, 5)):
            session.get_one(Question, number).due_at = desk.house.clock() + timedelta(days=days)
    vera = desk.browser("Vera")

    await press(vera, urgent, "urgent", urgent="1")
    heap = (await vera.get("/desk/questions")).text
    await press(vera, urgent, "urgent", urgent="")
    calm = (await vera.get("/desk/questions")).text

    numbers = re.findall(r'href="/desk/questions/(\d+)"', heap)
    assert numbers == [str(urgent), str(sooner), str(later)]
    assert "Urgente" in heap
    assert re.findall(r'href="/desk/questions/(\d+)"', calm) == [str(sooner), str(later), str(urgent)]
    assert the_question(desk, urgent).version == 1


async def test_a_question_is_assigned_to_a_colleague(desk: Desk) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")

    await press(olga, question_id, "assign", 1, to=str(desk.people["Ugo"]))
    taken_by = the_question(desk, question_id).taken_by
    reader = await press(olga, question_id, "assign", 2, to=str(desk.people["Rita"]))
    late = await press(desk.browser("Vera"), question_id, "assign", 1, to=str(desk.people["Vera"]))

    assert taken_by == desk.people["Ugo"]
    assert (reader.status_code, late.status_code) == (409, 409)
    assert "Questa persona non può lavorare alle domande" in reader.text
    assert the_question(desk, question_id).taken_by == desk.people["Ugo"]


async def test_who_asks_the_referent_for_something_waits_for_them(desk: Desk) -> None:
    question_id = a_question(desk)

    await press(desk.browser("Olga"), question_id, "answer", 1, text="Quale CUP?", awaits="1")

    for path in (f"/desk/questions/{question_id}", "/desk/questions?view=all"):
        assert "In attesa del referente" in (await desk.browser("Rita").get(path)).text


async def test_a_free_category_lets_a_volunteer_answer(desk: Desk) -> None:
    question_id = a_question(desk)
    with desk.house.database.write() as session:
        free = desk.cast(session).add(Category(name="Scadenze", hours=4, free=True, created_at=desk.house.clock())).id
    vera = desk.browser("Vera")

    await press(desk.browser("Olga"), question_id, "category", category=str(free))
    page = await page_of(vera, question_id)
    await press(vera, question_id, "answer", 1, text="Il 10.")

    assert "Invia la risposta" in page
    assert outgoing(desk) == [OutboxState.QUEUED]
