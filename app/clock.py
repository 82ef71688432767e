"""What time it is, and the tick that asks the tables what is due. Decides nothing; never raises."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

log = structlog.get_logger()

TICK_SECONDS = 5
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, aware and UTC."""
    return datetime.now(UTC)


class MovableClock:
    """A clock that can be moved ahead, never back. For the demo and the tests."""

    def __init__(self, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return self._clock() + self._ahead

    def advance(self, by: timedelta) -> None:
        self._ahead += max(by, timedelta())


class Ticker:
    """Calls `sweep` every few seconds, one call at a time. A sweep that fails is logged and tried at the next tick."""

    def __init__(self, sweep: Callable[[], Awaitable[None]], clock: Clock, *, seconds: float = TICK_SECONDS) -> None:
        self._sweep = sweep
        self._clock = clock
        self._seconds = seconds
        self._turn = asyncio.Lock()
        self.last_tick: datetime | None = None

    async def tick(self) -> None:
        """One pass, now. A scheduler whose job raises may stop for good, so nothing leaves here."""
        async with self._turn:
            try:
                await self._sweep()
            except Exception:
                log.exception("tick.failed")
            else:
                self.last_tick = self._clock()

    async def run(self, stop: asyncio.Event) -> None:
        """Ticks until `stop` is set. The schedule lives in memory only: what is due is a column, not a job."""
        scheduler = AsyncIOScheduler(timezone=UTC)
        scheduler.add_job(
            self.tick, "interval", seconds=self._seconds, max_instances=1, coalesce=True, misfire_grace_time=None
        )
        scheduler.start()
        await self.tick()
        await stop.wait()
        scheduler.shutdown(wait=False)
