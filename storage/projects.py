"""Questions about projects, the organisations behind them and their places. Decides nothing; never commits."""

import difflib
import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, insert, or_, update
from sqlmodel import Session, col, select

from facts.folding import fold
from storage.lending import hand_over_more, keep_as_own
from storage.tables import (
    Following,
    Obligation,
    ObligationState,
    Organization,
    Place,
    Programme,
    Project,
    Update,
)
from storage.touched import touch

CHUNK = 1_000  # rows a statement
MOST_IDS = 10_000  # values in one IN (…): SQLite allows 32,766 parameters a statement
LIKELY = 0.6  # how alike two names must be for one to be suggested instead of the other

Key = tuple[str, str]
"""CUP and local code: what makes a project one project."""


class KnownProject(NamedTuple):
    """What an import may change about a project. What referents reported is not here."""

    id: int
    cup: str
    local_code: str
    title: str
    title_is_working: bool
    programme_id: int
    implementing_body_id: int | None
    total_cents: int
    pnrr_cents: int
    paid_cents: int


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """One line of the desk's list. Amounts in cents, progress in tenths of percent."""

    id: int
    cup: str
    local_code: str
    title: str
    title_is_working: bool
    programme: str
    places: tuple[str, ...]
    phase: str | None
    progress_tenths: int | None
    spent_cents: int | None
    total_cents: int
    expected_end: date | None
    last_update_at: datetime | None
    open_obligations: int


@dataclass(frozen=True, slots=True)
class ProjectFilter:
    """Which projects the desk wants to see; nothing said means all. An organisation's: there, or implemented by it."""

    programme_id: int | None = None
    organization_id: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ProjectsPage:
    """Some lines, and how many there are in all."""

    lines: tuple[ProjectLine, ...]
    total: int


def municipality_name(text: str) -> str:
    """The folded name without "Comune di" and the like."""
    return re.sub(r"^comune (di|d) ", "", fold(text))


def programmes(session: Session) -> Sequence[Programme]:
    return session.exec(select(Programme).order_by(Programme.code)).all()


def organizations(session: Session) -> Sequence[Organization]:
    return session.exec(select(Organization).order_by(Organization.name, col(Organization.id))).all()


def find_organization(session: Session, text: str) -> Organization | None:
    """The organisation with this ISTAT code or this name ("Abbiategrasso", "comune di abbiategrasso")."""
    wanted = municipality_name(text)
    rows = session.execute(select(Organization.id, Organization.name, Organization.istat_code)).all()
    for id_, name, istat_code in rows:
        if wanted and (municipality_name(name) == wanted or istat_code in (wanted, wanted.zfill(6))):
            return session.get(Organization, id_)
    return None


def likely_organization(session: Session, text: str) -> Organization | None:
    """The organisation whose name looks most like this, to suggest it; None when none does."""
    by_name = {municipality_name(row.name): row for row in organizations(session)}
    found = likely_name(text, by_name)
    return by_name[found] if found is not None else None


def likely_name(text: str, folded_names: Collection[str]) -> str | None:
    """The one among folded names that looks most like `text`."""
    close = difflib.get_close_matches(municipality_name(text), folded_names, n=1, cutoff=LIKELY)
    return close[0] if close else None


