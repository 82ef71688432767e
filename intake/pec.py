"""Opens the envelope of a certified mail (PEC, RFC 6109) and says how far to believe it. Pure: no network, no database.

Decides by headers, never by subject. Refuses to call certified what is not: the signature must hold, its signer be who
sent it, and what it signs must say the same as the headers. They stand outside of it: whoever puts others before a
receipt of their own would have made one of ours.
"""

import re
from dataclasses import replace
from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime

from facts.languages import N_
from intake.certified.data import Certified, read_data
from intake.certified.parts import Part, cut, part_of
from intake.certified.signature import UNREADABLE, Doubt, check
from intake.certified.trust import Trust
from intake.incoming import RECEIPTS, Envelope, PecKind
from storage.words import Standing

__all__ = ["Trust", "open_envelope"]

_CARRIED = {"posta-certificata": PecKind.TRANSPORT, "errore": PecKind.ANOMALY}
_RECEIPTS = {
    "accettazione": PecKind.ACCEPTED,
    "non-accettazione": PecKind.NOT_ACCEPTED,
    "avvenuta-consegna": PecKind.DELIVERED,
    "errore-consegna": PecKind.NOT_DELIVERED,
    "preavviso-errore-consegna": PecKind.LATE,
}
_WORDS = {kind: word for word, kind in (_CARRIED | _RECEIPTS).items()}
_ALONE = re.compile(r"[^<>@\s,;:\"]+@[^<>@\s,;:\"]+")
_NAMED = re.compile(r"[^<>]*<([^<>@\s,;:\"]+@[^<>@\s,;:\"]+)>")
_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_XML = frozenset({"application/xml", "text/xml"})
LONGEST = 1000  # characters of a header of one word
NO_ERROR = frozenset({"", "nessuno"})

MISSING = N_("The provider's data (daticert.xml) are missing or cannot be read.")
CONTRADICTED = N_("Its headers say something else than what the provider has signed.")


def open_envelope(raw: bytes, message: Message, trust: Trust) -> tuple[Envelope, bytes | None] | None:
    """What the envelope says, and the mail inside that is to be read instead of it. None when it is no certified mail.

    `message`: the same mail, its headers parsed. An anomaly carries ordinary mail: never CERTIFIED. Raises nothing.
    """
    try:
        kind = _kind(message)
    except Exception:  # noqa: BLE001, RUF100 - a header that breaks the library's own parser says nothing
        return None
    if kind is None:
        return None
    try:
        return _opened(raw, message, kind, trust)
    except Exception:  # noqa: BLE001, RUF100 - whatever somebody may send: the envelope is shown, and not believed
        return Envelope(kind, Standing.UNTRUSTED, why=UNREADABLE), None


def vouched_for(envelope: Envelope, writer: str) -> Envelope:
    """The same, not believed when who reads the mail inside takes somebody else for its writer than the provider does.

    Two programs that read one odd header may each find another sender in it: the provider's, and whoever was meant
    to be shown to us.
    """
    if envelope.standing is not Standing.CERTIFIED or writer == envelope.sender:
        return envelope
    return replace(envelope, standing=Standing.UNTRUSTED, why=CONTRADICTED)


def _kind(message: Message) -> PecKind | None:
    return _RECEIPTS.get(_word(message, "X-Ricevuta")) or _CARRIED.get(_word(message, "X-Trasporto"))


def _word(message: Message, name: str) -> str:
    return _header(message, name).lower()


def _header(message: Message, name: str) -> str:
    return " ".join(str(message.get(name, ""))[:LONGEST].split())


