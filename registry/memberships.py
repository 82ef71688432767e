"""Adds an organisation or projects to somebody who is registered, and takes them away. Never commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from intake.delegation import fitted
from registry.referents import Person, Registrar
from storage import audit, memberships
from storage.people import is_here
from storage.tables import Organization, Referent


class NotThere(LookupError):
    """There is no such person, or they have no such organisation or project (any more)."""


@dataclass(frozen=True, slots=True)
class Joining:
    """What is added. `organization` is a name or an ISTAT code; without `cups` all of its projects are followed."""

    organization: str
    role: str = ""
    cups: Sequence[str] = ()
    new_actor: bool = False


def join(session: Session, referent_id: int, joining: Joining, *, by: int, now: datetime) -> Organization:
    """One more organisation, or more projects of theirs. Raises NotThere, or RegistryRefused with its field."""
    referent = session.get(Referent, referent_id)
    if referent is None or not is_here(referent):
        raise NotThere(referent_id)
    person = Person(
        name=referent.name, email="", organization=joining.organization, role=joining.role, cups=joining.cups
    )
    if joining.new_actor:
        person["new_actor"] = True
    return Registrar(session, now, ("staff", by)).join(referent, person)


def part(session: Session, referent_id: int, organization_id: int, *, by: int, now: datetime) -> int:
    """They are no longer in the organisation, and follow its projects no more, unless through another one of theirs.

    Nor what they had there in another's place. How many projects of their own that were. Raises NotThere.
    """
    projects = [project.id for project in memberships.only_there(session, referent_id, organization_id)]
    with fitted(session, referent_id, now, by=("staff", by)):
        if not memberships.remove_membership(session, referent_id, organization_id):
            raise NotThere(organization_id)
        memberships.unfollow(session, referent_id, projects)
    detail = {"organization": organization_id, "projects": len(projects)}
    audit.record(session, now, ("staff", by), "referent.part", ("referent", referent_id), **detail)
    return len(projects)


def drop_project(session: Session, referent_id: int, project_id: int, *, by: int, now: datetime) -> None:
    """They follow the project no more. Raises NotThere; what they have in another's place is not theirs to lose."""
    with fitted(session, referent_id, now, by=("staff", by)):
        if not memberships.unfollow(session, referent_id, [project_id]):
            raise NotThere(project_id)
    audit.record(session, now, ("staff", by), "referent.unfollow", ("referent", referent_id), project=project_id)
