"""The line of time: every word of ours has a sentence; what happened is told in order, and no more than is known."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest
from sqlmodel import Session, select

from facts.languages import Language, speaking
from facts.recurrence import ONCE
from reminders import timeline_words as words
from reminders.again import remind_tomorrow
from reminders.sweep import dry_run, remind_one
from reminders.timeline import Line, Rows, Tone, of_person, timeline, why_planned
from storage.openings import note_opening
from storage.reports import close_obligation
from storage.sendings import messages
from storage.tables import (
    Again,
    Channel,
    Extension,
    ExtensionState,
    Obligation,
    Outbox,
    OutboxState,
    Reason,
    Receipt,
    Unit,
    Whom,
)
from storage.timelines import decisions, extensions, told_again
from storage.to_come import coming_for, coming_to
from storage.words import ReceiptKind, Standing
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

ENGLISH = speaking(Language.EN)
ZONE = "Europe/Rome"


def swept(cast: Cast, now: datetime | None = None) -> None:
    while remind_one(cast.session, now or cast.now):
        pass


def of_obligation(cast: Cast, now: datetime | None = None, **other: Any) -> list[Line]:
    number = one_obligation(cast.session).id
    decided, again = decisions(cast.session, obligation_id=number), told_again(cast.session, obligation_id=number)
    sent = messages(cast.session, {one.outbox_id for one in decided if one.outbox_id})
    rows = Rows(decided, again, sent, coming_for(cast.session, number), (), extensions(cast.session, number), **other)
    return timeline(rows, ENGLISH, now or cast.now, ZONE)


def one_obligation(session: Session) -> Obligation:
    return session.exec(select(Obligation).order_by(Obligation.id)).first()  # type: ignore[arg-type,return-value]  # made before


def said(lines: list[Line]) -> list[str]:
    return [line.said for line in lines]


def due_in(cast: Cast, days: int, chat: int | None = 101) -> Outbox | None:
    """Ada follows the one project; a sweep has been. Her message, if there is one."""
    cast.a_referent("Ada Esempio", projects=(cast.a_project(cast.an_organization()),), chat=chat)
    a_new_deadline(cast, rule=ONCE, first_on=cast.now.date() + timedelta(days=days))
    swept(cast)
    return cast.session.exec(select(Outbox)).first()


def sent(cast: Cast, row: Outbox | None, **other: Any) -> Outbox:
    assert row is not None
    for name, value in ({"state": OutboxState.SENT, "sent_at": cast.now + timedelta(minutes=1)} | other).items():
        setattr(row, name, value)
    cast.session.flush()
    return row


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Reason, words.WITHHELD),
        (Again, words.AGAIN),
        (OutboxState, words.WAITS),
        (ReceiptKind, words.RECEIVED),
        (Whom, words.WHOM),
        (Channel, words.BY),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_every_word_of_ours_has_a_sentence(kind: type[StrEnum], told: Mapping[StrEnum, str]) -> None:
    assert set(told) == set(kind)


@pytest.mark.parametrize(
    ("offset", "unit", "expected"),
    [
        (0, Unit.DAYS, "On the due day"),
        (-1, Unit.DAYS, "One day before the due day"),
        (7, Unit.DAYS, "7 days after the due day"),
        (-2, Unit.WORKING_DAYS, "2 working days before the due day"),
        (1, Unit.WORKING_DAYS, "One working day after the due day"),
    ],
)
def test_a_step_says_when_it_is(offset: int, unit: Unit, expected: str) -> None:
    assert words.step_words(ENGLISH, offset, unit) == expected


def test_what_was_decided_sent_and_opened_is_told_in_order(cast: Cast) -> None:
    row = sent(cast, due_in(cast, 7))
    note_opening(cast.session, row.id, cast.now + timedelta(hours=1), confirmed=False)
    note_opening(cast.session, row.id, cast.now + timedelta(hours=2), confirmed=True)

    lines = of_obligation(cast)

    assert said(lines)[:4] == [
        "7 days before the due day: a reminder was written, because the update was missing.",
        f"message {row.id} left, by Telegram.",
        f"the link in message {row.id} was opened, perhaps only by a program that checks mail for its reader.",
        f"somebody opened the page from the link in message {row.id}.",
    ]
    assert {line.who for line in lines[:4]} == {"Ada Esempio"}


def test_a_fetched_link_is_not_called_read(cast: Cast) -> None:
    row = sent(cast, due_in(cast, 7))
    note_opening(cast.session, row.id, cast.now, confirmed=False)
    note_opening(cast.session, row.id, cast.now + timedelta(hours=1), confirmed=False)

    opened = [line for line in of_obligation(cast) if "link" in line.said]

    assert [(line.tone, line.at) for line in opened] == [(Tone.QUIET, cast.now)]


def test_the_steps_to_come_say_when_and_to_whom(cast: Cast) -> None:
    due_in(cast, 7)

    planned = [line for line in of_obligation(cast) if line.tone is Tone.PLANNED]

    assert [line.at for line in planned][:1] == [datetime(2026, 11, 30, 7, 30, tzinfo=UTC)]
    assert planned[0].said.startswith("One day before the due day: a reminder to everybody who follows it is planned")


def test_nothing_is_planned_any_more_once_it_is_in(cast: Cast) -> None:
    due_in(cast, 7)
    close_obligation(cast.session, one_obligation(cast.session).id, cast.now)

    assert [line for line in of_obligation(cast) if line.tone is Tone.PLANNED] == []


def test_why_nobody_was_reminded_is_said_in_full(cast: Cast) -> None:
    due_in(cast, 7, chat=None)

    assert "7 days before the due day: no reminder: no channel reaches them. Somebody should call them." in said(
        of_obligation(cast)
    )


def test_what_is_due_at_night_says_that_it_waits_for_the_office(cast: Cast) -> None:
    cast.a_referent("Ada Esempio", projects=(cast.a_project(cast.an_organization()),), chat=101)
    a_new_deadline(cast, rule=ONCE, first_on=cast.now.date() + timedelta(days=7))
    night = cast.now.replace(hour=21)

    (waits,) = [line for line in of_obligation(cast, night) if line.tone is Tone.WAITING]

    assert waits.said.endswith("It waits for the office's working hours: nobody is disturbed at night.")
    assert waits.at is not None
    assert waits.at.isoformat() == "2026-11-25T07:30:00+00:00"
    assert waits.who == "Ada Esempio"


def test_who_was_written_to_today_waits_until_tomorrow(cast: Cast) -> None:
    ada = cast.a_referent("Ada Esempio", projects=(cast.a_project(cast.an_organization()),), chat=101)
    a_new_deadline(cast, rule=ONCE, first_on=cast.now.date() + timedelta(days=7))

    (waits,) = [line for line in of_obligation(cast, written_to={ada.id}) if line.tone is Tone.WAITING]

    assert "It waits until tomorrow" in waits.said
    assert waits.at is not None
    assert waits.at.isoformat() == "2026-11-25T07:30:00+00:00"


def test_a_mail_that_went_instead_is_told_with_the_message_it_took_the_place_of(cast: Cast) -> None:
    row = due_in(cast, 7)
    assert row is not None
    copy = cast.add(
        Outbox(
            kind=row.kind,
            channel=Channel.EMAIL,
            address="ada@example.org",
            referent_id=row.referent_id,
            dedupe_key=row.dedupe_key + ":email",
            body={"html": ""},
            next_at=cast.now,
            created_at=cast.now,
        )
    )
    sent(cast, copy)
    row.state = OutboxState.MOVED
    cast.session.flush()

    lines = said(of_obligation(cast))

    assert f"message {row.id} did not leave by Telegram, whose way was closed: an e-mail went instead." in lines
    assert f"message {copy.id} left, by e-mail (ada@example.org)." in lines


@pytest.mark.parametrize(
    ("kind", "standing", "expected", "tone"),
    [
        (ReceiptKind.DELIVERED, Standing.CERTIFIED, "delivered, says the reader's provider.", Tone.GOOD),
        (ReceiptKind.BOUNCED, Standing.UNVERIFIED, ": it came back: the mailbox is full.", Tone.BAD),
        (ReceiptKind.DELIVERED, Standing.UNVERIFIED, "a receipt came that nobody vouches for.", Tone.QUIET),
    ],
)
def test_a_receipt_says_no_more_than_it_proves(
    cast: Cast, kind: ReceiptKind, standing: Standing, expected: str, tone: Tone
) -> None:
    row = sent(cast, due_in(cast, 7))
    cast.add(Receipt(outbox_id=row.id, kind=kind, standing=standing, detail="5.2.2", at=cast.now + timedelta(days=1)))

    (line,) = [line for line in of_obligation(cast) if expected in line.said]

    assert line.tone is tone


def test_what_could_not_be_delivered_says_why(cast: Cast) -> None:
    row = sent(cast, due_in(cast, 7), state=OutboxState.DEAD, sent_at=None, error="403 Forbidden: bot was blocked")

    (line,) = [line for line in of_obligation(cast) if line.tone is Tone.BAD]

    assert line.said == f"message {row.id}, by Telegram, was not delivered. Why: they blocked the bot."


def test_who_asked_to_be_reminded_again_is_told_with_what_became_of_it(cast: Cast) -> None:
    due_in(cast, 7)
    ada = decisions(cast.session, obligation_id=one_obligation(cast.session).id)[0].person_id
    assert ada is not None
    remind_tomorrow(cast.session, ada, "101", "", cast.now)
    close_obligation(cast.session, one_obligation(cast.session).id, cast.now)
    swept(cast, cast.now + timedelta(days=1))

    lines = said(of_obligation(cast))

    assert "asked to be reminded again on 25 November 2026, 08:30." in lines
    assert "Told again: no reminder: the update had already come in." in lines


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (ExtensionState.GRANTED, "more time was given, until 20 December 2026."),
        (ExtensionState.REFUSED, "no more time was given."),
        (ExtensionState.WITHDRAWN, "took back the request for more time."),
    ],
)
def test_more_time_that_was_asked_for_is_told_with_the_decision(
    cast: Cast, state: ExtensionState, expected: str
) -> None:
    due_in(cast, 7)
    number = one_obligation(cast.session).id
    ada = decisions(cast.session, obligation_id=number)[0].person_id
    day = date(2026, 12, 20)
    days: dict[str, Any] = {"wanted_on": day, "granted_on": day, "reason": "", "answer": "", "asked_at": cast.now}
    ids: dict[str, Any] = {"obligation_id": number, "referent_id": ada}
    cast.add(Extension(state=state, decided_at=cast.now + timedelta(hours=1), **days, **ids))

    lines = said(of_obligation(cast))

    assert lines.index("asked for more time, until 20 December 2026.") < lines.index(expected)


def test_what_a_sweep_would_do_is_said_in_words(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    cast.a_referent("Ada Esempio", projects=(project,), chat=101)
    cast.a_referent("Nora Esempio", projects=(project,))
    a_new_deadline(cast, rule=ONCE, first_on=cast.now.date() + timedelta(days=7))

    told = [why_planned(plan) for plan in dry_run(cast.session, cast.now)]

    assert told == [
        "a reminder leaves, because the update is missing.",
        "no reminder: no channel reaches them. Somebody should call them.",
    ]


def test_a_filter_leaves_out_what_is_about_others(cast: Cast) -> None:
    project = cast.a_project(cast.an_organization())
    ada = cast.a_referent("Ada Esempio", projects=(project,), chat=101)
    cast.a_referent("Bruno Esempio", projects=(project,), chat=102)
    a_new_deadline(cast, rule=ONCE, first_on=cast.now.date() + timedelta(days=7))
    swept(cast)

    lines = of_person(of_obligation(cast), ada.id)

    assert {line.who for line in lines} == {"Ada Esempio", ""}


def test_what_is_to_come_to_a_person_is_only_theirs(cast: Cast) -> None:
    due_in(cast, 7)
    carla = cast.a_referent("Carla Esempio")
    ada = decisions(cast.session, obligation_id=one_obligation(cast.session).id)[0].person_id
    assert ada is not None
    until = cast.now + timedelta(days=60)

    assert [one.offset_days for one in coming_to(cast.session, ada, until)] == [-1, 0, 2, 7]
    assert coming_to(cast.session, carla.id, until) == []
