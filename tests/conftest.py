"""What every test may ask for: a database of each kind, a clock, the cast."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from storage.database import Database
from storage.keys import new_ring
from storage.schema import migrate
from storage.sealing import Keyring
from tests.cast import Cast
from tests.compiled import share
from tests.postgres import BINARIES, cluster, execute, new_database

# Thousands of databases that are thrown away need no disk: its flushes would be most of the tests' time.
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--dose", default="short", choices=["short", "full"], help="how long the fault tests run")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, or at the end one worker has it and the others look on."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    return 0 if item.get_closest_marker("faults") else 1 if item.get_closest_marker("journey") else 2


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


@pytest.fixture
def keys() -> Keyring:
    """A ring that nobody else has."""
    return Keyring(new_ring())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "raccordo.db"
    database = Database(f"sqlite:///{path}")
    migrate(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A temporary cluster, never a system one. Yields the URL of its `postgres` database."""
    if not BINARIES:
        needed("PostgreSQL", "apt-get install postgresql")
    with cluster("fsync=off", "max_connections=200") as url:
        yield url


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
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'came_along' LOOP
        EXECUTE format('INSERT INTO public.%1$I SELECT * FROM came_along.%1$I', one.tablename);
        PERFORM setval(one.tablename || '_id_seq', 1000);
    END LOOP;
END $$
"""

# What the migrations themselves bring: every test finds it.
CAME_ALONG = """
CREATE SCHEMA came_along;
CREATE TABLE came_along.ladder AS TABLE public.ladder;
CREATE TABLE came_along.rung AS TABLE public.rung
"""


@pytest.fixture(scope="session")
def postgres_migrated(postgres_server: str) -> str:
    """The URL of one migrated database, which each test finds empty."""
    url = new_database(postgres_server, "raccordo")
    database = Database(url)
    migrate(database)
    database.close()
    execute(url, CAME_ALONG)
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database of each kind."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copy(template, tmp_path / "raccordo.db")
        return f"sqlite:///{tmp_path / 'raccordo.db'}"
    url: str = request.getfixturevalue("postgres_migrated")
    execute(url, EMPTY)
    return url


@pytest.fixture
def database(database_url: str, keys: Keyring) -> Iterator[Database]:
    """Sealed, as a house is unless somebody wishes otherwise."""
    database = Database(database_url, keys)
    share(database)
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
