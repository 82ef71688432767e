"""Changes the key of what is kept while the house is open: a new key in front, all sealed anew, the old key taken away.

May be interrupted anywhere and run again: what is left to do stands in the database and on the disk. An old key goes
only when nothing needs it any more.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.keys import keys_file, keys_needed, note_our_keys
from app.mark_keeping import renew_few
from app.settings import Settings
from storage import resealing
from storage.crash import crashpoint
from storage.database import Database
from storage.durable import replace
from storage.files import Files
from storage.keys import read_ring
from storage.leases import forget_keys
from storage.resealing import SHELVES, Batch
from storage.sealing import LOOK_SECONDS, CannotOpen, Keyring

NOTICE_SECONDS = 3 * LOOK_SECONDS  # after that every process seals with the new key
PATIENCE = 120  # looks at a transaction that does not end, a second each
PASSES = 20

Wait = Callable[[float], None]
Watch = Callable[[str, int, int], None]
"""What ("rows", "files"), how much of it is done, of how much."""


class RotationStuck(Exception):
    """It could not be finished; the text says why. The old keys stay, and it can be run again."""


@dataclass
class Rotation:
    """What was done. `closed`: values and files that do not open; while there are any, no key is taken away."""

    key: str | None
    rows: int = 0
    files: int = 0
    closed: int = 0
    removed: list[str] = field(default_factory=list)


def rotate(settings: Settings, database: Database, files: Files, *, watch: Watch, wait: Wait = time.sleep) -> Rotation:
    """Everything, from the new key to the last old one. Raises RotationStuck."""
    keys = database.keys
    assert keys is not None, "the caller has looked"
    _new_key_in_front(settings, database, keys)
    _all_have_noticed(database, wait)
    work = _Work(database, files, keys, watch, wait)
    done = Rotation(keys.ring.current.id if keys.seals else None)
    done.rows, closed_rows = work.rows()
    work.marks()
    done.files, closed_files = work.files_anew()
    done.closed = closed_rows + closed_files
    if not done.closed:
        done.removed = _take_old_keys_away(settings, database, keys)
    _clear_what_is_left_behind(database)
    return done


def _new_key_in_front(settings: Settings, database: Database, keys: Keyring) -> None:
    """Unless an earlier rotation was interrupted (there are old keys still), or the keys are given by the setting."""
    if keys.seals and keys.follows_a_file and len(keys.ring.seal) == 1:
        replace(keys_file(settings), keys.ring.with_new().text.encode())
        keys.look()
    crashpoint("after-new-key")
    note_our_keys(database)


def _all_have_noticed(database: Database, wait: Wait) -> None:
    """Until nobody is left who might still write something sealed with an old key."""
    wait(NOTICE_SECONDS)
    with database.read() as session:
        moment = resealing.clock_of(session)
    for _ in range(PATIENCE):
        with database.read() as session:
            if not resealing.anybody_at_work_since_before(session, moment):
                return
        wait(1.0)
    raise RotationStuck("a transaction has been open in the database for two minutes; end it and run this again")


def _take_old_keys_away(settings: Settings, database: Database, keys: Keyring) -> list[str]:
    """First from what the database says it needs, then from the file: killed in between, the next run goes on here."""
    ring = keys.ring
    old = keys_needed(database) - ({ring.current.id, ring.match.id} if keys.seals else set())
    with database.read() as session:
        if _amiss(session):
            raise RotationStuck("somebody still seals with an old key; see that every process has the new one in front")
    with database.write() as session:
        forget_keys(session, old)
    crashpoint("before-old-key-goes")
    spare = {key.id for key in ring.seal[1:]}
    if keys.seals and keys.follows_a_file and spare:
        path = keys_file(settings)
        replace(path, read_ring(path.read_text(encoding="ascii")).without(spare).text.encode())
        keys.look()
    return sorted(old | spare)


def _amiss(session: Session) -> int:
    return sum(resealing.amiss(session, shelf) for shelf in SHELVES)


def _clear_what_is_left_behind(database: Database) -> None:
    try:
        resealing.clear_free_pages(database)
    except OperationalError as busy:
        raise RotationStuck(
            "all is sealed anew, but the file is too busy to be cleared; run this again later"
        ) from busy


@dataclass
class _Work:
    """The long part, in small steps, with as long a pause after each: whoever serves people goes first."""

    database: Database
    files: Files
    keys: Keyring
    watch: Watch
    wait: Wait

    def rows(self) -> tuple[int, int]:
        """How many rows were kept anew, and how many do not open."""
        with self.database.read() as session:
            whole = _amiss(session) + resealing.plain_hashes(session)
        done = closed = 0
        for _ in range(PASSES):
            closed = 0
            for batch in self._batches():
                done, closed = done + batch.done, closed + batch.closed
                self.watch("rows", min(done, whole), whole)
            with self.database.read() as session:
                if _amiss(session) <= closed:
                    return done, closed
            self.wait(1.0)  # somebody was at work on the others
        raise RotationStuck("rows are held by somebody else again and again; run this again later")

    def _batches(self) -> Iterator[Batch]:
        for shelf in SHELVES:
            yield from self._all(lambda session, after, shelf=shelf: resealing.reseal_some(session, shelf, after))
        yield from self._all(resealing.rehash_some)

    def marks(self) -> None:
        """Those that were made without keys would confirm a guess."""
        some = 1
        while some:
            began = time.monotonic()
            with self.database.write() as session:
                some = renew_few(session)
            self.wait(time.monotonic() - began)

    def _all(self, some: Callable[..., Batch]) -> Iterator[Batch]:
        after: int | None = 0
        while after is not None:
            began = time.monotonic()
            with self.database.write() as session:
                batch = some(session, after)
            after = batch.last
            if after is not None:
                yield batch
                crashpoint("after-reseal-batch")
            self.wait(time.monotonic() - began)

    def files_anew(self) -> tuple[int, int]:
        """How many files were kept anew, and how many do not open."""
        names = [name for name in self.files.names() if self._file_amiss(name)]
        done, closed, left_behind = 0, 0, list[str]()
        for number, name in enumerate(names, 1):
            try:
                kept = self.files.keep_again(name)
            except FileNotFoundError:
                continue
            except CannotOpen:
                closed += 1
                continue
            if kept.name != name:
                with self.database.write() as session:
                    resealing.rename_file(session, name, kept.name)
                left_behind.append(name)
            done += 1
            self.watch("files", number, len(names))
        if left_behind:
            self.wait(NOTICE_SECONDS)  # whoever has just read the old name from a row opens it now
        for name in left_behind:
            self.files.path_of(name).unlink(missing_ok=True)
        return done, closed

    def _file_amiss(self, name: str) -> bool:
        wanted: str | None = self.keys.ring.current.id if self.keys.seals else None
        try:
            return self.files.sealed_with(name) != wanted
        except (FileNotFoundError, CannotOpen):
            return False
