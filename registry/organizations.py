"""Knows every organisation while a file is read: by code, by name, by likeness. Never guesses: it suggests."""

from dataclasses import dataclass

from sqlmodel import Session

from facts.codes import InvalidCode, read_istat
from storage.projects import likely_name, municipality_name, organizations
from storage.tables import Organization


@dataclass(frozen=True)
class Directory:
    """All organisations, read once: a query for each row would be most of an import's time."""

    by_code: dict[str, Organization]
    by_name: dict[str, Organization]

    @property
    def provinces(self) -> frozenset[str]:
        """First three digits of the codes we know: a place in another province is none of our business."""
        return frozenset(code[:3] for code in self.by_code)

    def named(self, text: str) -> Organization | None:
        """By name, "Comune di" aside."""
        return self.by_name.get(municipality_name(text))

    def find(self, text: str) -> Organization | None:
        """By name or ISTAT code."""
        found = self.named(text)
        if found is not None:
            return found
        try:
            return self.by_code.get(read_istat(text))
        except InvalidCode:
            return None

    def likely(self, text: str) -> str | None:
        """The name that was perhaps meant."""
        found = likely_name(text, self.by_name)
        return self.by_name[found].name if found is not None else None


def directory(session: Session) -> Directory:
    rows = organizations(session)
    return Directory(
        by_code={row.istat_code: row for row in rows if row.istat_code},
        by_name={municipality_name(row.name): row for row in reversed(rows)},
    )
