import itertools
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.calendar import (
    add_working_days,
    add_working_hours,
    holidays_of,
    is_working_day,
    local_date,
    local_instant,
    next_working_day,
    next_working_instant,
    within_working_hours,
)

ROME = ZoneInfo("Europe/Rome")
DAYS = st.dates(date(2024, 1, 1), date(2035, 12, 31))
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants it so


def rome(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ROME).astimezone(UTC)


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 1, 1),
        date(2026, 1, 6),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 6, 2),
        date(2026, 12, 7),
        date(2026, 12, 8),
        date(2026, 12, 25),
        date(2027, 10, 4),
        date(2027, 11, 1),
        date(2026, 11, 21),
        date(2026, 11, 22),
    ],
)
def test_nobody_works_on_holidays_and_weekends(day: date) -> None:
    assert not is_working_day(day)


@pytest.mark.parametrize("day", [date(2026, 11, 23), date(2024, 10, 4), date(2026, 12, 24), date(2026, 11, 2)])
def test_other_days_are_working_days(day: date) -> None:
    assert is_working_day(day)


def test_the_office_may_be_closed_on_its_own_days() -> None:
    assert not is_working_day(date(2026, 11, 23), frozenset({date(2026, 11, 23)}))


def test_what_is_only_a_sunday_is_no_holiday() -> None:
    names = {name for year in range(2024, 2036) for name in holidays_of(year).values()}

    assert not any("Pasqua" in name or "unità" in name for name in names)
    assert "Sant'Ambrogio" in names
    assert holidays_of(2026)[date(2026, 11, 1)] == "Ognissanti"
    assert date(2025, 10, 4) not in holidays_of(2025)
    assert date(2026, 10, 4) in holidays_of(2026)


@pytest.mark.parametrize(
    ("day", "n", "found"),
    [
        (date(2026, 12, 4), 1, date(2026, 12, 9)),
        (date(2026, 12, 4), 2, date(2026, 12, 10)),
        (date(2026, 12, 9), -1, date(2026, 12, 4)),
        (date(2026, 12, 5), 0, date(2026, 12, 5)),
        (date(2026, 12, 23), 3, date(2026, 12, 29)),
    ],
)
def test_working_days_are_counted_over_the_bridge_of_sant_ambrogio(day: date, n: int, found: date) -> None:
    assert add_working_days(day, n) == found


@given(DAYS, st.integers(0, 40))
def test_counting_working_days_is_walking_from_one_to_the_next(day: date, n: int) -> None:
    walked = day
    for _ in range(n):
        walked = next_working_day(walked)

    assert add_working_days(day, n) == walked
    assert n == 0 or is_working_day(walked)


@given(DAYS)
def test_no_working_day_is_skipped(day: date) -> None:
    found = next_working_day(day)

    between = [day + timedelta(days=i) for i in range(1, (found - day).days)]
    assert is_working_day(found)
    assert not any(map(is_working_day, between))


