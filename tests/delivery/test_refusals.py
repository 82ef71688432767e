"""What a provider refuses, or may have taken: who waits, who is tried again, what staff see."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from delivery.errors import DeliveryError, Migrated, NeverLeft, Throttled, Uncertain, Undecodable
from delivery.verdicts import BACKOFF
from storage.outbox import drop_outbox, oldest_waiting, outbox_counts, outbox_page, retry_outbox
from storage.people import address_of
from storage.tables import Audit, Channel, OutboxKind, OutboxState
from tests.delivery.wiring import Bench, ada, put, said, temporary


async def test_a_connection_error_is_tried_again_for_about_a_day_then_a_person_looks(bench: Bench) -> None:
    bench.telegram.always = lambda _: temporary("451")
    outbox_id = bench.queue()
    started = bench.clock.now

    while bench.row(outbox_id).state is not OutboxState.DEAD:
        await bench.drain()
        bench.clock.now = max(bench.row(outbox_id).next_at, bench.clock.now)

    assert len(bench.telegram.tried) == len(BACKOFF) + 1
    assert timedelta(hours=22) < bench.clock.now - started < timedelta(hours=25)


async def test_a_throttled_chat_waits_and_others_go_on(bench: Bench) -> None:
    bench.telegram.errors = {"100": [Throttled(40)]}
    outbox_id = bench.queue("one")
    bench.queue("two")
    bench.queue("other", address="200")

    await bench.drain()

    row = bench.row(outbox_id)
    assert (row.state, row.attempts) == (OutboxState.RETRY, 0)
    assert row.next_at == bench.clock.now + timedelta(seconds=40)
    assert said(bench.telegram.sent) == ["other"]
    bench.clock.forward(seconds=40)
    await bench.drain()
    assert said(bench.telegram.sent) == ["other", "one", "two"]


async def test_when_everybody_is_throttled_the_bot_pauses_and_then_tries_with_one(bench: Bench) -> None:
    bench.telegram.always = lambda _: Throttled(3600)
    with bench.database.write() as session:
        for number in range(100):
            put(session, bench.clock.now, "x", address=str(number))

    await bench.drain()
    assert len(bench.telegram.tried) == 30

    bench.clock.forward(seconds=30)
    bench.telegram.always = lambda _: None
    claim = await bench.step()
    assert len(claim.parcels) == 1
    await bench.drain()
    assert len(bench.telegram.sent) == 70


async def test_after_an_outage_nobody_waits_for_the_long_back_off(bench: Bench) -> None:
    bench.telegram.always = lambda _: NeverLeft("Refused")
    ids = [bench.queue("x", address=str(number)) for number in range(5)]
    for _ in range(8):
        await bench.drain()
        bench.clock.forward(seconds=61)
    bench.telegram.always = lambda _: None
    bench.clock.now = max(bench.clock.now, min(bench.row(one).next_at for one in ids))
    assert max(bench.row(one).next_at for one in ids) > bench.clock.now

    await bench.drain()

    assert [bench.row(one).state for one in ids] == [OutboxState.SENT] * 5


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_throttled_chat_keeps_its_order_when_the_connection_comes_back(bench: Bench, restarted: bool) -> None:
    bench.telegram.errors = {"100": [Throttled(600)]}
    bench.queue("one")
    await bench.drain()
    bench.telegram.always = lambda _: NeverLeft("Refused")
    for number in range(4):
        bench.queue("x", address=f"20{number}")
    await bench.drain()
    bench.queue("two")
    if restarted:
        bench.dispatcher = bench.new_dispatcher("one")

    bench.telegram.always = lambda _: None
    bench.clock.forward(seconds=60)
    await bench.drain()
    assert said(bench.telegram.sent) == ["x"] * 4

    bench.clock.forward(seconds=600)
    await bench.drain()
    assert said(bench.telegram.sent) == ["x"] * 4 + ["one", "two"]


async def test_a_reminder_that_was_held_up_waits_for_the_office_to_open(bench: Bench) -> None:
    bench.telegram.errors = {"100": [temporary()]}
    reminder = bench.queue("reminder", kind=OutboxKind.REMINDER)
    await bench.drain()
    bench.clock.now = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
    bench.queue("answer", kind=OutboxKind.ANSWER)

    await bench.drain()

    row = bench.row(reminder)
    assert said(bench.telegram.sent) == ["answer"]
    assert (row.state, row.attempts) == (OutboxState.QUEUED, 1)
    assert row.next_at == datetime(2026, 11, 25, 7, 30, tzinfo=UTC)

    bench.dispatcher = bench.new_dispatcher("one")
    bench.queue("good night")
    await bench.drain()
    assert said(bench.telegram.sent) == ["answer", "good night"]

    bench.clock.now = row.next_at
    await bench.drain()
    assert said(bench.telegram.sent) == ["answer", "good night", "reminder"]


async def test_a_migrated_chat_gets_its_messages_at_the_new_id_once(bench: Bench) -> None:
    referent_id = ada(bench, chat=-5)
    bench.telegram.errors = {"-5": [Migrated("-1005")]}
    first = bench.queue("one", address="-5")
    second = bench.queue("two", address="-5")

    await bench.drain()

    assert [(parcel.address, parcel.words.html) for parcel in bench.telegram.sent] == [
        ("-1005", "one"),
        ("-1005", "two"),
    ]
    assert bench.row(first).address == bench.row(second).address == "-1005"
    with bench.database.read() as session:
        address = address_of(session, referent_id, Channel.TELEGRAM)
        assert address is not None
        assert address.value == "-1005"


async def test_a_chat_that_migrates_for_ever_is_given_up(bench: Bench) -> None:
    bench.telegram.always = lambda parcel: Migrated(parcel.address + "0")
    outbox_id = bench.queue(address="-5")

    await bench.drain()

    assert bench.row(outbox_id).state is OutboxState.DEAD
    assert len(bench.telegram.tried) == 2


async def test_markup_that_is_refused_goes_once_as_plain_text(bench: Bench) -> None:
    bench.telegram.errors = {"100": [Undecodable("400 can't parse entities")]}
    outbox_id = bench.queue("<b>Ciao")

    await bench.drain()

    assert [parcel.plain for parcel in bench.telegram.tried] == [False, True]
    assert bench.row(outbox_id).state is OutboxState.SENT


async def test_plain_text_that_is_refused_too_is_dead(bench: Bench) -> None:
    bench.telegram.errors = {"100": [Undecodable("400"), Undecodable("400")]}
    outbox_id = bench.queue("<b>Ciao")

    await bench.drain()

    assert bench.row(outbox_id).state is OutboxState.DEAD


async def test_a_refused_message_is_dead_at_once_and_in_the_log_of_acts(bench: Bench) -> None:
    bench.telegram.always = lambda _: DeliveryError("400 Bad Request", permanent=True)
    outbox_id = bench.queue()

    await bench.drain()

    assert (bench.row(outbox_id).state, bench.row(outbox_id).error) == (OutboxState.DEAD, "400 Bad Request")
    with bench.database.read() as session:
        assert session.exec(select(Audit.action)).all() == ["outbox.dead"]


@pytest.mark.parametrize(
    ("kind", "marked"), [(OutboxKind.ANSWER, True), (OutboxKind.REMINDER, True), (OutboxKind.DIALOGUE, False)]
)
async def test_what_may_have_arrived_goes_once_more(bench: Bench, kind: OutboxKind, marked: bool) -> None:
    bench.telegram.errors = {"100": [Uncertain("TimedOut")]}
    outbox_id = bench.queue("Ciao", kind=kind)

    await bench.drain()
    bench.clock.forward(seconds=5)
    await bench.drain()

    row = bench.row(outbox_id)
    assert (row.state, row.possible_duplicate) == (OutboxState.SENT, True)
    assert ("possibile duplicato" in bench.telegram.sent[0].words.html) is marked


async def test_what_may_have_arrived_twice_stays_uncertain_and_visible(bench: Bench) -> None:
    bench.telegram.always = lambda _: Uncertain("502")
    outbox_id = bench.queue("Ciao")

    for _ in range(3):
        await bench.drain()
        bench.clock.forward(seconds=60)

    assert bench.row(outbox_id).state is OutboxState.UNCERTAIN
    assert len(bench.telegram.tried) == 2
    with bench.database.read() as session:
        assert [row.id for row in outbox_page(session, OutboxState.UNCERTAIN)] == [outbox_id]
        assert outbox_counts(session)[OutboxState.UNCERTAIN] == 1


async def test_a_bug_in_a_sender_counts_as_perhaps_delivered(bench: Bench) -> None:
    bench.telegram.errors = {"100": [ZeroDivisionError()]}
    outbox_id = bench.queue("Ciao")

    await bench.drain()

    assert (bench.row(outbox_id).state, bench.row(outbox_id).error) == (OutboxState.RETRY, "ZeroDivisionError")


async def test_staff_retry_the_dead_and_drop_what_waits(bench: Bench) -> None:
    bench.telegram.errors = {"100": [DeliveryError("400", permanent=True)]}
    dead = bench.queue("one")
    await bench.drain()
    waiting = bench.queue("two", after=bench.clock.now + timedelta(days=1))

    with bench.database.write() as session:
        assert retry_outbox(session, dead, bench.clock.now)
        assert not retry_outbox(session, dead, bench.clock.now)
        assert drop_outbox(session, waiting, bench.clock.now)
        assert oldest_waiting(session, bench.clock.now) == bench.clock.now
    await bench.drain()

    assert bench.states() == [OutboxState.SENT, OutboxState.DROPPED]
    with bench.database.write() as session:
        assert not drop_outbox(session, dead, bench.clock.now)
