"""Mail as it is once it has been read: a maker with sane defaults. All invented."""

import hashlib
from itertools import count
from typing import Any

from intake.incoming import Envelope, Incoming, PecKind, Writer
from storage.tables import LetterKind, Standing

_numbers = count(1)
OFFICE = "ricevuti@ufficio.example.org"
PEC = "ufficio@pec.example.org"
KEY = b"a key of the tests, 32 bytes long"
ADA, BRUNO, CARLA = "ada@comune.example.org", "bruno@comune.example.org", "carla@altro.example.org"


def a_mail(sender: str | None = ADA, text: str = "Possiamo usare il ribasso d'asta?", **other: Any) -> Incoming:
    """A message to the office, from an address that nothing vouches for."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "kind": LetterKind.MESSAGE,
        "sender": Writer(sender, "Qualcuno") if sender else None,
        "doubt": "" if sender else "several senders",
        "delivered_to": (OFFICE,),
        "subject": "Una domanda",
        "message_id": f"<{number}@mail.example.org>",
        "text": text,
    } | other
    parts = (values["message_id"], str(sender), values["subject"], text, str(other.get("date", "")))
    return Incoming(fingerprint=hashlib.sha256("\n".join(parts).encode()).hexdigest(), **values)


def certified(standing: Standing = Standing.CERTIFIED, kind: PecKind = PecKind.TRANSPORT) -> Envelope:
    return Envelope(kind, standing, provider="Gestore Esempio", why="" if standing is Standing.CERTIFIED else "altro")


def by_dmarc(sender: str) -> dict[str, str]:
    return {"dmarc": sender.rpartition("@")[2]}
