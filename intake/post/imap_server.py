"""Where a mailbox is that we fetch by IMAP, as an administrator writes it. Connects to nothing."""

import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

PORTS = {"imaps": 993, "imap+starttls": 143, "imap": 143}


@dataclass(frozen=True, slots=True)
class ImapServer:
    """Where, as whom, which folder. `scheme`: imaps, imap+starttls, or imap, which is encrypted but on this machine.

    `trust`: whose certificates are believed; None for those that the system believes.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    scheme: str = "imaps"
    trust: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    @classmethod
    def at(cls, url: str) -> "ImapServer":
        """From `imaps://user:password@host:port/FOLDER`. ValueError, saying how it is written, for anything else."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError("write it as imaps://user:password@host:993/INBOX, or imap+starttls://…")
        if not parts.username or not parts.password:
            raise ValueError("user and password are missing: imaps://user:password@host:993/INBOX")
        return cls(
            parts.hostname,
            parts.port or PORTS[parts.scheme],
            unquote(parts.username),
            unquote(parts.password),
            unquote(parts.path.strip("/")) or "INBOX",
            parts.scheme,
        )

    @property
    def account(self) -> str:
        return (self.user if "@" in self.user else f"{self.user}@{self.host}").lower()

    @property
    def in_clear(self) -> bool:
        """Only where no network lies between."""
        return self.scheme == "imap" and _loopback(self.host)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
