"""Finding projects and organisations as people write them."""

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import Session

from facts.languages import Language, speaking
from registry.measures import Untitled, short_amount, working_titles
from registry.report import MOST_ERRORS, ImportReport
from storage.projects import (
    ProjectFilter,
    find_organization,
    follow,
    likely_organization,
    project_places,
    projects_page,
    search_projects,
)
from storage.tables import Channel, ObligationState, Place, Project, Update
from tests.cast import Cast


@pytest.fixture
def projects(cast: Cast) -> list[Project]:
    """Two in Cassano d'Adda (one of them also in Rho), one in Rho."""
    cassano, rho = cast.an_organization("Cassano d'Adda", "015059"), cast.an_organization("Rho", "015182")
    programme = cast.a_programme()
    made = [
        cast.a_project(cassano, programme, "Città dei bambini"),
        cast.a_project(cassano, programme, "Ex filanda"),
        cast.a_project(rho, cast.a_programme(), "Ex mercato"),
    ]
    cast.add(Place(project_id=made[1].id, organization_id=rho.id, address="Via Verdi"))
    return made


def test_projects_are_found_by_words_of_title_municipality_and_cup(session: Session, projects: list[Project]) -> None:
    def found(text: str) -> list[str]:
        return [project.title for project in search_projects(session, text)]

    assert found("CITTA") == ["Città dei bambini"]
    assert found("cassano d’adda") == ["Città dei bambini", "Ex filanda"]
    assert found("rho ex") == ["Ex filanda", "Ex mercato"]
    assert found(projects[2].cup[3:].lower()) == ["Ex mercato"]
    assert found("filanda bambini") == []
    assert [project.title for project in search_projects(session, "ex", limit=1)] == ["Ex filanda"]


def test_each_municipality_of_a_project_is_named_once(session: Session, cast: Cast, projects: list[Project]) -> None:
    rho = find_organization(session, "Rho")
    assert rho is not None
    cast.add(Place(project_id=projects[1].id, organization_id=rho.id, address="Via Nuova"))

    places = project_places(session, [projects[1].id, 9_999])

    assert places == {projects[1].id: ["Cassano d'Adda", "Rho"], 9_999: []}


def test_an_organisation_is_found_by_name_or_code_and_a_likely_one_suggested(
    session: Session, projects: list[Project]
) -> None:
    for text in ("Comune di Cassano d'Adda", "CASSANO D’ADDA", "015059", "15059"):
        found = find_organization(session, text)
        assert found is not None
        assert found.name == "Cassano d'Adda"
    assert find_organization(session, "Cassano") is None
    assert find_organization(session, " ") is None
    likely = likely_organization(session, "Casano dAdda")
    assert likely is not None
    assert likely.name == "Cassano d'Adda"


def test_the_desks_page_filters_counts_and_shows_what_is_owed(
    session: Session, cast: Cast, now: datetime, projects: list[Project]
) -> None:
    form = cast.a_form()
    deadline = cast.a_deadline(form, date(2026, 12, 10))
    cast.an_obligation(deadline, projects[1], date(2026, 12, 10), now)
    cast.an_obligation(deadline, projects[1], date(2027, 12, 10), now)
    cast.an_obligation(deadline, projects[1], date(2026, 11, 10), now).state = ObligationState.DONE
    for days in (3, 1):
        update = Update(project_id=projects[1].id, form_version_id=form.id, channel=Channel.WEB, received_at=now)
        update.received_at = now - timedelta(days=days)
        cast.add(update)
    rho = find_organization(session, "Rho")
    assert rho is not None

    page = projects_page(session, ProjectFilter(organization_id=rho.id), today=now.date(), limit=1)

    line = page.lines[0]
    assert (page.total, line.title, line.places) == (2, "Ex filanda", ("Cassano d'Adda", "Rho"))
    assert (line.last_update_at, line.open_obligations) == (now - timedelta(days=1), 1)
    programme = ProjectFilter(programme_id=projects[2].programme_id)
    assert [each.title for each in projects_page(session, programme, today=now.date()).lines] == ["Ex mercato"]
    text = ProjectFilter(text="ex rho", programme_id=projects[0].programme_id)
    assert [each.title for each in projects_page(session, text, today=now.date()).lines] == ["Ex filanda"]
    assert projects_page(session, ProjectFilter(), today=now.date(), offset=2).total == 3


def test_following_again_keeps_the_first_day(
    session: Session, cast: Cast, now: datetime, projects: list[Project]
) -> None:
    ada = cast.a_referent(projects=(projects[0],))

    assert follow(session, ada.id, [projects[0].id, projects[1].id, projects[1].id], now) == 1
    assert follow(session, ada.id, [projects[0].id, projects[1].id], now) == 0


@pytest.mark.parametrize(
    ("cents", "shown"),
    [
        (0, "0 €"),
        (99_949, "999 €"),
        (99_950, "1 mila €"),
        (15_000_000, "150 mila €"),
        (99_949_949, "999 mila €"),
        (99_950_000, "1 mln €"),
        (250_000_000, "2,5 mln €"),
        (1_211_206_220, "12,11 mln €"),
    ],
)
def test_an_amount_is_told_at_a_glance(cents: int, shown: str) -> None:
    assert short_amount(cents) == shown


def test_working_titles_are_told_apart_by_address_amount_and_code() -> None:
    def untitled(cup: str, address: str = "", cents: int = 100_000, local: str = "L") -> Untitled:
        return Untitled(cup, local, "PINQuA", ("Rho",), address, cents)

    alone = working_titles([untitled("C47H21001030001")], taken=())
    several = working_titles(
        [
            untitled("C47H21001030001", "*PIAZZA TRENTO E TRIESTE"),
            untitled("C47H21001030001"),
            untitled("C47H21001030002"),
            untitled("C47H21001030003", cents=500_000),
            untitled("C47H21001030003", cents=600_000, local="A"),
            untitled("C47H21001030003", cents=600_000, local="B"),
        ],
        taken=(),
    )

    assert alone == ["PINQuA, Rho"]
    assert several == [
        "PINQuA, Rho, Piazza Trento e Trieste",
        "PINQuA, Rho (1 mila €, CUP …1030001)",
        "PINQuA, Rho (1 mila €, CUP …1030002)",
        "PINQuA, Rho (5 mila €)",
        "PINQuA, Rho (6 mila €, CUP …1030003, A)",
        "PINQuA, Rho (6 mila €, CUP …1030003, B)",
    ]


def test_a_title_already_taken_is_not_given_again() -> None:
    new = Untitled("C47H21001030001", "L", "PINQuA", ("Rho",), "", 100_000)

    assert working_titles([new], taken=("PINQuA, Rho",)) == ["PINQuA, Rho (1 mila €)"]


def test_a_report_says_its_errors_in_the_readers_language_and_keeps_them_bounded() -> None:
    report = ImportReport()
    for row in range(MOST_ERRORS + 5):
        report.refuse(row, "CUP", "No project has the CUP {cup}.", cup="X")

    assert report.errors[2].say(speaking(Language.IT)) == "Riga 2, CUP: Nessun progetto ha il CUP X."
    assert (len(report.errors), report.more_errors, report.ok) == (MOST_ERRORS, 5, False)
