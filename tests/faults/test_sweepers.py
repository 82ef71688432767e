"""T12: three processes sweep one database, and one of them is killed each second. Everybody is reminded, once."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlmodel import Session, select

from facts.recurrence import ONCE
from intake.builtin import ensure_builtin_forms
from reminders.deadlines import create_deadline
from storage.database import Database
from storage.tables import (
    Address,
    Channel,
    Decision,
    Following,
    Outbox,
    OutboxKind,
    Outcome,
    Project,
    Reason,
    Referent,
    Subject,
)
from tests.cast import Cast
from tests.faults import oracle
from tests.faults.harness import Sandbox, Serve, serving, wait_until
from tests.faults.table import LINES, Line
from tests.faults.test_kills import AT_ONCE, POSSIBLE
from tests.journeys.clocks import TUESDAY_MORNING

pytestmark = [pytest.mark.faults, pytest.mark.parametrize("database_url", ["postgres"], indirect=True)]

PROCESSES = 3
FIRST_CHAT = 20_000
SEED = 20_261_124


@dataclass(frozen=True)
class Dose:
    """`people` owe one update each. One process is killed every `every` seconds, `kills` times at most."""

    people: int
    every: float
    kills: int
    patience: float


DOSES = {"short": Dose(300, 0.15, 3, 300), "full": Dose(10_000, 1.0, 1_000, 1_800)}


def test_three_processes_of_which_one_is_always_dying_remind_everybody_once(
    database_url: str, sandbox: Sandbox, tmp_path: Path, dose: str
) -> None:
    amount, database = DOSES[dose], Database(database_url)
    with database.write() as session:
        furnish(session, amount.people)
    sandbox.add_people(range(FIRST_CHAT, FIRST_CHAT + amount.people))

    with three_processes(tmp_path, sandbox, database_url) as processes:
        with database.write() as session:
            let_all_owe(session)
        began = time.monotonic()
        while_deciding = kill_until_decided(processes, database, amount)
        wait_until(lambda: oracle.waiting(database) == 0, amount.patience, "everything has left", 0.2)
        seconds, kills = time.monotonic() - began, sum(one.kills for one in processes)

    reached = oracle.messages(sandbox.entries())
    heard = {chat: [entry["params"]["text"] for entry in found] for chat, found in reached.items()}
    decisions = decided(database)
    again = sum(len(texts) - 1 for texts in heard.values())
    LINES.append(
        Line(
            "T12 three sweep, one is killed each second",
            "postgresql",
            amount.people,
            kills,
            lost=amount.people - len({step for step, *_ in decisions}),
            duplicated=oracle.repeated(step for step, *_ in decisions),
            other=f"{while_deciding} killed while deciding; {again} messages came twice, {kills * AT_ONCE} allowed",
            seconds=seconds,
        )
    )
    assert while_deciding >= 2, "all was decided before anybody died: nothing was tried"
    assert oracle.repeated(step for step, *_ in decisions) == 0, "an occurrence has two rows"
    assert Counter(why for _, why in decisions) == {(Outcome.SENT, Reason.DUE): amount.people}, "one was missed"
    assert oracle.repeated(reminders(database)) == 0, "somebody was reminded twice"
    assert set(heard) == set(range(FIRST_CHAT, FIRST_CHAT + amount.people)), "a reminder never arrived"
    assert all(POSSIBLE in text for texts in heard.values() for text in texts[1:]), "a repetition is not marked"
    assert again <= kills * AT_ONCE
    database.close()


@contextmanager
def three_processes(folder: Path, sandbox: Sandbox, database_url: str) -> Iterator[list[Serve]]:
    """All with the same clock and the same folder for files; running when the block begins."""
    begun = str(time.time())
    with ExitStack() as stack:
        found = []
        for number in range(PROCESSES):
            house = serving(folder / f"house{number}", sandbox, database_url, BEGUN=begun)
            one = stack.enter_context(house)
            one.settings["RACCORDO_DATA_DIR"] = str(folder / "data")
            one.settings["RACCORDO_SECRET_KEY"] = "chiave-degli-esempi-4711-4711-4711"
            one.program = ("-m", "tests.faults.morning")
            one.start()
            found.append(one)
        for one in found:
            one.wait_ready()
        yield found


def kill_until_decided(processes: Sequence[Serve], database: Database, amount: Dose) -> int:
    """Every `every` seconds one of those that have reminded somebody dies and is started again: how many did so."""
    chance, deadline, killed = random.Random(SEED), time.monotonic() + amount.patience, 0
    while undecided(database):
        assert time.monotonic() < deadline, "they never come to an end"
        at_work = [one for one in processes if one.has_logged(b"reminder.decided")]
        if at_work and killed < amount.kills:
            victim = chance.choice(at_work)
            victim.kill()
            victim.start()
            killed += 1
        time.sleep(amount.every if at_work else 0.02)
    return killed


def furnish(session: Session, people: int) -> None:
    """As many projects, each followed by one person with a chat."""
    cast, now = Cast(session, TUESDAY_MORNING), TUESDAY_MORNING
    organization, programme = cast.an_organization("Ente di prova"), cast.a_programme()
    numbers = range(1, people + 1)
    common = {"programme_id": programme.id, "implementing_body_id": organization.id, "total_cents": 100}
    rows: list[tuple[Any, list[dict[str, Any]]]] = [
        (
            Project,
            [{"id": n, "cup": f"C{n:014}", "local_code": "X", "title": f"Progetto {n}"} | common for n in numbers],
        ),
        (Referent, [{"id": n, "name": f"Persona {n} Esempio", "language": "it", "created_at": now} for n in numbers]),
        (Following, [{"project_id": n, "referent_id": n, "since": now} for n in numbers]),
        (
            Address,
            [
                {"referent_id": n, "channel": Channel.TELEGRAM, "value": f"{FIRST_CHAT + n - 1}", "created_at": now}
                for n in numbers
            ],
        ),
    ]
    for table, values in rows:
        session.execute(insert(table), values)
    ensure_builtin_forms(session, now)


def let_all_owe(session: Session) -> None:
    """A deadline for tomorrow: everybody is to be reminded today, once."""
    create_deadline(
        session,
        title="Rendicontazione",
        form_id=ensure_builtin_forms(session, TUESDAY_MORNING).form_id,
        subject=Subject.PROJECT,
        rule=ONCE,
        first_on=date(2026, 11, 25),
        until=None,
        zone="Europe/Rome",
        opens_days_before=1,
        targets=(),
        created_by=None,
        now=TUESDAY_MORNING,
    )


def undecided(database: Database) -> int:
    query = text("SELECT count(*) FROM step WHERE NOT settled AND due_at <= :morning")
    with database.read() as session:
        return int(session.connection().execute(query, {"morning": TUESDAY_MORNING}).scalar_one())


def decided(database: Database) -> list[tuple[int, tuple[Outcome, Reason]]]:
    """Every row: which step, and what was decided. Each step concerns one person."""
    with database.read() as session:
        return [(row.step_id, (row.outcome, row.reason)) for row in session.exec(select(Decision))]


def reminders(database: Database) -> list[int | None]:
    """Whom each reminder is for."""
    with database.read() as session:
        return list(session.exec(select(Outbox.referent_id).where(Outbox.kind == OutboxKind.REMINDER)))
