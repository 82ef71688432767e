"""Breaks a database from outside, as other programs and full disks do, and mends it. Knows nothing of the service.

A full disk is played by the limit on the size of files that the system keeps for a process (RLIMIT_FSIZE): set to
nothing, every write of the service fails, its log's too. Needs no root, no mount and no disk of its own; SQLite then
says "disk I/O error" where it would say "database or disk is full", and the code does not tell them apart.
"""

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import psycopg

from tests.postgres import Cluster

Break = Callable[[], None]


@contextmanager
def locked_file(path: Path) -> Iterator[None]:
    """Another program writes, and takes its time."""
    other = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
    finally:
        other.close()


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """Nothing that the process writes finds room."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def locked_table(url: str) -> Iterator[None]:
    """Somebody maintains the inbox, and nobody else may touch it."""
    with psycopg.connect(url) as other:
        other.execute("LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@contextmanager
def cut_off(url: str) -> Iterator[None]:
    """Whoever connects is thrown out again, five times a second."""
    stop = Event()

    def cut() -> None:
        with psycopg.connect(url, autocommit=True) as other:
            while not stop.wait(0.2):
                other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    cutting = Thread(target=cut)
    cutting.start()
    try:
        yield
    finally:
        stop.set()
        cutting.join()


@contextmanager
def stopped(cluster: Cluster, *, at_once: bool) -> Iterator[None]:
    """The server is restarted, in order or after a crash."""
    cluster.stop(at_once=at_once)
    try:
        yield
    finally:
        cluster.start()
