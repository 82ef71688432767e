"""A way closes: what waits goes by mail, once. It opens again: what nobody could be told is told, once."""

import pytest
from sqlmodel import Session, col, select

from delivery import doors
from delivery.errors import Blocked, DeliveryError
from delivery.outbox import queue_to
from delivery.words import Words
from storage.people import mark_unreachable
from storage.tables import Audit, Channel, Outbox, OutboxKind, OutboxState
from tests.delivery.wiring import Bench, ada, said

BLOCKED = "403 Forbidden: bot was blocked by the user"
KEPT = [OutboxKind.ANSWER, OutboxKind.NOTICE]


def kick(bench: Bench) -> None:
    """She blocks the bot, and Telegram says so before we send anything."""
    with bench.database.write() as session:
        doors.close(session, Channel.TELEGRAM, "100", "blocked", bench.clock.now)


def come_back(bench: Bench) -> bool:
    with bench.database.write() as session:
        return doors.open_again(session, Channel.TELEGRAM, "100", bench.clock.now)


def answer(bench: Bench, referent_id: int, text: str, number: int) -> int | None:
    """What staff write to her, by whatever way is open."""
    with bench.database.write() as session:
        return queue_to(
            session,
            referent_id,
            Words(text),
            kind=OutboxKind.ANSWER,
            now=bench.clock.now,
            dedupe_key=f"answer:{number}",
        )


def acts(session: Session) -> list[str]:
    return list(session.exec(select(Audit.action).order_by(col(Audit.id))))


async def test_whatever_waits_for_who_has_blocked_the_bot_goes_by_mail_at_once(bench: Bench) -> None:
    me = ada(bench)
    for kind in (OutboxKind.REMINDER, OutboxKind.ANSWER, OutboxKind.NOTICE):
        bench.queue(f"un {kind}", kind=kind, referent_id=me)
    bench.queue("altro", address="200")

    kick(bench)
    await bench.drain()

    assert sorted(said(bench.mail.sent)) == ["un answer", "un notice", "un reminder"]
    assert said(bench.telegram.tried) == ["altro"]
    assert bench.states()[:3] == [OutboxState.MOVED] * 3


async def test_telling_it_twice_mails_once(bench: Bench) -> None:
    answer(bench, ada(bench), "Ecco", 1)

    kick(bench)
    kick(bench)
    await bench.drain()

    assert said(bench.mail.sent) == ["Ecco"]
    with bench.database.read() as session:
        assert acts(session).count("address.unreachable") == 1


async def test_without_a_mailbox_it_stays_and_staff_see_it(bench: Bench) -> None:
    answer(bench, ada(bench, email=None), "Ecco", 1)
    bench.telegram.always = lambda _: Blocked(BLOCKED)

    kick(bench)
    await bench.drain()

    assert bench.states() == [OutboxState.DEAD]
    with bench.database.read() as session:
        assert acts(session) == ["address.unreachable", "outbox.dead"]


async def test_what_is_on_its_way_waits_for_its_own_answer(bench: Bench) -> None:
    answer(bench, ada(bench), "Ecco", 1)
    claim = await bench.dispatcher.one_pass()

    kick(bench)
    for parcel in claim.parcels:
        await bench.dispatcher._send(parcel)
    await bench.drain()

    assert (said(bench.telegram.sent), bench.mail.sent) == (["Ecco"], [])
    assert bench.states() == [OutboxState.SENT]


async def test_a_refusal_on_its_way_takes_with_it_all_that_waits_behind(bench: Bench) -> None:
    me = ada(bench)
    bench.telegram.always = lambda _: Blocked(BLOCKED)
    for number in range(3):
        answer(bench, me, f"Risposta {number}", number)

    await bench.drain()

    assert len(bench.telegram.tried) == 1
    assert said(bench.mail.sent) == ["Risposta 0", "Risposta 1", "Risposta 2"]


