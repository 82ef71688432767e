"""At the desk: who is registered twice is found, compared and made one."""

from dataclasses import dataclass

import pytest

from storage.people import projects_of
from storage.tables import Referent
from tests.desk.conftest import Desk


@dataclass
class Twice:
    old: int
    new: int
    carla: int

    @property
    def page(self) -> str:
        return f"/desk/referents/{self.old}/merge"

    @property
    def compared(self) -> str:
        return f"{self.page}?other={self.new}"


@pytest.fixture
def twice(desk: Desk) -> Twice:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        place, corsico = cast.an_organization(), cast.an_organization("Corsico")
        market, library = cast.a_project(place), cast.a_project(place, title="Biblioteca")
        old = cast.a_referent("Ada Esempio", place, (market,), chat=11, email="ada@example.org")
        new = cast.a_referent("Ada Esempio", place, (library,), chat=12)
        carla = cast.a_referent("Carla Esempio", corsico, ())
        return Twice(old.id, new.id, carla.id)


def merged_into(desk: Desk, referent_id: int) -> int | None:
    with desk.house.database.read() as session:
        return session.get_one(Referent, referent_id).merged_into_id


async def test_likely_pairs_lead_to_the_comparison(desk: Desk, twice: Twice) -> None:
    olga = desk.browser("Olga")

    listed = (await olga.get("/desk/referents/duplicates")).text
    compared = (await olga.get(twice.compared)).text

    assert f'href="{twice.compared}"' in listed
    assert "Carla Esempio" not in listed
    assert "Ex mercato" in compared
    assert "Biblioteca" in compared
    assert "Entrambe le schede hanno una chat" in compared
    assert 'href="/desk/referents/duplicates"' in (await olga.get("/desk/referents")).text


async def test_two_become_one_only_with_the_box_ticked(desk: Desk, twice: Twice) -> None:
    olga = desk.browser("Olga")
    chosen = {"other": twice.new, "stays": twice.new}

    unsure = await olga.send_form(twice.page, page=twice.compared, **chosen)
    undecided = await olga.send_form(twice.page, page=twice.compared, other=twice.new, sure="1")

    assert (unsure.status_code, undecided.status_code) == (422, 422)
    assert "spunta la casella" in unsure.text
    assert merged_into(desk, twice.old) is None

    done = await olga.send_form(twice.page, page=twice.compared, sure="1", **chosen)

    assert done.headers["location"] == f"/desk/referents/{twice.new}"
    assert merged_into(desk, twice.old) == twice.new
    with desk.house.database.read() as session:
        assert [one.title for one in projects_of(session, twice.new)] == ["Biblioteca", "Ex mercato"]
    old = (await olga.get(f"/desk/referents/{twice.old}")).text
    assert "era registrata due volte" in old
    assert f'href="/desk/referents/{twice.new}"' in old
    assert (await olga.get(twice.page)).status_code == 404
    assert (await olga.get(f"/desk/referents/{twice.new}/merge?other={twice.old}")).status_code == 404


async def test_the_other_page_can_stay(desk: Desk, twice: Twice) -> None:
    olga = desk.browser("Olga")

    await olga.send_form(twice.page, page=twice.compared, sure="1", other=twice.new, stays=twice.old)

    assert merged_into(desk, twice.new) == twice.old
    assert merged_into(desk, twice.old) is None


async def test_whom_to_compare_with_is_searched(desk: Desk, twice: Twice) -> None:
    olga = desk.browser("Olga")

    same_name = (await olga.get(twice.page)).text
    by_name = (await olga.get(f"{twice.page}?q=carla")).text

    assert f'href="{twice.compared}"' in same_name
    assert f'href="{twice.page}?other={twice.carla}"' in by_name
    assert f'href="{twice.page}?other={twice.old}"' not in same_name  # not with themselves


async def test_others_and_themselves_are_not_there(desk: Desk, twice: Twice) -> None:
    olga = desk.browser("Olga")

    for other in (twice.old, 999, "nobody"):
        assert (await olga.get(f"{twice.page}?other={other}")).status_code == 404
    third = {"other": twice.new, "stays": twice.carla, "sure": "1"}
    assert (await olga.send_form(twice.page, page=twice.compared, **third)).status_code == 404
    itself = {"other": twice.old, "stays": twice.old, "sure": "1"}
    assert (await olga.send_form(twice.page, page=twice.compared, **itself)).status_code == 404
    assert merged_into(desk, twice.old) is None


@pytest.mark.parametrize("who", ["Vera", "Rita"])
async def test_it_is_not_for_everybody(desk: Desk, twice: Twice, who: str) -> None:
    browser = desk.browser(who)

    assert "duplicates" not in (await browser.get("/desk/referents")).text
    assert "/merge" not in (await browser.get(f"/desk/referents/{twice.old}")).text
    for page in ("/desk/referents/duplicates", twice.page, twice.compared):
        assert (await browser.get(page)).status_code == 403
    sent = {"other": twice.new, "stays": twice.new, "sure": "1"}
    assert (await browser.send_form(twice.page, page="/desk/questions", **sent)).status_code == 403
    assert merged_into(desk, twice.old) is None
