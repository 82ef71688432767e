"""One process per SQLite file: a lock that the system lets go of when its holder ends, however it ends."""

import fcntl
from pathlib import Path
from typing import IO


class AlreadyServed(Exception):
    """Another process serves this SQLite file."""


def take_alone(database: Path) -> IO[bytes]:
    """Holds a SQLite file for this process, until the lock is closed or the process ends, however it ends."""
    database.parent.mkdir(parents=True, exist_ok=True)
    lock = database.with_name(f"{database.name}.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadyServed(
            f"another raccordo serves {database}; stop it, or use PostgreSQL to run several processes"
        ) from None
    return lock
