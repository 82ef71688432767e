"""What became of a mail, on the question's thread and among what leaves; a certified mailbox of a referent."""

from datetime import timedelta

import pytest
from sqlmodel import select

from answering.answer import answer
from delivery.silence import note_silence
from intake.certified.signature import ALTERED
from storage.people import referent_at
from storage.tables import Address, Audit, Channel, Outbox, OutboxState, Receipt
from storage.words import ReceiptKind, Standing
from tests.desk.conftest import Desk

PEC = "ada@pec.example.org"
SHOWN = {
    ReceiptKind.ACCEPTED: "Accettata dal gestore",
    ReceiptKind.NOT_ACCEPTED: "Non accettata dal gestore",
    ReceiptKind.DELIVERED: "Consegnata",
    ReceiptKind.NOT_DELIVERED: "Non consegnato",
    ReceiptKind.LATE: "Non ancora consegnata",
}


def an_answer(desk: Desk, channel: Channel = Channel.PEC, **changes: object) -> tuple[int, int]:
    """A question that came by certified mail, and its answer that has left: both numbers."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent("Ada Esempio")
        cast.add(Address(referent_id=ada.id, channel=channel, value=PEC, created_at=cast.now))
        question = cast.a_question(ada, channel=channel)
        answer(session, question.id, desk.people["Olga"], "Sì.", version=question.version, now=cast.now)
        row = session.exec(select(Outbox)).one()
        assert row.channel is channel
        for name, value in ({"state": OutboxState.SENT, "sent_at": cast.now} | changes).items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        return question.id, row.id


def a_receipt(desk: Desk, outbox_id: int, kind: ReceiptKind, **other: object) -> None:
    values = {"standing": Standing.CERTIFIED, "at": desk.house.clock()} | other
    with desk.house.database.write() as session:
        session.add(Receipt.model_validate({"outbox_id": outbox_id, "kind": kind} | values))


async def both_pages(desk: Desk, question_id: int, heap: str = "sent") -> list[str]:
    rita = desk.browser("Rita")
    return [(await rita.get(url)).text for url in (f"/desk/questions/{question_id}", f"/desk/outbox?heap={heap}")]


@pytest.mark.parametrize("kind", SHOWN)
async def test_each_receipt_is_shown_beside_the_answer(desk: Desk, kind: ReceiptKind) -> None:
    question_id, outbox_id = an_answer(desk)
    a_receipt(desk, outbox_id, kind)

    for page in await both_pages(desk, question_id):
        assert SHOWN[kind] in page
        assert "Ricevuta dubbia" not in page


@pytest.mark.parametrize(
    ("kind", "detail", "why"),
    [
        (ReceiptKind.NOT_DELIVERED, "no-dest 5.1.1", "la casella non esiste"),
        (ReceiptKind.NOT_DELIVERED, "altro", "la PEC non è stata consegnata"),
        (ReceiptKind.NOT_ACCEPTED, "", "il nostro gestore PEC non l’ha accettato"),
        (ReceiptKind.BOUNCED, "5.2.2", "la casella è piena"),
    ],
)
async def test_a_failure_says_why(desk: Desk, kind: ReceiptKind, detail: str, why: str) -> None:
    question_id, outbox_id = an_answer(desk)
    a_receipt(desk, outbox_id, kind, detail=detail)

    for page in await both_pages(desk, question_id):
        assert why in page


@pytest.mark.parametrize(
    ("standing", "detail"), [(Standing.UNTRUSTED, ALTERED), (Standing.UNVERIFIED, ""), (Standing.UNTRUSTED, "")]
)
async def test_a_receipt_that_nobody_vouches_for_is_called_doubtful(
    desk: Desk, standing: Standing, detail: str
) -> None:
    question_id, outbox_id = an_answer(desk)
    a_receipt(desk, outbox_id, ReceiptKind.DELIVERED, standing=standing, detail=detail)

    for page in await both_pages(desk, question_id):
        assert "Ricevuta dubbia" in page
        assert "niente dimostra che sia vero" in page
        assert ("La firma non corrisponde" in page) is bool(detail)


@pytest.mark.parametrize("kind", [ReceiptKind.BOUNCED, ReceiptKind.DELAYED])
async def test_what_a_mail_server_says_is_shown_as_it_is(desk: Desk, kind: ReceiptKind) -> None:
    question_id, outbox_id = an_answer(desk, Channel.EMAIL)
    a_receipt(desk, outbox_id, kind, standing=Standing.UNVERIFIED)

    for page in await both_pages(desk, question_id):
        assert ("Tornata indietro" if kind is ReceiptKind.BOUNCED else "In ritardo") in page
        assert "Ricevuta dubbia" not in page


async def test_a_day_of_silence_is_among_what_to_look_at(desk: Desk) -> None:
    question_id, _ = an_answer(desk)
    with desk.house.database.write() as session:
        assert note_silence(session, desk.house.clock() + timedelta(hours=24)) == 1

    for page in await both_pages(desk, question_id, heap="stuck"):
        assert "Forse consegnato" in page
        assert "nessuna ricevuta di consegna entro 24 ore" in page


async def test_the_page_of_the_question_says_by_what_the_answer_leaves(desk: Desk) -> None:
    question_id, _ = an_answer(desk)

    assert "Arriva come lo scrivi, per PEC." in (await desk.browser("Olga").get(f"/desk/questions/{question_id}")).text


async def test_who_answers_reads_that_it_leaves_by_certified_mail(desk: Desk) -> None:
    question_id, _ = an_answer(desk)
    olga, page = desk.browser("Olga"), f"/desk/questions/{question_id}"

    await olga.send_form(f"{page}/answer", page=page, text="Anche questo.", version=2)

    assert "La risposta sta partendo per PEC." in (await olga.get(page)).text


# --- the certified mailbox of a referent


def a_referent(desk: Desk) -> int:
    with desk.house.database.write() as session:
        return desk.cast(session).a_referent("Ada Esempio", email="ada@example.org").id


def owner(desk: Desk, pec: str = PEC) -> int | None:
    with desk.house.database.read() as session:
        found = referent_at(session, Channel.PEC, pec)
        return found.id if found is not None else None


async def test_an_officer_adds_the_certified_mailbox_of_a_referent(desk: Desk) -> None:
    ada = a_referent(desk)
    olga, page = desk.browser("Olga"), f"/desk/referents/{ada}"

    await olga.send_form(f"{page}/pec", page=page, pec=" Ada@PEC.example.org ")

    assert owner(desk) == ada
    text = (await olga.get(page)).text
    assert "Da ora quello che arriva da ada@pec.example.org è suo." in text
    with desk.house.database.read() as session:
        assert session.exec(select(Audit.action).where(Audit.object_kind == "referent")).all() == ["referent.pec"]


@pytest.mark.parametrize(("pec", "said"), [("no address", "no address"), (PEC, "Bruno Esempio")])
async def test_a_mailbox_that_is_none_or_of_somebody_else_is_refused(desk: Desk, pec: str, said: str) -> None:
    ada = a_referent(desk)
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        bruno = cast.a_referent("Bruno Esempio")
        cast.add(Address(referent_id=bruno.id, channel=Channel.PEC, value=PEC, created_at=cast.now))
    olga, page = desk.browser("Olga"), f"/desk/referents/{ada}"

    await olga.send_form(f"{page}/pec", page=page, pec=pec)

    assert said in (await olga.get(page)).text
    assert owner(desk) != ada


@pytest.mark.parametrize("name", ["Vera", "Rita"])
async def test_who_may_not_manage_adds_no_mailbox(desk: Desk, name: str) -> None:
    ada = a_referent(desk)
    browser, page = desk.browser(name), f"/desk/referents/{ada}"

    assert "/pec" not in (await browser.get(page)).text
    assert (await browser.send_form(f"{page}/pec", page="/desk/outbox", pec=PEC)).status_code == 403
    assert owner(desk) is None


async def test_an_unknown_referent_gets_none(desk: Desk) -> None:
    olga = desk.browser("Olga")

    assert (await olga.send_form("/desk/referents/999/pec", page="/desk/referents/new", pec=PEC)).status_code == 404


async def test_a_new_referent_may_come_with_their_certified_mailbox(desk: Desk) -> None:
    with desk.house.database.write() as session:
        desk.cast(session).an_organization("Melzo")
    olga = desk.browser("Olga")
    person = {"name": "Dora Esempio", "email": "dora@example.org", "organization": "Melzo", "which": "all"}

    refused = await olga.send_form("/desk/referents/new", **person, own_pec="nopec")
    await olga.send_form("/desk/referents/new", **person, own_pec=PEC)

    assert refused.status_code == 422
    assert "nopec" in refused.text
    with desk.house.database.read() as session:
        dora = referent_at(session, Channel.EMAIL, "dora@example.org")
        assert dora is not None
    assert owner(desk) == dora.id
