"""Told again: tomorrow, because they asked; when a way opens again, because nobody could tell them. Always once."""

from datetime import date, datetime, time, timedelta

import pytest
from sqlmodel import Session, col, delete, select

from delivery.links import Links
from delivery.missed import tell_missed
from delivery.words import Words, plain_text
from facts.calendar import local_instant
from facts.recurrence import ONCE
from reminders.again import remind_tomorrow
from reminders.deadlines import waive
from reminders.sweep import dry_run, next_due, remind_one
from reminders.wording import word_reminder
from storage.people import mark_reachable, mark_unreachable
from storage.reports import close_obligation
from storage.sendings import messages
from storage.tables import (
    Again,
    Channel,
    Deadline,
    Decision,
    Following,
    Obligation,
    Outbox,
    OutboxKind,
    OutboxState,
    Outcome,
    Project,
    Reason,
    Referent,
    Snooze,
)
from storage.timelines import told_again
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

LINKS = Links(base_url="https://raccordo.example.org")
WEDNESDAY = date(2026, 11, 25)


def morning(day: date, hour: int = 8, minute: int = 30) -> datetime:
    return local_instant(day, time(hour, minute), "Europe/Rome")


def due_on(cast: Cast, day: date, title: str = "Rendicontazione") -> Deadline:
    form_id = cast.session.exec(select(Deadline.form_id)).first()
    return a_new_deadline(cast, title=title, rule=ONCE, first_on=day, form_id=form_id)


def sweep(session: Session, now: datetime) -> int:
    people = 0
    while remind_one(session, now):
        people += 1
    return people


def reminders(session: Session) -> list[Outbox]:
    rows = session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER).order_by(col(Outbox.id)))
    return list(rows.all())


def delivered(session: Session, now: datetime) -> str:
    """The newest reminder arrives on Telegram: its id there."""
    row = reminders(session)[-1]
    words = word_reminder(LINKS)(session, row, now)
    assert words is not None
    row.body, row.state, row.provider_id, row.sent_at = words.to_json(), OutboxState.SENT, f"9{row.id}", now
    session.flush()
    return f"9{row.id}"


def said(session: Session, now: datetime) -> Words | None:
    """What the newest reminder says when it leaves."""
    return word_reminder(LINKS)(session, reminders(session)[-1], now)


def obligation_of(session: Session, project: Project, deadline: Deadline | None = None) -> Obligation:
    query = select(Obligation).where(Obligation.project_id == project.id)
    if deadline is not None:
        query = query.where(Obligation.deadline_id == deadline.id)
    return session.exec(query.order_by(col(Obligation.due_on))).first()  # type: ignore[return-value]  # made before


def fates(session: Session) -> list[tuple[Again, Outcome | None, Reason | None]]:
    return [(row.why, row.outcome, row.reason) for row in session.exec(select(Snooze).order_by(col(Snooze.id)))]


@pytest.fixture
def project(cast: Cast) -> Project:
    return cast.a_project(cast.an_organization(), title="Ex mercato")


@pytest.fixture
def ada(cast: Cast, project: Project) -> Referent:
    return cast.a_referent("Ada Esempio", projects=(project,), chat=101)


@pytest.fixture
def reminded(cast: Cast, ada: Referent) -> str:
    """Ada was reminded this Tuesday of what is due on the 27th, a Friday: the message's id."""
    a_new_deadline(cast, title="Rendicontazione", rule=ONCE, first_on=date(2026, 11, 27))
    sweep(cast.session, cast.now)
    return delivered(cast.session, cast.now)


# --- tomorrow


def test_the_next_morning_it_comes_again_worded_as_things_stand_then(cast: Cast, ada: Referent, reminded: str) -> None:
    found = remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)

    assert found is not None
    assert found.again_at == morning(WEDNESDAY)
    assert sweep(cast.session, cast.now + timedelta(hours=8)) == 0
    assert sweep(cast.session, morning(WEDNESDAY)) == 1
    assert sweep(cast.session, morning(WEDNESDAY, 12)) == 0
    assert len(reminders(cast.session)) == 2
    words = said(cast.session, morning(WEDNESDAY))
    assert words is not None
    assert "scade tra 2 giorni" in plain_text(words.html)
    assert fates(cast.session) == [(Again.ASKED, Outcome.SENT, Reason.DUE)]


