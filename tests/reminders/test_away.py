"""While a colleague answers for somebody, the colleague is reminded and they are not; afterwards it is as before."""

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from intake.delegation import delegate, end
from reminders.sweep import dry_run, remind_one
from storage.delegations import held_by
from storage.people import mark_unreachable
from storage.tables import Channel, Decision, Outbox, OutboxKind, Outcome, Project, Reason, Referent
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

TODAY = date(2026, 11, 24)


@pytest.fixture
def people(cast: Cast) -> tuple[Referent, Referent, Project]:
    organization = cast.an_organization()
    project = cast.a_project(organization)
    ada = cast.a_referent("Ada Esempio", organization, (project,), chat=11)
    bruno = cast.a_referent("Bruno Esempio", organization, (), chat=12)
    a_new_deadline(cast)
    return ada, bruno, project


def ada_is_away(session: Session, people: tuple[Referent, Referent, Project], now: datetime) -> None:
    ada, bruno, _ = people
    delegate(session, ada.id, bruno.id, date(2026, 12, 20), today=TODAY, now=now)


def sweep(session: Session, now: datetime) -> None:
    while remind_one(session, now):
        pass


def told(session: Session) -> list[tuple[int | None, Outcome, Reason]]:
    rows = session.exec(select(Decision).order_by(col(Decision.referent_id)))
    return [(one.referent_id, one.outcome, one.reason) for one in rows]


def reminded(session: Session) -> list[str]:
    return list(session.exec(select(Outbox.address).where(Outbox.kind == OutboxKind.REMINDER)))


LATER = timedelta(days=9)  # 3 December: seven days before the 10th


def test_the_colleague_is_reminded_in_their_own_name(
    session: Session, people: tuple[Referent, Referent, Project], now: datetime
) -> None:
    ada_is_away(session, people, now)
    planned = {(plan.referent_id, plan.outcome) for plan in dry_run(session, now + LATER)}

    sweep(session, now + LATER)

    ada, bruno, _ = people
    assert told(session) == [(ada.id, Outcome.WITHHELD, Reason.AWAY), (bruno.id, Outcome.SENT, Reason.DUE)]
    assert planned == {(ada.id, Outcome.WITHHELD), (bruno.id, Outcome.SENT)}
    assert reminded(session) == ["12"]


def test_when_nothing_reaches_the_colleague_the_absent_one_is_told(
    session: Session, people: tuple[Referent, Referent, Project], now: datetime
) -> None:
    ada_is_away(session, people, now)
    mark_unreachable(session, Channel.TELEGRAM, "12", "blocked", now)

    sweep(session, now + LATER)

    assert reminded(session) == ["11"]


def test_who_is_back_is_reminded_and_the_colleague_is_not(
    session: Session, people: tuple[Referent, Referent, Project], now: datetime
) -> None:
    ada_is_away(session, people, now)
    held = held_by(session, people[0].id)
    assert held is not None
    end(session, held, now, by=("system", None))

    sweep(session, now + LATER)

    assert reminded(session) == ["11"]
