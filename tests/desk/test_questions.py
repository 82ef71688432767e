"""The queue and a question's page, by who looks and who presses."""

import re
from datetime import timedelta

import httpx
import pytest
from sqlmodel import select

from app.mark_keeping import renew_all
from storage.tables import Attachment, Audience, Channel, Message, Outbox, OutboxState, Question, QuestionState
from tests.desk.conftest import Browser, Desk


def a_question(desk: Desk, text: str = "Possiamo usare il ribasso?", *, reachable: bool = True, **other: object) -> int:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        count = len(session.exec(select(Question.id)).all())
        chat = 100 + count if reachable else None
        ada = cast.a_referent(f"Ada Esempio {count}", cast.an_organization(), chat=chat)
        return cast.a_question(ada, text, **other).id


def the_question(desk: Desk, question_id: int) -> Question:
    with desk.house.database.read() as session:
        question = session.get(Question, question_id)
        assert question is not None
        session.expunge(question)
        return question


async def press(browser: Browser, question_id: int, button: str, version: int = 1, **fields: str) -> httpx.Response:
    url = f"/desk/questions/{question_id}"
    return await browser.send_form(f"{url}/{button}", page=url, version=str(version), **fields)


async def test_the_queue_shows_first_what_is_to_be_answered_first_and_what_is_late(desk: Desk) -> None:
    first = a_question(desk, "La prima domanda")
    second = a_question(desk, "La seconda domanda")
    with desk.house.database.write() as session:
        late = session.get(Question, second)
        assert late is not None
        late.due_at = desk.house.clock() - timedelta(hours=1)
        session.add(late)

    page = (await desk.browser("Rita").get("/desk/questions")).text

    assert page.index("La seconda domanda") < page.index("La prima domanda")
    assert page.count("In ritardo") == 1
    assert f"/desk/questions/{first}" in page


async def test_the_three_heaps_hold_their_own(desk: Desk) -> None:
    new, mine, others = a_question(desk, "ancora nuova"), a_question(desk, "presa da me"), a_question(desk, "di Ugo")
    olga = desk.browser("Olga")
    await press(olga, mine, "take")
    await press(desk.browser("Ugo"), others, "take")

    heaps = {view: (await olga.get(f"/desk/questions?view={view}")).text for view in ("new", "mine", "all")}

    found = {
        view: [number for number in (new, mine, others) if f'href="/desk/questions/{number}"' in text]
        for view, text in heaps.items()
    }
    assert found == {"new": [new], "mine": [mine], "all": [new, mine, others]}
    assert re.findall(r'class="count">(\d+)<', heaps["new"]) == ["1", "1", "0", "3"]


@pytest.mark.parametrize(
    ("wanted", "finds"),
    [
        ("{first}", 1),
        ("n. {first}", 1),
        ("RIBASSO", 1),
        ("perche", 2),
        ("più ribasso", 1),
        ("Esempio 1", 2),
        ("100%", 0),
        ("1234567890123", 0),
        ("_", 0),
    ],
)
async def test_searching_by_number_words_or_person(desk: Desk, wanted: str, finds: int) -> None:
    first, second = a_question(desk, "Possiamo usare il ribasso in più?"), a_question(desk, "Perché scade?")

    renew_all(desk.house.database)
    page = (await desk.browser("Rita").get("/desk/questions", params={"q": wanted.format(first=first)})).text

    assert (f'href="/desk/questions/{first}"' in page) == (finds == 1)
    assert (f'href="/desk/questions/{second}"' in page) == (finds == 2)


@pytest.mark.parametrize("view", ["new", "mine", "all"])
async def test_an_empty_heap_says_what_to_do(desk: Desk, view: str) -> None:
    page = (await desk.browser("Olga").get(f"/desk/questions?view={view}")).text

    assert 'class="empty"' in page


