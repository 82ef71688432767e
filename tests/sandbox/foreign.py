"""An environment of aiogram's own, made on first use and made anew when its lock file changes.

`python -m tests.sandbox.foreign` makes it by hand, and shows why it cannot be made.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("aiogram-requirements.txt")
HOME = ROOT / ".venv-aiogram"
PATIENCE = 180  # seconds


class CannotMake(Exception):
    """The environment could not be made; the message is what the installer said."""


def aiogram_python() -> Path:
    """The interpreter to run aiogram with. Raises CannotMake."""
    python, mark = HOME / "bin" / "python", HOME / "lock"
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    with (ROOT / ".venv-aiogram.lock").open("w") as turn:  # several tests may ask at once
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (python.exists() and mark.exists() and mark.read_text() == wanted):
            _make(python)
            mark.write_text(wanted)
    return python


def _make(python: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    packages = ["--quiet", "--require-hashes", "--no-deps", "-r", str(LOCK)]
    bare = [sys.executable, "-m", "venv", "--clear", str(HOME)]
    if uv.exists():
        _run([*bare, "--without-pip"])
        _run([str(uv), "pip", "install", "--python", str(python), *packages])
    else:
        _run(bare)
        _run([str(python), "-m", "pip", "install", "--disable-pip-version-check", *packages])


def _run(command: list[str]) -> None:
    try:
        subprocess.run(
            command, check=True, timeout=PATIENCE, capture_output=True, text=True, env={**os.environ, "VIRTUAL_ENV": ""}
        )
    except subprocess.CalledProcessError as failure:
        raise CannotMake(failure.stderr.strip() or str(failure)) from None
    except (subprocess.TimeoutExpired, OSError) as failure:
        raise CannotMake(str(failure)) from None


if __name__ == "__main__":
    try:
        aiogram_python()
    except CannotMake as reason:
        sys.exit(f"aiogram's environment cannot be made: {reason}")
