"""Who is away is not reminded of what their substitute is: told why, and only while the substitute can be reached."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from delivery.links import Links
from delivery.words import plain_text
from facts.recurrence import ONCE
from intake.delegation import delegate, end
from reminders.sweep import dry_run, next_due, remind_one
from reminders.wording import word_reminder
from storage.people import mark_unreachable
from storage.tables import (
    Channel,
    Deadline,
    Decision,
    Delegation,
    Following,
    Organization,
    Outbox,
    OutboxKind,
    Outcome,
    Project,
    Reason,
    Referent,
    Step,
    Subject,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

LINKS = Links(base_url="https://raccordo.example.org")


@pytest.fixture
def place(cast: Cast) -> Organization:
    return cast.an_organization()


@pytest.fixture
def project(cast: Cast, place: Organization) -> Project:
    return cast.a_project(place, title="Ex mercato")


@pytest.fixture
def ada(cast: Cast, place: Organization, project: Project) -> Referent:
    return cast.a_referent("Ada Esempio", place, (project,), chat=11)


@pytest.fixture
def bruno(cast: Cast, place: Organization) -> Referent:
    return cast.a_referent("Bruno Esempio", place, chat=12)


@pytest.fixture
def away(cast: Cast, ada: Referent, bruno: Referent) -> Any:
    """Ada is away for a week; Bruno answers."""
    return delegate(cast.session, ada.id, bruno.id, date(2026, 12, 1), today=date(2026, 11, 24), now=cast.now)


def due_tomorrow(cast: Cast, **other: Any) -> Deadline:
    return a_new_deadline(cast, title="Rendicontazione", rule=ONCE, first_on=date(2026, 11, 25), **other)


def sweep(session: Session, now: datetime) -> None:
    while remind_one(session, now):
        pass


def reminders(session: Session) -> list[Outbox]:
    return list(session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER).order_by(col(Outbox.id))))


def told(session: Session) -> set[tuple[int | None, Outcome, Reason]]:
    """Every decision but those overtaken."""
    rows = session.exec(select(Decision).where(Decision.reason != Reason.OVERTAKEN))
    return {(row.referent_id, row.outcome, row.reason) for row in rows}


def test_the_substitute_is_reminded_and_the_absent_one_is_not(
    cast: Cast, ada: Referent, bruno: Referent, away: Any
) -> None:
    due_tomorrow(cast)
    planned = {(one.referent_id, one.outcome, one.reason) for one in dry_run(cast.session, cast.now)}

    sweep(cast.session, cast.now)

    assert [row.referent_id for row in reminders(cast.session)] == [bruno.id]
    assert told(cast.session) == {
        (ada.id, Outcome.WITHHELD, Reason.AWAY),
        (bruno.id, Outcome.SENT, Reason.DUE),
    }
    assert told(cast.session) <= planned


def test_the_substitute_reads_for_whom(cast: Cast, ada: Referent, bruno: Referent, away: Any) -> None:
    due_tomorrow(cast)
    sweep(cast.session, cast.now)

    words = word_reminder(LINKS)(cast.session, reminders(cast.session)[0], cast.now)

    assert words is not None
    assert plain_text(words.html).endswith("Qui rispondi anche al posto di chi ora non c'è: Ada Esempio.")
    assert words.buttons


def test_a_substitute_whom_nothing_reaches_leaves_it_to_the_absent_one(
    cast: Cast, ada: Referent, bruno: Referent, away: Any
) -> None:
    mark_unreachable(cast.session, Channel.TELEGRAM, "12", "blocked", cast.now)
    due_tomorrow(cast)

    sweep(cast.session, cast.now)

    assert told(cast.session) == {
        (ada.id, Outcome.SENT, Reason.DUE),
        (bruno.id, Outcome.WITHHELD, Reason.UNREACHABLE),
    }


def test_what_the_substitute_has_nothing_to_do_with_is_still_told_to_the_absent_one(
    cast: Cast, ada: Referent, bruno: Referent, away: Any
) -> None:
    corsico = cast.an_organization("Corsico")
    cast.also_of(ada, corsico)
    cast.a_project(corsico)
    due_tomorrow(cast, subject=Subject.ORGANIZATION)

    sweep(cast.session, cast.now)

    # of the organisation that they share, and of the one that Bruno is not in
    assert told(cast.session) == {
        (ada.id, Outcome.WITHHELD, Reason.AWAY),
        (bruno.id, Outcome.SENT, Reason.DUE),
        (ada.id, Outcome.SENT, Reason.DUE),
    }


def test_a_project_that_stays_with_the_absent_one_is_told_to_them(
    cast: Cast, ada: Referent, bruno: Referent, place: Organization
) -> None:
    corsico = cast.an_organization("Corsico")
    cast.also_of(ada, corsico)
    park = cast.a_project(corsico, title="Parco")
    cast.add(Following(referent_id=ada.id, project_id=park.id, since=cast.now))
    delegate(cast.session, ada.id, bruno.id, date(2026, 12, 1), today=date(2026, 11, 24), now=cast.now)
    due_tomorrow(cast)

    sweep(cast.session, cast.now)

    told_to = {row.referent_id: word_reminder(LINKS)(cast.session, row, cast.now) for row in reminders(cast.session)}
    assert ada.id in told_to
    assert bruno.id in told_to
    hers, his = told_to[ada.id], told_to[bruno.id]
    assert hers is not None
    assert his is not None
    assert ("Parco" in hers.html, "Ex mercato" in hers.html) == (True, False)
    assert ("Parco" in his.html, "Ex mercato" in his.html) == (False, True)


def test_while_the_substitute_is_away_too_the_absent_one_is_told(
    cast: Cast, ada: Referent, bruno: Referent, place: Organization, away: Any
) -> None:
    dario = cast.a_referent("Dario Esempio", place, chat=14)
    second = delegate(cast.session, bruno.id, dario.id, date(2026, 11, 27), today=date(2026, 11, 24), now=cast.now)
    due_tomorrow(cast)

    sweep(cast.session, cast.now)

    assert (ada.id, Outcome.SENT, Reason.DUE) in told(cast.session)
    end(cast.session, second, cast.now, by=("referent", bruno.id))
    message = next(row for row in reminders(cast.session) if row.referent_id == ada.id)
    assert word_reminder(LINKS)(cast.session, message, cast.now) is None, "Bruno is back, and hears it"


def test_two_who_stand_in_for_each_other_are_not_both_silent(
    cast: Cast, ada: Referent, bruno: Referent, away: Any
) -> None:
    """Both chose at the same moment, each before the other's choice was there to be seen."""
    cast.add(Delegation(referent_id=bruno.id, substitute_id=ada.id, until=date(2026, 12, 1), created_at=cast.now))
    due_tomorrow(cast)
    assert next_due(cast.session, cast.now) == cast.now

    sweep(cast.session, cast.now)

    assert {row.referent_id for row in reminders(cast.session)} == {ada.id, bruno.id}


