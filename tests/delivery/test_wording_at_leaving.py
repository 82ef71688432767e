"""What a message says is decided when it leaves: still true, whole, and with what is never written down."""

from datetime import datetime

from sqlmodel import Session

from delivery.errors import Undecodable
from delivery.outbox import queue_to
from delivery.words import PERSONAL_PAGE, UNWRITTEN, Button, Words
from storage.people import referent_with_link
from storage.tables import Channel, Office, Outbox, OutboxKind, OutboxState
from tests.cast import Cast
from tests.delivery.wiring import Bench, ada, said, temporary


async def test_a_wording_that_has_nothing_left_to_say_withholds_the_message(bench: Bench) -> None:
    bench.still_due[OutboxKind.REMINDER] = lambda session, row, now: None
    outbox_id = bench.queue("old words", kind=OutboxKind.REMINDER)
    other = bench.queue("hello", address="200")

    await bench.drain()

    assert bench.row(outbox_id).state is OutboxState.WITHHELD
    assert bench.row(other).state is OutboxState.SENT
    assert said(bench.telegram.tried) == ["hello"]


async def test_a_reminder_says_what_is_true_when_it_leaves(bench: Bench) -> None:
    def word(session: Session, row: Outbox, now: datetime) -> Words:
        assert row.body["html"] == "three projects"
        return Words("two projects")

    bench.still_due[OutboxKind.REMINDER] = word
    outbox_id = bench.queue("three projects", kind=OutboxKind.REMINDER)

    await bench.drain()

    assert said(bench.telegram.sent) == ["two projects"]
    assert bench.row(outbox_id).body["html"] == "two projects"


async def test_a_long_wording_goes_out_in_parts_that_are_not_worded_again(bench: Bench) -> None:
    bench.still_due[OutboxKind.REMINDER] = lambda session, row, now: Words("parola " * 1000)
    bench.queue("x", kind=OutboxKind.REMINDER)

    await bench.drain()

    assert len(bench.telegram.sent) == 2
    assert sum(text.count("parola") for text in said(bench.telegram.sent)) == 1000


async def test_a_wording_that_breaks_is_tried_again_and_stops_nobody(bench: Bench) -> None:
    def broken(session: Session, row: Outbox, now: datetime) -> Words:
        session.add(Office(id=1, name="half done"))
        session.flush()
        raise ZeroDivisionError

    bench.still_due[OutboxKind.REMINDER] = broken
    outbox_id = bench.queue("x", kind=OutboxKind.REMINDER)
    bench.queue("hello", address="200")

    await bench.drain()

    row = bench.row(outbox_id)
    assert (row.state, row.attempts) == (OutboxState.RETRY, 1)
    assert row.next_at > bench.clock.now
    assert said(bench.telegram.sent) == ["hello"]
    with bench.database.read() as session:
        assert session.get(Office, 1) is None


async def test_a_button_to_the_personal_page_gets_its_key_when_it_leaves(bench: Bench) -> None:
    referent_id = ada(bench)
    words = Words("Ciao", buttons=((Button("Apri", url=PERSONAL_PAGE),), (Button("Menu", data="m"),)))
    bench.telegram.errors = {"100": [Undecodable("400")]}
    ours = bench.queue(words=words, referent_id=referent_id)
    nobodys = bench.queue(words=words, address="200")

    await bench.drain()

    mine = next(parcel for parcel in bench.telegram.sent if parcel.id == ours)
    url = mine.words.buttons[0][0].url
    assert url is not None
    assert url.startswith("https://raccordo.example.org/r/")
    with bench.database.read() as session:
        referent = referent_with_link(session, url.rpartition("/")[2], bench.clock.now)
        assert referent is not None
        assert referent.id == referent_id
    assert "/r/" not in str(bench.row(ours).body)
    stranger = next(parcel for parcel in bench.telegram.sent if parcel.id == nobodys)
    assert stranger.words.buttons == ((Button("Menu", data="m"),),)


async def test_a_secret_is_said_and_never_written_down(bench: Bench) -> None:
    bench.still_due[OutboxKind.INVITATION] = lambda *_: Words(f"Apri <b>{UNWRITTEN}</b>", secret="chiave&segreta")
    bench.mail.errors = {"ada@example.org": [temporary()]}
    outbox_id = bench.queue("Apri", kind=OutboxKind.INVITATION, channel=Channel.EMAIL, address="ada@example.org")

    await bench.drain()
    waiting = bench.row(outbox_id).body
    bench.clock.forward(seconds=10)
    await bench.drain()

    assert said(bench.mail.sent) == ["Apri <b>chiave&amp;segreta</b>"]
    assert "segreta" not in str(waiting)
    assert "segreta" not in str(bench.row(outbox_id).body)


async def test_a_mail_to_a_referent_carries_a_key_to_their_page(bench: Bench) -> None:
    referent_id = ada(bench, chat=None)
    with bench.database.write() as session:
        session.add(Office(id=1, name="Ufficio esempio"))
        queue_to(
            session,
            referent_id,
            Words("Ciao"),
            kind=OutboxKind.ANSWER,
            now=bench.clock.now,
            dedupe_key="a",
        )

    await bench.drain()

    parcel = bench.mail.sent[0]
    assert parcel.office.name == "Ufficio esempio"
    token = parcel.personal_url.rpartition("/")[2]
    with bench.database.read() as session:
        referent = referent_with_link(session, token, bench.clock.now)
        assert referent is not None
        assert referent.id == referent_id
    assert token not in str(bench.row(parcel.id).body)


async def test_mails_of_one_question_are_a_thread(bench: Bench) -> None:
    with bench.database.write() as session:
        cast = Cast(session, bench.clock.now)
        referent = cast.a_referent(email="ada@example.org")
        question_id = cast.a_question(referent).id
    how = {
        "kind": OutboxKind.ANSWER,
        "channel": Channel.EMAIL,
        "address": "ada@example.org",
        "question_id": question_id,
    }
    bench.queue("one", **how)
    bench.queue("two", **how)

    await bench.drain()

    assert [parcel.thread.earlier for parcel in bench.mail.sent] == [(), ("p1",)]
