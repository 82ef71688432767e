"""What the README promises exists, and what exists is in the README."""

import re
import tomllib
from pathlib import Path

import pytest
import typer.main

from app.cli import app
from app.commands.data import Exportable
from app.settings import Settings
from registry.export import EXPORTS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def _commands() -> set[str]:
    group = typer.main.get_command(app)
    names: set[str] = set()
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        names |= {f"{name} {each}" for each in inner} if inner else {name}
    return names


def _documented_commands() -> set[str]:
    rows = re.findall(r"^\| (`[^|]+) \|", README, re.MULTILINE)
    spans = [span for row in rows for span in re.findall(r"`([a-z][^`]*)`", row)]
    return {" ".join(re.match(r"[a-z-]+(?: [a-z-]+)?", span)[0].split()) for span in spans}  # type: ignore[index]


def test_every_setting_is_in_the_readme_and_no_other() -> None:
    settings = {f"RACCORDO_{name.upper()}" for name in Settings.model_fields}

    documented = set(re.findall(r"^\| `(RACCORDO_[A-Z_]+)`", README, re.MULTILINE))

    assert documented == settings


def test_every_command_is_in_the_readme_and_no_other() -> None:
    assert _documented_commands() == _commands()


def test_everything_that_can_be_exported_is_a_choice_of_the_command_and_in_the_readme() -> None:
    (row,) = re.findall(r"^\| `export WHAT[^|]*\| ([^|]*)\|", README, re.MULTILINE)

    assert {one.value for one in Exportable} == set(EXPORTS) == set(re.findall(r"`([a-z]+)`", row))


def test_every_library_has_its_reason_in_the_readme() -> None:
    lines = (ROOT / "requirements.in").read_text().splitlines()
    names = {re.split(r"[\[<>=; ]", line)[0] for line in lines if line and not line.startswith("#")}
    libraries = README[README.index("## Libraries") :].lower()

    missing = {name for name in names if name.lower().removesuffix("[binary]") not in libraries}

    assert missing == set()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-uv.txt"])
def test_lock_files_are_hashed_and_name_no_host(name: str) -> None:
    text = (ROOT / name).read_text()

    packages = re.findall(r"^[a-z0-9][^ ]*==", text, re.MULTILINE)

    assert "://" not in text
    assert len(packages) <= text.count("--hash=sha256:")


def test_every_room_says_its_promise_in_its_first_line() -> None:
    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]

    silent = [room for room in rooms if not (ROOT / room / "__init__.py").read_text().startswith('"""')]

    assert silent == []