@pytest.mark.parametrize("kind", KEPT)
async def test_who_comes_back_is_told_what_nobody_could_tell_them(bench: Bench, kind: OutboxKind) -> None:
    me = ada(bench, email=None)
    bench.telegram.errors = {"100": [Blocked(BLOCKED)]}
    bench.queue("Ecco", kind=kind, referent_id=me)
    await bench.drain()

    assert come_back(bench)
    await bench.drain()

    assert said(bench.telegram.sent) == ["Ecco"]
    assert bench.states() == [OutboxState.SENT]
    with bench.database.read() as session:
        assert acts(session)[-1] == "address.reachable"


async def test_what_went_by_mail_does_not_come_again(bench: Bench) -> None:
    answer(bench, ada(bench), "Ecco", 1)
    kick(bench)
    await bench.drain()

    come_back(bench)
    await bench.drain()

    assert (said(bench.mail.sent), bench.telegram.tried) == (["Ecco"], [])


async def test_coming_back_twice_tells_it_once(bench: Bench) -> None:
    answer(bench, ada(bench, email=None), "Ecco", 1)
    bench.telegram.errors = {"100": [Blocked(BLOCKED)]}
    await bench.drain()

    come_back(bench)
    await bench.drain()

    assert not come_back(bench)
    await bench.drain()
    assert said(bench.telegram.sent) == ["Ecco"]


async def test_what_was_written_while_nothing_reached_them_is_kept_and_told_whole(bench: Bench) -> None:
    me = ada(bench, email=None)
    kick(bench)
    long = " ".join(f"parola{number}" for number in range(1000))
    assert answer(bench, me, long, 1) is None
    assert bench.states() == [OutboxState.DEAD]

    come_back(bench)
    await bench.drain()

    parts = [parcel.words.html for parcel in bench.telegram.sent]
    assert len(parts) > 1
    assert " ".join(parts).split() == long.split()


async def test_a_reminder_is_not_kept_it_would_only_come_too_late(bench: Bench) -> None:
    me = ada(bench, email=None)
    bench.telegram.errors = {"100": [Blocked(BLOCKED)]}
    bench.queue("Ricorda", kind=OutboxKind.REMINDER, referent_id=me)
    await bench.drain()

    come_back(bench)
    await bench.drain()

    assert bench.telegram.sent == []


async def test_what_telegram_refused_for_itself_is_not_tried_again(bench: Bench) -> None:
    me = ada(bench, email=None)
    bench.telegram.errors = {"100": [DeliveryError("400 BUTTON_URL_INVALID", permanent=True)]}
    answer(bench, me, "Ecco", 1)
    await bench.drain()
    kick(bench)

    come_back(bench)
    await bench.drain()

    assert bench.telegram.sent == []
    assert bench.states() == [OutboxState.DEAD]


async def test_when_both_ways_were_closed_the_first_that_opens_tells_it(bench: Bench) -> None:
    me = ada(bench)
    answer(bench, me, "Ecco", 1)
    bench.mail.always = lambda _: Blocked("550 recipient refused")
    kick(bench)
    await bench.drain()

    come_back(bench)
    await bench.drain()

    assert said(bench.telegram.sent) == ["Ecco"]
    assert bench.states() == [OutboxState.MOVED, OutboxState.SENT]


async def test_nothing_of_another_person_comes_along(bench: Bench) -> None:
    me, bruno = ada(bench, email=None), ada(bench, chat=200, email=None)
    with bench.database.write() as session:
        mark_unreachable(session, Channel.TELEGRAM, "200", "blocked", bench.clock.now)
    kick(bench)
    answer(bench, me, "per Ada", 1)
    answer(bench, bruno, "per Bruno", 2)

    come_back(bench)
    await bench.drain()

    assert said(bench.telegram.sent) == ["per Ada"]
    with bench.database.read() as session:
        left = session.exec(select(Outbox).where(Outbox.state == OutboxState.DEAD)).one()
        assert left.referent_id == bruno
