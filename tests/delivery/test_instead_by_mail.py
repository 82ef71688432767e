"""Who blocked the bot gets it by mail, once and whole, and which addresses are thought reachable."""

import pytest
from sqlmodel import Session, select

from delivery.errors import Blocked
from delivery.outbox import queue_to
from delivery.words import Button, Words
from storage.outbox import retry_outbox
from storage.people import address_of, mark_unreachable
from storage.tables import Address, Channel, Outbox, OutboxKind, OutboxState, Referent
from tests.cast import Cast
from tests.delivery.wiring import Bench, ada, said


@pytest.mark.parametrize("kind", [OutboxKind.ANSWER, OutboxKind.REMINDER, OutboxKind.INVITATION, OutboxKind.NOTICE])
async def test_who_blocked_the_bot_gets_it_by_mail_once(bench: Bench, kind: OutboxKind) -> None:
    referent_id = ada(bench)
    bench.telegram.always = lambda _: Blocked("403 Forbidden: bot was blocked by the user")
    first = bench.queue("Ecco la risposta", kind=kind, referent_id=referent_id, dedupe_key="answer:1")

    await bench.drain()

    assert bench.row(first).state is OutboxState.MOVED
    assert [(parcel.address, parcel.dedupe_key) for parcel in bench.mail.sent] == [
        ("ada@example.org", "answer:1:email")
    ]
    with bench.database.write() as session:
        address = address_of(session, referent_id, Channel.TELEGRAM)
        assert address is not None
        assert address.unreachable_since == bench.clock.now
        assert not retry_outbox(session, first, bench.clock.now), "it has arrived: nobody is to send it again"


@pytest.mark.parametrize("taken", [0, 1])
async def test_a_long_answer_becomes_one_mail_with_all_that_was_not_taken(bench: Bench, taken: int) -> None:
    referent_id = ada(bench)
    blocked = Blocked("403 Forbidden: bot was blocked by the user")
    bench.telegram.always = lambda _: blocked if len(bench.telegram.sent) >= taken else None
    words = Words(" ".join(f"parola{number}" for number in range(1000)), buttons=((Button("Sì", data="x"),),))
    bench.queue(words=words, kind=OutboxKind.ANSWER, referent_id=referent_id, dedupe_key="answer:1")
    bench.queue("Altro", kind=OutboxKind.ANSWER, referent_id=referent_id, dedupe_key="answer:12")

    await bench.drain()

    whole, other = bench.mail.sent
    arrived = [word for parcel in (*bench.telegram.sent, whole) for word in parcel.words.html.split()]
    assert arrived == words.html.split()
    assert whole.words.buttons == words.buttons
    assert other.words.html == "Altro"
    assert bench.states().count(OutboxState.MOVED) == 4 - taken


@pytest.mark.parametrize("taken", [0, 1])
async def test_a_long_reminder_is_worded_whole_in_one_mail_at_most(bench: Bench, taken: int) -> None:
    referent_id = ada(bench)
    bench.still_due[OutboxKind.REMINDER] = lambda session, row, now: Words("parola " * 1400)
    bench.telegram.always = lambda _: Blocked("403") if len(bench.telegram.sent) >= taken else None
    bench.queue(kind=OutboxKind.REMINDER, referent_id=referent_id)

    await bench.drain()

    (mail,) = bench.mail.sent
    assert sum(parcel.words.html.count("parola") for parcel in (*bench.telegram.sent, mail)) == 1400


async def test_a_prompt_to_who_blocked_the_bot_is_not_mailed(bench: Bench) -> None:
    referent_id = ada(bench)
    bench.telegram.always = lambda _: Blocked("403")
    bench.queue(referent_id=referent_id)

    await bench.drain()

    assert bench.states() == [OutboxState.WITHHELD]


