"""What counts only once staff have accepted it: sent, accepted, given back, sent again. Nobody is forgotten."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlmodel import select

from facts.calendar import local_instant
from facts.recurrence import ONCE
from intake.catalogue import Catalogue
from intake.correcting import Corrected, begin_correction, correct
from intake.reviewing import accept, give_back, reopen
from intake.updates import Concern, record_update
from reminders.deadlines import stop_deadline
from reminders.sweep import remind_one
from storage.reviews import find_update
from storage.tables import (
    Again,
    Channel,
    Deadline,
    Decision,
    DoneWhen,
    DraftState,
    Obligation,
    ObligationState,
    Outbox,
    OutboxKind,
    Reason,
    Referent,
    Snooze,
    Update,
    Waiver,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

DUE = date(2026, 12, 10)
HALF_HOUR = timedelta(minutes=30)
ANSWERS = {"phase": "03005", "progress": "45", "spent": "200000", "expected_end": "2027-06-30"}


def rome(day: date, hour: int = 9) -> datetime:
    return local_instant(day, time(hour), "Europe/Rome")


@dataclass
class Scene:
    """Ada and Bruno owe one update by 10 December, to be accepted by Olga."""

    cast: Cast
    ada: Referent
    olga: int
    deadline: Deadline
    obligation: Obligation

    def sends(self, day: date) -> Update:
        form = Catalogue().newest(self.cast.session, "project-update")
        assert self.obligation.project_id is not None
        update = record_update(
            self.cast.session,
            referent_id=self.ada.id,
            about=Concern(self.obligation.project_id),
            form=form,
            answers=ANSWERS,
            channel=Channel.WEB,
            now=rome(day),
        )
        assert update.obligation_id == self.obligation.id
        return update

    def gives_back(self, update: Update, day: date) -> None:
        form = Catalogue().version(self.cast.session, update.form_version_id)
        give_back(self.cast.session, self.fresh(update), form, {"spent": "?"}, by=self.olga, now=rome(day))

    def accepts(self, update: Update, day: date) -> None:
        accept(self.cast.session, update.id, self.fresh(update).revision, by=self.olga, now=rome(day))

    def fresh(self, update: Update) -> Update:
        found = find_update(self.cast.session, update.id)
        assert found is not None
        return found

    def is_now(self) -> ObligationState:
        self.cast.session.refresh(self.obligation)
        return self.obligation.state

    def reminded(self, day: date) -> int:
        """How many reminders leave when that day's sweep is over."""
        before = len(self._reminders())
        while remind_one(self.cast.session, rome(day)):
            pass
        return len(self._reminders()) - before

    def _reminders(self) -> list[Any]:
        return list(self.cast.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER)))


@pytest.fixture
def scene(cast: Cast) -> Scene:
    place = cast.an_organization()
    project = cast.a_project(place)
    ada = cast.a_referent("Ada Esempio", place, (project,), chat=11)
    cast.a_referent("Bruno Esempio", place, (project,), chat=12)
    deadline = a_new_deadline(cast, rule=ONCE, first_on=DUE)
    deadline.done_when = DoneWhen.ACCEPTED
    cast.add(deadline)
    obligation = cast.session.exec(select(Obligation)).one()
    return Scene(cast, ada, cast.a_staff().id, deadline, obligation)


def test_what_is_in_waits_for_staff_and_nobody_is_reminded(scene: Scene) -> None:
    scene.sends(date(2026, 12, 1))

    reminders = scene.reminded(date(2026, 12, 3))

    assert scene.is_now() is ObligationState.SENT
    assert reminders == 0
    why = scene.cast.session.exec(select(Decision.reason).distinct()).all()
    assert why == [Reason.RECEIVED]


def test_accepting_makes_it_done_on_the_day_it_came_in(scene: Scene) -> None:
    update = scene.sends(date(2026, 12, 1))

    scene.accepts(update, date(2026, 12, 14))

    assert scene.is_now() is ObligationState.DONE
    assert scene.obligation.done_at == rome(date(2026, 12, 1))


def test_an_acceptance_taken_back_waits_again(scene: Scene) -> None:
    update = scene.sends(date(2026, 12, 1))
    scene.accepts(update, date(2026, 12, 2))

    reopen(scene.cast.session, update.id, scene.fresh(update).revision, by=scene.olga, now=rome(date(2026, 12, 2)))

    assert scene.is_now() is ObligationState.SENT


def test_what_is_given_back_is_owed_again_and_its_ladder_goes_on(scene: Scene) -> None:
    update = scene.sends(date(2026, 12, 1))

    scene.gives_back(update, date(2026, 12, 4))

    assert scene.is_now() is ObligationState.OPEN
    assert scene.obligation.done_at is None
    assert scene.reminded(date(2026, 12, 9)) == 2  # Ada and Bruno, the day before
    assert scene.cast.session.exec(select(Snooze)).all() == []


def test_given_back_when_every_step_is_over_they_hear_the_next_working_morning(scene: Scene) -> None:
    update = scene.sends(date(2026, 12, 1))
    assert scene.reminded(date(2026, 12, 18)) == 0

    scene.gives_back(update, date(2026, 12, 18))  # a Friday

    waiting = scene.cast.session.exec(select(Snooze)).all()
    assert {(one.why, one.again_at) for one in waiting} == {(Again.RESUMED, rome(date(2026, 12, 21), 8) + HALF_HOUR)}
    assert scene.reminded(date(2026, 12, 21)) == 2


def test_a_correction_of_what_was_given_back_is_in_again(scene: Scene) -> None:
    update = scene.sends(date(2026, 12, 1))
    scene.gives_back(update, date(2026, 12, 4))
    draft = begin_correction(
        scene.cast.session,
        scene.fresh(update),
        scene.ada.id,
        rome(date(2026, 12, 5)),
        channel=Channel.WEB,
        state=DraftState.PARKED,
        step="spent",
    )

    correct(
        scene.cast.session,
        draft.id,
        Catalogue().version(scene.cast.session, update.form_version_id),
        ANSWERS | {"spent": "1"},
        Corrected(scene.ada.id, Channel.WEB, ""),
        now=rome(date(2026, 12, 7)),
    )

    assert scene.is_now() is ObligationState.SENT
    assert scene.obligation.done_at == rome(date(2026, 12, 7))


def test_given_back_after_the_deadline_was_stopped_nothing_is_owed(scene: Scene) -> None:
    update = scene.sends(date(2026, 12, 1))
    stop_deadline(scene.cast.session, scene.deadline.id, "Concluso", None, rome(date(2026, 12, 2)))

    scene.gives_back(update, date(2026, 12, 4))

    assert scene.is_now() is ObligationState.WAIVED
    assert scene.obligation.waived is Waiver.STOPPED
    assert scene.reminded(date(2026, 12, 9)) == 0


def test_where_sending_is_enough_a_return_changes_nothing_of_what_is_owed(scene: Scene) -> None:
    scene.deadline.done_when = DoneWhen.SENT
    scene.cast.add(scene.deadline)
    update = scene.sends(date(2026, 12, 1))

    scene.gives_back(update, date(2026, 12, 4))

    assert scene.is_now() is ObligationState.DONE