def _opened(raw: bytes, message: Message, kind: PecKind, trust: Trust) -> tuple[Envelope, bytes | None]:
    content, signature = _signed_parts(raw)
    parts = _leaves(content)
    data = _only([one for one in parts if one.name == "daticert.xml"] or [one for one in parts if one.type in _XML])
    inner = _only([one for one in parts if one.type == "message/rfc822" or one.name == "postacert.eml"])
    certified = read_data(data.decoded()) if data is not None else None
    mail = inner.decoded() if inner is not None and kind in (PecKind.TRANSPORT, PecKind.ANOMALY) else None
    envelope = _told(message, kind, certified or Certified())
    if signature is None:
        return envelope, mail
    try:
        check(signature.decoded(), content, _sender(message), trust)
        if kind is not PecKind.ANOMALY:  # has no data, and nobody's word for its sender
            _agree(message, kind, certified, mail)
            envelope = replace(envelope, standing=Standing.CERTIFIED)
    except Doubt as doubt:
        envelope = replace(envelope, standing=Standing.UNTRUSTED, why=str(doubt))
    return envelope, mail


def _signed_parts(raw: bytes) -> tuple[bytes, Part | None]:
    """What is signed, with its headers, and the signature; the whole mail and None when it is not signed."""
    whole = part_of(raw)
    if whole.type != "multipart/signed":
        return raw, None
    parts = cut(whole.headers, whole.body)
    signature = part_of(parts[1]) if len(parts) == 2 else None
    if signature is None or signature.type not in _SIGNATURES:
        return (parts[0] if parts else raw), (Part(Message(), b"") if parts else None)
    return parts[0], signature


def _leaves(content: bytes) -> list[Part]:
    """The parts of what the provider wrote, whatever their order; what is inside of a mail inside is not its own."""
    part = part_of(content)
    if not part.type.startswith("multipart/"):
        return [part]
    found: list[Part] = []
    for one in map(part_of, cut(part.headers, part.body)):
        deeper = one.type in ("multipart/mixed", "multipart/related", "multipart/alternative")
        found.extend(map(part_of, cut(one.headers, one.body)) if deeper else (one,))
    return found


def _only(found: list[Part]) -> Part | None:
    """Two of one kind are none: nobody could say which was meant."""
    return found[0] if len(found) == 1 else None


def _told(message: Message, kind: PecKind, data: Certified) -> Envelope:
    receipt = kind in RECEIPTS
    return Envelope(
        kind,
        Standing.UNVERIFIED,
        provider=data.provider or _sender(message).rpartition("@")[2],
        refers_to=(_header(message, "X-Riferimento-Message-ID") or data.message_id) if receipt else "",
        recipients=data.delivered_to or data.recipients,
        at=data.at or _date(message),
        why=_failure(data),
        sender=data.sender,
    )


def _failure(data: Certified) -> str:
    """Its word for what went wrong, then its explanation: `no-dest: 5.1.1 …`."""
    return ": ".join(part for part in (data.error, data.told) if part not in NO_ERROR and part != "-")


def _agree(message: Message, kind: PecKind, data: Certified | None, mail: bytes | None) -> None:
    """Raises Doubt when what the provider signed is not what the headers, or the mail inside, say it is."""
    if data is None:
        raise Doubt(MISSING)
    if data.kind != _WORDS[kind]:
        raise Doubt(CONTRADICTED)
    if kind is PecKind.TRANSPORT:
        if mail is None:
            raise Doubt(UNREADABLE)
        if _sender(part_of(mail).headers) != data.sender:
            raise Doubt(CONTRADICTED)
    elif _bare(_header(message, "X-Riferimento-Message-ID") or data.message_id) != _bare(data.message_id):
        raise Doubt(CONTRADICTED)


def _bare(message_id: str) -> str:
    return message_id.strip().removeprefix("<").removesuffix(">")


def _sender(message: Message) -> str:
    """The address of the only From, in lower case; "" when there are several or it is odd in any way."""
    found = message.get_all("From", [])
    written = " ".join(str(found[0]).split()) if len(found) == 1 else ""
    if _ALONE.fullmatch(written):
        return written.lower()
    named = _NAMED.fullmatch(written)
    return named[1].lower() if named is not None else ""


def _date(message: Message) -> str:
    try:
        return parsedate_to_datetime(_header(message, "Date")).replace(microsecond=0).astimezone(UTC).isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return ""
