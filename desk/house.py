"""What the pages are given: the database, the clock, the addresses. Decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from delivery.links import Links
from desk.oidc_provider import Provider
from facts.languages import Language
from intake.catalogue import Catalogue
from intake.forms.nodes import Definition
from storage.database import Database
from storage.files import Files
from storage.tables import Channel


@dataclass(frozen=True, slots=True)
class Check:
    """One part of the service: whether it works, and one line that says so to whoever runs it."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """One message of the bot: `html` as Telegram takes it, and the labels of its buttons, row by row."""

    html: str
    buttons: tuple[tuple[str, ...], ...] = ()


ChatPreview = Callable[[Definition, Language], list[Shown]]


def no_chat(_form: Definition, _language: Language) -> list[Shown]:
    """Where no bot says how it asks."""
    return []


@dataclass(frozen=True)
class DeskHouse:
    """One for all pages. `readiness` says what `/readyz` shows; `catalogue` has the forms in use.

    `chat_preview` says how the bot would ask a form. `ways`: the channels that are set up to send.
    `oidc`: who else may say who somebody of the staff is. `mail_from`: the sender of our mail, `Name <address>`.
    """

    database: Database
    clock: Callable[[], datetime]
    links: Links
    secret_key: bytes
    files: Files
    zone: str = "Europe/Rome"
    readiness: Callable[[], list[Check]] = list
    catalogue: Catalogue = field(default_factory=Catalogue)
    chat_preview: ChatPreview = no_chat
    ways: frozenset[Channel] = frozenset()
    oidc: Provider | None = None
    mail_from: str = ""

    @property
    def secure(self) -> bool:
        """Whether browsers reach us by https; then cookies are Secure and HSTS is said."""
        return self.links.base_url.startswith("https://")
