"""Where the archives of `benchmarks.desk` lie: SQLite files and a PostgreSQL of their own. Measures nothing.

They are made anew each time, or kept in the system's folder for temporary files while tables and makers stay the same.
"""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.mark_keeping import renew_all
from benchmarks.archive import Size, furnish
from benchmarks.contenders import ROOT
from storage.database import Database
from storage.keys import new_ring, read_ring
from storage.sealing import Keyring
from tests.postgres import BINARIES, Cluster, execute, new_database

KEPT = Path(tempfile.gettempdir()) / "raccordo-bench-desk"
MADE_BY = ("storage/tables", "storage/migrations/versions", "benchmarks/archive.py", "benchmarks/vocabulary.py")


@dataclass(frozen=True)
class Archive:
    """One furnished database. `folder`: where a service on it may keep its files."""

    kind: str
    questions: int
    url: str
    keys: Keyring
    folder: Path

    @contextmanager
    def database(self) -> Iterator[Database]:
        database = Database(self.url, self.keys)
        try:
            yield database
        finally:
            database.close()


def index(archive: Archive) -> None:
    """Until everything is found by its words. Of 100,000 questions a long while; begun before, it goes on."""
    with archive.database() as database:
        renew_all(database)


def archives(sizes: Sequence[int], *, reuse: bool, only: str | None) -> Iterator[list[Archive]]:
    """For each kind of database one archive of each size. What is found by its words is not there yet."""
    with _folder(reuse=reuse) as folder:
        if only != "postgresql":
            yield [_on_sqlite(folder, size) for size in sizes]
        if only != "sqlite" and BINARIES:
            with _postgres(folder) as server:
                yield [_on_postgres(folder, server, size) for size in sizes]


@contextmanager
def _folder(*, reuse: bool) -> Iterator[Path]:
    if not reuse:
        with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name:
            yield _opened(Path(name))
        return
    KEPT.mkdir(mode=0o700, exist_ok=True)
    found = KEPT.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise SystemExit(f"{KEPT} is somebody else's: remove it")
    made_by = _fingerprint()
    stamp = KEPT / "made-by"
    if not stamp.exists() or stamp.read_text() != made_by:
        shutil.rmtree(KEPT)
        KEPT.mkdir(mode=0o700)
        stamp.write_text(made_by)
    yield _opened(KEPT)


def _opened(folder: Path) -> Path:
    """PostgreSQL's own account passes through on its way to its part."""
    folder.chmod(0o711)
    return folder


def _fingerprint() -> str:
    """Of the code that says what is in an archive."""
    named = [ROOT / name for name in MADE_BY]
    files = sorted(file for one in named for file in ([one] if one.is_file() else one.glob("*.py")))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _keys(folder: Path) -> Keyring:
    path = folder / "keys"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(new_ring().text)
    return Keyring(read_ring(path.read_text()))


def _on_sqlite(folder: Path, size: int) -> Archive:
    path, home = folder / f"{size}.db", folder / f"sqlite-{size}"
    if not _is_done(home):
        path.unlink(missing_ok=True)  # somebody interrupted the last
    return _furnished(Archive("SQLite", size, f"sqlite:///{path}", _keys(folder), home))


def _on_postgres(folder: Path, server: str, size: int) -> Archive:
    name = f"archive_{size}"
    home = folder / f"postgres-{size}"
    if not _is_done(home):
        execute(server, f'DROP DATABASE IF EXISTS "{name}"')
        new_database(server, name)
    url = server.replace("/postgres?", f"/{name}?")
    archive = _furnished(Archive("PostgreSQL", size, url, _keys(folder), home))
    execute(url, "VACUUM ANALYZE")  # what its own housekeeping would have done over the years
    return archive


def _furnished(archive: Archive) -> Archive:
    if not _is_done(archive.folder):
        print(f"making an archive of {archive.questions:,} questions, {archive.kind}", file=sys.stderr, flush=True)
        with archive.database() as database:
            furnish(database, Size(archive.questions), datetime.now(UTC))
        archive.folder.mkdir()
    return archive


def _is_done(home: Path) -> bool:
    """The folder of a service is made when its database is full."""
    return home.is_dir()


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """The URL of its `postgres` database."""
    home = folder / "postgres"
    made = home.is_dir()
    home.mkdir(exist_ok=True)
    cluster = Cluster(home, ())
    if not made:
        cluster.make()
    cluster.start()
    try:
        yield cluster.url
    finally:
        cluster.stop()