@pytest.mark.parametrize(
    ("asked", "again"),
    [
        (morning(date(2026, 11, 27), 11), date(2026, 11, 30)),  # a Friday
        (morning(date(2026, 12, 4), 11), date(2026, 12, 9)),  # before Sant'Ambrogio and the eighth of December
        (morning(date(2026, 11, 24), 23), WEDNESDAY),
        (morning(date(2026, 11, 29), 11), date(2026, 11, 30)),  # a Sunday
    ],
)
def test_tomorrow_is_the_next_day_on_which_the_office_works(
    cast: Cast, ada: Referent, reminded: str, asked: datetime, again: date
) -> None:
    found = remind_tomorrow(cast.session, ada.id, "101", reminded, asked)

    assert found is not None
    assert found.again_at == morning(again)


def test_asking_twice_changes_nothing(cast: Cast, ada: Referent, reminded: str) -> None:
    first = remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)
    late = cast.now + timedelta(hours=14)  # it is Wednesday already, and the office still closed

    second = remind_tomorrow(cast.session, ada.id, "101", reminded, late)

    assert first == second
    sweep(cast.session, morning(WEDNESDAY))
    assert len(fates(cast.session)) == 1
    assert len(reminders(cast.session)) == 2


def test_it_can_be_put_off_again_from_either_message(cast: Cast, ada: Referent, reminded: str) -> None:
    remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)
    sweep(cast.session, morning(WEDNESDAY))
    second = delivered(cast.session, morning(WEDNESDAY))

    by_the_new = remind_tomorrow(cast.session, ada.id, "101", second, morning(WEDNESDAY, 9))
    by_the_old = remind_tomorrow(cast.session, ada.id, "101", reminded, morning(WEDNESDAY, 9))

    assert by_the_new == by_the_old
    assert by_the_new is not None
    assert by_the_new.again_at == morning(date(2026, 11, 26))


def test_with_what_falls_due_that_morning_it_is_one_message(cast: Cast, ada: Referent, reminded: str) -> None:
    # the day before falls on Thursday: put off until then it meets its own next step and another's
    remind_tomorrow(cast.session, ada.id, "101", reminded, morning(WEDNESDAY, 9))
    thursday = date(2026, 11, 26)
    due_on(cast, date(2026, 12, 3), "Monitoraggio")

    sweep(cast.session, morning(thursday))

    assert len(reminders(cast.session)) == 2
    words = said(cast.session, morning(thursday))
    assert words is not None
    text = plain_text(words.html)
    assert text.count("Rendicontazione") == text.count("Monitoraggio") == 1
    assert fates(cast.session) == [(Again.ASKED, Outcome.SENT, Reason.GATHERED)]
    newest = cast.session.exec(select(Decision).order_by(col(Decision.id).desc())).first()
    assert newest is not None
    assert newest.outbox_id == reminders(cast.session)[-1].id


def test_what_is_sent_before_is_not_told_again(cast: Cast, project: Project, ada: Referent, reminded: str) -> None:
    remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)
    close_obligation(cast.session, obligation_of(cast.session, project).id, cast.now)

    sweep(cast.session, morning(WEDNESDAY))

    assert len(reminders(cast.session)) == 1
    assert fates(cast.session) == [(Again.ASKED, Outcome.WITHHELD, Reason.DONE)]


def test_what_is_sent_while_the_message_waits_is_left_out_of_it(
    cast: Cast, project: Project, ada: Referent, reminded: str
) -> None:
    remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)
    sweep(cast.session, morning(WEDNESDAY))
    waive(cast.session, obligation_of(cast.session, project).id, "Concluso", None, morning(WEDNESDAY))

    assert said(cast.session, morning(WEDNESDAY)) is None
    assert fates(cast.session) == [(Again.ASKED, Outcome.WITHHELD, Reason.WAIVED)]