async def test_a_long_heap_has_pages(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent()
        for number in range(51):
            cast.a_question(ada, f"domanda numero {number:02}.")

    first = (await desk.browser("Olga").get("/desk/questions")).text
    second = (await desk.browser("Olga").get("/desk/questions?page=2")).text

    assert "numero 49." in first
    assert "numero 50." not in first
    assert "numero 50." in second


async def test_a_stranger_s_html_is_only_ever_text(desk: Desk) -> None:
    question_id = a_question(desk, "<script>alert(1)</script>\n<img src=x onerror=alert(2)>")
    browser = desk.browser("Olga")

    for page in (await browser.get("/desk/questions"), await browser.get(f"/desk/questions/{question_id}")):
        assert "&lt;script&gt;alert(1)" in page.text
        assert "<script>alert" not in page.text
        assert "<img" not in page.text


async def test_taking_answering_closing_and_reopening(desk: Desk) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")

    await press(olga, question_id, "take", 1)
    answered = await press(olga, question_id, "answer", 2, text="Sì, entro il 5%.")
    page = await olga.get(f"/desk/questions/{question_id}")
    await press(olga, question_id, "close", 3)
    closed = the_question(desk, question_id).state
    await press(olga, question_id, "reopen", 4)

    assert answered.status_code == 303
    assert "Sì, entro il 5%." in page.text
    assert "In attesa di partire" in page.text
    assert "in partenza su Telegram" in page.text
    assert closed is QuestionState.CLOSED
    assert the_question(desk, question_id).state is QuestionState.TAKEN


async def test_closing_what_nobody_answered_asks_first(desk: Desk) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")
    url = f"/desk/questions/{question_id}"

    page = (await olga.get(url)).text
    pressed = await press(olga, question_id, "close")
    still = the_question(desk, question_id).state
    asked = (await olga.get(f"{url}/close")).text
    sure = await olga.send_form(f"{url}/close", page=f"{url}/close", version="1", unanswered="yes")

    assert f'href="{url}/close"' in page
    assert pressed.headers["location"] == f"{url}/close"
    assert still is QuestionState.NEW
    assert "ultimo messaggio di Ada Esempio 0:" in asked
    assert "Possiamo usare il ribasso?" in asked
    assert sure.status_code == 303
    assert the_question(desk, question_id).state is QuestionState.CLOSED


async def test_a_message_after_the_answer_is_not_closed_without_asking(desk: Desk) -> None:
    from intake.questions import add_message

    question_id = a_question(desk)
    olga = desk.browser("Olga")
    await press(olga, question_id, "answer", 1, text="Sì.")
    with desk.house.database.write() as session:
        question = session.get_one(Question, question_id)
        assert question.referent_id is not None
        add_message(
            session,
            question,
            referent_id=question.referent_id,
            text="E per le varianti?",
            channel=Channel.TELEGRAM,
            now=desk.house.clock(),
        )

    pressed = await press(olga, question_id, "close", the_question(desk, question_id).version)

    assert pressed.headers["location"].endswith("/close")
    assert the_question(desk, question_id).state is not QuestionState.CLOSED


async def test_there_is_nothing_to_confirm_for_what_is_answered_or_not_there(desk: Desk) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")
    await press(olga, question_id, "answer", 1, text="Sì.")

    answered = await olga.get(f"/desk/questions/{question_id}/close")
    unknown = await olga.get("/desk/questions/999/close")

    assert answered.headers["location"] == f"/desk/questions/{question_id}"
    assert unknown.status_code == 404


async def test_a_closed_question_says_who_closed_it(desk: Desk) -> None:
    from intake.questions import settle

    by_ada, by_ugo = a_question(desk, "Prima?"), a_question(desk, "Seconda?")
    olga = desk.browser("Olga")
    for number in (by_ada, by_ugo):
        await press(olga, number, "answer", 1, text="Sì.")
    with desk.house.database.write() as session:
        ada = session.get_one(Question, by_ada).referent_id
        assert ada is not None
        settle(session, by_ada, ada, solved=True, now=desk.house.clock())
    await press(desk.browser("Ugo"), by_ugo, "close", the_question(desk, by_ugo).version)

    first = (await olga.get(f"/desk/questions/{by_ada}")).text
    second = (await olga.get(f"/desk/questions/{by_ugo}")).text
    heap = (await olga.get("/desk/questions?view=all")).text

    assert "Chiusa da chi ha chiesto" in first
    assert "Chiusa da Ugo Esempio" in second
    assert heap.count("da chi ha chiesto") == 1


async def test_giving_back_puts_it_among_the_new_ones_again(desk: Desk) -> None:
    question_id = a_question(desk)
    vera = desk.browser("Vera")
    await press(vera, question_id, "take", 1)

    await press(vera, question_id, "release", 2)

    assert the_question(desk, question_id).state is QuestionState.NEW
    assert the_question(desk, question_id).taken_by is None


async def test_of_two_who_answer_at_once_one_leaves_and_the_other_keeps_the_text(desk: Desk) -> None:
    question_id = a_question(desk)
    olga, ugo = desk.browser("Olga"), desk.browser("Ugo")

    await press(olga, question_id, "answer", 1, text="La risposta di Olga")
    second = await press(ugo, question_id, "answer", 1, text="La risposta di Ugo <b>")

    assert second.status_code == 409
    assert "Nel frattempo ha risposto Olga Esempio" in second.text
    assert "La risposta di Olga" in second.text
    assert "La risposta di Ugo &lt;b&gt;</textarea>" in second.text
    with desk.house.database.read() as session:
        assert [row.text for row in session.exec(select(Message).where(Message.staff_id != None))] == [  # noqa: E711
            "La risposta di Olga"
        ]
        assert len(session.exec(select(Outbox)).all()) == 1


async def test_the_second_text_can_be_sent_after_reading_the_first(desk: Desk) -> None:
    question_id = a_question(desk)
    await press(desk.browser("Olga"), question_id, "answer", 1, text="Prima")
    ugo = desk.browser("Ugo")
    refused = await press(ugo, question_id, "answer", 1, text="Seconda")
    shown = re.search(r'name="version" value="(\d+)"', refused.text.split("/answer")[1])
    assert shown is not None

    again = await press(ugo, question_id, "answer", int(shown[1]), text="Seconda")

    assert again.status_code == 303


async def test_while_a_colleague_works_on_it_one_may_take_it_over_but_not_answer(desk: Desk) -> None:
    question_id = a_question(desk)
    await press(desk.browser("Olga"), question_id, "take", 1)
    ugo = desk.browser("Ugo")

    page = await ugo.get(f"/desk/questions/{question_id}")
    refused = await press(ugo, question_id, "answer", 2, text="La mia")
    await press(ugo, question_id, "take", 2)

    assert "Prendila tu" in page.text
    assert "Invia la risposta" not in page.text
    assert refused.status_code == 409
    assert "La mia</textarea>" in refused.text
    assert the_question(desk, question_id).taken_by == desk.people["Ugo"]


async def test_a_message_of_the_referent_in_between_stops_the_answer(desk: Desk) -> None:
    question_id = a_question(desk)
    with desk.house.database.write() as session:
        from intake.questions import add_message

        question = session.get(Question, question_id)
        assert question is not None
        assert question.referent_id is not None
        add_message(
            session,
            question,
            referent_id=question.referent_id,
            text="Ho già risolto",
            channel=Channel.TELEGRAM,
            now=desk.house.clock(),
        )

    answer = await press(desk.browser("Olga"), question_id, "answer", 1, text="Ecco")

    assert answer.status_code == 409
    assert "Ho già risolto" in answer.text
    assert "Ecco</textarea>" in answer.text


async def test_an_empty_answer_is_sent_back(desk: Desk) -> None:
    question_id = a_question(desk)

    answer = await press(desk.browser("Olga"), question_id, "answer", 1, text="  \n ")

    assert answer.status_code == 409
    assert "Il testo è vuoto" in answer.text


async def test_a_note_stays_inside_and_stops_nobody(desk: Desk) -> None:
    question_id = a_question(desk)

    await press(desk.browser("Ugo"), question_id, "note", text="Attenzione: caso delicato")
    answered = await press(desk.browser("Olga"), question_id, "answer", 1, text="Va bene.")

    assert answered.status_code == 303
    with desk.house.database.read() as session:
        assert [row.body["html"] for row in session.exec(select(Outbox)) if "delicato" in str(row.body)] == []
        notes = session.exec(select(Message).where(Message.audience == Audience.STAFF)).all()
    assert [note.text for note in notes] == ["Attenzione: caso delicato"]
    page = await desk.browser("Rita").get(f"/desk/questions/{question_id}")
    assert "Nota interna" in page.text


async def test_when_no_channel_is_left_the_page_says_to_phone(desk: Desk) -> None:
    question_id = a_question(desk, reachable=False)
    olga = desk.browser("Olga")

    before = await olga.get(f"/desk/questions/{question_id}")
    await press(olga, question_id, "answer", 1, text="Va bene.")
    after = await olga.get(f"/desk/questions/{question_id}")

    assert "dovrai telefonare" in before.text
    assert "Nessun canale: telefona" in after.text
    assert "Va bene." in after.text


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (OutboxState.SENT, "Inviato"),
        (OutboxState.DEAD, "Non consegnato"),
        (OutboxState.UNCERTAIN, "Forse consegnato"),
    ],
)
async def test_the_page_says_what_became_of_an_answer(desk: Desk, state: OutboxState, word: str) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")
    await press(olga, question_id, "answer", 1, text="Va bene.")
    with desk.house.database.write() as session:
        row = session.exec(select(Outbox)).one()
        row.state = state
        session.add(row)

    assert word in (await olga.get(f"/desk/questions/{question_id}")).text


