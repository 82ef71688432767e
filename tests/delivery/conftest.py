"""A dispatcher moved by hand, the sandbox on a loopback socket, and the real bot that talks to it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest
import telegram
import uvicorn

from delivery.limits import Limits
from delivery.telegram import TelegramSender, make_bot
from sandbox.telegram import TelegramSandbox
from storage.database import Database
from tests.delivery.wiring import Bench, Clock

TOKEN = "999:example-token-that-opens-nothing"
ADA = 5001


@dataclass
class World:
    sandbox: TelegramSandbox
    url: str
    bot: telegram.Bot
    sender: TelegramSender


@pytest.fixture
def bench(database: Database, now: datetime) -> Bench:
    """Limits are off."""
    return Bench(database, Clock(now), limits=Limits(enabled=False))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Ada has started the bot; limits are off."""
    async with a_world(limits=False) as world:
        yield world


@pytest.fixture
async def strict_world() -> AsyncIterator[World]:
    """The same with Telegram's limits."""
    async with a_world(limits=True) as world:
        yield world


@asynccontextmanager
async def a_world(*, limits: bool) -> AsyncIterator[World]:
    sandbox = TelegramSandbox(TOKEN, limits=limits)
    sandbox.add_person(ADA, "Ada", started=True)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(sandbox.app, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve([listening]))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    bot = make_bot(TOKEN, url)
    await bot.initialize()
    yield World(sandbox, url, bot, TelegramSender(bot))
    await bot.shutdown()
    sandbox.close()
    server.should_exit = True
    await serving
