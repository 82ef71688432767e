"""Many people are decided about in one transaction, and each as if they were alone."""

from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.sweep import Sweeper
from delivery.links import Links
from facts.recurrence import ONCE
from reminders import rounds, sweep
from reminders.rounds import MOST_FAILURES, Round, Waiting
from reminders.sweep import remind_some
from storage.database import Database
from storage.due import DueStep, Moment, look
from storage.tables import Decision, Outbox, OutboxKind, Outcome, Reason, Step
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

LINKS = Links(base_url="https://raccordo.example.org")


def owing(cast: Cast, people: int) -> list[int]:
    """As many people, each with a project of their own, due tomorrow."""
    milano, programme = cast.an_organization("Milano"), cast.a_programme()
    found = [
        cast.a_referent(f"Persona {number}", projects=(cast.a_project(milano, programme),), chat=1000 + number).id
        for number in range(people)
    ]
    a_new_deadline(cast, rule=ONCE, first_on=date(2026, 11, 25), opens_days_before=1)
    return found


def reminded(session: Session) -> list[int | None]:
    query = select(Outbox.referent_id).where(Outbox.kind == OutboxKind.REMINDER)
    return sorted(session.exec(query.order_by(col(Outbox.id))).all(), key=str)


def test_one_look_serves_many_transactions(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    people, looks = owing(cast, 7), []

    def looking(session: Session, moment: Moment) -> Any:
        looks.append(found := look(session, moment))
        return found

    monkeypatch.setattr(rounds, "look", looking)
    everybody = Round()

    told = [remind_some(cast.session, cast.now, everybody, most=3) for _ in range(4)]

    assert told == [3, 3, 1, 0]
    assert [len(found) for found in looks] == [7, 0]
    assert reminded(cast.session) == sorted(people, key=str)


def test_whoever_owes_very_much_is_alone_in_a_transaction() -> None:
    people = Round()
    people._left.extend(Waiting(number, range(40)) for number in range(5))

    assert [len(people.take(10, 100)) for _ in range(3)] == [2, 2, 1]
    people._left.extend([Waiting(1, range(500)), Waiting(2, ())])
    assert [one.referent_id for one in people.take(10, 100)] == [1]


def test_what_another_process_decides_after_the_look_is_not_decided_again(cast: Cast) -> None:
    ada, *_ = owing(cast, 1)
    step = cast.session.exec(select(Step).where(Step.due_at <= cast.now)).one()
    found = Round()
    found.look(cast.session, sweep._moment(cast.now))
    cast.add(Decision(step_id=step.id, referent_id=ada, outcome=Outcome.SENT, reason=Reason.DUE, decided_at=cast.now))

    assert remind_some(cast.session, cast.now, found) == 0
    assert reminded(cast.session) == []


@pytest.mark.parametrize("people", [5, 130])
async def test_one_person_who_fails_takes_nobody_along(
    database: Database, now: Any, monkeypatch: pytest.MonkeyPatch, people: int
) -> None:
    with database.write() as session:
        everybody = owing(Cast(session, now), people)
    unlucky = everybody[people // 2]
    fail_for(monkeypatch, {unlucky})

    await Sweeper(database, lambda: now, LINKS, "Europe/Rome")()

    with database.read() as session:
        assert reminded(session) == sorted({*everybody} - {unlucky}, key=str)


async def test_when_everybody_fails_the_pass_ends(
    database: Database, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        everybody = owing(Cast(session, now), 20)
    tried = fail_for(monkeypatch, set(everybody))

    with pytest.raises(ArithmeticError):
        await Sweeper(database, lambda: now, LINKS, "Europe/Rome")()

    assert len(tried) == 1 + MOST_FAILURES


def fail_for(monkeypatch: pytest.MonkeyPatch, unlucky: set[int]) -> list[int]:
    """Deciding about these raises; who was tried."""
    tried: list[int] = []
    choices = sweep._choices

    def choose(due: Any, left: Any) -> Any:
        (one, *_) = due
        assert isinstance(one, DueStep)
        if one.referent_id in unlucky:
            tried.append(one.referent_id)
            raise ArithmeticError
        return choices(due, left)

    monkeypatch.setattr(sweep, "_choices", choose)
    return tried