async def test_a_refused_mail_address_is_unreachable(bench: Bench) -> None:
    referent_id = ada(bench, chat=None)
    bench.mail.always = lambda _: Blocked("550 recipient refused")
    bench.queue(kind=OutboxKind.ANSWER, referent_id=referent_id, channel=Channel.EMAIL, address="ada@example.org")

    await bench.drain()

    assert bench.states() == [OutboxState.DEAD]
    with bench.database.read() as session:
        reasons = session.exec(select(Address.unreachable_reason).where(Address.channel == Channel.EMAIL)).all()
        assert reasons == ["550 recipient refused"]


async def test_what_a_mailbox_refuses_goes_by_telegram_once(bench: Bench) -> None:
    referent_id = ada(bench)
    bench.mail.always = lambda _: Blocked("550 recipient refused")
    for number in range(2):
        bench.queue(
            f"Risposta {number}",
            kind=OutboxKind.ANSWER,
            referent_id=referent_id,
            channel=Channel.EMAIL,
            address="ada@example.org",
        )

    await bench.drain()

    assert said(bench.telegram.sent) == ["Risposta 0", "Risposta 1"]
    assert len(bench.mail.tried) == 1
    assert bench.states() == [OutboxState.MOVED, OutboxState.MOVED, OutboxState.SENT, OutboxState.SENT]


@pytest.mark.parametrize("kind", [OutboxKind.INVITATION, OutboxKind.CODE])
async def test_what_proves_a_mailbox_goes_nowhere_else(bench: Bench, kind: OutboxKind) -> None:
    referent_id = ada(bench)
    bench.mail.always = lambda _: Blocked("550 recipient refused")
    bench.queue(kind=kind, referent_id=referent_id, channel=Channel.EMAIL, address="ada@example.org")

    await bench.drain()

    assert bench.telegram.tried == []
    assert bench.states() == [OutboxState.DEAD]


async def test_a_long_answer_that_a_mailbox_refuses_comes_whole_by_telegram(bench: Bench) -> None:
    referent_id = ada(bench)
    bench.mail.always = lambda _: Blocked("550 recipient refused")
    long = " ".join(f"parola{number}" for number in range(1000))
    bench.queue(long, kind=OutboxKind.ANSWER, referent_id=referent_id, channel=Channel.EMAIL, address="ada@example.org")

    await bench.drain()

    assert len(bench.telegram.sent) > 1
    assert " ".join(said(bench.telegram.sent)).split() == long.split()


@pytest.mark.parametrize(("channel", "value"), [(Channel.EMAIL, "ada@example.org"), (Channel.TELEGRAM, "100")])
async def test_an_address_that_takes_a_message_is_reachable_again(bench: Bench, channel: Channel, value: str) -> None:
    referent_id = ada(bench)
    with bench.database.write() as session:
        mark_unreachable(session, channel, value, "550 recipient refused", bench.clock.now)
    bench.queue(referent_id=referent_id, channel=channel, address=value)

    await bench.drain()

    with bench.database.read() as session:
        address = address_of(session, referent_id, channel)
        assert address is not None
        assert (address.unreachable_since, address.unreachable_reason) == (None, None)


def test_people_are_reached_where_they_prefer_else_where_they_can_be(session: Session, cast: Cast) -> None:
    both = cast.a_referent(chat=7, email="ada@example.org")
    mail_only = cast.a_referent("Bruno Esempio", email="bruno@example.org")
    nobody: Referent = cast.a_referent("Carla Esempio")

    def reached(referent: Referent, key: str, prefer: Channel | None = None) -> str | None:
        how = {"kind": OutboxKind.NOTICE, "now": cast.now, "dedupe_key": key, "prefer": prefer}
        outbox_id = queue_to(session, referent.id, Words("Ciao"), **how)  # type: ignore[arg-type]  # mixed values
        row = session.get(Outbox, outbox_id) if outbox_id else None
        return row.address if row else None

    assert reached(both, "1") == "7"
    assert reached(both, "2", Channel.EMAIL) == "ada@example.org"
    assert reached(mail_only, "3", Channel.TELEGRAM) == "bruno@example.org"
    assert reached(nobody, "4") is None
