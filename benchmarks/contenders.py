"""Who is compared: each starts as a process of its own against the crowd's sandbox. Measures nothing."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import httpx

from benchmarks.crowd import TOKEN
from benchmarks.people import FIRST_PERSON
from benchmarks.proc import end
from storage.database import Database
from storage.schema import migrate
from tests.cast import Cast
from tests.postgres import new_database

ROOT = Path(__file__).parents[1]
SERVE = ("-m", "app.cli", "serve")
Process = subprocess.Popen[bytes]


def furnish(url: str, people: int) -> None:
    """Referents with three projects each, bound to the chats of the crowd."""
    database = Database(url)
    migrate(database)
    with database.write() as session:
        cast = Cast(session, datetime.now(UTC))
        organization = cast.an_organization("Ente di prova")
        programme = cast.a_programme()
        for chat in range(FIRST_PERSON, FIRST_PERSON + people):
            projects = tuple(cast.a_project(organization, programme, f"Progetto {chat} {n}") for n in "ABC")
            cast.a_referent(f"Persona{chat} Esempio", organization, projects, chat=chat)
    database.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(folder: Path, database_url: str, port: int, telegram: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RACCORDO_")}
    return kept | {
        "RACCORDO_DATA_DIR": str(folder / "data"),
        "RACCORDO_DATABASE_URL": database_url,
        "RACCORDO_LISTEN": f"127.0.0.1:{port}",
        "RACCORDO_TELEGRAM_TOKEN": TOKEN,
        "RACCORDO_TELEGRAM_API_URL": telegram,
        "RACCORDO_TELEGRAM_PER_SECOND": "0",
    }


@contextmanager
def raccordo(
    folder: Path,
    telegram: str,
    people: int,
    server: str | None,
    program: tuple[str, ...] = SERVE,
    settings: Mapping[str, str] | None = None,
) -> Iterator[Process]:
    """`raccordo serve` on SQLite, or on a new database of the PostgreSQL `server`. Yields when its pages answer."""
    url = new_database(server, f"bench_{uuid4().hex}") if server else f"sqlite:///{folder / 'raccordo.db'}"
    furnish(url, people)
    port = free_port()
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *program],
            cwd=ROOT,
            env=environment(folder, url, port, telegram) | dict(settings or {}),
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        wait_for_pages(process, port)
        yield process
    finally:
        end(process)


def wait_for_pages(process: Process, port: int) -> None:
    for _ in range(6000):
        if process.poll() is not None:
            raise RuntimeError("raccordo serve ended by itself")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.01)
    raise RuntimeError("raccordo serve did not answer")


@contextmanager
def conversation_handler(telegram: str, wire: str) -> Iterator[Process]:
    """python-telegram-bot's own, in memory. Yields when it polls."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.conversation", telegram, TOKEN, wire], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        end(process)
        if process.stdout is not None:
            process.stdout.close()
