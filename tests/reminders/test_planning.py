"""On which days something is due and somebody told: by the rule, the calendar of each, the grace and the ladder."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import select

from facts.calendar import is_working_day
from facts.closures import ALWAYS_OPEN, Calendar, Closed
from facts.recurrence import LAST, MONTHS, ONCE, Often, On, Recurrence, monthly, rule_of
from reminders.planning import REMIND_AT, periods
from storage.making import Period
from storage.tables import Closure, Deadline, Moved, Obligation, Place, Rung, Step, Unit
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

ROME = ZoneInfo("Europe/Rome")
CORSICO, RHO = 7, 8
LONG_AGO = datetime(2026, 1, 7, 12, tzinfo=UTC)


def a_ladder(*offsets: int, unit: Unit = Unit.DAYS) -> list[Rung]:
    return [Rung(id=number, ladder_id=1, offset_days=offset, unit=unit) for number, offset in enumerate(offsets, 1)]


STANDARD = a_ladder(-7, -1, 0, 2, 7)


def a_deadline(rule: str = ONCE, first_on: date = date(2026, 10, 10), **other: Any) -> Deadline:
    values: dict[str, Any] = {
        "title": "x",
        "form_id": 1,
        "zone": "Europe/Rome",
        "opens_days_before": 20,
        "created_at": LONG_AGO,
    }
    return Deadline(**{**values, "rule": rule, "first_on": first_on, **other})


def planned(deadline: Deadline, rungs: list[Rung] = STANDARD, calendar: Calendar = ALWAYS_OPEN) -> list[Period]:
    return periods(deadline, rungs, calendar, now=datetime.combine(deadline.first_on, time(12), UTC))


def days_of(period: Period, zone: ZoneInfo = ROME) -> list[date]:
    return [instant.astimezone(zone).date() for _rung, instant in period.steps]


@pytest.mark.parametrize(
    ("moved", "due_on"),
    [(Moved.NOT, date(2026, 10, 10)), (Moved.NEXT, date(2026, 10, 12)), (Moved.PREVIOUS, date(2026, 10, 9))],
)
def test_a_saturday_goes_to_monday_or_friday_or_stays(moved: Moved, due_on: date) -> None:
    (period,) = planned(a_deadline(moved=moved))

    assert (period.nominal_on, period.due_on) == (date(2026, 10, 10), due_on)
    assert period.opens_on == due_on - timedelta(days=20)
    assert days_of(period) == [due_on + timedelta(days=n) for n in (-7, -1, 0, 2, 7)]


def test_it_is_moved_over_holidays_and_the_closures_of_the_office() -> None:
    bridge = Calendar(Closed({date(2026, 12, 9): "Ponte"}))

    (period,) = planned(a_deadline(first_on=date(2026, 12, 5), moved=Moved.NEXT), calendar=bridge)

    assert period.due_on == date(2026, 12, 10)  # Saturday, Sunday, 7 and 8 December, and the bridge


def test_whose_patron_it_is_has_a_day_of_their_own() -> None:
    patrons = Calendar(own={CORSICO: Closed(yearly={(10, 12): "San Protaso"}), RHO: Closed(yearly={(11, 11): "altro"})})

    theirs, common = planned(a_deadline(moved=Moved.NEXT), calendar=patrons)

    assert (theirs.only, theirs.due_on) == (frozenset({CORSICO}), date(2026, 10, 13))
    assert (common.without, common.due_on) == (frozenset({CORSICO}), date(2026, 10, 12))
    assert theirs.name == common.name == "2026-10-10"


def test_a_patron_on_a_day_that_moves_nothing_makes_no_difference() -> None:
    patrons = Calendar(own={CORSICO: Closed(yearly={(10, 10): "di sabato"}), RHO: Closed({date(2026, 10, 13): "dopo"})})

    (common,) = planned(a_deadline(moved=Moved.NEXT), calendar=patrons)

    assert (common.only, common.without) == (frozenset(), frozenset())


def test_the_days_of_grace_make_it_late_later_and_the_steps_after_it_too() -> None:
    (period,) = planned(a_deadline(first_on=date(2026, 10, 12), grace_days=5))

    assert period.due_at == datetime(2026, 10, 17, 22, tzinfo=UTC)
    assert days_of(period)[2:] == [date(2026, 10, 12), date(2026, 10, 19), date(2026, 10, 24)]


def test_steps_in_working_days_count_past_holidays_and_patrons() -> None:
    rungs = a_ladder(-3, 0, 2, unit=Unit.WORKING_DAYS)
    patrons = Calendar(own={CORSICO: Closed(yearly={(12, 3): "patrono"})})

    theirs, common = planned(a_deadline(first_on=date(2026, 12, 4), moved=Moved.NEXT), rungs, patrons)

    assert days_of(common) == [date(2026, 12, 1), date(2026, 12, 4), date(2026, 12, 10)]
    assert days_of(theirs) == [date(2026, 11, 30), date(2026, 12, 4), date(2026, 12, 10)]


def test_a_step_before_the_window_opens_is_left_out() -> None:
    (period,) = planned(a_deadline(opens_days_before=3))

    assert [rung for rung, _ in period.steps] == [2, 3, 4, 5]


def test_two_days_that_are_moved_onto_one_stay_two_periods() -> None:
    weeks = Calendar(Closed({date(2026, 10, 12) + timedelta(days=n): "Chiusi" for n in range(7)}))
    deadline = a_deadline("FREQ=WEEKLY;BYDAY=MO", date(2026, 10, 12), until=date(2026, 10, 19), moved=Moved.NEXT)

    found = planned(deadline, calendar=weeks)

    assert [(period.name, period.due_on) for period in found] == [
        ("2026-10-12", date(2026, 10, 19)),
        ("2026-10-19", date(2026, 10, 19)),
    ]


def test_the_last_working_day_of_the_quarter() -> None:
    rule = rule_of(Recurrence(Often.QUARTERLY, On.LAST, month=3))

    found = planned(a_deadline(rule, date(2026, 1, 1), until=date(2026, 12, 31), moved=Moved.PREVIOUS))

    assert [str(period.due_on) for period in found] == ["2026-03-31", "2026-06-30", "2026-09-30", "2026-12-31"]
    assert [period.name for period in found] == ["2026-03", "2026-06", "2026-09", "2026-12"]


def test_a_first_day_moved_before_itself_is_not_lost() -> None:
    (period,) = planned(a_deadline(moved=Moved.PREVIOUS))

    assert period.due_on < date(2026, 10, 10)


def test_nobody_is_asked_when_a_closure_has_no_end() -> None:
    for_ever = Calendar(Closed({date(2026, 10, 1) + timedelta(days=n): "Chiusi" for n in range(400)}))

    (period,) = planned(a_deadline(moved=Moved.NEXT), calendar=for_ever)

    assert period.due_on == period.nominal_on


@pytest.mark.parametrize("year", range(2024, 2036))
def test_every_local_day_around_the_changes_of_the_clock_has_one_step(year: int) -> None:
    """Rome's clock changes on the last Sundays of March and October."""
    for month in (3, 10):
        sunday = date(year, month, 31) - timedelta(days=date(year, month, 31).isoweekday() % 7)
        rungs = a_ladder(*range(-3, 4))

        (period,) = planned(a_deadline(first_on=sunday), rungs)

        local = [instant.astimezone(ROME) for _rung, instant in period.steps]
        assert [one.date() for one in local] == [sunday + timedelta(days=n) for n in range(-3, 4)]
        assert {one.time() for one in local} == {REMIND_AT}
        assert period.due_at.astimezone(ROME).replace(tzinfo=None) == datetime.combine(
            sunday + timedelta(days=1), time(0)
        )


