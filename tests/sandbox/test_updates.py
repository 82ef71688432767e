"""getUpdates as Telegram does it."""

import asyncio
from typing import Any

from sandbox.ledger import EntryKind
from sandbox.telegram import Person, TelegramSandbox
from tests.sandbox.conftest import Caller


async def ids(call: Caller, **params: Any) -> list[int]:
    return [update["update_id"] for update in (await call("getUpdates", **params))["result"]]


async def test_updates_stay_until_a_higher_offset_confirms_them(call: Caller, ada: Person) -> None:
    for text in "abc":
        ada.sends(text)

    first = await ids(call, limit=2)
    again = await ids(call)
    rest = await ids(call, offset=first[-1] + 1)
    never = await ids(call, offset=first[0])

    assert again[:2] == first
    assert again == sorted(again)
    assert rest == again[2:] == never


async def test_a_negative_offset_keeps_only_the_newest(call: Caller, ada: Person) -> None:
    for text in "abc":
        ada.sends(text)

    kept = await ids(call, offset=-1)

    assert len(kept) == 1
    assert await ids(call) == kept


async def test_a_long_poll_ends_when_something_comes(call: Caller, ada: Person, telegram: TelegramSandbox) -> None:
    polling = asyncio.create_task(call("getUpdates", timeout=30))
    await telegram.wait_for(lambda: telegram.world.updates.is_polled)
    ada.sends("ciao")

    async with asyncio.timeout(60):
        answer = await polling

    assert [update["message"]["text"] for update in answer["result"]] == ["ciao"]


async def test_a_long_poll_ends_with_nothing_when_its_time_is_up(call: Caller) -> None:
    async with asyncio.timeout(60):
        assert await ids(call, timeout=1) == []


async def test_the_newer_poller_wins_and_the_older_gets_409(
    call: Caller, ada: Person, telegram: TelegramSandbox
) -> None:
    older = asyncio.create_task(call("getUpdates", timeout=30))
    await telegram.wait_for(lambda: telegram.world.updates.is_polled)
    newer = asyncio.create_task(call("getUpdates", timeout=30))

    async with asyncio.timeout(60):
        conflict = await older
        ada.sends("ciao")
        answer = await newer

    assert conflict["error_code"] == 409
    assert conflict["description"].startswith("Conflict: terminated by other getUpdates request")
    assert len(answer["result"]) == 1


async def test_no_polling_while_a_webhook_is_set(call: Caller, ada: Person) -> None:
    await call("setWebhook", url="https://example.org/hook")
    ada.sends("perduto")

    refused = await call("getUpdates")
    info = await call("getWebhookInfo")
    await call("deleteWebhook", drop_pending_updates=True)

    assert refused["error_code"] == 409
    assert "can't use getUpdates method while webhook is active" in refused["description"]
    assert info["result"]["pending_update_count"] == 1
    assert await ids(call) == []


async def test_allowed_updates_are_remembered(call: Caller, ada: Person) -> None:
    await call("getUpdates", allowed_updates=["message"])
    ada.blocks()
    ada.unblocks()
    ada.sends("ciao")

    only_messages = (await call("getUpdates"))["result"]
    await call("getUpdates", allowed_updates=[], offset=only_messages[-1]["update_id"] + 1)
    ada.blocks()
    with_membership = (await call("getUpdates"))["result"]

    assert [list(update) for update in only_messages] == [["update_id", "message"]]
    assert with_membership[0]["my_chat_member"]["new_chat_member"]["status"] == "kicked"


async def test_odd_updates_keep_the_id_they_bring(call: Caller, telegram: TelegramSandbox) -> None:
    telegram.push_raw({"update_id": 5_000_000_000, "never_heard_of": {"x": None}})
    telegram.push_raw({"message": "not even an object"})

    assert await ids(call) == [5_000_000_000, 5_000_000_001]


async def test_what_a_person_does_becomes_the_right_update(call: Caller, ada: Person) -> None:
    sent = ada.sends("/start invito")
    ada.edits(sent.id, "testo")
    ada.sends_document("relazione.pdf", caption="ecco")
    ada.sends_photo(media_group_id="g")
    ada.sends("risposta", reply_to=sent.id)

    start, edited, document, photo, reply = (await call("getUpdates"))["result"]

    assert start["message"]["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    assert edited["edited_message"]["text"] == "testo"
    assert document["message"]["document"]["file_name"] == "relazione.pdf"
    assert photo["message"]["media_group_id"] == "g"
    assert reply["message"]["reply_to_message"]["message_id"] == sent.id


async def test_the_ledger_knows_what_waited_what_left_and_what_was_confirmed(
    call: Caller, ada: Person, telegram: TelegramSandbox
) -> None:
    ada.sends("a")
    ada.sends("b")
    first, second = await ids(call)
    await ids(call, offset=second)

    assert telegram.ledger.update_ids(EntryKind.QUEUED) == [first, second]
    assert telegram.ledger.update_ids(EntryKind.HANDED_OUT) == [first, second, second]
    assert telegram.ledger.update_ids(EntryKind.CONFIRMED) == [first]
