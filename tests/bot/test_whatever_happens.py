"""Whatever people, Telegram and the power do, in whatever order: nothing is lost, doubled, swallowed or out of order.

acknowledged => stored; stored => exactly one record, a linked duplicate, a dead letter, or a word why it was not taken;
edited => corrected; sent => an id of Telegram; the order of each chat is kept.
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.bot.any_day_holds import WhatHolds
from tests.conftest import EMPTY
from tests.faults.table import LINES, Line
from tests.postgres import execute

pytestmark = pytest.mark.faults

STEPS = 30
FULL = 300  # days


def live(empty: Callable[[], str], days: int, database: str) -> None:
    """That many days, each with a database of its own."""
    begun, tally = time.monotonic(), Counter[str]()

    class SomeDay(WhatHolds):
        pass

    SomeDay.empty, SomeDay.tally = staticmethod(empty), tally
    run_state_machine_as_test(
        SomeDay,
        settings=settings(
            max_examples=days,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    seconds, other = time.monotonic() - begun, f"{tally['days']} days of up to {STEPS} steps"
    LINES.append(Line("any day", database, tally["updates"], tally["deaths"], 0, 0, other, seconds=seconds))


def test_a_day_loses_doubles_and_swallows_nothing(sqlite_template: Path, tmp_path: Path, dose: str) -> None:
    def empty() -> str:
        for old in tmp_path.glob("raccordo.db*"):
            old.unlink()
        shutil.copy(sqlite_template, tmp_path / "raccordo.db")
        return f"sqlite:///{tmp_path / 'raccordo.db'}"

    live(empty, FULL if dose == "full" else 6, "sqlite")


def test_nor_does_it_on_postgresql(postgres_migrated: str, dose: str) -> None:
    def empty() -> str:
        execute(postgres_migrated, EMPTY)
        return postgres_migrated

    live(empty, FULL if dose == "full" else 3, "postgresql")
