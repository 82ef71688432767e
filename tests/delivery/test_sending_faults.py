"""Kills and limits against the sandbox, whose ledger is the oracle."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from delivery.limits import Limits
from delivery.outbox import queue
from delivery.telegram import TelegramSender
from delivery.words import Words
from storage.database import Database
from storage.sealing import Keyring
from storage.tables import Channel, Outbox, OutboxKind, OutboxState
from tests.delivery.conftest import TOKEN, World
from tests.delivery.wiring import Bench, Clock, put, running

ROOT = Path(__file__).resolve().parents[2]
CRASHPOINTS = ("after-claim-commit", "after-send", "before-result-commit")


@pytest.mark.faults
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_kill_9_while_sending_loses_nothing_and_marks_what_it_repeats(
    world: World, database: Database, database_url: str, keys: Keyring, dose: str
) -> None:
    chats, messages, kills = (100, 10_000, 200) if dose == "full" else (20, 300, 3)
    for chat in range(1, chats + 1):
        world.sandbox.add_person(chat, "Ada", started=True)
    with database.write() as session:
        for number in range(messages):
            put(session, datetime.now(UTC), f"message {number}", address=str(number % chats + 1))
    command = (sys.executable, "-m", "tests.delivery.sender_process", database_url, world.url, TOKEN)

    @asynccontextmanager
    async def sending(crashpoint: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
        """Killed at the end of the block, or before it by itself."""
        environment = os.environ | {"RACCORDO_CRASHPOINT": crashpoint, "RACCORDO_DATA_KEYS": keys.ring.text}
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):  # it was quicker
                process.kill()
            await process.wait()

    for kill in range(kills):
        if kill < len(CRASHPOINTS):
            async with sending(CRASHPOINTS[kill]) as process:
                assert await asyncio.wait_for(process.wait(), 60) == -9
            continue
        async with sending():
            so_far = len(world.sandbox.ledger.accepted("sendMessage"))
            await world.sandbox.wait_for_calls("sendMessage", so_far + 7 + kill % 13, timeout=60)
    async with sending(), asyncio.timeout(120):
        while not _all_settled(database):  # not by the sandbox's bell: the last result is written after the last call
            await asyncio.sleep(0.05)

    _compare(world, database, kills, messages)


def _all_settled(database: Database) -> bool:
    open_states = (OutboxState.QUEUED, OutboxState.RETRY, OutboxState.SENDING)
    with database.read() as session:
        return session.exec(select(Outbox.id).where(col(Outbox.state).in_(open_states))).first() is None


def _compare(world: World, database: Database, kills: int, messages: int) -> None:
    accepted = world.sandbox.ledger.accepted("sendMessage")
    times = Counter(entry.params["text"] for entry in accepted)
    assert len(times) == messages  # nothing lost
    repeated = {text for text, number in times.items() if number > 1}
    assert sum(times.values()) - messages <= kills * 10
    with database.read() as session:
        rows = session.exec(select(Outbox).order_by(col(Outbox.id))).all()
        marked = {row.body["html"] for row in rows if row.possible_duplicate}
        by_chat = {row.address: [one.body["html"] for one in rows if one.address == row.address] for row in rows}
    assert repeated <= marked
    for address, wanted in by_chat.items():
        heard = [entry.params["text"] for entry in accepted if str(entry.chat_id) == address]
        assert list(dict.fromkeys(heard)) == wanted  # order per chat, repetitions aside


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_our_limiter_keeps_telegrams_from_ever_refusing(strict_world: World, database: Database) -> None:
    for chat in range(1, 61):
        strict_world.sandbox.add_person(chat, "Ada", started=True)
    bench = Bench(database, Clock(datetime.now(UTC)), limits=Limits())
    bench.dispatcher.clock = lambda: datetime.now(UTC)
    bench.dispatcher.senders = {Channel.TELEGRAM: TelegramSender(strict_world.bot)}
    with database.write() as session:
        for number in range(7):
            put(session, datetime.now(UTC) - timedelta(seconds=1), f"{number}", address="1")
        for chat in range(2, 61):
            put(session, datetime.now(UTC) - timedelta(seconds=1), "x", address=str(chat), kind=OutboxKind.NOTICE)

    async with running(bench):
        await strict_world.sandbox.wait_for_calls("sendMessage", 66, timeout=20)

    assert not strict_world.sandbox.ledger.refused("sendMessage")
    chat_one = strict_world.sandbox.ledger.accepted("sendMessage", chat_id=1)
    assert [entry.params["text"] for entry in chat_one] == [f"{number}" for number in range(7)]


async def test_a_message_queued_in_a_transaction_that_fails_is_never_sent(
    world: World, database: Database, now: datetime
) -> None:
    bench = Bench(database, Clock(now), limits=Limits(enabled=False))
    with pytest.raises(ZeroDivisionError), database.write() as session:
        queue(
            session,
            Words("Ciao"),
            kind=OutboxKind.DIALOGUE,
            channel=Channel.TELEGRAM,
            address="1",
            now=now,
            dedupe_key="never",
        )
        raise ZeroDivisionError

    await bench.drain()

    assert not bench.telegram.tried
