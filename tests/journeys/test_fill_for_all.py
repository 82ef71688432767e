"""Every state of a form on one's own page, as axe sees it, at every width, in both languages, at 200 % zoom."""

from typing import Any

import pytest
from playwright.async_api import Page

from intake.reviewing import give_back
from storage.tables import Referent, Update
from tests.desk.filling import changed
from tests.desk.test_fill_problems import told
from tests.journeys.browsing import LAPTOP, PHONE, SMALL, Window
from tests.journeys.test_fill import House, clock, house

pytestmark = pytest.mark.journey
SIZES = (LAPTOP, PHONE, SMALL)
ZOOMED = (640, 450)  # what is left of 1280 × 900 at 200 %

__all__ = ["clock", "house"]


async def look(window: Window, state: str, found: dict[str, list[str]]) -> None:
    for size in SIZES:
        await window.resize(size)
        violations = await window.violations()
        if violations:
            found[f"{state} at {size[0]}"] = violations
    await window.resize(LAPTOP)


@pytest.mark.parametrize("language", ["it", "en"])
async def test_axe_finds_nothing_in_any_state(house: House, language: str) -> None:
    with house.desk.house.database.write() as session:
        session.get_one(Referent, house.ada.id).language = language
    told(house.desk, house.ada, progress="60")
    words = WORDS[language]
    found: dict[str, list[str]] = {}
    window = await house.window()
    page = window.page

    await look(window, "own page", found)
    await page.get_by_role("button", name=words["everything"], exact=True).click()
    await page.locator("#fill").wait_for()
    await look(window, "empty", found)
    await page.locator("#f-area").fill("1.234")
    await page.locator("#f-opened").fill("boh")
    await page.get_by_role("button", name=words["add"]).click()
    await page.locator("[id='f-payment:1:what']").fill("X")
    await page.locator("[id='q-more:works'] label").first.click()
    await page.locator("[id='q-more:which']").wait_for()
    await page.get_by_role("button", name=words["check"]).click()
    await page.locator("#fill-errors").wait_for()
    await look(window, "errors, repeats, two meanings", found)
    await page.locator("[id='r-payment:1'] button").click()
    await page.locator("main h1").wait_for()
    await look(window, "taking out", found)

    await page.goto(house.page)
    await page.get_by_role("button", name=words["fill"]).first.click()
    await page.locator("#fill").wait_for()
    await look(window, "last time", found)
    await page.locator("#fill-last button").click()
    await page.locator("#fill-said").wait_for()
    await page.locator("#f-progress").fill("50")
    await page.get_by_role("button", name=words["check"]).click()
    await page.locator("#d-progress").wait_for()
    await look(window, "doubts", found)
    await page.locator("label[for='u-progress']").click()
    await page.locator("[id='q-problems'] label").first.click()
    await page.locator("#f-problem").fill("Y")
    await page.get_by_role("button", name=words["save"]).last.click()
    await page.locator("[id='q-problems'] label").nth(1).click()
    await page.locator("#fill-dropped").wait_for()
    await look(window, "what fell away", found)
    await page.get_by_role("button", name=words["check"]).click()
    await page.locator(".summary").first.wait_for()
    await look(window, "summary", found)
    address = page.url.removesuffix("/summary")
    for other in ("discard", "telegram"):
        await page.goto(f"{address}/{other}")
        await look(window, other, found)
    await page.goto(address)
    changed(house.desk, house.draft(page).id, progress="70", notes="Z")
    await page.locator("#f-progress").fill("80")
    await page.keyboard.press("Tab")
    await page.locator("#fill-conflict-title").wait_for()
    await look(window, "two doors", found)
    await page.goto(f"{address}/summary")
    if "summary" not in page.url:
        await page.get_by_role("button", name=words["check"]).click()
    await page.locator("form[action$='/send'] button").click()
    await page.locator(".box").wait_for()
    await look(window, "receipt", found)
    number = int(page.url.rpartition("/")[2])
    _returned(house, number)
    await page.goto(house.page)
    await look(window, "own page, with what was sent and what is asked", found)
    await page.goto(f"{house.page}/sent/{number}")
    await page.locator("form[action$='/correct'] button").click()
    await page.locator(".remark").first.wait_for()
    await look(window, "correction", found)

    assert found == {}
    assert window.complaints == []


def _returned(house: House, number: int) -> None:
    """Staff ask about one answer."""
    with house.desk.house.database.write() as session:
        update = session.get_one(Update, number)
        form = house.desk.house.catalogue.version(session, update.form_version_id)
        remarks = {"progress": "È il valore di ottobre?"}
        give_back(session, update, form, remarks, by=house.desk.people["Olga"], now=house.desk.house.clock())


WORDS = {
    "it": {
        "everything": "Tutto",
        "add": "Aggiungi: Un pagamento",
        "check": "Controlla e invia",
        "fill": "Compila",
        "save": "Salva",
    },
    "en": {
        "everything": "Everything",
        "add": "Add: A payment",
        "check": "Check and send",
        "fill": "Fill in",
        "save": "Save",
    },
}


async def test_at_twice_the_size_nothing_is_cut_off(house: House) -> None:
    window = await house.begins("Tutto", ZOOMED, device_scale_factor=2)

    found = await window.violations()
    cut = await _cut_off(window.page)

    assert found == []
    assert cut == []


async def _cut_off(page: Page) -> list[Any]:
    """Controls that stick out of the window."""
    script = """() => [...document.querySelectorAll('#fill :is(input:not([type=hidden]), button, select, textarea)')]
        .filter((one) => one.getBoundingClientRect().width > 1)
        .filter((one) => one.getBoundingClientRect().right > window.innerWidth || one.getBoundingClientRect().left < 0)
        .map((one) => one.id || one.textContent)"""
    found: list[Any] = await page.evaluate(script)
    return found


async def test_what_is_pressed_is_large_enough_for_a_thumb(house: House) -> None:
    window = await house.begins("Tutto", PHONE)

    small = await window.page.evaluate(
        """() => [...document.querySelectorAll('#fill .form-check-label, #fill .fill-foot .btn')]
            .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 44)
            .map((one) => one.textContent)"""
    )

    assert small == []
