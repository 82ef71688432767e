"""Ten thousand reminders wait and leave as fast as Telegram allows, while one person fills in an update.

python -m benchmarks.outbox [--waiting 10000] [--seconds 90] [--rounds 3]
The sandbox has Telegram's limits (30 messages a second, one a second to a chat with a small burst). The service makes
the reminders itself, from what is due, and words each when it leaves. The person thinks for `PAUSE` before each answer,
as a chat may be written to once a second.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from uuid import uuid4

from benchmarks import contenders
from benchmarks.contenders import ROOT, Process
from benchmarks.furnish import MONTHS, MORNINGS, Crowd, furnish
from benchmarks.people import FIRST_PERSON, LedAstray
from benchmarks.proc import cpu_seconds, end
from benchmarks.runs import Size, crowd, go, hear
from storage.database import Database
from tests.cast import Cast
from tests.postgres import BINARIES, cluster, new_database

LIMIT = 30.0  # messages a second that Telegram takes from a bot
PAUSE = 1.2  # seconds
WARM_UP = 15.0  # seconds: the reminders are being made
PROGRAM = ("-m", "tests.faults.morning")  # the service at a time of day at which reminders leave


@dataclass(frozen=True)
class Figures:
    """Of one run. Times in ms; `cpu`: share of one core that the service took."""

    per_second: float
    refused: int
    p50: float
    p99: float
    steps: int
    cpu: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outbox")
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=90.0)
    parser.add_argument("--rounds", type=int, default=3)
    return parser.parse_args()


@contextmanager
def raccordo(folder: Path, telegram: str, waiting: int, server: str | None) -> Iterator[Process]:
    """`raccordo serve` with its usual limits, to which so many people owe something. Yields when its pages answer."""
    url = new_database(server, f"outbox_{uuid4().hex}") if server else f"sqlite:///{folder / 'raccordo.db'}"
    owe(url, waiting)
    port = contenders.free_port()
    environment = contenders.environment(folder, url, port, telegram)
    del environment["RACCORDO_TELEGRAM_PER_SECOND"]
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *PROGRAM],
            cwd=ROOT,
            env=environment | {"BEGUN": str(time.time())},
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        contenders.wait_for_pages(process, port)
        yield process
    finally:
        end(process)


def owe(url: str, waiting: int) -> None:
    """So many people owe something now; one more has three projects, and time."""
    database = Database(url)
    furnish(database, Crowd(waiting * len(MORNINGS) + MONTHS, waiting))
    with database.write() as session:
        cast = Cast(session, datetime.now(UTC))
        organization, programme = cast.an_organization("Ente loquace"), cast.a_programme("LOQUACE")
        projects = tuple(cast.a_project(organization, programme, f"Progetto {letter}") for letter in "ABC")
        cast.a_referent("Ada Esempio", organization, projects, chat=FIRST_PERSON)
    database.close()


def measured(options: argparse.Namespace, server: str | None) -> Figures:
    size = Size(1, WARM_UP, options.seconds)
    strictly = ("--strict", "--quiet", str(options.waiting), "--pause", str(PAUSE))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="raccordo-bench-")))
        people, url = stack.enter_context(crowd(size, *strictly))
        process = stack.enter_context(raccordo(folder, url, options.waiting, server))
        go(people)
        hear(people)
        before = cpu_seconds(process.pid)
        found = hear(people)
        spent = cpu_seconds(process.pid) - before
    if found["failure"] or not found["latencies"]:
        raise LedAstray(found["failure"] or "nobody was answered")
    ordered = sorted(found["latencies"])
    return Figures(
        per_second=found["sent"] / found["seconds"],
        refused=found["refused"],
        p50=ordered[len(ordered) // 2] * 1000,
        p99=ordered[int(len(ordered) * 0.99)] * 1000,
        steps=len(ordered),
        cpu=spent / found["seconds"],
    )


def show(found: dict[str, list[Figures]], waiting: int) -> None:
    print(f"\n| {waiting:,} reminders waiting | messages/s | of the limit | 429 | p50 ms | p99 ms | steps | CPU |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, runs in found.items():
        speed = median(one.per_second for one in runs)
        p50, p99 = median(one.p50 for one in runs), [one.p99 for one in runs]
        spread = f"{median(p99):.0f} ({min(p99):.0f}–{max(p99):.0f})"
        refused, steps = sum(one.refused for one in runs), sum(one.steps for one in runs)
        cells = [f"{speed:.1f}", f"{speed / LIMIT:.0%}", str(refused), f"{p50:.0f}", spread, str(steps)]
        print(f"| {name} | {' | '.join(cells)} | {median(one.cpu for one in runs):.0%} |", flush=True)


def main() -> None:
    options = arguments()
    found: dict[str, list[Figures]] = defaultdict(list)
    with ExitStack() as stack:
        servers: dict[str, str | None] = {"Raccordo, SQLite": None}
        if BINARIES:
            servers["Raccordo, PostgreSQL"] = stack.enter_context(cluster())
        for number in range(options.rounds):
            for name, server in servers.items():
                found[name].append(measured(options, server))
                print(f"round {number + 1}: {name}: {found[name][-1]}", flush=True)
    print(f"\n{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    show(found, options.waiting)


if __name__ == "__main__":
    main()