RECURRENCES = st.builds(
    Recurrence,
    st.sampled_from([Often.ONCE, Often.WEEKLY, *MONTHS]),
    st.sampled_from(On),
    st.integers(1, 31),
    st.sampled_from([1, 2, 3, 4, LAST]),
    st.integers(0, 6),
    st.integers(1, 12),
)
LADDERS = st.sets(st.tuples(st.integers(-30, 30), st.sampled_from(Unit)), min_size=1, max_size=6).map(
    lambda rungs: [
        Rung(id=number, ladder_id=1, offset_days=offset, unit=unit)
        for number, (offset, unit) in enumerate(sorted(rungs), 1)
    ]
)
CLOSURES = st.dictionaries(st.dates(date(2024, 1, 1), date(2036, 12, 31)), st.just("chiusi"), max_size=20)
CALENDARS = st.builds(
    Calendar,
    st.builds(Closed, CLOSURES),
    st.dictionaries(st.sampled_from([CORSICO, RHO]), st.builds(Closed, CLOSURES)),
)


DEADLINES = st.builds(
    a_deadline,
    RECURRENCES.map(rule_of),
    st.dates(date(2024, 1, 1), date(2034, 12, 31)),
    zone=st.sampled_from(["Europe/Rome", "America/Sao_Paulo", "Asia/Kathmandu", "Pacific/Apia", "UTC"]),
    moved=st.sampled_from(Moved),
    opens_days_before=st.integers(0, 60),
    grace_days=st.integers(0, 20),
)


