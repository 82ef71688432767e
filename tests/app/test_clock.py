"""The tick goes on whatever happens, and the movable clock never goes back."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.clock import MovableClock, Ticker
from app.logging import SECRETS, redact

MORNING = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def test_a_movable_clock_goes_ahead_and_never_back() -> None:
    clock = MovableClock(lambda: MORNING)

    clock.advance(timedelta(days=2))
    clock.advance(timedelta(days=-1))

    assert clock() == MORNING + timedelta(days=2)


async def test_a_tick_that_fails_does_not_end_the_ticking() -> None:
    calls: list[int] = []

    async def sweep() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("database is locked")

    ticker = Ticker(sweep, lambda: MORNING, seconds=0.01)
    stop = asyncio.Event()
    running = asyncio.create_task(ticker.run(stop))
    async with asyncio.timeout(5):
        while len(calls) < 3:
            await asyncio.sleep(0.005)
    stop.set()
    await running

    assert ticker.last_tick == MORNING


async def test_two_ticks_never_overlap() -> None:
    inside: list[int] = []
    most = 0

    async def sweep() -> None:
        nonlocal most
        inside.append(1)
        most = max(most, len(inside))
        await asyncio.sleep(0)
        inside.pop()

    ticker = Ticker(sweep, lambda: MORNING)

    await asyncio.gather(*(ticker.tick() for _ in range(5)))

    assert most == 1


@pytest.mark.parametrize(
    "text",
    [
        "https://api.telegram.org/bot123456789:AAHsecretsecretsecretsecret/getMe",
        "GET /r/abcdefghijklmnopqrstuvwxyz234567",
        "smtp://user:hunter2@mail.example.org",
    ],
)
def test_secrets_are_blotted_out_of_a_log_line(text: str) -> None:
    shown = redact(None, "info", {"event": text})["event"]

    assert "***" in shown
    assert not SECRETS.search(shown.replace("***", ""))
    assert "hunter2" not in shown
    assert "secretsecret" not in shown
    assert "abcdefghij" not in shown
