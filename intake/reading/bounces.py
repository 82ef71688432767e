"""What a mail server says of a mail of ours that did not arrive. Pure; never fails; believes nothing, reports it.

The standard form is RFC 3464. Of the others those of Exim (a header names the recipients) and qmail are read.
"""

import re

from facts.mail_addresses import read_address
from intake.incoming import Report
from intake.reading.charsets import decoded
from intake.reading.headers import words, written
from intake.reading.parts import Part

MOST = 100  # recipients
LARGEST = 256 * 1024  # bytes of what a server says

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^<>\s\x00]{1,998}>)", re.IGNORECASE | re.MULTILINE)
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_FIELD = re.compile(r"([A-Za-z-]{1,60})\s*:\s*(.*)")
_QMAIL = re.compile(r"^<([^<>\s]{3,254})>:\s*$\n(.{0,400})", re.MULTILINE)
_ACTIONS = frozenset(("failed", "delayed", "delivered", "relayed", "expanded"))
_FAILURE = re.compile(
    r"undeliver|delivery (?:status|failure|has failed)|returned mail|returned to sender|mail delivery failed"
    r"|failure notice|mancato recapito|mancata consegna|non recapitabile|consegna non riuscita|impossibile recapitare",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"mailer-daemon|postmaster", re.IGNORECASE)


def is_report(top: Part, parts: list[Part]) -> bool:
    """Whether it has a part for machines that says what became of a mail."""
    return any(part.type in ("message/delivery-status", "message/global-delivery-status") for part in parts)


def is_old_form(top: Part, null_sender: bool) -> bool:
    if top.first("x-failed-recipients"):
        return True
    daemon = _DAEMON.search(written(top.first("from"))) is not None
    return (null_sender or daemon) and _FAILURE.search(words(top.first("subject"))) is not None


def reports_of(top: Part, parts: list[Part], text: str) -> tuple[Report, ...]:
    """One for each recipient of which something is said."""
    message_id = _returned_id(top, parts)
    for part in parts:
        if part.type in ("message/delivery-status", "message/global-delivery-status"):
            return _standard(part.content()[:LARGEST], message_id)
    return _exim(top, text, message_id) or _qmail(text, message_id)


def _standard(content: bytes, message_id: str) -> tuple[Report, ...]:
    blocks = re.split(r"\n[ \t]*\n", _lines(content))
    found: list[Report] = []
    for block in blocks:
        given = _fields(block)
        recipient = _address(given.get("final-recipient", "")) or _address(given.get("original-recipient", ""))
        action = given.get("action", "").strip().lower()
        if recipient and action in _ACTIONS and len(found) < MOST:
            status = _STATUS.search(given.get("status", "")) or _STATUS.search(given.get("diagnostic-code", ""))
            action = "delivered" if action == "expanded" else action
            found.append(Report(recipient, action, status[1] if status else "", message_id))
    return tuple(found)


def _lines(content: bytes) -> str:
    return decoded(content).replace("\r\n", "\n").strip("\n")


def _fields(block: str) -> dict[str, str]:
    given: dict[str, str] = {}
    name = ""
    for line in block.split("\n"):
        if line[:1] in (" ", "\t") and name:
            given[name] += line
        elif (found := _FIELD.match(line)) is not None:
            name = found[1].lower()
            given.setdefault(name, found[2])
    return given


def _address(value: str) -> str:
    """`rfc822; ada@example.org`, in brackets or not."""
    return read_address(value.rpartition(";")[2].strip().strip("<>")) or ""


def _returned_id(top: Part, parts: list[Part]) -> str:
    """The Message-ID in what came back: whole, its header, or as text below the words of the server."""
    for part in parts:
        if part.type in ("message/rfc822", "text/rfc822-headers", "message/global", "message/rfc822-headers"):
            found = _MESSAGE_ID.search(part.content()[:LARGEST])
            if found is not None:
                return found[1].decode("ascii", "replace")
    found = None if top.children else _MESSAGE_ID.search(top.content()[:LARGEST])
    return found[1].decode("ascii", "replace") if found is not None else ""


def _exim(top: Part, text: str, message_id: str) -> tuple[Report, ...]:
    named = [read_address(one) for one in words(top.first("x-failed-recipients")).split(",")[:MOST]]
    status = _STATUS.search(text)
    return tuple(Report(one, "failed", status[1] if status else "", message_id) for one in named if one)


def _qmail(text: str, message_id: str) -> tuple[Report, ...]:
    """`<address>:` on a line, then why not."""
    found = []
    for one in list(_QMAIL.finditer(text[:LARGEST]))[:MOST]:
        recipient, status = read_address(one[1]), _STATUS.search(one[2])
        if recipient:
            found.append(Report(recipient, "failed", status[1] if status else "", message_id))
    return tuple(found)
