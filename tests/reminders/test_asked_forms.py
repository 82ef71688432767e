"""Which form a deadline asks: one that fits who owes it, in one version or always the newest."""

from datetime import date
from typing import Any

import pytest
from sqlmodel import select

from reminders.deadlines import choose_version, stop_deadline
from reminders.wanted import DeadlineRefused
from storage.tables import Audit, Deadline, Form, FormVersion, Subject
from tests.cast import Cast
from tests.reminders.makers import a_form_for, a_new_deadline


def a_version(cast: Cast, form_id: int, number: int = 2) -> FormVersion:
    row: FormVersion = cast.add(FormVersion(form_id=form_id, number=number, definition={}, published_at=cast.now))
    return row


def asked(deadline: Deadline) -> tuple[int | None, int]:
    return deadline.form_version_id, deadline.version


def audited(cast: Cast) -> list[dict[str, Any]]:
    return [row.detail for row in cast.session.exec(select(Audit).where(Audit.action == "deadline.version"))]


@pytest.mark.parametrize(
    ("about", "owed_by", "said"),
    [
        (Subject.PROJECT, Subject.ORGANIZATION, "each project owes it, not each organisation"),
        (Subject.ORGANIZATION, Subject.PROJECT, "each organisation owes it, not each project"),
    ],
)
def test_who_owes_it_is_whom_the_form_is_about(cast: Cast, about: Subject, owed_by: Subject, said: str) -> None:
    form_id = a_form_for(cast, about)

    with pytest.raises(DeadlineRefused, match=said):
        a_new_deadline(cast, form_id=form_id, subject=owed_by)

    assert cast.session.exec(select(Deadline)).all() == []


def test_a_retired_form_is_not_asked(cast: Cast) -> None:
    form_id = a_form_for(cast, Subject.PROJECT)
    cast.session.get_one(Form, form_id).retired_at = cast.now
    cast.session.flush()

    with pytest.raises(DeadlineRefused, match="is retired"):
        a_new_deadline(cast, form_id=form_id)


def test_a_version_of_another_form_is_refused(cast: Cast) -> None:
    form_id = a_form_for(cast, Subject.PROJECT)
    foreign = a_version(cast, a_form_for(cast, Subject.ORGANIZATION))

    with pytest.raises(DeadlineRefused, match="no such version"):
        a_new_deadline(cast, form_id=form_id, form_version_id=foreign.id)


def test_a_deadline_keeps_to_its_version_until_another_is_chosen(cast: Cast) -> None:
    form_id = a_form_for(cast, Subject.PROJECT)
    second = a_version(cast, form_id)
    deadline = a_new_deadline(cast, form_id=form_id, form_version_id=second.id)
    before = asked(deadline)

    chosen = choose_version(cast.session, deadline, None, revision=deadline.version, by=3, now=cast.now)

    cast.session.refresh(deadline)
    assert chosen
    assert before == (second.id, 1)
    assert asked(deadline) == (None, 2)
    assert audited(cast) == [{"form_version": None}]


def test_a_version_is_not_chosen_over_somebody_elses_change(cast: Cast) -> None:
    form_id = a_form_for(cast, Subject.PROJECT)
    second, deadline = a_version(cast, form_id), a_new_deadline(cast, form_id=form_id)
    choose_version(cast.session, deadline, second.id, revision=1, by=3, now=cast.now)

    late = choose_version(cast.session, deadline, None, revision=1, by=4, now=cast.now)

    cast.session.refresh(deadline)
    assert not late
    assert deadline.form_version_id == second.id
    assert len(audited(cast)) == 1


def test_a_stopped_deadline_asks_nothing_else(cast: Cast) -> None:
    form_id = a_form_for(cast, Subject.PROJECT)
    second, deadline = a_version(cast, form_id), a_new_deadline(cast, form_id=form_id)
    stop_deadline(cast.session, deadline.id, "Basta", None, cast.now)
    cast.session.refresh(deadline)

    assert not choose_version(cast.session, deadline, second.id, revision=deadline.version, by=3, now=cast.now)


def test_a_deadline_does_not_change_to_the_version_of_another_form(cast: Cast) -> None:
    foreign = a_version(cast, a_form_for(cast, Subject.ORGANIZATION))
    deadline = a_new_deadline(cast, first_on=date(2026, 12, 1))

    with pytest.raises(DeadlineRefused, match="no such version"):
        choose_version(cast.session, deadline, foreign.id, revision=1, by=3, now=cast.now)
