"""The addresses to which people reply, and the number of a question in a subject. Pure: keeps nothing, sends nothing.

`name+TOKEN@domain`: the token says who was written to, and about what. It follows from the house's key, so that it
need not be kept, and nobody without the key can make one; of it the database has only the hash
(`storage/reply_addresses.py`).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from facts.calendar import OFFICE_ZONE
from storage.reply_addresses import About

TOKEN_BYTES = 20  # 160 bits: 32 letters of base32, no padding; survives programs that change case
LONGEST_NAME = 64  # RFC 5321 §4.5.3.1.1: letters before the @

_TOKEN = re.compile(r"[a-z2-7]{32}")
_NAMED = re.compile(r"""\s*"?([^"<>]*?)"?\s*<([^<>\s]+)>\s*""")
_TAG = re.compile(r"\[Q-(\d{4})-(\d{5,18})\]", re.IGNORECASE)


def parted(written: str) -> tuple[str, str]:
    """Name and address of `Name <address>`, also when a comma in the name has no quotes around it."""
    found = _NAMED.fullmatch(written)
    return (found[1], found[2]) if found is not None else parseaddr(written)


def reply_token(key: bytes, referent_id: int, about: About) -> str:
    """The same for one person and one thing, whenever it is asked for."""
    what, number = "nothing", 0
    if about.question_id is not None:
        what, number = "question", about.question_id
    elif about.outbox_id is not None:
        what, number = "outbox", about.outbox_id
    ours = hmac.new(key, b"reply-address", hashlib.sha256).digest()
    mark = hmac.new(ours, f"reply:{referent_id}:{what}:{number}".encode(), hashlib.sha256).digest()
    return base64.b32encode(mark[:TOKEN_BYTES]).decode().lower()


def reply_address(base: str, token: str) -> str:
    """`Name <name@domain>` with the token; without one, or where the name becomes too long for mail, as it is."""
    address = parted(base)[1]
    name, _, domain = address.rpartition("@")
    if not token or not name or len(name) + 1 + len(token) > LONGEST_NAME:
        return base
    before, _, behind = base.rpartition(address)
    return f"{before}{name}+{token}@{domain}{behind}"


def token_in(address: str, bases: Iterable[str]) -> str | None:
    """The token of an address of ours (`bases`, with or without a name); None for any other address."""
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    name, plus, token = local.rpartition("+")
    if not plus or _TOKEN.fullmatch(token) is None:
        return None
    ours = {parted(base)[1].lower() for base in bases}
    return token if f"{name}@{domain}" in ours else None


def question_tag(question_id: int, created_at: datetime) -> str:
    """`[Q-2026-00042]`: its number, with the year in which it was asked. A help to the eye, never a key."""
    return f"[Q-{created_at.astimezone(ZoneInfo(OFFICE_ZONE)).year}-{question_id:05}]"


def question_in(subject: str) -> tuple[int, int] | None:
    """Number of the question and year that a subject names; the last of several. Whoever writes can claim any."""
    found = _TAG.findall(subject)
    return (int(found[-1][1]), int(found[-1][0])) if found else None


def without_tags(subject: str) -> str:
    return " ".join(_TAG.sub(" ", subject).split())
