"""Away from one day to another: on that day the substitute is reminded, if they can be; else it stays as it was."""

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from app.sweep import sweep_once
from delivery.links import Links
from intake.absence import begin_one, give_up, plan
from intake.delegation import NotPossible, delegate, end, end_one
from reminders.sweep import remind_one
from storage.database import Database
from storage.delegations import held_by
from storage.people import mark_reachable, mark_unreachable
from storage.tables import Channel, Decision, Organization, Outbox, OutboxKind, Outcome, Project, Reason, Referent
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

TODAY = date(2026, 11, 24)
FIRST, LAST = date(2026, 12, 1), date(2026, 12, 20)
ON_THE_DAY = timedelta(days=7)
LATER = timedelta(days=9)  # 3 December: seven days before the 10th

People = tuple[Referent, Referent, Project]


@pytest.fixture
def people(cast: Cast) -> People:
    organization = cast.an_organization()
    project = cast.a_project(organization)
    ada = cast.a_referent("Ada Esempio", organization, (project,), chat=11)
    bruno = cast.a_referent("Bruno Esempio", organization, (), chat=12)
    a_new_deadline(cast)
    return ada, bruno, project


def plans(
    session: Session, people: People, now: datetime, *, first: date = FIRST, last: date = LAST, alone: bool = False
) -> None:
    ada, bruno, _ = people
    substitute = None if alone else bruno.id
    plan(session, ada.id, substitute, first, last, today=TODAY, now=now, by=("referent", ada.id))


def sweep(session: Session, now: datetime) -> None:
    while begin_one(session, now.date(), now):
        pass
    while remind_one(session, now):
        pass


def told(session: Session) -> list[tuple[int | None, Outcome, Reason]]:
    rows = session.exec(select(Decision).order_by(col(Decision.referent_id)))
    return [(one.referent_id, one.outcome, one.reason) for one in rows]


def test_before_its_first_day_nothing_changes(session: Session, people: People, now: datetime) -> None:
    plans(session, people, now, first=date(2026, 12, 4))

    sweep(session, now + LATER)

    ada, bruno, _ = people
    assert held_by(session, ada.id) is None
    assert told(session) == [(ada.id, Outcome.SENT, Reason.DUE)]
    assert session.exec(select(Outbox).where(Outbox.referent_id == bruno.id)).all() == []


def test_from_its_first_day_the_substitute_is_reminded_and_the_decision_says_why(
    session: Session, people: People, now: datetime
) -> None:
    plans(session, people, now)

    sweep(session, now + LATER)

    ada, bruno, _ = people
    held = held_by(session, ada.id)
    assert held is not None
    assert (held.substitute_id, held.until) == (bruno.id, LAST)
    assert told(session) == [(ada.id, Outcome.WITHHELD, Reason.AWAY), (bruno.id, Outcome.SENT, Reason.DUE)]


def test_after_its_last_day_it_is_as_before(session: Session, people: People, now: datetime) -> None:
    plans(session, people, now, last=date(2026, 12, 2))
    sweep(session, now + ON_THE_DAY)
    after = now + LATER

    assert end_one(session, after.date(), after)
    sweep(session, after)

    ada, _, _ = people
    assert held_by(session, ada.id) is None
    assert told(session) == [(ada.id, Outcome.SENT, Reason.DUE)]
    session.refresh(ada)
    assert (ada.away_from, ada.away_until) == (None, None)


def test_it_begins_in_working_hours_when_the_substitute_may_hear_of_it(
    session: Session, people: People, now: datetime
) -> None:
    plans(session, people, now)
    night = datetime(2026, 12, 1, 1, 0, tzinfo=now.tzinfo)

    assert not begin_one(session, FIRST, night)
    assert begin_one(session, FIRST, night + timedelta(hours=8))


def test_who_goes_today_is_away_at_once(session: Session, people: People, now: datetime) -> None:
    plans(session, people, now, first=TODAY)

    assert held_by(session, people[0].id) is not None
    assert not begin_one(session, TODAY, now)


