"""Forms on one's own page, in Chromium: with a mouse, by keyboard only, without scripts, on a phone."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from storage.database import Database
from storage.drafts import find_draft
from storage.keys import new_ring
from storage.sealing import Keyring
from storage.tables import Draft
from tests.desk.conftest import Clock, Desk, a_desk
from tests.desk.filling import changed, everything, updates
from tests.desk.test_fill import KEPT
from tests.desk.test_fill_passing import PNG
from tests.desk.test_personal import Person, a_person, owes
from tests.journeys.browsing import LAPTOP, PATIENCE, PHONE, Window, a_window, chromium, served
from tests.journeys.conftest import free_port

pytestmark = pytest.mark.journey


@dataclass
class House:
    """A desk that browsers reach, and Ada, who has one thing to send."""

    desk: Desk
    ada: Person
    browser: Browser

    @property
    def page(self) -> str:
        return f"{self.desk.house.links.base_url}{self.ada.page}"

    async def window(self, size: tuple[int, int] = LAPTOP, **more: Any) -> Window:
        window = await a_window(self.browser, size, **more)
        await window.page.goto(self.page)
        return window

    async def begins(self, title: str, size: tuple[int, int] = LAPTOP, **more: Any) -> Window:
        """A window with this form, just begun."""
        window = await self.window(size, **more)
        await window.page.get_by_role("button", name=title, exact=True).click()
        await window.page.locator("#fill").wait_for()
        return window

    def draft(self, page: Page) -> Draft:
        found = re.search(r"/drafts/(\d+)", page.url)
        assert found is not None
        with self.desk.house.database.read() as session:
            draft = find_draft(session, int(found[1]))
            assert draft is not None
            return draft


@pytest.fixture
async def house(sqlite_template: Path, tmp_path: Path, clock: Clock) -> AsyncIterator[House]:
    shutil.copy(sqlite_template, tmp_path / "raccordo.db")
    database = Database(f"sqlite:///{tmp_path / 'raccordo.db'}", Keyring(new_ring()))
    port = free_port()
    desk = a_desk(database, clock, tmp_path, url=f"http://127.0.0.1:{port}")
    ada = a_person(desk, chat=100)
    owes(desk, ada, (clock.now + timedelta(days=4)).date(), "Novembre")
    everything(desk)
    async with served(desk.app, port), chromium() as browser:
        yield House(desk, ada, browser)
    database.close()


@pytest.fixture
def clock(now: Any) -> Clock:
    return Clock(now)


async def saved(page: Page) -> None:
    """Until what was written is in the house."""
    await expect(page.locator("#fill-state")).to_contain_text("Salvato alle 10:00", timeout=PATIENCE)


async def kept(house: House, page: Page, key: str, value: Any) -> None:
    """Until the draft has this answer."""
    async with asyncio.timeout(60):
        while house.draft(page).answers.get(key) != value:
            await asyncio.sleep(0.05)


async def focused(page: Page) -> str:
    return str(await page.evaluate("document.activeElement.id"))


# --- the whole way


async def test_with_a_mouse_everything_is_saved_by_itself_and_sent(house: House) -> None:
    window = await house.window()
    page = window.page
    await page.get_by_role("button", name="Compila").click()

    await page.get_by_label("Esecuzione dei lavori").check(force=True)
    await page.get_by_label("Quanto dei lavori è fatto").fill("45,5")
    await page.get_by_label("Quanto avete speso").fill("750mila")
    await page.get_by_label("Quando pensate di finire").fill("30 giugno 2027")
    await page.get_by_role("group", name="C'è qualche problema").get_by_text("Sì", exact=True).click()
    await page.get_by_label("Racconta in poche righe").fill("Manca il collaudo.")
    await page.get_by_label("Vuoi aggiungere una nota").fill("Nessuna.")
    await page.get_by_role("button", name="Controlla e invia").click()
    await page.get_by_role("button", name="Invia").click()

    await expect(page.get_by_role("heading", name="Ricevuto, grazie")).to_be_visible()
    [update] = updates(house.desk)
    assert update.answers == {
        **KEPT,
        "spent": "750000",
        "problems": "yes",
        "problem": "Manca il collaudo.",
        "notes": "Nessuna.",
    }
    assert window.complaints == []


async def test_by_keyboard_only_the_whole_form_is_filled_in_and_sent(house: House) -> None:
    window = await house.window()
    page, press = window.page, window.page.keyboard
    await page.get_by_role("button", name="Compila").focus()
    await press.press("Enter")
    await page.locator("#fill").wait_for()

    await _tabs_to(page, "f-phase")
    await press.press("Space")
    await _tabs_to(page, "f-progress")
    await press.type("45,5")
    await _tabs_to(page, "f-spent")
    await press.type("125.000,50")
    await _tabs_to(page, "f-expected_end")
    await press.type("30 giugno 2027")
    await _tabs_to(page, "f-problems")
    await press.press("ArrowDown")
    await _tabs_to(page, "f-notes")
    await press.type("Scritto senza mouse")
    await _tabs_to_button(page, "Controlla e invia")
    await press.press("Enter")
    await page.get_by_role("heading", name="Rileggi tutto").wait_for()
    await _tabs_to_button(page, "Invia")
    await press.press("Enter")
    await page.get_by_role("heading", name="Ricevuto, grazie").wait_for()

    assert updates(house.desk)[0].answers == {**KEPT, "phase": "03001", "notes": "Scritto senza mouse"}


async def _tabs_to(page: Page, wanted: str) -> None:
    for _press in range(40):
        if (await focused(page)).partition("::")[0] == wanted:
            return
        await page.keyboard.press("Tab")
    pytest.fail(f"Tab never reaches {wanted}")


async def _tabs_to_button(page: Page, text: str) -> None:
    for _press in range(40):
        if await page.evaluate("document.activeElement.textContent.trim()") == text:
            return
        await page.keyboard.press("Tab")
    pytest.fail(f"Tab never reaches {text}")


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
async def test_without_scripts_the_same_form_works(house: House, size: tuple[int, int]) -> None:
    window = await house.begins("Tutto", size, scripts=False)
    page = window.page

    await page.get_by_label("Come si chiama il luogo?").fill("Cascina")
    await page.get_by_role("group", name="Ci sono lavori").get_by_text("Sì", exact=True).click()
    await page.locator("#f-photo").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": PNG})
    await page.get_by_role("button", name="Salva").click()
    await page.get_by_label("Quali lavori a Cascina?").fill("Il tetto")
    await page.get_by_role("button", name="Aggiungi: Un pagamento").click()
    await page.get_by_label("Per che cosa?").fill("Ponteggi")
    await page.get_by_role("button", name="Controlla e invia").click()
    problems = page.locator("#fill-errors")
    await problems.get_by_role("link", name="Di che colore è?").click()
    await page.get_by_role("group", name="Di che colore è?").get_by_text("Verde").click()
    await page.get_by_text("Ho letto", exact=True).click()
    await page.get_by_role("button", name="Controlla e invia").click()
    await page.get_by_role("button", name="Invia").click()

    await expect(page.get_by_role("heading", name="Ricevuto, grazie")).to_be_visible()
    answers = updates(house.desk)[0].answers
    assert answers["more/which"] == "Il tetto"
    assert answers["payment[1]/what"] == "Ponteggi"
    assert len(answers["photo"]) == 1


# --- saved by itself


async def test_a_new_question_comes_at_once_and_the_focus_stays(house: House) -> None:
    page = (await house.begins("Tutto")).page
    group = page.get_by_role("group", name="Ci sono lavori")

    await group.get_by_text("Sì", exact=True).click()
    await page.get_by_text("Quali lavori a —?").wait_for()

    assert await focused(page) == "f-more:works"
    await group.get_by_text("No", exact=True).click()
    await expect(page.get_by_text("Quali lavori a —?")).to_have_count(0)


async def test_what_is_typed_while_it_is_being_saved_is_not_lost(house: House) -> None:
    page = (await house.begins("Tutto")).page
    gate = asyncio.Event()

    async def slowly(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    await page.route("**/answers", slowly)
    name, story = page.get_by_label("Come si chiama il luogo?"), page.get_by_label("Racconta la sua storia")
    await name.fill("Cascina")
    async with page.expect_request("**/answers"):
        await story.press_sequentially("Una ")
    await story.press_sequentially("volta ")
    gate.set()
    await saved(page)
    await story.press_sequentially("c'era")

    assert await story.input_value() == "Una volta c'era"
    await kept(house, page, "story", "Una volta c'era")
    assert house.draft(page).answers["name"] == "Cascina"


async def test_the_caret_stays_where_it_is_in_the_middle_of_a_word(house: House) -> None:
    page = (await house.begins("Tutto")).page
    area = page.get_by_label("Quanti metri quadrati?")

    await area.fill("1.234")
    await area.press("ArrowLeft")
    await page.get_by_text("Quale intendi?").first.wait_for()

    assert await focused(page) == "f-area"
    assert await page.evaluate("document.activeElement.selectionStart") == 4


async def test_a_number_is_shown_as_it_was_understood_when_they_go_on(house: House) -> None:
    page = (await house.begins("Tutto")).page

    await page.get_by_label("Quando è stato aperto?").fill("10 dicembre 2026")
    await page.get_by_label("A che ora apre?").click()

    await expect(page.get_by_label("Quando è stato aperto?")).to_have_value("10/12/2026")


async def test_without_a_connection_they_are_told_and_it_is_saved_later(house: House) -> None:
    page = (await house.begins("Tutto")).page

    await page.context.set_offline(True)
    await page.get_by_label("Come si chiama il luogo?").fill("Cascina")
    await page.keyboard.press("Tab")
    await expect(page.locator("#fill-state")).to_contain_text("manca la connessione")
    await page.context.set_offline(False)

    await saved(page)
    assert house.draft(page).answers == {"name": "Cascina"}


async def test_a_file_is_uploaded_as_soon_as_it_is_chosen_and_can_be_taken_out(house: House) -> None:
    page = (await house.begins("Tutto")).page

    await page.locator("#f-photo").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": PNG})
    await page.get_by_role("button", name="Togli a.png").click()
    await expect(page.get_by_role("link", name="a.png")).to_have_count(0)

    assert "photo" not in house.draft(page).answers


async def test_who_presses_send_while_it_is_being_saved_does_not_meet_themselves(house: House) -> None:
    page = (await house.begins("Tutto")).page
    gate = asyncio.Event()

    async def slowly(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    await page.route("**/answers", slowly)
    async with page.expect_request("**/answers"):
        await page.get_by_label("Come si chiama il luogo?").fill("Cascina")
        await page.keyboard.press("Tab")
    await page.get_by_role("button", name="Controlla e invia").click()
    gate.set()

    await expect(page.locator("#fill-errors")).to_be_focused()
    assert house.draft(page).answers == {"name": "Cascina"}


async def test_another_repetition_is_where_they_go_on(house: House) -> None:
    page = (await house.begins("Tutto")).page

    await page.get_by_role("button", name="Aggiungi: Un pagamento").click()
    await page.get_by_label("Per che cosa?").wait_for()

    await expect(page.locator("[id='s-payment:1']")).to_be_focused()


async def test_who_only_passes_a_button_with_the_keyboard_has_not_pressed_it(house: House) -> None:
    page = (await house.begins("Tutto")).page
    add = page.get_by_role("button", name="Aggiungi: Un pagamento")
    gate = asyncio.Event()

    async def slowly(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    await page.route("**/answers", slowly)
    async with page.expect_request("**/answers") as leaving:
        await page.get_by_label("Come si chiama il luogo?").fill("Cascina")
        await add.focus()
    gate.set()
    await kept(house, page, "name", "Cascina")
    await saved(page)

    assert 'name="action"' not in ((await leaving.value).post_data or "")
    await expect(page.get_by_label("Per che cosa?")).to_have_count(0)
    await add.press("Enter")
    await expect(page.locator("[id='s-payment:1']")).to_be_focused()


async def test_my_position_fills_in_both_numbers(house: House) -> None:
    place = {"latitude": 45.4642, "longitude": 9.19}
    page = (await house.begins("Tutto", geolocation=place, permissions=["geolocation"])).page

    await page.get_by_role("button", name="Usa la mia posizione").click()

    await kept(house, page, "point", [45.4642, 9.19])


async def test_two_windows_at_one_form_are_told_of_each_other(house: House) -> None:
    window = await house.begins("Tutto")
    page = window.page
    draft = house.draft(page)
    changed(house.desk, draft.id, name="Cascina di là")

    await page.get_by_label("Come si chiama il luogo?").fill("Cascina di qua")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("heading", name="Intanto il modulo")).to_be_focused()
    await page.get_by_text("Cascina di qua").click()
    await page.get_by_role("button", name="Tieni queste risposte").click()
    await page.locator("#fill").wait_for()

    assert house.draft(page).answers == {"name": "Cascina di qua"}
    assert window.complaints == []
