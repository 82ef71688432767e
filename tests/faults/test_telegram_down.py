"""T5: Telegram refuses, throttles, breaks and hangs up. All comes in by itself afterwards; meanwhile it shows."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.service import Service
from app.settings import TelegramMode
from bot import polling, webhook_keeper
from bot.polling import rest
from storage.database import Database
from tests.faults import oracle
from tests.faults.conftest import kind_of, people_with_projects
from tests.faults.harness import Sandbox
from tests.faults.inside import Called, calls_made, running
from tests.faults.oracle import messages, queued, repeated
from tests.faults.table import LINES, Line

pytestmark = pytest.mark.faults

WAYS_IN = {
    TelegramMode.POLLING: ("getUpdates", "deleteWebhook"),
    TelegramMode.WEBHOOK: ("getWebhookInfo", "setWebhook"),
}


@dataclass(frozen=True)
class Dose:
    """`scale`: a second of the code's patience lasts so long here. `lasts`: of a fault, in such seconds.

    `look`: seconds between two looks at the webhook.
    """

    people: int
    every: float
    scale: float
    lasts: float
    look: float


DOSES = {"short": Dose(5, 0.1, 0.05, 12, 0.5), "full": Dose(20, 0.2, 1.0, 60, 30)}


@dataclass(frozen=True)
class Trouble:
    """What the sandbox is told to do with each call that brings updates in. `once`: with one call only."""

    name: str
    rule: dict[str, Any]
    once: bool = False


COMMON = (
    Trouble("401 once", {"status": 401, "times": 1}, once=True),
    Trouble("404 once", {"status": 404, "times": 1}, once=True),
    Trouble("429 storm", {"status": 429, "retry_after": 1}),
    Trouble("50 % 5xx", {"status": 502, "every": 2}),
    Trouble("resets", {"drop": "before"}),
)
TROUBLES = {
    TelegramMode.POLLING: (*COMMON, Trouble("409", {"status": 409})),
    TelegramMode.WEBHOOK: COMMON,  # nobody is told 409 who does not poll
}


@dataclass
class Seen:
    """When `/readyz` was red and when green, for Telegram."""

    samples: list[tuple[float, bool]] = field(default_factory=list)

    def first(self, ok: bool, after: float) -> float | None:
        return next((at for at, was in self.samples if was is ok and at >= after), None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mode", list(TelegramMode))
async def test_whatever_telegram_does_all_comes_in_afterwards_and_nobody_calls_without_end(
    mode: TelegramMode, database_url: str, sandbox: Sandbox, tmp_path: Path, dose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    amount = DOSES[dose]
    less_patient(monkeypatch, amount)
    database = Database(database_url)
    chats = people_with_projects(database, sandbox, amount.people)
    calls = calls_made(monkeypatch)

    async with running(database_url, sandbox, tmp_path, mode) as service, watching(service) as seen:
        await until(lambda: seen.first(True, 0), 30)
        async with talking(sandbox, chats, amount.every):
            measured = [await endure(trouble, mode, sandbox, seen, amount) for trouble in TROUBLES[mode]]
        await quiet(sandbox, database)

    sent, kept = queued(sandbox.entries()), [row.update_id for row in oracle.inbox(database)]
    answers = sum(len(found) for found in messages(sandbox.entries()).values())
    for each in measured:
        failed = len(failures(calls, mode, each))
        each.rate = failed / max(1.0, each.lasted / amount.scale)
        LINES.append(line(each, mode, kind_of(database_url), sent, kept))
    assert sorted(kept) == sorted(sent), "an update was lost or doubled"
    assert answers >= len(sent)
    for each in measured:
        assert each.red is not None, f"{each.trouble.name}: readyz was never red"
        assert each.green is not None, f"{each.trouble.name}: readyz stayed red"
        assert 0 < each.rate <= 1.2, f"{each.trouble.name}: {each.rate} failed calls a second"
    database.close()


@dataclass
class Endured:
    """Monotonic seconds: the fault began and ended, readyz was first red, and green after the end. `rate`: failed
    calls in a second of the code's patience.
    """

    trouble: Trouble
    began: float
    end: float
    red: float | None
    green: float | None
    rate: float = 0.0

    @property
    def lasted(self) -> float:
        return self.end - self.began


async def endure(trouble: Trouble, mode: TelegramMode, sandbox: Sandbox, seen: Seen, amount: Dose) -> Endured:
    """One fault, from its beginning until readyz is green again."""
    began, lasts = time.monotonic(), amount.lasts * amount.scale
    sandbox.set_faults([{"method": method} | trouble.rule for method in WAYS_IN[mode]])
    with suppress(TimeoutError):
        await until(lambda: seen.first(False, began), max(lasts, amount.look) + 5)
    if not trouble.once:
        await asyncio.sleep(max(0.0, began + lasts - time.monotonic()))
    end = time.monotonic()
    sandbox.set_faults([])
    with suppress(TimeoutError):
        await until(lambda: seen.first(True, end), 35 * amount.scale + 5)
    return Endured(trouble, began, end, seen.first(False, began), seen.first(True, end))


def less_patient(monkeypatch: pytest.MonkeyPatch, amount: Dose) -> None:
    """The code rests as it does, only shorter."""
    for module in (polling, webhook_keeper):
        monkeypatch.setattr(module, "rest", lambda error, failures: rest(error, failures) * amount.scale)
    monkeypatch.setattr(webhook_keeper, "LOOK", amount.look)
    monkeypatch.setattr(webhook_keeper, "LOOK_SOON", webhook_keeper.LOOK_SOON * amount.scale)


@asynccontextmanager
async def watching(service: Service) -> AsyncIterator[Seen]:
    """Asks `/readyz` again and again."""
    seen = Seen()

    async def watch() -> None:
        async with httpx.AsyncClient(base_url=service.settings.public_url, timeout=10) as client:
            while True:
                answer = await client.get("/readyz")
                ok = answer.json()["checks"]["telegram"]["ok"]
                assert ok or answer.status_code == 503
                seen.samples.append((time.monotonic(), ok))
                await asyncio.sleep(0.02)

    async with _beside(watch()):
        yield seen


@asynccontextmanager
async def talking(sandbox: Sandbox, chats: list[int], every: float) -> AsyncIterator[None]:
    """People go on writing."""

    async def talk() -> None:
        while True:
            for chat in chats:
                await asyncio.to_thread(sandbox.push_texts, [(chat, "/aiuto")])
                await asyncio.sleep(every)

    async with _beside(talk()):
        yield


@asynccontextmanager
async def _beside(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(found: Callable[[], Any], patience: float) -> None:
    async with asyncio.timeout(patience):
        while found() is None:
            await asyncio.sleep(0.02)


async def quiet(sandbox: Sandbox, database: Database) -> None:
    async with asyncio.timeout(60):
        while await asyncio.to_thread(lambda: sandbox.pending or oracle.waiting(database)):
            await asyncio.sleep(0.1)


def failures(calls: list[Called], mode: TelegramMode, each: Endured) -> list[Called]:
    ways_in = WAYS_IN[mode]
    return [call for call in calls if call.failed and call.method in ways_in and each.began <= call.at <= each.end]


def line(each: Endured, mode: TelegramMode, kind: str, sent: list[int], kept: list[int]) -> Line:
    green = "never" if each.green is None else f"{each.green - each.end:.1f} s after"
    return Line(
        f"T5 {each.trouble.name}, {mode}",
        kind,
        len(sent),
        0,
        lost=len(set(sent) - set(kept)),
        duplicated=repeated(kept),
        other=f"{each.rate:.1f} failed calls/s; readyz red meanwhile, green {green}",
        seconds=each.lasted,
    )
