"""Keeps the mails of many sessions with one commit. Says of each whether it is safe; reads none.

While one commit is on its way to the disk the next mails gather: the more come at once, the fewer flushes each costs.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlmodel import Session

from intake.post.arrival import RawMail, receive_mails
from storage.crash import crashpoint
from storage.database import Database

LOT = 100  # mails in one statement
LOT_BYTES = 8 * 1024 * 1024

log = structlog.get_logger()


# Makes the mails anew each time it is called: one large mail to fifty people is never there fifty times at once.
Mails = Callable[[], Iterable[RawMail]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    mails: Mails
    safe: asyncio.Future[bool]


class Keeper:
    """`last_kept`: when a commit last succeeded."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self.last_kept: datetime | None = None
        self._database, self._clock = database, clock
        self._waiting: list[_Waiting] = []
        self._work: asyncio.Task[None] | None = None

    async def keep(self, mails: Mails) -> bool:
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
        def receive(session: Session) -> int:
            mails = (mail for one in batch for mail in one.mails())
            new = sum(receive_mails(session, some, self._clock()) for some in _in_lots(mails))
            crashpoint("before-mail-commit")
            return new

        try:
            new = await self._database.run(receive)
        except Exception as error:
            log.warning("mail.not-kept", batch=len(batch), error=type(error).__name__)
            await self._not_kept(batch, error)
            return
        crashpoint("after-mail-commit")
        self.last_kept = self._clock()
        log.debug("mail.kept", batch=len(batch), new=new)
        _say(batch, safe=True)

    async def _not_kept(self, batch: list[_Waiting], error: Exception) -> None:
        """A database that is away is away for all; anything else may be one mail's fault, and the others go alone."""
        if len(batch) == 1 or isinstance(error, OperationalError | InterfaceError):
            _say(batch, safe=False)
            return
        for one in batch:
            await self._keep([one])


def _in_lots(mails: Iterable[RawMail]) -> Iterator[list[RawMail]]:
    """As many as should be held at once, encrypted and not."""
    lot, held = list[RawMail](), 0
    for mail in mails:
        if lot and (len(lot) >= LOT or held + len(mail.raw) > LOT_BYTES):
            yield lot
            lot, held = [], 0
        lot.append(mail)
        held += len(mail.raw)
    if lot:
        yield lot


def _say(batch: list[_Waiting], *, safe: bool) -> None:
    for one in batch:
        if not one.safe.done():  # whoever handed it over may have hung up
            one.safe.set_result(safe)
