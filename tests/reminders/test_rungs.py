"""What a rung of a ladder says of its own reminder: that it is urgent, and its own words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from delivery.links import Links
from reminders.sweep import dry_run
from reminders.wording import word_reminder
from storage.tables import Ladder, Referent, Rung
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline
from tests.reminders.test_sweep import reminders, sweep

WEEK_BEFORE = datetime(2026, 12, 3, 9, tzinfo=UTC)  # of the tenth
word = word_reminder(Links("http://raccordo.example"))


def a_ladder(cast: Cast, name: str, **rung: Any) -> Ladder:
    """One rung, a week before."""
    ladder: Ladder = cast.add(Ladder(name=name, created_at=cast.now))
    cast.add(Rung(ladder_id=ladder.id, **({"offset_days": -7} | rung)))
    return ladder


def ada(cast: Cast) -> Referent:
    place = cast.an_organization()
    return cast.a_referent("Ada Esempio", place, (cast.a_project(place, title="Ex mercato"),), chat=100)


def two_deadlines(cast: Cast, first: Ladder, second: Ladder) -> None:
    form_id = a_new_deadline(cast, title="Monitoraggio", ladder_id=first.id).form_id
    a_new_deadline(cast, title="Collaudo", ladder_id=second.id, form_id=form_id)


def said(session: Session) -> str:
    (row,) = reminders(session)
    words = word(session, row, WEEK_BEFORE)
    assert words is not None
    return words.html


@pytest.mark.parametrize("urgent", [False, True])
def test_a_second_reminder_on_one_day_is_for_what_its_ladder_calls_urgent(
    cast: Cast, session: Session, urgent: bool
) -> None:
    ada(cast)
    first = a_new_deadline(cast, ladder_id=a_ladder(cast, "Breve").id)
    sweep(session, WEEK_BEFORE)
    later = WEEK_BEFORE + timedelta(hours=1)
    a_new_deadline(cast, form_id=first.form_id, ladder_id=a_ladder(cast, "Altra", urgent=urgent).id)

    waits = [one.outcome is None for one in dry_run(session, later)]
    sweep(session, later)

    assert waits == [not urgent]
    assert len(reminders(session)) == 1 + urgent


def test_what_is_late_waits_for_tomorrow_where_its_ladder_is_in_no_hurry(cast: Cast, session: Session) -> None:
    ada(cast)
    first = a_new_deadline(cast)
    sweep(session, WEEK_BEFORE)
    calm = a_ladder(cast, "Calma", offset_days=1)
    a_new_deadline(cast, form_id=first.form_id, ladder_id=calm.id, day=1)

    sweep(session, WEEK_BEFORE + timedelta(hours=1))
    today = len(reminders(session))
    sweep(session, WEEK_BEFORE + timedelta(days=1))

    assert (today, len(reminders(session))) == (1, 2)


def test_own_words_that_are_the_same_for_all_stand_once_above_the_list(cast: Cast, session: Session) -> None:
    ladder = a_ladder(cast, "Sollecito", text_it="Il decreto scade & non si proroga.")
    ada(cast)
    two_deadlines(cast, ladder, ladder)
    sweep(session, WEEK_BEFORE)

    html = said(session)

    assert html.count("Il decreto scade &amp; non si proroga.") == 1
    assert html.index("Il decreto") < html.index("Monitoraggio")


def test_of_several_each_keeps_its_own_words(cast: Cast, session: Session) -> None:
    ada(cast)
    two_deadlines(cast, a_ladder(cast, "Sollecito", text_it="Serve il SAL."), a_ladder(cast, "Muta"))
    sweep(session, WEEK_BEFORE)

    paragraphs = said(session).split("\n\n")

    assert [one for one in paragraphs if "Serve il SAL." in one] == [one for one in paragraphs if "Monitoraggio" in one]


def test_own_words_are_in_the_readers_language_or_there_are_none(cast: Cast, session: Session) -> None:
    ada(cast).language = "en"
    ladder = a_ladder(cast, "Sollecito", text_it="Serve il SAL.", text_en="")
    two_deadlines(cast, ladder, ladder)
    sweep(session, WEEK_BEFORE)

    assert "SAL" not in said(session)
