"""A day on which somebody is closed moves what is due, at once, with the steps that are still to come."""

from dataclasses import dataclass
from datetime import date, time, timedelta

import pytest
from sqlmodel import col, select

from facts.calendar import local_instant
from facts.recurrence import ONCE
from reminders import acts, closures
from reminders.closures import Day
from reminders.replanning import Move
from reminders.wanted import DeadlineRefused
from storage.tables import Audit, Closure, Deadline, Moved, Obligation, ObligationState, Organization, Step
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

DUE = date(2026, 12, 10)  # a Thursday
FRIDAY = date(2026, 12, 11)


@dataclass
class Scene:
    """Abbiategrasso and Corsico owe an update each by 10 December, or the next working day."""

    cast: Cast
    ours: Organization
    theirs: Organization
    olga: int
    deadline: Deadline

    def adds(self, day: date, whose: Organization | None = None, **other: bool) -> list[Move]:
        wanted = Day(whose.id if whose else None, day, other.get("yearly", False), "Patrono")
        return list(closures.add(self.cast.session, wanted, self.olga, self.cast.now).moves)

    def owed(self) -> dict[str, Obligation]:
        self.cast.session.expire_all()
        found = self.cast.session.exec(select(Obligation)).all()
        names = {self.ours.id: "ours", self.theirs.id: "theirs"}
        return {names[one.body_id]: one for one in found if one.body_id is not None}

    def due(self) -> tuple[date, date]:
        owed = self.owed()
        return owed["ours"].due_on, owed["theirs"].due_on


@pytest.fixture
def scene(cast: Cast) -> Scene:
    ours, theirs = cast.an_organization(), cast.an_organization("Corsico")
    for place in (ours, theirs):
        cast.a_project(place)
    deadline = a_new_deadline(cast, rule=ONCE, first_on=DUE, moved=Moved.NEXT)
    return Scene(cast, ours, theirs, cast.a_staff().id, deadline)


def test_a_day_on_which_the_office_is_closed_moves_everybody(scene: Scene) -> None:
    moves = scene.adds(DUE)

    assert moves == [Move(scene.deadline.id, DUE, FRIDAY, 2)]
    assert scene.due() == (FRIDAY, FRIDAY)
    one = scene.owed()["ours"]
    assert (one.nominal_on, one.opens_on) == (DUE, FRIDAY - timedelta(days=20))
    assert one.due_at == local_instant(FRIDAY + timedelta(days=1), time(0), "Europe/Rome")
    steps = scene.cast.session.exec(select(Step).where(Step.obligation_id == one.id)).all()
    days = {step.offset_days: step.due_at for step in steps}
    assert days[0] == local_instant(FRIDAY, time(8, 30), "Europe/Rome")


def test_a_patrons_day_moves_only_what_its_municipality_owes(scene: Scene) -> None:
    moves = scene.adds(date(2020, 12, 10), scene.theirs, yearly=True)

    assert moves == [Move(scene.deadline.id, DUE, FRIDAY, 1)]
    assert scene.due() == (DUE, FRIDAY)


def test_taking_the_day_out_moves_it_back(scene: Scene) -> None:
    scene.adds(DUE)
    row = scene.cast.session.exec(select(Closure)).one()

    gone = closures.remove(scene.cast.session, row.id, scene.olga, scene.cast.now)

    assert gone is not None
    assert list(gone.moves) == [Move(scene.deadline.id, FRIDAY, DUE, 2)]
    assert closures.moves_of(gone.act) == list(gone.moves)
    assert scene.due() == (DUE, DUE)
    assert closures.remove(scene.cast.session, row.id, scene.olga, scene.cast.now) is None


def test_another_day_in_its_place_moves_both_ways(scene: Scene) -> None:
    scene.adds(DUE)
    row = scene.cast.session.exec(select(Closure)).one()

    changed = closures.change(
        scene.cast.session, row.id, Day(scene.ours.id, DUE, False, "Patrono"), scene.olga, scene.cast.now
    )

    assert changed is not None
    assert list(changed.moves) == [Move(scene.deadline.id, FRIDAY, DUE, 1)]
    assert scene.due() == (FRIDAY, DUE)


def test_what_staff_gave_another_day_and_what_is_done_stay(scene: Scene) -> None:
    owed = scene.owed()
    given = DUE + timedelta(days=4)
    seen = [acts.Seen(owed["ours"].id, owed["ours"].version)]
    acts.postpone(scene.cast.session, scene.deadline.id, seen, given, acts.Who(scene.olga, scene.cast.now, "Perché"))
    owed["theirs"].state = ObligationState.DONE
    scene.cast.add(owed["theirs"])

    moves = [*scene.adds(DUE), *scene.adds(given)]

    assert moves == []
    assert scene.due() == (given, DUE)


def test_a_deadline_that_is_not_moved_keeps_its_day(scene: Scene) -> None:
    scene.deadline.moved = Moved.NOT
    scene.cast.add(scene.deadline)

    assert scene.adds(DUE) == []
    assert scene.due() == (DUE, DUE)


def test_what_is_due_today_does_not_move_into_the_past(scene: Scene) -> None:
    scene.deadline.moved = Moved.PREVIOUS
    scene.cast.add(scene.deadline)
    on_the_day = local_instant(DUE, time(9), "Europe/Rome")

    done = closures.add(scene.cast.session, Day(None, DUE, False, "Chiusura"), scene.olga, on_the_day)

    assert list(done.moves) == []
    assert scene.due() == (DUE, DUE)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Day(None, date(2026, 12, 8), False, "Ponte"), "a holiday already"),
        (Day(None, date(2026, 12, 9), False, " "), "Say why"),
        (Day(None, date(2026, 12, 9), False, "x" * 101), "too long"),
        (Day(None, date(1999, 12, 9), False, "Ponte"), "a year ago"),
        (Day(None, date(2099, 12, 9), False, "Ponte"), "ten years"),
    ],
)
def test_what_makes_no_sense_is_refused(scene: Scene, wanted: Day, said: str) -> None:
    with pytest.raises(DeadlineRefused, match=said):
        closures.add(scene.cast.session, wanted, scene.olga, scene.cast.now)


def test_the_same_day_is_not_added_twice(scene: Scene) -> None:
    scene.adds(DUE, scene.ours)

    with pytest.raises(DeadlineRefused, match="in the calendar already"):
        scene.adds(DUE, scene.ours, yearly=True)
    scene.adds(DUE, scene.theirs)


def test_each_change_is_in_the_log(scene: Scene) -> None:
    scene.adds(DUE)

    found = scene.cast.session.exec(select(Audit).where(col(Audit.action).startswith("closure"))).one()

    assert (found.action, found.actor_id, found.detail["moved"]) == ("closure.add", scene.olga, 2)