def test_after_the_last_day_everything_is_as_before(cast: Cast, ada: Referent, bruno: Referent, away: Any) -> None:
    a_new_deadline(cast, rule=ONCE, first_on=date(2026, 12, 3))

    sweep(cast.session, cast.now + timedelta(days=8))  # not ended yet, and over all the same

    assert (ada.id, Outcome.SENT, Reason.DUE) in told(cast.session)


def test_who_is_back_is_told_the_next_step(cast: Cast, ada: Referent, bruno: Referent, away: Any) -> None:
    a_new_deadline(cast, rule=ONCE, first_on=date(2026, 11, 26))
    sweep(cast.session, cast.now)
    end(cast.session, away, cast.now, by=("referent", ada.id))

    sweep(cast.session, cast.now + timedelta(days=1))

    assert [row.referent_id for row in reminders(cast.session)] == [bruno.id, ada.id]


def test_what_waits_to_be_sent_when_somebody_goes_away_is_left_out(cast: Cast, ada: Referent, bruno: Referent) -> None:
    due_tomorrow(cast)
    sweep(cast.session, cast.now)
    (message,) = reminders(cast.session)
    delegate(cast.session, ada.id, bruno.id, date(2026, 12, 1), today=date(2026, 11, 24), now=cast.now)

    words = word_reminder(LINKS)(cast.session, message, cast.now)

    assert words is None
    assert told(cast.session) == {(ada.id, Outcome.WITHHELD, Reason.AWAY)}


def test_what_waits_for_a_substitute_who_is_one_no_more_is_left_out(
    cast: Cast, ada: Referent, bruno: Referent, away: Any
) -> None:
    due_tomorrow(cast)
    sweep(cast.session, cast.now)
    (message,) = reminders(cast.session)
    end(cast.session, away, cast.now, by=("referent", ada.id))

    assert word_reminder(LINKS)(cast.session, message, cast.now) is None


def test_what_only_the_absent_one_has_not_heard_is_no_reminder_to_come(
    cast: Cast, ada: Referent, bruno: Referent, away: Any
) -> None:
    due_tomorrow(cast)
    before = next_due(cast.session, cast.now)
    for step in cast.session.exec(select(Step).where(Step.due_at <= cast.now)).all():
        decided: dict[str, Any] = {"outcome": Outcome.SENT, "reason": Reason.DUE, "decided_at": cast.now}
        cast.add(Decision(step_id=step.id, referent_id=bruno.id, **decided))

    assert before == cast.now
    assert next_due(cast.session, cast.now) != cast.now