async def test_a_reader_sees_the_thread_and_no_button(desk: Desk) -> None:
    question_id = a_question(desk)

    page = await desk.browser("Rita").get(f"/desk/questions/{question_id}")

    assert page.status_code == 200
    assert f'action="/desk/questions/{question_id}/' not in page.text
    assert set(re.findall(rf'href="/desk/questions/{question_id}/([^"]*)"', page.text)) == {
        "similar"
    }  # only to be read


async def test_an_unknown_question_does_not_exist(desk: Desk) -> None:
    olga = desk.browser("Olga")

    answers = [
        await olga.get("/desk/questions/999"),
        await olga.send_form("/desk/questions/999/take", page="/desk/questions", version="1"),
        await olga.send_form("/desk/questions/999/note", page="/desk/questions", text="x"),
    ]

    assert [answer.status_code for answer in answers] == [404] * 3


async def test_a_file_is_handed_out_only_to_be_saved(desk: Desk) -> None:
    import io

    from intake.files import keep_file

    question_id = a_question(desk)
    with desk.house.database.write() as session:
        message = session.exec(select(Message).where(Message.question_id == question_id)).one()
        kept = keep_file(
            session,
            desk.house.files,
            'verbale "finale".pdf',
            "application/pdf",
            io.BytesIO(b"%PDF-1.4 prova"),
            now=desk.house.clock(),
            message_id=message.id,
        )
        file_id = kept.id
    rita = desk.browser("Rita")

    page = await rita.get(f"/desk/questions/{question_id}")
    file = await rita.get(f"/desk/attachments/{file_id}")

    assert f"/desk/attachments/{file_id}" in page.text
    assert file.content == b"%PDF-1.4 prova"
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''verbale%20%22finale%22.pdf"
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["content-security-policy"].startswith("sandbox")