@settings(deadline=None)  # each year's holidays are looked up once
@given(DEADLINES, LADDERS, CALENDARS)
def test_whatever_is_wished_everybody_has_each_period_once_and_each_rung_once(
    deadline: Deadline, rungs: list[Rung], calendar: Calendar
) -> None:
    noon = datetime.combine(deadline.first_on, time(12), UTC)

    found = periods(deadline, rungs, calendar, now=noon)

    for organization_id in (None, CORSICO, RHO):
        closed = calendar.of(organization_id)
        theirs = [one for one in found if _is_of(one, organization_id)]
        assert set(Counter(one.name for one in theirs).values()) <= {1}
        assert {one.name for one in theirs} == {one.name for one in found}
        assert [one.nominal_on for one in theirs] == sorted(one.nominal_on for one in theirs)
        for period in theirs:
            assert deadline.moved is Moved.NOT or is_working_day(period.due_on, closed)
            _each_rung_once_and_by_day(period, rungs, ZoneInfo(deadline.zone))


def _is_of(period: Period, organization_id: int | None) -> bool:
    return organization_id in period.only if period.only else organization_id not in period.without


def _each_rung_once_and_by_day(period: Period, rungs: list[Rung], zone: ZoneInfo) -> None:
    told = dict(period.steps)
    assert len(told) == len(period.steps)
    assert {one.astimezone(zone).time() for one in told.values()} <= {REMIND_AT}
    for unit in Unit:
        in_order = [told[rung.id] for rung in rungs if rung.unit is unit and rung.id in told]
        assert in_order == sorted(in_order)
    left_out = [rung for rung in rungs if rung.id not in told]
    assert all(rung.offset_days < 0 for rung in left_out)
    assert all(one.astimezone(zone).date() >= period.opens_on for one in told.values())


def test_what_is_kept_has_each_organisations_own_days(cast: Cast) -> None:
    corsico, rho = cast.an_organization("Corsico"), cast.an_organization("Rho")
    nowhere = cast.a_project(rho, implementing_body_id=None)
    for place in cast.session.exec(select(Place).where(Place.project_id == nowhere.id)):
        cast.session.delete(place)
    projects = [cast.a_project(corsico), cast.a_project(rho), nowhere]
    patron: dict[str, Any] = {"day": date(2020, 12, 10), "yearly": True, "name": "Patrono", "created_at": cast.now}
    cast.add(Closure(organization_id=corsico.id, **patron))

    deadline = a_new_deadline(cast, moved=Moved.NEXT, until=date(2026, 12, 31))

    rows = {
        row.project_id: row.due_on
        for row in cast.session.exec(select(Obligation).where(Obligation.deadline_id == deadline.id))
    }
    steps = cast.session.exec(select(Step.obligation_id)).all()
    assert [rows[project.id].day for project in projects] == [11, 10, 10]
    assert Counter(Counter(steps).values()) == {5: 3}


def test_monthly_days_are_named_by_their_month() -> None:
    found = planned(a_deadline(monthly(10), date(2026, 1, 1)))

    assert [period.name for period in found][:2] == ["2026-01", "2026-02"]
