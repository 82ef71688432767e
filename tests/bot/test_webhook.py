"""What Telegram posts is kept before it hears 200; whatever goes wrong, it hears that it must come again."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from threading import Event
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select
from telegram import Bot

from bot import webhook
from bot.arrivals import posted
from bot.polling import Poller
from bot.webhook import MOST_BYTES, Door, secret_for
from delivery.telegram import call
from sandbox.telegram import Person, TelegramSandbox
from storage import database as storage
from storage.database import Database, Passenger, Ride
from storage.tables import Inbox
from tests.postgres import execute

KEY = b"a key of thirty-two bytes or more"
SECRET = "X-Telegram-Bot-Api-Secret-Token"
CIAO = b'{"update_id": 7, "message": {"text": "ciao \xc3\xa8", "chat": {"id": 1001}}}'


@pytest.fixture
def door(database: Database, bot: Bot) -> Door:
    return Door(database, bot, key=KEY, clock=lambda: datetime.now(UTC))


@pytest.fixture
async def telegrams_client(door: Door) -> AsyncIterator[httpx.AsyncClient]:
    """Telegram, which knows the secret."""
    async with client_of(door, {SECRET: door.secret}) as client:
        yield client


def client_of(door: Door, headers: dict[str, str]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url="http://desk", headers=headers)


def rows(database: Database) -> list[Inbox]:
    with database.read() as session:
        return list(session.exec(select(Inbox).order_by(col(Inbox.id))))


async def test_a_post_is_kept_as_it_came_and_only_then_answered(
    database: Database, door: Door, telegrams_client: httpx.AsyncClient
) -> None:
    answer = await telegrams_client.post(door.path, content=CIAO)

    assert (answer.status_code, answer.content) == (200, b"")
    (row,) = rows(database)
    assert row.payload == CIAO
    assert (row.kind, row.account, row.provider_id, row.lane) == ("telegram", "123456", "7", "telegram:1001")


async def test_the_door_knows_its_bot_by_number_and_never_shows_the_token(door: Door, bot: Bot) -> None:
    other = secret_for(KEY, "654321")

    assert door.path == "/telegram/123456"
    assert door.secret != other
    assert bot.token.partition(":")[2] not in door.path + door.secret
    assert len(door.secret) == 64
    assert door.secret.isalnum()  # Telegram takes letters, digits, _ and -


@pytest.mark.parametrize("headers", [{}, {SECRET: ""}, {SECRET: "carla"}, {SECRET: "ä" * 64}])
async def test_carla_who_does_not_know_the_secret_leaves_nothing(
    database: Database, door: Door, headers: dict[str, str]
) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]

    async with client_of(door, {}) as carla:
        answer = await carla.post(door.path, content=CIAO, headers=encoded)

    assert answer.status_code == 403
    assert rows(database) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_the_door_takes_posts_only(telegrams_client: httpx.AsyncClient, door: Door, method: str) -> None:
    answer = await telegrams_client.request(method, door.path)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_more_than_a_mebibyte_is_refused_whether_announced_or_not(
    database: Database, door: Door, telegrams_client: httpx.AsyncClient
) -> None:
    most = b'{"update_id": 1, "x": "' + b"a" * (MOST_BYTES - 25) + b'"}'

    async def unannounced() -> AsyncIterator[bytes]:
        yield most
        yield b" "

    announced = await telegrams_client.post(door.path, content=most + b" ")
    streamed = await telegrams_client.post(door.path, content=unannounced())
    within = await telegrams_client.post(door.path, content=most)

    assert (announced.status_code, streamed.status_code, within.status_code) == (413, 413, 200)
    assert [row.payload for row in rows(database)] == [most]


@pytest.mark.parametrize(("announced", "parts"), [([], 17), ([(b"content-length", b"1048577")], 0)])
async def test_a_body_is_not_read_further_than_it_may_be_long(
    door: Door, announced: list[tuple[bytes, bytes]], parts: int
) -> None:
    taken = 0

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"a" * 64 * 1024, "more_body": True}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(SECRET.lower().encode(), door.secret.encode()), *announced]
    await door({"type": "http", "method": "POST", "path": door.path, "headers": headers}, receive, send)

    assert sent[0]["status"] == 413
    assert taken == parts


async def test_a_post_that_is_cut_off_keeps_nothing(database: Database, door: Door) -> None:
    messages = [{"type": "http.request", "body": CIAO[:9], "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        pass

    headers = [(SECRET.lower().encode(), door.secret.encode())]
    await door({"type": "http", "method": "POST", "path": door.path, "headers": headers}, receive, send)

    assert rows(database) == []


@pytest.mark.parametrize("body", [b"", b"ciao", b'{"update_id": 7', b"\xff\x00", b"[" * 1_000 + b"]" * 1_000])
async def test_what_is_no_json_is_kept_too(
    database: Database, door: Door, telegrams_client: httpx.AsyncClient, body: bytes
) -> None:
    for _ in range(2):
        assert (await telegrams_client.post(door.path, content=body)).status_code == 200

    (row,) = rows(database)
    assert (row.payload, row.lane) == (body, "telegram:unknown")


async def test_odd_numbers_and_chats_are_kept(
    database: Database, door: Door, telegrams_client: httpx.AsyncClient
) -> None:
    odd: list[Any] = [
        {"update_id": "\x00"},
        {"update_id": "\ud83d"},
        {"update_id": 2**80},
        {"update_id": 1, "message": {"chat": {"id": "\x00"}}},
        [],
        None,
    ]

    answers = [(await telegrams_client.post(door.path, content=json.dumps(one))).status_code for one in odd]

    assert answers == [200] * len(odd)
    assert [json.loads(row.payload) for row in rows(database)] == odd


async def test_the_same_update_by_post_and_by_poll_is_one(
    database: Database,
    door: Door,
    telegrams_client: httpx.AsyncClient,
    telegram: TelegramSandbox,
    bot: Bot,
    ada: Person,
) -> None:
    first = telegram.push_raw({"message": {"text": "prima 🦋", "chat": {"id": 1001}}})
    second = telegram.push_raw({"message": {"chat": {"id": 1001}, "text": "seconda"}})

    # as Telegram writes: no spaces, what is not ASCII escaped, keys in another order
    await telegrams_client.post(
        door.path,
        content=b'{"update_id":%d,\n"message":{"chat":{"id":1001},"text":"prima \\ud83e\\udd8b"}}' % first,
    )
    await Poller(database, bot, owner="one", clock=lambda: datetime.now(UTC), long_poll=1).poll()
    await telegrams_client.post(
        door.path, content=b'{"message":{"text":"seconda","chat":{"id":1001}},"update_id":%d}' % second
    )

    assert [row.provider_id for row in rows(database)] == [str(first), str(second)]


async def test_what_comes_twice_is_kept_once_and_answered_with_200_both_times(
    database: Database, door: Door, telegrams_client: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(*[telegrams_client.post(door.path, content=CIAO) for _ in range(10)])

    assert [answer.status_code for answer in answers] == [200] * 10
    assert len(rows(database)) == 1


Mend = Callable[[], None]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock is waited for a tenth of a second."""
    monkeypatch.setattr(storage, "BUSY_TIMEOUT_MS", 100)


