"""Has mail read by a process of its own, which may be killed. Believes nothing of it but well-formed frames.

A mail over which the process dies, takes too long or talks nonsense has failed; the others of the same round are read
one at a time by a new process.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog

from intake.incoming import Incoming
from intake.reading.frames import LENGTHS, READY, BadFrame, frame, lengths, taken

WALL = 20.0  # seconds for one mail, from the answer before
STARTING = 30.0  # seconds until a new process is ready
TIRED = 256 * 1024 * 1024  # bytes of mail, after which a new process takes over from one whose memory is in pieces
HERE = Path(__file__).parent.parent.parent

log = structlog.get_logger()


class CannotStart(Exception):
    """There is no process to read mail with, which is no mail's fault."""


@dataclass(frozen=True, slots=True)
class Beliefs:
    """By what a mail is judged; see `intake.mail.read`. `trust`: a path."""

    authserv_id: str = ""
    own: frozenset[str] = frozenset()
    trust: str = ""

    def question(self, raw: bytes) -> bytes:
        return frame({"authserv_id": self.authserv_id, "own": sorted(self.own), "trust": self.trust}, raw)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a mail could not be read, in a word or two."""

    why: str


Taken = tuple[Incoming, list[bytes]]


class ReadingProcess:
    """At most one process at a time, started when there is something to read. One round at a time."""

    def __init__(
        self,
        beliefs: Beliefs,
        *,
        wall: float = WALL,
        command: Sequence[str] = (sys.executable, "-m", "intake.reading.child"),
    ) -> None:
        self.deaths = 0
        self._beliefs, self._wall, self._command = beliefs, wall, command
        self._process: asyncio.subprocess.Process | None = None
        self._given = 0

    async def read(self, mails: Sequence[bytes]) -> list[Taken | Unreadable]:
        """One answer for each mail, in their order. Raises CannotStart."""
        answers = await self._round(mails)
        if len(answers) < len(mails) and len(mails) > 1:
            for raw in mails[len(answers) :]:
                answers += await self._round([raw]) or [Unreadable(self._last_words)]
        return answers or [Unreadable(self._last_words) for _ in mails]

    async def close(self) -> None:
        await self._end()

    _last_words = ""

    async def _round(self, mails: Sequence[bytes]) -> list[Taken | Unreadable]:
        """Answers until one fails to come; then the process is gone."""
        answers: list[Taken | Unreadable] = []
        writing: asyncio.Task[None] | None = None
        process = await self._running()
        try:
            writing = asyncio.create_task(self._ask(process, mails))
            for raw in mails:
                answers.append(await self._answer(process))
                self._given += len(raw)
            if self._given >= TIRED:
                await self._end()
        except (TimeoutError, OSError, EOFError, BadFrame) as error:
            self._last_words = {TimeoutError: "took too long", BadFrame: "broke the framing"}.get(type(error), "died")
            self.deaths += 1
            log.warning("reading.process-ended", why=self._last_words, answered=len(answers))
            await self._end()
        except BaseException:
            await self._end()
            raise
        finally:
            if writing is not None:
                writing.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await writing
        return answers

    async def _ask(self, process: asyncio.subprocess.Process, mails: Sequence[bytes]) -> None:
        assert process.stdin is not None
        with suppress(OSError):  # it died: its answer will not come
            for raw in mails:
                process.stdin.write(self._beliefs.question(raw))
                await process.stdin.drain()

    async def _answer(self, process: asyncio.subprocess.Process) -> Taken | Unreadable:
        async with asyncio.timeout(self._wall):
            found = taken(*await _frame(process))
        if isinstance(found, str):
            self._given = TIRED  # it may have been its memory: the next try is another process's
            return Unreadable(found)
        return found

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        try:
            return await self._started()
        except (TimeoutError, OSError, EOFError, BadFrame) as error:
            await self._end()
            raise CannotStart(type(error).__name__) from error
        except BaseException:
            await self._end()
            raise

    async def _started(self) -> asyncio.subprocess.Process:
        # Nothing of our environment: settings hold passwords and keys.
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd=HERE,
            env={"PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
            limit=1024 * 1024,
        )
        self._given = 0
        async with asyncio.timeout(STARTING):
            words, _ = await _frame(self._process)
        if words != orjson.dumps(READY):
            raise BadFrame("not ready")
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _frame(process: asyncio.subprocess.Process) -> tuple[bytes, bytes]:
    """What it says next. Raises EOFError when it says nothing more, BadFrame."""
    assert process.stdout is not None
    heading, content = lengths(await process.stdout.readexactly(LENGTHS.size))
    return await process.stdout.readexactly(heading), await process.stdout.readexactly(content)
