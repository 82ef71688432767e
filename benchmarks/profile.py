"""Runs `raccordo serve` under cProfile, each thread by its own CPU clock, and says where the time goes.

python -m benchmarks.profile [--people 200] [--seconds 10] [--postgres] [--lines 40]
Everything takes about twice as long while it is watched; compare lines with each other, not with a stopwatch.
"""

import argparse
import cProfile
import io
import pstats
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import contenders
from benchmarks.runs import Size, crowd, go, hear
from tests.postgres import cluster


class Watch:
    """One profile per kind of thread."""

    def __init__(self) -> None:
        self.profiles: dict[str, list[cProfile.Profile]] = {}
        self._known: set[int] = set()

    def here(self) -> None:
        """Watches the calling thread from now on."""
        thread = threading.current_thread()
        if thread.ident in self._known or thread.ident is None:
            return
        self._known.add(thread.ident)
        profile = cProfile.Profile(time.thread_time)
        self.profiles.setdefault(thread.name.rstrip("0123456789_"), []).append(profile)
        profile.enable()

    def report(self, lines: int) -> str:
        out = io.StringIO()
        for name, profiles in self.profiles.items():
            for profile in profiles:
                profile.disable()
            stats = pstats.Stats(profiles[0], stream=out)
            stats.add(*profiles[1:])
            stats.sort_stats("tottime")
            out.write(f"\n==== {name}, by own time\n")
            stats.print_stats(lines)
            out.write(f"\n==== {name}, with what it calls\n")
            stats.sort_stats("cumulative").print_stats(lines * 2)
        return re.sub(
            r"/\S*?/(site-packages/|lib/python3\.\d+/)|" + re.escape(str(contenders.ROOT)) + "/", "", out.getvalue()
        )


def serve(lines: int) -> None:
    """In the watched process."""
    from app.cli import app
    from app.service import Service
    from storage.database import Database

    watch = Watch()

    def watching(call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            watch.here()
            return call(*arguments, **named)

        return watched

    setattr(Database, "_do", watching(Database._do))  # noqa: B010 - mypy knows that methods are not assigned
    setattr(Database, "_see", watching(Database._see))  # noqa: B010
    setattr(Service, "_keep", watching(Service._keep))  # noqa: B010
    sys.argv = ["raccordo", "serve"]
    try:
        app()
    finally:
        sys.stderr.write(watch.report(lines))


def watch(options: argparse.Namespace) -> None:
    size = Size(options.people, 2.0, options.seconds)
    with ExitStack() as stack:
        server = stack.enter_context(cluster()) if options.postgres else None
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="raccordo-bench-"))
        people, url = stack.enter_context(crowd(size))
        program = ("-m", "benchmarks.profile", "--serve", "--lines", str(options.lines))
        with contenders.raccordo(Path(name), url, options.people, server, program):
            go(people)
            hear(people)
            found = hear(people)
        log = (Path(name) / "serve.log").read_text()
    print(log[log.find("\n====") :])
    print(f"{len(found['latencies']) / found['seconds']:.0f} steps/s while watched {found['failure']}")
    print(Counter(re.findall(r'"event": "([^"]+)"', log)).most_common(10))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile")
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--lines", type=int, default=40)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    if options.serve:
        serve(options.lines)
    else:
        watch(options)


if __name__ == "__main__":
    main()
