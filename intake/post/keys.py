"""Blots out the keys that our own mail gave its reader, where a reply repeats them. Pure; knows no key, keeps none.

Every mail to a referent ends with the link to their page and comes from a reply address of theirs, and mail programs
quote both below the answer. Whoever reads a thread at the desk would hold the page of whoever wrote it.
"""

import re
from dataclasses import replace

from intake.incoming import Incoming

BLOT = "***"
# As `storage/tokens.py` makes them: 32 letters of base32 that stand alone; behind %2F in a link that a filter rewrote.
_KEY = re.compile(r"(?:(?<=%2f)|(?<![a-z0-9]))[a-z2-7]{32}(?![a-z0-9])", re.IGNORECASE)


def without_keys(incoming: Incoming) -> Incoming:
    """The same mail, fit to be shown; as it came it stays in the inbox."""
    return replace(incoming, text=_KEY.sub(BLOT, incoming.text), quoted=_KEY.sub(BLOT, incoming.quoted))
