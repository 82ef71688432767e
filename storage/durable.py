"""Files that survive a power cut: written beside, flushed to the disk, then given their name. Never half a file."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def make_once(path: Path, content: bytes) -> bytes:
    """What the file says: `content` when we made it, or what was there before us. Nobody ever reads half of it."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    with _written(path, content) as temporary, suppress(FileExistsError):
        os.link(temporary, path)
        sync_folder(path.parent)
    return path.read_bytes()


def replace(path: Path, content: bytes) -> None:
    """The file says `content` from now on; at no moment it says less than before or after."""
    with _written(path, content) as temporary:
        os.rename(temporary, path)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes sure that the names in it survive, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _written(path: Path, content: bytes) -> Iterator[str]:
    """A nameless neighbour of `path`, for us alone (mode 0600), with this content on the disk; gone afterwards."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
