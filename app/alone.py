"""One process per SQLite file: a lock that the system lets go of when its holder ends, however it ends."""

import fcntl
from pathlib import Path
from typing import IO


class AlreadyServed(Exception):
    """Another process serves this SQLite file."""


def take_alone(data_dir: Path) -> IO[bytes]:
    """Holds DATA_DIR for this process until the file is closed or the process ends, however it ends."""
    data_dir.mkdir(parents=True, exist_ok=True)
    lock = (data_dir / "raccordo.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise AlreadyServed(
            f"another raccordo serves {data_dir}; stop it, or use PostgreSQL to run several processes"
        ) from None
    return lock
