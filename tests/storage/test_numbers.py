"""What the numbers page counts, by channel, by body, over time."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from storage import numbers
from storage.numbers import Count, Reminded, Waiting
from storage.tables import (
    Channel,
    Circular,
    Decision,
    ObligationState,
    Outbox,
    OutboxKind,
    Outcome,
    Question,
    QuestionState,
    Reason,
    Step,
    Update,
)
from tests.cast import Cast

WEEK = timedelta(days=7)


@pytest.fixture
def edges(now: datetime) -> list[datetime]:
    return [now - 2 * WEEK, now - WEEK, now]


def asked(cast: Cast, referent_id: int, at: datetime, **other: Any) -> Question:
    row: Question = cast.add(
        Question(
            referent_id=referent_id,
            created_at=at,
            due_at=at + timedelta(days=2),
            last_message_at=at,
            **{"channel": Channel.EMAIL, **other},
        )
    )
    return row


def test_questions_are_counted_by_channel_in_the_stretch_in_which_they_came(
    session: Session, cast: Cast, edges: list[datetime]
) -> None:
    ada = cast.a_referent().id
    asked(cast, ada, edges[0])
    asked(cast, ada, edges[1])
    asked(cast, ada, edges[1], channel=Channel.PHONE)
    asked(cast, ada, edges[2])  # after the end
    asked(cast, ada, edges[0] - timedelta(seconds=1))

    assert numbers.questions_by_channel(session, edges) == [
        Count(0, Channel.EMAIL, 1),
        Count(1, Channel.EMAIL, 1),
        Count(1, Channel.PHONE, 1),
    ]
    assert numbers.questions_by_channel(session, edges[1:]) == [
        Count(0, Channel.EMAIL, 1),
        Count(0, Channel.PHONE, 1),
    ]


def test_a_merged_question_is_counted_once_and_a_reply_to_a_circular_apart(
    session: Session, cast: Cast, edges: list[datetime], now: datetime
) -> None:
    ada, olga = cast.a_referent().id, cast.a_staff().id
    circular = cast.add(Circular(created_by=olga, created_at=now, changed_at=now))
    whole = asked(cast, ada, edges[0])
    asked(cast, ada, edges[0], merged_into_id=whole.id)
    asked(cast, ada, edges[0], circular_id=circular.id)

    found = numbers.questions_by_channel(session, edges)

    assert found == [Count(0, Channel.EMAIL, 1), Count(0, Channel.EMAIL, 1, to_circular=True)]


def test_who_is_of_several_bodies_is_counted_with_the_first_by_name(
    session: Session, cast: Cast, edges: list[datetime]
) -> None:
    ada = cast.a_referent(organization=cast.an_organization("Magenta"))
    cast.also_of(ada, cast.an_organization("Abbiategrasso"))
    asked(cast, ada.id, edges[0])
    asked(cast, cast.a_referent().id, edges[0])

    found = {one.what: one.number for one in numbers.questions_by_body(session, edges)}

    assert found == {"Abbiategrasso": 1, None: 1}


def test_updates_are_counted_by_channel_and_by_the_body_they_tell_of(
    session: Session, cast: Cast, edges: list[datetime]
) -> None:
    magenta, corbetta = cast.an_organization("Magenta"), cast.an_organization("Corbetta")
    ada, form = cast.a_referent(organization=magenta), cast.a_form()
    about: tuple[dict[str, Any], ...] = ({"project_id": cast.a_project(magenta).id}, {"organization_id": corbetta.id})
    for one in about:
        cast.add(
            Update(
                referent_id=ada.id,
                form_version_id=form.id,
                channel=Channel.WEB,
                answers={},
                received_at=edges[0],
                **one,
            )
        )

    assert numbers.updates_by_channel(session, edges) == [Count(0, Channel.WEB, 2)]
    assert numbers.updates_by_body(session, edges) == [Count(0, "Corbetta", 1), Count(0, "Magenta", 1)]


def test_what_waits_is_told_by_state_with_the_oldest_and_the_late(session: Session, cast: Cast, now: datetime) -> None:
    ada = cast.a_referent().id
    asked(cast, ada, now - WEEK)
    asked(cast, ada, now)
    asked(cast, ada, now, state=QuestionState.TAKEN)
    asked(cast, ada, now, state=QuestionState.CLOSED)
    asked(cast, ada, now, state=QuestionState.ANSWERED, awaits=True)

    assert numbers.waiting_now(session, now) == [
        Waiting(QuestionState.NEW, 2, now - WEEK, 1),
        Waiting(QuestionState.TAKEN, 1, now, 0),
    ]
    assert numbers.awaiting_referents(session) == 1


def test_reminders_are_counted_with_what_came_after_them(
    session: Session, cast: Cast, now: datetime, edges: list[datetime]
) -> None:
    town = cast.an_organization()
    ada, deadline = cast.a_referent(), cast.a_deadline(cast.a_form(), date(2026, 12, 10))
    out: Any = {"kind": OutboxKind.REMINDER, "channel": Channel.EMAIL, "address": "ada@example.org", "body": {}}
    message = cast.add(Outbox(dedupe_key="one", next_at=now, created_at=now, **out))
    for project, state in ((cast.a_project(town), ObligationState.DONE), (cast.a_project(town), ObligationState.OPEN)):
        obligation = cast.an_obligation(deadline, project, date(2026, 12, 10), now)
        obligation.state = state
        for rung_id, offset in ((1, -7), (2, -1)):
            step = cast.add(
                Step(
                    obligation_id=obligation.id,
                    rung_id=rung_id,
                    offset_days=offset,
                    due_at=now,
                )
            )
            words: Any = {
                "outcome": Outcome.SENT,
                "reason": Reason.DUE,
                "decided_at": edges[0],
                "outbox_id": message.id,
            }
            cast.add(Decision(step_id=step.id, referent_id=ada.id, **words))

    assert numbers.reminded(session, edges[0], edges[-1]) == Reminded(1, 2, 1)
    assert numbers.reminded(session, edges[1], edges[-1]) == Reminded(0, 0, 0)
