"""Takes unread mail apart and gives it the lane of its sender. Decides nothing about it; never loses one.

What cannot be read is tried again like anything else that fails, and is a dead letter after five tries, raw as it came.
Files are on disk before their mail is marked as read, outside any transaction.
"""

import asyncio
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from intake.files import FileRefused, store_file
from intake.incoming import Enclosed, Incoming
from intake.post.arrival import LARGEST
from intake.post.process import Beliefs, ReadingProcess, Taken, Unreadable
from intake.reading.gathering import MAILS
from intake.worker import BACK_OFF, LONGEST_REST, POLL
from storage.crash import crashpoint
from storage.database import Database
from storage.files import Files
from storage.readings import Found, Unread, any_unread, keep_readings, reading_failed, unread_mails

MOST = 50  # mails in a round
MOST_BYTES = 8 * 1024 * 1024

log = structlog.get_logger()

Result = tuple[Unread, Incoming | Unreadable]


def lane_of(incoming: Incoming) -> str:
    """Of whoever wrote it, by whichever door; those whom nobody can name share one."""
    address = incoming.sender.address if incoming.sender else ""
    return f"mail:{hashlib.sha256(address.encode()).hexdigest()[:20]}"


class Reader:
    """Reads until told to stop. `close` ends its process."""

    def __init__(
        self, database: Database, files: Files, clock: Callable[[], datetime], beliefs: Beliefs | None = None
    ) -> None:
        self.last_pass: datetime | None = None
        self._database, self._files, self._clock = database, files, clock
        self.process = ReadingProcess(beliefs or Beliefs())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Something arrived. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. A pass that fails is made again after a rest, and has lost nothing."""
        self._loop = asyncio.get_running_loop()
        failures = 0
        try:
            while not stop.is_set():
                self._woken.clear()
                try:
                    busy = await self.read_some()
                except Exception as error:
                    log.error("reading.pass-failed", error=type(error).__name__)
                    await _either(stop, stop, min(0.25 * 2**failures, LONGEST_REST))
                    failures = min(failures + 1, 10)
                    continue
                failures = 0
                if not busy:
                    await _either(stop, self._woken, POLL)
        finally:
            await self.close()

    async def close(self) -> None:
        await self.process.close()

    async def read_some(self) -> int:
        """One pass over what is due; how many mails were tried."""
        now = self._clock()
        mails: list[Unread] = []
        if await self._database.look(lambda session: any_unread(session, now)):
            mails = await self._database.look(
                lambda session: unread_mails(session, now, most=MOST, most_bytes=MOST_BYTES)
            )
        if mails:
            answers = await self.process.read([mail.raw for mail in mails])
            results = await self._with_files(mails, answers)
            crashpoint("before-reading-commit")
            await self._keep(results)
            crashpoint("after-reading-commit")
        self.last_pass = self._clock()
        return len(mails)

    async def _with_files(self, mails: Sequence[Unread], answers: Sequence[Taken | Unreadable]) -> list[Result]:
        return await asyncio.gather(*map(self._one_with_files, mails, answers))

    async def _one_with_files(self, mail: Unread, answer: Taken | Unreadable) -> Result:
        """Beside others: most of the time of a file is the disk's."""
        if isinstance(answer, Unreadable):
            return mail, answer
        found, contents = answer
        return mail, await asyncio.to_thread(keep_files, self._files, found, contents) if contents else found

    async def _keep(self, results: Sequence[Result]) -> None:
        """All at once; when that fails, one by one, so that a mail that no database takes costs only itself."""
        try:
            await self._database.run(lambda session: self._write(session, results))
            return
        except Exception as error:
            log.warning("reading.kept-one-by-one", error=type(error).__name__)
        for result in results:
            await self._keep_one(result)

    async def _keep_one(self, result: Result) -> None:
        try:
            await self._database.run(lambda session: self._write(session, [result]))
        except Exception as error:
            failed = (result[0], Unreadable(type(error).__name__))
            # Raises when it is the database, and not the mail, that fails.
            await self._database.run(lambda session: self._write(session, [failed]))

    def _write(self, session: Session, results: Sequence[Result]) -> None:
        now = self._clock()
        read = [
            Found(mail.inbox_id, lane_of(found), found.to_json())
            for mail, found in results
            if isinstance(found, Incoming)
        ]
        keep_readings(session, read, now)
        for mail, found in results:
            if isinstance(found, Unreadable):
                self._fail(session, mail, found, now)

    def _fail(self, session: Session, mail: Unread, found: Unreadable, now: datetime) -> None:
        dead = mail.attempts >= len(BACK_OFF)
        next_at = None if dead else now + timedelta(seconds=BACK_OFF[mail.attempts])
        if reading_failed(session, mail, f"Unreadable: {found.why}", next_at):
            event = "inbox.dead-letter" if dead else "inbox.retry"
            log.warning(event, inbox_id=mail.inbox_id, attempt=mail.attempts + 1, error=found.why)


def keep_files(files: Files, incoming: Incoming, contents: Sequence[bytes]) -> Incoming:
    """With its files on disk, each with its name there or why it was not kept."""
    kept = tuple(_keep_one(files, one, content) for one, content in zip(incoming.files, contents, strict=True))
    return replace(incoming, files=kept)


def _keep_one(files: Files, one: Enclosed, content: bytes) -> Enclosed:
    if one.type in MAILS:
        return _keep_mail(files, one, content)
    try:
        stored = store_file(files, one.name, one.type, io.BytesIO(content), limit=LARGEST)
    except FileRefused as refused:
        return replace(one, refused=refused.sentence)
    return replace(one, kept=stored.sha256, size=stored.size, seen=stored.type_seen)


def _keep_mail(files: Files, one: Enclosed, content: bytes) -> Enclosed:
    """A mail holds a web page more often than not, and is none: only mail programs open it."""
    with files.incoming(LARGEST) as file:
        file.write(content)
        stored = file.settle()
    return replace(one, kept=stored.name, size=stored.size, seen=one.type)


async def _either(one: asyncio.Event, other: asyncio.Event, seconds: float) -> None:
    """Until one of two events is set, `seconds` at most."""
    waits = [asyncio.ensure_future(event.wait()) for event in {one, other}]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
