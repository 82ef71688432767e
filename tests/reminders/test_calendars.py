"""What stands in a calendar that programs read: all that is somebody's, what became of it, and nobody else's."""

from datetime import date, timedelta
from typing import Any

import pytest

from delivery.calendar_feed import Entry, Standing
from delivery.links import Links
from facts.languages import Language
from intake.builtin import ensure_builtin_forms
from reminders.calendars import KEPT, calendar_of, calendar_of_staff
from reminders.deadlines import waive
from storage.tables import (
    Deadline,
    GroupMember,
    LocalRole,
    MunicipalityGroup,
    Obligation,
    ObligationState,
    Project,
    Referent,
    Role,
)
from tests.cast import Cast

LINKS = Links(base_url="https://raccordo.example.org")
DUE = date(2026, 12, 10)


def an_obligation(cast: Cast, project: Project, on: date = DUE, **other: Any) -> Obligation:
    deadline = cast.a_deadline(ensure_builtin_forms(cast.session, cast.now), on, "Monitoraggio")
    row = cast.an_obligation(deadline, project, on, cast.now + timedelta(days=16))
    for name, value in other.items():
        setattr(row, name, value)
    cast.add(row)
    return row


def adas(cast: Cast) -> tuple[Referent, Project]:
    place = cast.an_organization()
    project = cast.a_project(place)
    return cast.a_referent("Ada Esempio", place, (project,)), project


def entries(cast: Cast, ada: Referent) -> tuple[Entry, ...]:
    return calendar_of(cast.session, ada, cast.now).entries


def test_a_referent_reads_what_is_theirs_and_nothing_of_others(cast: Cast) -> None:
    ada, project = adas(cast)
    town = cast.an_organization("Corbetta")
    carla = cast.a_referent("Carla Esempio", town)
    own = an_obligation(cast, project)

    (entry,) = entries(cast, ada)

    assert (entry.name, entry.title, entry.on) == (f"obligation-{own.id}", "Monitoraggio: Ex mercato", DUE)
    assert entry.about.startswith(f"CUP {project.cup}\n")
    assert (entry.standing, entry.sequence, entry.link) == (Standing.OPEN, 0, "")
    assert entries(cast, carla) == ()


def test_what_an_organisation_owes_is_its_members(cast: Cast) -> None:
    place = cast.an_organization()
    bruno = cast.a_referent("Bruno Esempio", place)
    deadline = cast.a_deadline(ensure_builtin_forms(cast.session, cast.now), DUE, "Piano")
    cast.an_obligation(deadline, place, DUE, cast.now)

    assert [one.title for one in entries(cast, bruno)] == ["Piano: Abbiategrasso"]


@pytest.mark.parametrize(
    ("state", "title", "standing"),
    [
        (ObligationState.SENT, "Inviato: Monitoraggio: Ex mercato", Standing.DONE),
        (ObligationState.DONE, "Fatto: Monitoraggio: Ex mercato", Standing.DONE),
        (ObligationState.WAIVED, "Non serve più: Monitoraggio: Ex mercato", Standing.OVER),
    ],
)
def test_it_says_what_became_of_it(cast: Cast, state: ObligationState, title: str, standing: Standing) -> None:
    ada, project = adas(cast)
    an_obligation(cast, project, state=state)

    (entry,) = entries(cast, ada)

    assert (entry.title, entry.standing) == (title, standing)


def test_what_is_over_stays_sixty_days_and_what_is_awaited_for_ever(cast: Cast) -> None:
    ada, project = adas(cast)
    today = cast.now.date()
    for days in (KEPT.days, KEPT.days + 1):
        for state in (ObligationState.DONE, ObligationState.OPEN):
            an_obligation(cast, project, today - timedelta(days=days), state=state)

    kept = {((today - one.on).days, one.standing) for one in entries(cast, ada)}

    assert kept == {(60, Standing.DONE), (60, Standing.OPEN), (61, Standing.OPEN)}


def test_each_change_raises_the_sequence(cast: Cast) -> None:
    ada, project = adas(cast)
    own = an_obligation(cast, project)

    waive(cast.session, own.id, "Non serve", None, cast.now)
    cast.session.refresh(own)

    assert [one.sequence for one in entries(cast, ada)] == [1]


def test_it_speaks_the_language_of_its_reader(cast: Cast) -> None:
    ada, project = adas(cast)
    ada.language = Language.EN
    an_obligation(cast, project, state=ObligationState.DONE)

    feed = calendar_of(cast.session, ada, cast.now)

    assert feed.name == "Deadlines of Raccordo"
    assert feed.entries[0].title == "Done: Monitoraggio: Ex mercato"


# --- those of the office


def of_office(cast: Cast, staff: Any, *, mine: bool = False) -> list[tuple[str, date, Standing]]:
    feed = calendar_of_staff(cast.session, staff, LINKS, cast.now, mine=mine)
    return [(one.title, one.on, one.standing) for one in feed.entries]


def test_one_of_us_reads_each_day_once_with_how_much_is_awaited(cast: Cast) -> None:
    _, project = adas(cast)
    olga = cast.a_staff()
    first = an_obligation(cast, project)
    other = cast.a_project(cast.an_organization("Corbetta"))
    deadline = cast.session.get_one(Deadline, first.deadline_id)
    done = cast.an_obligation(deadline, other, DUE, cast.now)
    done.state = ObligationState.DONE
    cast.add(done)

    (entry,) = calendar_of_staff(cast.session, olga, LINKS, cast.now).entries

    assert (entry.title, entry.on, entry.standing) == ("Monitoraggio", DUE, Standing.OPEN)
    assert entry.about == "Da ricevere: 1. Fatti: 1. Non più richiesti: 0."
    assert entry.link == f"https://raccordo.example.org/desk/deadlines/{deadline.id}"


def test_a_day_of_which_all_is_in_is_done_and_one_nobody_wants_is_over(cast: Cast) -> None:
    _, project = adas(cast)
    an_obligation(cast, project, DUE, state=ObligationState.DONE)
    an_obligation(cast, project, DUE + timedelta(days=1), state=ObligationState.WAIVED)

    assert of_office(cast, cast.a_staff()) == [
        ("Non serve più: Monitoraggio", DUE + timedelta(days=1), Standing.OVER),
        ("Fatto: Monitoraggio", DUE, Standing.DONE),
    ]


def test_mine_are_those_i_follow_and_those_of_my_groups(cast: Cast) -> None:
    _, project = adas(cast)
    vera, rita = cast.a_staff("Vera", Role.VOLUNTEER), cast.a_staff("Rita", Role.READER)
    group = cast.add(MunicipalityGroup(name="Altomilanese", created_at=cast.now))
    place = project.implementing_body_id
    assert place is not None
    cast.add(GroupMember(group_id=group.id, organization_id=place))
    for person, role in ((vera, Role.OFFICER), (rita, Role.READER)):
        cast.add(LocalRole(staff_id=person.id, role=role, group_id=group.id, created_at=cast.now))
    an_obligation(cast, project)
    elsewhere = an_obligation(cast, cast.a_project(cast.an_organization("Corbetta")), DUE + timedelta(days=1))
    follower = cast.a_staff("Ugo")
    deadline = cast.session.get_one(Deadline, elsewhere.deadline_id)
    deadline.officer_id = follower.id
    cast.add(deadline)

    assert [one[1] for one in of_office(cast, vera, mine=True)] == [DUE]
    assert [one[1] for one in of_office(cast, follower, mine=True)] == [DUE + timedelta(days=1)]
    assert of_office(cast, rita, mine=True) == []
    assert len(of_office(cast, rita)) == 2
