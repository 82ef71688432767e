"""Updates reach the inbox whatever goes wrong on the way, over a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select
from telegram import Bot
from telegram.error import Conflict, InvalidToken, NetworkError, RetryAfter

from bot import polling
from bot.arrivals import arrival, canonical, chat_of
from bot.polling import Poller, next_offset, rest
from delivery.telegram import call
from delivery.wire import AiohttpRequest
from sandbox.ledger import EntryKind
from sandbox.telegram import Drop, Fault, Person, TelegramSandbox
from storage.database import Database
from storage.tables import Inbox


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """What went wrong and how long the poller wanted to wait; it waits a hundredth of a second."""
    seen: list[tuple[str, float]] = []

    def short(error: Exception, failures: int) -> float:
        seen.append((type(error).__name__, rest(error, failures)))
        return 0.01

    monkeypatch.setattr(polling, "rest", short)
    return seen


def a_poller(database: Database, bot: Bot, owner: str = "one") -> Poller:
    return Poller(database, bot, owner=owner, clock=lambda: datetime.now(UTC), long_poll=1)


@asynccontextmanager
async def polling_by(*pollers: Poller) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(poller.run(stop)) for poller in pollers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


def kept(database: Database) -> list[dict[str, Any]]:
    with database.read() as session:
        return [json.loads(payload) for payload in session.exec(select(Inbox.payload).order_by(col(Inbox.id)))]


def texts(database: Database) -> list[str]:
    return [update["message"]["text"] for update in kept(database)]


def failing(times: int, method: str, fault: Fault) -> Callable[[str, dict[str, Any]], Fault | None]:
    left = [fault] * times
    return lambda name, _params: left.pop() if name == method and left else None


async def test_updates_are_kept_raw_in_order_and_confirmed(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    ada.sends("prima")
    poller = a_poller(database, bot)

    async with polling_by(poller):
        await telegram.wait_until_confirmed()
        ada.sends("seconda")
        ada.sends("terza")
        await telegram.wait_until_confirmed()

    assert texts(database) == ["prima", "seconda", "terza"]
    with database.read() as session:
        rows = session.exec(select(Inbox).order_by(col(Inbox.id))).all()
        assert {(row.kind, row.account, row.lane) for row in rows} == {("telegram", "123456", "telegram:1001")}
        assert [row.provider_id for row in rows] == [str(update["update_id"]) for update in kept(database)]
    assert poller.last_success is not None
    assert poller.problem is None


async def test_a_full_backlog_comes_in_batches_of_a_hundred(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    for number in range(250):
        ada.sends(str(number))

    async with polling_by(a_poller(database, bot)):
        await telegram.wait_until_confirmed()

    assert texts(database) == [str(number) for number in range(250)]


async def test_nothing_is_confirmed_while_the_database_fails_and_all_arrives_after(
    database: Database,
    telegram: TelegramSandbox,
    bot: Bot,
    ada: Person,
    pauses: list[tuple[str, float]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada.sends("prima")
    healthy, outage = database.run, iter(range(5))
    confirmed_meanwhile: list[int] = []

    async def run(work: Callable[[Session], Any], then: Any = ()) -> Any:
        if work.__name__ == "receive" and next(outage, None) is not None:
            confirmed_meanwhile.append(sum(entry.kind is EntryKind.CONFIRMED for entry in telegram.ledger.entries))
            raise OperationalError("COMMIT", None, Exception("database is locked"))
        return await healthy(work, then)

    monkeypatch.setattr(database, "run", run)

    async with polling_by(a_poller(database, bot)):
        await telegram.wait_until_confirmed()

    assert confirmed_meanwhile == [0] * 5
    assert [pause for _, pause in pauses] == [1, 2, 3, 4, 4]
    assert texts(database) == ["prima"]


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        (Fault(status=409, description="Conflict: terminated by other getUpdates request"), "Conflict"),
        (Fault(status=401, description="Unauthorized"), "InvalidToken"),
        (Fault(status=404, description="Not Found"), "InvalidToken"),
        (Fault(status=502, description="Bad Gateway"), "NetworkError"),
        (Fault(status=429, description="Too Many Requests: retry after 7", retry_after=7), "RetryAfter"),
        (Fault(drop=Drop.BEFORE), "NetworkError"),
        (Fault(drop=Drop.AFTER), "NetworkError"),
    ],
)
async def test_polling_goes_on_by_itself_after(  # noqa: PLR0917
    database: Database,
    telegram: TelegramSandbox,
    bot: Bot,
    ada: Person,
    pauses: list[tuple[str, float]],
    fault: Fault,
    name: str,
) -> None:
    ada.sends("prima")
    ada.sends("seconda")
    telegram.faults = failing(3, "getUpdates", fault)

    async with polling_by(a_poller(database, bot)):
        await telegram.wait_until_confirmed()

    assert [error for error, _ in pauses] == [name] * 3
    assert min(pause for _, pause in pauses) >= 1
    assert texts(database) == ["prima", "seconda"]


async def test_what_goes_wrong_shows_until_it_is_over(
    database: Database, telegram: TelegramSandbox, bot: Bot, pauses: list[tuple[str, float]]
) -> None:
    telegram.faults = lambda name, _: Fault(status=401, description="Unauthorized") if name == "getUpdates" else None
    poller = a_poller(database, bot)

    async with polling_by(poller):
        await telegram.wait_for(lambda: len(pauses) >= 2 or None)
        problem, success = poller.problem, poller.last_success
        telegram.faults = None
        telegram.push_raw({"message": {}})
        await telegram.wait_until_confirmed()

    assert poller.problem is None
    assert (problem, success) == ("InvalidToken", None)
    assert poller.last_success is not None


async def test_a_webhook_left_behind_is_removed_and_what_waits_is_not_dropped(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    ada.sends("prima")
    telegram.world.updates.webhook_url = "https://old.example.org/hook"

    async with polling_by(a_poller(database, bot)):
        await telegram.wait_until_confirmed()

    assert texts(database) == ["prima"]


async def test_what_was_not_confirmed_comes_again_after_a_restart_and_is_kept_once(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    ada.sends("prima")
    killed = a_poller(database, bot)
    assert await killed.poll()
    ada.sends("seconda")
    assert telegram.pending == 2

    async with polling_by(a_poller(database, bot)):
        await telegram.wait_until_confirmed()

    assert texts(database) == ["prima", "seconda"]


async def test_numbers_that_start_again_lower_lose_nothing(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    ada.sends("prima della settimana di silenzio")
    poller = a_poller(database, bot)

    for _ in range(2):
        await poller.poll()
    telegram.push_raw({"update_id": 5, "message": {"chat": {"id": 1001}, "text": "dopo"}})
    await poller.poll()

    assert texts(database) == ["prima della settimana di silenzio", "dopo"]


async def test_the_same_number_with_other_content_is_new(
    database: Database, telegram: TelegramSandbox, bot: Bot
) -> None:
    poller = a_poller(database, bot)

    for text in ("uno", "due", "due"):
        telegram.push_raw({"update_id": 5, "message": {"chat": {"id": 1001}, "text": text}})
        await poller.poll()
        await poller.poll()

    assert texts(database) == ["uno", "due"]


async def test_odd_updates_stop_nothing(database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person) -> None:
    odd: list[dict[str, Any]] = [
        {"message": None},
        {"message": {"chat": {"id": {}}}},
        {"poll": []},
        {"callback_query": {"id": 7}},
    ]
    for update in odd:
        telegram.push_raw(update)
    ada.sends("ciao")

    async with polling_by(a_poller(database, bot)):
        await telegram.wait_until_confirmed()

    assert len(kept(database)) == 5
    assert kept(database)[-1]["message"]["text"] == "ciao"


async def test_a_button_is_answered_once_its_press_is_kept(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    markup = {"inline_keyboard": [[{"text": "Sì", "callback_data": "q:1:yes"}]]}
    message = await call(bot, "sendMessage", {"chat_id": 1001, "text": "Risolto?", "reply_markup": markup})
    ada.presses(message["message_id"], "q:1:yes")

    async with polling_by(a_poller(database, bot)):
        await telegram.wait_for_calls("answerCallbackQuery")

    assert kept(database)[-1]["callback_query"]["data"] == "q:1:yes"
    with database.read() as session:
        assert session.exec(select(Inbox.lane)).all() == ["telegram:1001"]


async def test_an_answer_that_fails_or_hangs_does_not_stop_polling(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person
) -> None:
    for query in ("1", "2", "3"):
        telegram.push_raw({"callback_query": {"id": query, "from": {"id": 1001}}})
    faults = [Fault(delay=30), Fault(status=400, description="Bad Request: query is too old")]
    telegram.faults = lambda name, _: faults.pop() if name == "answerCallbackQuery" and faults else None

    async with polling_by(a_poller(database, bot)):
        await telegram.wait_until_confirmed()
        ada.sends("intanto")
        await telegram.wait_until_confirmed()

    assert kept(database)[-1]["message"]["text"] == "intanto"


async def test_only_one_process_polls_and_the_next_takes_over_when_it_stops(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "STANDBY", 0.02)
    first, second = a_poller(database, bot, "one"), a_poller(database, bot, "two")
    assert await first.poll()

    assert not await second.poll()
    async with polling_by(second):
        async with polling_by(first):
            ada.sends("alla prima")
            await telegram.wait_until_confirmed()
        ada.sends("alla seconda")
        await telegram.wait_until_confirmed()

    assert texts(database) == ["alla prima", "alla seconda"]
    assert telegram.ledger.calls("getUpdates", status=409) == []


async def test_a_loop_that_hangs_is_replaced(
    database: Database, telegram: TelegramSandbox, bot: Bot, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "SILENCE", 0.3)
    monkeypatch.setattr(polling, "WATCH", 0.05)
    telegram.faults = failing(1, "deleteWebhook", Fault(delay=60))
    ada.sends("ciao")

    async with polling_by(a_poller(database, bot)):
        await telegram.wait_until_confirmed()

    assert texts(database) == ["ciao"]


@pytest.mark.parametrize(
    ("update", "chat"),
    [
        ({"message": {"chat": {"id": -5}, "from": {"id": 1}}}, "-5"),
        ({"edited_message": {"chat": {"id": 4}}}, "4"),
        ({"callback_query": {"from": {"id": 1}, "message": {"chat": {"id": 9}}}}, "9"),
        ({"callback_query": {"from": {"id": 1}, "inline_message_id": "x"}}, "1"),
        ({"my_chat_member": {"chat": {"id": 3}, "from": {"id": 1}}}, "3"),
        ({"message": {"chat": {"id": None}, "from": {"id": 1}}}, "1"),
        ({"message": {"chat": "nonsense"}}, "unknown"),
        ({"message": 7}, "unknown"),
        ({}, "unknown"),
        (None, "unknown"),
        ([1, 2], "unknown"),
    ],
)
def test_the_lane_is_the_chat_or_else_the_sender(update: Any, chat: str) -> None:
    assert chat_of(update) == chat
    assert arrival(update, "1").lane == f"telegram:{chat}"


@pytest.mark.parametrize("odd", ["\ud83d", 2**80, {"b": 1, "a": ["è"]}, None, float("1e300")])
def test_the_same_content_gives_the_same_bytes(odd: Any) -> None:
    first = canonical({"update_id": 1, "message": odd})
    second = canonical({"message": odd, "update_id": 1})

    assert first == second
    assert json.loads(first) == {"update_id": 1, "message": odd}


def test_half_a_surrogate_pair_is_read_off_the_wire() -> None:
    payload = rb'{"ok":true,"result":[{"update_id":1,"message":{"text":"\ud83d"}}]}'

    (update,) = AiohttpRequest.parse_json_payload(payload)["result"]

    assert json.loads(canonical(update)) == {"update_id": 1, "message": {"text": "\ud83d"}}


@pytest.mark.parametrize(
    ("updates", "offset"),
    [([], None), ([{"update_id": 7}, {"update_id": 9}], 10), ([{}, None, {"update_id": "x"}], None)],
)
def test_the_offset_confirms_what_came(updates: list[Any], offset: int | None) -> None:
    assert next_offset(updates) == offset


@pytest.mark.parametrize(
    ("error", "first", "longest"),
    [
        (Conflict("x"), 5, 10),
        (RetryAfter(17), 17, 17),
        (RetryAfter(0), 1, 1),
        (InvalidToken("x"), 5, 60),
        (NetworkError("x"), 1, 30),
        (OperationalError("x", None, Exception()), 1, 4),
    ],
)
def test_rests_grow_to_their_limit(error: Exception, first: float, longest: float) -> None:
    assert rest(error, 0) == first
    assert rest(error, 1_000) == longest
