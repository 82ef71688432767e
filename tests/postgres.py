"""A throw-away PostgreSQL cluster on a Unix socket, for tests and benchmarks. Refuses to touch a system cluster."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@contextmanager
def cluster(*settings: str) -> Iterator[str]:
    """The URL of its `postgres` database. `settings`: `fsync=off` and the like; without them it flushes to disk."""
    # Not under pytest's folder: a socket's path may have 107 bytes at most, and root's folders are closed to others.
    folder = Path(tempfile.mkdtemp(prefix="raccordo-pg-", dir="/tmp"))
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if user:
        shutil.chown(folder, user)
    subprocess.run(
        [BINARIES[-1] / "initdb", "-D", folder / "data", "-U", "raccordo", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        user=user,
    )
    options = [part for setting in ("listen_addresses=", *settings) for part in ("-c", setting)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [BINARIES[-1] / "postgres", "-D", folder / "data", "-k", str(folder), *options],
            user=user,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    url = f"postgresql://raccordo@/postgres?host={folder}"
    try:
        _wait(url, server, folder / "log")
        yield url
    finally:
        server.terminate()
        server.wait(30)
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