def add_organizations(session: Session, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Ids by name."""
    if not rows:
        return {}
    made = session.execute(insert(Organization).returning(col(Organization.id), col(Organization.name)), rows)
    return {name: id_ for id_, name in made}


def known_projects(session: Session) -> dict[Key, KnownProject]:
    """Every project by its key."""
    columns = [getattr(Project, name) for name in KnownProject._fields]
    return {(row.cup, row.local_code): row for row in map(KnownProject._make, session.execute(select(*columns)))}


def projects_by_cup(session: Session) -> dict[str, list[int]]:
    """Ids by CUP: one CUP may stand for several projects."""
    found: dict[str, list[int]] = defaultdict(list)
    for cup, id_ in session.execute(select(col(Project.cup), col(Project.id)).order_by(col(Project.id))):
        found[cup].append(id_)
    return dict(found)


def projects_with_cup(session: Session, cup: str) -> Sequence[Project]:
    return session.exec(select(Project).where(Project.cup == cup).order_by(col(Project.id))).all()


def known_places(session: Session) -> set[tuple[int, int, str]]:
    """Project, organisation and address of every place."""
    rows = session.execute(select(col(Place.project_id), col(Place.organization_id), col(Place.address)))
    return {(project_id, organization_id, address) for project_id, organization_id, address in rows}


def add_projects(session: Session, rows: Sequence[dict[str, Any]]) -> dict[Key, int]:
    """Ids by key."""
    if not rows:
        return {}
    made = session.execute(
        insert(Project).returning(col(Project.id), col(Project.cup), col(Project.local_code)), list(rows)
    )
    return {(cup, local_code): id_ for id_, cup, local_code in made}


def change_projects(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Each row holds the id and the columns to change; all rows the same columns."""
    if rows:
        session.execute(update(Project), list(rows))
        touch(session, Project, [row["id"] for row in rows])


def add_places(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(Place), list(rows))
        touch(session, Project, [row["project_id"] for row in rows])


def add_programmes(session: Session, names: dict[str, str]) -> dict[str, int]:
    """Ids by code of every programme; those in `names` (code to name) that are new are made."""
    known = {row.code: row.id for row in programmes(session)}
    fresh = [{"code": code, "name": name} for code, name in names.items() if code not in known]
    if fresh:
        made = session.execute(insert(Programme).returning(col(Programme.id), col(Programme.code)), fresh)
        known |= {code: id_ for id_, code in made}
    return known


def projects_of_organization(session: Session, organization_id: int) -> Sequence[int]:
    """Ids of the projects that take place there or that it implements."""
    return session.exec(select(Project.id).where(_concerns(organization_id)).order_by(col(Project.id))).all()


def _concerns(organization_id: int) -> ColumnElement[bool]:
    places = select(Place.project_id).where(Place.organization_id == organization_id)
    return or_(col(Project.implementing_body_id) == organization_id, col(Project.id).in_(places))


def project_places(session: Session, ids: Collection[int]) -> dict[int, list[str]]:
    """The municipalities of each project by name, each once. A project without places has none."""
    found: dict[int, list[str]] = {id_: [] for id_ in ids}
    wanted = list(found)
    for start in range(0, len(wanted), MOST_IDS):
        rows = session.execute(
            select(col(Place.project_id), col(Organization.name))
            .join(Organization, col(Organization.id) == col(Place.organization_id))
            .where(col(Place.project_id).in_(wanted[start : start + MOST_IDS]))
            .distinct()
            .order_by(col(Place.project_id), col(Organization.name))
        )
        for project_id, name in rows:
            found[project_id].append(name)
    return found


def search_projects(session: Session, text: str, limit: int = 20) -> Sequence[Project]:
    """Projects whose title, CUP or municipalities hold every word of `text`, accents and case aside."""
    ids = _matching(session, text)[:limit]
    rows = {row.id: row for row in session.exec(select(Project).where(col(Project.id).in_(ids)))}
    return [rows[id_] for id_ in ids]


def _matching(session: Session, text: str) -> list[int]:
    """Ids by title. Read whole and compared here: no two databases fold accents alike."""
    words = fold(text).split()
    places: dict[int, list[str]] = defaultdict(list)
    for project_id, name in session.execute(
        select(col(Place.project_id), col(Organization.name)).join(
            Organization, col(Organization.id) == col(Place.organization_id)
        )
    ):
        places[project_id].append(name)
    rows = session.execute(
        select(col(Project.id), col(Project.title), col(Project.cup)).order_by(col(Project.title), col(Project.id))
    )
    found = []
    for id_, title, cup in rows:
        hay = " ".join(map(fold, (title, cup, *places[id_])))
        if all(word in hay for word in words):
            found.append(id_)
    return found


def projects_page(
    session: Session,
    wanted: ProjectFilter,
    *,
    today: date,
    limit: int = 50,
    offset: int = 0,
) -> ProjectsPage:
    """A page of the desk's list, by title. Open obligations are those whose window is open `today`."""
    query = select(Project, Programme.name).join(Programme, col(Programme.id) == col(Project.programme_id))
    if wanted.programme_id is not None:
        query = query.where(Project.programme_id == wanted.programme_id)
    if wanted.organization_id is not None:
        query = query.where(_concerns(wanted.organization_id))
    if wanted.text.strip():
        query = query.where(col(Project.id).in_(_matching(session, wanted.text)[:MOST_IDS]))
    total = session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = session.exec(query.order_by(Project.title, col(Project.id)).limit(limit).offset(offset)).all()
    return ProjectsPage(tuple(_lines(session, rows, today)), total)


def _lines(session: Session, rows: Sequence[tuple[Project, str]], today: date) -> list[ProjectLine]:
    ids = [project.id for project, _ in rows]
    places = project_places(session, ids)
    updates = last_updates(session, ids)
    owed = open_obligations(session, ids, today)
    return [
        ProjectLine(
            id=project.id,
            cup=project.cup,
            local_code=project.local_code,
            title=project.title,
            title_is_working=project.title_is_working,
            programme=programme,
            places=tuple(places[project.id]),
            phase=project.phase,
            progress_tenths=project.progress_tenths,
            spent_cents=project.spent_cents,
            total_cents=project.total_cents,
            expected_end=project.expected_end,
            last_update_at=updates.get(project.id),
            open_obligations=owed.get(project.id, 0),
        )
        for project, programme in rows
    ]


def last_updates(session: Session, ids: Collection[int]) -> dict[int, datetime]:
    """When each project was last reported on; those never reported on are absent."""
    rows = session.execute(
        select(col(Update.project_id), func.max(col(Update.received_at)))
        .where(col(Update.project_id).in_(ids))
        .group_by(col(Update.project_id))
    )
    return dict(rows.all())  # a result has keys(): dict() alone takes it for a mapping


def open_obligations(session: Session, ids: Collection[int], today: date) -> dict[int, int]:
    """How many updates each project owes whose window is open."""
    rows = session.execute(
        select(col(Obligation.project_id), func.count())
        .where(
            col(Obligation.project_id).in_(ids),
            Obligation.state == ObligationState.OPEN,
            Obligation.opens_on <= today,
        )
        .group_by(col(Obligation.project_id))
    )
    return dict(rows.all())


def follow(session: Session, referent_id: int, project_ids: Collection[int], now: datetime) -> int:
    """The referent reports on these projects from `now` on; those already followed keep their day. How many are new.

    What they followed only for an absent colleague is theirs now; who stands in for them follows the new ones too.
    """
    kept = keep_as_own(session, referent_id, project_ids)
    followed = set(session.exec(select(Following.project_id).where(Following.referent_id == referent_id)))
    fresh = [
        {"referent_id": referent_id, "project_id": project_id, "since": now}
        for project_id in dict.fromkeys(project_ids)
        if project_id not in followed
    ]
    if fresh:
        session.execute(insert(Following), fresh)
    if fresh or kept:
        hand_over_more(session, referent_id)
    return len(fresh) + kept
