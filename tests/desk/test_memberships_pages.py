"""At the desk: organisations and projects of a referent, in whose place, and how their chat was linked."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlmodel import select

from intake.delegation import delegate
from storage.people import organizations_of, projects_of
from storage.tables import AccessRequest, AccessState, Address, Channel, Invitation
from tests.desk.conftest import Desk


@dataclass
class Town:
    """Ada and Bruno are of Abbiategrasso, with one project each; Corsico has one, too."""

    ada: int
    bruno: int
    abbiategrasso: int
    corsico: int
    market: int
    library: int

    @property
    def page(self) -> str:
        return f"/desk/referents/{self.ada}"


@pytest.fixture
def town(desk: Desk) -> Town:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        abbiategrasso, corsico = cast.an_organization(), cast.an_organization("Corsico")
        market, library = cast.a_project(abbiategrasso), cast.a_project(abbiategrasso, title="Biblioteca")
        cast.a_project(corsico, title="Parco")
        ada = cast.a_referent("Ada Esempio", abbiategrasso, (market,), chat=11)
        bruno = cast.a_referent("Bruno Esempio", abbiategrasso, (library,), chat=12)
        return Town(ada.id, bruno.id, abbiategrasso.id, corsico.id, market.id, library.id)


def away(desk: Desk, town: Town) -> None:
    """Ada is away, Bruno answers."""
    with desk.house.database.write() as session:
        delegate(session, town.ada, town.bruno, date(2026, 12, 4), today=date(2026, 11, 24), now=desk.house.clock())


def organizations(desk: Desk, town: Town) -> list[str]:
    with desk.house.database.read() as session:
        return [one.name for one in organizations_of(session, town.ada)]


def projects(desk: Desk, referent_id: int) -> list[str]:
    with desk.house.database.read() as session:
        return [one.title for one in projects_of(session, referent_id)]


async def test_an_organisation_is_added_with_its_projects(desk: Desk, town: Town) -> None:
    page = f"{town.page}/join"

    answer = await desk.browser("Olga").send_form(page, page=page, organization="Corsico", role="RUP", which="all")

    assert answer.headers["location"] == town.page
    assert organizations(desk, town) == ["Abbiategrasso", "Corsico"]
    assert projects(desk, town.ada) == ["Ex mercato", "Parco"]
    shown = (await desk.browser("Rita").get(town.page)).text
    assert "Corsico, RUP" in shown


async def test_the_projects_to_add_can_be_chosen(desk: Desk, town: Town) -> None:
    page = f"{town.page}/join"
    olga = desk.browser("Olga")
    shown = await olga.send_form(page, page=page, organization="Abbiategrasso", which="chosen", step="projects")
    with desk.house.database.read() as session:
        cup = projects_of(session, town.bruno)[0].cup

    await olga.send_form(page, page=page, organization="Abbiategrasso", which="chosen", cup=cup)

    assert "Biblioteca" in shown.text
    assert projects(desk, town.ada) == ["Biblioteca", "Ex mercato"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"organization": ""}, "Scrivi per quale ente lavora."), ({"organization": "Corsicoo"}, "Corsico?")],
)
async def test_a_mistake_is_said_beside_its_field(desk: Desk, town: Town, wrong: dict[str, str], said: str) -> None:
    page = f"{town.page}/join"

    answer = await desk.browser("Olga").send_form(page, page=page, **wrong)

    assert answer.status_code == 422
    assert said in answer.text
    assert organizations(desk, town) == ["Abbiategrasso"]


async def test_an_organisation_is_taken_away_after_a_confirmation_that_names_the_projects(
    desk: Desk, town: Town
) -> None:
    page = f"{town.page}/part/{town.abbiategrasso}"

    asked = await desk.browser("Olga").get(page)
    before = organizations(desk, town)
    await desk.browser("Olga").send_form(page, page=page)

    assert "Togliere Abbiategrasso?" in asked.text
    assert "Ex mercato" in asked.text
    assert before == ["Abbiategrasso"]
    assert organizations(desk, town) == []
    assert projects(desk, town.ada) == []
    assert (await desk.browser("Olga").get(page)).status_code == 404


async def test_a_project_is_taken_away_after_a_confirmation(desk: Desk, town: Town) -> None:
    page = f"{town.page}/unfollow/{town.market}"

    asked = await desk.browser("Olga").get(page)
    before = projects(desk, town.ada)
    await desk.browser("Olga").send_form(page, page=page)

    assert "Togliere il progetto?" in asked.text
    assert (before, projects(desk, town.ada)) == (["Ex mercato"], [])
    assert (await desk.browser("Olga").get(page)).status_code == 404


async def test_what_is_followed_in_anothers_place_is_said_for_whom(desk: Desk, town: Town) -> None:
    away(desk, town)
    rita = desk.browser("Rita")

    absent, substitute = (await rita.get(town.page)).text, (await rita.get(f"/desk/referents/{town.bruno}")).text
    project = (await rita.get(f"/desk/projects/{town.market}")).text

    assert "al posto di Ada Esempio" in substitute
    assert "al posto di" not in absent
    assert "al posto di Ada Esempio" in project


async def test_what_is_lent_cannot_be_taken_away_here(desk: Desk, town: Town) -> None:
    away(desk, town)
    page = f"/desk/referents/{town.bruno}/unfollow/{town.market}"
    olga = desk.browser("Olga")

    assert page not in (await olga.get(f"/desk/referents/{town.bruno}")).text
    assert (await olga.get(page)).status_code == 404
    assert (await olga.send_form(page, page="/desk/referents/new")).status_code == 404
    assert "Ex mercato" in projects(desk, town.bruno)


async def test_the_page_says_by_which_door_a_chat_was_linked(desk: Desk, town: Town) -> None:
    now = desk.house.clock()
    with desk.house.database.write() as session:
        session.add(
            Invitation(referent_id=town.ada, token_hash="x", email="", created_at=now, expires_at=now, used_at=now)
        )
        asked: dict[str, Any] = {"state": AccessState.APPROVED, "created_at": now, "touched_at": now, "decided_at": now}
        session.add(AccessRequest(chat="12", referent_id=town.bruno, **asked))
    olga = desk.browser("Olga")

    ada, bruno = (await olga.get(town.page)).text, (await olga.get(f"/desk/referents/{town.bruno}")).text

    assert "collegato il 24 nov 2026, con un invito" in ada
    assert "collegato il 24 nov 2026, dopo una richiesta di accesso" in bruno


async def test_a_chat_linked_by_hand_has_no_door(desk: Desk, town: Town) -> None:
    page = (await desk.browser("Olga").get(town.page)).text

    assert "collegato il 24 nov 2026<" in page
    with desk.house.database.read() as session:
        assert session.exec(select(Address).where(Address.channel == Channel.TELEGRAM)).first() is not None


# --- Carla may not


BUTTONS = ["join", "part/{abbiategrasso}", "unfollow/{market}"]


@pytest.mark.parametrize("who", ["Rita", "Vera", None])
@pytest.mark.parametrize("button", BUTTONS)
async def test_readers_volunteers_and_strangers_change_nothing(
    desk: Desk, town: Town, who: str | None, button: str
) -> None:
    page = f"{town.page}/{button.format(abbiategrasso=town.abbiategrasso, market=town.market)}"
    browser = desk.browser(who)

    looked = await browser.get(page)
    pressed = await browser.send_form(page, page="/desk/questions" if who else "/desk/sign-in", organization="Corsico")

    assert (looked.status_code, pressed.status_code) == ((403, 403) if who else (303, 303))
    assert organizations(desk, town) == ["Abbiategrasso"]
    assert projects(desk, town.ada) == ["Ex mercato"]


@pytest.mark.parametrize("who", ["Rita", "Vera"])
async def test_readers_and_volunteers_are_shown_no_such_button(desk: Desk, town: Town, who: str) -> None:
    away(desk, town)

    page = (await desk.browser(who).get(town.page)).text

    for button in ("/join", "/part/", "/unfollow/"):
        assert button not in page


@pytest.mark.parametrize("url", ["join", "part/1", "unfollow/1"])
async def test_an_unknown_referent_is_not_there(desk: Desk, url: str) -> None:
    assert (await desk.browser("Olga").get(f"/desk/referents/9999/{url}")).status_code == 404


async def test_an_unknown_referent_joins_nothing(desk: Desk, town: Town) -> None:
    answer = await desk.browser("Olga").send_form(
        "/desk/referents/9999/join", page=f"{town.page}/join", organization="Corsico"
    )

    assert answer.status_code == 404


async def test_who_stands_in_and_leaves_the_organisation_sees_nothing_of_it_any_more(desk: Desk, town: Town) -> None:
    away(desk, town)
    olga, bruno = desk.browser("Olga"), f"/desk/referents/{town.bruno}"
    page = f"{bruno}/part/{town.abbiategrasso}"
    assert "cambia anche chi risponde per chi" in (await olga.get(page)).text

    await olga.send_form(page, page=page)

    assert projects(desk, town.bruno) == []
    shown = (await olga.get(bruno)).text
    assert "Sostituisce" not in shown
    assert "al posto di" not in shown


async def test_without_a_delegation_nothing_is_said_of_one(desk: Desk, town: Town) -> None:
    page = (await desk.browser("Olga").get(f"{town.page}/part/{town.abbiategrasso}")).text

    assert "chi risponde per chi" not in page
