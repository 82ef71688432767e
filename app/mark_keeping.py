"""Marks what was written a second ago, and what has marks of an older key or recipe, or none, as after an upgrade.

A few at a time, each few one transaction, and as long a pause after: whoever serves people goes first. What is left to
do stands in the database, so it may be stopped anywhere; several processes pass over what another has in hand.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlmodel import Session

from storage.database import Database
from storage.indexing import SHELVES, anything_to_renew, left_to_renew, renew_some

log = structlog.get_logger()

AT_ONCE = 10  # questions: on SQLite whoever writes waits for them
# By the clock and not woken by each commit: what is written in one thread within a second is read once, and a process
# without a clock (`serve --without clock`) writes for one that has it.
LOOK_SECONDS = 1.0
TELL_EVERY = 2000  # questions, in the log


@dataclass
class MarkKeeper:
    """The loop of one process."""

    database: Database
    pause: Callable[[float], float] = lambda took: took

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if await self.database.look(anything_to_renew):
                await self.renew(stop)
            await _wait(stop, LOOK_SECONDS)

    async def renew(self, stop: asyncio.Event) -> int:
        """Until nothing is left; how many there were."""
        done = told = 0
        while not stop.is_set():
            began = time.monotonic()
            some = await self.database.run(renew_few)
            done += some
            if not some:
                break
            if done - told >= TELL_EVERY:
                told = done
                log.info("marks.renewing", done=done, left=await self.database.look(left_to_renew))
            await _wait(stop, self.pause(time.monotonic() - began))
        if told:
            log.info("marks.renewed", done=done)
        return done


def renew_few(session: Session) -> int:
    """A few questions, or when none is left a few updates; how many."""
    return next((some for shelf in SHELVES if (some := renew_some(session, shelf, AT_ONCE))), 0)


def renew_all(database: Database) -> int:
    """The same in this thread, for the command line and the tests."""
    done = 0
    while True:
        with database.write() as session:
            some = renew_few(session)
        if not some:
            return done
        done += some


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
