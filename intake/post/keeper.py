"""Keeps the mails of many sessions with one commit. Says of each whether it is safe; reads none.

While one commit is on its way to the disk the next mails gather: the more come at once, the fewer flushes each costs.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from intake.post.arrival import RawMail, receive_mails
from storage.crash import crashpoint
from storage.database import Database

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Waiting:
    mails: Sequence[RawMail]
    safe: asyncio.Future[bool]


class Keeper:
    """`last_kept`: when a commit last succeeded."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.last_kept: datetime | None = None
        self._database, self._clock = database, clock
        self._waiting: list[_Waiting] = []
        self._work: asyncio.Task[None] | None = None

    async def keep(self, mails: Sequence[RawMail]) -> bool:
        """True once all of them are committed, False when none is."""
        one = _Waiting(mails, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._keep_all())
        return await one.safe

    async def settled(self) -> None:
        """Until nothing waits any longer."""
        if self._work is not None:
            await self._work

    async def _keep_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await self._keep(batch)

    async def _keep(self, batch: list[_Waiting]) -> None:
        mails = [mail for one in batch for mail in one.mails]
        try:
            new = await self._database.run(lambda session: receive_mails(session, mails, self._clock()))
        except Exception as error:
            log.warning("mail.not-kept", mails=len(mails), error=type(error).__name__)
            await self._not_kept(batch, error)
            return
        crashpoint("after-mail-commit")
        self.last_kept = self._clock()
        log.info("mail.kept", mails=len(mails), new=new)
        _say(batch, safe=True)

    async def _not_kept(self, batch: list[_Waiting], error: Exception) -> None:
        """A database that is away is away for all; anything else may be one mail's fault, and the others go alone."""
        if len(batch) == 1 or isinstance(error, OperationalError | InterfaceError):
            _say(batch, safe=False)
            return
        for one in batch:
            await self._keep([one])


def _say(batch: list[_Waiting], *, safe: bool) -> None:
    for one in batch:
        if not one.safe.done():  # whoever handed it over may have hung up
            one.safe.set_result(safe)
