"""A mailbox that takes every mail sent to it by SMTP and keeps it; refuses to deliver anything anywhere."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cached_property
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.updates import Bell

LARGEST = 30 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived: the envelope and the raw bytes; the rest is read from them."""

    number: int
    received: datetime
    mail_from: str
    recipients: tuple[str, ...]
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        return BytesParser(policy=policy.default).parsebytes(self.raw)

    @property
    def subject(self) -> str:
        return str(self.message.get("Subject", ""))

    @property
    def sender(self) -> str:
        return str(self.message.get("From", self.mail_from))

    @property
    def message_id(self) -> str:
        return str(self.message.get("Message-ID", "")).strip()

    @cached_property
    def text(self) -> str:
        return self._part("plain")

    @cached_property
    def html(self) -> str:
        return self._part("html")

    @property
    def attachments(self) -> list[str]:
        return [part.get_filename() or part.get_content_type() for part in self.message.iter_attachments()]

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


@dataclass(slots=True)
class MailFault:
    """What goes wrong for one address: `code` refuses it at RCPT; 0 closes the connection after DATA, unanswered."""

    code: int
    times: int | None
    keep: bool = True

    def strikes(self) -> bool:
        if self.times == 0:
            return False
        if self.times is not None:
            self.times -= 1
        return True


@dataclass
class MailSandbox:
    """The SMTP door and all the mail that came; lives in the running event loop between `start` and `stop`."""

    host: str = "127.0.0.1"
    port: int = 0  # 0 = any free one; the real one once started
    clock: Callable[[], float] = time.time
    messages: list[Mail] = field(default_factory=list)
    bell: Bell = field(default_factory=Bell)
    closing: bool = False
    when_kept: list[Callable[[Mail], None]] = field(default_factory=list)
    _faults: dict[str, MailFault] = field(default_factory=dict)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"smtp://{self.host}:{self.port}"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def connected() -> SMTP:
            return SMTP(
                _Door(self), data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="sandbox.example", loop=loop
            )

        self._server = await loop.create_server(connected, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Ends the waits of pages, so that a server can stop at once."""
        self.closing = True
        self.bell.ring()

    async def stop(self) -> None:
        self.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def reject(self, address: str, code: int = 550, *, times: int | None = None) -> None:
        """Refuses this recipient: 550 for good, 451 for a while; `times` = how often, None = always."""
        self._faults[address.lower()] = MailFault(code, times)

    def drop_after_data(self, address: str, *, times: int | None = 1, keep: bool = True) -> None:
        """Takes the mail (`keep=False`: loses it) and hangs up before the answer: the sender can't know."""
        self._faults[address.lower()] = MailFault(0, times, keep)

    def accept_all(self) -> None:
        """Ends every fault."""
        self._faults.clear()

    def to(self, address: str) -> list[Mail]:
        """The mail for one address, oldest first."""
        return [mail for mail in self.messages if address.lower() in map(str.lower, mail.recipients)]

    async def wait_for_mail(self, to: str = "", *, containing: str = "", after: int = 0, timeout: float = 30.0) -> Mail:
        """The first mail newer than number `after` for this address whose subject or text contains; TimeoutError."""

        def look() -> Mail | None:
            fresh = (mail for mail in (self.to(to) if to else self.messages) if mail.number > after)
            return next((mail for mail in fresh if containing in mail.subject or containing in mail.text), None)

        return await self.bell.wait_for(look, timeout)

    def keep(self, envelope: Envelope) -> Mail:
        raw = envelope.original_content or b""
        recipients = tuple(envelope.rcpt_tos)
        received = datetime.fromtimestamp(self.clock(), UTC)
        mail = Mail(len(self.messages) + 1, received, envelope.mail_from or "", recipients, raw)
        self.messages.append(mail)
        self.bell.ring()
        for told in self.when_kept:
            told(mail)
        return mail

    def fault_for(self, address: str, *, at_rcpt: bool) -> MailFault | None:
        """The fault that strikes now for this address, counted as used."""
        fault = self._faults.get(address.lower())
        if fault is None or bool(fault.code) is not at_rcpt:
            return None
        return fault if fault.strikes() else None


class _Door:
    """What aiosmtpd asks while a mail comes in."""

    def __init__(self, sandbox: MailSandbox) -> None:
        self.sandbox = sandbox

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        fault = self.sandbox.fault_for(address, at_rcpt=True)
        if fault is not None:
            kind = "5.1.1 No such user" if fault.code >= 500 else "4.3.0 Try again later"
            return f"{fault.code} {kind}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        faults = [self.sandbox.fault_for(address, at_rcpt=False) for address in envelope.rcpt_tos]
        struck = next(filter(None, faults), None)
        if struck is None or struck.keep:
            self.sandbox.keep(envelope)
        if struck is not None:
            transport: Any = server.transport
            transport.abort()
        return "250 OK: kept in the sandbox"

    async def handle_exception(self, error: Exception) -> str:
        return "451 4.3.0 The sandbox could not keep this mail"
