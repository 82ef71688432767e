"""Whom a deadline is about: the lines of its scope together, and what joins or leaves it."""

from datetime import date, timedelta

import pytest
from sqlmodel import Session, col, select

from facts.recurrence import ONCE
from reminders.deadlines import keep_obligations
from storage.scopes import Line
from storage.tables import (
    Deadline,
    Obligation,
    ObligationState,
    Organization,
    Place,
    Project,
    Subject,
    Target,
    TargetKind,
    Waiver,
)
from tests.cast import Cast
from tests.reminders.makers import a_new_deadline

CHRISTMAS_EVE = date(2026, 12, 24)


def _once(cast: Cast, lines: list[Line], **other: object) -> Deadline:
    return a_new_deadline(cast, lines, **{"rule": ONCE, "first_on": CHRISTMAS_EVE, **other})


def _owing(session: Session, deadline: Deadline) -> set[int | None]:
    return set(session.exec(select(Obligation.project_id).where(Obligation.deadline_id == deadline.id)))


def _states(session: Session, deadline: Deadline) -> list[tuple[ObligationState, Waiver | None]]:
    session.expire_all()
    query = select(Obligation).where(Obligation.deadline_id == deadline.id).order_by(col(Obligation.due_on))
    return [(row.state, row.waived) for row in session.exec(query)]


@pytest.fixture
def town(cast: Cast) -> dict[str, Project]:
    """Two programmes of one measure and one of another; Corsico and Rho; designs and works."""
    roads, schools = cast.a_programme("M2C4I2.02.A1"), cast.a_programme("M2C4I2.03.00")
    parks = cast.a_programme("M5C2I2.01.00")
    corsico, rho = cast.an_organization("Corsico"), cast.an_organization("Rho")
    made = {
        "road": cast.a_project(corsico, roads, phase="03005"),
        "school": cast.a_project(rho, schools, phase="03004"),
        "park": cast.a_project(corsico, parks, phase="03005"),
        "square": cast.a_project(rho, parks),
        "bank": cast.a_project(corsico, parks, implementing_body_id=None, phase="03004"),
    }
    cast.add(Place(project_id=made["square"].id, organization_id=corsico.id))
    return made


def _line(town: dict[str, Project], words: str, organizations: dict[str, Organization]) -> Line:
    """`-phase 03005`, `measure M2C4`, `in Corsico`, `programme park` (that project's), `project road`."""
    excluded, (kind, what) = words.startswith("-"), words.lstrip("-").split(" ")
    if kind == "in":
        return Line(TargetKind.ORGANIZATION, organizations[what].id, excluded=excluded)
    if kind == "programme":
        return Line(TargetKind.PROGRAMME, town[what].programme_id, excluded=excluded)
    if kind == "project":
        return Line(TargetKind.PROJECT, town[what].id, excluded=excluded)
    return Line(TargetKind(kind), code=what, excluded=excluded)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", "bank park road school square"),
        ("measure M2C4", "road school"),
        ("measure m2c4i2.02", "road"),
        ("measure M2C4I2.02, programme park", "bank park road square"),
        ("phase 03005", "park road"),
        ("phase 03005, phase 03004", "bank park road school"),
        ("in Corsico", "bank park road"),
        ("in Corsico, programme park", "bank park"),
        ("in Corsico, programme park, phase 03005", "park"),
        ("in Corsico, programme park, phase 03005, project school", "park school"),
        ("project school, project road", "road school"),
        ("-phase 03005", "bank school square"),
        ("-in Corsico", "school square"),
        ("-measure M2C4, -project bank", "park square"),
        ("programme park, -in Corsico", "square"),
        ("project road, -phase 03005", ""),
    ],
)
def test_each_kind_narrows_what_is_named_joins_and_what_is_excluded_is_out(
    cast: Cast, town: dict[str, Project], lines: str, expected: str
) -> None:
    bodies = {row.name: row for row in cast.session.exec(select(Organization))}

    deadline = _once(cast, [_line(town, words, bodies) for words in lines.split(", ") if words])

    names = {project.id: name for name, project in town.items()}
    assert sorted(names[id_] for id_ in _owing(cast.session, deadline) if id_) == expected.split()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", "Corsico Rho"),
        ("in Empty", "Empty"),
        ("in Empty, programme park", ""),
        ("in Rho, programme park", "Rho"),
        ("measure M2C4I2.03", "Rho"),
        ("-in Rho", "Corsico"),
        ("project road", "Corsico"),
    ],
)
def test_an_organisation_owes_when_a_project_of_its_own_is_meant_or_it_is_named(
    cast: Cast, town: dict[str, Project], lines: str, expected: str
) -> None:
    cast.an_organization("Empty")
    bodies = {row.name: row for row in cast.session.exec(select(Organization))}

    chosen = [_line(town, words, bodies) for words in lines.split(", ") if words]
    deadline = _once(cast, chosen, subject=Subject.ORGANIZATION)

    owing = select(Organization.name).join(Obligation, col(Obligation.organization_id) == Organization.id)
    names = cast.session.exec(owing.where(Obligation.deadline_id == deadline.id))
    assert sorted(names) == expected.split()


