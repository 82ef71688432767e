"""What the post office is given: its addresses, the calendar, the key. Decides nothing."""

from dataclasses import dataclass, field

from delivery.links import Links
from facts.languages import Language


@dataclass(frozen=True, slots=True)
class PostHouse:
    """`own`: our addresses without a `+token`, in lower case: what comes from there is never answered.

    `sends_certified`: whether certified mail can leave.
    """

    links: Links
    zone: str = "Europe/Rome"
    language: Language = Language.IT
    key: bytes = field(default=b"", repr=False)
    own: frozenset[str] = frozenset()
    sends_certified: bool = False

    def is_own(self, address: str) -> bool:
        """Also with a `+token`."""
        name, at, domain = address.lower().rpartition("@")
        return f"{name.partition('+')[0]}{at}{domain}" in self.own
