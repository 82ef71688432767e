"""Telegram is told to post to us, and again when somebody tells it otherwise; what it cannot deliver shows."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from telegram import Bot

from bot import polling, webhook_keeper
from bot.arrivals import ALLOWED_UPDATES
from bot.polling import Poller, rest
from bot.webhook import SECRET_HEADER, Door
from bot.webhook_keeper import CONNECTIONS, PILE, WebhookKeeper, is_set, trouble
from delivery.telegram import call
from sandbox.ledger import EntryKind
from sandbox.posting import Posting
from sandbox.telegram import Fault, Person, TelegramSandbox
from storage.database import Database
from tests.bot.test_polling import a_poller, polling_by, texts

KEY = b"a key of thirty-two bytes or more"
URL = "https://desk.example.org/telegram/123456"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
OURS = {
    "url": URL,
    "max_connections": CONNECTIONS,
    "allowed_updates": list(reversed(ALLOWED_UPDATES)),
    "pending_update_count": 0,
}


def a_keeper(database: Database, bot: Bot, owner: str = "one", key: bytes = KEY) -> WebhookKeeper:
    def clock() -> datetime:
        return datetime.now(UTC)

    door = Door(database, bot, key=key, clock=clock)
    return WebhookKeeper(database, bot, door, url=URL, owner=owner, clock=clock)


@asynccontextmanager
async def kept_by(*keepers: WebhookKeeper) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(keeper.run(stop)) for keeper in keepers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks every two hundredths of a second, also after an error."""
    monkeypatch.setattr(webhook_keeper, "LOOK", 0.02)
    monkeypatch.setattr(webhook_keeper, "LOOK_SOON", 0.02)
    monkeypatch.setattr(webhook_keeper, "rest", lambda _error, _failures: 0.02)


def set_calls(telegram: TelegramSandbox) -> list[dict[str, Any]]:
    return [entry.params for entry in telegram.ledger.accepted("setWebhook")]


async def looked(keeper: WebhookKeeper) -> str | None:
    """What a look finds wrong."""
    await keeper.look()
    return keeper.problem


