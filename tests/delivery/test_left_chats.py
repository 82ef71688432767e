"""A chat is somebody's for as long as they wish: what waits there for who has left it is never read by the next."""

import pytest
from sqlmodel import Session, select

from delivery.errors import Blocked, Throttled
from delivery.links import Links
from delivery.words import Words
from intake.invitations import accept, invite, leave
from storage.tables import Audit, Channel, Outbox, OutboxKind, OutboxState
from tests.cast import Cast
from tests.delivery.wiring import Bench, ada, put, said

TOLD = [OutboxKind.ANSWER, OutboxKind.NOTICE, OutboxKind.REMINDER]


def send_esci(bench: Bench) -> None:
    with bench.database.write() as session:
        assert leave(session, "100", bench.clock.now) is not None


def link(bench: Bench, referent_id: int, chat: str) -> None:
    """They open their invitation in this chat."""
    with bench.database.write() as session:
        key = invite(session, referent_id, bench.clock.now, Links("https://raccordo.example.org", bot="EsempioBot"))
        assert accept(session, key.start_link.rpartition("=")[2], chat, bench.clock.now) is not None


def bruno(bench: Bench) -> int:
    with bench.database.write() as session:
        return Cast(session, bench.clock.now).a_referent("Bruno Esempio").id


async def wait_for_telegram(bench: Bench, text: str, **how: object) -> int:
    """Telegram says "later": the message waits for another try."""
    bench.telegram.errors = {"100": [Throttled(30)]}
    row = bench.queue(text, **how)
    await bench.drain()
    assert bench.row(row).state is OutboxState.RETRY
    return row


@pytest.mark.parametrize("kind", TOLD)
async def test_what_waits_for_who_leaves_goes_by_mail_and_not_to_the_next_on_that_phone(
    bench: Bench, kind: OutboxKind
) -> None:
    await wait_for_telegram(bench, "Per Ada", kind=kind, referent_id=ada(bench))

    send_esci(bench)
    link(bench, bruno(bench), "100")
    bench.clock.forward(minutes=1)
    await bench.drain()

    assert said(bench.telegram.sent) == []
    assert [(parcel.address, parcel.words.html) for parcel in bench.mail.sent] == [("ada@example.org", "Per Ada")]


async def test_without_a_mailbox_it_stays_for_a_person_to_see(bench: Bench) -> None:
    me = ada(bench, email=None)
    row = await wait_for_telegram(bench, "Per Ada", kind=OutboxKind.ANSWER, referent_id=me)

    send_esci(bench)
    link(bench, bruno(bench), "100")
    bench.clock.forward(minutes=1)
    await bench.drain()

    assert bench.telegram.sent == []
    assert bench.row(row).state is OutboxState.DEAD
    with bench.database.read() as session:
        assert "outbox.dead" in session.exec(select(Audit.action)).all()


async def test_who_comes_back_on_another_phone_is_told_it_there(bench: Bench) -> None:
    me = ada(bench, email=None)
    await wait_for_telegram(bench, "Per Ada", kind=OutboxKind.ANSWER, referent_id=me)

    send_esci(bench)
    link(bench, bruno(bench), "100")
    link(bench, me, "300")
    bench.clock.forward(minutes=1)
    await bench.drain()

    assert [(parcel.address, parcel.words.html) for parcel in bench.telegram.sent] == [("300", "Per Ada")]


async def test_what_was_on_its_way_and_is_refused_follows_them(bench: Bench) -> None:
    me = ada(bench)
    bench.queue("Per Ada", kind=OutboxKind.ANSWER, referent_id=me)
    claim = await bench.dispatcher.one_pass()

    send_esci(bench)
    link(bench, bruno(bench), "100")
    bench.telegram.errors = {"100": [Throttled(30)]}
    for parcel in claim.parcels:
        await bench.dispatcher._send(parcel)
    await bench.drain()
    bench.clock.forward(minutes=1)
    assert (await bench.step()).again_in == 0.0, "it may go at once, by another way"
    await bench.drain()

    assert bench.telegram.sent == []
    assert said(bench.mail.sent) == ["Per Ada"]


async def test_what_was_on_its_way_when_the_phone_was_changed_goes_to_the_new_one(bench: Bench) -> None:
    me = ada(bench)
    bench.queue("Per Ada", kind=OutboxKind.ANSWER, referent_id=me)
    claim = await bench.dispatcher.one_pass()

    link(bench, me, "300")
    bench.telegram.errors = {"100": [Throttled(30)]}
    for parcel in claim.parcels:
        await bench.dispatcher._send(parcel)
    await bench.drain()
    bench.clock.forward(minutes=1)
    await bench.drain()

    assert ("300", "Per Ada") in [(parcel.address, parcel.words.html) for parcel in bench.telegram.sent]
    assert "Per Ada" not in said(bench.mail.sent)


async def test_a_long_answer_follows_them_whole(bench: Bench) -> None:
    me = ada(bench)
    words = Words(" ".join(f"parola{number}" for number in range(1000)))
    bench.telegram.errors = {"100": [Throttled(30)]}
    bench.queue(words=words, kind=OutboxKind.ANSWER, referent_id=me)
    await bench.drain()

    send_esci(bench)
    await bench.drain()

    assert [parcel.words.html.split() for parcel in bench.mail.sent] == [words.html.split()]


async def test_the_goodbye_still_reaches_the_chat_but_nobody_else_in_it(bench: Bench) -> None:
    me = ada(bench)

    send_esci(bench)
    bench.queue("Grazie, arrivederci!", referent_id=me)
    await bench.drain()
    late = await wait_for_telegram(bench, "Ancora una cosa", referent_id=me)
    link(bench, bruno(bench), "100")
    bench.clock.forward(minutes=1)
    await bench.drain()

    assert said(bench.telegram.sent) == ["Grazie, arrivederci!"]
    assert bench.row(late).state is OutboxState.WITHHELD


async def test_a_message_that_staff_send_again_does_not_go_to_the_next_on_that_phone(bench: Bench) -> None:
    me = ada(bench)
    send_esci(bench)
    link(bench, bruno(bench), "100")

    bench.queue("Per Ada", kind=OutboxKind.ANSWER, referent_id=me)
    bench.queue("Per chi sta qui", kind=OutboxKind.NOTICE)
    await bench.drain()

    assert said(bench.telegram.sent) == ["Per chi sta qui"]
    assert said(bench.mail.sent) == ["Per Ada"]


def test_only_what_is_theirs_follows_them(session: Session, cast: Cast) -> None:
    """Another's message to the same chat is not hers to take along."""
    me = cast.a_referent(chat=100, email="ada@example.org")
    other = cast.a_referent("Bruno Esempio", email="bruno@example.org")
    put(session, cast.now, "Per Ada", kind=OutboxKind.ANSWER, referent_id=me.id, dedupe_key="a")
    put(session, cast.now, "Per Bruno", kind=OutboxKind.ANSWER, referent_id=other.id, dedupe_key="b")

    leave(session, "100", cast.now)

    mails = session.exec(select(Outbox.address).where(Outbox.channel == Channel.EMAIL)).all()
    assert mails == ["ada@example.org"]


async def test_who_has_blocked_the_bot_and_left_no_mailbox_is_told_once_when_back(bench: Bench) -> None:
    me = ada(bench, email=None)
    bench.telegram.errors = {"100": [Blocked("403")]}
    bench.queue("Per Ada", kind=OutboxKind.ANSWER, referent_id=me)
    await bench.drain()

    send_esci(bench)
    link(bench, me, "300")
    await bench.drain()

    assert said(bench.telegram.sent) == ["Per Ada"]
