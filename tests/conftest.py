"""What every test may ask for: a database of each kind, a clock, the cast."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from storage.database import Database
from storage.schema import migrate
from tests.cast import Cast

POSTGRES_BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--dose", default="short", choices=["short", "full"], help="how long the fault tests run")


def needed(what: str, how: str) -> None:
    """Skips for a missing real component, saying how to get it; in CI that is a failure."""
    message = f"{what} is not installed. Get it with: {how}"
    if os.environ.get("RACCORDO_REQUIRE_ALL"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def dose(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--dose"))


@pytest.fixture
def now() -> datetime:
    """A working Tuesday, ten in the morning in Milan."""
    return datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "raccordo.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A temporary cluster on a Unix socket, never a system one. Yields the URL of its `postgres` database."""
    if not POSTGRES_BINARIES:
        needed("PostgreSQL", "apt-get install postgresql")
    binaries = POSTGRES_BINARIES[-1]
    # Not under pytest's folder: a socket's path may have 107 bytes at most, and root's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="raccordo-pg-", dir="/tmp"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    subprocess.run(
        [binaries / "initdb", "-D", folder / "data", "-U", "raccordo", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        user=user,
    )
    options = ["-k", str(folder), "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", *options], user=user, stdout=subprocess.DEVNULL, stderr=log
        )
    try:
        _wait_for_socket(folder / ".s.PGSQL.5432", server)
        yield f"postgresql://raccordo@/postgres?host={folder}"
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_socket(path: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL stopped: {(path.parent / 'log').read_text()}")
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not start in 30 seconds")


def postgres_execute(url: str, statement: str) -> None:
    import psycopg

    # The socket answers a moment before the server takes work.
    for attempt in range(50):
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(statement.encode())
            return
        except psycopg.OperationalError:
            if attempt == 49:
                raise
            time.sleep(0.1)


# Rows are deleted, not the database made anew: copying a template takes half a second, and a thousand tests ask.
EMPTY = """
DO $$
DECLARE one record;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', one.tablename);
    END LOOP;
    FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
        PERFORM setval(quote_ident(one.sequencename)::regclass, 1, false);
    END LOOP;
END $$
"""


@pytest.fixture(scope="session")
def postgres_migrated(postgres_server: str) -> str:
    """The URL of one migrated database, which each test finds empty."""
    postgres_execute(postgres_server, "CREATE DATABASE raccordo")
    url = postgres_server.replace("/postgres?", "/raccordo?")
    database = Database(url)
    migrate(database)
    database.close()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database of each kind."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copy(template, tmp_path / "raccordo.db")
        return f"sqlite:///{tmp_path / 'raccordo.db'}"
    url: str = request.getfixturevalue("postgres_migrated")
    postgres_execute(url, EMPTY)
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A writing session; what the test leaves uncommitted is rolled back with the database."""
    with database.write() as session:
        yield session


@pytest.fixture
def cast(session: Session, now: datetime) -> Cast:
    return Cast(session, now)
