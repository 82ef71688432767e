"""The keys of what is kept: made once, beside the data, and never silently made anew."""

import asyncio
import json
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.furnish import prepare
from app.keys import KeysMissing, keys_file, keys_needed, note_our_keys, open_database
from app.service import build, readiness
from app.settings import Settings
from intake.inbox import receive
from storage.database import Database
from storage.keys import new_ring, read_ring
from tests.app.conftest import Run

COMMANDS = (
    ("migrate",),
    ("export", "inbox"),
    ("staff", "list"),
    ("sweep",),
    ("dead-letters", "list"),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_construct(data_dir=tmp_path / "data")


def test_the_keys_are_made_once_beside_the_data_and_for_us_alone(run: Run, settings: Settings) -> None:
    run("migrate")
    path = keys_file(settings)
    made = path.read_text()
    run("staff", "list")

    assert path.parent == settings.data_dir.parent
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == made
    assert not [file for file in settings.data_dir.rglob("*") if read_ring(made).current.secret in file.read_bytes()]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_its_keys_every_command_says_what_to_do_and_makes_no_others(
    migrated: Run, settings: Settings, command: tuple[str, ...]
) -> None:
    keys_file(settings).unlink()

    result = migrated(*command)

    assert result.exit_code == 1
    assert isinstance(result.exception, KeysMissing)
    assert "put the keys back from their backup" in str(result.exception)
    assert not keys_file(settings).exists()


def test_check_tells_that_the_keys_are_gone_or_open_to_others(migrated: Run, settings: Settings) -> None:
    def finding() -> dict[str, str]:
        rows = json.loads(migrated("check", "--format", "json").output)
        return next(row for row in rows if row["what"] == "DATA_KEYS")

    path = keys_file(settings)
    well = finding()
    path.chmod(0o644)
    open_to_others = finding()
    path.rename(path.with_name("elsewhere"))
    gone = finding()

    assert well["ok"] == "ok"
    assert "back it up apart from the data" in well["detail"]
    assert (open_to_others["ok"], gone["ok"]) == ("NO", "NO")
    assert "chmod 600" in open_to_others["detail"]
    assert "put the keys back" in gone["detail"]
    assert not path.exists()


def test_keys_of_another_house_are_refused(migrated: Run, settings: Settings) -> None:
    ours = read_ring(keys_file(settings).read_text())
    keys_file(settings).write_text(new_ring().text)

    with pytest.raises(KeysMissing) as refused:
        open_database(settings)

    assert ours.current.id in str(refused.value)
    assert ours.current.secret.hex() not in str(refused.value)


def test_processes_that_start_together_use_the_keys_that_one_of_them_makes(
    database_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.database_url = SecretStr(database_url)

    def others_make_theirs(database: Database) -> set[str]:
        """Between our first look and the next."""
        monkeypatch.undo()
        first = open_database(settings)
        note_our_keys(first)
        first.close()
        return keys_needed(database)

    monkeypatch.setattr("app.keys.keys_needed", others_make_theirs)
    second = open_database(settings)

    assert second.keys is not None
    assert second.keys.ring.ids == read_ring(keys_file(settings).read_text()).ids
    second.close()


def test_a_file_of_keys_that_is_broken_says_so(settings: Settings) -> None:
    settings.data_dir.mkdir()
    keys_file(settings).write_text("seal:tagliato")

    with pytest.raises(KeysMissing, match="put it back from its backup"):
        open_database(settings)


def test_keys_may_be_given_by_the_setting_and_then_no_file_is_made(tmp_path: Path, settings: Settings) -> None:
    ring = new_ring()
    settings.data_keys = SecretStr(ring.text)

    database = open_database(settings)

    assert database.keys is not None
    assert database.keys.ring.ids == ring.ids
    assert not keys_file(settings).exists()
    database.close()


def test_a_wrong_setting_is_named_and_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RACCORDO_DATA_KEYS", "seal:abc")

    result = run("migrate")

    assert "64 hexadecimal digits" in str(result.exception)
    assert "seal:abc" not in str(result.exception)


def test_a_house_that_does_not_seal_makes_no_keys(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RACCORDO_SEAL", "false")

    run("migrate")
    detail = next(
        row["detail"] for row in json.loads(run("check", "--format", "json").output) if row["what"] == "DATA_KEYS"
    )

    assert not keys_file(settings).exists()
    assert "in clear" in detail


def test_an_empty_house_begins_with_keys_though_a_database_is_there_already(migrated: Run, settings: Settings) -> None:
    """As after an upgrade: rows in clear, no keys noted."""
    keys_file(settings).unlink()
    with sqlite3.connect(settings.data_dir / "raccordo.db") as connection:
        connection.execute("DELETE FROM lease WHERE name LIKE 'key:%'")

    assert migrated("staff", "list").exit_code == 0
    assert keys_file(settings).exists()


def test_what_came_before_the_first_keys_is_still_known_after_the_start(settings: Settings, now: datetime) -> None:
    settings.seal = False
    first = arrive_at_start(settings, now)
    settings.seal = True

    assert first is not None
    assert arrive_at_start(settings, now) is None


def arrive_at_start(settings: Settings, now: datetime) -> int | None:
    database = open_database(settings)
    prepare(database, lambda: now)
    with database.write() as session:
        found = receive(session, kind="telegram", account="1", provider_id="7", payload=b"{}", lane="a", now=now)
    database.close()
    return found


def test_the_service_is_not_ready_while_the_file_of_its_keys_is_gone(settings: Settings) -> None:
    async def look() -> list[bool]:
        service = await build(settings, without=["web"])

        def keys_are_well() -> bool:
            return next(check.ok for check in readiness(service) if check.name == "keys")

        before = keys_are_well()
        keys_file(settings).rename(keys_file(settings).with_name("kept"))
        gone = keys_are_well()
        keys_file(settings).with_name("kept").rename(keys_file(settings))
        found = [before, gone, keys_are_well()]
        await service.rooms.close()
        assert service.lock is not None
        service.lock.close()
        return found

    assert asyncio.run(look()) == [True, False, True]
