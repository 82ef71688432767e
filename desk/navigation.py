"""The sections of the desk, in the order of a working day, and how they are grouped so that they fit one row.

Grants nothing: each page checks who may see it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from desk.security import MANAGERS, SignedIn
from facts.languages import N_
from storage.tables import Role

ACTORS = frozenset({Role.VOLUNTEER, Role.OFFICER, Role.ADMIN})
POST, OFFICE = N_("Post and access"), N_("Office and forms")


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the navigation: `key` is what a template sets as `section`; `roles` are those who see it.

    `group`: under which heading it stands; "" for one of every day, which stands by itself.
    """

    key: str
    path: str
    title: str
    roles: Collection[Role] = frozenset(Role)
    group: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in the row: one section, or a heading that opens several."""

    title: str
    sections: Sequence[Section]

    @property
    def alone(self) -> Section | None:
        return self.sections[0] if not self.sections[0].group or len(self.sections) == 1 else None

    def holds(self, key: str) -> bool:
        return any(one.key == key for one in self.sections)

    def waiting(self, counts: Mapping[str, int]) -> int:
        return sum(counts.get(one.key, 0) for one in self.sections)


SECTIONS = (
    Section("questions", "/desk/questions", N_("Questions")),
    Section("updates", "/desk/updates", N_("Updates")),
    Section("deadlines", "/desk/deadlines", N_("Deadlines")),
    Section("projects", "/desk/projects", N_("Projects")),
    Section("referents", "/desk/referents", N_("Referents")),
    Section("letters", "/desk/letters", N_("E-mails to sort"), MANAGERS, POST),
    Section("access", "/desk/access", N_("Requests for access"), MANAGERS, POST),
    Section("circulars", "/desk/circulars", N_("Communications"), group=POST),
    Section("outbox", "/desk/outbox", N_("Outgoing"), group=POST),
    Section("dead-letters", "/desk/dead-letters", N_("Unread arrivals"), group=POST),
    Section("numbers", "/desk/numbers", N_("Numbers"), group=OFFICE),
    Section("forms", "/desk/forms", N_("Forms"), group=OFFICE),
    Section("categories", "/desk/categories", N_("Categories"), MANAGERS, OFFICE),
    Section("saved-answers", "/desk/saved-answers", N_("Saved answers"), ACTORS, OFFICE),
    Section("tags", "/desk/tags", N_("Tags"), MANAGERS, OFFICE),
    Section("faq", "/desk/faq", N_("Frequently asked questions"), ACTORS, OFFICE),
    Section("office", "/desk/office", N_("Office"), frozenset({Role.ADMIN}), OFFICE),
    Section("audit", "/desk/audit", N_("Log"), frozenset({Role.ADMIN}), OFFICE),
)


def sections_for(signed: SignedIn | None) -> tuple[Section, ...]:
    if signed is None:
        return ()
    return tuple(section for section in SECTIONS if signed.role in section.roles)


def entries_of(sections: Sequence[Section]) -> Sequence[Entry]:
    """Sections of one group that stand beside each other become one entry; a group of one is that section."""
    found = []
    for _key, rows in groupby(sections, key=lambda one: one.group or one.key):
        group = list(rows)
        found.append(Entry(group[0].group if len(group) > 1 else group[0].title, group))
    return found
