"""Several processes sweep one PostgreSQL at once: everything is decided, and nothing twice."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from functools import partial

import pytest
from sqlmodel import Session, select

from reminders.deadlines import keep_obligations
from reminders.sweep import remind_one
from storage.database import Database
from storage.tables import Decision, Obligation, Outbox, OutboxKind, Outcome, Programme, Project, Reason, Step
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

PEOPLE = 100
PROJECTS_EACH = 5

pytestmark = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)


class _Killed(Exception):
    pass


def _occurrences(session: Session, now: datetime) -> None:
    """500 projects, five to each of 100 people and every fifth followed by two; all owe by tomorrow."""
    cast = Cast(session, now)
    milano, programme = cast.an_organization("Milano"), cast.a_programme()
    groups = [tuple(cast.a_project(milano, programme) for _ in range(PROJECTS_EACH)) for _ in range(PEOPLE)]
    for number, own in enumerate(groups):
        shared = groups[(number + 1) % PEOPLE][:1]
        cast.a_referent(f"Persona {number} (esempio)", projects=own + shared, chat=1000 + number)
    cast.a_project(milano, programme)  # nobody follows this one
    a_new_deadline(cast, first_on=date(2026, 11, 1), day=25, until=date(2026, 11, 30), opens_days_before=1)


def _process(url: str, now: datetime, *, dies_after: int | None = None) -> int:
    """One process: sweeps until nothing is left, or dies in the middle of its n-th transaction."""
    database = Database(url)
    done = 0
    try:
        while True:
            with database.write() as session:
                if not remind_one(session, now):
                    return done
                if done == dies_after:
                    raise _Killed
            done += 1
    except _Killed:
        return done
    finally:
        database.close()


def test_three_processes_decide_500_occurrences_once_each_though_some_die(
    database: Database, database_url: str, now: datetime
) -> None:
    with database.write() as session:
        _occurrences(session, now)

    with ThreadPoolExecutor(6) as pool:
        dying = [pool.submit(partial(_process, database_url, now, dies_after=number * 4)) for number in range(3)]
        living = [pool.submit(_process, database_url, now) for _ in range(3)]
        decided = sum(one.result(timeout=120) for one in dying + living)

    # whoever died may have been the last one at work: then the next pass takes up what they dropped
    assert decided + _process(database_url, now) == PEOPLE
    with database.read() as session:
        decisions = session.exec(select(Decision)).all()
        messages = session.exec(select(Outbox.referent_id).where(Outbox.kind == OutboxKind.REMINDER)).all()
        steps = session.exec(select(Step).where(Step.due_at <= now)).all()
        assert len(steps) == PEOPLE * PROJECTS_EACH + 1
        assert all(step.settled for step in steps)
        assert max(Counter((row.step_id, row.referent_id) for row in decisions).values()) == 1
        assert Counter((row.outcome, row.reason) for row in decisions) == {
            (Outcome.SENT, Reason.GATHERED): PEOPLE * (PROJECTS_EACH + 1),
            (Outcome.WITHHELD, Reason.NOBODY): 1,
        }
        assert len(messages) == len(set(messages)) == PEOPLE


def test_two_processes_that_keep_obligations_at_once_make_each_once(
    database: Database, database_url: str, now: datetime
) -> None:
    with database.write() as session:
        _occurrences(session, now)
        cast = Cast(session, now)
        a_new_deadline(cast, form_id=cast.a_form("other").form_id)
        programme_id = session.exec(select(Programme.id)).first()
        assert programme_id is not None
        for number in range(50):
            session.add(Project(cup=f"C{number:014}", local_code="X", title="Nuovo", programme_id=programme_id))
    together = threading.Barrier(3)

    def keep() -> int:
        own = Database(database_url)
        together.wait(30)
        with own.write() as session:
            made = keep_obligations(session, now + timedelta(minutes=1))
        own.close()
        return made

    with ThreadPoolExecutor(3) as pool:
        made = [one.result(timeout=60) for one in [pool.submit(keep) for _ in range(3)]]

    assert sorted(made) == [0, 0, 50 * 14]  # thirteen months of one deadline, November of the other
    with database.read() as session:
        rows = session.exec(select(Obligation.deadline_id, Obligation.project_id, Obligation.period)).all()
    assert len(rows) == len(set(rows))
