"""Imports projects from the Italia Domani open data or a table like them. All or nothing; never commits.

What referents reported (phase, progress, spending, end) is never touched, a place is never taken away.
A project is this office's when it is known already, takes place in a municipality we know, or is implemented
by an organisation we know; the rows of others are counted and left.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from facts.languages import N_
from registry.columns import PROJECTS
from registry.measures import Untitled, programme_name, short_name, working_titles
from registry.organizations import directory
from registry.project_rows import Found, Reading
from registry.report import ImportReport, Progress
from registry.sheets import Source, read_rows
from storage import audit
from storage.projects import (
    Key,
    KnownProject,
    add_organizations,
    add_places,
    add_programmes,
    add_projects,
    change_projects,
    known_places,
    known_projects,
    municipality_name,
)
from storage.tables import OrganizationKind

CMMI_PROJECTS = Path(__file__).parent / "data" / "progetti_cmmi.csv"

CHANGEABLE = tuple(name for name in KnownProject._fields if name not in ("cup", "local_code"))

NO_MUNICIPALITIES = N_("No municipality is known yet. Load the municipalities first.")


def import_projects(
    session: Session,
    source: Source,
    *,
    now: datetime,
    progress: Progress | None = None,
    dry_run: bool = False,
    actor: tuple[str, int | None] = ("system", None),
) -> ImportReport:
    """Reads a CSV or Excel file and makes or changes its projects. With errors in the report nothing was written."""
    report = ImportReport(dry_run=dry_run)
    reading = Reading(report, directory(session), known_projects(session))
    if not reading.directory.by_code:
        report.refuse(1, "", NO_MUNICIPALITIES)
        return report
    for row in read_rows(source, PROJECTS, report):
        report.read_one(progress)
        reading.take(row)
    if not report.ok:
        return report
    with session.begin_nested() as attempt:
        _Writing(session, reading, report).write()
        if dry_run:
            # Really done, and undone: what the database would refuse is seen too.
            attempt.rollback()
    if not dry_run:
        counts = {"created": report.created, "changed": report.changed, "unchanged": report.unchanged}
        audit.record(session, now, actor, "projects.import", ("project", None), **counts)
    return report


class _Writing:
    """Compares what was read with what is known, counts the difference and writes it in bulk."""

    def __init__(self, session: Session, reading: Reading, report: ImportReport) -> None:
        self.session = session
        self.known = reading.known
        self.directory = reading.directory
        self.found = list(reading.found.values())
        self.report = report
        self.bodies: dict[str, int] = {}
        self.programmes: dict[str, int] = {}

    def write(self) -> None:
        names = {found.measure: programme_name(found.measure, found.measure_name) for found in self.found}
        self.programmes = add_programmes(self.session, names)
        self.bodies = self._bodies()
        fresh = [found for found in self.found if found.key not in self.known]
        titles = self._titles(fresh)
        made = add_projects(self.session, [self._new_row(found, titles) for found in fresh])
        self.report.created = len(made)
        changes = dict(self._changes())
        change_projects(self.session, list(changes.values()))
        with_places = self._add_places(made)
        self.report.changed = len(changes.keys() | (with_places - made.keys()))
        self.report.unchanged = len(self.found) - self.report.created - self.report.changed

    def _bodies(self) -> dict[str, int]:
        """Ids of the implementing bodies by name; those nobody knows become "other actors"."""
        names = dict.fromkeys(found.body for found in self.found if found.body)
        known = {name: body.id for name in names if (body := self.directory.named(name)) is not None}
        unknown = {municipality_name(name): name for name in names if name not in known}
        made = add_organizations(
            self.session, [{"kind": OrganizationKind.OTHER, "name": name} for name in unknown.values()]
        )
        return known | {name: made[unknown[municipality_name(name)]] for name in names if name not in known}

    def _titles(self, fresh: list[Found]) -> dict[Key, str]:
        """Working titles for the new projects that come without a title."""
        untitled = [found for found in fresh if not found.title]
        taken = {known.title for known in self.known.values()}
        titles = working_titles([_untitled(found) for found in untitled], taken)
        return {found.key: title for found, title in zip(untitled, titles, strict=True)}

    def _new_row(self, found: Found, titles: dict[Key, str]) -> dict[str, Any]:
        return {
            "cup": found.cup,
            "local_code": found.local_code,
            "title": found.title or titles[found.key],
            "title_is_working": not found.title,
            "programme_id": self.programmes[found.measure],
            "implementing_body_id": self.bodies.get(found.body),
            "total_cents": found.total or 0,
            "pnrr_cents": found.pnrr or 0,
            "paid_cents": found.paid or 0,
        }

    def _changes(self) -> Iterator[tuple[Key, dict[str, Any]]]:
        for found in self.found:
            known = self.known.get(found.key)
            if known is None:
                continue
            row = self._changed(found, known)
            if row != known:
                yield found.key, {name: getattr(row, name) for name in CHANGEABLE}

    def _changed(self, found: Found, known: KnownProject) -> KnownProject:
        """The project as the file has it; where the file says nothing (a working title, say), as people know it."""
        return known._replace(
            title=found.title or known.title,
            title_is_working=known.title_is_working and not found.title,
            programme_id=self.programmes[found.measure],
            implementing_body_id=self.bodies.get(found.body, known.implementing_body_id),
            total_cents=known.total_cents if found.total is None else found.total,
            pnrr_cents=known.pnrr_cents if found.pnrr is None else found.pnrr,
            paid_cents=known.paid_cents if found.paid is None else found.paid,
        )

    def _add_places(self, made: dict[Key, int]) -> set[Key]:
        """Adds the places that are new; which projects have one more."""
        there = known_places(self.session)
        rows, touched = [], set()
        for found in self.found:
            project_id = made[found.key] if found.key in made else self.known[found.key].id
            for organization_id, address in found.places:
                if (project_id, organization_id, address) not in there:
                    rows.append({"project_id": project_id, "organization_id": organization_id, "address": address})
                    touched.add(found.key)
        add_places(self.session, rows)
        return touched


def _untitled(found: Found) -> Untitled:
    addresses = [address for _, address in found.places if address]
    return Untitled(
        cup=found.cup,
        local_code=found.local_code,
        measure=short_name(found.measure, found.measure_name),
        places=tuple(dict.fromkeys(place.name for place in found.places.values())),
        address=addresses[0] if addresses else "",
        total_cents=found.total or 0,
    )
