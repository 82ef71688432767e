"""Words of our tables that also those need who may not load a database: whoever reads mail in a process of its own.

Pure: loads nothing of the house.
"""

from enum import StrEnum


class Standing(StrEnum):
    """By what the writer of a mail is known to be who the mail says.

    REPLY: it came to the address that we gave to this person for this thread, and from theirs. CERTIFIED: a provider of
    certified mail says so, with a signature that holds; UNTRUSTED: with one that does not, or that nobody we trust has
    made. DMARC: our own mail server has checked the sender's domain. UNVERIFIED: by nothing.
    """

    REPLY = "reply"
    CERTIFIED = "certified"
    DMARC = "dmarc"
    UNTRUSTED = "untrusted"
    UNVERIFIED = "unverified"


SURE = frozenset({Standing.REPLY, Standing.CERTIFIED, Standing.DMARC})  # what the person themselves has written


class LetterKind(StrEnum):
    """CALENDAR: an invitation. LIST: sent to many by a machine. RECEIPT: of certified mail, about one of ours."""

    MESSAGE = "message"
    AUTO_REPLY = "auto-reply"
    BOUNCE = "bounce"
    RECEIPT = "receipt"
    CALENDAR = "calendar"
    LIST = "list"


class ReceiptKind(StrEnum):
    """What is known of a mail of ours after it was handed over.

    ACCEPTED to LATE: what providers of certified mail say (RFC 6109 §2.1); LATE is the warning after 12 and 24 hours.
    BOUNCED: a mail server gave it up; DELAYED: it still tries (RFC 3464).
    """

    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not-accepted"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not-delivered"
    LATE = "late"
    BOUNCED = "bounced"
    DELAYED = "delayed"
