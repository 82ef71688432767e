"""The sections of the desk, in the order of a working day. Grants nothing: each page checks who may see it."""

from collections.abc import Collection
from dataclasses import dataclass

from desk.security import MANAGERS, SignedIn
from facts.languages import N_
from storage.tables import Role


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the navigation: `key` is what a template sets as `section`; `roles` are those who see it."""

    key: str
    path: str
    title: str
    roles: Collection[Role] = frozenset(Role)


SECTIONS = (
    Section("questions", "/desk/questions", N_("Questions")),
    Section("updates", "/desk/updates", N_("Updates")),
    Section("deadlines", "/desk/deadlines", N_("Deadlines")),
    Section("forms", "/desk/forms", N_("Forms")),
    Section("projects", "/desk/projects", N_("Projects")),
    Section("referents", "/desk/referents", N_("Referents")),
    Section("letters", "/desk/letters", N_("E-mails to sort"), MANAGERS),
    Section("access", "/desk/access", N_("Requests for access"), MANAGERS),
    Section("outbox", "/desk/outbox", N_("Outgoing")),
    Section("dead-letters", "/desk/dead-letters", N_("Unread arrivals")),
    Section("office", "/desk/office", N_("Office"), frozenset({Role.ADMIN})),
)


def sections_for(signed: SignedIn | None) -> tuple[Section, ...]:
    if signed is None:
        return ()
    return tuple(section for section in SECTIONS if signed.role in section.roles)
