"""Fetches files from Telegram, each a job of its own, streamed to disk. Judges nothing: what is kept, `intake` says.

A claim is a row whose time has been moved ahead: a process that dies leaves it to the next. What cannot be had is told
to the person, with the way to leave it where it belongs.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session
from telegram import Bot
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.files import missing_words
from delivery.outbox import queue_to
from delivery.telegram import call, download
from intake import expected
from intake.expected import WhyMissing
from intake.files import FileEmpty, FileRefused, FileTooLarge, StoredFile, arriving
from storage import attachments
from storage.crash import crashpoint
from storage.database import Database
from storage.files import Files
from storage.tables import Attachment, Channel, OutboxKind, Referent

AT_ONCE = 3
LOOK_EVERY = 1.0  # seconds
LONGEST_REST = 10.0  # seconds, while the database refuses
LONGEST_FETCH = 110.0  # seconds: less than the lease

log = structlog.get_logger()


class Fetcher:
    """Fetches what waits until told to stop, a few at a time."""

    def __init__(self, database: Database, bot: Bot, files: Files, clock: Callable[[], datetime]) -> None:
        self._database, self._bot, self._files, self._clock = database, bot, files, clock

    async def run(self, stop: asyncio.Event) -> None:
        failures, began = 0, False
        while not stop.is_set():
            try:
                if not began and self._database.is_sqlite:
                    # Only one process can exist: what a dead one was fetching need not wait for its time to run out.
                    await self._database.run(lambda session: attachments.take_back(session, self._clock()))
                began = True
                busy = await self.fetch_some()
                failures = 0
            except Exception as error:  # a locked database must not end the fetching for good
                log.error("file.pass-failed", error=type(error).__name__)
                busy, failures = False, failures + 1
            if not busy:
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), min(LOOK_EVERY * 2**failures, LONGEST_REST))

    async def fetch_some(self) -> bool:
        """A few files at once; whether there was one."""
        if not await self._database.look(lambda session: attachments.any_to_fetch(session, self._clock())):
            return False
        return any(await asyncio.gather(*(self.fetch_one() for _ in range(AT_ONCE))))

    async def fetch_one(self) -> bool:
        """The next file that is due, if there is one; whatever goes wrong with it is written down."""
        row = await self._database.run(lambda session: expected.claim(session, self._clock()))
        if row is None:
            return False
        outcome = await self._outcome(row)
        crashpoint("after-fetch")
        await self._database.run(lambda session: self._write_down(session, row, outcome))
        return True

    async def _outcome(self, row: Attachment) -> StoredFile | Exception:
        try:
            async with asyncio.timeout(LONGEST_FETCH):
                return await self._fetched(row)
        except (FileRefused, TelegramError, TimeoutError, OSError) as error:
            log.warning("file.not-fetched", attachment=row.id, attempt=row.attempts, error=type(error).__name__)
            return error

    async def _fetched(self, row: Attachment) -> StoredFile:
        """On disk for good. The disk is not waited for by everybody else: it has threads of its own."""
        found = await call(self._bot, "getFile", {"file_id": row.file_id})
        path = found.get("file_path") if isinstance(found, dict) else None
        if not isinstance(path, str):
            raise BadRequest("no file path")
        with arriving(self._files, row.name, row.type_claimed) as file:
            async for piece in download(self._bot, path):
                await asyncio.to_thread(file.write, piece)
            return await asyncio.to_thread(file.settle)

    def _write_down(self, session: Session, row: Attachment, outcome: StoredFile | Exception) -> None:
        if isinstance(outcome, StoredFile):
            expected.arrived(session, row, outcome, self._clock())
            log.info("file.fetched", attachment=row.id, attempt=row.attempts)
        elif isinstance(outcome, FileRefused):
            self._give_up(session, row, _why(outcome))
        elif isinstance(outcome, RetryAfter):
            wait = outcome.retry_after
            self._try_again(session, row, wait.total_seconds() if isinstance(wait, timedelta) else float(wait))
        elif isinstance(outcome, BadRequest) and "too big" in outcome.message.lower():
            self._give_up(session, row, WhyMissing.TOO_LARGE)
        elif isinstance(outcome, BadRequest) and row.attempts > 1:
            self._give_up(session, row, WhyMissing.EXPIRED)  # once may be a moment's trouble
        else:
            self._try_again(session, row, 0.0)

    def _try_again(self, session: Session, row: Attachment, seconds: float) -> None:
        if not expected.try_again(session, row, self._clock(), seconds):
            self._give_up(session, row, WhyMissing.EXPIRED)

    def _give_up(self, session: Session, row: Attachment, why: WhyMissing) -> None:
        if not expected.cannot_be_had(session, row, why) or row.referent_id is None:
            return
        if not attachments.has_home(session, row.id):
            return  # left out, or replaced by another: nobody misses it; what still gathers is told when it is placed
        log.info("file.missing", attachment=row.id, why=why.value)
        referent = session.get_one(Referent, row.referent_id)
        queue_to(
            session,
            referent.id,
            missing_words(referent.language, row.id, row.name, why),
            kind=OutboxKind.NOTICE,
            now=self._clock(),
            dedupe_key=f"file:{row.id}:missing",
            prefer=Channel.TELEGRAM,
        )


def _why(refused: FileRefused) -> WhyMissing:
    if isinstance(refused, FileTooLarge):
        return WhyMissing.TOO_LARGE
    return WhyMissing.EXPIRED if isinstance(refused, FileEmpty) else WhyMissing.REFUSED
