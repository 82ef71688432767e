"""Sends a parcel by SMTP and says what the answer means. Refuses to retry; one mail, one recipient.

Until DATA nothing has been handed over; after it, only a reply says whether the mail was taken.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.errors import MessageError
from ipaddress import ip_address
from time import monotonic
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from delivery.errors import Blocked, DeliveryError, NeverLeft, Uncertain
from delivery.letter import address_of, compose, domain_of, going
from delivery.parcel import Parcel
from storage.files import Files
from storage.sealing import CannotOpen

PORTS = {"smtp": 25, "smtps": 465}
FRESH = 20.0  # seconds that an idle connection is trusted; servers hang up after some minutes at the earliest
KEPT = 4  # idle connections

# What says that nobody is there; any other 5xx may be a relay that was set up badly, and then it says so of everybody.
_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")
_SENDER_SIDE = {"7", "8", "9"}  # RFC 3463 §3.2, RFC 7505: 5.1.7 to 5.1.9 speak of the sender and of relays
_UNKNOWN_USER = re.compile(
    r"(user|mailbox|recipient|address|account)\b.*\b(unknown|not found|does not exist|unavailable|invalid)"
    r"|(unknown|no such|invalid)\b.*\b(user|mailbox|recipient|address|account)",
    re.IGNORECASE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Server:
    """Where and as whom. STARTTLS is used whenever a `smtp://` server offers it; a password waits for it."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    tls: bool = False

    @property
    def needs_starttls(self) -> bool:
        """A password does not cross a network in clear; on this machine it may."""
        return self.user is not None and not self.tls and not _loopback(self.host)

    @classmethod
    def at(cls, smtp_url: str) -> "Server":
        """From `smtp://user:pw@host:587` or `smtps://…`. ValueError for anything else."""
        url = urlsplit(smtp_url)
        if url.scheme not in PORTS or not url.hostname:
            raise ValueError("the mail server is written smtp://user:password@host:port or smtps://…")
        user = unquote(url.username) if url.username else None
        password = unquote(url.password) if url.password else None
        return cls(url.hostname, url.port or PORTS[url.scheme], user, password, url.scheme == "smtps")


class MailSender:
    """Keeps its connections for the next mail. `close()` at the end."""

    def __init__(
        self,
        smtp_url: str,
        mail_from: str,
        reply_to: str = "",
        *,
        files: Files | None = None,
        timeout: float = 30.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._server = Server.at(smtp_url)
        self._from, self._reply_to, self._timeout, self._clock = mail_from, reply_to, timeout, clock
        self._files = files
        self._idle: list[tuple[SMTP, float]] = []

    async def send(self, parcel: Parcel) -> str | None:
        """The mail's Message-ID. Raises DeliveryError."""
        content = await asyncio.to_thread(self._written, parcel) if parcel.files else self._written(parcel)
        connection = await self._connection()
        try:
            await self._hand_over(connection, parcel.address, content)
        except BaseException:
            connection.close()  # in the middle of a dialogue it is good for nothing more
            raise
        self._idle.append((connection, monotonic()))
        del self._idle[:-KEPT]
        return parcel.message_id(domain_of(self._from))

    async def greet(self) -> None:
        """Connects, signs in and leaves: for `raccordo check`. Raises DeliveryError."""
        connection = await self._connection()
        connection.close()

    async def close(self) -> None:
        for connection, _ in self._idle:
            connection.close()
        self._idle.clear()

    def _written(self, parcel: Parcel) -> bytes:
        try:
            return compose(parcel, self._from, self._reply_to, self._clock(), self._content_of(parcel)).as_bytes()
        except (FileNotFoundError, CannotOpen) as lost:
            raise DeliveryError(f"a file cannot be opened: {type(lost).__name__}", permanent=True) from None
        except (ValueError, IndexError, MessageError) as error:
            raise DeliveryError(f"no mail can be made of it: {type(error).__name__}", permanent=True) from None

    def _content_of(self, parcel: Parcel) -> dict[str, bytes]:
        found = {}
        for one in going(parcel) if self._files is not None else ():
            assert self._files is not None
            with self._files.open(one.kept) as file:
                found[one.kept] = file.read()
        return found

    async def _connection(self) -> SMTP:
        while self._idle:
            connection, used_at = self._idle.pop()
            if connection.is_connected and monotonic() - used_at < FRESH:
                return connection
            connection.close()
        server = self._server
        connection = SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user,
            password=server.password,
            use_tls=server.tls,
            start_tls=True if server.needs_starttls else None,
            timeout=self._timeout,
        )
        try:
            await connection.connect()
        except (SMTPException, OSError, ValueError) as error:
            connection.close()
            if server.needs_starttls and type(error) is SMTPException:  # what the library raises for just this
                raise NeverLeft("the server offers no STARTTLS, and the password is not sent in clear") from None
            raise _no_connection(error) from None
        return connection

    async def _hand_over(self, connection: SMTP, recipient: str, content: bytes) -> None:
        try:
            await connection.mail(address_of(self._from))
            await connection.rcpt(recipient)
        except SMTPRecipientRefused as error:
            raise _recipient_refused(error) from None
        except SMTPSenderRefused as error:
            raise NeverLeft(f"{error.code} sender refused") from None
        except SMTPResponseException as error:
            raise _by_code(error) from None
        except (SMTPException, OSError) as error:
            raise NeverLeft(type(error).__name__) from None
        try:
            await connection.data(content)
        except SMTPDataError as error:
            raise _by_code(error) from None
        except (SMTPException, OSError) as error:
            raise Uncertain(f"{type(error).__name__} after DATA") from None


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def _no_connection(error: Exception) -> DeliveryError:
    if isinstance(error, SMTPAuthenticationError):
        # A wrong password, as a wrong sender, concerns every mail and can be mended.
        return NeverLeft(f"{error.code} sign-in refused")
    return NeverLeft(type(error).__name__)


def _recipient_refused(error: SMTPRecipientRefused) -> DeliveryError:
    if error.code < 500:
        return _by_code(error)
    if _nobody_there(error.code, error.message):
        return Blocked(f"{error.code} recipient refused")
    return DeliveryError(f"{error.code} refused for this recipient", permanent=True)


def _nobody_there(code: int, message: str) -> bool:
    """RFC 3463: 5.1.x is about the address. Without an enhanced code only the words tell."""
    enhanced = _ENHANCED.search(message)
    if enhanced is not None:
        return enhanced[1] == "1" and enhanced[2] not in _SENDER_SIDE
    return code in {550, 553} and _UNKNOWN_USER.search(message) is not None


def _by_code(error: SMTPResponseException) -> DeliveryError:
    """The server's words may name the recipient: only its code is kept. 421 is a server about to stop."""
    return DeliveryError(f"{error.code} {type(error).__name__}", permanent=error.code >= 500)
