"""Sweeps a database of very many obligations on three mornings, beside APScheduler's jobs and the bare SQL.

python -m benchmarks.sweep [--obligations 1000000] [--due 10000] [--rounds 3] [--profile]
A due step is worth one message to one person. A sweep that tells anybody twice, or not at all, ends the run.
"""

import argparse
import asyncio
import cProfile
import logging
import os
import pstats
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

import structlog
from sqlmodel import col, func, select

from app.sweep import Sweeper
from benchmarks.floor import bare_sql
from benchmarks.furnish import MORNINGS, Crowd, furnish
from benchmarks.jobs import Jobs, apscheduler
from delivery.links import Links
from storage.database import Database
from storage.tables import Decision, Outbox, OutboxKind
from tests.postgres import BINARIES, cluster, execute, new_database

LINKS = Links("https://raccordo.example.org")
FEW = 10  # the smaller database holds so many times fewer obligations


class WentWrong(Exception):
    """The sweep did something else than to remind each person once."""


@dataclass(frozen=True)
class House:
    """One furnished database."""

    name: str
    database: Database
    crowd: Crowd
    seconds_to_furnish: float


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep")
    parser.add_argument("--obligations", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3, choices=(1, 2, 3))
    parser.add_argument("--jobs", action="store_true", help="APScheduler too: it takes minutes to add its jobs")
    parser.add_argument("--profile", action="store_true", help="where the time of one sweep goes, by functions")
    return parser.parse_args()


@contextmanager
def houses(options: argparse.Namespace) -> Iterator[list[House]]:
    """The large and the small one, on each database there is."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="raccordo-bench-")))
        server = stack.enter_context(cluster()) if BINARIES else None
        found = []
        for total in dict.fromkeys((options.obligations, max(options.obligations // FEW, options.due * 6))):
            urls = {"SQLite": f"sqlite:///{folder / f'{total}.db'}"}
            if server:
                urls["PostgreSQL"] = new_database(server, f"sweep_{total}")
            for kind, url in urls.items():
                found.append(furnished(f"Raccordo, {kind}, {total:,} obligations", url, Crowd(total, options.due)))
                stack.callback(found[-1].database.close)
        yield found


def furnished(name: str, url: str, crowd: Crowd) -> House:
    database, began = Database(url), time.perf_counter()
    furnish(database, crowd)
    if not database.is_sqlite:
        execute(url, "ANALYZE")  # as the server does by itself within minutes
    return House(name, database, crowd, time.perf_counter() - began)


def sweep(house: House, morning: datetime) -> float:
    """Seconds until everybody's message is in the outbox."""
    sweeper = Sweeper(house.database, lambda: morning, LINKS, "Europe/Rome")
    began = time.perf_counter()
    asyncio.run(sweeper.remind())
    seconds = time.perf_counter() - began
    check(house, morning)
    return seconds


def check(house: House, morning: datetime) -> None:
    with house.database.read() as session:
        told = select(func.count(col(Outbox.referent_id)), func.count(func.distinct(Outbox.referent_id))).where(
            Outbox.kind == OutboxKind.REMINDER, Outbox.created_at >= morning
        )
        messages, people = session.exec(told).one()
        decisions = session.exec(select(func.count()).select_from(Decision).where(Decision.decided_at >= morning)).one()
    if not messages == people == decisions == house.crowd.due:
        raise WentWrong(f"{house.name}: {messages} messages to {people} people for {decisions} decisions")


def show(found: dict[str, list[float]], due: int, reference: str) -> None:
    print(f"\n| {due:,} due | seconds | × the bare SQL |")
    print("| --- | --- | --- |")
    floor = median(found[reference])
    for name, seconds in found.items():
        spread = f"{median(seconds):.2f} ({min(seconds):.2f}–{max(seconds):.2f})"
        print(f"| {name} | {spread} | {median(seconds) / floor:.1f} |", flush=True)


def show_jobs(jobs: Jobs) -> None:
    print("\n| APScheduler, its SQLAlchemy store on SQLite | |")
    print("| --- | --- |")
    print(f"| adding {jobs.n:,} jobs | {jobs.adding:.1f} s |")
    print(f"| firing them all at one moment | {jobs.firing:.1f} s |")
    print(f"| jobs that still run after 5 s of downtime | {jobs.fired_after_downtime} of {jobs.missed} |", flush=True)


def profiled(work: Callable[[], object]) -> None:
    """By function, the thread of the database included: the sweep has no other."""
    profile = cProfile.Profile()
    profile.enable()
    work()
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(30)


def profile_one(house: House) -> None:
    """In this thread, as the command line sweeps."""
    from app.sweep import remind_all

    profiled(lambda: remind_all(house.database, MORNINGS[0]))
    check(house, MORNINGS[0])


def main() -> None:
    options = arguments()
    # thirty thousand lines that somebody was reminded would hide the table
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    found: dict[str, list[float]] = defaultdict(list)
    with houses(options) as built:
        for house in built:
            print(f"{house.name}: made in {house.seconds_to_furnish:.0f} s", flush=True)
        if options.profile:
            for house in built[:2]:
                print(f"\n==== {house.name}")
                profile_one(house)
            return
        for number, morning in enumerate(MORNINGS[: options.rounds]):
            for house in built:
                found[house.name].append(sweep(house, morning))
                print(f"round {number + 1}: {house.name}: {found[house.name][-1]:.2f} s", flush=True)
            found["bare SQL, SQLite"].append(bare_sql(options.due))
        jobs = apscheduler(options.due) if options.jobs else None
    print(f"\n{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    show(found, options.due, "bare SQL, SQLite")
    if jobs is not None:
        show_jobs(jobs)


if __name__ == "__main__":
    main()
