"""The chat page in a real browser: what a person does there reaches the bot, what the bot does is seen."""

from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, async_playwright, expect
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from sandbox.telegram import Person, TelegramSandbox

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

pytestmark = pytest.mark.journey


@pytest.fixture(params=[1280, 390])
async def page(request: pytest.FixtureRequest, url: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = await browser.new_page(viewport={"width": request.param, "height": 844})
        page.set_default_timeout(10_000)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        yield page
        await browser.close()
        assert complaints == []


async def serious(page: Page) -> list[str]:
    violations = (await Axe().run(page)).response["violations"]
    return [violation["id"] for violation in violations if violation["impact"] in {"serious", "critical"}]


async def test_a_person_starts_presses_writes_and_blocks(
    page: Page, url: str, bot: Bot, telegram: TelegramSandbox
) -> None:
    ada = telegram.add_person(1001, "Ada", "Esempio")
    await bot.set_my_commands([("domanda", "Fai una domanda")])
    await page.goto(f"{url}/sandbox/chat/{ada.id}?start=invito")
    await page.get_by_role("button", name="Avvia").click()
    (start,) = await bot.get_updates(timeout=5)

    buttons = InlineKeyboardMarkup([[InlineKeyboardButton("Confermo", callback_data="yes")]])
    html = "Sei <b>Ada &lt;img src=x&gt;</b>?"
    asked = await bot.send_message(ada.id, html, parse_mode="HTML", reply_markup=buttons)
    await page.get_by_role("button", name="Confermo").click()
    (pressed,) = await bot.get_updates(offset=start.update_id + 1, timeout=5)
    assert pressed.callback_query is not None
    await pressed.callback_query.answer("Registrato")
    await expect(page.get_by_role("status")).to_have_text("Registrato")
    await expect(page.locator(".text strong")).to_have_text("Ada <img src=x>")
    await asked.edit_text("Confermato")
    await expect(page.get_by_role("log")).to_contain_text("modificato")
    await expect(page.get_by_role("button", name="Confermo")).to_have_count(0)
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("button", name="/domanda").click()
    await page.get_by_label("Messaggio", exact=True).fill("Quando scade?")
    await page.keyboard.press("Enter")
    await telegram.wait_for(lambda: len(ada.chat) == 4)
    assert await serious(page) == []
    await page.get_by_role("button", name="Blocca").click()
    await expect(page.get_by_text("Hai bloccato il bot")).to_be_visible()

    assert [message.text for message in ada.chat] == ["/start invito", "Confermato", "/domanda", "Quando scade?"]
    assert ada.blocked
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_fresh_mail_appears_by_itself(page: Page, url: str, ada: Person) -> None:
    await page.goto(f"{url}/sandbox/mail")

    await expect(page.get_by_text("Non è arrivato ancora niente.")).to_be_visible()
    assert await serious(page) == []
