"""The real bot over a real socket: each answer of Telegram means what it should."""

import socket
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from telegram.error import ChatMigrated, NetworkError, RetryAfter, TimedOut

from delivery.errors import (
    Blocked,
    DeliveryError,
    Migrated,
    NeverLeft,
    Throttled,
    Uncertain,
    Undecodable,
)
from delivery.parcel import Parcel
from delivery.telegram import TelegramSender, call, make_bot, meaning
from delivery.words import Button, Words
from sandbox.telegram import Drop, Fault
from storage.tables import Channel, OutboxKind
from tests.delivery.conftest import ADA, TOKEN, World


def a_parcel(html: str = "Ciao", **other: Any) -> Parcel:
    words = other.pop("words", None) or Words(html)
    parcel = Parcel(
        id=1,
        attempt=1,
        kind=OutboxKind.DIALOGUE,
        channel=Channel.TELEGRAM,
        address=str(ADA),
        dedupe_key="k",
        words=words,
    )
    return replace(parcel, **other)


async def test_a_message_arrives_with_its_buttons_and_its_id(world: World) -> None:
    buttons = ((Button("Sì", data="q:1:yes"), Button("Apri", url="https://example.org/r")),)

    message_id = await world.sender.send(a_parcel(words=Words("Ciao <b>Ada &amp; co</b>", buttons=buttons)))

    (entry,) = world.sandbox.ledger.accepted("sendMessage")
    assert message_id == str(entry.result_id)
    message = world.sandbox.people[ADA].by_id[int(message_id)].raw
    assert message["text"] == "Ciao Ada & co"
    assert message["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "q:1:yes"
    assert message["reply_markup"]["inline_keyboard"][0][1]["url"] == "https://example.org/r"


async def test_a_reply_names_the_message_it_answers_even_when_that_is_gone(world: World) -> None:
    first = await world.sender.send(a_parcel())
    assert isinstance(first, str)
    second = await world.sender.send(a_parcel(words=Words("Sì", reply_to=first)))
    third = await world.sender.send(a_parcel(words=Words("Sì", reply_to="123456")))

    assert isinstance(second, str)
    assert third is not None
    raw = world.sandbox.people[ADA].by_id[int(second)].raw
    assert str(raw["reply_to_message"]["message_id"]) == first


async def test_a_message_takes_the_place_of_an_earlier_one(world: World) -> None:
    first = await world.sender.send(a_parcel("Uno"))
    assert isinstance(first, str)
    buttons = ((Button("Sì", data="q:1:yes"),),)

    second = await world.sender.send(a_parcel(words=Words("Due", buttons=buttons, replaces=first)))
    again = await world.sender.send(a_parcel(words=Words("Due", buttons=buttons, replaces=first)))

    assert (second, again) == (first, first)
    message = world.sandbox.people[ADA].by_id[int(first)].raw
    assert message["text"] == "Due"
    assert message["reply_markup"]["inline_keyboard"][0][0]["callback_data"] == "q:1:yes"
    assert len(world.sandbox.ledger.accepted("sendMessage")) == 1


async def test_where_the_earlier_message_is_gone_it_comes_as_a_new_one(world: World) -> None:
    sent = await world.sender.send(a_parcel(words=Words("Due", replaces="123456")))

    assert isinstance(sent, str)
    assert world.sandbox.people[ADA].by_id[int(sent)].raw["text"] == "Due"


async def test_markup_that_telegram_refuses_can_go_as_plain_text(world: World) -> None:
    with pytest.raises(Undecodable):
        await world.sender.send(a_parcel("<b>Ciao"))

    message_id = await world.sender.send(a_parcel("<b>Ciao & co", body={"plain": True}))

    assert isinstance(message_id, str)
    assert world.sandbox.people[ADA].by_id[int(message_id)].raw["text"] == "Ciao & co"


async def test_who_blocked_the_bot_or_does_not_exist_is_unreachable(world: World) -> None:
    world.sandbox.people[ADA].blocks()

    with pytest.raises(Blocked):
        await world.sender.send(a_parcel())
    with pytest.raises(Blocked):
        await world.sender.send(a_parcel(address="424242"))


async def test_a_text_that_is_too_long_is_refused_for_good(world: World) -> None:
    with pytest.raises(DeliveryError) as refused:
        await world.sender.send(a_parcel("x" * 4097))

    assert refused.value.permanent


async def test_retry_after_says_how_long(world: World) -> None:
    world.sandbox.faults = lambda method, values: Fault(429, "Too Many Requests: retry after 37", retry_after=37)

    with pytest.raises(Throttled) as throttled:
        await world.sender.send(a_parcel())

    assert throttled.value.seconds == 37


async def test_a_migrated_chat_says_where_to(world: World) -> None:
    world.sandbox.faults = lambda method, values: Fault(
        400, "Bad Request: group chat was upgraded to a supergroup chat", parameters={"migrate_to_chat_id": -1005}
    )

    with pytest.raises(Migrated) as migrated:
        await world.sender.send(a_parcel(address="-5"))

    assert migrated.value.address == "-1005"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_an_answer_that_says_nothing_leaves_it_uncertain(world: World, status: int) -> None:
    world.sandbox.faults = lambda method, values: Fault(status, "Bad Gateway")

    with pytest.raises(Uncertain):
        await world.sender.send(a_parcel())


@pytest.mark.parametrize("drop", [Drop.BEFORE, Drop.AFTER])
async def test_a_lost_answer_leaves_it_uncertain(world: World, drop: Drop) -> None:
    world.sandbox.faults = lambda method, values: Fault(drop=drop)

    with pytest.raises(Uncertain):
        await world.sender.send(a_parcel())


async def test_an_answer_that_does_not_come_is_timed_out_and_uncertain(world: World) -> None:
    world.sandbox.faults = lambda method, values: Fault(delay=5)

    with pytest.raises(TimedOut) as late:
        await call(world.bot, "sendMessage", {"chat_id": ADA, "text": "Ciao"}, read_timeout=0.1)

    assert isinstance(meaning(late.value), Uncertain)


async def test_without_a_server_nothing_left() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    bot = make_bot(TOKEN, f"http://127.0.0.1:{port}")

    with pytest.raises(NeverLeft):
        await TelegramSender(bot).send(a_parcel())

    await bot.request.shutdown()


async def test_a_wrong_token_is_not_the_recipients_fault(world: World) -> None:
    bot = make_bot("999:wrong", world.url)

    with pytest.raises(NeverLeft):
        await TelegramSender(bot).send(a_parcel())

    await bot.request.shutdown()


async def test_no_error_ever_holds_the_token(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    caught = []
    for fault in (Fault(500), Fault(400, "Bad Request"), Fault(drop=Drop.AFTER), Fault(404, "Not Found")):
        world.sandbox.faults = lambda method, values, fault=fault: fault
        with pytest.raises(DeliveryError) as error:
            await world.sender.send(a_parcel())
        caught.append(f"{error.value!r} {error.value.__cause__!r} {error.value.reason}")

    assert TOKEN not in " ".join(caught)
    assert TOKEN not in caplog.text


async def test_the_library_polls_on_the_same_wire(world: World) -> None:
    world.sandbox.people[ADA].sends("Buongiorno")

    updates = await call(world.bot, "getUpdates", {"timeout": 1, "offset": 0}, read_timeout=10)
    typed = await world.bot.get_updates(timeout=0)

    assert updates[0]["message"]["text"] == "Buongiorno"
    assert typed[0].message is not None
    assert typed[0].message.text == "Buongiorno"


def test_every_error_of_the_library_means_something() -> None:
    assert isinstance(meaning(ChatMigrated(-1)), Migrated)
    assert isinstance(meaning(NetworkError("x")), Uncertain)
    throttled = meaning(RetryAfter(timedelta(seconds=3)))
    assert isinstance(throttled, Throttled)
    assert throttled.seconds == 3
