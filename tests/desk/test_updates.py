"""The updates received: the list, and one beside the one before."""

from datetime import timedelta
from typing import Any

import pytest

from app.mark_keeping import renew_all
from intake.builtin import ensure_builtin_forms
from intake.catalogue import Catalogue
from intake.corrections import Edited, correct_update
from intake.updates import Concern, record_update
from storage.tables import Attachment, Channel, FileKind, Update
from tests.desk.conftest import Desk

FIRST = {
    "phase": "03005",
    "progress": "40.0",
    "spent": "400000",
    "expected_end": "2027-06-30",
    "problems": "no",
    "notes": "",
}
SECOND = FIRST | {"progress": "45.5", "problems": "yes", "problem": "<b>Manca</b> un parere"}


def a_followed_project(desk: Desk, title: str = "Ex mercato") -> tuple[int, int]:
    """Project and referent."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        organization = cast.an_organization()
        project = cast.a_project(organization, title=title)
        return project.id, cast.a_referent("Ada Esempio", organization, (project,)).id


def report(desk: Desk, project_id: int, referent_id: int, answers: dict[str, Any], **other: Any) -> int:
    with desk.house.database.write() as session:
        version = ensure_builtin_forms(session, desk.house.clock())
        arrival: dict[str, Any] = {"channel": Channel.TELEGRAM, "now": desk.house.clock()} | other
        return record_update(
            session,
            referent_id=referent_id,
            about=Concern(project_id),
            form=Catalogue().version(session, version.id),
            answers=answers,
            **arrival,
        ).id


async def test_without_updates_the_page_says_what_to_do(desk: Desk) -> None:
    page = (await desk.browser("Rita").get("/desk/updates")).text

    assert "Ancora nessun aggiornamento" in page
    assert 'href="/desk/referents"' in page


async def test_the_newest_update_is_first(desk: Desk) -> None:
    project, ada = a_followed_project(desk)
    old = report(desk, project, ada, FIRST, now=desk.house.clock() - timedelta(days=30))
    new = report(desk, project, ada, SECOND)

    page = (await desk.browser("Rita").get("/desk/updates")).text

    assert page.index(f"/desk/updates/{new}") < page.index(f"/desk/updates/{old}")
    assert "45,5" in page


@pytest.mark.parametrize(("q", "shown"), [("MERCATO", True), ("abbiate", True), ("lago", False)])
async def test_the_list_is_narrowed_by_title_or_municipality(desk: Desk, q: str, shown: bool) -> None:
    project, ada = a_followed_project(desk, "Ex mercato")
    number = report(desk, project, ada, FIRST)

    renew_all(desk.house.database)
    page = (await desk.browser("Rita").get("/desk/updates", params={"q": q})).text

    assert (f"/desk/updates/{number}" in page) is shown
    assert ("Nessun aggiornamento trovato" in page) is not shown


async def test_one_project_has_its_own_list(desk: Desk) -> None:
    project, ada = a_followed_project(desk)
    other, bruno = a_followed_project(desk, "Cascina")
    mine, foreign = report(desk, project, ada, FIRST), report(desk, other, bruno, FIRST)

    page = (await desk.browser("Rita").get(f"/desk/updates?project={project}")).text

    assert f"/desk/updates/{mine}" in page
    assert f"/desk/updates/{foreign}" not in page


async def test_an_update_shows_what_was_and_what_is(desk: Desk) -> None:
    project, ada = a_followed_project(desk)
    report(desk, project, ada, FIRST)
    number = report(desk, project, ada, SECOND)

    page = (await desk.browser("Rita").get(f"/desk/updates/{number}")).text

    assert "Era 40%" in page
    assert "45,5%" in page
    assert page.count("Come prima") == 4
    assert page.index("Fase") < page.index("Avanzamento fisico") < page.index("Problemi")


async def test_what_a_referent_wrote_is_only_text(desk: Desk) -> None:
    project, ada = a_followed_project(desk)
    number = report(desk, project, ada, SECOND)

    page = (await desk.browser("Rita").get(f"/desk/updates/{number}")).text

    assert "&lt;b&gt;Manca&lt;/b&gt; un parere" in page


async def test_an_answer_of_another_form_version_is_shown_as_it_is(desk: Desk) -> None:
    project, ada = a_followed_project(desk)
    number = report(desk, project, ada, FIRST | {"phase": "99999", "colour": "verde"})

    page = (await desk.browser("Rita").get(f"/desk/updates/{number}")).text

    assert "99999" in page
    assert "verde" in page


async def test_the_update_of_an_erased_person_is_still_there(desk: Desk) -> None:
    project, ada = a_followed_project(desk)
    number = report(desk, project, ada, FIRST)
    with desk.house.database.write() as session:
        row = session.get_one(Update, number)
        row.referent_id = None
        session.add(row)

    page = await desk.browser("Rita").get(f"/desk/updates/{number}")

    assert page.status_code == 200
    assert "Una persona che non c" in page.text


@pytest.mark.parametrize("url", ["/desk/updates/9999", "/desk/updates?project=9999", "/desk/updates/x"])
async def test_what_is_not_there_is_said_kindly(desk: Desk, url: str) -> None:
    assert (await desk.browser("Rita").get(url)).status_code == 404


@pytest.mark.parametrize("url", ["/desk/updates", "/desk/updates/1"])
async def test_carla_who_has_no_account_sees_no_update(desk: Desk, url: str) -> None:
    answer = await desk.browser().get(url)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/desk/sign-in")


async def test_a_correction_and_the_files_stand_beside_what_was_received(desk: Desk) -> None:
    project, ada = a_followed_project(desk)
    number, other = report(desk, project, ada, FIRST), report(desk, project, ada, SECOND)
    with desk.house.database.write() as session:
        now = desk.house.clock()
        correct_update(session, session.get_one(Update, number), "progress", Edited("40", "<b>44</b>"), now=now)
        session.add(
            Attachment(
                kind=FileKind.LOCATION,
                size=0,
                name="posizione",
                detail={"latitude": 45.4, "longitude": 8.9, "title": "Ex mercato"},
                update_id=number,
                created_at=now,
            )
        )
    rita = desk.browser("Rita")

    page = (await rita.get(f"/desk/updates/{number}")).text
    listed = (await rita.get("/desk/updates")).text

    assert "&lt;b&gt;44&lt;/b&gt;" in page
    assert "resta com&#39;è arrivato" in page or "resta com'è arrivato" in page
    assert "openstreetmap.org/?mlat=45.4" in page
    assert "Correzioni" not in (await rita.get(f"/desk/updates/{other}")).text
    assert listed.count("Corretto") == 1
