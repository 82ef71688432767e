"""The tick goes on whatever happens, and the movable clock never goes back."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from errno import ENOSPC
from io import StringIO

import pytest
import structlog

from app.clock import MovableClock, Ticker
from app.logging import SECRETS, redact, set_up_logging

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
    async with asyncio.timeout(60):
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


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """What the service would have written to stderr."""
    stderr = StringIO()
    monkeypatch.setattr("sys.stderr", stderr)
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    set_up_logging()
    yield stderr
    root.handlers, root.level = handlers, level
    structlog.configure(**before)


def test_a_line_that_finds_no_room_on_the_disk_stops_nothing(logged: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_text: str) -> int:
        raise OSError(ENOSPC, "No space left on device")

    structlog.get_logger().error("before")
    monkeypatch.setattr(logged, "write", full)

    structlog.get_logger().error("while it is full")

    assert "before" in logged.getvalue()


ADA = "ada@example.org"


def an_error_about_ada() -> Exception:
    """As a database says it: the words of the first are in the second's, and a group holds a third."""
    try:
        try:
            raise ValueError(f"Key (value)=({ADA}) already exists")
        except ValueError as first:
            raise RuntimeError(f"DETAIL: {ADA}") from first
    except RuntimeError as second:
        second.add_note(ADA)
        try:
            raise ExceptionGroup(ADA, [second, KeyError(ADA)])
        except ExceptionGroup as group:
            return group


@pytest.mark.parametrize("name", ["uvicorn.error", "asyncio", "structlog"])
def test_a_logged_error_tells_where_it_came_from_and_not_what_it_said(logged: StringIO, name: str) -> None:
    error = an_error_about_ada()
    logger = structlog.get_logger() if name == "structlog" else logging.getLogger(name)

    try:
        raise error
    except ExceptionGroup:
        logger.exception("Exception in ASGI application")

    shown = logged.getvalue()
    assert "ada@" not in shown
    for expected in ("ValueError", "RuntimeError", "KeyError", "ExceptionGroup", "test_clock.py", "an_error_about_ada"):
        assert expected in shown
