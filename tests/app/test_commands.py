"""The commands do what the README says, and fail in one line."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.commands.house import open_house
from desk.second_factor import new_secret, set_factor
from storage.staff import find_staff
from tests.app.conftest import Run

ROOT = Path(__file__).parents[2]


def _projects(folder: Path, *rows: str) -> Path:
    path = folder / "projects.csv"
    header = "CUP;Codice Locale Progetto;Codice Univoco Submisura;Descrizione Submisura;Codice ISTAT;Comune;Indirizzo"
    amounts = "Finanziamento Totale;Finanziamento PNRR;Pagamenti Totali"
    path.write_text("\n".join([f"{header};{amounts}", *rows]) + "\n", encoding="utf-8-sig")
    return path


GOOD = "C47H21001030001;LOC1;M5C2I2.01.00;Rigenerazione;015002;Abbiategrasso;;150000,00;71070,11;134752,18"
BAD_CUP = "X47;LOC2;M5C2I2.01.00;Rigenerazione;015002;Abbiategrasso;;150000,00;71070,11;134752,18"


def test_migrate_says_what_it_did_and_may_be_run_again(run: Run) -> None:
    first, second = run("migrate"), run("migrate")

    assert "(before: none)" in first.output
    assert "already" in second.output


def test_a_file_with_one_bad_row_imports_nothing_and_names_the_row(migrated: Run, tmp_path: Path) -> None:
    result = migrated("import", "projects", _projects(tmp_path, GOOD, BAD_CUP))

    assert result.exit_code == 1
    assert "Row 3, CUP" in result.output
    assert json.loads(migrated("export", "projects", "--format", "json").output) == []


def test_a_dry_run_reads_everything_and_keeps_nothing(migrated: Run, tmp_path: Path) -> None:
    result = migrated("import", "projects", _projects(tmp_path, GOOD), "--dry-run")

    assert "Would be created (projects): 1," in result.output
    assert json.loads(migrated("export", "projects", "--format", "json").output) == []


def test_a_referent_is_added_listed_and_invited(migrated: Run, tmp_path: Path) -> None:
    migrated("import", "projects", _projects(tmp_path, GOOD))

    added = migrated(
        "referent", "add", "--name", "Ada Esempio", "--email", "ada@example.org", "--organization", "Abbiategrasso"
    )
    listed = json.loads(migrated("referent", "list", "--format", "json").output)
    invited = json.loads(migrated("invite", "ada@example.org", "--format", "json").output)

    assert added.exit_code == 0
    assert [(row["name"], row["projects"]) for row in listed] == [("Ada Esempio", 1)]
    assert "/r/" in invited["web"]


def test_a_referent_may_come_with_their_own_certified_mailbox(migrated: Run, tmp_path: Path) -> None:
    migrated("import", "projects", _projects(tmp_path, GOOD))
    ada = ("referent", "add", "--name", "Ada Esempio", "--email", "ada@example.org", "--organization", "Abbiategrasso")

    refused = migrated(*ada, "--pec", "nopec")
    migrated(*ada, "--pec", "Ada@PEC.example.org")
    migrated("export", "referents", "--format", "json", "--output", str(tmp_path / "people.json"))

    assert refused.exit_code == 1
    (row,) = json.loads((tmp_path / "people.json").read_text())
    assert (row["email"], row["pec"]) == (["ada@example.org"], ["ada@pec.example.org"])


def test_inviting_a_stranger_fails_with_a_hint(migrated: Run) -> None:
    result = migrated("invite", "nobody@example.org")

    assert result.exit_code == 1
    assert "referent list" in str(result.exception)


def test_a_desk_account_gets_a_link_to_choose_a_password(migrated: Run) -> None:
    migrated("staff", "add", "anna@example.org", "--role", "admin", "--name", "Anna Esempio")

    again = migrated("staff", "add", "anna@example.org", "--role", "admin", "--format", "json")
    otherwise = migrated("staff", "add", "anna@example.org", "--role", "reader")
    listed = json.loads(migrated("staff", "list", "--format", "json").output)

    assert [(row["email"], row["role"], row["password"]) for row in listed] == [("anna@example.org", "admin", False)]
    assert again.exit_code == 0
    assert "/desk/welcome/" in json.loads(again.stdout)["choose a password"]
    assert "has an account already; here is a new link" in again.stderr
    assert otherwise.exit_code == 1
    assert "as admin" in str(otherwise.exception)


def test_a_second_factor_is_reset_from_the_command_line(migrated: Run) -> None:
    migrated("staff", "add", "anna@example.org", "--role", "admin")
    with open_house() as (_, database), database.write() as session:
        anna = find_staff(session, "anna@example.org")
        assert anna is not None
        set_factor(session, anna, new_secret(), 1, datetime.now(UTC))

    done = migrated("staff", "reset-factor", "anna@example.org")
    again = migrated("staff", "reset-factor", "anna@example.org")
    nobody = migrated("staff", "reset-factor", "nobody@example.org")

    assert done.exit_code == 0
    assert "has no second factor" in str(again.exception)
    assert "staff list" in str(nobody.exception)
    mails = [row["address"] for row in json.loads(migrated("export", "outbox", "--format", "json").output)]
    assert mails == ["anna@example.org"] * 2


@pytest.mark.parametrize(
    "what", ["updates", "questions", "projects", "referents", "obligations", "inbox", "outbox", "audit"]
)
@pytest.mark.parametrize("file_format", ["json", "csv", "xlsx"])
def test_everything_stored_can_be_exported(migrated: Run, tmp_path: Path, what: str, file_format: str) -> None:
    path = tmp_path / f"out.{file_format}"

    result = migrated("export", what, "--format", file_format, "--output", path)

    assert result.exit_code == 0
    assert path.stat().st_size > 0


def test_a_sweep_on_an_empty_house_finds_nothing(migrated: Run) -> None:
    done = json.loads(migrated("sweep", "--now", "2026-11-24T10:00+01:00", "--format", "json").output)

    assert done == {"obligations": 0, "reminders": 0, "drafts": 0, "notices": 0}
    assert "Nothing is due" in migrated("sweep", "--dry-run").output


@pytest.mark.parametrize("moment", ["tomorrow", "2026-11-24T10:00"])
def test_an_instant_without_zone_or_sense_is_refused(migrated: Run, moment: str) -> None:
    result = migrated("sweep", "--now", moment)

    assert result.exit_code == 1
    assert "+01:00" in str(result.exception)


def test_dead_letters_that_are_not_there_cannot_be_retried_or_dropped(migrated: Run) -> None:
    assert "No dead letters" in migrated("dead-letters", "list").output
    assert migrated("dead-letters", "retry", "7").exit_code == 1
    assert migrated("dead-letters", "drop", "7", "--yes").exit_code == 1


def test_check_says_for_each_setting_ok_or_what_to_do(run: Run) -> None:
    before = json.loads(run("check", "--format", "json").output)
    run("migrate")
    after = json.loads(run("check", "--format", "json").output)

    assert [row["what"] for row in before if row["ok"] == "NO"] == ["DATABASE_URL"]
    assert "raccordo migrate" in next(row["detail"] for row in before if row["what"] == "DATABASE_URL")
    assert {row["ok"] for row in after} == {"ok"}


def _real(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_error_is_one_line_on_stderr_with_exit_code_1(tmp_path: Path) -> None:
    result = _real(tmp_path, "staff", "list")

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.splitlines() == ["raccordo: the database is empty; run: raccordo migrate"]


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    result = _real(tmp_path, "migrate", RACCORDO_LISTEN="everywhere")

    assert result.returncode == 1
    assert result.stderr.startswith("raccordo: RACCORDO_LISTEN: ")
    assert len(result.stderr.splitlines()) == 1


def test_bad_usage_exits_2(tmp_path: Path) -> None:
    assert _real(tmp_path, "export", "everything").returncode == 2


def test_the_key_is_beside_the_data_and_for_us_alone(tmp_path: Path) -> None:
    _real(tmp_path, "migrate")
    _real(tmp_path, "staff", "add", "anna@example.org", "--role", "admin")

    key = tmp_path / "raccordo.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data" / "raccordo.db").stat().st_mode & 0o077 == 0
