"""Brings what is in a mailbox into the inbox, and puts it away there once it is kept. Reads none, deletes none.

What is new is told by where it lies and by our own mark (the highest UID kept of this UIDVALIDITY), not by whether
somebody has read it. A mail is recognised by its content: looked at again, it is here already.
One process collects, by lease. A connection that is dead is noticed where a server must answer: after each wait.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from facts.languages import Language, speaking
from intake.post.arrival import KINDS, LARGEST, RawMail, receive_mails
from intake.post.heads import with_note
from intake.post.imap import TIMEOUT, Connection, Fetched, ImapFailed, SignInRefused, trouble
from intake.post.imap_server import ImapServer
from storage import leases
from storage.crash import crashpoint
from storage.database import Database
from storage.mailboxes import fetched_up_to, note_fetched
from storage.tables import Channel

AWAY = "Lavorati"  # the folder for what is kept; staff see it in their mail program
POLL = 300.0  # seconds between two looks, whatever the server says; RFC 2177 wants IDLE renewed within 29 minutes
POLL_WITHOUT_IDLE = 60.0
SLICE = 20.0  # seconds between two signs of life, and our lease lasts much longer
LEASE = 120.0
STANDBY = 5.0  # seconds between looks at a lease that somebody else holds
AT_ONCE = 200  # mails whose size is asked at once
BATCH = 25  # mails kept with one commit
BATCH_BYTES = 8 * 1024 * 1024

log = structlog.get_logger()
T = TypeVar("T")


class Relieved(Exception):
    """Another process has the duty now."""


class Collector:
    """Collects until told to stop, whatever happens. `problem`: what is wrong, None when all is well.

    `last_success`: when the server was last heard, or another process was last seen to hold the duty.
    """

    def __init__(
        self,
        database: Database,
        server: ImapServer,
        channel: Channel,
        *,
        owner: str,
        clock: Callable[[], datetime],
        language: Language = Language.IT,
    ) -> None:
        self.last_success: datetime | None = None
        self.problem: str | None = None
        self.server = server
        self._database, self._channel, self._owner, self._clock = database, channel, owner, clock
        self._language, self.poll, self.patience = language, POLL, TIMEOUT
        self._lease = f"mailbox:{server.account}:{server.folder}"
        self._name = KINDS[channel]
        self._away: str | None = None  # where this server lets us put what is kept
        self._stuck = False  # it does not let us
        self._thread = ThreadPoolExecutor(1, f"mailbox-{self._name}")

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        stopping, failures = asyncio.create_task(stop.wait()), 0
        try:
            while not stopping.done():
                pause = STANDBY
                seen = self.last_success
                try:
                    await self._attend(stopping)
                except Relieved:
                    self._succeeded()
                except Exception as error:
                    if stopping.done():
                        break
                    failures = 0 if self.last_success != seen else failures + 1
                    pause = rest(error, failures)
                    self._failed(error, pause)
                await asyncio.wait([stopping], timeout=pause)
        finally:
            stopping.cancel()
            await self._step_down()

    async def _attend(self, stopping: asyncio.Task[Any]) -> None:
        """One connection, until it breaks or we are told to stop. Raises why it ended."""
        await self._database.run(self._hold)
        connection = await self._call(Connection, self.server, timeout=self.patience)
        stopping.add_done_callback(lambda _: connection.wake())
        self._away = None
        try:
            while not stopping.done():
                await self.collect(connection)
                self._succeeded()
                await self._wait(connection, stopping)
        finally:
            await self._call(connection.close)

    # --- collecting

    async def collect(self, connection: Connection) -> None:
        """Everything that is there and not kept; and what was kept and is still in the way is put away."""
        fresh = await self._call(connection.newer_than, await self._mark(connection))
        for some in _chunks(fresh, AT_ONCE):
            sizes = await self._call(connection.sizes, some)
            for batch in batches(some, sizes):
                await self._bring(connection, batch, sizes)

    async def _mark(self, connection: Connection) -> int:
        """Up to where nothing need be looked at.

        Where what is kept is put away, whatever is left is looked at: no numbers are trusted, and one that died between
        keeping and putting away is made good. Elsewhere the numbers are all there is; of a restored backup they begin
        again below our mark, under the same UIDVALIDITY.
        """
        if self._movable(connection):
            self._away = self._away or await self._call(connection.make_folder, AWAY)
            self._stuck = self._away is None
        if self._movable(connection):
            return 0
        account, folder, numbering = self.server.account, self.server.folder, connection.uidvalidity
        mark = await self._database.look(lambda session: fetched_up_to(session, account, folder, numbering))
        if connection.uidnext > mark:
            return mark
        await self._database.run(lambda s: note_fetched(s, account, folder, (numbering, 0), self._clock()))
        return 0

    def _movable(self, connection: Connection) -> bool:
        return connection.can_move and not self._stuck

    async def _bring(self, connection: Connection, uids: Sequence[int], sizes: dict[int, int]) -> None:
        fetched = await self._call(fetch, connection, uids, sizes)
        mails = [self._mail(one, sizes.get(one.uid, 0)) for one in fetched]
        at = (connection.uidvalidity, uids[-1])

        def keep(session: Session) -> int:
            self._hold(session)
            new = receive_mails(session, mails, self._clock())
            note_fetched(session, self.server.account, self.server.folder, at, self._clock())
            return new

        new = await self._database.run(keep)
        crashpoint("after-mailbox-commit")
        self._succeeded()
        log.debug("mailbox.kept", mailbox=self._name, mails=len(mails), new=new)
        await self._put_away(connection, [one.uid for one in fetched])

    def _mail(self, one: Fetched, size: int) -> RawMail:
        content = one.content if one.whole else self._with_note(one.content, size)
        return RawMail(self._channel, self.server.account, content)

    def _with_note(self, head: bytes, size: int) -> bytes:
        _, where = speaking(self._language), self._away or self.server.folder
        megabytes, mailbox = max(1, round(size / 1024 / 1024)), self.server.account
        if size > LARGEST:
            note = _(
                "This mail has {megabytes} MB: too much to be shown here. Open it in the mailbox {mailbox}, "
                "folder {folder}.",
                megabytes=megabytes,
                mailbox=mailbox,
                folder=where,
            )
        else:
            note = _(
                "The mail server does not hand this mail over. Open it in the mailbox {mailbox}, folder {folder}.",
                mailbox=mailbox,
                folder=where,
            )
        return with_note(head, note, _("A mail that cannot be shown"))

    async def _put_away(self, connection: Connection, uids: Sequence[int]) -> None:
        """Only what is committed. Where the server does not let us, it stays, and from then on the numbers count."""
        if not uids or self._away is None or not self._movable(connection):
            return
        try:
            await self._call(connection.move, uids, self._away)
        except ImapFailed as error:
            self._stuck = True
            log.warning("mailbox.not-put-away", mailbox=self._name, mails=len(uids), why=str(error))

    # --- waiting

    async def _wait(self, connection: Connection, stopping: asyncio.Task[Any]) -> None:
        """Until the server says something, or it is time to look without."""
        idle, clock = connection.can_wait, asyncio.get_running_loop().time
        until = clock() + (self.poll if idle else min(self.poll, POLL_WITHOUT_IDLE))
        if idle:
            await self._call(connection.begin_waiting)
        while not stopping.done() and clock() < until:
            left = min(SLICE, max(0.0, until - clock()))
            if idle and await self._call(connection.something_came, left):
                break
            if not idle:
                await asyncio.wait([stopping], timeout=left)
            await self._database.run(self._hold)
            self._succeeded()
        if idle and not stopping.done():
            await self._call(connection.end_waiting)

    # --- the duty

    def _hold(self, session: Session) -> None:
        if not leases.hold(session, self._lease, self._owner, self._clock(), seconds=LEASE):
            raise Relieved

    async def _step_down(self) -> None:
        try:
            await self._database.run(lambda s: leases.release(s, self._lease, self._owner, self._clock()))
        except Exception as error:  # it runs out by itself
            log.warning("mailbox.lease-not-released", mailbox=self._name, error=type(error).__name__)

    async def _call(self, work: Callable[..., T], *args: Any, **named: Any) -> T:
        """On the mailbox's own thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *args, **named))

    def _succeeded(self) -> None:
        self.last_success, self.problem = self._clock(), None

    def _failed(self, error: Exception, pause: float) -> None:
        self.problem = trouble(error)
        log.warning("mailbox.failed", mailbox=self._name, error=type(error).__name__, why=self.problem, pause=pause)