@pytest.fixture(params=["locked", "broken"])
def trouble(impatient: None, request: pytest.FixtureRequest, database: Database) -> Mend:
    """The database does not work until the returned function is called."""
    of_sqlite = {"locked": lock_file, "broken": fill}
    of_postgres = {"locked": lock_table, "broken": cut_off}
    return (of_sqlite if database.is_sqlite else of_postgres)[request.param](database)


def lock_file(database: Database) -> Mend:
    assert database.url.database is not None
    other = sqlite3.connect(database.url.database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    return other.close


def lock_table(database: Database) -> Mend:
    other = Database(database.url.render_as_string(hide_password=False))
    held = Session(other.engine)
    held.connection().execute(text("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE"))

    def let_go() -> None:
        held.close()
        other.close()

    return let_go


def fill(database: Database) -> Mend:
    with database.write() as session:
        session.connection().execute(text("PRAGMA max_page_count = 1"))  # as many as there are

    def make_room() -> None:
        with database.write() as session:
            session.connection().execute(text("PRAGMA max_page_count = 1000000"))

    return make_room


def cut_off(database: Database) -> Mend:
    url = database.url.render_as_string(hide_password=False).replace("+psycopg", "")
    with database.write() as session:
        session.connection().execute(text("SELECT 1"))
    execute(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()",
    )
    return lambda: None


async def test_while_the_database_fails_telegram_is_asked_to_come_again(
    trouble: Mend,
    database: Database,
    door: Door,
    telegrams_client: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.5)
    large = b'{"update_id": 7, "text": "%s"}' % (b"a" * 20_000)

    refused = await telegrams_client.post(door.path, content=large)
    trouble()
    monkeypatch.setattr(webhook, "PATIENCE", 20)
    taken = await telegrams_client.post(door.path, content=large)

    assert (refused.status_code, refused.headers["retry-after"], refused.content) == (503, "2", b"")
    assert taken.status_code == 200
    assert [row.payload for row in rows(database)] == [large]


def waiting_for(go: Event) -> Passenger:
    def wait(_session: Session) -> None:
        go.wait(10)

    return wait


async def test_a_commit_that_takes_too_long_is_not_waited_for_and_is_recognised_later(
    database: Database, door: Door, telegrams_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.05)
    go = Event()
    door.then = (waiting_for(go),)

    late = await telegrams_client.post(door.path, content=CIAO)
    go.set()
    monkeypatch.setattr(webhook, "PATIENCE", 20)
    again = await telegrams_client.post(door.path, content=CIAO)

    assert (late.status_code, again.status_code) == (503, 200)
    assert len(rows(database)) == 1


async def test_more_posts_than_can_be_kept_at_once_come_again(
    database: Database, door: Door, telegrams_client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "AT_ONCE", 3)
    go = Event()
    door.then = (waiting_for(go),)

    posts = [asyncio.create_task(telegrams_client.post(door.path, content=b'{"update_id":%d}' % n)) for n in range(5)]
    early, _ = await asyncio.wait(posts, timeout=2, return_when=asyncio.FIRST_COMPLETED)
    go.set()
    statuses = sorted([answer.status_code for answer in await asyncio.gather(*posts)])

    assert all(post.result().status_code == 503 for post in early)
    assert statuses == [200, 200, 200, 503, 503]
    assert len(rows(database)) == 3


async def test_a_closed_house_asks_telegram_to_come_again(
    database: Database, door: Door, telegrams_client: httpx.AsyncClient
) -> None:
    database.close()

    assert (await telegrams_client.post(door.path, content=CIAO)).status_code == 503


async def test_who_rides_along_may_fail_and_the_post_is_kept(
    database: Database, door: Door, telegrams_client: httpx.AsyncClient
) -> None:
    def breaks(_session: Session) -> Ride | None:
        raise ArithmeticError

    seen: list[int] = []

    def looks(session: Session) -> Ride | None:
        seen.append(len(session.exec(select(Inbox.id)).all()))
        return None

    door.then = (looks, breaks)
    answer = await telegrams_client.post(door.path, content=CIAO)

    assert answer.status_code == 200
    assert seen == [1], "a passenger sees what was posted, in the same transaction"
    assert len(rows(database)) == 1


async def test_pages_are_read_and_written_while_posts_pour_in(
    database: Database, door: Door, telegrams_client: httpx.AsyncClient
) -> None:
    async def pour(first: int) -> None:
        for number in range(first, first + 40):
            await telegrams_client.post(door.path, content=b'{"update_id":%d}' % number)

    async def write_a_page() -> float:
        begun = asyncio.get_running_loop().time()
        await asyncio.to_thread(rows, database)
        await asyncio.to_thread(_write_something, database)
        return asyncio.get_running_loop().time() - begun

    pouring = [asyncio.create_task(pour(1_000 * n)) for n in range(20)]
    waits = [await write_a_page() for _ in range(10)]
    still_pouring = not all(task.done() for task in pouring)
    await asyncio.gather(*pouring)

    assert still_pouring, "the pages came after the posts"
    assert max(waits) < 2.0
    assert len(rows(database)) == 800


def _write_something(database: Database) -> None:
    with database.write() as session:
        session.connection().execute(text("DELETE FROM lease WHERE name = 'nobody'"))


async def test_a_pressed_button_is_answered_once_its_press_is_kept(
    database: Database,
    door: Door,
    telegrams_client: httpx.AsyncClient,
    telegram: TelegramSandbox,
    bot: Bot,
    ada: Person,
) -> None:
    markup = {"inline_keyboard": [[{"text": "Sì", "callback_data": "q:1:yes"}]]}
    message = await call(bot, "sendMessage", {"chat_id": 1001, "text": "Risolto?", "reply_markup": markup})
    press = ada.presses(message["message_id"], "q:1:yes")

    await telegrams_client.post(
        door.path, json={"update_id": 1, "callback_query": {"id": press.query_id, "from": {"id": 1001}}}
    )
    await telegram.wait_for_calls("answerCallbackQuery")
    await door.close()

    assert len(rows(database)) == 1


def test_a_post_is_recognised_by_what_it_says() -> None:
    same = [posted(body, "1")[1] for body in (b'{"a":1,"b":[2]}', b' {"b": [2], "a": 1}')]

    assert same[0].content == same[1].content
    assert same[0].payload != same[1].payload
