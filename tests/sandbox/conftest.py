"""A sandbox behind a real socket, and the people who talk with its bot."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from telegram import Bot

from sandbox.mail import MailSandbox
from sandbox.pages import sandbox_app
from sandbox.telegram import Person, TelegramSandbox

TOKEN = "123456:sandbox"


class Clock:
    """A clock that only moves when told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def telegram(clock: Clock) -> TelegramSandbox:
    return TelegramSandbox(TOKEN, clock=clock)


@pytest.fixture
def ada(telegram: TelegramSandbox) -> Person:
    return telegram.add_person(1001, "Ada", "Esempio", started=True)


@pytest.fixture
async def mail() -> AsyncIterator[MailSandbox]:
    mailbox = MailSandbox()
    await mailbox.start()
    yield mailbox
    await mailbox.stop()


class Caller:
    """Calls methods of the Bot API in process and gives back the whole answer."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def __call__(self, method: str, token: str = TOKEN, **params: Any) -> dict[str, Any]:
        answer = await self.client.post(f"/bot{token}/{method}", json=params)
        body: dict[str, Any] = answer.json()
        assert answer.status_code == body.get("error_code", 200)
        return body

    async def error(self, method: str, **params: Any) -> str:
        body = await self(method, **params)
        assert not body["ok"], body
        return str(body["description"])


@pytest.fixture
async def call(telegram: TelegramSandbox) -> AsyncIterator[Caller]:
    transport = httpx.ASGITransport(telegram.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        yield Caller(client)


@asynccontextmanager
async def served(telegram: TelegramSandbox, mail: MailSandbox | None = None) -> AsyncIterator[str]:
    """The whole sandbox behind a real socket; its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = sandbox_app(telegram, mail)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            telegram.close()
            if mail is not None:
                mail.close()
            server.should_exit = True
            await running


@pytest.fixture
async def url(telegram: TelegramSandbox, mail: MailSandbox) -> AsyncIterator[str]:
    async with served(telegram, mail) as address:
        yield address


@pytest.fixture
async def bot(url: str) -> AsyncIterator[Bot]:
    async with Bot(TOKEN, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot") as bot:
        yield bot


@pytest.fixture
async def web(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url) as client:
        yield client
