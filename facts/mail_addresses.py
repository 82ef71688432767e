"""Reads an e-mail address and says what kind it seems to be. Pure; refuses nothing for its domain, never mends."""

import re

LONGEST = 254  # RFC 5321 §4.5.3.1.3
ADDRESS = re.compile(r"[^\s@<>(),;:\"\[\]\\]{1,64}@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?\.[a-z0-9-]{2,}")

# fmt: off
FREE_MAIL = frozenset((
    "alice.it", "aol.com", "email.it", "fastwebnet.it", "gmail.com", "gmx.com", "googlemail.com", "hotmail.com",
    "hotmail.it", "icloud.com", "inwind.it", "iol.it", "libero.it", "live.com", "live.it", "mail.com", "me.com",
    "msn.com", "outlook.com", "outlook.it", "proton.me", "protonmail.com", "tim.it", "tin.it", "tiscali.it",
    "virgilio.it", "yahoo.com", "yahoo.it",
))
# fmt: on
CERTIFIED = re.compile(r"(^|[.-])(pec|cert|postacert|postecert|legalmail|arubapec)([.-]|$)")


def read_address(text: str) -> str | None:
    """The address in lower case (two people never differ by capitals alone); None when it has not the form of one."""
    address = text.strip().lower()
    if len(address) > LONGEST or not ADDRESS.fullmatch(address) or ".." in address:
        return None
    return address


def is_free_mail(address: str) -> bool:
    """Whether anybody may open a mailbox there: it says nothing about where its owner works."""
    return address.rpartition("@")[2] in FREE_MAIL


def looks_certified(address: str) -> bool:
    """Whether it seems to be a PEC mailbox, which may refuse ordinary mail."""
    return CERTIFIED.search(address.rpartition("@")[2]) is not None
