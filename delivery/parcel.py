"""One claimed message, ready to be sent, and what a sender promises. No network, no database."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from delivery.errors import DeliveryError
from delivery.words import Words
from facts.languages import Language
from storage.tables import Channel, OutboxKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """`attempt` counts from 1. `personal_url` and `earlier` (Message-IDs of the thread) are for mail."""

    id: int
    attempt: int
    kind: OutboxKind
    channel: Channel
    address: str
    dedupe_key: str
    words: Words
    body: dict[str, Any] = field(default_factory=dict)
    possible_duplicate: bool = False
    referent_id: int | None = None
    question_id: int | None = None
    language: Language = Language.IT
    office: str = ""
    personal_url: str = ""
    earlier: tuple[str, ...] = ()
    thought_unreachable: bool = False
    claimed_at: datetime | None = None

    @property
    def plain(self) -> bool:
        """Its markup was refused once."""
        return bool(self.body.get("plain"))

    def message_id(self, domain: str) -> str:
        """The same on every try, so that whoever gets it twice can tell."""
        key = hashlib.sha256(self.dedupe_key.encode()).hexdigest()[:20]
        return f"<{self.id}.{key}@{domain}>"


class Sender(Protocol):
    """Hands one message to a provider. Raises DeliveryError; anything else counts as Uncertain."""

    async def send(self, parcel: Parcel) -> str | None:
        """The id that the provider gave the message."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a parcel: `provider_id`, or `error`."""

    parcel: Parcel
    at: datetime
    provider_id: str | None = None
    error: DeliveryError | None = None