def test_what_leaves_the_scope_is_not_owed_until_it_comes_back(cast: Cast, town: dict[str, Project]) -> None:
    road = town["road"]
    lines = [Line(TargetKind.PHASE, code="03005"), Line(TargetKind.PROJECT, town["park"].id, excluded=True)]
    deadline = a_new_deadline(cast, lines, first_on=date(2026, 11, 1), until=date(2027, 1, 31))
    road.phase = "03006"
    cast.session.flush()

    keep_obligations(cast.session, cast.now)
    gone = _states(cast.session, deadline)
    cast.session.get_one(Project, road.id).phase = "03005"
    cast.session.flush()
    made = keep_obligations(cast.session, cast.now)

    left, still = (ObligationState.WAIVED, Waiver.LEFT), (ObligationState.OPEN, None)
    assert gone == [still, left, left]  # November's is late: that is for staff to decide
    assert (_states(cast.session, deadline), made) == ([still, still, still], 0)


def test_what_staff_waived_does_not_come_back_by_itself(cast: Cast) -> None:
    cast.a_project(cast.an_organization())
    deadline = _once(cast, [])
    (obligation,) = cast.session.exec(select(Obligation).where(Obligation.deadline_id == deadline.id))
    obligation.state, obligation.waived = ObligationState.WAIVED, Waiver.STAFF
    cast.session.flush()

    keep_obligations(cast.session, cast.now)

    assert _states(cast.session, deadline) == [(ObligationState.WAIVED, Waiver.STAFF)]


def test_what_is_in_stays_when_its_project_leaves(cast: Cast, town: dict[str, Project]) -> None:
    deadline = _once(cast, [Line(TargetKind.PROJECT, town["road"].id)])
    (obligation,) = cast.session.exec(select(Obligation).where(Obligation.deadline_id == deadline.id))
    obligation.state = ObligationState.DONE
    cast.session.delete(cast.session.exec(select(Target).where(Target.deadline_id == deadline.id)).one())
    cast.add(Target(deadline_id=deadline.id, kind=TargetKind.PROJECT, target_id=town["park"].id))

    keep_obligations(cast.session, cast.now)

    assert _states(cast.session, deadline)[0] == (ObligationState.DONE, None)


def test_a_deadline_that_does_not_follow_keeps_to_those_it_was_made_for(cast: Cast, town: dict[str, Project]) -> None:
    deadline = a_new_deadline(cast, [Line(TargetKind.PHASE, code="03004")], follows=False)
    before = _owing(cast.session, deadline)
    town["school"].phase, town["road"].phase = "03005", "03004"
    cast.session.flush()

    made = keep_obligations(cast.session, cast.now + timedelta(days=31))

    cast.session.expire_all()
    assert _owing(cast.session, deadline) == before == {town["school"].id, town["bank"].id}
    assert made == 1  # January 2028 of the one that is still in it
    assert {state for state, _ in _states(cast.session, deadline)} == {ObligationState.OPEN}


def test_a_far_first_day_of_one_that_does_not_follow_is_made_at_once(cast: Cast, town: dict[str, Project]) -> None:
    deadline = _once(cast, [], first_on=date(2031, 12, 31), follows=False)
    cast.a_project(cast.an_organization("Melzo"))

    keep_obligations(cast.session, cast.now)

    assert _owing(cast.session, deadline) == {project.id for project in town.values()}


def test_an_obligation_is_counted_for_the_body_that_carries_its_project_out_now(
    cast: Cast, town: dict[str, Project]
) -> None:
    deadline = _once(cast, [Line(TargetKind.PROJECT, town["road"].id)])
    rho = town["school"].implementing_body_id
    town["road"].implementing_body_id = rho
    cast.session.flush()

    keep_obligations(cast.session, cast.now)

    counted = select(Obligation.body_id).where(Obligation.deadline_id == deadline.id)
    assert cast.session.exec(counted).all() == [rho]
