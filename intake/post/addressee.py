"""To whom a door says that a mail came, and what it writes on it. Pure; reads no mail.

Doors behind the office's own mail server take mail for whatever address it hands over: which addresses there are is
that server's to say, and a mail that nobody understands is seen at the desk, where one refused would be seen by nobody.
"""

from intake.post.arrival import RawMail
from storage.tables import Channel


def base_of(address: str) -> str:
    """The address without its `+token`, in lower case, fit for a database."""
    clean = address.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "").strip().lower()
    local, at, domain = clean.rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}" if at else clean


def handed_over(content: bytes, sender: str | None, recipient: str, *, certified: str = "") -> RawMail:
    """What a mail server handed over for one recipient, with what the last server adds (RFC 5321 §4.4) before it.

    `sender`: of the envelope, "" when it must not be answered, None when nobody said. `certified`: the office's
    certified address.
    """
    account = base_of(recipient)
    channel = Channel.PEC if certified and account == base_of(certified) else Channel.EMAIL
    path = b"" if sender is None else b"Return-Path: <%s>\r\n" % _written(sender)
    return RawMail(channel, account, path + b"Delivered-To: %s\r\n" % _written(recipient) + content)


def _written(address: str) -> bytes:
    """One line, whatever somebody calls an address."""
    return " ".join(address.split()).encode("utf-8", "surrogateescape")
