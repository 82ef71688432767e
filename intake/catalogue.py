"""The forms in use, each version read once: it is never changed. Holds no session."""

from dataclasses import dataclass, field

from sqlmodel import Session

from intake.forms.document import from_document
from intake.forms.nodes import Definition
from intake.forms.plan import Plan
from storage.forms import newest_version_id
from storage.tables import FormVersion


@dataclass(frozen=True, slots=True)
class InUse:
    """One version of a form, ready to be filled in."""

    version_id: int
    form_id: int
    number: int
    plan: Plan

    @property
    def form(self) -> Definition:
        """With a question of its own for each "other"."""
        return self.plan.form


@dataclass(frozen=True)
class Catalogue:
    """One for each house; any thread may ask."""

    _read: dict[int, InUse] = field(default_factory=dict, repr=False)

    def version(self, session: Session, version_id: int) -> InUse:
        """Raises BadDocument for a definition that this release cannot read, NoResultFound for no version."""
        found = self._read.get(version_id)
        if found is None:
            row = session.get_one(FormVersion, version_id)
            found = InUse(version_id, row.form_id, row.number, Plan(from_document(row.definition)))
            self._read[version_id] = found
        return found

    def newest(self, session: Session, key: str) -> InUse:
        """The version with which this form, which exists, is begun today."""
        version_id = newest_version_id(session, key)
        assert version_id is not None, "the forms that come with Raccordo are written when the service starts"
        return self.version(session, version_id)
