"""The projects: the list, and one with everything around it."""

from datetime import date, timedelta

import pytest

from storage.tables import Project
from tests.desk.conftest import Desk
from tests.desk.test_updates import FIRST, a_followed_project, report


async def test_without_projects_the_page_says_who_brings_them(desk: Desk) -> None:
    assert "raccordo import projects" in (await desk.browser("Rita").get("/desk/projects")).text


async def test_long_lists_have_pages(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        organization, programme = cast.an_organization(), cast.a_programme()
        for number in range(60):
            cast.a_project(organization, programme, title=f"Progetto {number:02}")

    first = (await desk.browser("Rita").get("/desk/projects")).text
    second = (await desk.browser("Rita").get("/desk/projects?page=2")).text

    assert "60 progetti" in first
    assert "Progetto 00" in first
    assert "Progetto 59" not in first
    assert "Progetto 59" in second


@pytest.mark.parametrize(("q", "shown"), [("mercato", True), ("ABBIATEGRASSO", True), ("piscina", False)])
async def test_a_project_is_found_by_title_or_municipality(desk: Desk, q: str, shown: bool) -> None:
    project, _ = a_followed_project(desk)

    page = (await desk.browser("Rita").get("/desk/projects", params={"q": q})).text

    assert (f'/desk/projects/{project}"' in page) is shown


async def test_a_project_is_found_by_its_cup(desk: Desk) -> None:
    project, _ = a_followed_project(desk)
    with desk.house.database.read() as session:
        cup = session.get_one(Project, project).cup

    assert f'/desk/projects/{project}"' in (await desk.browser("Rita").get(f"/desk/projects?q={cup}")).text


async def test_the_list_is_narrowed_to_a_programme(desk: Desk) -> None:
    mine, _ = a_followed_project(desk)
    other, _ = a_followed_project(desk, "Cascina")
    with desk.house.database.read() as session:
        programme = session.get_one(Project, mine).programme_id

    page = (await desk.browser("Rita").get(f"/desk/projects?q=&programme={programme}")).text

    assert f'/desk/projects/{mine}"' in page
    assert f'/desk/projects/{other}"' not in page


@pytest.mark.parametrize("programme", ["", "x", "99999999999999999999"])
async def test_a_nonsense_programme_is_all_of_them(desk: Desk, programme: str) -> None:
    project, _ = a_followed_project(desk)

    assert (
        f'/desk/projects/{project}"' in (await desk.browser("Rita").get(f"/desk/projects?programme={programme}")).text
    )


async def test_a_project_shows_where_it_stands_and_who_follows_it(desk: Desk) -> None:
    project, ada = a_followed_project(desk)
    update = report(desk, project, ada, FIRST)
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        form = cast.a_form("other")
        due = (cast.now - timedelta(days=3)).date()
        deadline = cast.a_deadline(form, due, "Rendicontazione")
        obligation = cast.an_obligation(deadline, session.get_one(Project, project), due, cast.now).id
        referent = cast.a_referent("Bruno Esempio")
        question = cast.a_question(referent, "Quando?", project_id=project).id

    page = (await desk.browser("Rita").get(f"/desk/projects/{project}")).text

    assert "40%" in page
    assert "400.000,00\xa0€" in page
    assert "30 giu 2027" in page
    assert f"/desk/referents/{ada}" in page
    assert f"/desk/updates/{update}" in page
    assert f"/obligations/{obligation}" in page
    assert "In ritardo" in page
    assert f"/desk/questions/{question}" in page


async def test_a_project_that_nobody_follows_says_so(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        project = cast.a_project(cast.an_organization("Cassina de' Pecchi"), expected_end=date(2027, 1, 1)).id

    page = (await desk.browser("Rita").get(f"/desk/projects/{project}")).text

    assert "nessuno riceve promemoria" in page
    assert "/desk/referents/new?organization=Cassina%20de%27%20Pecchi" in page


async def test_an_unknown_project_is_not_there(desk: Desk) -> None:
    assert (await desk.browser("Rita").get("/desk/projects/9999")).status_code == 404


@pytest.mark.parametrize("url", ["/desk/projects", "/desk/projects/1"])
async def test_carla_who_has_no_account_sees_no_project(desk: Desk, url: str) -> None:
    assert (await desk.browser().get(url)).status_code == 303
