"""Takes mail from the office's mail server by LMTP (RFC 2033), on this machine only. Reads none of it.

"250" is said after the commit, once for each recipient; whatever goes wrong is "451 4.3.0", and the server comes again.
"""

import asyncio
import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope

from intake.post.addressee import handed_over
from intake.post.arrival import LARGEST, RawMail
from intake.post.keeper import Keeper
from storage.database import Database

SESSIONS = 8  # at once; the next is told to come again
PATIENCE = 300.0  # seconds between two commands, and for one mail (RFC 5321 §4.5.3.2)
CHUNK = 64 * 1024  # bytes: what a session holds of a line without end, before it is put aside
LARGE = 1024 * 1024  # bytes: put together on another thread
LONGEST_PAUSE = 60.0  # seconds between two attempts to open the door

KEPT = "250 2.0.0 Kept"
NOT_KEPT = "451 4.3.0 Not kept, come again"
TOO_BIG = "552 5.3.4 The mail is too big"
BUSY = b"421 4.3.2 Too many sessions, come again\r\n"
_BETWEEN = (
    re.compile(r'\s*<((?:"(?:\\.|[^"\\])*"|[^">])*)>(.*)', re.DOTALL),
    re.compile(r"\s*<([^>]*)>(.*)", re.DOTALL),  # whose quotes are not closed
)
_ROUTE = re.compile(r"@[^:]*:")  # RFC 5321, appendix C: to be left out
_END = b".\r\n"

log = structlog.get_logger()


class LmtpDoor:
    """`problem`: why nobody can hand mail over, None when all is well; `last_success`: when that was last so."""

    def __init__(
        self, database: Database, *, host: str, port: int, clock: Callable[[], datetime], certified: str = ""
    ) -> None:
        self.problem: str | None = None
        self.port = port  # 0 = any free one; the real one once open
        self.sessions: set[SMTP] = set()
        self.certified = certified
        self.keeper = Keeper(database, clock)
        self._host, self._clock = host, clock
        self._open = False

    @property
    def last_success(self) -> datetime | None:
        return self._clock() if self._open else None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. A door that is taken by another is tried again, ever more slowly."""
        stopping, pause = asyncio.create_task(stop.wait()), 1.0
        try:
            while not stopping.done():
                try:
                    server = await self._opened()
                except OSError as error:
                    self.problem = f"cannot listen at {self._host}:{self.port}: {os.strerror(error.errno or 0)}"
                    log.error("lmtp.closed", error=type(error).__name__, pause=pause)
                    await asyncio.wait([stopping], timeout=pause)
                    pause = min(pause * 2, LONGEST_PAUSE)
                    continue
                await stopping
                await self._shut(server)
        finally:
            stopping.cancel()

    async def _opened(self) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Session(self, loop), self._host, self.port)
        self.port = server.sockets[0].getsockname()[1]
        self.problem, self._open = None, True
        log.info("lmtp.open", port=self.port)
        return server

    async def _shut(self, server: asyncio.Server) -> None:
        """Nobody new; whoever waits for an answer gets it."""
        self._open = False
        server.close()
        await self.keeper.settled()
        await asyncio.sleep(0)
        for session in list(self.sessions):
            if session.transport is not None:
                session.transport.close()

    async def answer(self, envelope: Envelope, content: bytes) -> str:
        """A line for each recipient, in their order."""

        def mails() -> Iterator[RawMail]:
            for to in envelope.rcpt_tos:
                yield handed_over(content, envelope.mail_from, to, certified=self.certified)

        return _to_each(KEPT if await self.keeper.keep(mails) else NOT_KEPT, envelope)


def _to_each(line: str, envelope: Envelope) -> str:
    return "\r\n".join([line] * len(envelope.rcpt_tos))


class _Said:
    """What aiosmtpd asks. Its own answer to an exception would be a refusal for good, with the exception's words."""

    async def handle_exception(self, error: Exception) -> str:
        log.error("lmtp.broke", error=type(error).__name__)
        return NOT_KEPT


class _Session(LMTP):
    line_length_limit = CHUNK

    def __init__(self, door: LmtpDoor, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            _Said(),
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname="raccordo",
            ident="LMTP",
            timeout=PATIENCE,
            loop=loop,
        )
        self._door = door

    def connection_made(self, transport: Any) -> None:
        if len(self._door.sessions) >= SESSIONS:
            log.warning("lmtp.too-many-sessions")
            transport.write(BUSY)
            transport.close()
            return
        self._door.sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._door.sessions:
            self._door.sessions.discard(self)
            super().connection_lost(error)

    def eof_received(self) -> bool | None:
        return super().eof_received() if self in self._door.sessions else None

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """What stands between the brackets, as it stands there: the library takes it apart, and refuses some for good.

        It has no empty sender either, which is what mail servers write with.
        """
        found = _BETWEEN[0].fullmatch(arg) or _BETWEEN[1].fullmatch(arg)
        if found is None:
            return None, None
        address = _ROUTE.sub("", found[1], count=1) if found[1].startswith("@") else found[1]
        return _Address(address.strip()), found[2]

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        assert self.envelope is not None
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 RCPT first")
            return
        await self.push("354 End with a dot alone")
        content = await self._content()
        envelope = self.envelope
        self.envelope = self._create_envelope()
        if content is None:
            log.warning("lmtp.too-big")
            await self.push(_to_each(TOO_BIG, envelope))
            return
        try:
            said = await self._door.answer(envelope, content)
        except Exception as error:
            log.error("lmtp.broke", error=type(error).__name__)
            said = _to_each(NOT_KEPT, envelope)
        await self.push(said)

    async def _content(self) -> bytes | None:
        """Up to the dot alone, the doubled dots single again (RFC 5321 §4.5.2); None when it is too big.

        Not line by line: a mail has hundreds of thousands, and the library refuses long ones for good.
        """
        parts, size, tail = list[bytes](), 0, b"\r\n"
        while not tail.endswith(b"\r\n" + _END):
            part = await self._up_to_a_dot()
            size += len(part)
            tail = (tail + part)[-5:]
            if size <= LARGEST + len(_END):
                parts.append(part)
            else:
                parts.clear()
        if size > LARGEST + len(_END):
            return None
        return _whole(parts) if size < LARGE else await asyncio.to_thread(_whole, parts)

    async def _up_to_a_dot(self) -> bytes:
        try:
            return await self._reader.readuntil(_END)
        except asyncio.LimitOverrunError as far:
            return await self._reader.read(far.consumed)


def _whole(parts: list[bytes]) -> bytes:
    """Copied as seldom as can be: while a large mail is copied, nobody else is served."""
    parts[-1] = parts[-1][: -len(_END)]
    content = b"".join(parts)
    if b"\r\n." in content:
        content = content.replace(b"\r\n.", b"\r\n")
    return content.removeprefix(b".")


class _Address(str):
    """An address that is there, also when it is the empty one (`MAIL FROM:<>`): the library asks `if not address`."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return True
