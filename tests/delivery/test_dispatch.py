"""What goes out, in which order, and what becomes of it."""

import asyncio
from datetime import datetime, timedelta
from time import monotonic

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from delivery.dispatch import LOOK_EVERY
from delivery.limits import Limits
from delivery.outbox import message_at, queue
from delivery.words import Button, Words
from storage import dispatching
from storage.database import Database
from storage.outbox import drop_outbox
from storage.tables import Channel, Outbox, OutboxKind, OutboxState
from tests.delivery.wiring import Bench, Clock, put, running, said, temporary


async def test_a_queued_message_goes_out_once_and_its_id_is_kept(bench: Bench) -> None:
    outbox_id = bench.queue("Ciao")

    await bench.drain()

    row = bench.row(outbox_id)
    assert (row.state, row.provider_id, row.sent_at, row.attempts) == (OutboxState.SENT, "p1", bench.clock.now, 1)
    assert said(bench.telegram.sent) == ["Ciao"]


async def test_the_same_key_is_queued_once(bench: Bench) -> None:
    bench.queue("Ciao", dedupe_key="once")

    with bench.database.write() as session:
        again = queue(
            session,
            Words("Ciao"),
            kind=OutboxKind.DIALOGUE,
            channel=Channel.TELEGRAM,
            address="100",
            now=bench.clock.now,
            dedupe_key="once",
        )

    assert again is None
    assert len(bench.states()) == 1


async def test_messages_to_one_address_go_one_after_the_other_in_order(bench: Bench) -> None:
    for number in range(5):
        bench.queue(f"{number}", address="100")
        bench.queue(f"x{number}", address="200")

    first = await bench.step()

    assert sorted(said(first.parcels)) == ["0", "x0"]
    await bench.drain()
    assert [text for text in said(bench.telegram.sent) if text[0] != "x"] == list("01234")


async def test_order_is_kept_while_the_first_message_waits_for_another_try(bench: Bench) -> None:
    bench.telegram.errors = {"100": [temporary()]}
    bench.queue("one")
    bench.queue("two")
    bench.queue("other", address="200")

    await bench.drain()

    assert said(bench.telegram.sent) == ["other"]
    bench.clock.forward(seconds=1)
    await bench.drain()
    assert said(bench.telegram.sent) == ["other", "one", "two"]


async def test_who_is_writing_to_us_goes_before_ten_thousand_reminders(bench: Bench) -> None:
    with bench.database.write() as session:
        for number in range(300):
            put(session, bench.clock.now, "reminder", kind=OutboxKind.REMINDER, address=str(1000 + number))
        put(session, bench.clock.now, "dialogue", address="5")

    claim = await bench.step()

    assert len(claim.parcels) == 30
    assert claim.parcels[0].words.html == "dialogue"


async def test_thousands_of_messages_to_one_chat_do_not_hide_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.claims.PAGES", 2)  # as far as a claim looks: here 64 and 256 messages

    with bench.database.write() as session:
        for number in range(500):
            put(session, bench.clock.now, f"{number}", address="100")
        put(session, bench.clock.now, "other", address="200")

    claim = await bench.step()

    assert said(claim.parcels) == ["0", "other"]


async def test_a_message_for_later_waits_and_holds_nobody_up(bench: Bench) -> None:
    bench.queue("later", after=bench.clock.now + timedelta(hours=1))
    bench.queue("now")

    await bench.drain()
    bench.clock.forward(hours=1)
    await bench.drain()

    assert said(bench.telegram.sent) == ["now", "later"]


async def test_no_more_are_on_their_way_than_allowed(database: Database, now: datetime) -> None:
    bench = Bench(database, Clock(now), limits=Limits(enabled=False), in_flight={Channel.TELEGRAM: 3, Channel.EMAIL: 2})
    for number in range(10):
        bench.queue("t", address=str(number))
        bench.queue("m", address=f"a{number}@example.org", channel=Channel.EMAIL)

    claim = await bench.step()

    assert sorted(parcel.channel for parcel in claim.parcels) == [Channel.EMAIL] * 2 + [Channel.TELEGRAM] * 3


async def test_a_chat_gets_its_burst_and_then_one_a_second(database: Database, now: datetime) -> None:
    bench = Bench(database, Clock(now), limits=Limits())
    for number in range(8):
        bench.queue(f"{number}")

    await bench.drain()
    assert len(bench.telegram.sent) == 5

    bench.clock.forward(seconds=1)
    await bench.drain()
    assert len(bench.telegram.sent) == 6


