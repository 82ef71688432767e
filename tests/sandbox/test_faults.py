"""Everything that can go wrong on Telegram's side, on demand."""

import asyncio

import httpx
import pytest
from telegram import Bot
from telegram.error import BadRequest, Conflict, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from sandbox.faults import Drop, Fault, FaultRule, FaultRules
from sandbox.telegram import Person, TelegramSandbox
from tests.sandbox.conftest import Caller, Clock

Playing = tuple[httpx.AsyncClient, Bot, Person]


@pytest.fixture
def playing(web: httpx.AsyncClient, bot: Bot, ada: Person, monkeypatch: pytest.MonkeyPatch) -> Playing:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    return web, bot, ada


@pytest.mark.parametrize(
    ("rule", "error", "words"),
    [
        ({"status": 500}, NetworkError, "Internal Server Error"),
        ({"status": 502}, NetworkError, "Bad Gateway"),
        ({"status": 400}, BadRequest, "Bad Request"),
        ({"status": 401}, InvalidToken, "Unauthorized"),
        ({"status": 403, "description": "Forbidden: bot was blocked by the user"}, Forbidden, "blocked"),
        ({"status": 404}, InvalidToken, "Not Found"),
        ({"status": 429, "retry_after": 7}, RetryAfter, "Retry in 0:00:07"),
        ({"drop": "before"}, NetworkError, "disconnected"),
    ],
)
async def test_a_call_fails_once_and_then_no_more(
    playing: Playing, rule: dict[str, object], error: type[TelegramError], words: str
) -> None:
    web, bot, ada = playing
    await web.post("/sandbox/faults", json={"rules": [{**rule, "method": "sendMessage", "times": 1}]})

    with pytest.raises(error, match=words):
        await bot.send_message(ada.id, "prima")
    await bot.send_message(ada.id, "dopo")

    assert [message.text for message in ada.chat] == ["dopo"]


async def test_another_poller_seems_to_be_there_for_some_calls(web: httpx.AsyncClient, bot: Bot, ada: Person) -> None:
    await web.post("/sandbox/faults", json={"rules": [{"method": "getUpdates", "status": 409, "times": 2}]})
    ada.sends("ciao")

    for _ in range(2):
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await bot.get_updates()

    assert len(await bot.get_updates()) == 1


async def test_or_for_some_seconds(call: Caller, clock: Clock, telegram: TelegramSandbox) -> None:
    telegram.faults = FaultRules([FaultRule(Fault(409), "getUpdates", seconds=60)], clock)

    first = await call("getUpdates")
    clock.now += 59.9
    still = await call("getUpdates")
    clock.now += 0.1

    assert first["error_code"] == still["error_code"] == 409
    assert (await call("getUpdates"))["ok"]


async def test_one_chat_is_told_to_wait_and_the_others_are_not(
    call: Caller, telegram: TelegramSandbox, ada: Person
) -> None:
    bruno = telegram.add_person(1002, "Bruno", started=True)
    telegram.faults = FaultRules([FaultRule(Fault(429, retry_after=30), chat_id=ada.id)])

    refused = await call("sendMessage", chat_id=ada.id, text="x")
    sent = await call("sendMessage", chat_id=bruno.id, text="x")

    assert refused == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 30",
        "parameters": {"retry_after": 30},
    }
    assert sent["ok"]


async def test_an_answer_is_late_and_the_next_one_lost(
    web: httpx.AsyncClient, bot: Bot, ada: Person, telegram: TelegramSandbox
) -> None:
    rules = [
        {"method": "sendMessage", "delay": 0.05, "times": 1},
        {"method": "sendMessage", "drop": "after", "times": 1},
    ]
    await web.post("/sandbox/faults", json={"rules": rules})

    started = asyncio.get_running_loop().time()
    await bot.send_message(ada.id, "tardi")
    took = asyncio.get_running_loop().time() - started
    with pytest.raises(NetworkError, match="disconnected"):
        await bot.send_message(ada.id, "persa")

    assert took >= 0.05
    assert [message.text for message in ada.chat] == ["tardi", "persa"]
    assert [entry.answered for entry in telegram.ledger.accepted("sendMessage")] == [True, False]


async def test_downloads_fail_too(web: httpx.AsyncClient, bot: Bot, ada: Person) -> None:
    file = await bot.get_file(ada.sends_document(content=b"abc").file_id)
    await web.post("/sandbox/faults", json={"rules": [{"method": "download", "status": 503, "times": 1}]})

    refused = await web.get(str(file.file_path))

    assert refused.status_code == 503
    assert (await web.get(str(file.file_path))).content == b"abc"


async def test_no_rules_end_all_faults(web: httpx.AsyncClient, telegram: TelegramSandbox) -> None:
    await web.post("/sandbox/faults", json={"rules": [{"drop": Drop.BEFORE}]})
    set_ = telegram.faults
    await web.post("/sandbox/faults", json={"rules": []})
    nonsense = await web.post("/sandbox/faults", json={"rules": [{"drop": "sometimes"}]})

    assert set_ is not None
    assert telegram.faults is None
    assert nonsense.status_code == 422