def fetch(connection: Connection, uids: Sequence[int], sizes: dict[int, int]) -> list[Fetched]:
    """Those that are still there: whole, or the head of what is too large or is not handed over. Blocks."""
    light = [uid for uid in uids if sizes.get(uid, 0) <= LARGEST]
    try:
        found = {one.uid: one for one in connection.whole(light)} if light else {}
    except ImapFailed:
        found = {}  # one of them, perhaps: one by one
    for uid in uids:
        if uid not in found:
            found |= {one.uid: one for one in _alone(connection, uid, whole=uid in light)}
    return [found[uid] for uid in uids if uid in found]


def _alone(connection: Connection, uid: int, *, whole: bool) -> list[Fetched]:
    """One mail, or as much of it as the server hands over: nothing at all only when it is gone."""
    asks: list[Callable[[], list[Fetched]]] = [lambda: connection.head(uid)]
    if whole:
        asks.insert(0, lambda: connection.whole([uid]))
    for ask in asks:
        with suppress(ImapFailed):
            found = ask()
            if found:
                return found
    return [Fetched(uid, b"", False)] if uid in connection.newer_than(uid - 1)[:1] else []


def batches(uids: Sequence[int], sizes: dict[int, int]) -> Iterator[list[int]]:
    """In their order, so that a mark can stand after each; as many as one commit and our memory should hold."""
    batch, held = list[int](), 0
    for uid in uids:
        size = sizes.get(uid, 0)
        size = 0 if size > LARGEST else size
        if batch and (len(batch) >= BATCH or held + size > BATCH_BYTES):
            yield batch
            batch, held = [], 0
        batch.append(uid)
        held += size
    if batch:
        yield batch


def _chunks(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (uids[start : start + size] for start in range(0, len(uids), size))


def rest(error: Exception, failures: int) -> float:
    """Seconds to wait after an error, `failures` others having come before it without a success."""
    if isinstance(error, SignInRefused):
        return min(30.0 * 2.0 ** min(failures, 5), 600.0)  # or the account is locked
    if isinstance(error, SQLAlchemyError):
        return min(1.0 + failures, 4.0)
    return min(2.0 ** min(failures, 6), 60.0)