async def test_the_bot_sends_no_more_than_thirty_at_once_and_says_when_to_look_again(
    database: Database, now: datetime
) -> None:
    bench = Bench(database, Clock(now), limits=Limits(), in_flight={Channel.TELEGRAM: 100})
    with database.write() as session:
        for number in range(40):
            put(session, now, "x", address=str(number))

    claim = await bench.step()

    assert len(claim.parcels) == 30
    assert claim.again_in is not None
    assert 0 < claim.again_in <= 0.04


def test_a_long_message_becomes_several_rows(session: Session, now: datetime) -> None:
    words = Words("parola " * 1000, buttons=((Button("Sì", data="x"),),))

    put(session, now, words=words, dedupe_key="long")

    rows = session.exec(select(Outbox)).all()
    assert [row.dedupe_key for row in rows] == ["long", "long:2"]
    assert ["buttons" in row.body for row in rows] == [False, True]


async def test_a_reply_finds_the_message_it_answers(bench: Bench) -> None:
    outbox_id = bench.queue("Ciao")
    await bench.drain()

    with bench.database.read() as session:
        found = message_at(session, Channel.TELEGRAM, "100", "p1")
        stranger = message_at(session, Channel.TELEGRAM, "200", "p1")
        session.expunge_all()

    assert found is not None
    assert found.id == outbox_id
    assert stranger is None


async def test_a_database_that_refuses_for_a_moment_does_not_end_the_sending(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = bench.dispatcher._work, iter(range(2))

    def locked(*given: object) -> object:
        if next(failures, None) is not None:
            raise OperationalError("BEGIN", {}, Exception("database is locked"))
        return real(*given)  # type: ignore[arg-type]  # passes on what it was given

    monkeypatch.setattr(bench.dispatcher, "_work", locked)
    outbox_id = bench.queue("Ciao")

    async with running(bench):
        await asyncio.wait_for(bench.telegram.arrived.wait(), 60)

    assert bench.row(outbox_id).state is OutboxState.SENT


async def test_a_commit_wakes_the_dispatcher(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.dispatch.LOOK_EVERY", 60.0)  # only the bell can wake it in time
    bench.database.after_commit(bench.dispatcher.wake)
    resting = asyncio.Event()
    real = bench.dispatcher._rest

    async def rest(seconds: float | None) -> None:
        resting.set()
        await real(seconds)

    monkeypatch.setattr(bench.dispatcher, "_rest", rest)

    async with running(bench):
        await resting.wait()
        outbox_id = await asyncio.to_thread(bench.queue, "Ciao")
        await asyncio.wait_for(bench.telegram.arrived.wait(), 60)

    assert bench.row(outbox_id).state is OutboxState.SENT


async def test_its_own_commit_does_not_wake_it_and_anothers_does(bench: Bench) -> None:
    bench.database.after_commit(bench.dispatcher.wake)
    bench.dispatcher._loop = asyncio.get_running_loop()
    bench.queue("Ciao")
    await asyncio.sleep(0)
    bench.dispatcher._bell.clear()

    await bench.dispatcher.one_pass()
    await asyncio.sleep(0)
    assert not bench.dispatcher._bell.is_set()

    bench.queue("Ciao")
    await asyncio.sleep(0)
    assert bench.dispatcher._bell.is_set()


async def test_an_idle_dispatcher_rests(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.database.after_commit(bench.dispatcher.wake)
    passes = 0
    real = bench.dispatcher.one_pass

    async def counted() -> object:
        nonlocal passes
        passes += 1
        if passes >= 2:
            looked_again.set()
        return await real()

    monkeypatch.setattr(bench.dispatcher, "one_pass", counted)

    looked_again = asyncio.Event()
    began = monotonic()

    async with running(bench):
        await asyncio.wait_for(looked_again.wait(), 60)
        while monotonic() - began < 1.0:
            await asyncio.sleep(0.05)
        seconds, counted_by_then = monotonic() - began, passes

    # The first pass takes the duty, and its own commit does not wake it: then one look every half second.
    assert counted_by_then <= 2 + seconds / LOOK_EVERY


def test_a_message_is_claimed_once(session: Session, now: datetime) -> None:
    outbox_id = put(session, now)
    dropped = put(session, now)
    assert drop_outbox(session, dropped, now)

    assert dispatching.claim(session, [outbox_id, dropped], now) == {outbox_id}
    assert dispatching.claim(session, [outbox_id, dropped], now) == set()
