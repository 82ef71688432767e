"""The pipe: `raccordo receive-mail`, as a mail server runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlmodel import select

from app.alone import take_alone
from app.keys import open_database
from app.settings import Settings
from storage.tables import Inbox

ROOT = Path(__file__).parents[2]
MAIL = b"From ada@example.org Tue Dec  1 09:00:00 2026\nFrom: ada@example.org\nSubject: Stato\n\nTutto bene.\n"


def piped(folder: Path, *options: str, mail: bytes = MAIL, **settings: str) -> subprocess.CompletedProcess[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RACCORDO_")}
    ours = {"RACCORDO_DATA_DIR": str(folder / "data"), "RACCORDO_MAIL_FROM": "Raccordo <raccordo@example.org>"}
    command = [sys.executable, "-m", "app.cli", "receive-mail", *options]
    return subprocess.run(
        command, cwd=ROOT, env=kept | ours | settings, input=mail, capture_output=True, timeout=120, check=False
    )


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    """A house with a database and its keys."""
    (tmp_path / "data").mkdir()
    shutil.copy(sqlite_template, tmp_path / "data" / "raccordo.db")
    open_database(_settings(tmp_path)).close()
    return tmp_path


def _settings(folder: Path) -> Settings:
    return Settings.model_construct(data_dir=folder / "data")


def rows(folder: Path) -> list[Inbox]:
    database = open_database(_settings(folder))
    with database.read() as session:
        found = list(session.exec(select(Inbox).order_by("id")))
    database.close()
    return found


def test_a_mail_is_kept_while_the_service_holds_the_database(folder: Path) -> None:
    with take_alone(folder / "data" / "raccordo.db"):
        ended = piped(folder, "--recipient", "Raccordo+abc@example.org", "--sender", "ada@example.org")

    [row] = rows(folder)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert row.account == "raccordo@example.org"
    head = b"Return-Path: <ada@example.org>\r\nDelivered-To: Raccordo+abc@example.org\r\n"
    assert row.payload == head + MAIL.partition(b"\n")[2]


def test_without_recipient_it_is_for_where_answers_go_and_certified_mail_is_told_apart(folder: Path) -> None:
    codes = [
        piped(folder).returncode,
        piped(
            folder, "--recipient", "ente@pec.example.org", RACCORDO_PEC_FROM="Ente <Ente@pec.example.org>"
        ).returncode,
    ]

    assert codes == [0, 0]
    assert [(row.kind, row.account) for row in rows(folder)] == [
        ("mail", "raccordo@example.org"),
        ("pec", "ente@pec.example.org"),
    ]


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        ([], {"RACCORDO_DATABASE_URL": "postgresql://raccordo:secretpw@127.0.0.1:9/none"}),
        ([], {"RACCORDO_DATABASE_URL": "no such thing"}),
        ([], {"RACCORDO_TIMEZONE": "Mars/Olympus"}),
        ([], {"RACCORDO_DATA_DIR": "/proc/nowhere"}),
        ([], {"RACCORDO_DATA_KEYS": "seal:short"}),
        (["--no-such-option"], {}),
    ],
)
def test_whatever_goes_wrong_the_mail_server_is_told_to_come_again(
    folder: Path, options: list[str], settings: dict[str, str]
) -> None:
    ended = piped(folder, *options, mail=MAIL, **settings)

    assert ended.returncode == 75
    assert ended.stderr
    assert b"secretpw" not in ended.stderr
    assert b"Traceback" not in ended.stderr
    assert rows(folder) == []


def test_without_its_keys_or_its_tables_nothing_is_kept(folder: Path, tmp_path: Path) -> None:
    keys = tmp_path / "raccordo.data-keys"
    assert piped(folder).returncode == 0
    keys.rename(tmp_path / "elsewhere")
    missing = piped(folder)
    (tmp_path / "elsewhere").rename(keys)
    empty = piped(folder, RACCORDO_DATA_DIR=str(tmp_path / "other"))
    nothing = piped(folder, mail=b"\n")

    assert [missing.returncode, empty.returncode, nothing.returncode] == [75] * 3
    assert len(rows(folder)) == 1
