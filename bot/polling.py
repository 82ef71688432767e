"""Brings Telegram's updates into the inbox: raw, committed, and only then confirmed. Never reads what they say.

One process polls, by lease. The offset lives in memory: after a restart Telegram hands out again what was not
confirmed, and the inbox knows it already.
"""

import asyncio
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlmodel import Session
from telegram import Bot
from telegram.error import Conflict, EndPointNotFound, InvalidToken, RetryAfter, TelegramError

from bot.arrivals import ALLOWED_UPDATES, Answers, arrival
from intake.inbox import receive_many
from storage import leases
from storage.crash import crashpoint
from storage.database import Database, Passenger

LONG_POLL = 25  # seconds
BATCH = 100
SLACK = 10.0  # seconds an answer may come after its long poll, and our lease lasts longer than it
STANDBY = 5.0  # seconds between looks at a lease that somebody else holds
SILENCE = 90.0  # seconds without a successful poll until the loop is made anew
WATCH = 5.0
SHORTEST_REST = 1.0  # seconds: Telegram may ask for none, and would be asked again without end

log = structlog.get_logger()


class OddAnswer(Exception):
    """Telegram answered something that is no list of updates."""


class Poller:
    """Polls until told to stop, whatever happens. `problem`: the class of the last failure, None when all is well.

    `last_success`: when a poll was last committed, or another process was last seen to hold the duty.
    """

    def __init__(
        self,
        database: Database,
        bot: Bot,
        *,
        owner: str,
        clock: Callable[[], datetime],
        long_poll: float = LONG_POLL,
    ) -> None:
        self.last_success: datetime | None = None
        self.problem: str | None = None
        self.account = bot.token.partition(":")[0]
        self._database, self._bot, self._owner, self._clock = database, bot, owner, clock
        self._long_poll = long_poll
        self._lease = lease_of(self.account)
        self._offset: int | None = None
        self._ready = False  # webhook removed
        self._held = False  # the lease was prolonged with the last updates
        self._heard = time.monotonic()
        self._answers = Answers(bot)
        self.then: Sequence[Passenger] = ()  # who does their part in the transaction that keeps a batch
        # The typed method would parse each update, and one that it cannot parse would block all for ever.
        warnings.filterwarnings("ignore", message="Please use 'Bot.getUpdates'")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. A loop that has been silent for 90 seconds, or has ended, is replaced by a new one."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await self._watched(asyncio.create_task(self._poll_for_ever()), stopping)
        finally:
            stopping.cancel()
            await self._answers.close()
            await self._step_down()

    async def _watched(self, loop: asyncio.Task[None], stopping: asyncio.Task[Any]) -> None:
        self._heard = time.monotonic()
        self._offset, self._ready, self._held = None, False, False
        while not stopping.done() and not loop.done() and time.monotonic() - self._heard < SILENCE:
            await asyncio.wait([loop, stopping], timeout=WATCH, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            log.error("telegram.polling-restarted", silent_for=round(time.monotonic() - self._heard))
        loop.cancel()
        await asyncio.wait([loop])

    async def _poll_for_ever(self) -> None:
        failures = 0
        while True:
            try:
                pause = 0.0 if await self.poll() else STANDBY
                failures = 0
                self._succeeded()
            except Exception as error:
                pause = rest(error, failures)
                failures += 1
                self._failed(error, pause)
            if pause:
                await asyncio.sleep(pause)

    async def poll(self) -> bool:
        """One long poll, committed; False when another process has the duty. Raises what went wrong."""
        held, self._held = self._held, False
        if not held and not await self._database.run(self._hold):
            self._offset = None
            return False
        if not self._ready:
            # A webhook left from another mode refuses every poll; what waits there is not dropped.
            await self._bot.delete_webhook(drop_pending_updates=False)
            self._ready = True
        updates = await self._fetch()
        if updates:
            await self._keep(updates)
        # Nothing waits: all is confirmed. Without an offset a number that starts again lower is not passed over.
        self._offset = next_offset(updates)
        return True

    async def _fetch(self) -> Sequence[Any]:
        # The first poll does not wait: that Telegram answers should be known at once, not in 25 seconds.
        wait = 0 if self.last_success is None else self._long_poll
        asked = {"timeout": wait, "limit": BATCH, "allowed_updates": ALLOWED_UPDATES}
        if self._offset is not None:
            asked["offset"] = self._offset
        updates = await self._bot.do_api_request("getUpdates", asked, read_timeout=self._long_poll + SLACK)
        if not isinstance(updates, list):
            raise OddAnswer
        return updates

    async def _keep(self, updates: Sequence[Any]) -> None:
        arrivals = [arrival(update, self.account) for update in updates]

        def receive(session: Session) -> int:
            self._held = self._hold(session)
            return receive_many(session, arrivals, self._clock())

        added = await self._database.run(receive, self.then)
        crashpoint("after-inbox-commit")
        log.debug("telegram.received", updates=len(updates), new=added)
        for update in updates:
            self._answers.begin(update)
        if next_offset(updates) is None:
            raise OddAnswer  # kept, and nothing to confirm it with: slowly, or it comes again without end

    def _hold(self, session: Session) -> bool:
        return leases.hold(session, self._lease, self._owner, self._clock(), seconds=self._long_poll + SLACK)

    async def _step_down(self) -> None:
        try:
            await self._database.run(lambda s: leases.release(s, self._lease, self._owner, self._clock()))
        except Exception as error:  # it runs out by itself
            log.warning("telegram.lease-not-released", error=type(error).__name__)

    def _succeeded(self) -> None:
        self._heard, self.last_success, self.problem = time.monotonic(), self._clock(), None

    def _failed(self, error: Exception, pause: float) -> None:
        # Only the class: texts of network errors may hold the address, and the token is in it.
        self.problem = type(error).__name__
        self._held = False
        if isinstance(error, RetryAfter):
            self._heard = time.monotonic() + pause  # Telegram asked for silence: nothing is stuck
        self._ready = self._ready and not isinstance(error, Conflict)
        log.warning("telegram.poll-failed", error=self.problem, pause=round(pause, 1))


def lease_of(account: str) -> str:
    """The duty of bringing in a bot's updates, by polling or by keeping its webhook: one at a time of both together."""
    return f"poller:{account}"


def rest(error: Exception, failures: int) -> float:
    """Seconds to wait after an error, `failures` others having come before it without a success."""
    if isinstance(error, RetryAfter):
        wait = error.retry_after
        return max(SHORTEST_REST, wait.total_seconds() if isinstance(wait, timedelta) else float(wait))
    if isinstance(error, Conflict):
        return min(5.0 + failures, 10.0)
    if isinstance(error, InvalidToken | EndPointNotFound):
        return min(5.0 * 2.0 ** min(failures, 4), 60.0)
    if isinstance(error, TelegramError | OddAnswer):
        return min(2.0 ** min(failures, 5), 30.0)
    return min(1.0 + failures, 4.0)  # the database: alive again 5 seconds after it at the latest


def next_offset(updates: Sequence[Any]) -> int | None:
    """What confirms all of these; None for none."""
    ids = [update.get("update_id") for update in updates if isinstance(update, Mapping)]
    return max((number for number in ids if isinstance(number, int)), default=-1) + 1 or None
