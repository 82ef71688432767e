"""Reads daticert.xml, what a provider of certified mail says of a mail (RFC 6109 §4.4). Pure; opens no entities."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

LARGEST = 1024 * 1024  # bytes: a mail to some thousand recipients
MOST_RECIPIENTS = 1000
LONGEST = 500  # characters of what a provider tells
_ZONE = re.compile(r"([+-]\d{2}):?(\d{2})")


@dataclass(frozen=True, slots=True)
class Certified:
    """All as the provider writes it; "" where it says nothing. `kind`, `error`: its words. `at`: ISO 8601."""

    kind: str = ""
    error: str = ""
    sender: str = ""
    provider: str = ""
    message_id: str = ""
    at: str = ""
    told: str = ""
    delivered_to: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()


def read_data(content: bytes) -> Certified | None:
    """None when it is none, or nothing that can be read."""
    if len(content) > LARGEST:
        return None
    try:
        root = fromstring(content, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None  # LookupError: an encoding that nobody knows
    if _name(root) != "postacert":
        return None
    head, data = _child(root, "intestazione"), _child(root, "dati")
    return Certified(
        kind=root.get("tipo", "").strip().lower(),
        error=root.get("errore", "").strip().lower()[:LONGEST],
        sender=_text(head, "mittente").lower(),
        provider=_text(data, "gestore-emittente"),
        message_id=_text(data, "msgid"),
        at=_moment(_child(data, "data")),
        told=_text(data, "errore-esteso"),
        delivered_to=_texts(data, "consegna"),
        recipients=_texts(head, "destinatari"),
    )


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""


def _children(element: Element | None, name: str) -> Iterator[Element]:
    return (one for one in (element if element is not None else ()) if _name(one) == name)


def _child(element: Element | None, name: str) -> Element | None:
    return next(_children(element, name), None)


def _text(element: Element | None, name: str) -> str:
    found = _child(element, name)
    return " ".join((found.text or "").split())[:LONGEST] if found is not None else ""


def _texts(element: Element | None, name: str) -> tuple[str, ...]:
    found = ((one.text or "").strip().lower()[:LONGEST] for one in _children(element, name))
    return tuple(dict.fromkeys(filter(None, found)))[:MOST_RECIPIENTS]


def _moment(element: Element | None) -> str:
    """Day, hour and zone of the legal time in Italy: `27/11/2026`, `10:15:30`, `+0100`."""
    if element is None:
        return ""
    zone = _ZONE.fullmatch(element.get("zona", "").strip())
    if zone is None:
        return ""
    written = f"{_text(element, 'giorno')} {_text(element, 'ora')} {zone[1]}{zone[2]}"
    try:
        return datetime.strptime(written, "%d/%m/%Y %H:%M:%S %z").isoformat()
    except ValueError:
        return ""
