"""Counts anew, a moment later, the figures of the register whose obligations have changed or become late.

As the marks are made (`mark_keeping.py`): some at a time, each some one transaction, and as long a pause after. What is
left to do stands in the database, so it may be stopped anywhere.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from app.clock import Clock
from storage.database import Database
from storage.register import anything_to_count, count_some

AT_ONCE = 500  # cells
LOOK_SECONDS = 1.0


@dataclass
class RegisterKeeper:
    """The loop of one process."""

    database: Database
    clock: Clock
    pause: Callable[[float], float] = lambda took: took

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if await self.database.look(partial(anything_to_count, now=self.clock())):
                await self.count(stop)
            await _wait(stop, LOOK_SECONDS)

    async def count(self, stop: asyncio.Event) -> int:
        """Until nothing is left; how many cells there were."""
        done = 0
        while not stop.is_set():
            began = time.monotonic()
            some = await self.database.run(partial(count_some, now=self.clock(), limit=AT_ONCE))
            done += some
            if not some:
                break
            await _wait(stop, self.pause(time.monotonic() - began))
        return done


def count_all(database: Database, clock: Clock) -> int:
    """The same in this thread, for the command line and the tests."""
    done = 0
    while True:
        with database.write() as session:
            some = count_some(session, clock(), AT_ONCE)
        if not some:
            return done
        done += some


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
