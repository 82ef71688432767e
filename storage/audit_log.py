"""The log of who did what, read: filtered, a page at a time or all of it for a file. Changes nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from storage.tables import Audit, Referent, Staff

BATCH = 500


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to show: every part that is given must fit. `since` is included, `until` is not."""

    actor: tuple[str, int | None] | None = None
    action: str = ""
    object_kind: str = ""
    object_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[Any]:
        kind, number = self.actor or (None, None)
        same = {
            "actor_kind": kind,
            "actor_id": number,
            "action": self.action or None,
            "object_kind": self.object_kind or None,
            "object_id": self.object_id,
        }
        found: list[Any] = [getattr(Audit, name) == value for name, value in same.items() if value is not None]
        if self.since is not None:
            found.append(col(Audit.at) >= self.since)
        if self.until is not None:
            found.append(col(Audit.at) < self.until)
        return found


def log_page(session: Session, wanted: AuditFilter, *, limit: int, offset: int) -> tuple[Sequence[Audit], int]:
    """The newest first, and how many there are in all."""
    conditions = wanted.conditions()
    total = session.exec(select(func.count()).select_from(Audit).where(*conditions)).one()
    newest = select(Audit).where(*conditions).order_by(col(Audit.id).desc()).limit(limit).offset(offset)
    return session.exec(newest).all(), total


def log_rows(session: Session, wanted: AuditFilter) -> Iterator[dict[str, Any]]:
    """All that fit, the oldest first, as rows for an export."""
    columns = [getattr(Audit, name) for name in Audit.model_fields]
    query = select(*columns).where(*wanted.conditions()).order_by(col(Audit.id))
    for row in session.execute(query, execution_options={"yield_per": BATCH}).mappings():
        yield dict(row)


def names_of(session: Session, rows: Sequence[Audit]) -> dict[tuple[str, int], str]:
    """What the staff and referents of these rows are called, whether they acted or it was done to them."""
    named: dict[tuple[str, int], str] = {}
    for kind, table in (("staff", Staff), ("referent", Referent)):
        ids = {row.actor_id for row in rows if row.actor_kind == kind}
        ids |= {row.object_id for row in rows if row.object_kind == kind}
        found = session.exec(select(table.id, table.name).where(col(table.id).in_(ids - {None})))
        named |= {(kind, number): name for number, name in found}
    return named
