"""Fills a database with very many obligations, by the code that staff's deadlines go through. Measures nothing itself.

Everybody follows one project. `due`: so many people owe something of which they are to be reminded on the first
morning, as many others on each of the next; the rest owe something every month, later.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session

from facts.recurrence import ONCE, monthly
from intake.builtin import ensure_builtin_forms
from reminders.deadlines import create_deadline
from storage.database import Database
from storage.schema import migrate
from storage.scopes import Line
from storage.tables import (
    Address,
    Channel,
    Following,
    Organization,
    OrganizationKind,
    Programme,
    Project,
    Referent,
    Subject,
    TargetKind,
)

EVENING = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # a Monday: when the deadlines are entered
MONTHS = 14  # periods that a monthly deadline has ahead
BATCH = 20_000
FIRST_CHAT = 1_000_000
FIRST_ID = 10_001  # of projects and people; below it whoever comes later finds room

# A Tuesday, and so on: the last is for whoever needs a database that nobody has swept yet.
MORNINGS = tuple(datetime(2026, 11, day, 7, 30, tzinfo=UTC) for day in (24, 25, 26, 27))


@dataclass(frozen=True)
class Crowd:
    """`obligations` in all, of which `due` on each of the mornings."""

    obligations: int
    due: int

    @property
    def groups(self) -> list[int]:
        """How many projects each programme has: one for each morning, then the rest."""
        rest = (self.obligations - self.due * len(MORNINGS)) // MONTHS
        if rest < 0:
            raise ValueError("fewer obligations than are due")
        return [self.due] * len(MORNINGS) + [rest]


def furnish(database: Database, crowd: Crowd) -> None:
    migrate(database)
    with database.write() as session:
        ensure_builtin_forms(session, EVENING)
        body = Organization(kind=OrganizationKind.OTHER, name="Ente di prova")
        programmes = [
            Programme(code=f"M5C2I2.{number}", name=f"Misura {number}") for number in range(len(crowd.groups))
        ]
        session.add_all([body, *programmes])
        session.flush()
        ids = [one.id for one in programmes]
        for table, rows in _rows(crowd, body.id, ids):
            _put(session, table, rows)
    for programme_id, morning in zip(ids, MORNINGS, strict=False):
        _deadline(database, programme_id, ONCE, (morning + timedelta(days=7)).date())
    _deadline(database, ids[-1], monthly(20), date(2026, 12, 20))


def _rows(crowd: Crowd, body_id: int, programme_ids: list[int]) -> Iterator[tuple[Any, Iterator[Mapping[str, Any]]]]:
    """Everybody's id is that of their project."""
    people = range(FIRST_ID, FIRST_ID + sum(crowd.groups))
    programme_of = (id_ for id_, size in zip(programme_ids, crowd.groups, strict=True) for _ in range(size))
    common = {"local_code": "X", "implementing_body_id": body_id, "total_cents": 100_000_000}
    yield (
        Project,
        (
            {"id": n, "cup": f"C{n:014}", "title": f"Progetto {n}", "programme_id": programme_id} | common
            for n, programme_id in zip(people, programme_of, strict=True)
        ),
    )
    yield (
        Referent,
        ({"id": n, "name": f"Persona {n} Esempio", "language": "it", "created_at": EVENING} for n in people),
    )
    yield Following, ({"project_id": n, "referent_id": n, "since": EVENING - timedelta(days=90)} for n in people)
    chat = {"channel": Channel.TELEGRAM, "created_at": EVENING}
    yield Address, ({"referent_id": n, "value": str(FIRST_CHAT + n)} | chat for n in people)


def _put(session: Session, table: Any, rows: Iterator[Mapping[str, Any]]) -> None:
    while some := [row for _, row in zip(range(BATCH), rows, strict=False)]:
        session.execute(insert(table), some)


def _deadline(database: Database, programme: int, rule: str, first_on: date) -> None:
    with database.write() as session:
        create_deadline(
            session,
            title=f"Monitoraggio {programme}",
            form_id=1,
            subject=Subject.PROJECT,
            rule=rule,
            first_on=first_on,
            until=None,
            zone="Europe/Rome",
            opens_days_before=20,
            targets=[Line(TargetKind.PROGRAMME, programme)],
            created_by=None,
            now=EVENING,
        )
