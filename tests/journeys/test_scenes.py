"""Scenes in which others lose something, over real sockets: odd files, large ones, albums, edits, closed doors."""

import asyncio
import re
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

import httpx
import pytest
from sqlmodel import col, select

from sandbox.media import Photo
from sandbox.people import Person
from sandbox.pictures import plain_png
from sandbox.telegram import DOWNLOAD
from storage.corrections import of_thread
from storage.database import Database
from storage.tables import Address, Attachment, Channel, FileState, Message, Outbox, OutboxKind, Question, Update
from tests.journeys.conftest import House, ada_of, hidden_fields, sign_in
from tests.journeys.talk import answers_everything, gives_an_update, presses, says
from tests.journeys.test_main_job import a_deadline_on

T = TypeVar("T")

pytestmark = pytest.mark.journey

PDF = b"%PDF-1.7\nun esempio\n%%EOF\n"
ODT = b"PK\x03\x04" + b"\x00" * 22 + b"\x08\x00\x00\x00mimetypeapplication/vnd.oasis.opendocument.textPK"


async def heard(person: Person, words: str, after: int) -> str:
    return (await person.wait_for_message(words, after=after, timeout=60)).text


async def all_fetched(house: House) -> list[Attachment]:
    """Until nothing is on its way from Telegram any more."""

    def kept() -> list[Attachment] | None:
        with house.database.read() as session:
            rows = list(session.exec(select(Attachment).order_by(col(Attachment.id))))
            session.expunge_all()
        return rows if rows and all(row.state is not FileState.WAITING for row in rows) else None

    found: list[Attachment] = await until(kept)
    return found


def is_unreachable(database: Database) -> bool:
    with database.read() as session:
        chats = select(Address.unreachable_since).where(Address.channel == Channel.TELEGRAM)
        return session.exec(chats).one() is not None


async def until(ready: Callable[[], Any]) -> Any:
    async with asyncio.timeout(40):
        while not (found := ready()):
            await asyncio.sleep(0.05)
        return found


def one(database: Database, what: type[T]) -> T:
    with database.read() as session:
        row = session.exec(select(what)).one()
        session.expunge(row)
        return row


