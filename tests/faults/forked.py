"""Starts a program of ours as a fork of a process that has its modules already: two seconds less for each start.

Otherwise a process like any other: its own pid, environment and log, killed and waited for in the same way.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["app.cli", "app.service"])


def _become(module: str, words: tuple[str, ...], environment: dict[str, str], folder: Path, log: Path) -> None:
    """What the new process does, for the rest of its life."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.update(environment)
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.chdir(folder)
    from storage import crash

    crash._WANTED = environment.get("RACCORDO_CRASHPOINT")  # read when the module was loaded, which was before
    signal.signal(signal.SIGINT, signal.default_int_handler)  # the server of forks ignores it
    sys.argv = ["raccordo", *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


class Forked:
    """As much of `subprocess.Popen` as the tests use."""

    def __init__(self, program: tuple[str, ...], environment: Mapping[str, str], folder: Path, log: Path) -> None:
        """`program`: `-m`, a module, and its words."""
        _, module, *words = program
        self._process = _forks.Process(
            target=_become, args=(module, tuple(words), dict(environment), folder, log), daemon=False
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()
