"""One connection to a mailbox by IMAP (RFC 9051): encrypted or not at all, looking without touching. Decides nothing.

Blocks: it is used in a thread of its own. Nothing is marked as read, nothing deleted; what moves keeps its flags.
"""

import re
import select
import socket
import ssl
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from imap_tools import BaseMailBox, MailBox, MailBoxUnencrypted
from imap_tools.utils import encode_folder

from intake.post.imap_server import ImapServer

TIMEOUT = 30.0  # seconds that a server may take for one answer
_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)


class ImapFailed(Exception):
    """The server said no; the text says to what, never a password or a person's words."""


class SignInRefused(ImapFailed):
    """User and password are wrong, or the server is in no mood: to be tried again slowly."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """`whole` is False when `content` is its head only."""

    uid: int
    content: bytes
    whole: bool = True


class Connection:
    """Signed in, one folder open. After any exception it is good for nothing more."""

    def __init__(self, server: ImapServer, *, timeout: float = TIMEOUT) -> None:
        self.server = server
        self._box, self._timeout = _connected(server, timeout), timeout
        self._client: Any = self._box.client
        try:
            _sign_in(self._box, server)
            # Many tell what they can do only to whom they know.
            self._can = _words(self._client.capability())
            self._open(server.folder)
            self.uidvalidity = self._number("UIDVALIDITY")
            self.uidnext = self._number("UIDNEXT") or sys.maxsize  # some do not say
        except BaseException:
            self.close()
            raise

    def _open(self, folder: str) -> None:
        try:
            self._client.select(encode_folder(folder))
        except self._client.readonly:
            self._can -= {"MOVE", "UIDPLUS"}
            self._client.select(encode_folder(folder), readonly=True)
        if self._client.state != "SELECTED":
            raise ImapFailed(f"there is no folder {folder}")

    def wake(self) -> None:
        """From any thread: whoever waits for the server waits no longer."""
        with suppress(OSError):
            socket.socket.shutdown(self._client.sock, socket.SHUT_RDWR)

    def close(self) -> None:
        self.wake()
        _close(self._client)

    def newer_than(self, uid: int) -> list[int]:
        """The numbers that are there, in their order."""
        self._done("NOOP", self._client.noop())
        found = self._uid("SEARCH", f"UID {uid + 1}:*")
        # `n:*` is never empty: where nothing is newer it is the last one (RFC 9051 §6.4.4).
        return sorted(number for number in map(int, b" ".join(filter(None, found)).split()) if number > uid)

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Bytes of each that is still there."""
        sizes = {}
        for text, _ in _answers(self._uid("FETCH", _set(uids), "(UID RFC822.SIZE)")):
            uid, size = _UID.search(text), _SIZE.search(text)
            if uid and size:
                sizes[int(uid[1])] = int(size[1])
        return sizes

    def whole(self, uids: Sequence[int]) -> list[Fetched]:
        """Those that are still there, unread as before."""
        return [Fetched(uid, content) for uid, content in self._literals(uids, "BODY.PEEK[]")]

    def head(self, uid: int) -> list[Fetched]:
        return [Fetched(uid, content, False) for uid, content in self._literals([uid], "BODY.PEEK[HEADER]")]

    def _literals(self, uids: Sequence[int], what: str) -> Iterator[tuple[int, bytes]]:
        for text, content in _answers(self._uid("FETCH", _set(uids), f"(UID {what})")):
            uid = _UID.search(text)
            if uid and content is not None:
                yield int(uid[1]), content

    # --- putting away

    @property
    def can_move(self) -> bool:
        """Whether one mail can be moved and no other touched: a bare EXPUNGE deletes whatever else is marked."""
        return bool({"MOVE", "UIDPLUS"} & self._can)

    def make_folder(self, name: str) -> str | None:
        """What it is called here; None when it cannot be made. Some servers keep all folders below INBOX."""
        _, listed = self._client.list('""', '""')
        quoted = re.search(rb'\) "(\\?.)" ', next((one for one in listed if isinstance(one, bytes)), b""))
        below = f"INBOX{quoted[1][-1:].decode() if quoted else '.'}{name}"
        for one in (name, below):
            if self._box.folder.exists(one):
                return one
        for one in (name, below):
            if self._client.create(encode_folder(one))[0] == "OK":
                self._client.subscribe(encode_folder(one))
                return one
        return None

    def move(self, uids: Sequence[int], folder: str) -> None:
        if "MOVE" in self._can:
            self._uid("MOVE", _set(uids), encode_folder(folder))
            return
        self._uid("COPY", _set(uids), encode_folder(folder))
        self._uid("STORE", _set(uids), "+FLAGS.SILENT", r"(\Deleted)")
        self._uid("EXPUNGE", _set(uids))

    # --- waiting

    @property
    def can_wait(self) -> bool:
        return "IDLE" in self._can

    def begin_waiting(self) -> None:
        _untyped(self._box.idle).start()

    def something_came(self, seconds: float) -> bool:
        """Whether the server has said anything while we waited, also that it hangs up."""
        if self._said_before():
            return True
        poller = select.poll()
        poller.register(self._client.sock, select.POLLIN | select.POLLHUP | select.POLLERR)
        return bool(poller.poll(seconds * 1000))

    def end_waiting(self) -> None:
        """Raises when the server does not answer any more."""
        _untyped(self._box.idle).stop()

    def _said_before(self) -> bool:
        """What came in one piece with "+ idling" lies in a buffer, and the socket shows nothing."""
        sock: Any = self._client.sock
        sock.settimeout(0)
        try:
            return bool(self._client.file.peek(1))
        except (OSError, ValueError):
            return False
        finally:
            sock.settimeout(self._timeout)

    # --- speaking

    def _number(self, name: str) -> int:
        found = self._client.response(name)[1]
        return int(found[-1]) if found and found[-1] else 0

    def _uid(self, command: str, *rest: Any) -> list[Any]:
        try:
            answer = self._client.uid(command, *rest)
        except self._client.abort:
            raise
        except self._client.error as error:  # "BAD"; its text may hold what was asked
            raise ImapFailed(f"the server does not understand UID {command}") from error
        return self._done(f"UID {command}", answer)

    def _done(self, what: str, answer: tuple[str, list[Any]]) -> list[Any]:
        if answer[0] != "OK":
            raise ImapFailed(f"the server refuses {what}")
        return answer[1]


