"""On which days a deadline comes again."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.recurrence import due_days, monthly

DAYS = st.dates(date(2020, 1, 1), date(2040, 12, 31))


def test_the_thirty_first_is_the_last_day_of_shorter_months() -> None:
    assert due_days(monthly(31), date(2027, 12, 1), date(2028, 4, 30)) == (
        date(2027, 12, 31),
        date(2028, 1, 31),
        date(2028, 2, 29),
        date(2028, 3, 31),
        date(2028, 4, 30),
    )


@given(st.integers(1, 31), DAYS, st.integers(0, 800))
def test_there_is_one_date_in_every_whole_month(n: int, first: date, length: int) -> None:
    until = first + timedelta(days=length)

    found = due_days(monthly(n), first, until)

    months = [(day.year, day.month) for day in found]
    assert len(set(months)) == len(months)
    assert list(found) == sorted(found)
    assert all(first <= day <= until for day in found)
    span = (until.year - first.year) * 12 + until.month - first.month + 1
    assert span - 2 <= len(found) <= span


@pytest.mark.parametrize("n", [0, 32, -1])
def test_a_day_that_no_month_has_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="no month"):
        monthly(n)