async def test_a_file_that_is_gone_or_not_signed_for_is_not_handed_out(desk: Desk) -> None:
    with desk.house.database.write() as session:
        lost = Attachment(sha256="a" * 64, size=3, name="perso.pdf", created_at=desk.house.clock())
        session.add(lost)
        session.flush()
        lost_id = lost.id

    assert (await desk.browser("Olga").get(f"/desk/attachments/{lost_id}")).status_code == 404
    assert (await desk.browser("Olga").get("/desk/attachments/999")).status_code == 404
    assert (await desk.browser().get(f"/desk/attachments/{lost_id}")).status_code == 303


async def test_the_queue_says_that_somebody_has_several_organisations(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent("Ada Esempio", cast.an_organization("Abbiategrasso"))
        cast.a_question(ada)
        before = cast.a_referent("Bruno Esempio", cast.an_organization("Corsico"))
        cast.a_question(before)
        for name in ("Melzo", "Rho"):
            cast.also_of(ada, cast.an_organization(name))

    page = (await desk.browser("Rita").get("/desk/questions")).text

    assert "Abbiategrasso e altri 2<" in page
    assert "Corsico<" in page


async def test_an_address_with_an_unknown_heap_opens_the_first(desk: Desk) -> None:
    a_question(desk, "Il ribasso?")

    shown = await desk.browser("Vera").get("/desk/questions?view=vecchia")

    assert shown.status_code == 200
    assert "Il ribasso?" in shown.text