def _untyped(what: Any) -> Any:
    return what


def _connected(server: ImapServer, timeout: float) -> BaseMailBox:
    if server.in_clear:
        return MailBoxUnencrypted(server.host, server.port, timeout=timeout)
    context = server.trust or ssl.create_default_context()
    if server.scheme == "imaps":
        return MailBox(server.host, server.port, timeout=timeout, ssl_context=context)
    box = MailBoxUnencrypted(server.host, server.port, timeout=timeout)
    try:
        _encrypt(box.client, context)
    except BaseException:
        _close(box.client)
        raise
    return box


def _encrypt(client: Any, context: ssl.SSLContext) -> None:
    if "STARTTLS" not in client.capabilities or client.state != "NONAUTH":
        raise ImapFailed("the server offers no encryption (STARTTLS), and nothing is sent in clear")
    in_clear = client.file
    if client.starttls(context)[0] != "OK":
        raise ImapFailed("the server refuses to encrypt, and nothing is sent in clear")
    in_clear.close()


def _close(client: Any) -> None:
    with suppress(OSError, ValueError):
        client.shutdown()


def _sign_in(box: BaseMailBox, server: ImapServer) -> None:
    try:
        if "AUTH=PLAIN" in _words(box.client.capability()):
            box.login_utf8(server.user, server.password, initial_folder=None)
        else:
            box.login(server.user, server.password, initial_folder=None)
    except (OSError, box.client.abort):
        raise
    except Exception as error:  # its text may repeat what was sent
        raise SignInRefused(f"the server refuses user and password ({type(error).__name__})") from None


def trouble(error: Exception) -> str:
    """What went wrong, in words for whoever looks after the service. Never what a server or a person said."""
    if isinstance(error, ImapFailed):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return "the server's name is not known"
    if isinstance(error, TimeoutError):
        return "the server does not answer"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return type(error).__name__


def _words(answer: tuple[str, list[Any]]) -> frozenset[str]:
    return frozenset(b" ".join(filter(None, answer[1])).decode("ascii", "replace").upper().split())


def _set(uids: Sequence[int]) -> str:
    return ",".join(map(str, uids))


def _answers(data: Sequence[Any]) -> Iterator[tuple[bytes, bytes | None]]:
    """Each answer's words, before and after its literal, and the literal. As imaplib hands them out: in pieces."""
    text, literal = b"", None
    for piece in data:
        if isinstance(piece, tuple):
            text, literal = piece[0], piece[1]
            continue
        if piece is None:
            continue
        yield text + b" " + piece, literal
        text, literal = b"", None
