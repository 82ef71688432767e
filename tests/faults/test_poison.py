"""T4: one update in a hundred breaks its handler. It ends as a dead letter; nobody else notices."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog
from pydantic import SecretStr
from sqlmodel import Session

from app.service import Service, build
from app.settings import Settings
from delivery.wire import AiohttpRequest
from intake import worker
from intake.worker import Handler
from storage.database import Database
from storage.inbox import dead_letters
from storage.tables import Inbox
from tests.faults import oracle
from tests.faults.conftest import kind_of, people_with_projects
from tests.faults.harness import TOKEN, Sandbox, free_port
from tests.faults.oracle import messages
from tests.faults.table import LINES, Line, percentile

pytestmark = pytest.mark.faults

POISON = "veleno"


@dataclass(frozen=True)
class Dose:
    """`poison` messages, each from a person of its own, among `healthy` ones; `rate` a second."""

    people: int
    healthy: int
    poison: int
    rate: float
    idle: float


DOSES = {"short": Dose(20, 300, 3, 100, 3.0), "full": Dose(100, 9_900, 100, 100, 20.0)}


async def test_poison_ends_as_a_dead_letter_and_nobody_else_waits(
    database_url: str, sandbox: Sandbox, tmp_path: Path, dose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    amount = DOSES[dose]
    if dose == "short":
        monkeypatch.setattr(worker, "BACK_OFF", (0.2, 0.4, 0.8, 1.6))  # as many tries, a tenth of the patience
    database = Database(database_url)
    chats = people_with_projects(database, sandbox, amount.people + amount.poison)
    healthy, poisoned = chats[: amount.people], chats[amount.people :]
    polls = count_polls(monkeypatch)
    began = time.monotonic()

    async with running(database_url, sandbox, tmp_path) as service:
        rooms: Any = service.rooms
        rooms.handlers["telegram"] = poisonous(rooms.handlers["telegram"])
        await feed(sandbox, script(healthy, poisoned, amount), amount.rate)
        await quiet(sandbox, database, patience=120)
        polls.clear()
        await asyncio.sleep(amount.idle)
        while_idle = len(polls) / amount.idle
    seconds = time.monotonic() - began

    entries, found = sandbox.entries(), messages(sandbox.entries())
    waits = waiting_times(entries, database, set(healthy))
    with database.read() as session:
        dead = dead_letters(session, most=1000)
        raw = [orjson.loads(row.payload) for row in dead]
    apologies = [len([one for one in found[chat] if "dispiace" in one["params"]["text"].lower()]) for chat in poisoned]
    LINES.append(
        Line(
            "T4 poison",
            kind_of(database_url),
            amount.healthy + amount.poison,
            0,
            lost=amount.healthy - len(waits),
            duplicated=0,
            other=f"{len(dead)} dead letters of {amount.poison}; {while_idle:.1f} getUpdates/s idle",
            p50=percentile(waits, 0.5) * 1000,
            p99=percentile(waits, 0.99) * 1000,
            seconds=seconds,
        )
    )
    assert len(dead) == amount.poison
    assert all(POISON in update["message"]["text"] for update in raw), "a dead letter keeps its raw JSON"
    assert apologies == [1] * amount.poison, "each sender is told once"
    assert len(waits) == amount.healthy, "somebody else was not answered"
    assert while_idle <= 2
    if dose == "full":
        assert percentile(waits, 0.99) <= 1.0
    database.close()


@asynccontextmanager
async def running(database_url: str, sandbox: Sandbox, folder: Path) -> AsyncIterator[Service]:
    """The service in this process, so that its handlers can be poisoned."""
    settings = Settings.model_construct(
        data_dir=folder / "data",
        database_url=SecretStr(database_url),
        listen=f"127.0.0.1:{free_port()}",
        telegram_token=SecretStr(TOKEN),
        telegram_api_url=sandbox.url,
        telegram_per_second=0.0,
    )
    # ten thousand lines that everything is well would hide the table
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    service = await build(settings)
    task = asyncio.create_task(service.run())
    await asyncio.wait_for(service.started.wait(), 30)
    try:
        yield service
    finally:
        service.stop.set()
        await task
        structlog.reset_defaults()


def poisonous(handler: Handler) -> Handler:
    def handle(session: Session, row: Inbox, now: datetime) -> None:
        if POISON in row.payload.decode():
            raise ArithmeticError("this update breaks its handler")
        handler(session, row, now)

    return handle


def script(healthy: list[int], poisoned: list[int], amount: Dose) -> list[tuple[int, str]]:
    """Who writes what: poison evenly among the others."""
    every = amount.healthy // amount.poison
    found: list[tuple[int, str]] = []
    for number in range(amount.healthy):
        if number % every == 0 and number // every < amount.poison:
            found.append((poisoned[number // every], POISON))
        found.append((healthy[number % len(healthy)], "/aiuto"))
    return found


async def feed(sandbox: Sandbox, whole: list[tuple[int, str]], rate: float) -> None:
    at_once = 10
    for at in range(0, len(whole), at_once):
        await asyncio.to_thread(sandbox.push_texts, whole[at : at + at_once])
        await asyncio.sleep(at_once / rate)


async def quiet(sandbox: Sandbox, database: Database, patience: float) -> None:
    async with asyncio.timeout(patience):
        while await asyncio.to_thread(lambda: sandbox.pending or oracle.waiting(database)):
            await asyncio.sleep(0.2)


def count_polls(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each getUpdates began; the sandbox writes down only those that were answered with something."""
    polls: list[float] = []
    send: Callable[..., Any] = AiohttpRequest.do_request

    async def counting(self: AiohttpRequest, url: str, *rest: Any, **named: Any) -> Any:
        if url.endswith("getUpdates"):
            polls.append(time.monotonic())
        return await send(self, url, *rest, **named)

    monkeypatch.setattr(AiohttpRequest, "do_request", counting)
    return polls


def waiting_times(entries: list[dict[str, Any]], database: Database, chats: set[int]) -> list[float]:
    """Seconds from the moment a person wrote to the moment their answer arrived."""
    asked = {update: entry["at"] for entry in entries if entry["kind"] == "queued" for update in entry["update_ids"]}
    arrived = {row.id: row.update_id for row in oracle.inbox(database)}
    answered = {
        (entry["chat_id"], entry["result_id"]): entry["at"] for entry in entries if entry["method"] == "sendMessage"
    }
    return [
        answered[int(row.address), int(row.provider_id)] - asked[arrived[row.inbox_id]]
        for row in oracle.outbox(database)
        if row.inbox_id is not None and row.provider_id is not None and int(row.address) in chats
    ]
