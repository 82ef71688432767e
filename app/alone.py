"""One process at a time: a lock that the system lets go of when its holder ends, however it ends."""

import fcntl
from pathlib import Path
from typing import IO


class AlreadyServed(Exception):
    """Another process is doing this already."""


def take_alone(database: Path) -> IO[bytes]:
    """Holds a SQLite file for this process, until the lock is closed or the process ends, however it ends."""
    database.parent.mkdir(parents=True, exist_ok=True)
    busy = f"another raccordo serves {database}; stop it, or use PostgreSQL to run several processes"
    return hold(database.with_name(f"{database.name}.lock"), busy)


def hold(path: Path, busy: str) -> IO[bytes]:
    """Holds the lock. Raises AlreadyServed, saying `busy`, when somebody has it."""
    lock = path.open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadyServed(busy) from None
    return lock
