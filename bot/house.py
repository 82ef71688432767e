"""What the dialogue needs to know of the house it speaks for. Holds no session and no bot."""

from dataclasses import dataclass, field

from sqlmodel import Session

from delivery.links import Links
from facts.languages import Language
from intake.builtin import PROJECT_UPDATE
from intake.forms import Form, read_form
from storage.forms import newest_version_id
from storage.tables import FormVersion


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
    _forms: dict[int, tuple[int, Form]] = field(default_factory=dict, repr=False, compare=False)

    def form(self, session: Session, version_id: int) -> Form:
        """The form of a version. Versions are never edited, so each is read once."""
        return self._version(session, version_id)[1]

    def form_id(self, session: Session, version_id: int) -> int:
        return self._version(session, version_id)[0]

    def newest_form(self, session: Session) -> int:
        """The version with which an update begins today."""
        version = newest_version_id(session, PROJECT_UPDATE)
        assert version is not None, "the built-in form is written when the service starts"
        return version

    def _version(self, session: Session, version_id: int) -> tuple[int, Form]:
        if version_id not in self._forms:
            version = session.get_one(FormVersion, version_id)
            self._forms[version_id] = (version.form_id, read_form(version.definition))
        return self._forms[version_id]
