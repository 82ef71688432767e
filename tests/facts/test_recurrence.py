"""On which days a deadline comes again."""

from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facts.languages import Language, speaking
from facts.recurrence import LAST, MONTHS, Often, On, Recurrence, Unsayable, due_days, monthly, recurrence_of, rule_of
from facts.recurrence_words import said, say

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


RECURRENCES = st.builds(
    Recurrence,
    st.sampled_from([Often.WEEKLY, *MONTHS]),
    st.sampled_from(On),
    st.integers(1, 31),
    st.sampled_from([1, 2, 3, 4, LAST]),
    st.integers(0, 6),
    st.integers(1, 12),
)


@settings(deadline=None)  # the catalogues are read once
@given(RECURRENCES, DAYS)
def test_what_is_written_as_a_rule_is_read_back(wanted: Recurrence, first: date) -> None:
    rule = rule_of(wanted)

    read = recurrence_of(rule, first)

    assert rule_of(read) == rule
    assert all(due_days(rule, first, first + timedelta(days=400)))
    assert say(read, speaking(Language.IT))


@given(RECURRENCES, DAYS)
def test_it_comes_in_its_months_on_its_day(wanted: Recurrence, first: date) -> None:
    found = due_days(rule_of(wanted), first, first + timedelta(days=800))

    assert found
    for day in found:
        if wanted.often is Often.WEEKLY:
            assert day.weekday() == wanted.weekday
        else:
            assert day.month in wanted.months()
            assert _is_its_day(wanted, day)


def _is_its_day(wanted: Recurrence, day: date) -> bool:
    last = monthrange(day.year, day.month)[1]
    if wanted.on is On.LAST:
        return day.day == last
    if wanted.on is On.DAY:
        return day.day == min(wanted.day, last)
    turn = (last - day.day) // 7 if wanted.nth == LAST else (day.day - 1) // 7 + 1 - wanted.nth
    return day.weekday() == wanted.weekday and turn == 0


@pytest.mark.parametrize(
    ("rule", "italian", "english"),
    [
        ("FREQ=MONTHLY;BYMONTHDAY=10", "Il giorno 10 di ogni mese", "On day 10 of each month"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "L'ultimo giorno di ogni mese", "On the last day of each month"),
        ("FREQ=MONTHLY;BYDAY=1MO", "Il primo lunedì di ogni mese", "On the first Monday of each month"),
        ("FREQ=MONTHLY;BYDAY=-1SU", "L'ultima domenica di ogni mese", "On the last Sunday of each month"),
        ("FREQ=WEEKLY;BYDAY=FR", "Ogni venerdì", "Every Friday"),
        (
            "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=28",
            "Il giorno 28 di gennaio di ogni anno",
            "On day 28 of January each year",
        ),
        ("FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=10", "Il giorno 10 di gennaio e luglio", "On day 10 of January and July"),
        ("FREQ=FULLMOON", "FREQ=FULLMOON", "FREQ=FULLMOON"),
    ],
)
def test_a_rule_is_said_in_plain_words(rule: str, italian: str, english: str) -> None:
    assert said(rule, speaking(Language.IT)) == italian
    assert said(rule, speaking(Language.EN)) == english


def test_the_last_day_moved_back_is_said_as_the_last_working_day() -> None:
    rule = rule_of(Recurrence(Often.QUARTERLY, On.LAST, month=3))

    assert said(rule, speaking(Language.IT), moved="previous") == (
        "L'ultimo giorno lavorativo di marzo, giugno, settembre e dicembre"
    )
    assert said(monthly(1), speaking(Language.EN), moved="next") == "On the first working day of each month"
    assert said(monthly(10), speaking(Language.EN), moved="next") == "On day 10 of each month"


def test_what_a_rule_leaves_open_is_that_of_the_first_day() -> None:
    thursday = date(2026, 12, 10)

    assert rule_of(recurrence_of("FREQ=MONTHLY;INTERVAL=2", thursday)) == (
        "FREQ=MONTHLY;BYMONTH=2,4,6,8,10,12;BYMONTHDAY=10"
    )
    assert rule_of(recurrence_of("RRULE:FREQ=WEEKLY;", thursday)) == "FREQ=WEEKLY;BYDAY=TH"
    assert rule_of(recurrence_of("freq=yearly", thursday)) == "FREQ=MONTHLY;BYMONTH=12;BYMONTHDAY=10"


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=HOURLY",
        "FREQ=SECONDLY;INTERVAL=1",
        "FREQ=DAILY",
        "FREQ=WEEKLY;INTERVAL=2",
        "FREQ=WEEKLY;BYDAY=MO,TU",
        "FREQ=MONTHLY;COUNT=3",
        "FREQ=MONTHLY;BYMONTHDAY=10;UNTIL=20271231",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=MONTHLY;BYDAY=5MO",
        "FREQ=MONTHLY;BYDAY=MO",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "FREQ=MONTHLY;BYMONTH=1,2",
        "FREQ=MONTHLY;BYMONTH=1,2,3,4,5",
        "FREQ=MONTHLY;INTERVAL=5",
        "FREQ=MONTHLY;INTERVAL=0",
        "FREQ=MONTHLY;INTERVAL=2;BYMONTH=1,7",
        "FREQ=YEARLY;INTERVAL=2",
        "FREQ=MONTHLY;FREQ=WEEKLY",
        "FREQ=MONTHLY;BYMONTHDAY=٣",
        "FREQ=MONTHLY\x00",
        "every full moon",
        "FREQ=MONTHLY;BYMONTHDAY=10" + ";WKST=MO" * 100,
    ],
)
def test_a_rule_that_we_could_not_say_is_refused(rule: str) -> None:
    with pytest.raises(Unsayable):
        due_days(rule, date(2026, 12, 10), date(2027, 12, 10))
