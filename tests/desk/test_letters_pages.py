"""The e-mails to sort: what is shown, who may decide, what becomes of them, what two officers at once see."""

import re
from typing import Any

import pytest
from sqlmodel import select

from storage.letters import add_letter, one_letter
from storage.people import organizations_of, referent_at
from storage.tables import (
    Address,
    Attachment,
    Audit,
    Channel,
    Inbox,
    InboxState,
    Letter,
    LetterKind,
    LetterState,
    Message,
    Outbox,
    OutboxKind,
    Question,
    Standing,
)
from tests.desk.conftest import Desk

LIST = "/desk/letters"
DARIO = "dario@comune.example.org"
NEW = {
    "who": "new",
    "keep": "yes",
    "name": "Dario Esempio",
    "organization": "Melzo",
    "role": "RUP",
    "which": "all",
    "step": "save",
}


def a_letter(desk: Desk, text: str = "Vorrei sapere dei bandi.", **other: Any) -> int:
    """Dario, whom nobody knows, has written; Melzo is known."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        if session.exec(select(Letter.id)).first() is None:
            cast.a_project(cast.an_organization("Melzo", pec="comune@pec.melzo.example.org"), title="Ex filanda")
        row = Inbox(
            kind="mail",
            account="ricevuti@ufficio.example.org",
            provider_id=text,
            payload_hash="x" * 43,
            payload=b"From: Dario\r\n\r\n<script>alert(1)</script>",
            lane="mail:dario",
            state=InboxState.DONE,
            received_at=cast.now,
        )
        cast.add(row)
        values: dict[str, Any] = {
            "inbox_id": row.id,
            "channel": Channel.EMAIL,
            "provider_id": f"<{text}@mail.example.org>",
            "kind": LetterKind.MESSAGE,
            "state": LetterState.HELD,
            "standing": Standing.UNVERIFIED,
            "sender": DARIO,
            "sender_name": "Dario Esempio",
            "subject": "Bandi",
            "text": text,
            "received_at": cast.now,
        }
        letter = add_letter(session, text, **(values | other))
        cast.add(Attachment(sha256="a" * 43, size=12, name="piano.pdf", letter_id=letter.id, created_at=cast.now))
        return letter.id


def letter_of(desk: Desk, letter_id: int) -> Letter:
    with desk.house.database.read() as session:
        found = one_letter(session, letter_id)
        assert found is not None
        session.expunge(found)
        return found


def texts_of(desk: Desk, question_id: int | None) -> list[str]:
    with desk.house.database.read() as session:
        return [one.text for one in session.exec(select(Message).where(Message.question_id == question_id))]


async def test_an_empty_pen_says_what_it_is_for(desk: Desk) -> None:
    page = (await desk.browser("Olga").get(LIST)).text

    assert "Nessuna e-mail in attesa" in page
    assert "la sua e-mail aspetta qui" in page


async def test_what_waits_is_listed_and_counted_in_the_navigation(desk: Desk) -> None:
    number = a_letter(desk)
    a_letter(desk, "già decisa", state=LetterState.FILED)

    page = (await desk.browser("Olga").get(LIST)).text
    elsewhere = (await desk.browser("Anna").get("/desk/questions")).text

    assert f'href="{LIST}/{number}">Bandi</a>' in page
    assert page.count(DARIO) == 1
    assert "mittente non verificato" in page
    assert re.search(r'href="/desk/letters">E-mail da smistare <span class="count">1<', elsewhere)


async def test_one_letter_shows_who_says_to_have_written_and_all_of_it(desk: Desk) -> None:
    number = a_letter(
        desk,
        "<b>ciao</b>",
        quoted="> prima",
        about={"doubt": "x", "events": ["Riunione"], "left_out": ["y"]},
        standing=Standing.UNTRUSTED,
    )

    page = (await desk.browser("Olga").get(f"{LIST}/{number}")).text

    for text in (DARIO, "Dario Esempio", "firma non attendibile", "&lt;b&gt;ciao", "&gt; prima", "Riunione"):
        assert text in page
    assert "Testo citato e firma" in page
    assert f"{LIST}/{number}/raw" in page
    assert "piano.pdf" in page
    assert 'value="Dario Esempio"' in page


async def test_letting_in_a_new_person_makes_a_question_and_tells_them(desk: Desk) -> None:
    number = a_letter(desk)
    page = f"{LIST}/{number}"

    answer = await desk.browser("Olga").send_form(f"{page}/approve", page=page, **NEW)

    letter = letter_of(desk, number)
    assert answer.headers["location"] == f"/desk/questions/{letter.question_id}"
    assert (letter.state, letter.decided_by) == (LetterState.ADMITTED, desk.people["Olga"])
    with desk.house.database.read() as session:
        dario = referent_at(session, Channel.EMAIL, DARIO)
        assert dario is not None
        assert [one.name for one in organizations_of(session, dario.id)] == ["Melzo"]
        question = session.get_one(Question, letter.question_id)
        assert (question.referent_id, question.channel) == (dario.id, Channel.EMAIL)
        (message,) = session.exec(select(Message)).all()
        assert (message.text, message.standing) == ("Bandi\n\nVorrei sapere dei bandi.", Standing.UNVERIFIED)
        (file,) = session.exec(select(Attachment)).all()
        assert (file.letter_id, file.message_id, file.referent_id) == (None, message.id, dario.id)
        (told,) = session.exec(select(Outbox)).all()
        assert (told.kind, told.address, told.question_id) == (OutboxKind.AUTO_REPLY, DARIO, question.id)
        acts = session.exec(select(Audit.action).where(Audit.object_kind == "letter")).all()
        assert acts == ["letter.admit"]
        assert session.exec(select(Address.verified_at).where(Address.value == DARIO)).one() is None


async def test_letting_in_somebody_we_know_keeps_the_address_when_one_says_so(desk: Desk) -> None:
    with desk.house.database.write() as session:
        ada = desk.cast(session).a_referent("Ada Esempio", email="ada@comune.example.org").id
    first, second = a_letter(desk), a_letter(desk, "Di nuovo")
    page = f"{LIST}/{first}"
    olga = desk.browser("Olga")

    await olga.send_form(f"{page}/approve", page=page, who=str(ada))
    with desk.house.database.read() as session:
        assert referent_at(session, Channel.EMAIL, DARIO) is None
    page = f"{LIST}/{second}"
    await olga.send_form(f"{page}/approve", page=page, who=str(ada), keep="yes")

    with desk.house.database.read() as session:
        found = referent_at(session, Channel.EMAIL, DARIO)
        assert found is not None
        assert found.id == ada
        assert {one.referent_id for one in session.exec(select(Question))} == {ada}
        assert [one.address for one in session.exec(select(Outbox))] == [DARIO]


async def test_what_else_waits_from_there_joins_the_same_question(desk: Desk) -> None:
    first, second = a_letter(desk, "uno"), a_letter(desk, "due")
    other = a_letter(desk, "di altri", sender="altra@example.org")
    page = f"{LIST}/{first}"

    await desk.browser("Olga").send_form(f"{page}/approve", page=page, **NEW)

    joined = letter_of(desk, second)
    assert joined.state is LetterState.ADMITTED
    assert texts_of(desk, joined.question_id) == ["Bandi\n\nuno", "due"]
    assert letter_of(desk, first).question_id == joined.question_id
    assert letter_of(desk, other).state is LetterState.HELD


async def test_a_letter_in_a_thread_goes_there_when_the_thread_is_theirs(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent("Ada Esempio", email="ada@comune.example.org")
        question = cast.a_question(ada)
        ids = ada.id, question.id
    number = a_letter(desk, "dal telefono", about={"thread": ids[1]})
    page = f"{LIST}/{number}"
    olga = desk.browser("Olga")

    shown = (await olga.get(page)).text
    await olga.send_form(f"{page}/approve", page=page, who=str(ids[0]))

    assert f"la domanda n. {ids[1]} è sua" in shown
    assert letter_of(desk, number).question_id == ids[1]
    assert texts_of(desk, ids[1])[1:] == ["dal telefono"]


async def test_somebody_we_know_is_found_by_searching(desk: Desk) -> None:
    with desk.house.database.write() as session:
        found = desk.cast(session).a_referent("Bruno Altro", email="bruno@example.org").id
    number = a_letter(desk)

    page = (await desk.browser("Olga").get(f"{LIST}/{number}?q=altro")).text

    assert f'id="f-who-{found}"' in page


async def test_nothing_of_a_new_person_is_insisted_on_when_it_is_somebody_we_know(desk: Desk) -> None:
    number = a_letter(desk)

    page = (await desk.browser("Olga").get(f"{LIST}/{number}")).text

    form = page[page.index("/approve") : page.index("/answer")]
    assert 'name="organization"' in form
    assert " required" not in form


async def test_an_address_that_is_somebody_elses_by_now_is_refused(desk: Desk) -> None:
    number = a_letter(desk)
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        cast.a_referent("Altro Nome", email=DARIO)
        ada = cast.a_referent("Ada Esempio", email="ada@comune.example.org").id
    page = f"{LIST}/{number}"

    answer = await desk.browser("Olga").send_form(f"{page}/approve", page=page, who=str(ada), keep="yes")

    assert answer.status_code == 422
    assert "è già l&#39;indirizzo di Altro Nome" in answer.text or "Altro Nome" in answer.text
    assert letter_of(desk, number).state is LetterState.HELD


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"organization": ""}, {"organization": "Paperopoli"}, {"who": "999999"}, {"who": "x"}]
)
async def test_what_is_missing_is_said_and_nothing_changes(desk: Desk, wrong: dict[str, str]) -> None:
    number = a_letter(desk)
    page = f"{LIST}/{number}"

    answer = await desk.browser("Olga").send_form(f"{page}/approve", page=page, **(NEW | wrong))

    assert answer.status_code == 422
    assert letter_of(desk, number).state is LetterState.HELD


async def test_a_certified_letter_names_its_organisation_and_asks_for_an_ordinary_mailbox(desk: Desk) -> None:
    with desk.house.database.write() as session:
        melzo = desk.cast(session).an_organization("Vizzolo", pec="comune@pec.vizzolo.example.org").id
    pec = {"channel": Channel.PEC, "sender": "comune@pec.vizzolo.example.org", "standing": Standing.CERTIFIED}
    number = a_letter(desk, about={"organization": melzo}, **pec)
    page = f"{LIST}/{number}"
    olga = desk.browser("Olga")

    shown = (await olga.get(page)).text
    fields = NEW | {"organization": "Vizzolo", "email": "dario@example.org", "keep": ""}
    await olga.send_form(f"{page}/approve", page=page, **fields)

    assert "PEC verificata" in shown
    assert 'value="Vizzolo"' in shown
    assert not re.search(r'name="keep"[^>]*checked', shown)
    with desk.house.database.read() as session:
        assert referent_at(session, Channel.EMAIL, "dario@example.org") is not None
        assert referent_at(session, Channel.PEC, "comune@pec.vizzolo.example.org") is None


async def test_answering_once_lets_nobody_in(desk: Desk) -> None:
    number = a_letter(desk)
    page = f"{LIST}/{number}"

    await desk.browser("Olga").send_form(f"{page}/answer", page=page, text="Scrivi al SUAP.\n<Grazie>")

    letter = letter_of(desk, number)
    with desk.house.database.read() as session:
        (sent,) = session.exec(select(Outbox)).all()
        assert (sent.kind, sent.address, sent.inbox_id) == (OutboxKind.ANSWER, DARIO, letter.inbox_id)
        assert "Scrivi al SUAP.\n&lt;Grazie&gt;" in sent.body["html"]
        assert referent_at(session, Channel.EMAIL, DARIO) is None
    assert (letter.state, letter.outbox_id) == (LetterState.ANSWERED, sent.id)
    shown = (await desk.browser("Olga").get(page)).text
    assert "Che cosa è stato risposto" in shown
    assert "Scrivi al SUAP." in shown


async def test_an_empty_answer_does_not_leave(desk: Desk) -> None:
    number = a_letter(desk)
    page = f"{LIST}/{number}"

    answer = await desk.browser("Olga").send_form(f"{page}/answer", page=page, text="  ")

    assert answer.status_code == 409
    assert letter_of(desk, number).state is LetterState.HELD


async def test_discarding_asks_first_and_can_be_taken_back(desk: Desk) -> None:
    number = a_letter(desk)
    page = f"{LIST}/{number}"
    olga = desk.browser("Olga")

    asked = await olga.get(f"{page}/discard")
    assert "Scartare questa e-mail?" in asked.text
    assert letter_of(desk, number).state is LetterState.HELD
    await olga.send_form(f"{page}/discard", page=f"{page}/discard")
    assert letter_of(desk, number).state is LetterState.DISCARDED
    assert "Bandi" in (await olga.get(f"{LIST}?decided=1")).text
    await olga.send_form(f"{page}/take-back", page=page)

    letter = letter_of(desk, number)
    assert (letter.state, letter.decided_by, letter.decided_at) == (LetterState.HELD, None, None)


async def test_the_second_of_two_officers_is_told_who_was_first(desk: Desk) -> None:
    number = a_letter(desk)
    page = f"{LIST}/{number}"
    ugo = desk.browser("Ugo")
    await desk.browser("Olga").send_form(f"{page}/approve", page=page, **NEW)

    answer = await ugo.send_form(f"{page}/approve", page="/desk/referents/new", **NEW)

    assert answer.status_code == 409
    assert "Nel frattempo ha deciso Olga Esempio" in answer.text
    for button in ("answer", "discard", "take-back"):
        late = await ugo.send_form(f"{page}/{button}", page="/desk/referents/new", text="x")
        assert late.status_code == 409
    assert letter_of(desk, number).decided_by == desk.people["Olga"]


async def test_the_mail_as_it_came_is_only_ever_saved(desk: Desk) -> None:
    number = a_letter(desk)

    answer = await desk.browser("Olga").get(f"{LIST}/{number}/raw")

    assert answer.content == b"From: Dario\r\n\r\n<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    with desk.house.database.read() as session:
        acts = session.exec(select(Audit.action).where(Audit.object_id == number)).all()
        assert "letter.raw" in acts


@pytest.mark.parametrize("who", ["Vera", "Rita", None])
async def test_who_may_not_sort_sees_and_does_nothing(desk: Desk, who: str | None) -> None:
    number = a_letter(desk)
    page = f"{LIST}/{number}"
    browser = desk.browser(who)
    refused = 303 if who is None else 403

    for url in (LIST, page, f"{page}/discard", f"{page}/raw"):
        assert (await browser.get(url)).status_code == refused, url
    with desk.house.database.read() as session:
        file = session.exec(select(Attachment.id)).one()
    assert (await browser.get(f"/desk/attachments/{file}")).status_code == refused
    start = "/desk/sign-in" if who is None else "/desk/questions"
    for button in ("approve", "answer", "discard", "take-back"):
        answer = await browser.send_form(f"{page}/{button}", page=start, **NEW, text="x")
        assert answer.status_code == refused, button
    assert letter_of(desk, number).state is LetterState.HELD
    if who is not None:
        assert "E-mail da smistare" not in (await browser.get("/desk/questions")).text


@pytest.mark.parametrize("state", [LetterState.THREADED, LetterState.FILED, LetterState.UPDATE])
async def test_what_went_its_way_by_itself_is_no_letter_to_sort(desk: Desk, state: LetterState) -> None:
    number = a_letter(desk, state=state)
    olga = desk.browser("Olga")

    assert (await olga.get(f"{LIST}/{number}")).status_code == 404
    assert (await olga.get(f"{LIST}/999999")).status_code == 404
    assert (await olga.get(f"{LIST}/999999/raw")).status_code == 404


# --- mail on a question's page


async def test_a_thread_shows_how_sure_each_mail_is_and_folds_what_it_repeats(desk: Desk) -> None:
    number = a_letter(desk, state=LetterState.THREADED, about={"thread": 77, "events": ["Riunione, 3 dicembre"]})
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        question = cast.a_question(cast.a_referent(), channel=Channel.EMAIL)
        words = {"question_id": question.id, "audience": "referent", "referent_id": question.referent_id}
        common: dict[str, Any] = {**words, "channel": Channel.EMAIL, "created_at": cast.now}
        first = cast.add(Message(text="Sono Ada", standing=Standing.UNVERIFIED, quoted="> di prima", **common))
        cast.add(Message(text="Sono in ferie", standing=Standing.DMARC, automatic=True, **common))
        for standing in (Standing.CERTIFIED, Standing.UNTRUSTED, Standing.REPLY):
            cast.add(Message(text="x", standing=standing, **common))
        letter = session.get_one(Letter, number)
        letter.message_id, letter.question_id = first.id, question.id
        session.add(letter)
        question_id = question.id

    page = (await desk.browser("Rita").get(f"/desk/questions/{question_id}")).text

    for badge in (
        "mittente non verificato",
        "dominio del mittente verificato",
        "PEC verificata",
        "firma non attendibile",
        "risposta riconosciuta",
    ):
        assert page.count(f">{badge}<") == 1, badge
    assert re.search(r"<details[^>]*><summary>Testo citato e firma</summary>.*di prima", page, re.DOTALL)
    assert re.search(r"<details[^>]*><summary>Risposta automatica</summary>\s*<div[^>]*><p>Sono in ferie", page)
    assert "domanda n. 77, che è di un" in page
    assert "Riunione, 3 dicembre" in page
    assert f"{LIST}/{number}/raw" not in page
    assert (await desk.browser("Rita").get(f"{LIST}/{number}/raw")).status_code == 403
    assert (await desk.browser("Olga").get(f"{LIST}/{number}/raw")).status_code == 200


async def test_the_queue_marks_questions_whose_newest_mail_is_not_sure(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent()
        common: dict[str, Any] = {"audience": "referent", "channel": Channel.EMAIL, "created_at": cast.now}
        for standing, automatic in (
            (Standing.UNVERIFIED, False),
            (Standing.REPLY, False),
            (Standing.UNVERIFIED, True),
        ):
            question = cast.a_question(ada, channel=Channel.EMAIL)
            cast.add(
                Message(
                    question_id=question.id,
                    referent_id=ada.id,
                    text="x",
                    standing=standing,
                    automatic=automatic,
                    **common,
                )
            )

    page = (await desk.browser("Rita").get("/desk/questions")).text

    assert page.count("mittente non verificato") == 1
    assert page.count('<span class="muted">E-mail</span>') == 3
