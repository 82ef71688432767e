"""Updates posted to a webhook, and back to polling: nothing gets lost on the way."""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
import orjson
import pytest
import uvicorn
from telegram import Bot, Update

from sandbox.ledger import EntryKind
from sandbox.posting import Posting
from sandbox.telegram import Person, TelegramSandbox
from sandbox.updates import Bell
from sandbox.wire import Receive, Scope, Send, read_body
from tests.sandbox.conftest import Caller, Clock

HEADER = b"x-telegram-bot-api-secret-token"


def quick(**more: Any) -> Posting:
    return Posting(first_pause=0.01, longest_pause=0.02, **more)


@dataclass
class Receiver:
    """A webhook on loopback: keeps what it is posted and answers as `decide` says (200 when it says nothing)."""

    bell: Bell
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[bytes, bytes]] = field(default_factory=list)
    decide: Callable[[dict[str, Any]], int | None] = lambda update: None
    hold: asyncio.Event | None = None
    flying: int = 0
    most: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = orjson.loads(await read_body(receive))
        self.bodies.append(body)
        self.headers.append(dict(scope["headers"]))
        self.flying += 1
        self.most = max(self.most, self.flying)
        self.bell.ring()
        if self.hold is not None:
            await self.hold.wait()
        self.flying -= 1
        await send({"type": "http.response.start", "status": self.decide(body) or 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def has_more_than(self, posts: int) -> bool:
        return len(self.bodies) > posts

    @property
    def ids(self) -> list[int]:
        return [body["update_id"] for body in self.bodies]

    @property
    def texts(self) -> list[str]:
        return [body["message"]["text"] for body in self.bodies]


@pytest.fixture
async def hook(telegram: TelegramSandbox) -> AsyncIterator[Receiver]:
    receiver = Receiver(telegram.world.bell)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(receiver, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        )
        running = asyncio.create_task(server.serve([listening]))
        receiver.url = f"http://127.0.0.1:{listening.getsockname()[1]}/hook"
        telegram.posting = quick()
        yield receiver
        telegram.close()
        server.should_exit = True
        await running


async def test_what_waits_and_what_comes_is_posted_with_the_secret(
    call: Caller, hook: Receiver, ada: Person, telegram: TelegramSandbox
) -> None:
    ada.sends("prima")
    await call("setWebhook", url=hook.url, secret_token="segreto-1_A")
    ada.sends("dopo")
    await telegram.wait_until_confirmed()

    assert hook.texts == ["prima", "dopo"]
    assert {headers[HEADER] for headers in hook.headers} == {b"segreto-1_A"}
    assert telegram.ledger.update_ids(EntryKind.POSTED) == hook.ids == telegram.ledger.update_ids(EntryKind.CONFIRMED)
    assert telegram.ledger.update_ids(EntryKind.HANDED_OUT) == []


async def test_without_a_secret_there_is_no_header(
    call: Caller, hook: Receiver, ada: Person, telegram: TelegramSandbox
) -> None:
    await call("setWebhook", url=hook.url)
    ada.sends("ciao")
    await telegram.wait_until_confirmed()

    assert HEADER not in hook.headers[0]


@pytest.mark.parametrize("status", [302, 404, 410, 500, 503])
async def test_anything_but_2xx_is_posted_again(
    call: Caller, hook: Receiver, ada: Person, clock: Clock, telegram: TelegramSandbox, status: int
) -> None:
    hook.decide = lambda update: status if len(hook.bodies) < 4 else 204
    await call("setWebhook", url=hook.url)
    ada.sends("ciao")
    await telegram.wait_until_confirmed()
    info = (await call("getWebhookInfo"))["result"]

    assert hook.ids == [hook.ids[0]] * 4
    assert [entry.status for entry in telegram.ledger.entries if entry.kind is EntryKind.POSTED] == [status] * 3 + [204]
    assert info["last_error_message"].startswith(f"Wrong response from the webhook: {status}")
    assert info["last_error_date"] == int(clock.now)
    assert info["pending_update_count"] == 0


async def test_a_chat_waits_for_its_refused_update_and_the_others_do_not(
    call: Caller, hook: Receiver, ada: Person, telegram: TelegramSandbox
) -> None:
    bruno = telegram.add_person(1002, "Bruno")
    hook.decide = lambda update: 500 if update["message"]["text"] == "a1" and hook.texts.count("a1") < 3 else None
    ada.sends("a1")
    ada.sends("a2")
    bruno.sends("b1")
    await call("setWebhook", url=hook.url, max_connections=1)
    await telegram.wait_until_confirmed()

    assert [text for text in hook.texts if text.startswith("a")] == ["a1", "a1", "a1", "a2"]
    assert hook.texts.index("b1") < hook.texts.index("a2")


async def test_with_one_connection_everything_comes_in_order_one_by_one(
    call: Caller, hook: Receiver, telegram: TelegramSandbox
) -> None:
    people = [telegram.add_person(2000 + n, f"P{n}") for n in range(5)]
    for n in range(40):
        people[n * n % 5].sends(str(n))
    await call("setWebhook", url=hook.url, max_connections=1)
    await telegram.wait_until_confirmed()

    assert hook.texts == [str(n) for n in range(40)]
    assert hook.most == 1


async def test_newer_updates_do_not_keep_a_refused_one_waiting(
    call: Caller, hook: Receiver, ada: Person, telegram: TelegramSandbox
) -> None:
    def decide(update: dict[str, Any]) -> int | None:
        times = hook.texts.count("a")
        if update["message"]["text"] == "a":
            return 500 if times == 1 else None
        if times == 1 and len(hook.bodies) < 1000:
            telegram.add_person(2000 + len(hook.bodies), "Altra").sends("b")
        return None

    hook.decide = decide
    ada.sends("a")
    telegram.add_person(2000, "Altra").sends("b")
    await call("setWebhook", url=hook.url, max_connections=1)
    await telegram.wait_until_confirmed(30)

    assert hook.texts.count("a") == 2
    assert len(hook.bodies) < 1000


async def test_at_most_so_many_posts_are_under_way(call: Caller, hook: Receiver, telegram: TelegramSandbox) -> None:
    hook.hold = asyncio.Event()
    for n in range(10):
        telegram.add_person(2000 + n, f"P{n}").sends("ciao")
    await call("setWebhook", url=hook.url, max_connections=3)
    await telegram.wait_for(lambda: hook.flying == 3)
    hook.hold.set()
    await telegram.wait_until_confirmed()

    assert hook.most == 3
    assert len(hook.bodies) == 10


async def test_switching_back_and_forth_loses_nothing(
    call: Caller, hook: Receiver, ada: Person, telegram: TelegramSandbox
) -> None:
    polled: list[int] = []
    for n in range(6):
        ada.sends(str(n))
        ada.sends(f"{n} bis")
        if n % 2:
            await call("deleteWebhook")
            for update in (await call("getUpdates", offset=(polled or [0])[-1] + 1))["result"]:
                polled.append(update["update_id"])
            await call("getUpdates", offset=polled[-1] + 1)
        else:
            telegram.bot.webhook_set_at = 0
            before = len(hook.bodies)
            await call("setWebhook", url=hook.url)
            await telegram.wait_for(partial(hook.has_more_than, before))

    assert set(polled) | set(hook.ids) == set(telegram.ledger.update_ids(EntryKind.QUEUED))
    assert telegram.pending == 0


async def test_a_running_long_poll_ends_when_a_webhook_is_set(
    call: Caller, hook: Receiver, telegram: TelegramSandbox
) -> None:
    polling = asyncio.create_task(call("getUpdates", timeout=30))
    await telegram.wait_for(lambda: telegram.world.updates.is_polled)
    await call("setWebhook", url=hook.url)

    async with asyncio.timeout(60):
        conflict = await polling

    assert conflict == {"ok": False, "error_code": 409, "description": "Conflict: terminated by setWebhook request"}


async def test_some_posts_come_twice_and_some_too_late(call: Caller, hook: Receiver, telegram: TelegramSandbox) -> None:
    telegram.posting = quick(twice=0.2, out_of_order=0.2, held=0.05, seed=7)
    people = [telegram.add_person(2000 + n, f"P{n}") for n in range(4)]
    for n in range(200):
        people[n % 4].sends(str(n))
    await call("setWebhook", url=hook.url)
    await telegram.wait_until_confirmed(10)
    seen = Counter(hook.ids)
    first = [text for text in dict.fromkeys(hook.texts) if int(text) % 4 == 0]

    assert set(seen) == set(telegram.ledger.update_ids(EntryKind.QUEUED))
    assert 20 <= sum(count == 2 for count in seen.values()) <= 60
    assert max(seen.values()) == 2
    assert first != sorted(first, key=int)


async def test_nobody_listening_is_an_error_to_read_about(
    call: Caller, hook: Receiver, ada: Person, telegram: TelegramSandbox
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    ada.sends("ciao")
    await call("setWebhook", url=f"http://127.0.0.1:{free}/")
    await telegram.wait_for(lambda: telegram.ledger.update_ids(EntryKind.POSTED))
    refused = (await call("getWebhookInfo"))["result"]
    telegram.bot.webhook_set_at = 0
    await call("setWebhook", url=hook.url)
    await telegram.wait_until_confirmed()
    mended = (await call("getWebhookInfo"))["result"]

    assert refused["last_error_message"] == "Connection refused"
    assert refused["pending_update_count"] == 1
    assert "last_error_message" not in mended


async def test_what_is_for_another_machine_waits_here(call: Caller, ada: Person, telegram: TelegramSandbox) -> None:
    await call("setWebhook", url="https://raccordo.example.org/telegram")
    ada.sends("ciao")
    waiting = (await call("getWebhookInfo"))["result"]
    await call("deleteWebhook")

    assert (waiting["pending_update_count"], "last_error_message" in waiting) == (1, False)
    assert len((await call("getUpdates"))["result"]) == 1


async def test_with_several_connections_a_press_may_overtake_a_message(
    call: Caller, hook: Receiver, ada: Person, telegram: TelegramSandbox
) -> None:
    markup = {"inline_keyboard": [[{"text": "ok", "callback_data": "d"}]]}
    await call("sendMessage", chat_id=ada.id, text="x", reply_markup=markup)
    hook.decide = lambda update: 500 if "message" in update and len(hook.bodies) == 1 else None
    ada.sends("prima")
    ada.presses_label("ok")
    await call("setWebhook", url=hook.url)
    await telegram.wait_until_confirmed()

    assert [list(body)[1] for body in hook.bodies] == ["message", "callback_query", "message"]


@pytest.mark.parametrize(
    ("params", "error"),
    [
        ({"url": "https://"}, "invalid webhook URL specified"),
        ({"url": "ftp://example.org"}, "invalid webhook URL specified"),
        ({"url": "https://example.org:x/"}, "invalid webhook URL specified"),
        ({"url": "http://example.org/"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "https://example.org:8000/"}, "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ({"url": "https://example.org/", "secret_token": "a" * 257}, "secret token is too long"),
        ({"url": "https://example.org/", "secret_token": "a b"}, "secret token contains unallowed characters"),
        ({"url": "https://example.org/", "secret_token": "à"}, "secret token contains unallowed characters"),
    ],
)
async def test_webhooks_that_telegram_refuses(call: Caller, params: dict[str, str], error: str) -> None:
    assert await call.error("setWebhook", **params) == f"Bad Request: {error}"
    assert (await call("getWebhookInfo"))["result"]["url"] == ""


async def test_a_webhook_is_set_once_a_second(call: Caller, clock: Clock, telegram: TelegramSandbox) -> None:
    url = "https://example.org/"

    first = await call("setWebhook", url=url)
    soon = await call("setWebhook", url=url)
    clock.now += 1
    later = await call("setWebhook", url=url)
    telegram.close()

    assert (first["ok"], later["ok"]) == (True, True)
    assert (soon["error_code"], soon["parameters"]) == (429, {"retry_after": 1})


async def test_the_same_words_leave_a_webhook_as_it_is(
    call: Caller, hook: Receiver, ada: Person, clock: Clock, telegram: TelegramSandbox
) -> None:
    hook.hold = asyncio.Event()
    ada.sends("ciao")
    await call("setWebhook", url=hook.url, secret_token="a")
    await telegram.wait_for(lambda: hook.flying)
    clock.now += 1
    await call("setWebhook", url=hook.url, secret_token="a")
    hook.hold.set()
    await telegram.wait_until_confirmed()

    assert hook.texts == ["ciao"]


async def test_the_real_client_reads_what_is_known_of_a_webhook(
    bot: Bot, hook: Receiver, ada: Person, telegram: TelegramSandbox
) -> None:
    allowed = ["message", "my_chat_member"]
    await bot.set_webhook(hook.url, secret_token="s", allowed_updates=allowed, max_connections=500)
    sent = ada.sends("ciao")
    ada.edits(sent.id, "nessuno lo saprà")
    await telegram.wait_until_confirmed()
    info = await bot.get_webhook_info()
    update = Update.de_json(hook.bodies[0], bot)
    await bot.delete_webhook(drop_pending_updates=True)

    assert (info.url, info.max_connections, sorted(info.allowed_updates)) == (hook.url, 100, allowed)
    assert update.message is not None
    assert update.message.text == "ciao"
    assert len(hook.bodies) == 1
    assert (await bot.get_webhook_info()).url == ""


async def test_another_process_says_how_posts_are_made(web: httpx.AsyncClient, telegram: TelegramSandbox) -> None:
    await web.post("/sandbox/webhook", json={"twice": 0.05, "out_of_order": 0.05, "longest_pause": 0.5})
    nonsense = await web.post("/sandbox/webhook", json={"thrice": 1})

    shown = (await web.get("/sandbox/webhook")).json()
    assert (shown["posting"]["twice"], shown["posting"]["longest_pause"]) == (0.05, 0.5)
    assert shown["webhook"] is None
    assert telegram.posting.out_of_order == 0.05
    assert nonsense.status_code == 422
