"""Makes the municipalities of the metropolitan city known as organisations. Never changes one that is there."""

from sqlmodel import Session

from facts.municipalities import municipalities
from storage.projects import add_organizations, organizations
from storage.tables import OrganizationKind


def load_municipalities(session: Session) -> int:
    """Adds those that are missing; how many. May be called again and again."""
    known = {row.istat_code for row in organizations(session)}
    missing = [
        {
            "kind": OrganizationKind.MUNICIPALITY,
            "name": each.name,
            "istat_code": each.istat,
            "cadastral_code": each.cadastral,
        }
        for each in municipalities()
        if each.istat not in known
    ]
    add_organizations(session, missing)
    return len(missing)
