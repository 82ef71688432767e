"""The demo's mailbox, played in the browser: write to the office, be answered, reply; the same by certified mail."""

import re

import pytest
from playwright.async_api import expect

from tests.journeys.test_browser import Newcomer, newcomer

pytestmark = pytest.mark.journey
__all__ = ["newcomer"]

TRIES, PAUSE = 120, 500  # times, milliseconds: what was written arrives by itself


async def shows(newcomer: Newcomer, text: str) -> None:
    """Looks at the page again and again until it says so."""
    for _ in range(TRIES):
        if await newcomer.page.get_by_text(text).count():
            return
        await newcomer.page.wait_for_timeout(PAUSE)
        await newcomer.page.reload()
    await expect(newcomer.page.get_by_text(text).first).to_be_visible()


async def writes(newcomer: Newcomer, text: str, *, subject: str = "", to: str = "", kind: str = "") -> None:
    """Fills in the sheet that is open, and sends it."""
    page = newcomer.page
    if subject:
        await page.get_by_label("Chi scrive").select_option("ada.esempio@example.org")
        await page.get_by_label("Oggetto").fill(subject)
    if to:
        await page.locator("[name=to]").fill(to)
    await page.get_by_label("Testo", exact=True).fill(text)
    if kind:
        await page.get_by_label(re.compile(kind)).check()
    await page.get_by_role("button", name="Invia").click()
    await expect(page.get_by_text("Raccordo ha preso la mail.")).to_be_visible()


async def answers(newcomer: Newcomer, question: str, text: str) -> str:
    """At the desk; the address of the question."""
    await newcomer.opens("/demo/desk")
    await shows(newcomer, question)
    await newcomer.page.get_by_role("link", name=re.compile(re.escape(question))).first.click()
    await newcomer.page.get_by_label("La tua risposta").fill(text)
    await newcomer.page.get_by_role("button", name="Invia la risposta").click()
    await expect(newcomer.page.get_by_text(text).first).to_be_visible()
    thread = newcomer.page.url.removeprefix(newcomer.base).partition("?")[0]
    await newcomer.lets_a_minute_pass()
    return thread


async def reads_the_answer(newcomer: Newcomer, to: str, text: str) -> None:
    await newcomer.opens(f"/sandbox/mail?to={to}")
    await shows(newcomer, "[Q-")
    await newcomer.page.get_by_role("link", name=re.compile(r"\[Q-\d{4}-\d{5}\]")).first.click()
    await expect(newcomer.page.get_by_text(text).first).to_be_visible()


async def test_a_mail_is_answered_and_the_reply_finds_its_thread(newcomer: Newcomer) -> None:
    await newcomer.opens("/sandbox/mail")
    await newcomer.page.get_by_role("link", name="Scrivi come").click()
    await writes(newcomer, "Possiamo usare il ribasso?", subject="Ribasso d'asta")
    thread = await answers(newcomer, "Possiamo usare il ribasso?", "Sì, per opere dello stesso progetto.")
    await newcomer.opens("/sandbox/mail?to=ada.esempio@example.org")
    await shows(newcomer, "Re: [Q-")
    await reads_the_answer(newcomer, "ada.esempio@example.org", "Ribasso d'asta")

    await newcomer.page.get_by_role("link", name="Rispondi").click()
    assert re.fullmatch(r"raccordo\+[a-z2-7]{32}@example\.org", await newcomer.page.locator("[name=to]").input_value())
    await writes(newcomer, "Grazie, tutto chiaro.")

    await newcomer.opens(thread)
    await shows(newcomer, "Grazie, tutto chiaro.")
    await shows(newcomer, "risposta riconosciuta")


async def test_a_certified_mail_is_answered_by_certified_mail_and_delivered(newcomer: Newcomer) -> None:
    await newcomer.opens("/sandbox/mail/write")
    await writes(
        newcomer,
        "Si chiede la proroga.",
        subject="Richiesta",
        to="raccordo@pec.example.org",
        kind="Posta certificata",
    )

    thread = await answers(newcomer, "Si chiede la proroga.", "La proroga è concessa.")

    await newcomer.opens(thread)
    await shows(newcomer, "PEC verificata")
    await shows(newcomer, "Consegnata")
    await reads_the_answer(newcomer, "ada.esempio@pec.example.org", "La proroga è concessa.")
