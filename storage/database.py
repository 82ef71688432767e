"""One database, synchronous inside, awaited at the edge. The only commit of the house is here.

On SQLite: one writer at a time, readers beside it. On PostgreSQL: a small pool for both.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DisconnectionError
from sqlmodel import Session

from storage.sealing import Keyring
from storage.touched import write_down
from storage.types import from_json, to_json

T = TypeVar("T")

BUSY_TIMEOUT_MS = 10_000
POSTGRES_POOL = 8
READERS = 4
FRESH_SECONDS = 2.0  # a connection used since then is taken to be alive


_JSON: dict[str, Any] = {"json_serializer": to_json, "json_deserializer": from_json}


class UnsafeDatabase(Exception):
    """The database refused a setting that our promises depend on."""


@dataclass(frozen=True, slots=True)
class Ride:
    """What a passenger of somebody's transaction wants to know: `landed` after its commit, `lost` if that failed.

    Called on the database's thread.
    """

    landed: Callable[[], None]
    lost: Callable[[], None]


Passenger = Callable[[Session], Ride | None]


class Database:
    """`write()` and `read()` for synchronous callers (pages, commands), `run()` and `look()` for asynchronous ones.

    `keys`: with what the columns seal and open what they keep; without, it is kept in clear.
    """

    def __init__(self, url: str, keys: Keyring | None = None) -> None:
        self.url = driver_url(url)
        self.keys: Keyring | None = None
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._writer = _sqlite_engine(self.url, writing=True) if self.is_sqlite else _postgres_engine(self.url)
        self._reader = _sqlite_engine(self.url, writing=False) if self.is_sqlite else self._writer
        self.use(keys)
        # SQLite has one writer anyway: waiting in line here is fair, its busy handler is a lottery.
        self._turn: Any = threading.RLock() if self.is_sqlite else _NoLock()
        self._writers = ThreadPoolExecutor(1 if self.is_sqlite else POSTGRES_POOL // 2, "database-write")
        self._readers = ThreadPoolExecutor(READERS, "database-read")
        self._after_commit: list[Callable[[], None]] = []

    @property
    def engine(self) -> Engine:
        return self._writer

    def use(self, keys: Keyring | None) -> None:
        """From now on with these keys."""
        self.keys = keys
        for engine in (self._writer, self._reader):
            engine.dialect.keys = keys  # type: ignore[attr-defined]  # the column types are given the dialect

    def after_commit(self, call: Callable[[], None]) -> None:
        """Calls `call` (from any thread, must be quick) after each commit, so that who waits need not poll."""
        self._after_commit.append(call)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self._transaction() as session:
            yield session
        self._tell()

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with self._turn, Session(self._writer, expire_on_commit=False) as session:
            yield session
            write_down(session)
            session.commit()

    def _tell(self) -> None:
        for call in self._after_commit:
            call()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A look that changes nothing (on SQLite it cannot)."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    async def run(self, work: Callable[[Session], T], then: Sequence[Passenger] = ()) -> T:
        """Runs `work` in one writing transaction on a database thread.

        `then`: others who do their part in the same transaction, so that a message costs one flush to the disk and
        not three. Where that fails, nothing of it is kept, and `work` is done again by itself.
        """
        return await asyncio.get_running_loop().run_in_executor(self._writers, self._do, work, then)

    async def look(self, work: Callable[[Session], T]) -> T:
        """Runs `work`, which only reads, on a reader thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._see, work)

    def close(self) -> None:
        self._writers.shutdown()
        self._readers.shutdown()
        self._writer.dispose()
        self._reader.dispose()

    def _do(self, work: Callable[[Session], T], then: Sequence[Passenger] = ()) -> T:
        if then:
            with suppress(Exception):  # whoever failed tries again in its own transaction, and says why there
                return self._together(work, then)
        with self.write() as session:
            return work(session)

    def _together(self, work: Callable[[Session], T], then: Sequence[Passenger]) -> T:
        rides: list[Ride] = []
        try:
            with self._transaction() as session:
                result = work(session)
                for passenger in then:
                    ride = passenger(session)
                    if ride is not None:
                        rides.append(ride)
        except BaseException:
            for ride in rides:
                ride.lost()
            raise
        for ride in rides:
            ride.landed()
        if len(rides) < len(then):
            self._tell()  # who rode knows; whoever did not, has to look
        return result

    def _see(self, work: Callable[[Session], T]) -> T:
        with self.read() as session:
            return work(session)


class _NoLock:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def driver_url(url: str) -> URL:
    """The SQLAlchemy URL for what an administrator writes (`postgresql://…`, `sqlite:///…`)."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+psycopg") if parsed.get_backend_name() == "postgresql" else parsed


def _postgres_engine(url: URL) -> Engine:
    engine = create_engine(url, pool_size=POSTGRES_POOL, max_overflow=4, hide_parameters=True, **_JSON)

    @event.listens_for(engine, "checkin")
    def put_back(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def take_out(connection: Any, record: Any, _proxy: Any) -> None:
        # SQLAlchemy's own ping asks every time: a third of the time of one person's step.
        if time.monotonic() - record.info.get("used", 0.0) > FRESH_SECONDS and not _alive(engine, connection):
            raise DisconnectionError

    return engine


def _alive(engine: Engine, connection: Any) -> bool:
    try:
        return engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        return False


def _sqlite_engine(url: URL, *, writing: bool) -> Engine:
    size = 1 if writing else READERS
    # Parameters are people's words: they must not reach a log by way of an error's text.
    engine = create_engine(
        url, connect_args={"check_same_thread": False}, pool_size=size, hide_parameters=True, **_JSON
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        # The driver's own transactions let a savepoint survive its rollback, and a message was lost.
        connection.isolation_level = None
        _set_pragmas(connection, writing=writing)

    word = "BEGIN IMMEDIATE" if writing else "BEGIN"
    # Not by an event: an engine with listeners looks for them at every statement, a tenth of a dialogue step.
    engine.dialect.do_begin = lambda connection: connection.execute(word)  # type: ignore[method-assign,assignment]
    return engine


def _set_pragmas(connection: Any, *, writing: bool) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": BUSY_TIMEOUT_MS}
    for name, value in wanted.items():
        connection.execute(f"PRAGMA {name}={value}")
        found = connection.execute(f"PRAGMA {name}").fetchone()[0]
        if found != value:
            raise UnsafeDatabase(f"SQLite keeps {name}={found}, and {value} is needed")
    if not writing:
        connection.execute("PRAGMA query_only=1")
