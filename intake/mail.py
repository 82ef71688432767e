"""A mail as one frozen value, whatever it looks like. Pure: no network, no database; never raises, never executes.

Python's own parser is quadratic on odd mail and makes an object of each of 200,000 parts: `intake/reading` looks for
boundaries only, decodes by itself and stops at limits; what was too much is said in `left_out`. A mail that came as
certified is read from inside its envelope (`intake/pec.py`).
"""

import hashlib
import re
from dataclasses import replace
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING

from intake.incoming import Envelope, Incoming, PecKind
from intake.reading import bounces
from intake.reading.addresses import sender as the_sender
from intake.reading.addresses import writers
from intake.reading.gathering import Gathered, gather, leaves
from intake.reading.headers import words, written
from intake.reading.kinds import kind_of
from intake.reading.parts import LARGEST, Limits, Part, take_apart
from intake.reading.quotes import fold
from intake.reading.verdicts import passed_domain
from storage.words import LetterKind

if TYPE_CHECKING:
    from intake.certified.trust import Trust

OWN_HEADERS = "x-raccordo-"  # what we ourselves say to our machines; nobody else is believed
MOST_REFERENCES = 100
MOST_ADDRESSES = 200
LONGEST_SUBJECT = 1000
LONGEST_ID = 998  # RFC 5322 §2.1.1

_ID = re.compile(rf"<[^<>\s]{{1,{LONGEST_ID}}}>")
_DOORS = ("delivered-to", "x-original-to", "envelope-to", "to", "cc")
_CERTIFIED = ("x-trasporto", "x-ricevuta")


def read(raw: bytes, *, authserv_id: str = "", own: frozenset[str] = frozenset(), trust: str = "") -> Incoming:
    """What this mail says.

    `authserv_id`: the server whose Authentication-Results are believed. `own`: our addresses, without `+token`; when
    given, `delivered_to` has only those of them, with their tokens. `trust`: the certificates of providers of certified
    mail, a path.

    `fingerprint`: SHA-256 over the following, each followed by a NUL: Message-ID, From, Date and Subject as people read
    them, blanks gathered; the text before anything is folded, without blanks at the ends of its lines; the SHA-256 of
    each file's content. What servers add on its way (Received, Delivered-To, Return-Path) is not in it.
    """
    limits = Limits()
    top = take_apart(raw, limits)
    top.headers = [(name, value) for name, value in top.headers if not name.startswith(OWN_HEADERS)]
    opened = _envelope(raw, top, trust)
    if opened is None:
        return _read(top, limits, authserv_id, own)
    envelope, inner = opened
    if inner is None:
        incoming = _read(top, limits, "", own)
        return replace(incoming, pec=envelope, kind=LetterKind.RECEIPT if _is_receipt(envelope) else incoming.kind)
    return _from_inside(envelope, inner, top, limits, own)


def _is_receipt(envelope: Envelope) -> bool:
    return envelope.kind not in (PecKind.TRANSPORT, PecKind.ANOMALY)


def _from_inside(envelope: Envelope, inner: bytes, outer: Part, limits: Limits, own: frozenset[str]) -> Incoming:
    """What was put into the envelope; by which doors it came, the envelope says as well.

    Nothing that the inside says of servers is believed: whoever wrote it could write that too.
    """
    top = take_apart(inner, limits)
    top.headers = [(name, value) for name, value in top.headers if not name.startswith(OWN_HEADERS)]
    incoming = _read(top, limits, "", own)
    doors = dict.fromkeys((*_delivered_to(outer, own), *incoming.delivered_to))
    writer = incoming.sender.address if incoming.sender is not None and not incoming.doubt else ""
    return replace(
        incoming, pec=_vouched_for(envelope, writer), delivered_to=tuple(doors)[:MOST_ADDRESSES], null_sender=False
    )


def _envelope(raw: bytes, top: Part, trust: str) -> tuple[Envelope, bytes | None] | None:
    """What `intake/pec.py` makes of it, when its headers say that it is certified. It loads much: only then."""
    if not any(top.first(name) for name in _CERTIFIED):
        return None
    from intake.pec import open_envelope

    return open_envelope(raw[:LARGEST], top.heading(), _trusted(trust))


def _vouched_for(envelope: Envelope, writer: str) -> Envelope:
    from intake.pec import vouched_for

    return vouched_for(envelope, writer)


@cache
def _trusted(path: str) -> "Trust":
    """Read once: a process that reads mail is told of one place only."""
    from intake.certified.trust import Trust

    return Trust.load(path)


def _read(top: Part, limits: Limits, authserv_id: str, own: frozenset[str]) -> Incoming:
    parts = [part for part, _ in leaves(top)]
    null_sender = top.first("return-path").replace(b" ", b"") == b"<>"
    kind = kind_of(top, parts, null_sender)
    gathered = gather(top, limits, bounce=kind is LetterKind.BOUNCE)
    whole = gathered.text
    text, quoted = fold(whole)
    writer, doubt = the_sender(top.all("from"))
    domain = "" if writer is None or doubt else writer.address
    return Incoming(
        kind=kind,
        fingerprint=_fingerprint(top, whole, gathered),
        sender=writer,
        doubt=doubt,
        reply_to=writers(top.all("reply-to"))[:10],
        delivered_to=_delivered_to(top, own),
        null_sender=null_sender,
        subject=words(top.first("subject"))[:LONGEST_SUBJECT],
        date=_date(top),
        message_id=_message_id(top),
        references=_references(top),
        text=text,
        quoted=quoted,
        files=tuple(gathered.files),
        events=tuple(gathered.events),
        dmarc=passed_domain(top.all("authentication-results"), authserv_id, domain),
        reports=bounces.reports_of(top, parts, whole) if kind is LetterKind.BOUNCE else (),
        left_out=tuple(limits.left_out),
    )


def _date(top: Part) -> str:
    """ISO 8601, or "" when it is none."""
    try:
        return parsedate_to_datetime(words(top.first("date"))[:100]).isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


def _message_id(top: Part) -> str:
    text = written(top.first("message-id"))
    found = _ID.search(text)
    return found[0] if found else " ".join(text.split())[:LONGEST_ID]


def _references(top: Part) -> tuple[str, ...]:
    """Oldest first, what it answers last."""
    earlier = _ID.findall(written(top.first("references")))[-MOST_REFERENCES:]
    answered = _ID.findall(written(top.first("in-reply-to")))[:1]
    return (*dict.fromkeys(one for one in earlier if one not in answered), *answered)


def _delivered_to(top: Part, own: frozenset[str]) -> tuple[str, ...]:
    """What servers say first, then what the writer wrote."""
    found = [one.address for name in _DOORS for one in writers(top.all(name))]
    ours = [one for one in found if not own or _without_token(one) in own]
    return tuple(dict.fromkeys(ours))[:MOST_ADDRESSES]


def _without_token(address: str) -> str:
    name, _, domain = address.rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"


def _fingerprint(top: Part, text: str, gathered: Gathered) -> str:
    digest = hashlib.sha256()
    for name in ("message-id", "from", "date", "subject"):
        digest.update(words(top.first(name)).encode("utf-8", "replace") + b"\x00")
    digest.update("\n".join(line.rstrip() for line in text.split("\n")).strip().encode("utf-8", "replace") + b"\x00")
    for one in gathered.files:
        digest.update(hashlib.sha256(one.content).digest() + b"\x00")
    return digest.hexdigest()
