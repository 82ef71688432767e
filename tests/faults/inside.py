"""The service inside the test's own process, where its parts can be poisoned and its calls be counted."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

from app.clock import Clock, system_clock
from app.service import Service, build
from app.settings import Settings, TelegramMode
from delivery.wire import AiohttpRequest
from tests.faults.harness import TOKEN, Sandbox, free_port


@asynccontextmanager
async def running(
    database_url: str,
    sandbox: Sandbox,
    folder: Path,
    mode: TelegramMode = TelegramMode.POLLING,
    *,
    clock: Clock = system_clock,
) -> AsyncIterator[Service]:
    settings = Settings.model_construct(
        data_dir=folder / "data",
        database_url=SecretStr(database_url),
        listen=f"127.0.0.1:{free_port()}",
        telegram_token=SecretStr(TOKEN),
        telegram_api_url=sandbox.url,
        telegram_mode=mode,
        telegram_per_second=0.0,
        smtp_url=SecretStr(f"smtp://127.0.0.1:{sandbox.smtp_port}"),
        mail_from="Raccordo <raccordo@example.org>",
    )
    # ten thousand lines that everything is well would hide the table
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    service = await build(settings, clock=clock)
    task = asyncio.create_task(service.run())
    await asyncio.wait_for(service.started.wait(), 60)
    try:
        yield service
    finally:
        service.stop.set()
        await task
        structlog.reset_defaults()


@dataclass(frozen=True)
class Called:
    """One call of the Bot API: when it ended, and whether it was answered with anything but an error."""

    at: float
    method: str
    failed: bool


def calls_made(monkeypatch: pytest.MonkeyPatch) -> list[Called]:
    """Every call, once it has ended: the ledger knows nothing of a poll that brought nothing or was cut off."""
    calls: list[Called] = []
    send: Callable[..., Any] = AiohttpRequest.do_request

    async def counting(self: AiohttpRequest, url: str, *rest: Any, **named: Any) -> Any:
        failed = True
        try:
            answer = await send(self, url, *rest, **named)
            failed = answer[0] >= 400
            return answer
        finally:
            calls.append(Called(time.monotonic(), url.rpartition("/")[2], failed))

    monkeypatch.setattr(AiohttpRequest, "do_request", counting)
    return calls
