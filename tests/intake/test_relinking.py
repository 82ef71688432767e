"""The same person on another phone: the old chat is told, and what waits for it moves."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from delivery.links import Links
from delivery.outbox import queue
from delivery.words import Words, plain_text
from intake.invitations import accept, invite
from storage.access import open_request
from storage.tables import AccessRequest, AccessState, Channel, Office, Outbox, OutboxKind, OutboxState, Referent
from tests.cast import Cast

LINKS = Links("https://raccordo.example.org", bot="RaccordoEsempioBot")


def link_again(session: Session, referent: Referent, chat: str, now: datetime) -> None:
    key = invite(session, referent.id, now, LINKS).start_link.rpartition("=")[2]
    assert accept(session, key, chat, now) == referent


def say(session: Session, now: datetime, text: str, key: str, address: str = "11") -> int:
    outbox_id = queue(
        session,
        Words(text),
        kind=OutboxKind.ANSWER,
        channel=Channel.TELEGRAM,
        address=address,
        now=now,
        dedupe_key=key,
    )
    assert outbox_id is not None
    return outbox_id


def by_telegram(session: Session) -> list[tuple[str, str]]:
    rows = session.exec(select(Outbox).where(Outbox.channel == Channel.TELEGRAM).order_by(col(Outbox.id)))
    return [(row.address, plain_text(row.body["html"])) for row in rows]


def test_the_old_chat_is_told_once_with_whom_to_ask(session: Session, cast: Cast, now: datetime) -> None:
    cast.add(Office(name="Ufficio di prova", phone="02 1234", email="ufficio@example.org"))
    ada = cast.a_referent("Ada Esempio", chat=11)

    link_again(session, ada, "44", now)

    assert by_telegram(session) == [
        (
            "11",
            "Questa chat non è più collegata: d'ora in poi se ne usa un'altra, su un altro telefono.\n\n"
            "Se non l'hai fatto tu, avvisa subito l'ufficio: Ufficio di prova, 02 1234, ufficio@example.org",
        )
    ]
    (row,) = session.exec(select(Outbox)).all()
    assert (row.kind, row.referent_id) == (OutboxKind.NOTICE, None)


def test_the_same_phone_again_is_told_nothing(session: Session, cast: Cast, now: datetime) -> None:
    ada = cast.a_referent("Ada Esempio", chat=11)

    link_again(session, ada, "11", now)

    assert by_telegram(session) == []


def test_a_first_phone_is_told_nothing(session: Session, cast: Cast, now: datetime) -> None:
    ada = cast.a_referent("Ada Esempio")

    link_again(session, ada, "44", now)

    assert by_telegram(session) == []


def test_what_waits_for_the_old_chat_goes_to_the_new_one(session: Session, cast: Cast, now: datetime) -> None:
    ada = cast.a_referent("Ada Esempio", chat=11)
    waiting, sent = say(session, now, "La risposta", "one"), say(session, now, "Ciao", "two")
    session.get_one(Outbox, sent).state = OutboxState.SENT
    foreign = say(session, now, "Per Bruno", "three", "12")
    session.flush()

    link_again(session, ada, "44", now)

    session.expire_all()
    addresses = {row.id: row.address for row in session.exec(select(Outbox))}
    assert (addresses[waiting], addresses[sent], addresses[foreign]) == ("44", "11", "12")
    assert [address for address, text in by_telegram(session) if "non è più collegata" in text] == ["11"]


def test_what_they_had_asked_for_goes_with_them(session: Session, cast: Cast, now: datetime) -> None:
    ada = cast.a_referent("Ada Esempio", chat=11)
    values: dict[str, Any] = {"name": "Ada", "organization": "Consorzio", "state": AccessState.WAITING}
    asked = cast.add(AccessRequest(chat="11", referent_id=ada.id, created_at=now, touched_at=now, **values))
    cast.add(AccessRequest(chat="44", created_at=now, touched_at=now))

    link_again(session, ada, "44", now)

    assert open_request(session, "44") == asked
    assert open_request(session, "11") is None
