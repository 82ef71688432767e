"""The other way to remind people: one APScheduler job each, in its SQLAlchemy store on SQLite. In this process.

Measured: adding them, firing them all at one moment, and how many still run when they fell due while no scheduler was
up, with the grace it has by default (one second).
"""

import logging
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

PATIENCE = 120.0  # seconds for all of them to fire
DOWN = 5.0  # seconds
FEW = 500  # jobs that fall due during the downtime
SETTLES = 3.0  # seconds that a scheduler has to see to what it missed


@dataclass(frozen=True)
class Jobs:
    """Of one run, in seconds; `fired_after_downtime` of `missed` jobs."""

    n: int
    adding: float
    firing: float
    missed: int
    fired_after_downtime: int


class Told:
    """How many have run."""

    count = 0
    lock = threading.Lock()


def tell(_person: int) -> None:
    """A job is a function that can be found again by its name."""
    with Told.lock:
        Told.count += 1


def apscheduler(n: int) -> Jobs:
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of each job that it drops
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name:
        scheduler = _scheduler(Path(name), misfire_grace_time=None)
        scheduler.start(paused=True)
        began = time.perf_counter()
        for person in range(n):
            # Due already: they all run when the scheduler is let go.
            scheduler.add_job(tell, "date", run_date=datetime.now(UTC), args=[person])
        adding = time.perf_counter() - began
        firing = _let_go(scheduler, n)
        scheduler.shutdown(wait=False)
    with tempfile.TemporaryDirectory(prefix="raccordo-bench-") as name:
        fired = _after_downtime(Path(name), min(n, FEW))
    return Jobs(n, adding, firing, min(n, FEW), fired)


def _scheduler(folder: Path, **defaults: Any) -> BackgroundScheduler:
    store = SQLAlchemyJobStore(f"sqlite:///{folder / 'jobs.db'}")
    return BackgroundScheduler(jobstores={"default": store}, job_defaults=defaults, timezone=UTC)


def _let_go(scheduler: BackgroundScheduler, n: int) -> float:
    """Seconds until the last of them has run."""
    Told.count = 0
    began = time.perf_counter()
    scheduler.resume()
    while Told.count < n:
        if time.perf_counter() - began > PATIENCE:
            raise TimeoutError(f"{Told.count} of {n} jobs ran")
        time.sleep(0.01)
    seconds = time.perf_counter() - began
    while scheduler.get_jobs():
        time.sleep(0.1)  # it forgets them after they have run
    return seconds


def _after_downtime(folder: Path, n: int) -> int:
    """How many of `n` jobs run that fell due while no scheduler was up."""
    Told.count = 0
    due = datetime.now(UTC) + timedelta(seconds=20)  # all are added by then
    before = _scheduler(folder)
    before.start(paused=True)
    for person in range(n):
        before.add_job(tell, "date", run_date=due, args=[person])
    before.shutdown(wait=False)
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()) + DOWN)
    after = _scheduler(folder)
    after.start()
    time.sleep(SETTLES)
    after.shutdown(wait=False)
    return Told.count
