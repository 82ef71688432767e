"""A throw-away PostgreSQL cluster that flushes to disk like a real one. Refuses to touch a system cluster."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@contextmanager
def cluster() -> Iterator[str]:
    """The URL of its `postgres` database."""
    folder = Path(tempfile.mkdtemp(prefix="raccordo-pg-", dir="/tmp"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    subprocess.run(
        [BINARIES[-1] / "initdb", "-D", folder / "data", "-U", "raccordo", "-A", "trust", "-E", "UTF8"],
        check=True,
        capture_output=True,
        user=user,
    )
    command: list[str | Path] = [
        BINARIES[-1] / "postgres",
        "-D",
        folder / "data",
        "-k",
        str(folder),
        "-c",
        "listen_addresses=",
    ]
    server = subprocess.Popen(command, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(folder / ".s.PGSQL.5432")
        yield f"postgresql://raccordo@/postgres?host={folder}"
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(path: Path) -> None:
    for _ in range(300):
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(path))
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not start")


def new_database(server: str, name: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return server.replace("/postgres?", f"/{name}?")
