"""The chat page in a real browser: what a person does there reaches the bot, what the bot does is seen."""

from collections.abc import AsyncIterator

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import FilePayload, Page, async_playwright, expect
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from sandbox.people import Photo
from sandbox.pictures import plain_png
from sandbox.telegram import Person, TelegramSandbox

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PICTURE = FilePayload(name="cantiere.png", mimeType="image/png", buffer=plain_png(60, 40))

pytestmark = pytest.mark.journey


@pytest.fixture(params=[1280, 390])
async def page(request: pytest.FixtureRequest, url: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        args = [*QUIET, "--use-fake-device-for-media-stream"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=args)
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


async def attach(page: Page, what: str) -> None:
    await page.get_by_role("button", name="Allega").click()
    await page.get_by_role("button", name=what).click()


async def test_files_photos_and_an_album_are_sent_with_a_caption(
    page: Page, url: str, ada: Person, telegram: TelegramSandbox
) -> None:
    await page.goto(f"{url}/sandbox/chat/{ada.id}")
    async with page.expect_file_chooser() as chooser:
        await attach(page, "Foto o video")
    await (await chooser.value).set_files([PICTURE, PICTURE])
    await expect(page.get_by_text("2 file: cantiere.png, cantiere.png")).to_be_visible()
    await page.get_by_label("Messaggio", exact=True).fill("Il cantiere")
    await page.keyboard.press("Enter")
    await telegram.wait_for(lambda: len(ada.chat) == 2)
    await page.locator("#file").set_input_files({"name": "atto.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    await page.get_by_role("button", name="Invia", exact=True).click()
    await telegram.wait_for(lambda: len(ada.chat) == 3)
    await page.locator("#file").set_input_files({"name": "no.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    await page.get_by_role("button", name="Annulla").click()
    await expect(page.locator(".album.grid img")).to_have_count(2)
    assert await serious(page) == []

    first, second, document = ada.chat
    assert [message.content for message in ada.chat] == [PICTURE["buffer"], PICTURE["buffer"], b"%PDF"]
    assert (first.text, second.text, document.text) == ("Il cantiere", "", "")
    assert first.raw["media_group_id"] == second.raw["media_group_id"]
    assert await page.get_by_label("Messaggio", exact=True).input_value() == ""
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_a_place_and_a_contact_are_sent(page: Page, url: str, ada: Person, telegram: TelegramSandbox) -> None:
    await page.goto(f"{url}/sandbox/chat/{ada.id}")
    await attach(page, "Posizione")
    await page.get_by_label("Latitudine").fill("45.5")
    assert await serious(page) == []
    await page.get_by_role("button", name="Invia posizione").click()
    await attach(page, "Contatto")
    await page.get_by_role("button", name="Annulla").click()
    await attach(page, "Contatto")
    await page.get_by_role("button", name="Invia contatto").click()
    await telegram.wait_for(lambda: len(ada.chat) == 2)

    place, contact = ada.chat
    assert place.raw["location"] == {"latitude": 45.5, "longitude": 9.19}
    assert (contact.raw["contact"]["first_name"], contact.raw["contact"]["last_name"]) == ("Ada", "Esempio")
    await expect(page.get_by_text("Posizione: 45,5; 9,19")).to_be_visible()


async def test_a_voice_note_is_recorded(page: Page, url: str, ada: Person, telegram: TelegramSandbox) -> None:
    await page.context.grant_permissions(["microphone"])
    await page.goto(f"{url}/sandbox/chat/{ada.id}")
    await attach(page, "Nota vocale")
    await expect(page.get_by_text("Registro 0:01")).to_be_visible()
    await page.get_by_role("button", name="Invia nota").click()
    await telegram.wait_for(lambda: ada.chat)
    await expect(page.get_by_label("Nota vocale")).to_be_visible()
    await expect(page.locator("audio")).to_have_js_property("readyState", 4)  # what was made of it can be played

    voice = ada.chat[0].raw["voice"]
    assert (voice["mime_type"], (ada.chat[0].content or b"")[:4]) == ("audio/ogg", b"OggS")
    assert voice["duration"] >= 1


async def test_without_a_microphone_an_audio_file_is_chosen(
    page: Page, url: str, ada: Person, telegram: TelegramSandbox
) -> None:
    await page.add_init_script("navigator.mediaDevices.getUserMedia = () => Promise.reject(new Error())")
    await page.goto(f"{url}/sandbox/chat/{ada.id}")
    await attach(page, "Nota vocale")
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Scegli un file audio").click()
    await (await chooser.value).set_files({"name": "nota.mp3", "mimeType": "audio/mpeg", "buffer": b"ID3"})
    await telegram.wait_for(lambda: ada.chat)

    assert ada.chat[0].raw["voice"]["mime_type"] == "audio/mpeg"


async def test_ones_own_messages_and_captions_are_edited(
    page: Page, url: str, ada: Person, telegram: TelegramSandbox
) -> None:
    ada.sends("Ho finito ieri")
    ada.sends_album([Photo(), Photo()], caption="Prima")
    await page.goto(f"{url}/sandbox/chat/{ada.id}")
    for number, text in enumerate(("Ho finito oggi", "Dopo")):
        bubble = page.get_by_role("article").nth(number)
        await bubble.hover()
        await bubble.get_by_role("button", name="Modifica").click()
        await page.get_by_label("Messaggio", exact=True).fill(text)
        await page.keyboard.press("Enter")
        await expect(bubble).to_contain_text("modificato")
    await expect(page.get_by_role("article")).to_have_count(2)

    assert [message.text for message in ada.chat] == ["Ho finito oggi", "Dopo", ""]
    assert [message.edited for message in ada.chat] == [True, True, False]
    assert await page.get_by_label("Messaggio", exact=True).input_value() == ""


async def test_ones_own_photo_is_replaced_and_its_caption_taken_away(
    page: Page, url: str, ada: Person, telegram: TelegramSandbox
) -> None:
    sent = ada.sends_photo(caption="Prima")
    first = sent.file_id
    await page.goto(f"{url}/sandbox/chat/{ada.id}")
    bubble = page.get_by_role("article").first
    await bubble.hover()
    await bubble.get_by_role("button", name="Modifica").click()

    await page.locator("#foto").set_input_files(PICTURE)
    await page.get_by_label("Messaggio", exact=True).fill("")
    await page.keyboard.press("Enter")
    await telegram.wait_for(lambda: sent.edited)

    assert sent.file_id != first
    assert (sent.content, sent.text) == (PICTURE["buffer"], "")
    await expect(bubble).to_contain_text("modificato")
    assert len(ada.chat) == 1


async def test_files_of_the_bot_are_saved_and_its_photos_seen(page: Page, url: str, bot: Bot, ada: Person) -> None:
    await page.goto(f"{url}/sandbox/chat/{ada.id}")
    await bot.send_document(ada.id, b"%PDF-1.4", filename="verbale.pdf", caption="Il verbale")
    sent = await bot.send_photo(ada.id, plain_png(60, 40), caption="La <b>foto</b>", parse_mode="HTML")
    async with page.expect_download() as download:
        await page.get_by_role("link", name="verbale.pdf").click()
    await expect(page.get_by_role("img", name="La foto")).to_be_visible()
    await expect(page.locator(".text strong")).to_have_text("foto")
    await sent.delete()
    await expect(page.get_by_role("img", name="La foto")).to_have_count(0)

    assert (await download.value).suggested_filename == "verbale.pdf"
    assert (await (await download.value).path()).read_bytes() == b"%PDF-1.4"
    assert await serious(page) == []


async def test_fresh_mail_appears_by_itself(page: Page, url: str, ada: Person) -> None:
    await page.goto(f"{url}/sandbox/mail")

    await expect(page.get_by_text("Non è arrivato ancora niente.")).to_be_visible()
    assert await serious(page) == []
