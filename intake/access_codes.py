"""The six digits that prove that a mailbox is theirs: made, limited, mailed, compared. Never written down.

A code follows from the house's key and from its request, so that it need not be kept: what is kept is a keyed hash,
of which a stolen database makes nothing. It is worked out again while its mail is being worded.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from delivery.outbox import queue
from delivery.words import UNWRITTEN, Words
from facts.languages import N_, Language, speaking
from intake.refusal import NotTaken
from storage import access, people
from storage.tables import AccessRequest, AccessState, Channel, Outbox, OutboxKind

LASTS = timedelta(minutes=30)
TRIES = 5
A_DAY = 3  # codes per chat, and per mailbox
AN_HOUR = 60  # codes in all: nobody floods mailboxes with our help

_CODE = re.compile(r"(\d{3})[ .-]?(\d{3})", re.ASCII)


def read_code(text: str) -> str | None:
    """The six digits of `123456`, `123 456` or `123-456`; None for anything else. Pure."""
    found = _CODE.fullmatch(text.strip())
    return found[1] + found[2] if found else None


def code_of(request_id: int, email: str, sent_at: datetime, key: bytes) -> str:
    """The code sent to `email` at that instant. Pure."""
    instant = sent_at.astimezone(UTC).isoformat()
    number = int.from_bytes(_keyed(key, f"access-code|{request_id}|{email}|{instant}"), "big")
    return f"{number % 1_000_000:06}"


def hash_of(code: str, request_id: int, key: bytes) -> str:
    """What is kept of it: a million codes are tried in a second, but not without the key. Pure."""
    return _keyed(key, f"access-code-hash|{request_id}|{code}").hex()


def _keyed(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def fits(code: str, request: AccessRequest, key: bytes) -> bool:
    assert request.code_hash is not None, "the caller knows that a code was sent"
    return hmac.compare_digest(hash_of(code, request.id, key), request.code_hash)


def is_too_old(request: AccessRequest, now: datetime) -> bool:
    return request.code_sent_at is None or now >= request.code_sent_at + LASTS


def check_limits(session: Session, chat: str, email: str, now: datetime) -> None:
    """Raises NotTaken. One sentence for chat and mailbox: it tells nothing about who else asked for a mailbox."""
    day = now - timedelta(days=1)
    if max(access.codes_of_chat(session, chat, day), access.codes_to_address(session, email, day)) >= A_DAY:
        raise NotTaken(
            N_("Enough codes for today: no more than three a day are sent. Try again tomorrow, or call the office.")
        )
    if access.codes_in_all(session, now - timedelta(hours=1)) >= AN_HOUR:
        raise NotTaken(N_("Many people are asking for a code right now. Try again in an hour: your answers stay here."))


def queue_code(session: Session, request: AccessRequest, now: datetime) -> None:
    """The mail, without the code: that comes in when it leaves."""
    queue(
        session,
        _words(session, request, ""),
        kind=OutboxKind.CODE,
        channel=Channel.EMAIL,
        address=request.email,
        now=now,
        dedupe_key=f"code:{request.id}:{request.revision}",
    )


def word_code(key: bytes) -> Callable[[Session, Outbox, datetime], Words | None]:
    """For `STILL_DUE[OutboxKind.CODE]`: the mail with its code, the same on every try; None when it would not fit."""

    def word(session: Session, row: Outbox, now: datetime) -> Words | None:
        request = access.find_request(session, int(row.dedupe_key.split(":")[1]))
        if request is None or not _is_awaited(request, row, now):
            return None
        code = code_of(request.id, request.email, row.created_at, key)
        return _words(session, request, f"{code[:3]} {code[3:]}")

    return word


def _is_awaited(request: AccessRequest, row: Outbox, now: datetime) -> bool:
    """This very code: not one before it, not one to an address that was corrected since."""
    if request.state is not AccessState.CONFIRMING or request.email != row.address:
        return False
    return request.code_sent_at == row.created_at and not is_too_old(request, now)


def _words(session: Session, request: AccessRequest, code: str) -> Words:
    """Nothing of what was typed is said: or anybody could have any text mailed to anybody, with our name under it."""
    language = Language(request.language)
    _ = speaking(language, html=True)
    office = people.the_office(session)
    parts = [
        _("Hello,"),
        _("somebody asked on Telegram to be let in by {office}, and gave this address.", office=office.name),
        _("If it was you, write this code in the chat: <b>{code}</b>", code=UNWRITTEN),
        _("It is valid for {n} minutes. Give it to nobody.", n=int(LASTS.total_seconds() // 60)),
        _("If it was not you, do nothing: without the code nothing happens."),
    ]
    subject = speaking(language)(N_("{office}: the code for Telegram"), office=office.name)
    return Words("\n\n".join(parts), subject=subject, secret=code)
