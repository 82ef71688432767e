"""How an answer will be seen, before it leaves."""

import re
from datetime import timedelta

from sqlmodel import select

from facts.languages import Language
from intake.leftovers import LEFT_FOR, take_away
from storage.tables import Attachment, Channel, Message, Outbox, Question, Referent
from tests.desk.conftest import Desk
from tests.desk.test_questions import a_question, press, the_question
from tests.desk.test_saved_answers import the_box, with_a_file

MIB = 1024 * 1024


def by_mail(desk: Desk) -> int:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent("Ada Esempio", cast.an_organization(), email="ada@example.org")
        return int(cast.a_question(ada, channel=Channel.EMAIL).id)


async def test_telegram_shows_a_bubble_with_its_buttons_and_nothing_leaves(desk: Desk) -> None:
    question_id = a_question(desk)

    page = await press(desk.browser("Olga"), question_id, "preview", text="Sì, <b>certo</b>\r\ne subito.")

    bubble = re.search(r'class="seen-bubble">(.*?)</div>', page.text, re.DOTALL)
    assert bubble is not None
    assert f"<b>Risposta alla tua domanda n. {question_id}</b>" in bubble[1]
    assert "Sì, &lt;b&gt;certo&lt;/b&gt;\ne subito." in bubble[1]
    assert re.findall(r"<li>([^<]+)</li>", page.text.split("seen-buttons")[1])[:3] == [
        "Risolto",
        "Non ancora",
        "Aggiungi qualcosa",
    ]
    assert "Parte con Telegram" in page.text
    assert the_question(desk, question_id).version == 1
    with desk.house.database.read() as session:
        assert session.exec(select(Outbox)).all() == []


async def test_a_mail_shows_subject_and_text_in_the_language_of_whoever_reads(desk: Desk) -> None:
    question_id = by_mail(desk)
    with desk.house.database.write() as session:
        session.get_one(Referent, session.get_one(Question, question_id).referent_id).language = Language.EN

    page = (await press(desk.browser("Olga"), question_id, "preview", text="Yes & no.")).text

    assert f"-{question_id:05}] Answer to your question no. {question_id}</strong>" in page
    letter = page.split('class="seen-text">')[1].split("</div>")[0]
    assert "Yes &amp; no." in letter
    assert "You can also simply reply to this e-mail." in letter
    assert "/r/…" in letter
    assert "Intestazione e pulsanti sono in inglese" in page


async def test_what_the_mail_says_is_what_the_preview_said(desk: Desk) -> None:
    question_id = by_mail(desk)
    olga = desk.browser("Olga")

    page = (await press(olga, question_id, "preview", text="Domani.", awaits="1")).text
    await press(olga, question_id, "answer", text="Domani.", awaits="1")

    with desk.house.database.read() as session:
        row = session.exec(select(Outbox)).one()
    sentence = re.sub(r"<[^>]+>", "", row.body["html"]).splitlines()[0]
    assert sentence in page
    assert "ti chiediamo" in sentence.casefold()


async def test_on_the_way_back_nothing_is_lost(desk: Desk) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")

    seen = await with_a_file(olga, question_id, "preview")
    carried = dict(re.findall(r'name="(text|keep|version)" value="([^"]*)"', seen.text))
    back = await press(olga, question_id, "write", text=carried["text"], awaits="1", keep=carried["keep"])
    sent = await press(olga, question_id, "answer", text=carried["text"], keep=carried["keep"])

    assert "modello.pdf" in seen.text
    assert the_box(back) == "Ecco il modello."
    assert f'name="keep" value="{carried["keep"]}" checked' in back.text
    assert 'name="awaits" value="1" checked' in back.text
    assert sent.status_code == 303
    with desk.house.database.read() as session:
        (file,) = session.exec(select(Attachment)).all()
        answer = session.exec(select(Message).where(Message.staff_id == desk.people["Olga"])).one()
    assert file.message_id == answer.id


async def test_a_file_that_is_refused_is_said_and_the_text_stays(desk: Desk) -> None:
    question_id = a_question(desk)

    page = await with_a_file(desk.browser("Olga"), question_id, "preview", name="virus.exe")

    assert page.status_code == 409
    assert the_box(page) == "Ecco il modello."


async def test_an_empty_text_has_no_preview_and_gaps_are_pointed_out(desk: Desk) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")

    empty = await press(olga, question_id, "preview", text=" \x00 ")
    gaps = await press(olga, question_id, "preview", text="Il progetto {project}.")

    assert empty.status_code == 409
    assert "Il testo è vuoto" in empty.text
    assert "ancora da completare: {project}" in gaps.text


async def test_a_mail_says_which_files_it_does_not_carry(desk: Desk) -> None:
    question_id = by_mail(desk)
    olga = desk.browser("Olga")
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ids = [
            cast.add(
                Attachment(
                    name=name,
                    size=10 * MIB,
                    sha256=name * 8,
                    type_seen="application/pdf",
                    staff_id=desk.people["Olga"],
                    created_at=desk.house.clock(),
                )
            ).id
            for name in ("uno.pdf", "due.pdf")
        ]

    page = (await press(olga, question_id, "preview", text="Ecco.", keep=[str(one) for one in ids])).text  # type: ignore[arg-type]

    listed = page.split("<h2")[1]
    assert re.search(r"due\.pdf [^/]*</span> <span[^>]*>sulla sua pagina", listed)
    assert not re.search(r"uno\.pdf [^/]*</span> <span[^>]*>sulla sua pagina", listed)
    assert "Troppo" in page.split('class="seen-text">')[1]


async def test_without_a_channel_it_says_that_the_phone_is_left(desk: Desk) -> None:
    question_id = a_question(desk, reachable=False)

    page = (await press(desk.browser("Olga"), question_id, "preview", text="Sì.")).text

    assert "telefon" in page
    assert "seen-buttons" not in page


async def test_a_volunteer_may_look_and_a_reader_may_not(desk: Desk) -> None:
    question_id = a_question(desk)

    seen = await press(desk.browser("Vera"), question_id, "preview", text="Sì.")
    denied = await press(desk.browser("Rita"), question_id, "preview", text="Sì.")

    assert "Proponi la risposta" in seen.text
    assert denied.status_code == 403


async def test_an_answer_does_not_leave_without_a_file_that_was_taken_away_meanwhile(desk: Desk) -> None:
    question_id = a_question(desk)
    olga = desk.browser("Olga")
    seen = await with_a_file(olga, question_id, "preview")
    keep = set(re.findall(r'name="keep" value="(\d+)"', seen.text))
    taken = take_away(desk.house.database, desk.house.files, desk.house.clock() + LEFT_FOR + timedelta(seconds=1))

    refused = await press(olga, question_id, "answer", text="Ecco il modello.", keep=" ".join(keep))
    again = await press(olga, question_id, "answer", text=the_box(refused))

    assert (taken, len(keep)) == (1, 1)
    assert refused.status_code == 409
    assert "Un file che avevi scelto non c" in refused.text
    assert the_box(refused) == "Ecco il modello."
    assert 'name="keep"' not in refused.text
    assert again.status_code == 303
