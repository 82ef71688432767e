"""`raccordo audit verify` says whether the log is whole, in words and for programs."""

import json
import sqlite3
from pathlib import Path

from tests.app.conftest import Run


def a_log(migrated: Run, tmp_path: Path) -> Path:
    for name in ("ada", "bruno"):
        migrated("staff", "add", "--email", f"{name}@example.org", "--name", "Uno Esempio", "--role", "admin")
    (path,) = (tmp_path / "data").glob("*.db")
    return path


def test_the_log_is_whole_and_its_newest_link_is_printed(migrated: Run, tmp_path: Path) -> None:
    a_log(migrated, tmp_path)
    before = json.loads(migrated("audit", "verify", "--format", "json").output)
    migrated("sweep")

    after = migrated("audit", "verify", "--format", "json")
    told = json.loads(after.output)

    assert before["unsealed"] > 0
    assert (after.exit_code, told["whole"], told["unsealed"]) == (0, True, 0)
    assert told["newest"].split(":")[0] == str(told["sealed"])
    assert migrated("audit", "verify", "--kept", told["newest"]).exit_code == 0


def test_a_log_that_was_touched_ends_the_command_with_1(migrated: Run, tmp_path: Path) -> None:
    path = a_log(migrated, tmp_path)
    migrated("sweep")
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER audit_no_update")
        connection.execute("UPDATE audit SET actor_id = 77 WHERE id = 1")

    result = migrated("audit", "verify")
    told = json.loads(migrated("audit", "verify", "--format", "json").output)

    assert result.exit_code == 1
    assert "link 1 does not fit row 1" in result.output
    assert told["broken"] == {"number": 1, "row": 1, "why": "altered"}


def test_a_link_that_was_kept_and_is_no_longer_there_is_said(migrated: Run, tmp_path: Path) -> None:
    a_log(migrated, tmp_path)

    result = migrated("audit", "verify", "--kept", f"41:{'ab' * 32}")
    nonsense = migrated("audit", "verify", "--kept", "41")

    assert result.exit_code == 1
    assert "41 is not the one that you kept" in result.output
    assert nonsense.exit_code == 1
