"""Ladders changed by staff: what is still to come follows them, and what was decided stays."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from reminders.ladders import WantedRung, add_rung, copy, retire, take_rung, use
from reminders.planning import REMIND_AT
from reminders.wanted import DeadlineRefused
from storage.ladders import rungs_in_use
from storage.reports import close_obligation
from storage.tables import Deadline, Decision, Obligation, Rung, Staff, Step, Unit
from storage.tables.deadlines import STANDARD_LADDER
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline
from tests.reminders.test_sweep import reminders, rome, sweep

WEEK_BEFORE = datetime(2026, 12, 3, 9, tzinfo=UTC)  # of the tenth


@pytest.fixture
def olga(cast: Cast) -> int:
    staff: Staff = cast.a_staff()
    return staff.id


@pytest.fixture
def deadline(cast: Cast) -> Deadline:
    """One project owes it, and Ada follows that."""
    place = cast.an_organization()
    cast.a_referent("Ada Esempio", place, (cast.a_project(place),), chat=100)
    return a_new_deadline(cast)


def waiting(session: Session, period: str = "2026-12") -> list[datetime]:
    query = select(Step.due_at).join(Obligation, col(Obligation.id) == col(Step.obligation_id))
    return list(
        session.exec(query.where(Obligation.period == period, col(Step.settled).is_(False)).order_by(col(Step.due_at)))
    )


def on(*days: int) -> list[datetime]:
    return [rome(date(2026, 12, day), REMIND_AT.hour, REMIND_AT.minute) for day in days]


def rung_of(session: Session, offset: int) -> int:
    return next(one.id for one in rungs_in_use(session, STANDARD_LADDER) if one.offset_days == offset)


def add(session: Session, olga: int, offset: int, now: datetime = WEEK_BEFORE, unit: Unit = Unit.DAYS) -> None:
    add_rung(session, STANDARD_LADDER, WantedRung(offset, unit, urgent=False), by=olga, now=now)


@pytest.mark.usefixtures("deadline")
def test_a_rung_counts_at_once_for_all_that_is_awaited(session: Session, olga: int) -> None:
    before = waiting(session)

    add(session, olga, -3)
    add(session, olga, -2, unit=Unit.WORKING_DAYS)  # before the tenth there are two holidays and a weekend

    assert before == on(3, 9, 10, 12, 17)
    assert waiting(session) == on(3, 4, 7, 9, 10, 12, 17)
    assert len(waiting(session, "2027-01")) == 7


@pytest.mark.usefixtures("deadline")
def test_of_a_new_rung_that_would_have_been_before_now_nobody_is_told(session: Session, olga: int) -> None:
    sweep(session, WEEK_BEFORE)

    add(session, olga, -8, WEEK_BEFORE + timedelta(hours=1))
    sweep(session, WEEK_BEFORE + timedelta(days=1))

    assert len(reminders(session)) == 1
    assert len(waiting(session, "2027-01")) == 6


@pytest.mark.usefixtures("deadline")
def test_a_rung_taken_away_tells_nobody_more_and_its_decisions_stay(session: Session, olga: int) -> None:
    sweep(session, WEEK_BEFORE)
    told = session.exec(select(Decision.step_id)).all()

    for offset in (-7, -1):
        assert take_rung(session, STANDARD_LADDER, rung_of(session, offset), by=olga, now=WEEK_BEFORE)

    assert waiting(session) == on(10, 12, 17)
    assert session.exec(select(Decision.step_id)).all() == told


def test_a_deadline_may_change_its_ladder_and_change_back(session: Session, olga: int, deadline: Deadline) -> None:
    short = copy(session, STANDARD_LADDER, "  Breve ", by=olga, now=WEEK_BEFORE)
    for one in list(rungs_in_use(session, short.id))[1:]:
        take_rung(session, short.id, one.id, by=olga, now=WEEK_BEFORE)

    use(session, short.id, deadline.id, by=olga, now=WEEK_BEFORE - timedelta(days=1))
    one_rung = waiting(session)
    use(session, STANDARD_LADDER, deadline.id, by=olga, now=WEEK_BEFORE - timedelta(days=1))

    assert short.name == "Breve"
    assert one_rung == on(3)
    assert waiting(session) == on(3, 9, 10, 12, 17)


@pytest.mark.usefixtures("deadline")
def test_what_is_done_gets_no_new_step(session: Session, olga: int) -> None:
    done = session.exec(select(Obligation.id).where(Obligation.period == "2026-12")).one()
    close_obligation(session, done, WEEK_BEFORE)
    before = waiting(session)

    add(session, olga, -3)

    assert waiting(session) == before


@pytest.mark.parametrize("offset", [-7, 367, -367])
def test_two_rungs_alike_and_days_far_away_are_refused(session: Session, olga: int, offset: int) -> None:
    with pytest.raises(DeadlineRefused):
        add(session, olga, offset)

    assert len(rungs_in_use(session, STANDARD_LADDER)) == 5


def test_the_last_rung_stays(session: Session, olga: int) -> None:
    *others, last = rungs_in_use(session, STANDARD_LADDER)
    for one in others:
        take_rung(session, STANDARD_LADDER, one.id, by=olga, now=WEEK_BEFORE)

    with pytest.raises(DeadlineRefused):
        take_rung(session, STANDARD_LADDER, last.id, by=olga, now=WEEK_BEFORE)


def test_only_a_ladder_that_nobody_uses_is_retired(session: Session, olga: int, deadline: Deadline) -> None:
    own = copy(session, STANDARD_LADDER, "Breve", by=olga, now=WEEK_BEFORE)
    use(session, own.id, deadline.id, by=olga, now=WEEK_BEFORE)
    for ladder_id in (own.id, STANDARD_LADDER):
        with pytest.raises(DeadlineRefused):
            retire(session, ladder_id, by=olga, now=WEEK_BEFORE)
    use(session, STANDARD_LADDER, deadline.id, by=olga, now=WEEK_BEFORE)

    retire(session, own.id, by=olga, now=WEEK_BEFORE)

    with pytest.raises(DeadlineRefused):
        use(session, own.id, deadline.id, by=olga, now=WEEK_BEFORE)


@pytest.mark.parametrize("name", ["", " \0 ", "x" * 81, "Standard"])
def test_a_name_is_needed_and_is_not_there_twice(session: Session, olga: int, name: str) -> None:
    with pytest.raises(DeadlineRefused):
        copy(session, STANDARD_LADDER, name, by=olga, now=WEEK_BEFORE)
    assert len(session.exec(select(Rung.id)).all()) == 5
