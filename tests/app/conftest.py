"""Houses on which commands are run: empty ones, and migrated ones, which are copies of one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app

Run = Callable[..., Result]


def invoke(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RACCORDO_DATA_DIR", str(tmp_path / "data"))
    return invoke


@pytest.fixture(scope="session")
def migrated_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `raccordo migrate` leaves in an empty folder: the database and, beside the data, its keys."""
    house = tmp_path_factory.mktemp("migrated") / "house"
    house.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(house)
        patch.setenv("RACCORDO_DATA_DIR", str(house / "data"))
        assert invoke("migrate").exit_code == 0
    return house


@pytest.fixture
def migrated(run: Run, migrated_house: Path, tmp_path: Path) -> Run:
    """Runs a command on a migrated folder of its own."""
    shutil.copytree(migrated_house, tmp_path, dirs_exist_ok=True)
    return run
