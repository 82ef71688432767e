"""Which form a deadline asks, and in which version: chosen with it, shown beside it, changed later."""

import re

import pytest

from intake.publishing import retire
from storage.forms import form_with, version_numbered
from storage.tables import Subject
from tests.desk.conftest import Desk
from tests.desk.forms import changed, published
from tests.desk.test_deadlines_pages import NEW, a_deadline, furnish, made, press


async def test_who_owes_it_follows_from_the_form(desk: Desk) -> None:
    wish = furnish(desk)
    with desk.house.database.read() as session:
        need = form_with(session, "local-need")
        assert need is not None

    checked = (await press(desk, "Olga", wish | {"form_id": str(need.id)}))[1]
    await press(desk, "Olga", wish | {"form_id": str(need.id), "step": "create"})

    assert "Fabbisogno, sempre la versione più recente" in checked
    assert "Ogni ente" in checked
    assert [one.subject for one in made(desk)] == [Subject.ORGANIZATION]


async def test_the_choice_says_for_whom_each_form_is_and_leaves_out_retired_ones(desk: Desk) -> None:
    furnish(desk)
    with desk.house.database.write() as session:
        event = form_with(session, "event-registration")
        assert event is not None
        retire(session, event, by=desk.people["Olga"], now=desk.house.clock())

    page = (await desk.browser("Olga").get(NEW, params={"template": "blank"})).text

    assert "Aggiornamento progetto, da ogni progetto" in page
    assert "Fabbisogno, da ogni ente" in page
    assert "Iscrizione" not in page


async def test_a_deadline_keeps_to_the_version_that_was_chosen(desk: Desk) -> None:
    wish = furnish(desk) | {"form_version": "1"}
    with desk.house.database.read() as session:
        first = version_numbered(session, int(wish["form_id"]), 1)
        assert first is not None
    await published(desk.browser("Olga"), changed())

    checked = (await press(desk, "Olga", wish))[1]
    await press(desk, "Olga", wish | {"step": "create"})

    assert "Aggiornamento progetto, sempre la versione 1" in checked
    (deadline,) = made(desk)
    assert deadline.form_version_id == first.id
    page = (await desk.browser("Rita").get(f"/desk/deadlines/{deadline.id}")).text
    assert re.search(rf'href="/desk/forms/{wish["form_id"]}">Aggiornamento progetto</a>, sempre la versione 1<', page)


@pytest.mark.parametrize(
    ("number", "said"), [("7", "non ha una versione 7"), ("0", "da 1 a 9999"), ("ultima", "da 1 a 9999")]
)
async def test_a_version_that_is_not_there_is_said_beside_its_field(desk: Desk, number: str, said: str) -> None:
    status, text = await press(desk, "Olga", furnish(desk) | {"form_version": number, "step": "create"})

    error = re.search(r'id="e-form_version">(.+?)</p>', text)
    assert status == 422
    assert error is not None
    assert said in error[1]
    assert made(desk) == []


async def test_which_version_is_asked_can_be_changed(desk: Desk) -> None:
    deadline = a_deadline(desk, days=3)
    olga, url = desk.browser("Olga"), f"/desk/deadlines/{deadline}/version"
    await published(olga, changed())
    asked = (await olga.get(url)).text

    fixed = await olga.send_form(url, page=url, revision="1", number="1")
    said = (await olga.get(f"/desk/deadlines/{deadline}")).text
    late = await olga.send_form(url, page=url, revision="1", number="2")
    told = (await olga.get(f"/desk/deadlines/{deadline}")).text
    newest = await olga.send_form(url, page=url, revision="2", number="")

    assert "Sempre la più recente: oggi è la 2" in asked
    assert [one.status_code for one in (fixed, late, newest)] == [303, 303, 303]
    assert "sempre la versione 1" in said
    assert "sempre la versione 1" in told
    assert "stato più veloce" in told
    assert made(desk)[0].form_version_id is None


@pytest.mark.parametrize("number", ["7", "0", "uno", str(2**40)])
async def test_a_version_that_is_not_there_is_not_chosen(desk: Desk, number: str) -> None:
    url = f"/desk/deadlines/{a_deadline(desk, days=3)}/version"

    answer = await desk.browser("Olga").send_form(url, page=url, revision="1", number=number)

    assert answer.status_code == 422
    assert made(desk)[0].version == 1


async def test_a_stopped_deadline_has_no_version_to_choose(desk: Desk) -> None:
    deadline = a_deadline(desk, days=3)
    olga, url = desk.browser("Olga"), f"/desk/deadlines/{deadline}"
    await olga.send_form(f"{url}/stop", page=f"{url}/stop", reason="Basta")

    assert (await olga.get(f"{url}/version")).headers["location"] == url
    assert "/version" not in (await olga.get(url)).text
