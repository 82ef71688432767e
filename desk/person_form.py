"""The part of a form that says who somebody is, for which organisation, on which projects. Saves nothing.

Without scripts the projects to choose among can only be shown by the server, on a second look: a form with
`which=chosen` and no project comes back with the list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from facts.languages import N_, Speaker
from storage.projects import ProjectFilter, find_organization, organizations, projects_page

MOST_LETTERS = {"name": 120, "email": 254, "own_pec": 254, "organization": 200, "role": 120}
MOST_PROJECTS = 300

NEEDED = {
    "name": N_("Write name and surname."),
    "email": N_("Write the e-mail address."),
    "organization": N_("Write which organisation they work for."),
}


@dataclass
class Person:
    """What was typed in the form, and what is wrong with it: sentences by field."""

    name: str = ""
    email: str = ""
    organization: str = ""
    role: str = ""
    chosen: bool = False
    cups: Sequence[str] = ()
    new_actor: bool = False
    own_pec: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def followed(self) -> tuple[str, ...]:
        """The chosen projects; none means all of the organisation's."""
        return tuple(self.cups) if self.chosen else ()


def look_over(person: Person, _: Speaker, needed: Sequence[str], *, saving: bool) -> bool:
    """Whether it can be saved now. False with no error: the projects to choose among are to be shown."""
    for name in needed:
        if not getattr(person, name).strip():
            person.errors[name] = _(NEEDED[name])
    for name, most in MOST_LETTERS.items():
        if len(getattr(person, name)) > most:
            person.errors[name] = _("This is too long: keep it within {n} characters.", n=most)
    choosing = person.chosen and (not saving or not person.cups)
    if choosing and saving:
        person.errors.setdefault("cups", _("Choose at least one project, or all of them."))
    return saving and not choosing and not person.errors


def form_values(session: Session, person: Person, now: datetime) -> Mapping[str, Any]:
    """What the macros of `person_fields.html` need."""
    found = find_organization(session, person.organization) if person.organization.strip() else None
    projects: Sequence[Any] = ()
    if found is not None and person.chosen:
        own = ProjectFilter(organization_id=found.id)
        projects = projects_page(session, own, today=now.date(), limit=MOST_PROJECTS).lines
    return {
        "person": person,
        "organizations": [row.name for row in organizations(session)],
        "found": found,
        "projects": projects,
    }
