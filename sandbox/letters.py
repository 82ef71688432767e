"""Mail as people's own programs write it: a new one, a reply, "out of office", what comes back. Pure; sends nothing."""

import html as markup
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr
from zoneinfo import ZoneInfo

from sandbox.mail import Mail

ROME = ZoneInfo("Europe/Rome")
DAYS = ("lun", "mar", "mer", "gio", "ven", "sab", "dom")
MONTHS = ("gen", "feb", "mar", "apr", "mag", "giu", "lug", "ago", "set", "ott", "nov", "dic")
REFUSED = {"5.1.1": "550 5.1.1 User unknown", "5.2.2": "552 5.2.2 Mailbox full"}


@dataclass(frozen=True, slots=True)
class Attached:
    name: str
    type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody writes. `answers`: the mail they reply to, `quoted` what they leave of it below."""

    name: str
    address: str
    to: str
    subject: str
    text: str
    quoted: str = ""
    files: Sequence[Attached] = ()
    answers: Mail | None = None


def reply_to(mail: Mail) -> str:
    """Where a reply to this mail goes."""
    return parseaddr(str(mail.message.get("Reply-To") or mail.sender))[1]


def reply_subject(mail: Mail) -> str:
    return mail.subject if mail.subject.lower().startswith("re:") else f"Re: {mail.subject}"


def quotation(mail: Mail) -> str:
    """As Gmail quotes: one line that says who wrote when, and every line behind a mark."""
    local = mail.received.astimezone(ROME)
    when = f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1]} {local.year} alle ore {local:%H:%M}"
    lines = [f"> {line}".rstrip() for line in mail.text.replace("\r\n", "\n").rstrip("\n").split("\n")]
    return "\n".join([f"Il giorno {when} {mail.sender} ha scritto:", "", *lines])


def letter(written: Written, now: datetime) -> bytes:
    """A mail or a reply, in plain text and HTML, with what is attached."""
    message = _begun(written, now)
    text, quoted = _lines(written.text), _lines(written.quoted)
    message.set_content("\n\n".join(filter(None, (text, quoted))) + "\n", cte="quoted-printable")
    page = f'<div dir="ltr">{_as_html(text)}</div>'
    if quoted:
        page += f'<br><div class="gmail_quote"><blockquote class="gmail_quote">{_as_html(quoted)}</blockquote></div>'
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    for file in written.files:
        kind, _, subtype = file.type.partition("/")
        message.add_attachment(
            file.content, maintype=kind or "application", subtype=subtype or "octet-stream", filename=file.name
        )
    return message.as_bytes()


def out_of_office(written: Written, now: datetime) -> bytes:
    """What a programme answers while its owner is away (RFC 3834)."""
    message = _begun(written, now)
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(_lines(written.text) + "\n", cte="quoted-printable")
    return message.as_bytes()


def bounce(mail: Mail, to: str, status: str, now: datetime) -> bytes:
    """What the recipient's mail server says of a mail that it gives up (RFC 3464); it has no sender."""
    recipient = mail.recipients[0]
    domain = recipient.rpartition("@")[2]
    head = (
        f"From: Mail Delivery System <MAILER-DAEMON@{domain}>\nTo: {to}\nDate: {format_datetime(now)}\n"
        f"Subject: Undelivered Mail Returned to Sender\nMessage-ID: {make_msgid(domain=domain)}\n"
        "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="tornata"\n'
    )
    note = f"Your message could not be delivered to <{recipient}>: {REFUSED[status]}\n"
    told = (
        f"Reporting-MTA: dns; mx.{domain}\n\nFinal-Recipient: rfc822; {recipient}\n"
        f"Action: failed\nStatus: {status}\nDiagnostic-Code: smtp; {REFUSED[status]}\n"
    )
    returned = mail.raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n"
    parts = (
        ("text/plain; charset=utf-8", note.encode()),
        ("message/delivery-status", told.encode()),
        ("text/rfc822-headers", returned),
    )
    body = b"".join(b"\n--tornata\nContent-Type: %s\n\n%s" % (kind.encode(), part) for kind, part in parts)
    return (head.encode() + body + b"\n--tornata--\n").replace(b"\n", b"\r\n")


def _begun(written: Written, now: datetime) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(display_name=written.name, addr_spec=written.address)
    message["To"] = Address(addr_spec=written.to)
    message["Subject"] = " ".join(written.subject.split())
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=written.address.rpartition("@")[2])
    answered = written.answers
    if answered is not None and answered.message_id:
        earlier = str(answered.message.get("References", "")).split()
        message["In-Reply-To"] = answered.message_id
        message["References"] = " ".join([*earlier, answered.message_id])
    return message


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip("\n")


def _as_html(text: str) -> str:
    return markup.escape(text).replace("\n", "<br>\n")