def test_without_a_substitute_they_go_on_being_reminded(session: Session, people: People, now: datetime) -> None:
    plans(session, people, now, alone=True)

    sweep(session, now + LATER)

    ada, _, _ = people
    assert told(session) == [(ada.id, Outcome.SENT, Reason.DUE)]


def test_a_substitute_whom_nothing_reaches_is_waited_for(session: Session, people: People, now: datetime) -> None:
    plans(session, people, now)
    mark_unreachable(session, Channel.TELEGRAM, "12", "blocked", now)

    assert not begin_one(session, FIRST, now + ON_THE_DAY)
    mark_reachable(session, Channel.TELEGRAM, "12")
    assert begin_one(session, FIRST, now + ON_THE_DAY)


def test_a_substitute_who_is_away_is_waited_for(session: Session, people: People, now: datetime, cast: Cast) -> None:
    ada, bruno, _ = people
    plans(session, people, now)
    organization = session.exec(select(Organization)).one()
    dora = cast.a_referent("Dora Esempio", organization, (), chat=13)
    delegate(session, bruno.id, dora.id, FIRST, today=TODAY, now=now)

    assert not begin_one(session, FIRST, now + ON_THE_DAY)
    assert held_by(session, ada.id) is None


@pytest.mark.parametrize("who", ["absent", "substitute", "staff"])
def test_ended_early_it_does_not_begin_again(session: Session, people: People, now: datetime, who: str) -> None:
    ada, bruno, _ = people
    plans(session, people, now)
    day = now + ON_THE_DAY
    assert begin_one(session, FIRST, day)
    held = held_by(session, ada.id)
    assert held is not None

    if who == "substitute":
        end(session, held, day, by=("referent", bruno.id))
    else:
        assert give_up(session, ada.id, day, by=("referent", ada.id) if who == "absent" else ("staff", 1))

    assert held_by(session, ada.id) is None
    assert not begin_one(session, FIRST, day)
    assert not give_up(session, ada.id, day, by=("referent", ada.id))


def test_an_earlier_absence_that_ends_leaves_the_planned_one(session: Session, people: People, now: datetime) -> None:
    ada, bruno, _ = people
    plans(session, people, now)
    held = delegate(session, ada.id, bruno.id, date(2026, 11, 25), today=TODAY, now=now)

    end(session, held, now, by=("referent", ada.id))

    assert begin_one(session, FIRST, now + ON_THE_DAY)


@pytest.mark.parametrize(
    ("first", "last"),
    [(LAST, FIRST), (date(2026, 11, 1), date(2026, 11, 20)), (FIRST, date(2028, 1, 1))],
)
def test_days_that_cannot_be_are_refused(
    session: Session, people: People, now: datetime, first: date, last: date
) -> None:
    with pytest.raises(NotPossible):
        plans(session, people, now, first=first, last=last)

    assert people[0].away_until is None


def test_a_stranger_cannot_be_the_substitute(session: Session, people: People, now: datetime, cast: Cast) -> None:
    ada, _, _ = people
    carla = cast.a_referent("Carla Esempio", cast.an_organization("Corsico"), (), chat=14)

    with pytest.raises(NotPossible):
        plan(session, ada.id, carla.id, FIRST, LAST, today=TODAY, now=now, by=("referent", ada.id))


def test_the_sweep_of_the_house_begins_it_before_it_reminds(database: Database, now: datetime) -> None:
    with database.write() as session:
        cast = Cast(session, now)
        organization = cast.an_organization()
        ada = cast.a_referent("Ada Esempio", organization, (cast.a_project(organization),), chat=11)
        bruno = cast.a_referent("Bruno Esempio", organization, (), chat=12)
        a_new_deadline(cast)
        plan(session, ada.id, bruno.id, FIRST, LAST, today=TODAY, now=now, by=("referent", ada.id))
        ada_id, bruno_id = ada.id, bruno.id

    sweep_once(database, now + LATER, Links("https://raccordo.example.org"))

    with database.read() as session:
        these = select(Outbox.referent_id).where(Outbox.kind == OutboxKind.REMINDER)
        assert list(session.exec(these)) == [bruno_id]
        assert held_by(session, ada_id) is not None
