from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facts.calendar import add_working_hours, within_working_hours
from facts.working_time import WorkingTime

ROME = ZoneInfo("Europe/Rome")
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
YEAR = WorkingTime(FIRST, LAST, ROME)
MINUTES = st.integers(0, 60 * 24 * 360)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def rome(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ROME).astimezone(UTC)


@given(MINUTES, st.integers(0, 60 * 24 * 6))
@settings(max_examples=25)
def test_it_is_what_somebody_counts_who_looks_at_the_clock_every_minute(start: int, length: int) -> None:
    begin = NEW_YEAR + timedelta(minutes=start)
    counted = sum(within_working_hours(begin + timedelta(minutes=passed), ROME) for passed in range(length))

    assert YEAR.between(begin, begin + timedelta(minutes=length)) == timedelta(minutes=counted)


@given(MINUTES, st.integers(1, 60))
def test_it_undoes_the_adding_of_working_hours(start: int, hours: int) -> None:
    begin = NEW_YEAR + timedelta(minutes=start)
    end = add_working_hours(begin, hours, ROME)

    if end < rome(LAST, 0):
        assert YEAR.between(begin, end) == timedelta(hours=hours)


@given(MINUTES, MINUTES, MINUTES)
def test_two_stretches_are_as_long_as_the_whole(one: int, two: int, three: int) -> None:
    first, second, third = (NEW_YEAR + timedelta(minutes=minutes) for minutes in sorted((one, two, three)))

    assert YEAR.between(first, second) + YEAR.between(second, third) == YEAR.between(first, third)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (rome(date(2026, 11, 24), 10), rome(date(2026, 11, 24), 12), 2.0),
        (rome(date(2026, 11, 24), 17), rome(date(2026, 11, 25), 9), 1.5),
        (rome(date(2026, 11, 27), 17), rome(date(2026, 11, 30), 9), 1.5),  # over a weekend
        (rome(date(2026, 12, 4), 17), rome(date(2026, 12, 9), 9), 1.5),  # and the 7th and the 8th of December
        (rome(date(2026, 3, 27), 17), rome(date(2026, 3, 30), 9), 1.5),  # and the change to summer time
        (rome(date(2026, 11, 28), 10), rome(date(2026, 11, 29), 10), 0.0),
        (rome(date(2026, 11, 24), 12), rome(date(2026, 11, 24), 10), 0.0),
    ],
)
def test_evenings_weekends_and_holidays_take_no_working_time(start: datetime, end: datetime, hours: float) -> None:
    assert YEAR.between(start, end) == timedelta(hours=hours)


def test_a_closed_office_works_no_more_than_on_a_sunday() -> None:
    closed = WorkingTime(FIRST, LAST, ROME, {date(2026, 11, 24)})

    assert closed.between(rome(date(2026, 11, 23), 17), rome(date(2026, 11, 25), 9)) == timedelta(hours=1.5)


def test_what_lies_outside_its_days_counts_up_to_their_edge() -> None:
    short = WorkingTime(date(2026, 11, 24), date(2026, 11, 25), ROME)

    assert short.between(rome(date(2026, 11, 20), 10), rome(date(2026, 12, 1), 10)) == timedelta(hours=19)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        YEAR.between(datetime(2026, 11, 24, 10), NEW_YEAR)  # noqa: DTZ001 - that is the point
