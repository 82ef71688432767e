"""Writes a mail: its headers, its two parts, what goes along. Pure.

RFC 3834 §5 (Auto-Submitted), RFC 5322 §3.6.4 (threads), RFC 2369 §3.2 (List-Unsubscribe).
Refuses nothing: addresses were checked at the door.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from delivery.calendar_file import calendar_files
from delivery.letter_parts import PREFERENCES, html_part, text_part
from delivery.parcel import Enclosure, Parcel
from delivery.reply import parted, reply_address, without_tags
from delivery.words import plain_text
from facts.languages import speaking
from storage.tables import OutboxKind

BY_HAND = frozenset({OutboxKind.ANSWER})  # whatever else leaves, a machine wrote
REMINDERS = frozenset({OutboxKind.REMINDER, OutboxKind.RECALL})
# Of words that may not be cut or encoded.
ONE_WORD = frozenset({"message-id", "in-reply-to", "references", "list-unsubscribe"})
MOST_EARLIER = 20  # mails that References names
LONGEST_ID = 250  # letters of somebody's Message-ID
LONGEST_SUBJECT = 120
LARGEST = 15 * 1024 * 1024  # bytes of files in one mail: a third more when encoded, and many mailboxes stop at 25 MB

_FOLD = "\r\n "
_ID = re.compile(rf"<[!-;=?-~]{{3,{LONGEST_ID}}}>")
_RE = re.compile(r"^\s*((re|r|i|fw|fwd|rif)\s*:\s*)+", re.IGNORECASE)


class _Whole(EmailPolicy):
    """Long Message-IDs and links stay as they are; the library writes what is longer than a line as encoded words."""

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in ONE_WORD:
            return f"{name}: {_FOLD.join(str(value).split())}\r\n".encode("ascii")
        return super().fold_binary(name, value)


_POLICY = _Whole(linesep="\r\n")


def address_of(mail_from: str) -> str:
    """The bare address of `Name <address>`."""
    return parted(mail_from)[1]


def domain_of(mail_from: str) -> str:
    return address_of(mail_from).rpartition("@")[2] or "localhost"


def compose(
    parcel: Parcel, mail_from: str, reply_to: str, now: datetime, files: Mapping[str, bytes] | None = None
) -> EmailMessage:
    """The mail of a parcel; the same Message-ID at every try. `files`: content, by the name it is kept under."""
    message = EmailMessage(policy=_POLICY)
    subject = _subject(parcel)
    earlier, left_out = _earlier(parcel), _left_out(parcel)
    message["From"] = _address(mail_from)
    message["To"] = Address(addr_spec=parcel.address)
    message["Reply-To"] = _address(reply_address(reply_to or mail_from, parcel.thread.token))
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = parcel.message_id(domain_of(mail_from))
    if earlier:
        message["In-Reply-To"] = earlier[-1]
        message["References"] = " ".join(earlier)
    if parcel.kind not in BY_HAND:
        message["Auto-Submitted"] = "auto-replied" if _in_answer(parcel) else "auto-generated"
    if parcel.kind in REMINDERS and parcel.personal_url:
        message["List-Unsubscribe"] = f"<{parcel.personal_url}{PREFERENCES}>"
    message.set_content(text_part(parcel, left_out), cte="quoted-printable")
    message.add_alternative(html_part(parcel, subject, left_out), subtype="html", cte="quoted-printable")
    _add_days(message, parcel, address_of(mail_from), now)
    for one in going(parcel) if files else ():
        assert files is not None
        kind, _, subtype = (one.type or "application/octet-stream").partition("/")
        message.add_attachment(files[one.kept], maintype=kind, subtype=subtype or "octet-stream", filename=one.name)
    message["Content-Language"] = parcel.language.value  # last: the library hands such headers down to the first part
    return message


def _add_days(message: EmailMessage, parcel: Parcel, sender: str, now: datetime) -> None:
    _ = speaking(parcel.language)
    names = {"PUBLISH": _("deadlines"), "CANCEL": _("cancelled-deadlines")}
    for one in calendar_files(parcel.words.events, sender, now):
        message.add_attachment(
            one.content,
            maintype="text",
            subtype="calendar",
            filename=f"{names[one.method]}.ics",
            params={"charset": "utf-8", "method": one.method},
        )


def as_text(parcel: Parcel) -> tuple[str, str]:
    """Subject and text, as the mail will say them: for who looks at it before it leaves."""
    return _subject(parcel), text_part(parcel, _left_out(parcel))


def going(parcel: Parcel) -> list[Enclosure]:
    """The files that a mailbox will take; the others are on the person's page."""
    found, size = [], 0
    for one in parcel.files:
        size += one.size
        if size <= LARGEST:
            found.append(one)
    return found


def _address(written: str) -> Address:
    name, spec = parted(written)
    return Address(display_name=name, addr_spec=spec)


def _earlier(parcel: Parcel) -> list[str]:
    """What may stand in a header of those that came before: the first one and the newest."""
    known = [one for one in parcel.thread.earlier if _ID.fullmatch(one)]
    return known if len(known) <= MOST_EARLIER else [known[0], *known[1 - MOST_EARLIER :]]


def _in_answer(parcel: Parcel) -> bool:
    """RFC 3834 §5: because a mail came, or of itself."""
    return parcel.kind is OutboxKind.AUTO_REPLY or parcel.thread.in_answer


def _subject(parcel: Parcel) -> str:
    """What the reader called it; else what we do. With the question's number once, and `Re:` when it goes on."""
    ours = parcel.words.subject or next(iter(plain_text(parcel.words.html).splitlines()), "") or parcel.office.name
    theirs = _RE.sub("", without_tags(parcel.thread.subject))
    said = theirs or _RE.sub("", without_tags(ours)) or parcel.office.name
    begun = f"{parcel.thread.tag} {said}" if parcel.thread.tag else " ".join(said.split())
    in_thread = theirs or parcel.thread.tag or parcel.question_id is not None or _RE.match(ours)
    goes_on = parcel.thread.earlier and in_thread
    subject = f"Re: {begun}" if goes_on else begun
    return subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1] + "…"


def _left_out(parcel: Parcel) -> list[str]:
    _ = speaking(parcel.language)
    names = [one.name for one in parcel.files if one not in going(parcel)]
    return [_("Too large for an e-mail, on your page: {names}", names=", ".join(names))] if names else []
