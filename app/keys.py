"""Opens the database with the keys of what it keeps, and says what to do when they are gone.

Only here a file of keys is made, and never beside a database that needs another.
"""

from pathlib import Path

from sqlalchemy import inspect

from app.settings import Settings
from storage.database import Database
from storage.durable import make_once
from storage.keys import NoKeys, Ring, new_ring, read_ring
from storage.leases import keys_used, note_keys
from storage.sealing import Keyring


class KeysMissing(Exception):
    """The keys are not there, or not all; the text says what to do."""


def open_database(settings: Settings) -> Database:
    """The database with its keys, which are made for a new one. Raises KeysMissing."""
    database = Database(settings.database)
    try:
        # In this order: keys are in the file before the database needs them, and another process may be making both.
        needed = keys_needed(database)
        keys = given_keys(settings)
        if keys is None and settings.seal and not needed:
            keys = _made_keys(settings)
        database.use(keys)
        _check_complete(settings, database.keys, needed)
    except BaseException:
        database.close()
        raise
    return database


def given_keys(settings: Settings) -> Keyring | None:
    """The keys of the setting, or of the file; None when there are none."""
    given, path = settings.data_keys.get_secret_value(), keys_file(settings)
    if given:
        return _keyring(settings, read_ring(given), None)
    try:
        return _keyring(settings, _read(path), path)
    except FileNotFoundError:
        return None


def keys_file(settings: Settings) -> Path:
    return settings.beside("raccordo.data-keys")


def keys_needed(database: Database) -> set[str]:
    """The ids of the keys that this database has been sealed with. An empty one needs none."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("lease"):
            return set()
    with database.read() as session:
        return keys_used(session)


def note_our_keys(database: Database) -> None:
    """The database knows which keys it needs, before anything is sealed with them."""
    keys = database.keys
    if keys is None or not keys.seals:
        return
    ours = {keys.ring.current.id, keys.ring.match.id}
    if not ours <= keys_needed(database):
        with database.write() as session:
            note_keys(session, ours)


def _made_keys(settings: Settings) -> Keyring:
    path = keys_file(settings)
    make_once(path, new_ring().text.encode())
    return _keyring(settings, _read(path), path)


def _keyring(settings: Settings, ring: Ring, path: Path | None) -> Keyring:
    return Keyring(ring, path=path, seals=settings.seal, seals_mail=settings.seal_mail)


def _read(path: Path) -> Ring:
    try:
        return read_ring(path.read_text(encoding="ascii"))
    except (NoKeys, UnicodeDecodeError) as error:
        raise KeysMissing(f"{path} cannot be read: {error}; put it back from its backup") from error


def _check_complete(settings: Settings, keys: Keyring | None, needed: set[str]) -> None:
    missing = sorted(needed - set(keys.ring.ids if keys is not None else ()))
    if not missing:
        return
    where = "RACCORDO_DATA_KEYS" if settings.data_keys.get_secret_value() else str(keys_file(settings))
    raise KeysMissing(
        f"what this database keeps is sealed with key {', '.join(missing)}, which is not in {where}; "
        "put the keys back from their backup: without them nothing can be read"
    )
