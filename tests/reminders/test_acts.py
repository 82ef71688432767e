"""Another day, let off, a period closed: for one or many, undone the same day. No rung twice, nobody forgotten."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import pytest
from sqlmodel import col, select

from facts.calendar import local_instant
from facts.recurrence import ONCE, monthly
from reminders import acts
from reminders.acts import Seen, Who
from reminders.sweep import remind_one
from reminders.wanted import DeadlineRefused
from storage.reports import close_obligation
from storage.tables import (
    Audit,
    BulkAct,
    Deadline,
    Decision,
    Obligation,
    ObligationState,
    Outbox,
    OutboxKind,
    Reason,
    Referent,
    Snooze,
    Step,
    Waiver,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

DUE = date(2026, 12, 10)
NEW_DAY = date(2026, 12, 21)  # a Monday


def rome(day: date, hour: int = 9) -> datetime:
    return local_instant(day, time(hour), "Europe/Rome")


@dataclass
class Scene:
    """Ada owes one update by 10 December for the first of two projects; nobody follows the second."""

    cast: Cast
    ada: Referent
    olga: int
    deadline: Deadline
    obligation: Obligation
    other: Obligation

    def who(self, day: date, reason: str = "Alluvione") -> Who:
        return Who(self.olga, rome(day), reason)

    def seen(self) -> list[Seen]:
        return [Seen(one.id, one.version) for one in (self.obligation, self.other)]

    def fresh(self) -> Obligation:
        for one in (self.obligation, self.other, self.deadline):
            self.cast.session.refresh(one)
        return self.obligation

    def postponed(self, on: date, to: date = NEW_DAY) -> BulkAct:
        self.fresh()
        act = acts.postpone(self.cast.session, self.deadline.id, self.seen(), to, self.who(on))
        self.fresh()
        return act

    def steps(self) -> dict[int, datetime]:
        """Those still to be decided, by offset."""
        wait = select(Step).where(Step.obligation_id == self.obligation.id, col(Step.settled).is_(False))
        return {one.offset_days: one.due_at for one in self.cast.session.exec(wait).all()}

    def reminded(self, day: date) -> int:
        before = len(self._reminders())
        while remind_one(self.cast.session, rome(day)):
            pass
        return len(self._reminders()) - before

    def _reminders(self) -> list[Outbox]:
        return list(self.cast.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER)))


@pytest.fixture
def scene(cast: Cast) -> Scene:
    place = cast.an_organization()
    first, second = cast.a_project(place), cast.a_project(place, title="Biblioteca")
    ada = cast.a_referent("Ada Esempio", place, (first,), chat=11)
    deadline = a_new_deadline(cast, rule=ONCE, first_on=DUE)
    made = {one.project_id: one for one in cast.session.exec(select(Obligation)).all()}
    return Scene(cast, ada, cast.a_staff().id, deadline, made[first.id], made[second.id])


def test_another_day_moves_what_is_due_and_the_steps_to_come(scene: Scene) -> None:
    scene.postponed(on=date(2026, 12, 1))

    one = scene.obligation
    assert (one.due_on, one.postponed_from, one.postponed_reason) == (NEW_DAY, DUE, "Alluvione")
    assert one.due_at == rome(NEW_DAY + timedelta(days=1), 0)
    days = {offset: at.date() - NEW_DAY for offset, at in scene.steps().items()}
    assert days == {offset: timedelta(days=offset) for offset in (-7, -1, 0, 2, 7)}


def test_what_was_told_is_not_told_again_for_the_new_day(scene: Scene) -> None:
    assert scene.reminded(date(2026, 12, 3)) == 1  # seven days before

    scene.postponed(on=date(2026, 12, 4))

    assert sorted(scene.steps()) == [-1, 0, 2, 7]
    assert scene.reminded(date(2026, 12, 14)) == 0  # seven days before the new day
    assert scene.reminded(date(2026, 12, 20) + timedelta(days=1)) == 1


def test_when_all_steps_before_the_new_day_are_over_they_hear_the_working_day_before_it(scene: Scene) -> None:
    for day in (3, 9, 10, 14):
        scene.reminded(date(2026, 12, day))
    assert sorted(scene.steps()) == [7]

    scene.postponed(on=date(2026, 12, 15))

    assert scene.reminded(date(2026, 12, 17)) == 0
    assert scene.reminded(date(2026, 12, 18)) == 1  # the Friday before
    assert scene.reminded(NEW_DAY) == 0


def test_a_second_new_day_remembers_the_first_one(scene: Scene) -> None:
    scene.postponed(on=date(2026, 12, 1))

    scene.postponed(on=date(2026, 12, 2), to=date(2026, 12, 30))

    assert (scene.obligation.due_on, scene.obligation.postponed_from) == (date(2026, 12, 30), DUE)


def test_what_changed_since_it_was_seen_stays_and_is_said(scene: Scene) -> None:
    seen = scene.seen()
    close_obligation(scene.cast.session, scene.obligation.id, rome(date(2026, 12, 1)))

    act = acts.postpone(scene.cast.session, scene.deadline.id, seen, NEW_DAY, scene.who(date(2026, 12, 1)))

    assert scene.fresh().due_on == DUE
    assert scene.other.due_on == NEW_DAY
    assert act.before["stayed"] == [scene.obligation.id]


@pytest.mark.parametrize("to", [date(2026, 11, 30), date(2027, 12, 3)])
def test_a_day_in_the_past_or_far_away_is_refused(scene: Scene, to: date) -> None:
    with pytest.raises(DeadlineRefused, match="a year from now"):
        acts.postpone(scene.cast.session, scene.deadline.id, scene.seen(), to, scene.who(date(2026, 12, 1)))


def test_nothing_is_done_without_a_reason(scene: Scene) -> None:
    with pytest.raises(DeadlineRefused, match="Say why"):
        acts.waive(scene.cast.session, scene.deadline.id, scene.seen(), scene.who(date(2026, 12, 1), " \n"))


def test_an_obligation_of_another_deadline_is_not_touched(scene: Scene) -> None:
    elsewhere = a_new_deadline(scene.cast, title="Altra", form_id=scene.deadline.form_id)

    with pytest.raises(DeadlineRefused, match="None of what you chose"):
        acts.waive(scene.cast.session, elsewhere.id, scene.seen(), scene.who(date(2026, 12, 1)))

    assert scene.fresh().state is ObligationState.OPEN


def test_an_undone_postponement_puts_day_and_steps_back(scene: Scene) -> None:
    before = scene.steps()
    act = scene.postponed(on=date(2026, 12, 1))

    back = acts.undo(scene.cast.session, act, scene.olga, rome(date(2026, 12, 1), 17))

    one = scene.fresh()
    assert back == 2
    assert (one.due_on, one.postponed_from, one.postponed_reason) == (DUE, None, None)
    assert one.due_at == rome(DUE + timedelta(days=1), 0)
    assert scene.steps() == before


def test_what_moved_on_since_is_not_undone(scene: Scene) -> None:
    act = scene.postponed(on=date(2026, 12, 1))
    close_obligation(scene.cast.session, scene.obligation.id, rome(date(2026, 12, 1), 10))

    back = acts.undo(scene.cast.session, act, scene.olga, rome(date(2026, 12, 1), 17))

    assert back == 1
    assert scene.fresh().due_on == NEW_DAY


def test_it_is_undone_once_and_only_on_that_day(scene: Scene) -> None:
    act = scene.postponed(on=date(2026, 12, 1))
    with pytest.raises(DeadlineRefused, match="no longer be undone"):
        acts.undo(scene.cast.session, act, scene.olga, rome(date(2026, 12, 2)))

    acts.undo(scene.cast.session, act, scene.olga, rome(date(2026, 12, 1), 17))

    scene.cast.session.refresh(act)
    with pytest.raises(DeadlineRefused, match="no longer be undone"):
        acts.undo(scene.cast.session, act, scene.olga, rome(date(2026, 12, 1), 18))


def test_who_was_not_told_because_it_was_let_off_hears_when_that_is_undone(scene: Scene) -> None:
    act = acts.waive(scene.cast.session, scene.deadline.id, scene.seen(), scene.who(date(2026, 12, 3)))
    assert scene.reminded(date(2026, 12, 3)) == 0
    assert Reason.WAIVED in scene.cast.session.exec(select(Decision.reason)).all()
    assert scene.fresh().waived is Waiver.STAFF

    acts.undo(scene.cast.session, act, scene.olga, rome(date(2026, 12, 3), 10))

    one = scene.fresh()
    assert (one.state, one.waived, one.waived_reason) == (ObligationState.OPEN, None, None)
    assert [snooze.referent_id for snooze in scene.cast.session.exec(select(Snooze)).all()] == [scene.ada.id]
    while remind_one(scene.cast.session, rome(date(2026, 12, 3), 11)):
        pass
    told = scene.cast.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.REMINDER)).all()
    assert len(told) == 1


def test_a_closed_period_awaits_nothing_and_the_others_stay(cast: Cast) -> None:
    cast.a_project(cast.an_organization())
    deadline = a_new_deadline(cast, rule=monthly(10))
    olga, now = cast.a_staff().id, cast.now

    act = acts.close_period(cast.session, deadline.id, "2026-12", Who(olga, now, "Periodo chiuso"))

    def states() -> list[ObligationState]:
        cast.session.expire_all()
        return [one.state for one in cast.session.exec(select(Obligation).order_by(col(Obligation.due_on))).all()]

    assert states()[:2] == [ObligationState.WAIVED, ObligationState.OPEN]
    with pytest.raises(DeadlineRefused, match="Nothing of this period"):
        acts.close_period(cast.session, deadline.id, "2026-12", Who(olga, now, "Ancora"))
    assert acts.undo(cast.session, act, olga, now) == 1
    assert states()[0] is ObligationState.OPEN


def test_each_act_is_in_the_log_with_numbers_only(scene: Scene) -> None:
    act = scene.postponed(on=date(2026, 12, 1))

    found = scene.cast.session.exec(select(Audit).where(Audit.action == "obligation.postpone")).one()

    assert (found.actor_id, found.object_kind, found.object_id) == (scene.olga, "deadline", scene.deadline.id)
    assert found.detail == {"act": act.id, "obligations": 2}
