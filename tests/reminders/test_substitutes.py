"""When nothing reaches a person, their substitute is reminded, told for whom, and given no right to their projects."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from delivery.links import Links
from delivery.words import Words, plain_text
from facts.recurrence import ONCE
from reminders.sweep import dry_run, next_due, remind_one
from reminders.wording import word_reminder
from storage.people import mark_unreachable
from storage.tables import (
    Channel,
    Deadline,
    Decision,
    Following,
    Outbox,
    OutboxKind,
    Outcome,
    Project,
    Reason,
    Referent,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

LINKS = Links(base_url="https://raccordo.example.org")


@pytest.fixture
def project(cast: Cast) -> Project:
    return cast.a_project(cast.an_organization(), title="Ex mercato")


@pytest.fixture
def bruno(cast: Cast) -> Referent:
    """Stands in for Ada; follows nothing."""
    return cast.a_referent("Bruno Esempio", chat=102)


@pytest.fixture
def ada(cast: Cast, project: Project, bruno: Referent) -> Referent:
    """Follows the project; nothing reaches her."""
    ada = cast.a_referent("Ada <Esempio>", projects=(project,))
    ada.substitute_id = bruno.id
    cast.add(ada)
    return ada


def due_tomorrow(cast: Cast, **other: Any) -> Deadline:
    return a_new_deadline(cast, title="Rendicontazione", rule=ONCE, first_on=date(2026, 11, 25), **other)


def sweep(session: Session, now: datetime) -> None:
    while remind_one(session, now):
        pass


def reminders(session: Session) -> list[Outbox]:
    return list(session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER).order_by(col(Outbox.id))))


def told(session: Session) -> list[tuple[int | None, Outcome, Reason]]:
    """Every decision but those overtaken."""
    rows = session.exec(select(Decision).where(Decision.reason != Reason.OVERTAKEN).order_by(col(Decision.id)))
    return [(row.referent_id, row.outcome, row.reason) for row in rows]


def worded(session: Session, now: datetime) -> Words | None:
    (message,) = reminders(session)
    return word_reminder(LINKS)(session, message, now)


def test_the_substitute_is_reminded_and_the_decision_stays_the_absent_persons(
    cast: Cast, ada: Referent, bruno: Referent
) -> None:
    due_tomorrow(cast)

    sweep(cast.session, cast.now)

    (message,) = reminders(cast.session)
    assert (message.referent_id, message.address) == (bruno.id, "102")
    assert message.dedupe_key == f"reminder:for:{bruno.id}-{ada.id}-2026-11-24:1"
    assert told(cast.session) == [(ada.id, Outcome.SENT, Reason.SUBSTITUTE)]
    outbox_ids = cast.session.exec(select(Decision.outbox_id).where(Decision.reason == Reason.SUBSTITUTE)).all()
    assert list(outbox_ids) == [message.id]


def test_who_is_reached_needs_no_substitute(cast: Cast, project: Project, bruno: Referent) -> None:
    ada = cast.a_referent(projects=(project,), chat=101)
    ada.substitute_id = bruno.id
    cast.add(ada)
    due_tomorrow(cast)

    sweep(cast.session, cast.now)

    assert [message.referent_id for message in reminders(cast.session)] == [ada.id]
    assert told(cast.session) == [(ada.id, Outcome.SENT, Reason.DUE)]


def test_a_substitute_whom_nothing_reaches_either_leaves_the_person_unreachable(cast: Cast, ada: Referent) -> None:
    mark_unreachable(cast.session, Channel.TELEGRAM, "102", "blocked", cast.now)
    due_tomorrow(cast)

    sweep(cast.session, cast.now)

    assert reminders(cast.session) == []
    assert told(cast.session) == [(ada.id, Outcome.WITHHELD, Reason.UNREACHABLE)]


def test_two_absent_people_with_one_substitute_are_two_messages(
    cast: Cast, project: Project, ada: Referent, bruno: Referent
) -> None:
    dario = cast.a_referent("Dario Esempio", projects=(project,))
    dario.substitute_id = bruno.id
    cast.add(dario)
    due_tomorrow(cast)

    sweep(cast.session, cast.now)

    assert [message.referent_id for message in reminders(cast.session)] == [bruno.id, bruno.id]
    assert {one[0] for one in told(cast.session)} == {ada.id, dario.id}


def test_a_message_for_another_does_not_hold_back_ones_own(cast: Cast, ada: Referent, bruno: Referent) -> None:
    form_id = due_tomorrow(cast).form_id
    sweep(cast.session, cast.now)
    other = cast.a_project(cast.an_organization("Rho"))
    cast.add(Following(referent_id=bruno.id, project_id=other.id, since=cast.now - timedelta(days=90)))

    later = cast.now + timedelta(minutes=5)
    due_tomorrow(cast, form_id=form_id, now=later)
    sweep(cast.session, later)

    assert f"reminder:{bruno.id}:2026-11-24:1" in [message.dedupe_key for message in reminders(cast.session)]


def test_a_look_ahead_tells_the_same(cast: Cast, ada: Referent) -> None:
    due_tomorrow(cast)

    plans = dry_run(cast.session, cast.now)

    assert (ada.id, Outcome.SENT, Reason.SUBSTITUTE) in [(one.referent_id, one.outcome, one.reason) for one in plans]
    assert next_due(cast.session, cast.now) == cast.now


def test_the_message_says_for_whom_and_only_why_can_be_asked(cast: Cast, project: Project, ada: Referent) -> None:
    due_tomorrow(cast)
    sweep(cast.session, cast.now)

    words = worded(cast.session, cast.now)

    assert words is not None
    assert plain_text(words.html) == (
        "Sostituisci Ada <Esempio>: a questa persona i nostri messaggi non arrivano, per questo scriviamo a te.\n\n"
        "Manca un aggiornamento\n\n"
        f"Ex mercato · CUP {project.cup}\n"
        "Rendicontazione: scade domani, 25 novembre 2026\n\n"
        "Per quello che non segui anche tu, scrivici o chiama l'ufficio: la risposta la registriamo noi."
    )
    assert [[button.text for button in row] for row in words.buttons] == [["Perché ricevo questo?"]]


def test_what_the_substitute_follows_too_has_its_buttons(
    cast: Cast, project: Project, ada: Referent, bruno: Referent
) -> None:
    due_tomorrow(cast)
    sweep(cast.session, cast.now)
    cast.add(Following(referent_id=bruno.id, project_id=project.id, since=cast.now))

    words = worded(cast.session, cast.now)

    assert words is not None
    assert [[button.text for button in row] for row in words.buttons] == [
        ["Aggiorna ora"],
        ["Ricordamelo domani"],
        ["Perché ricevo questo?"],
    ]
    assert "Per quello che non segui" not in words.html


def test_who_is_no_longer_the_substitute_reads_nothing(cast: Cast, ada: Referent) -> None:
    due_tomorrow(cast)
    sweep(cast.session, cast.now)
    ada.substitute_id = None
    cast.add(ada)

    words = worded(cast.session, cast.now)

    assert words is None
    assert told(cast.session) == [(ada.id, Outcome.WITHHELD, Reason.NO_LONGER_THEIRS)]


def test_what_is_no_longer_the_absent_persons_is_not_said(cast: Cast, project: Project, ada: Referent) -> None:
    due_tomorrow(cast)
    sweep(cast.session, cast.now)
    cast.session.delete(cast.session.get(Following, (ada.id, project.id)))
    cast.session.flush()

    assert worded(cast.session, cast.now) is None