async def test_an_odt_without_a_type_and_then_an_ordinary_text(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/domanda", "Scrivi qui")

    sent = ada.sends_document("verbale.odt", content=ODT)
    await heard(ada, "Ricevuto: verbale.odt", sent.id)
    await says(ada, "Va bene il verbale?", "Di quale progetto")
    await presses(ada, "Nessun progetto", "inviata")
    await says(ada, "grazie", "Grazie a te")

    [file] = await all_fetched(house)
    assert file.type_seen == "application/vnd.oasis.opendocument.text"
    assert file.message_id == one(house.database, Message).id
    assert (await house.desk.get(f"/desk/attachments/{file.id}")).content == ODT


async def test_a_pdf_of_25_megabytes_is_refused_at_once_and_left_on_the_page(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/aggiorna", "A che punto è il progetto?")

    sent = ada.sends_document("progetto.pdf", size=25 * 1024 * 1024, mime_type="application/pdf")
    refusal = await ada.wait_for_message("troppo grande per Telegram", after=sent.id, timeout=60)
    link = next(button["url"] for button in refusal.buttons if "/upload/" in button.get("url", ""))
    page = (await house.public.get(link)).raise_for_status().text
    path = link.removeprefix(str(house.public.base_url).rstrip("/"))
    large = PDF + bytes(25 * 1024 * 1024)
    files = {"file": ("progetto.pdf", large, "application/pdf")}
    left = await house.public.post(link, data=hidden_fields(page, path), files=files, follow_redirects=True)
    await heard(ada, "“progetto.pdf” è arrivato", refusal.id)
    await answers_everything(ada)

    file = one(house.database, Attachment)
    assert not house.telegram.ledger.calls(DOWNLOAD), "nobody tries to fetch what is too large"
    assert "Il file è arrivato" in left.text
    assert (file.size, file.update_id) == (len(large), one(house.database, Update).id)


async def test_five_photos_with_a_caption_are_one_answer(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/domanda", "Scrivi qui")

    parts = ada.sends_album([Photo(plain_png(20 + n, 20)) for n in range(5)], caption="Quale di questi muri?")
    received = await heard(ada, "Ricevuto: 5 foto", parts[-1].id)
    await presses(ada, "Nessun progetto", "inviata")

    files = await all_fetched(house)
    message = one(house.database, Message)
    assert "Di quale progetto" in received
    assert message.text == "Quale di questi muri?"
    assert [(file.message_id, file.state) for file in files] == [(message.id, FileState.KEPT)] * 5


async def test_an_edited_message_keeps_both_versions_before_the_staff(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/domanda", "Scrivi qui")
    asked = ada.sends("Entro il 10?")
    await heard(ada, "Di quale progetto", asked.id)
    receipt = await presses(ada, "Nessun progetto", "inviata")

    ada.edits(asked.id, "Entro il 20?")
    await heard(ada, "restano tutte e due le versioni", receipt.id)

    question = one(house.database, Question)
    with house.database.read() as session:
        [[correction]] = of_thread(session, question.id).values()
    page = (await house.desk.get(f"/desk/questions/{question.id}")).text
    assert correction.after == "Entro il 20?"
    assert page.index("Entro il 10?") < page.index("Corretto") < page.index("Entro il 20?")


async def test_a_photo_replaced_after_it_was_sent_stays_and_the_other_is_fetched_too(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/domanda Va bene così?", "Di quale progetto")
    receipt = await presses(ada, "Nessun progetto", "inviata")
    await house.all_sent()
    sent = ada.sends_photo(content=plain_png(30, 20), reply_to=receipt.id)
    added = await ada.wait_for_message("Aggiunto", after=sent.id, timeout=60)

    ada.edits(sent.id, media=Photo(plain_png(31, 20)))
    await heard(ada, "restano tutte e due le versioni", added.id)

    first, second = await all_fetched(house)
    page = (await house.desk.get("/desk/questions/1")).text
    assert (first.state, second.state, first.message_id) == (FileState.KEPT, FileState.KEPT, second.message_id)
    assert (await house.desk.get(f"/desk/attachments/{first.id}")).content == plain_png(30, 20)
    assert (await house.desk.get(f"/desk/attachments/{second.id}")).content == plain_png(31, 20)
    assert f"Al suo posto è arrivato: {second.name}" in page


async def test_an_update_sent_a_second_before_the_reminder_silences_it(house: House) -> None:
    ada = ada_of(house)
    a_deadline_on(house, date(2026, 12, 17))
    await house.move_to(days=15)  # the window is open, the first step is due tomorrow

    await gives_an_update(ada)
    await house.move_to(days=1, seconds=1)
    await house.all_sent()

    with house.database.read() as session:
        assert session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER)).all() == []


async def test_a_blocked_bot_reminds_by_mail_once(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/menu", "che cosa vuoi fare?")

    ada.blocks()
    await until(lambda: is_unreachable(house.database))
    a_deadline_on(house, date(2026, 12, 1))
    await house.move_to(seconds=1)
    await until(lambda: house.mail.to("ada@example.org"))
    await house.all_sent()

    assert len(house.mail.to("ada@example.org")) == 1
    assert not house.telegram.ledger.refused("sendMessage"), "nobody knocked at the closed door"


async def test_who_blocked_the_bot_and_comes_back_goes_on_in_the_chat(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/domanda Possiamo usare il ribasso?", "Di quale progetto")
    await presses(ada, "Nessun progetto", "inviata")
    ada.blocks()
    await until(lambda: is_unreachable(house.database))

    await house.answers(1, "Sì, con una variante.")
    await until(lambda: house.mail.to("ada@example.org"))
    await house.all_sent()
    last = ada.chat[-1].id
    ada.unblocks()
    await until(lambda: not is_unreachable(house.database))
    await house.answers(1, "E mandateci il verbale.")

    await heard(ada, "mandateci il verbale", last)
    assert len(house.mail.to("ada@example.org")) == 1, "what went by mail"
    assert not [message for message in ada.from_bot if "con una variante" in message.text], (
        "came twice: in the chat too"
    )


async def test_of_two_people_who_answer_at_once_one_answer_leaves(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/domanda Entro quando?", "Di quale progetto")
    receipt = await presses(ada, "Nessun progetto", "inviata")
    page, action = "/desk/questions/1", "/desk/questions/1/answer"
    sign_in(house, house.public, "Piero Esempio")

    by_browser = {browser: (await browser.get(page)).text for browser in (house.desk, house.public)}

    async def answers(browser: httpx.AsyncClient, text: str) -> httpx.Response:
        return await browser.post(action, data=hidden_fields(by_browser[browser], action) | {"text": text})

    by_olga, by_piero = await asyncio.gather(answers(house.desk, "Entro il 10."), answers(house.public, "Entro il 20."))
    await house.until_it_leaves()
    await heard(ada, "Entro il", receipt.id)
    await house.all_sent()

    told = [message.text for message in ada.from_bot if message.id > receipt.id]
    late, kept = (by_piero, "Entro il 20.") if by_olga.status_code == 303 else (by_olga, "Entro il 10.")
    assert len(told) == 1, "two answers left"
    assert sorted([by_olga.status_code, by_piero.status_code]) == [303, 409]
    assert kept in late.text, "what the second one wrote is lost"


async def test_files_of_the_staff_arrive_with_the_answer(house: House) -> None:
    ada = ada_of(house)
    await says(ada, "/domanda Mi mandate il modello?", "Di quale progetto")
    receipt = await presses(ada, "Nessun progetto", "inviata")
    page = "/desk/questions/1"

    shown = (await house.desk.get(page)).text
    files = [
        ("file", ("modello.pdf", PDF, "application/pdf")),
        *(("file", (f"esempio{n}.png", plain_png(30 + n, 20), "image/png")) for n in range(2)),
    ]
    fields = hidden_fields(shown, f"{page}/answer") | {"text": "Eccolo, con due esempi."}
    await house.desk.post(f"{page}/answer", data=fields, files=files)
    await house.until_it_leaves()
    await heard(ada, "con due esempi", receipt.id)
    await house.all_sent()

    sent = [message for message in ada.from_bot if message.id > receipt.id]
    documents = [message.raw["document"]["file_name"] for message in sent if "document" in message.raw]
    photos = [message for message in sent if "photo" in message.raw]
    assert documents == ["modello.pdf"]
    assert len({message.raw["media_group_id"] for message in photos}) == 1
    assert len(photos) == 2
    assert re.search(r"modello\.pdf</a>", (await house.desk.get(page)).text)

    reply = ada.sends("Questo non si legge", reply_to=photos[1].id)
    await heard(ada, "la domanda n. 1 è di nuovo aperta", reply.id)
