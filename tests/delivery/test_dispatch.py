"""What goes out, in which order, and what becomes of it."""

import asyncio
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from delivery.dispatch import LOOK_EVERY
from delivery.errors import Blocked, DeliveryError, Migrated, NeverLeft, Throttled, Uncertain, Undecodable
from delivery.limits import Limits
from delivery.outbox import message_at, queue, queue_to
from delivery.verdicts import BACKOFF
from delivery.words import PERSONAL_PAGE, UNWRITTEN, Button, Words
from storage import dispatching
from storage.database import Database
from storage.outbox import drop_outbox, oldest_waiting, outbox_counts, outbox_page, retry_outbox
from storage.people import address_of, mark_unreachable, referent_with_link
from storage.tables import Address, Audit, Channel, Office, Outbox, OutboxKind, OutboxState, Referent
from tests.cast import Cast
from tests.delivery.wiring import Bench, Clock, put, running, said, temporary


@pytest.fixture
def bench(database: Database, now: datetime) -> Bench:
    return Bench(database, Clock(now), limits=Limits(enabled=False))


def a_referent(bench: Bench, *, chat: int | None = 100, email: str | None = "ada@example.org") -> int:
    with bench.database.write() as session:
        return Cast(session, bench.clock.now).a_referent(chat=chat, email=email).id


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
    referent_id = a_referent(bench, chat=-5)
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


@pytest.mark.parametrize("kind", [OutboxKind.ANSWER, OutboxKind.REMINDER, OutboxKind.INVITATION, OutboxKind.NOTICE])
async def test_who_blocked_the_bot_gets_it_by_mail_once(bench: Bench, kind: OutboxKind) -> None:
    referent_id = a_referent(bench)
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
    referent_id = a_referent(bench)
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
    referent_id = a_referent(bench)
    bench.still_due[OutboxKind.REMINDER] = lambda session, row, now: Words("parola " * 1400)
    bench.telegram.always = lambda _: Blocked("403") if len(bench.telegram.sent) >= taken else None
    bench.queue(kind=OutboxKind.REMINDER, referent_id=referent_id)

    await bench.drain()

    (mail,) = bench.mail.sent
    assert sum(parcel.words.html.count("parola") for parcel in (*bench.telegram.sent, mail)) == 1400


async def test_a_button_to_the_personal_page_gets_its_key_when_it_leaves(bench: Bench) -> None:
    referent_id = a_referent(bench)
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


async def test_a_prompt_to_who_blocked_the_bot_is_not_mailed(bench: Bench) -> None:
    referent_id = a_referent(bench)
    bench.telegram.always = lambda _: Blocked("403")
    bench.queue(referent_id=referent_id)

    await bench.drain()

    assert bench.states() == [OutboxState.WITHHELD]


async def test_a_refused_mail_address_is_unreachable(bench: Bench) -> None:
    referent_id = a_referent(bench)
    bench.mail.always = lambda _: Blocked("550 recipient refused")
    bench.queue(kind=OutboxKind.ANSWER, referent_id=referent_id, channel=Channel.EMAIL, address="ada@example.org")

    await bench.drain()

    assert bench.states() == [OutboxState.DEAD]
    with bench.database.read() as session:
        reasons = session.exec(select(Address.unreachable_reason).where(Address.channel == Channel.EMAIL)).all()
        assert reasons == ["550 recipient refused"]


@pytest.mark.parametrize(("channel", "value"), [(Channel.EMAIL, "ada@example.org"), (Channel.TELEGRAM, "100")])
async def test_an_address_that_takes_a_message_is_reachable_again(bench: Bench, channel: Channel, value: str) -> None:
    referent_id = a_referent(bench)
    with bench.database.write() as session:
        mark_unreachable(session, channel, value, "550 recipient refused", bench.clock.now)
    bench.queue(referent_id=referent_id, channel=channel, address=value)

    await bench.drain()

    with bench.database.read() as session:
        address = address_of(session, referent_id, channel)
        assert address is not None
        assert (address.unreachable_since, address.unreachable_reason) == (None, None)


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


async def test_what_a_dead_process_was_sending_is_resent_marked_at_the_next_start(bench: Bench) -> None:
    answer = bench.queue("answer", kind=OutboxKind.ANSWER)
    again = bench.queue("many times", address="200")
    claim = await bench.dispatcher.one_pass()  # claimed, committed, and then the power goes
    assert len(claim.parcels) == 2
    with bench.database.write() as session:
        row = session.get(Outbox, again)
        assert row is not None
        row.possible_duplicate, row.attempts = True, 5
        session.add(row)

    bench.dispatcher = bench.new_dispatcher("one")
    await bench.drain()

    assert bench.row(answer).state is OutboxState.SENT
    assert bench.row(answer).possible_duplicate
    assert bench.row(again).state is OutboxState.UNCERTAIN
    assert said(bench.telegram.sent) == ["<i>(possibile duplicato)</i>\n\nanswer"]


async def test_two_dispatchers_never_send_the_same_message(bench: Bench) -> None:
    with bench.database.write() as session:
        for number in range(100):
            put(session, bench.clock.now, f"{number}", address=str(number))
    other = Bench(bench.database, bench.clock, telegram=bench.telegram, owner="two", limits=Limits(enabled=False))

    for turn in range(40):
        await (bench if turn % 2 else other).step()

    assert len(bench.telegram.sent) == len(set(said(bench.telegram.sent))) == 100


async def test_another_process_takes_over_when_the_first_is_gone(bench: Bench) -> None:
    await bench.step()
    other = Bench(bench.database, bench.clock, telegram=bench.telegram, owner="two", limits=Limits(enabled=False))
    bench.queue("Ciao")

    assert not (await other.step()).parcels
    bench.clock.forward(seconds=11)
    await other.drain()

    assert said(bench.telegram.sent) == ["Ciao"]


async def test_a_success_that_comes_after_the_take_over_still_counts(bench: Bench) -> None:
    outbox_id = bench.queue("Ciao")
    await bench.step()  # sent; its result not yet written
    bench.clock.forward(seconds=11)
    other = Bench(bench.database, bench.clock, owner="two", limits=Limits(enabled=False), in_flight={})
    other.dispatcher.senders = {}
    await other.step()
    assert bench.row(outbox_id).state is OutboxState.RETRY

    await bench.step()

    assert bench.row(outbox_id).state is OutboxState.SENT


async def test_a_restored_database_sends_nothing_until_released(bench: Bench) -> None:
    with bench.database.write() as session:
        session.add(Office(id=1, name="Ufficio esempio", dispatch_stopped=True))
    bench.queue("Ciao")

    await bench.drain()
    assert not bench.telegram.tried

    with bench.database.write() as session:
        office = session.get(Office, 1)
        assert office is not None
        office.dispatch_stopped = False
    bench.clock.forward(seconds=5)
    await bench.drain()
    assert said(bench.telegram.sent) == ["Ciao"]


async def test_a_mail_to_a_referent_carries_a_key_to_their_page(bench: Bench) -> None:
    referent_id = a_referent(bench, chat=None)
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
    assert parcel.office == "Ufficio esempio"
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

    assert [parcel.earlier for parcel in bench.mail.sent] == [(), ("p1",)]


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
        await asyncio.wait_for(bench.telegram.arrived.wait(), 10)

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
        await asyncio.wait_for(bench.telegram.arrived.wait(), 10)

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
        await asyncio.wait_for(looked_again.wait(), 30)
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
