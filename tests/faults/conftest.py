"""What the fault tests share: a sandbox in its own process, people with projects, the table at the end."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.database import Database
from tests.cast import Cast
from tests.faults import table
from tests.faults.harness import Sandbox, running_sandbox

FIRST_CHAT = 2001


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path) as sandbox:
        yield sandbox


def people_with_projects(database: Database, sandbox: Sandbox, number: int) -> list[int]:
    """Referents with two projects each, bound to chats; the ids of the chats."""
    chats = list(range(FIRST_CHAT, FIRST_CHAT + number))
    with database.write() as session:
        cast = Cast(session, datetime.now(UTC))
        organization = cast.an_organization("Ente di prova")
        programme = cast.a_programme()
        for chat in chats:
            projects = tuple(cast.a_project(organization, programme, f"Progetto {chat} {letter}") for letter in "AB")
            cast.a_referent(f"Persona{chat} Esempio", organization, projects, chat=chat)
    sandbox.add_people(chats)
    return chats


def kind_of(database_url: str) -> str:
    return database_url.partition(":")[0]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if table.LINES:
        terminalreporter.section("faults")
        terminalreporter.write_line(table.table(table.LINES))
