"""How soon questions are answered, in working time."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session

from answering.speed import OfCategory, Speed, answer_speed
from storage.tables import Category, Circular, Question, QuestionState, Referent
from tests.cast import Cast

HOUR = timedelta(hours=1)


def speed(session: Session, now: datetime) -> tuple[Speed, list[OfCategory]]:
    whole, each = answer_speed(session, now - timedelta(days=30), now, now=now, zone="Europe/Rome")
    return whole, list(each)


@pytest.fixture
def ada(cast: Cast) -> Referent:
    return cast.a_referent()


def asked(cast: Cast, ada: Referent, at: datetime, after: timedelta | None = None, **other: Any) -> Question:
    """Asked at some time, answered `after` by the clock on the wall."""
    question = cast.a_question(ada, **other)
    question.created_at = at
    if after is not None:
        question.first_answer_at, question.state = at + after, QuestionState.ANSWERED
    cast.session.flush()
    return question


def test_a_night_between_question_and_answer_is_no_working_time(
    session: Session, cast: Cast, ada: Referent, now: datetime
) -> None:
    asked(cast, ada, now - timedelta(days=1) + 7 * HOUR, 16 * HOUR + HOUR / 2)  # 17:00, and 09:30 the day after

    whole, _each = speed(session, now)

    assert (whole.median, whole.answered) == (2 * HOUR, 1)


def test_half_have_it_within_the_median_and_nine_in_ten_within_the_ninth_tenth(
    session: Session, cast: Cast, ada: Referent, now: datetime
) -> None:
    for minutes in range(10, 110, 10):
        asked(cast, ada, now - timedelta(days=1), timedelta(minutes=minutes))

    whole, _each = speed(session, now)

    assert (whole.median, whole.ninth) == (timedelta(minutes=50), timedelta(minutes=90))


def test_each_category_is_measured_by_its_own_hours(session: Session, cast: Cast, ada: Referent, now: datetime) -> None:
    quick = cast.add(Category(name="Rendicontazione", hours=1, created_at=now))
    asked(cast, ada, now - timedelta(days=1), 2 * HOUR, category_id=quick.id)
    asked(cast, ada, now - timedelta(days=1), 2 * HOUR)

    whole, each = speed(session, now)

    assert [(one.name, one.hours, one.speed.in_time, one.speed.late) for one in each] == [
        ("", 19, 1, 0),
        ("Rendicontazione", 1, 0, 1),
    ]
    assert whole.percent_in_time == Decimal(50)


def test_a_question_opened_again_was_answered_when_it_was(
    session: Session, cast: Cast, ada: Referent, now: datetime
) -> None:
    again = asked(cast, ada, now - timedelta(days=10), timedelta(days=8), state=QuestionState.NEW)
    again.due_at = now + timedelta(days=2)
    session.flush()

    assert speed(session, now)[0].late == 1


@pytest.mark.parametrize(
    ("asked_before", "late"),
    [((10, QuestionState.NEW), 1), ((10, QuestionState.CLOSED), 0), ((10, QuestionState.ANSWERED), 0), ((1, "new"), 0)],
)
def test_one_without_an_answer_is_late_once_its_hours_have_passed_while_it_waits_for_us(
    session: Session, cast: Cast, ada: Referent, now: datetime, asked_before: tuple[int, Any], late: int
) -> None:
    days, state = asked_before
    asked(cast, ada, now - timedelta(days=days), state=state)

    whole, _each = speed(session, now)

    assert (whole.asked, whole.answered, whole.late, whole.in_time) == (1, 0, late, 0)


def test_what_was_merged_and_what_replies_to_a_circular_is_not_measured(
    session: Session, cast: Cast, ada: Referent, now: datetime
) -> None:
    whole = asked(cast, ada, now - timedelta(days=1), HOUR)
    circular = cast.add(Circular(created_by=cast.a_staff().id, created_at=now, changed_at=now))
    asked(cast, ada, now - timedelta(days=1), HOUR, merged_into_id=whole.id)
    asked(cast, ada, now - timedelta(days=1), HOUR, circular_id=circular.id)

    assert speed(session, now)[0].asked == 1


def test_without_questions_there_is_no_speed(session: Session, now: datetime) -> None:
    assert speed(session, now) == (Speed(), [])
    assert Speed().percent_in_time is None