def test_a_project_given_to_a_colleague_meanwhile_is_not_told(cast: Cast, ada: Referent, reminded: str) -> None:
    remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)
    cast.session.execute(delete(Following).where(col(Following.referent_id) == ada.id))

    sweep(cast.session, morning(WEDNESDAY))

    assert fates(cast.session) == [(Again.ASKED, Outcome.WITHHELD, Reason.NO_LONGER_THEIRS)]


def test_only_what_this_very_message_told_is_put_off(
    cast: Cast, project: Project, ada: Referent, reminded: str
) -> None:
    due_on(cast, date(2026, 11, 20), "In ritardo")
    sweep(cast.session, cast.now)  # late: a second message on the same day
    delivered(cast.session, cast.now)

    found = remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)

    assert found is not None
    first = cast.session.exec(select(Deadline).where(Deadline.title == "Rendicontazione")).one()
    assert found.obligation_ids == (obligation_of(cast.session, project, first).id,)


def test_of_a_message_that_is_not_found_everything_owed_now_is_put_off(
    cast: Cast, ada: Referent, reminded: str
) -> None:
    due_on(cast, date(2026, 12, 1), "Monitoraggio")
    due_on(cast, date(2027, 6, 1), "Lontano")

    found = remind_tomorrow(cast.session, ada.id, "101", "12345", cast.now)

    assert found is not None
    assert len(found.obligation_ids) == 2


def test_the_message_of_another_puts_off_nothing_of_theirs(
    cast: Cast, project: Project, ada: Referent, reminded: str
) -> None:
    carla = cast.a_referent("Carla Esempio", chat=303)

    assert remind_tomorrow(cast.session, carla.id, "101", reminded, cast.now) is None
    assert fates(cast.session) == []


def test_when_all_of_it_is_done_nothing_is_put_off(cast: Cast, project: Project, ada: Referent, reminded: str) -> None:
    close_obligation(cast.session, obligation_of(cast.session, project).id, cast.now)

    assert remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now) is None


def test_a_look_ahead_and_the_next_reminder_know_of_it(cast: Cast, ada: Referent, reminded: str) -> None:
    remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)

    assert next_due(cast.session, cast.now) == morning(WEDNESDAY)
    (plan,) = dry_run(cast.session, morning(WEDNESDAY))
    assert (plan.referent_id, plan.step_id, plan.outcome, plan.reason) == (ada.id, None, Outcome.SENT, Reason.DUE)
    sweep(cast.session, morning(WEDNESDAY))
    assert next_due(cast.session, morning(WEDNESDAY)) == morning(date(2026, 11, 26))  # the ladder's own


def test_the_mail_that_goes_instead_tells_it_too(cast: Cast, ada: Referent, reminded: str) -> None:
    remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)
    sweep(cast.session, morning(WEDNESDAY))
    row = reminders(cast.session)[-1]
    copy = Outbox(**row.model_dump(exclude={"id", "dedupe_key", "channel"}), channel=Channel.EMAIL, dedupe_key="")
    copy.dedupe_key = f"{row.dedupe_key}:email"

    words = word_reminder(LINKS)(cast.session, copy, morning(WEDNESDAY))

    assert words is not None
    assert "Rendicontazione" in words.html


def test_the_story_says_who_asked_and_what_became_of_it(
    cast: Cast, project: Project, ada: Referent, reminded: str
) -> None:
    remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)
    sweep(cast.session, morning(WEDNESDAY))
    delivered(cast.session, morning(WEDNESDAY))

    (told,) = told_again(cast.session, obligation_id=obligation_of(cast.session, project).id)
    (message,) = messages(cast.session, [told.outbox_id or 0])

    assert (told.person_id, message.state, message.sent_at) == (ada.id, OutboxState.SENT, morning(WEDNESDAY))
    assert told.again_at == morning(WEDNESDAY)


# --- missed


