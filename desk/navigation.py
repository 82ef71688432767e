"""The sections of the desk, in the order of a working day. Grants nothing: each page checks who may see it."""

from dataclasses import dataclass

from desk.security import SignedIn
from facts.languages import N_
from storage.tables import Role


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the navigation: `key` is what a template sets as `section`."""

    key: str
    path: str
    title: str
    for_admins_only: bool = False


SECTIONS = (
    Section("questions", "/desk/questions", N_("Questions")),
    Section("updates", "/desk/updates", N_("Updates")),
    Section("deadlines", "/desk/deadlines", N_("Deadlines")),
    Section("projects", "/desk/projects", N_("Projects")),
    Section("referents", "/desk/referents", N_("Referents")),
    Section("outbox", "/desk/outbox", N_("Outgoing")),
    Section("dead-letters", "/desk/dead-letters", N_("Unread arrivals")),
    Section("office", "/desk/office", N_("Office"), for_admins_only=True),
)


def sections_for(signed: SignedIn | None) -> tuple[Section, ...]:
    if signed is None:
        return ()
    return tuple(section for section in SECTIONS if signed.role is Role.ADMIN or not section.for_admins_only)
