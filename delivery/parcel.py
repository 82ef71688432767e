"""One claimed message, ready to be sent, and what a sender promises. No network, no database."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from delivery.errors import DeliveryError
from delivery.words import Words
from facts.languages import Language
from storage.message_ids import message_id_of
from storage.tables import Channel, OutboxKind

PHOTO_TYPES = frozenset({"image/jpeg", "image/png"})
LARGEST_PHOTO = 10_000_000  # bytes: what Telegram shows as a photo


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A kept file that goes along. `kept` is its name in the folder, `size` in bytes."""

    name: str
    kept: str
    size: int
    type: str

    @property
    def is_photo(self) -> bool:
        return self.type in PHOTO_TYPES and self.size <= LARGEST_PHOTO


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who writes, as a mail shows it."""

    name: str = ""
    authority: str = ""
    hours: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    """Where a mail stands. `earlier`: Message-IDs before it, the oldest first; the last one is what it answers.

    `tag`: the number of its question, as it stands in subjects; `subject`: what the reader called the matter, if they
    began it by mail. `in_answer`: a mail of theirs caused it. `token`: of the address to which they reply.
    """

    earlier: tuple[str, ...] = ()
    tag: str = ""
    subject: str = ""
    in_answer: bool = False
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """`attempt` counts from 1. `office`, `personal_url` and `thread` are for mail."""

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
    office: Letterhead = Letterhead()
    personal_url: str = ""
    thread: Thread = Thread()
    thought_unreachable: bool = False
    claimed_at: datetime | None = None
    files: tuple[Enclosure, ...] = ()

    @property
    def messages(self) -> int:
        """To Telegram an album is as many as it has parts."""
        return max(1, len(self.files))

    @property
    def as_documents(self) -> bool:
        """Telegram could not show its pictures as photos."""
        return bool(self.body.get("documents"))

    @property
    def plain(self) -> bool:
        """Its markup was refused once."""
        return bool(self.body.get("plain"))

    def message_id(self, domain: str) -> str:
        """The same on every try."""
        return message_id_of(self.id, self.dedupe_key, domain)


Ids = str | tuple[str, ...] | None


class Sender(Protocol):
    """Hands one message to a provider. Raises DeliveryError; anything else counts as Uncertain."""

    async def send(self, parcel: Parcel) -> Ids:
        """The id that the provider gave the message; those of all its parts, when it became several."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a parcel: `ids`, or `error`."""

    parcel: Parcel
    at: datetime
    ids: Ids = None
    error: DeliveryError | None = None

    @property
    def provider_id(self) -> str | None:
        """The first part's stands for all of them."""
        return self.ids if self.ids is None or isinstance(self.ids, str) else next(iter(self.ids), None)

    @property
    def further(self) -> tuple[str, ...]:
        """Those of the other parts."""
        return self.ids[1:] if isinstance(self.ids, tuple) else ()
