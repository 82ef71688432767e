"""What a reminder by mail brings for the calendar, and what it takes out of it again."""

from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from delivery.calendar_file import Event
from delivery.links import Links
from facts.recurrence import ONCE
from reminders.deadlines import stop_deadline, waive
from reminders.sweep import remind_one
from reminders.wording import word_reminder
from storage.obligations import obligations_of
from storage.tables import Channel, Deadline, Form, Outbox, OutboxKind, OutboxState, Referent
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

LINKS = Links(base_url="https://raccordo.example.org")


def due(cast: Cast, day: date, title: str) -> Deadline:
    form_id = cast.session.exec(select(Form.id)).first()
    once: dict[str, Any] = {"rule": ONCE, "first_on": day, "opens_days_before": 20}
    return a_new_deadline(cast, title=title, form_id=form_id, **once)


def newest(session: Session) -> Outbox:
    return session.exec(
        select(Outbox).where(Outbox.kind == OutboxKind.REMINDER).order_by(col(Outbox.id).desc()).limit(1)
    ).one()


def days(session: Session, now: datetime) -> list[Event]:
    words = word_reminder(LINKS)(session, newest(session), now)
    assert words is not None
    return list(words.events)


def reminded_of_two(cast: Cast, **ways: object) -> tuple[Deadline, Deadline]:
    """Ada has had a mail about two deadlines, and is written to again about a third."""
    project = cast.a_project(cast.an_organization(), title="Ex mercato")
    cast.a_referent(projects=(project,), **(ways or {"email": "ada@example.org"}))  # type: ignore[arg-type]
    both = due(cast, date(2026, 12, 1), "Monitoraggio"), due(cast, date(2026, 12, 1), "Cronoprogramma")
    remind_one(cast.session, cast.now)
    first = newest(cast.session)
    first.state = OutboxState.SENT
    cast.add(first)
    return both


def test_a_mail_brings_each_day_that_is_owed(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization(), title="Ex mercato")
    cast.a_referent(projects=(project,), email="ada@example.org")
    deadline = due(cast, date(2026, 11, 25), "Monitoraggio")
    remind_one(cast.session, cast.now)

    (event,) = days(cast.session, cast.now)

    obligation = obligations_of(cast.session, deadline.id)[0].obligation
    assert event == Event(
        obligation.id, "Monitoraggio: Ex mercato", date(2026, 11, 25), 0, f"CUP {project.cup}", over=False
    )


def test_a_chat_brings_none(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent(projects=(project,), chat=101)
    due(cast, date(2026, 11, 25), "Monitoraggio")
    remind_one(cast.session, cast.now)

    assert days(cast.session, cast.now) == []


def test_what_was_waived_or_stopped_since_is_taken_out_by_the_next_mail(cast: Cast) -> None:
    waived, stopped = reminded_of_two(cast)
    due(cast, date(2026, 11, 24), "Altro")
    waive(cast.session, obligations_of(cast.session, waived.id)[0].obligation.id, "Non serve", None, cast.now)
    stop_deadline(cast.session, stopped.id, "Non serve", None, cast.now)
    remind_one(cast.session, cast.now)

    found = days(cast.session, cast.now)

    assert [(one.title.partition(":")[0], one.over, one.sequence) for one in found] == [
        ("Altro", False, 0),
        ("Monitoraggio", True, 1),
        ("Cronoprogramma", True, 1),
    ]


def test_what_has_another_day_since_is_moved_by_the_next_mail(cast: Cast) -> None:
    postponed, _ = reminded_of_two(cast)
    row = obligations_of(cast.session, postponed.id)[0].obligation
    row.postponed_from, row.due_on, row.version = row.due_on, date(2026, 12, 20), 2
    cast.add(row)
    due(cast, date(2026, 11, 24), "Altro")
    remind_one(cast.session, cast.now)

    found = [one for one in days(cast.session, cast.now) if one.obligation_id == row.id]

    assert [(one.on, one.sequence, one.over) for one in found] == [(date(2026, 12, 20), 1, False)]


def test_what_was_only_told_in_a_chat_is_in_no_calendar(cast: Cast) -> None:
    waived, _ = reminded_of_two(cast, chat=101, email="ada@example.org")
    told_in = newest(cast.session).channel
    ada = cast.session.exec(select(Referent)).one()
    ada.prefers = Channel.EMAIL
    due(cast, date(2026, 11, 24), "Altro")
    waive(cast.session, obligations_of(cast.session, waived.id)[0].obligation.id, "Non serve", None, cast.now)
    remind_one(cast.session, cast.now)

    found = days(cast.session, cast.now)

    assert (told_in, newest(cast.session).channel) == (Channel.TELEGRAM, Channel.EMAIL)
    assert [one.over for one in found] == [False]


def test_what_is_still_owed_or_is_past_is_left(cast: Cast) -> None:
    waived, _ = reminded_of_two(cast)
    obligation = obligations_of(cast.session, waived.id)[0].obligation
    due(cast, date(2026, 11, 24), "Altro")
    waive(cast.session, obligation.id, "Non serve", None, cast.now)
    obligation.due_on = date(2026, 11, 23)
    cast.add(obligation)
    remind_one(cast.session, cast.now)

    assert [one.over for one in days(cast.session, cast.now)] == [False]


def test_nothing_is_taken_out_of_another_persons_calendar(cast: Cast) -> None:
    waived, _ = reminded_of_two(cast)
    project = cast.a_project(cast.an_organization("Corsico"))
    cast.a_referent("Carla Esempio", projects=(project,), email="carla@example.org")
    waive(cast.session, obligations_of(cast.session, waived.id)[0].obligation.id, "Non serve", None, cast.now)
    due(cast, date(2026, 11, 24), "Altro")
    while remind_one(cast.session, cast.now):
        pass
    carla = newest(cast.session)

    words = word_reminder(LINKS)(cast.session, carla, cast.now)

    assert carla.address == "carla@example.org"
    assert words is not None
    assert [one.over for one in words.events] == [False] * len(words.events)
