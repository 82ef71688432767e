"""T4: one update in a hundred breaks its handler. It ends as a dead letter; nobody else notices."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlmodel import Session

from intake import worker
from intake.worker import Handler
from storage.database import Database
from storage.inbox import dead_letters
from storage.tables import Inbox
from tests.faults import oracle
from tests.faults.conftest import kind_of, people_with_projects
from tests.faults.harness import Sandbox
from tests.faults.inside import calls_made, running
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
    calls = calls_made(monkeypatch)
    began = time.monotonic()

    async with running(database_url, sandbox, tmp_path) as service:
        rooms: Any = service.rooms
        database.use(rooms.database.keys)
        rooms.handlers["telegram"] = poisonous(rooms.handlers["telegram"])
        await feed(sandbox, script(healthy, poisoned, amount), amount.rate)
        await quiet(sandbox, database, patience=120)
        calls.clear()
        await asyncio.sleep(amount.idle)
        while_idle = len([call for call in calls if call.method == "getUpdates"]) / amount.idle
    seconds = time.monotonic() - began

    entries, found = sandbox.entries(), messages(sandbox.entries())
    waits = oracle.waiting_times(entries, database, set(healthy))
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
