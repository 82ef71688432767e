"""A throw-away PostgreSQL cluster on a Unix socket, for tests and benchmarks. Refuses to touch a system cluster."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

INITDB = ("-U", "raccordo", "-A", "trust", "-E", "UTF8", "--no-sync")
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


class Cluster:
    """PostgreSQL in a folder of its own. `url` is that of its `postgres` database."""

    def __init__(self, folder: Path, settings: Sequence[str]) -> None:
        self.url = f"postgresql://raccordo@/postgres?host={folder}"
        self._folder = folder
        self._user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
        self._options = [part for setting in ("listen_addresses=", *settings) for part in ("-c", setting)]
        self._server: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        if self._user:
            shutil.chown(self._folder, self._user)
        subprocess.run(
            [BINARIES[-1] / "initdb", "-D", self._folder / "data", *INITDB],
            check=True,
            capture_output=True,
            user=self._user,
        )

    def start(self) -> None:
        """Until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [BINARIES[-1] / "postgres", "-D", self._folder / "data", "-k", self._folder, *self._options],
                user=self._user,
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        _wait(self.url, self._server, self._folder / "log")

    def stop(self, *, at_once: bool = False) -> None:
        """In order, whoever is connected; `at_once`: as after a crash, to be recovered at the next start."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
            self._server.wait(30)


@contextmanager
def cluster(*settings: str) -> Iterator[str]:
    """The URL of its `postgres` database. `settings`: `fsync=off` and the like; without them it flushes to disk."""
    with own_cluster(*settings) as made:
        yield made.url


@contextmanager
def own_cluster(*settings: str) -> Iterator[Cluster]:
    """One to be stopped and started again at will; running at first, and gone at the end."""
    # Not under pytest's folder: a socket's path may have 107 bytes at most, and root's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="raccordo-pg-", dir="/tmp"))
    made = Cluster(folder, settings)
    try:
        made.make()
        made.start()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"PostgreSQL stopped: {log.read_text()}")
        try:
            psycopg.connect(url).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not start in 30 seconds")


def execute(url: str, statement: str) -> None:
    """One statement, committed."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def new_database(server: str, name: str) -> str:
    """The URL of a fresh, empty database in a cluster."""
    execute(server, f'CREATE DATABASE "{name}"')
    return server.replace("/postgres?", f"/{name}?")