async def test_telegram_is_told_where_and_with_which_secret_and_drops_nothing(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    ada.sends("prima")
    keeper = a_keeper(database, bot)

    await keeper.look()
    await keeper.look()

    (asked,) = set_calls(telegram)
    assert asked == {
        "url": URL,
        "secret_token": keeper.door.secret,
        "allowed_updates": ALLOWED_UPDATES,
        "max_connections": 1,
        "drop_pending_updates": False,
    }
    assert telegram.pending == 1


@pytest.mark.usefixtures("quickly")
async def test_what_somebody_else_told_telegram_is_told_anew(
    database: Database, telegram: TelegramSandbox, bot: Bot
) -> None:
    async with kept_by(a_keeper(database, bot)):
        await telegram.wait_for_calls("setWebhook")
        await call(bot, "deleteWebhook", {"drop_pending_updates": False})
        await telegram.wait_for_calls("setWebhook", 2)
        await call(bot, "setWebhook", {"url": "https://elsewhere.example.org/"})
        await telegram.wait_for(lambda: telegram.world.updates.webhook_url == URL or None)


async def test_one_process_tells_telegram_and_the_next_when_it_has_gone(
    database: Database, telegram: TelegramSandbox, bot: Bot
) -> None:
    first, second = a_keeper(database, bot, "one"), a_keeper(database, bot, "two", key=b"another key, by mistake")

    await first.look()
    await second.look()
    told_by_first = len(set_calls(telegram))
    await first._step_down()
    await second.look()
    await first.look()

    assert told_by_first == 1
    assert [asked["secret_token"] for asked in set_calls(telegram)] == [first.door.secret, second.door.secret]
    assert (first.problem, second.problem) == (None, None)


async def test_whoever_takes_the_duty_back_tells_telegram_its_own_secret_again(
    database: Database, telegram: TelegramSandbox, bot: Bot
) -> None:
    first, second = a_keeper(database, bot, "one"), a_keeper(database, bot, "two")

    for keeper, other in ((first, second), (second, first), (first, second)):
        await keeper.look()
        await other.look()
        await keeper._step_down()

    assert len(set_calls(telegram)) == 3


async def test_a_process_that_polls_and_one_that_does_not_do_not_fight(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    poller = Poller(database, bot, owner="polls", clock=lambda: datetime.now(UTC), long_poll=1)
    keeper = a_keeper(database, bot)

    polled, meanwhile = await poller.poll(), await looked(keeper)
    told_meanwhile = len(set_calls(telegram))
    await poller._step_down()
    after, polled_after = await looked(keeper), await poller.poll()

    assert (polled, meanwhile, told_meanwhile) == (True, "Telegram does not post to us", 0)
    assert (polled_after, after) == (False, None)
    assert telegram.ledger.calls("getUpdates", status=409) == []


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize(
    ("status", "name"), [(401, "InvalidToken"), (404, "InvalidToken"), (429, "RetryAfter"), (502, "NetworkError")]
)
async def test_what_goes_wrong_shows_until_telegram_answers_again(
    database: Database, telegram: TelegramSandbox, bot: Bot, status: int, name: str
) -> None:
    fault = Fault(status=status, description="no", retry_after=1 if status == 429 else None)
    telegram.faults = lambda method, _: fault if method in ("getWebhookInfo", "setWebhook") else None
    keeper = a_keeper(database, bot)

    async with kept_by(keeper):
        await telegram.wait_for_calls("getWebhookInfo", 3)
        problem = keeper.problem
        telegram.faults = None
        await telegram.wait_for_calls("setWebhook")
        await telegram.wait_for(lambda: keeper.problem is None or None)

    assert problem == name
    assert keeper.last_success is not None


async def test_an_outage_asks_more_and_more_rarely(
    database: Database, telegram: TelegramSandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    telegram.faults = lambda _name, _: Fault(status=502, description="Bad Gateway")
    pauses: list[float] = []

    def short(error: Exception, failures: int) -> float:
        pauses.append(rest(error, failures))
        return 0.01

    monkeypatch.setattr(webhook_keeper, "rest", short)
    async with kept_by(a_keeper(database, bot)):
        await telegram.wait_for(lambda: len(pauses) >= 8 or None)

    assert pauses[:8] == [1, 2, 4, 8, 16, 30, 30, 30]


async def test_the_webhook_stays_when_we_stop(database: Database, telegram: TelegramSandbox, bot: Bot) -> None:
    async with kept_by(a_keeper(database, bot)):
        await telegram.wait_for_calls("setWebhook")

    assert telegram.world.updates.webhook_url == URL
    assert telegram.ledger.calls("deleteWebhook") == []


async def test_from_polling_to_webhook_and_back_nothing_is_lost(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    def poller() -> Poller:
        return Poller(database, bot, owner="one", clock=lambda: datetime.now(UTC), long_poll=1)

    ada.sends("prima")
    assert await poller().poll()
    ada.sends("seconda")
    await a_keeper(database, bot).look()
    assert telegram.pending == 2
    assert await poller().poll()

    assert telegram.world.updates.webhook_url == ""
    assert telegram.pending == 2, "nothing was confirmed, and nothing dropped"


@asynccontextmanager
async def open_door(door: Door) -> AsyncIterator[str]:
    """The door on a socket; its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(door, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listening]))
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{door.path}"
        server.should_exit = True
        await running


async def test_what_telegram_posts_arrives_and_all_is_well(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    ada.sends("prima")
    keeper = a_keeper(database, bot)

    async with open_door(keeper.door) as keeper.url:
        await keeper.look()
        ada.sends("seconda")
        await telegram.wait_until_confirmed()
        await keeper.look()

    assert texts(database) == ["prima", "seconda"]
    assert keeper.problem is None
    assert keeper.last_success is not None


async def test_what_telegram_cannot_deliver_shows_and_comes_when_the_door_opens_again(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    keeper = a_keeper(database, bot)
    async with open_door(keeper.door) as keeper.url:
        await keeper.look()
    ada.sends("prima")

    await telegram.wait_for(lambda: telegram.ledger.update_ids(EntryKind.POSTED))
    refused = await looked(keeper)
    async with open_door(keeper.door) as keeper.url:
        await keeper.look()
        await telegram.wait_until_confirmed()
        after = await looked(keeper)

    assert refused == "Telegram cannot deliver: Connection refused"
    assert after is None
    assert texts(database) == ["prima"]


async def test_changing_the_mode_again_and_again_under_traffic_loses_and_doubles_nothing(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "STANDBY", 0.02)
    telegram.posting = Posting(first_pause=0.01, longest_pause=0.05, twice=0.3)
    keeper = a_keeper(database, bot)

    async def talk(first: int) -> None:
        """Sixty messages; the next change of mode comes when some of them have arrived."""
        before = len(texts(database))
        for said in range(first, first + 60):
            ada.sends(str(said))
            await asyncio.sleep(0.001)
        async with asyncio.timeout(60):
            while len(texts(database)) == before:
                await asyncio.sleep(0.01)

    async with open_door(keeper.door) as keeper.url:
        for first in range(0, 360, 120):
            async with kept_by(keeper):
                await talk(first)
            async with polling_by(a_poller(database, bot)):
                await talk(first + 60)
        async with polling_by(a_poller(database, bot)):
            await telegram.wait_until_confirmed()

    assert texts(database) == [str(said) for said in range(360)]
    assert telegram.ledger.update_ids(EntryKind.POSTED), "nothing came by webhook"
    assert telegram.ledger.update_ids(EntryKind.HANDED_OUT), "nothing came by polling"


@pytest.mark.parametrize(
    ("said", "last_kept", "expected"),
    [
        ({}, None, None),
        ({"url": ""}, NOON, "Telegram does not post to us"),
        ({"pending_update_count": PILE - 1}, NOON, None),
        ({"pending_update_count": PILE}, NOON, f"{PILE} updates wait with Telegram"),
        ({"pending_update_count": 1, "last_error_date": -60}, NOON, None),
        ({"pending_update_count": 1, "last_error_date": 60}, NOON, "Telegram cannot deliver: 503"),
        ({"pending_update_count": 1, "last_error_date": 0}, NOON, "Telegram cannot deliver: 503"),
        ({"pending_update_count": 1, "last_error_date": -60}, None, "Telegram cannot deliver: 503"),
        ({"pending_update_count": 0, "last_error_date": 60}, NOON, None),
    ],
)
def test_what_telegram_says_tells_whether_updates_come(
    said: dict[str, Any], last_kept: datetime | None, expected: str | None
) -> None:
    info = OURS | {"last_error_message": "503"} | said
    if "last_error_date" in said:
        info["last_error_date"] = int((NOON + timedelta(seconds=said["last_error_date"])).timestamp())

    assert trouble(info, URL, last_kept) == expected


@pytest.mark.parametrize(
    ("said", "ours"),
    [
        ({}, True),
        ({"url": "https://elsewhere.example.org"}, False),
        ({"max_connections": 40}, False),
        ({"allowed_updates": ["message"]}, False),
    ],
)
def test_another_address_width_or_choice_of_updates_is_not_ours(said: dict[str, Any], ours: bool) -> None:
    assert is_set(OURS | said, URL) is ours


async def test_a_post_that_was_kept_ends_the_trouble(
    database: Database, telegram: TelegramSandbox, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_hour_ago = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    info: Callable[[], Any] = lambda: OURS | {"pending_update_count": 1, "last_error_date": an_hour_ago}  # noqa: E731

    async def ask(_bot: Bot) -> Any:
        return info()

    monkeypatch.setattr(webhook_keeper, "ask", ask)
    keeper, elsewhere = a_keeper(database, bot), a_keeper(database, bot, "two")

    await keeper.look()
    before = keeper.problem
    async with httpx.AsyncClient(transport=httpx.ASGITransport(keeper.door), base_url="http://desk") as client:
        await client.post(keeper.door.path, json={}, headers={SECRET_HEADER: keeper.door.secret})
    await keeper.look()
    await elsewhere.look()

    assert before is not None
    assert (keeper.problem, elsewhere.problem) == (None, None)
