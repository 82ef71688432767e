"""How the program ends: with the right code, in one line, and with nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _started(folder: Path, *words: str, **settings: str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RACCORDO_")}
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *words],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)} | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_serve_says_in_one_line_that_its_port_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = _started(tmp_path, "serve", RACCORDO_LISTEN=f"127.0.0.1:{taken.getsockname()[1]}")
        _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "cannot listen on 127.0.0.1" in errors.splitlines()[-1]
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"RACCORDO_TIMEZONE": "Europe/Roma"}, "RACCORDO_TIMEZONE"),
        ({"RACCORDO_DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"RACCORDO_DATABASE_URL": "postgresql://a:secret@127.0.0.1:9/b"}, "DATABASE_URL"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(tmp_path: Path, settings: dict[str, str], word: str) -> None:
    process = _started(tmp_path, "migrate", **settings)
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 1
    assert len(errors.splitlines()) == 1
    assert word in errors
    assert "secret" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_demo_ended_while_it_starts_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    process = _started(tmp_path, "demo", "--port", "0")
    for _ in range(600):
        if list(tmp_path.glob("raccordo-demo-*")):
            break
        time.sleep(0.05)

    process.send_signal(number)
    _, errors = process.communicate(timeout=60)

    assert list(tmp_path.glob("raccordo-demo-*")) == []
    assert "Traceback" not in errors
