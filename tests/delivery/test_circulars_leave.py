"""A circular as it leaves: behind everybody who writes to us, by another way when one is closed, held when all is."""

from datetime import datetime

import pytest
from sqlmodel import Session, col, select

from answering.circular_sending import stop, word_circular
from delivery.errors import Blocked
from storage import addressees
from storage.addressees import Heap
from storage.circulars import number_in
from storage.database import Database
from storage.tables import Addressee, Channel, Office, Outbox, OutboxKind, OutboxState, Referent
from tests.answering.circular_makers import an_officer, being_sent, queue_all
from tests.cast import Cast
from tests.delivery.wiring import Bench, Clock


@pytest.fixture
def bench(database: Database, now: datetime) -> Bench:
    """With Telegram's limits."""
    return Bench(database, Clock(now), still_due={OutboxKind.CIRCULAR: word_circular()})


def on_its_way(bench: Bench, people: int = 1, *, email: str | None = None) -> int:
    """A circular that is queued; its number."""
    with bench.database.write() as session:
        cast = Cast(session, bench.clock.now)
        several = [cast.a_referent(f"Persona {number:04}", chat=1000 + number, email=email) for number in range(people)]
        circular = being_sent(cast, several)
        queue_all(cast)
        return circular.id


def told_by(session: Session) -> list[tuple[Channel, OutboxState]]:
    rows = session.exec(select(Outbox).join(Addressee, col(Addressee.outbox_id) == col(Outbox.id)))
    return [(row.channel, row.state) for row in rows]


async def test_a_thousand_people_never_delay_who_is_writing(bench: Bench) -> None:
    on_its_way(bench, 1000)
    await bench.step()
    bench.telegram.sent.clear()
    dialogue = bench.queue("Ecco", address="1999999")

    for _ in range(3):  # what Telegram lets pass in a second is used up
        bench.clock.forward(seconds=1)
        await bench.step()

    assert bench.telegram.sent[0].id == dialogue
    assert {parcel.kind for parcel in bench.telegram.sent[1:]} == {OutboxKind.CIRCULAR}


async def test_who_blocked_the_bot_gets_it_by_mail_once_and_that_is_how_they_were_told(bench: Bench) -> None:
    number = on_its_way(bench, email="ada@example.org")
    bench.telegram.always = lambda _: Blocked("403 Forbidden: bot was blocked by the user")

    await bench.drain()

    (mail,) = bench.mail.sent
    assert "Buongiorno Persona 0000" in mail.words.html
    assert "premi il pulsante" not in mail.words.html
    with bench.database.read() as session:
        assert told_by(session) == [(Channel.EMAIL, OutboxState.SENT)]
        assert addressees.counts(session, number).heaps[Heap.REACHED] == 1


async def test_who_blocked_the_bot_and_has_no_other_way_was_not_told(bench: Bench) -> None:
    number = on_its_way(bench)
    bench.telegram.always = lambda _: Blocked("403 Forbidden: bot was blocked by the user")

    await bench.drain()

    with bench.database.read() as session:
        (one,) = addressees.page(session, number, Heap.MISSED)
        assert one.outbox is not None
        assert (one.outbox.state, one.outbox.error) == (
            OutboxState.DEAD,
            "403 Forbidden: bot was blocked by the user",
        )


async def test_a_mail_is_answered_at_an_address_that_says_what_it_was_about(bench: Bench) -> None:
    with bench.database.write() as session:
        cast = Cast(session, bench.clock.now)
        being_sent(cast, [cast.a_referent("Ada Esempio", cast.an_organization(), email="ada@example.org")])
        queue_all(cast)

    await bench.drain()

    (mail,) = bench.mail.sent
    assert mail.thread.token
    assert "Ricevi questo messaggio perché sei referente per Abbiategrasso." in mail.words.html
    with bench.database.read() as session:
        assert number_in(session.get_one(Outbox, mail.id)) is not None


async def test_what_is_stopped_between_two_passes_stays(bench: Bench) -> None:
    number = on_its_way(bench, 100)
    await bench.step()
    left = len(bench.telegram.sent)

    with bench.database.write() as session:
        stop(session, number, an_officer(Cast(session, bench.clock.now)).id, now=bench.clock.now)
    bench.clock.forward(seconds=60)
    await bench.drain()

    assert 0 < left < 100
    assert len(bench.telegram.sent) == left
    with bench.database.read() as session:
        counts = addressees.counts(session, number)
    assert (counts.heaps[Heap.REACHED], counts.heaps[Heap.MISSED]) == (left, 100 - left)


async def test_who_leaves_after_it_was_queued_is_not_told(bench: Bench) -> None:
    number = on_its_way(bench)
    with bench.database.write() as session:
        session.exec(select(Referent)).one().left_at = bench.clock.now

    await bench.drain()

    assert bench.telegram.sent == []
    with bench.database.read() as session:
        (one,) = addressees.page(session, number, Heap.MISSED)
        assert one.why_not == "left"


async def test_a_restored_copy_sends_nothing_of_it(bench: Bench) -> None:
    with bench.database.write() as session:
        session.add(Office(id=1, name="Ufficio", dispatch_stopped=True))
    on_its_way(bench, 3)

    await bench.drain()

    assert bench.telegram.sent == []
