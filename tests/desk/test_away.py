"""Away from … to …: said at the desk and on somebody's own page, shown, and ended by one button."""

from dataclasses import dataclass

import pytest

from storage.delegations import held_by
from storage.people import new_personal_link
from storage.tables import Referent
from tests.desk.conftest import Desk


@dataclass
class Town:
    ada: int
    bruno: int
    carla: int
    key: str
    foreign: str

    @property
    def page(self) -> str:
        return f"/desk/referents/{self.ada}"

    @property
    def own(self) -> str:
        return f"/r/{self.key}/preferences"


@pytest.fixture
def town(desk: Desk) -> Town:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        place = cast.an_organization()
        ada = cast.a_referent("Ada Esempio", place, (cast.a_project(place),), chat=11)
        bruno = cast.a_referent("Bruno Esempio", place, (), chat=12)
        carla = cast.a_referent("Carla Esempio", cast.an_organization("Corsico"), (), chat=13)
        keys = [new_personal_link(session, one.id, cast.now) for one in (ada, carla)]
        return Town(ada.id, bruno.id, carla.id, *keys)


def planned(desk: Desk, town: Town) -> str:
    with desk.house.database.read() as session:
        one = session.get_one(Referent, town.ada)
        return f"{one.away_from}/{one.away_until}/{one.substitute_id}"


def stands_in(desk: Desk, town: Town) -> int | None:
    with desk.house.database.read() as session:
        held = held_by(session, town.ada)
        return held.substitute_id if held else None


async def test_staff_note_an_absence_that_begins_later_and_end_it(desk: Desk, town: Town) -> None:
    olga = desk.browser("Olga")
    days = {"first": "2026-12-01", "last": "2026-12-20"}

    noted = await olga.send_form(f"{town.page}/away", page=f"{town.page}/away", substitute=town.bruno, **days)
    shown = (await olga.get(town.page)).text

    assert noted.headers["location"] == town.page
    assert planned(desk, town) == f"2026-12-01/2026-12-20/{town.bruno}"
    assert stands_in(desk, town) is None
    assert "dal 1 dic 2026 al 20 dic 2026 compreso" in shown
    assert "al suo posto risponde da allora Bruno Esempio" in shown

    await olga.send_form(f"{town.page}/away", page=town.page, step="end")

    assert planned(desk, town) == f"None/None/{town.bruno}"
    again = await olga.send_form(f"{town.page}/away", page=f"{town.page}/away", step="end")
    assert again.status_code == 404


async def test_one_that_begins_today_is_shown_in_the_list(desk: Desk, town: Town) -> None:
    olga = desk.browser("Olga")
    days = {"first": "2026-11-24", "last": "2026-12-20"}

    await olga.send_form(f"{town.page}/away", page=f"{town.page}/away", substitute=town.bruno, **days)

    assert stands_in(desk, town) == town.bruno
    assert "assente fino al 20 dic 2026" in (await olga.get("/desk/referents")).text


async def test_without_a_substitute_the_page_says_that_the_reminders_go_on(desk: Desk, town: Town) -> None:
    olga = desk.browser("Olga")
    days = {"first": "2026-11-24", "last": "2026-12-20"}

    await olga.send_form(f"{town.page}/away", page=f"{town.page}/away", substitute="nobody", **days)

    assert "nessuno risponde al suo posto" in (await olga.get(town.page)).text
    assert "assente fino al 20 dic 2026" in (await olga.get("/desk/referents")).text


async def test_what_cannot_be_is_said_beside_its_field(desk: Desk, town: Town) -> None:
    olga, page = desk.browser("Olga"), f"{town.page}/away"

    turned = await olga.send_form(page, page=page, first="2026-12-20", last="2026-12-01")
    empty = await olga.send_form(page, page=page, first="", last="soon")
    foreign = await olga.send_form(page, page=page, first="2026-12-01", last="2026-12-20", substitute=town.carla)

    assert (turned.status_code, empty.status_code, foreign.status_code) == (422, 422, 422)
    assert 'id="e-last"' in turned.text
    assert 'id="e-first"' in empty.text
    assert "Carla" not in foreign.text
    assert planned(desk, town) == "None/None/None"
    assert (await olga.get("/desk/referents/999/away")).status_code == 404


@pytest.mark.parametrize("who", ["Vera", "Rita"])
async def test_it_is_not_for_everybody(desk: Desk, town: Town, who: str) -> None:
    browser = desk.browser(who)

    assert "/away" not in (await browser.get(town.page)).text
    assert (await browser.get(f"{town.page}/away")).status_code == 403
    sent = await browser.send_form(
        f"{town.page}/away", page="/desk/questions", first="2026-12-01", last="2026-12-20", substitute=town.bruno
    )
    assert sent.status_code == 403
    assert planned(desk, town) == "None/None/None"


async def test_they_say_it_themselves_and_take_it_back(desk: Desk, town: Town) -> None:
    phone = desk.browser()
    days = {"first": "2026-12-01", "last": "2026-12-20", "substitute": town.bruno}

    noted = await phone.send_form(f"{town.own}/away", page=town.own, **days)
    shown = (await phone.get(town.own)).text

    assert noted.headers["location"] == town.own
    assert planned(desk, town) == f"2026-12-01/2026-12-20/{town.bruno}"
    assert "Sei assente dal 1 dic 2026 al 20 dic 2026 compreso" in shown
    assert "Al tuo posto risponde Bruno Esempio" in shown

    await phone.send_form(f"{town.own}/away", page=town.own, step="end")

    assert planned(desk, town).startswith("None/None")


async def test_their_own_page_says_what_is_wrong_and_takes_no_stranger(desk: Desk, town: Town) -> None:
    phone = desk.browser()

    turned = await phone.send_form(f"{town.own}/away", page=town.own, first="2026-12-20", last="2026-12-01")
    said = (await phone.get(turned.headers["location"])).text
    await phone.send_form(
        f"{town.own}/away", page=town.own, first="2026-12-01", last="2026-12-20", substitute=town.carla
    )

    assert "La data finale viene prima di quella iniziale" in said
    assert planned(desk, town) == "None/None/None"


async def test_an_unknown_key_changes_nothing_and_another_ones_changes_only_theirs(desk: Desk, town: Town) -> None:
    phone = desk.browser()
    days = {"first": "2026-12-01", "last": "2026-12-20", "substitute": town.bruno}

    unknown = await phone.send_form("/r/unknown/preferences/away", page=town.own, **days)
    await phone.send_form(f"/r/{town.foreign}/preferences/away", page=town.own, **days)

    assert unknown.status_code == 404
    assert planned(desk, town) == "None/None/None"
