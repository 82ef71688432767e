"""What the dialogue needs to know of the house it speaks for. Holds no session and no bot."""

from dataclasses import dataclass, field

from delivery.links import Links
from facts.languages import Language
from intake.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class House:
    """`zone`: IANA zone of the office. `language`: for people whose own is not known yet.

    `mail`: whether e-mail can leave. `key`: the house's secret, from which codes follow.
    """

    links: Links
    zone: str = "Europe/Rome"
    language: Language = Language.IT
    mail: bool = False
    key: bytes = field(default=b"", repr=False)
    catalogue: Catalogue = field(default_factory=Catalogue, repr=False, compare=False)
