"""A mail as it was understood: one frozen value, whatever it looked like. Pure; refuses to decide what it means.

`intake/mail.py` and `intake/pec.py` make it of bytes; nobody else in the house sees MIME. It travels as JSON between
the process that reads and the one that asked, and is kept so (`Reading`) until it is handled.
"""

from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from storage.words import LetterKind, ReceiptKind, Standing


@dataclass(frozen=True, slots=True)
class Writer:
    """`address` in lower case, without a name around it."""

    address: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file that came along. `inside`: what is in it, where its own name does not say (a signed file, a mail).

    `content` is there until the file is on disk; then `kept` is its name there, `size` its bytes and `seen` what its
    first bytes say it is. `refused`: why it was not kept, an English sentence of the catalogue.
    """

    name: str
    type: str = "application/octet-stream"
    content: bytes = b""
    inline: bool = False
    signed: bool = False
    inside: str = ""
    kept: str = ""
    size: int = 0
    seen: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What a mail server says of one mail to one recipient (RFC 3464). `action`: failed, delayed, delivered, relayed.

    `status` is the enhanced code (`5.1.1`), `message_id` that of the mail which came back, both "" when it is not said.
    """

    recipient: str
    action: str
    status: str = ""
    message_id: str = ""


class PecKind(StrEnum):
    """The seven types of `DOMAIN.md`; TRANSPORT carries a certified mail, ANOMALY an ordinary one."""

    TRANSPORT = "transport"
    ANOMALY = "anomaly"
    ACCEPTED = "accepted"
    NOT_ACCEPTED = "not-accepted"
    DELIVERED = "delivered"
    NOT_DELIVERED = "not-delivered"
    LATE = "late"


RECEIPTS = {
    PecKind.ACCEPTED: ReceiptKind.ACCEPTED,
    PecKind.NOT_ACCEPTED: ReceiptKind.NOT_ACCEPTED,
    PecKind.DELIVERED: ReceiptKind.DELIVERED,
    PecKind.NOT_DELIVERED: ReceiptKind.NOT_DELIVERED,
    PecKind.LATE: ReceiptKind.LATE,
}


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a provider of certified mail says around a mail, or of one of ours.

    `standing`: CERTIFIED when its signature holds and its signer is who sent it, UNTRUSTED when not, UNVERIFIED when
    there is none. `refers_to`: our own Message-ID. `at`: ISO 8601, as the provider says it. `why`: what is doubtful
    about the signature, or why it could not be delivered, in words of ours or of the provider. `sender`: whose mail it
    carries, or whom a receipt is for, as the provider says.
    """

    kind: PecKind
    standing: Standing
    provider: str = ""
    refers_to: str = ""
    recipients: tuple[str, ...] = ()
    at: str = ""
    why: str = ""
    sender: str = ""


@dataclass(frozen=True, slots=True)
class Incoming:
    """`sender` is None when the mail names nobody, or several, or is odd there: then `doubt` says why.

    `text` is what was written now, `quoted` what it repeats of earlier mails and its signature. `fingerprint`: hex, of
    Message-ID, From, Date, Subject and text. `delivered_to`: every address of ours it may have come to, in lower case.
    `dmarc`: the domain that our own server found to be the sender's. `null_sender`: it must never be answered.
    `left_out`: what was too much to read, in English sentences of the catalogue. `events`: of a calendar file, as text.
    """

    kind: LetterKind
    fingerprint: str
    sender: Writer | None = None
    doubt: str = ""
    reply_to: tuple[Writer, ...] = ()
    delivered_to: tuple[str, ...] = ()
    null_sender: bool = False
    subject: str = ""
    date: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()
    text: str = ""
    quoted: str = ""
    files: tuple[Enclosed, ...] = ()
    events: tuple[str, ...] = ()
    dmarc: str = ""
    reports: tuple[Report, ...] = ()
    pec: Envelope | None = None
    left_out: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Without the content of files."""
        document = asdict(replace(self, files=tuple(replace(one, content=b"") for one in self.files)))
        for one in document["files"]:
            del one["content"]
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Incoming":
        """The inverse of `to_json`."""
        given = {field.name: document[field.name] for field in fields(cls) if field.name in document}
        for name in ("delivered_to", "references", "events", "left_out"):
            given[name] = tuple(given.get(name, ()))
        pec = given.get("pec")
        return cls(
            **given
            | {
                "kind": LetterKind(given["kind"]),
                "sender": Writer(**given["sender"]) if given.get("sender") else None,
                "reply_to": tuple(Writer(**one) for one in given.get("reply_to", ())),
                "files": tuple(Enclosed(**one) for one in given.get("files", ())),
                "reports": tuple(Report(**one) for one in given.get("reports", ())),
                "pec": _envelope(pec) if pec else None,
            }
        )


def _envelope(document: dict[str, Any]) -> Envelope:
    return Envelope(
        **document
        | {
            "kind": PecKind(document["kind"]),
            "standing": Standing(document["standing"]),
            "recipients": tuple(document["recipients"]),
        }
    )