def goes(cast: Cast) -> None:
    mark_unreachable(cast.session, Channel.TELEGRAM, "101", "blocked", cast.now)


def comes_back(cast: Cast, ada: Referent, now: datetime) -> int:
    mark_reachable(cast.session, Channel.TELEGRAM, "101")
    return tell_missed(cast.session, ada.id, now)


def test_who_comes_back_hears_once_what_is_still_due(cast: Cast, project: Project, ada: Referent) -> None:
    goes(cast)
    first = due_on(cast, WEDNESDAY)
    due_on(cast, date(2026, 11, 26), "Monitoraggio")
    sweep(cast.session, cast.now)
    close_obligation(cast.session, obligation_of(cast.session, project, first).id, cast.now)
    back = cast.now + timedelta(hours=1)

    assert comes_back(cast, ada, back) == 1
    assert sweep(cast.session, back) == 1
    assert sweep(cast.session, back) == 0

    words = said(cast.session, back)
    assert words is not None
    assert "Monitoraggio" in words.html
    assert "Rendicontazione" not in words.html
    assert fates(cast.session) == [(Again.MISSED, Outcome.SENT, Reason.DUE)]
    assert comes_back(cast, ada, back) == 0


def test_reminders_that_died_at_the_door_come_as_one(cast: Cast, ada: Referent) -> None:
    due_on(cast, WEDNESDAY)
    for day in (cast.now, morning(WEDNESDAY, 9)):
        sweep(cast.session, day)
        row = reminders(cast.session)[-1]
        row.state, row.error = OutboxState.DEAD, "403"
    goes(cast)
    back = morning(WEDNESDAY, 15)

    assert comes_back(cast, ada, back) == 1
    sweep(cast.session, back)

    cast.session.expire_all()
    assert [row.state for row in reminders(cast.session)] == [
        OutboxState.WITHHELD,
        OutboxState.WITHHELD,
        OutboxState.QUEUED,
    ]


def test_what_went_by_mail_instead_was_not_missed(cast: Cast, ada: Referent) -> None:
    due_on(cast, WEDNESDAY)
    sweep(cast.session, cast.now)
    row = reminders(cast.session)[-1]
    copy = row.model_dump(exclude={"id"}) | {"dedupe_key": f"{row.dedupe_key}:email", "channel": Channel.EMAIL}
    cast.add(Outbox(**copy | {"state": OutboxState.SENT}))
    row.state = OutboxState.MOVED
    goes(cast)

    assert comes_back(cast, ada, cast.now) == 0


def test_what_the_substitute_was_told_was_not_missed(cast: Cast, ada: Referent) -> None:
    ada.substitute_id = cast.a_referent("Bruno Esempio", chat=102).id
    goes(cast)
    due_on(cast, WEDNESDAY)
    sweep(cast.session, cast.now)

    assert comes_back(cast, ada, cast.now) == 0


def test_missed_at_night_is_told_in_the_morning(cast: Cast, ada: Referent) -> None:
    goes(cast)
    due_on(cast, date(2026, 11, 26))
    sweep(cast.session, cast.now)
    midnight = cast.now + timedelta(hours=14)

    comes_back(cast, ada, midnight)

    assert sweep(cast.session, midnight) == 0
    assert next_due(cast.session, midnight) == morning(WEDNESDAY)
    assert sweep(cast.session, morning(WEDNESDAY)) == 1


def test_asked_for_tomorrow_but_gone_by_then_is_missed_and_told_when_they_are_back(
    cast: Cast, ada: Referent, reminded: str
) -> None:
    remind_tomorrow(cast.session, ada.id, "101", reminded, cast.now)
    goes(cast)
    sweep(cast.session, morning(WEDNESDAY))
    assert fates(cast.session) == [(Again.ASKED, Outcome.WITHHELD, Reason.UNREACHABLE)]

    assert comes_back(cast, ada, morning(WEDNESDAY, 12)) == 1
    sweep(cast.session, morning(WEDNESDAY, 12))

    assert fates(cast.session)[-1] == (Again.MISSED, Outcome.SENT, Reason.DUE)
