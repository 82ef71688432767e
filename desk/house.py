"""What the pages are given: the database, the clock, the addresses. Decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from delivery.links import Links
from intake.catalogue import Catalogue
from storage.database import Database
from storage.files import Files


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the service: whether it works, and one line that says so to whoever runs it."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True)
class DeskHouse:
    """One for all pages. `readiness` says what `/readyz` shows; `catalogue` has the forms in use."""

    database: Database
    clock: Callable[[], datetime]
    links: Links
    secret_key: bytes
    files: Files
    zone: str = "Europe/Rome"
    readiness: Callable[[], list[Check]] = list
    catalogue: Catalogue = field(default_factory=Catalogue)

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https; then cookies are Secure and HSTS is said."""
        return self.links.base_url.startswith("https://")
