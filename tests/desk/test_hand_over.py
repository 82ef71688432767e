"""At the desk: somebody leaves, and a colleague or somebody new takes over."""

from dataclasses import dataclass

import pytest
from sqlmodel import select

from storage.people import projects_of
from storage.tables import Referent
from tests.desk.conftest import Desk


@dataclass
class Town:
    ada: int
    bruno: int
    carla: int
    place: int
    market: int
    park: int

    @property
    def page(self) -> str:
        return f"/desk/referents/{self.ada}/hand-over"


@pytest.fixture
def town(desk: Desk) -> Town:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        place, corsico = cast.an_organization(), cast.an_organization("Corsico")
        market, park = cast.a_project(place), cast.a_project(corsico, title="Parco")
        ada = cast.a_referent("Ada Esempio", place, (market,), chat=11, email="ada@example.org")
        bruno = cast.a_referent("Bruno Esempio", place, (), chat=12)
        carla = cast.a_referent("Carla Esempio", corsico, (park,), chat=13)
        cast.a_question(ada, project_id=market.id)
        return Town(ada.id, bruno.id, carla.id, place.id, market.id, park.id)


def gone(desk: Desk, town: Town) -> bool:
    with desk.house.database.read() as session:
        return session.get_one(Referent, town.ada).left_at is not None


async def test_it_is_shown_first_and_done_only_with_the_box_ticked(desk: Desk, town: Town) -> None:
    olga = desk.browser("Olga")
    chosen = {"successor": town.bruno, "organization": town.place, "project": town.market}

    form = (await olga.get(town.page)).text
    shown = await olga.send_form(town.page, page=town.page, step="check", **chosen)
    unsure = await olga.send_form(town.page, page=town.page, step="save", **chosen)

    assert "Bruno Esempio" in form
    assert "Carla Esempio" not in form
    assert "Passare le consegne a Bruno Esempio?" in shown.text
    assert "Ex mercato" in shown.text
    assert "Domanda 1" in shown.text
    assert unsure.status_code == 422
    assert "Prima spunta la casella" in unsure.text
    assert not gone(desk, town)

    done = await olga.send_form(town.page, page=town.page, step="save", sure="1", **chosen)

    assert done.headers["location"] == f"/desk/referents/{town.bruno}"
    assert gone(desk, town)
    page = (await olga.get(f"/desk/referents/{town.ada}")).text
    assert "Non è più un referente dal" in page
    assert f'href="/desk/referents/{town.bruno}"' in page
    assert "hand-over" not in page
    assert "/invite" not in page
    assert (await olga.get(town.page)).status_code == 404
    invite = f"/desk/referents/{town.ada}/invite"
    assert (await olga.send_form(invite, page="/desk/referents/new")).status_code == 404
    assert "Ada Esempio" not in (await olga.get("/desk/referents")).text


async def test_somebody_new_takes_over(desk: Desk, town: Town) -> None:
    fields = {"successor": "new", "name": "Dora Nuova", "email": "dora@example.org", "organization": town.place}

    done = await desk.browser("Olga").send_form(
        town.page, page=town.page, step="save", sure="1", project=town.market, **fields
    )

    assert done.status_code == 303
    with desk.house.database.read() as session:
        dora = session.exec(select(Referent).where(Referent.name == "Dora Nuova")).one()
        assert [one.title for one in projects_of(session, dora.id)] == ["Ex mercato"]


async def test_what_is_missing_is_said_beside_its_field(desk: Desk, town: Town) -> None:
    olga = desk.browser("Olga")

    answer = await olga.send_form(town.page, page=town.page, successor="new", name="Dora", organization=town.place)

    assert answer.status_code == 422
    assert 'id="e-email"' in answer.text
    assert 'value="Dora"' in answer.text


async def test_foreign_things_are_not_there(desk: Desk, town: Town) -> None:
    olga = desk.browser("Olga")
    foreign = {"successor": town.bruno, "project": town.park, "step": "save", "sure": "1"}

    assert (await olga.send_form(town.page, page=town.page, **foreign)).status_code == 404
    assert (await olga.send_form(town.page, page=town.page, successor="nobody")).status_code == 404
    stranger = await olga.send_form(town.page, page=town.page, successor=town.carla, project=town.market)
    assert stranger.status_code == 422
    assert (await olga.get("/desk/referents/999/hand-over")).status_code == 404
    assert not gone(desk, town)


@pytest.mark.parametrize("who", ["Vera", "Rita"])
async def test_it_is_not_for_everybody(desk: Desk, town: Town, who: str) -> None:
    browser = desk.browser(who)

    assert "hand-over" not in (await browser.get(f"/desk/referents/{town.ada}")).text
    assert (await browser.get(town.page)).status_code == 403
    sent = await browser.send_form(town.page, page="/desk/questions", successor=town.bruno, step="save", sure="1")
    assert sent.status_code == 403
    assert not gone(desk, town)
