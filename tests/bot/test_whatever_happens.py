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

from tests.bot.any_day import ADA, BRUNO
from tests.bot.any_day_holds import WhatHolds
from tests.bot.any_day_said import MARK
from tests.conftest import EMPTY
from tests.faults.table import LINES, Line
from tests.postgres import execute

pytestmark = pytest.mark.faults

STEPS = 30
FULL = 300  # days
MET = ("messages", "updates", "corrections", "dead letters")


def fresh(template: Path, folder: Path) -> Callable[[], str]:
    """Gives the address of an empty SQLite database, always in the same place."""

    def empty() -> str:
        for old in folder.glob("raccordo.db*"):
            old.unlink()
        shutil.copy(template, folder / "raccordo.db")
        return f"sqlite:///{folder / 'raccordo.db'}"

    return empty


def a_kind_of_day(empty: Callable[[], str]) -> type[WhatHolds]:
    class SomeDay(WhatHolds):
        pass

    SomeDay.empty, SomeDay.tally = staticmethod(empty), Counter()
    return SomeDay


def live(empty: Callable[[], str], days: int, database: str) -> None:
    """That many days, each with a database of its own."""
    begun, day = time.monotonic(), a_kind_of_day(empty)
    run_state_machine_as_test(
        day,
        settings=settings(
            max_examples=days,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    tally, seconds = day.tally, time.monotonic() - begun
    met = ", ".join(f"{tally[name]} {name}" for name in MET)
    other = f"{tally['days']} days of up to {STEPS} steps: {met}"
    LINES.append(Line("any day", database, tally["came"], tally["deaths"], 0, 0, other, seconds=seconds))


def test_a_day_loses_doubles_and_swallows_nothing(sqlite_template: Path, tmp_path: Path, dose: str) -> None:
    live(fresh(sqlite_template, tmp_path), FULL if dose == "full" else 6, "sqlite")


def test_nor_does_it_on_postgresql(postgres_migrated: str, dose: str) -> None:
    def empty() -> str:
        execute(postgres_migrated, EMPTY)
        return postgres_migrated

    live(empty, FULL if dose == "full" else 3, "postgresql")


def test_a_day_gets_as_far_as_an_update_and_its_correction(sqlite_template: Path, tmp_path: Path) -> None:
    """Without this the days above might be short, and hold for that reason alone."""
    day = a_kind_of_day(fresh(sqlite_template, tmp_path))()

    day.goes_on(ADA, 16, 0, None)
    day.goes_on(BRUNO, 3, 1, None)
    day.edits(0, "words", MARK, 1, answered=True)
    day.teardown()

    reached = {name: day.tally[name] for name in MET}
    assert reached == {"messages": 1, "updates": 1, "corrections": 2, "dead letters": 0}