@pytest.mark.parametrize(
    ("day", "at", "instant"),
    [
        (date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (date(2026, 3, 29), time(2, 0), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (date(2026, 3, 29), time(1, 59), datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),
        (date(2026, 3, 29), time(3, 0), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        (date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (date(2026, 10, 25), time(3, 0), datetime(2026, 10, 25, 2, 0, tzinfo=UTC)),
        (date(2026, 11, 23), time(8, 30), datetime(2026, 11, 23, 7, 30, tzinfo=UTC)),
    ],
)
def test_a_skipped_time_is_the_first_valid_one_and_a_repeated_time_the_first(
    day: date, at: time, instant: datetime
) -> None:
    assert local_instant(day, at, ROME) == instant
    assert local_instant(day, at, "Europe/Rome") == instant


def test_a_gap_of_half_an_hour_and_of_a_whole_day_are_jumped_too() -> None:
    lord_howe = local_instant(date(2026, 10, 4), time(2, 15), "Australia/Lord_Howe")
    samoa = local_instant(date(2011, 12, 30), time(12, 0), "Pacific/Apia")

    assert lord_howe == datetime(2026, 10, 3, 15, 30, tzinfo=UTC)
    assert samoa == datetime(2011, 12, 30, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "at", [time(0), time(1, 59), time(2), time(2, 30), time(2, 59, 59), time(3), time(8, 30), time(23, 59)]
)
def test_a_local_time_comes_exactly_once_each_local_day_from_2024_to_2035(at: time) -> None:
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range((date(2036, 1, 1) - date(2024, 1, 1)).days)]

    instants = [local_instant(day, at, ROME) for day in days]

    assert len(days) == 4383
    assert [local_date(instant, ROME) for instant in instants] == days
    assert all(
        timedelta(hours=22) < after - before < timedelta(hours=26) for before, after in itertools.pairwise(instants)
    )


def test_a_clock_that_ticks_fires_once_a_day_whatever_the_change_of_hour() -> None:
    """T14 as a sweep lives it: every quarter of an hour around both changes of each year, what is due and not done."""
    for year in range(2024, 2036):
        for month in (3, 10):
            fired: list[date] = []
            tick = datetime(year, month, 24, tzinfo=UTC)
            while tick < datetime(year, month, 31, 20, tzinfo=UTC):
                today = local_date(tick, ROME)
                if local_instant(today, time(2, 30), ROME) <= tick and today not in fired:
                    fired.append(today)
                tick += timedelta(minutes=15)

            assert fired == [date(year, month, day) for day in range(24, 32)]


@pytest.mark.parametrize(
    ("instant", "found"),
    [
        (rome(date(2026, 11, 23), 10), rome(date(2026, 11, 23), 10)),
        (rome(date(2026, 11, 23), 8, 30), rome(date(2026, 11, 23), 8, 30)),
        (rome(date(2026, 11, 23), 7), rome(date(2026, 11, 23), 8, 30)),
        (rome(date(2026, 11, 23), 18), rome(date(2026, 11, 24), 8, 30)),
        (rome(date(2026, 11, 20), 23), rome(date(2026, 11, 23), 8, 30)),
        (rome(date(2026, 12, 7), 10), rome(date(2026, 12, 9), 8, 30)),
        (rome(date(2026, 11, 21), 7), rome(date(2026, 11, 23), 8, 30)),
    ],
)
def test_the_next_working_instant_waits_for_the_office_to_open(instant: datetime, found: datetime) -> None:
    assert next_working_instant(instant, ROME) == found


@given(INSTANTS)
def test_the_next_working_instant_is_inside_and_reached_once(instant: datetime) -> None:
    found = next_working_instant(instant, ROME)

    assert found >= instant
    assert within_working_hours(found, ROME)
    assert next_working_instant(found, ROME) == found
    assert (found == instant) == within_working_hours(instant, ROME)


@pytest.mark.parametrize(
    ("instant", "hours", "found"),
    [
        (rome(date(2026, 11, 23), 10), 2, rome(date(2026, 11, 23), 12)),
        (rome(date(2026, 11, 23), 10), 8, rome(date(2026, 11, 23), 18)),
        (rome(date(2026, 11, 23), 17), 1.5, rome(date(2026, 11, 24), 9)),
        (rome(date(2026, 12, 4), 17, 30), 9.5, rome(date(2026, 12, 9), 17, 30)),
        (rome(date(2026, 11, 21), 12), 0, rome(date(2026, 11, 23), 8, 30)),
    ],
)
def test_working_hours_pass_only_while_the_office_is_open(instant: datetime, hours: float, found: datetime) -> None:
    assert add_working_hours(instant, hours, ROME) == found


@given(INSTANTS, st.integers(0, 120), st.integers(0, 120))
def test_working_hours_add_up(instant: datetime, some: int, more: int) -> None:
    halves = timedelta(minutes=30)
    there = add_working_hours(instant, (some + more) / 2, ROME)
    by_steps = add_working_hours(add_working_hours(instant, some / 2, ROME), more / 2, ROME)

    # the same moment of work: closing time and the next opening are one
    assert next_working_instant(there, ROME) == next_working_instant(by_steps, ROME)
    assert there - instant >= halves * (some + more)


def test_naive_instants_and_negative_hours_are_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        local_date(datetime(2026, 11, 23), ROME)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="forward"):
        add_working_hours(rome(date(2026, 11, 23), 10), -1, ROME)


def test_the_library_of_holidays_is_loaded_only_when_asked() -> None:
    program = "import sys, facts.calendar; sys.exit('holidays' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=False).returncode == 0
