"""An officer changes a form, in headless Chromium: upload, look, publish, take it back out, upload it again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect

from intake.forms.builtin import builtin_file
from intake.forms.xlsform.reading import read_xlsform
from intake.forms.xlsform.writing import to_xlsx
from tests.conftest import needed
from tests.journeys.browsing import CHROMIUM, PATIENCE, QUIET
from tests.journeys.conftest import House

pytestmark = [pytest.mark.journey, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]

ASKED = "Quanto avete pagato finora, in tutto?"
BROKEN = b"| survey |\n| | type | name | label |\n| | txet | how | Come? |\n"


@pytest.fixture
async def page(house: House) -> AsyncIterator[Page]:
    """Olga's browser, signed in."""
    if CHROMIUM is None:
        needed("Chromium", "apt-get install chromium")
    base = str(house.desk.base_url)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = await browser.new_context(locale="it-IT", base_url=base, viewport={"width": 1280, "height": 900})
        context.set_default_timeout(PATIENCE)
        key = house.desk.cookies["raccordo_session"]
        await context.add_cookies([{"name": "raccordo_session", "value": key, "url": base}])
        yield await context.new_page()
        await browser.close()


def a_changed_form() -> bytes:
    """The form for updates as an officer saves it in Excel, with one question asked otherwise."""
    tables = builtin_file("project-update").decode().replace("Quanto avete speso finora, in tutto?", ASKED)
    form = read_xlsform(tables.encode(), "modulo.md").form
    assert form is not None
    return to_xlsx(form)


async def upload(page: Page, content: bytes, name: str) -> None:
    await page.goto("/desk/forms/new")
    await page.get_by_label("File").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )
    await page.get_by_role("button", name="Carica", exact=True).click()


async def wrong_with(page: Page) -> list[str]:
    """What axe finds, and whether it scrolls sideways, on a desk and on the narrowest phone."""
    found: list[str] = []
    for width in (1280, 320):
        await page.set_viewport_size({"width": width, "height": 900})
        found += [f"{each['id']} at {width}" for each in (await Axe().run(page)).response["violations"]]
        if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"scrolls sideways at {width}")
    await page.set_viewport_size({"width": 1280, "height": 900})
    return found


async def test_a_changed_form_is_looked_at_published_exported_and_found_to_be_in_use(
    page: Page, tmp_path: Path
) -> None:
    await upload(page, a_changed_form(), "aggiornamento.xlsx")
    await expect(page.get_by_role("heading", name="Che cosa cambia dalla versione 1")).to_be_visible()
    await expect(page.get_by_label(ASKED)).to_be_disabled()
    assert await wrong_with(page) == []
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_label("How much have you spent so far, in all?")).to_be_disabled()

    await page.get_by_role("link", name="Pubblica…").click()
    await expect(page.get_by_text("Diventa la versione 2")).to_be_visible()
    assert await wrong_with(page) == []
    await page.get_by_role("button", name="Sì, pubblica").click()
    await expect(page.get_by_text("“Aggiornamento progetto” è pubblicato.")).to_be_visible()
    assert await wrong_with(page) == []

    await page.goto("/desk/forms")
    await expect(page.get_by_role("row", name="Aggiornamento progetto").get_by_text("2", exact=True)).to_be_visible()
    assert await wrong_with(page) == []
    await page.get_by_role("link", name="Aggiornamento progetto").click()
    assert await wrong_with(page) == []
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Excel della versione 2").click()
    exported = tmp_path / (await downloading.value).suggested_filename
    await (await downloading.value).save_as(exported)

    await upload(page, exported.read_bytes(), exported.name)
    await expect(page.get_by_text("non c'è nulla da pubblicare")).to_be_visible()
    await expect(page.get_by_role("link", name="Pubblica…")).to_have_count(0)
    assert exported.name == "project-update-2.xlsx"
    assert await wrong_with(page) == []


async def test_mistakes_are_shown_and_the_file_thrown_away_by_keyboard_alone(page: Page) -> None:
    await upload(page, BROKEN, "domande.md")
    await expect(page.get_by_role("cell", name="Il tipo «txet» non esiste. Intendi «text»?")).to_be_visible()
    assert await wrong_with(page) == []

    await page.get_by_role("link", name="Scarica il file caricato").focus()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")

    await expect(page.get_by_text("Il file è stato buttato")).to_be_visible()
    await expect(page.get_by_text("domande.md")).to_have_count(0)


async def test_two_versions_are_compared_and_a_form_retired_and_brought_back(page: Page) -> None:
    await upload(page, a_changed_form(), "aggiornamento.xlsx")
    await page.get_by_role("link", name="Pubblica…").click()
    await page.get_by_role("button", name="Sì, pubblica").click()

    await page.get_by_role("link", name="Tutte le versioni").click()
    await page.get_by_role("button", name="Confronta").click()
    await expect(page.get_by_text(f"ora «{ASKED}»")).to_be_visible()
    assert await wrong_with(page) == []

    await page.get_by_role("link", name="Tutte le versioni").click()
    await page.get_by_role("link", name="Ritira…").click()
    assert await wrong_with(page) == []
    await page.get_by_role("button", name="Sì, ritira").click()
    await expect(page.get_by_text("Il modulo è ritirato")).to_be_visible()
    assert await wrong_with(page) == []
    await page.get_by_role("button", name="Rimetti in uso").click()
    await expect(page.get_by_text("Il modulo è di nuovo in uso.")).to_be_visible()
