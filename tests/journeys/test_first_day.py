"""Her first day, in Chromium: a volunteer is let in, takes a question, proposes an answer, reads what was corrected.

And two colleagues at one question: one answer leaves, and the second of them reads it before writing another.
"""

import re

import pytest
from playwright.async_api import expect
from sqlmodel import select

from answering import saved
from storage.tables import Outbox, OutboxKind
from tests.journeys.browsing import a_window
from tests.journeys.test_at_the_desk import Room, clock, room

__all__ = ["clock", "room"]

pytestmark = pytest.mark.journey


def answers_that_leave(room: Room) -> list[str]:
    with room.desk.house.database.read() as session:
        rows = session.exec(select(Outbox).where(Outbox.kind == OutboxKind.ANSWER)).all()
        return [str(row.body) for row in rows]


def keeps_an_answer(room: Room) -> None:
    with room.desk.house.database.write() as session:
        wished = saved.Wished("Ribasso", "Buongiorno {name}, serve una variante.", "", None)
        saved.add_saved(session, room.desk.people["Olga"], wished, now=room.desk.house.clock())


async def test_a_volunteers_first_day_ends_with_an_answer_that_an_officer_corrected(room: Room) -> None:
    keeps_an_answer(room)
    url = f"{room.desk.house.links.base_url}/desk/questions/{room.questions[0]}"
    anna, olga = await room.window("Anna"), await room.window("Olga")
    await anna.page.goto(f"{room.desk.house.links.base_url}/desk/office")
    await anna.page.fill("[name=account_name]", "Nina Esempio")
    await anna.page.fill("[name=account_email]", "nina@example.org")
    await anna.page.select_option("[name=account_role]", "volunteer")
    await anna.page.locator("form[action='/desk/office/staff'] button[type=submit]").click()
    link = re.search(r"http://[^\s<\"]+/desk/welcome/[\w.-]+", await anna.page.content())
    assert link is not None

    nina = await a_window(room.browser)
    await nina.page.goto(link[0])
    for name in ("password", "repeated"):
        await nina.page.fill(f"[name={name}]", "quattro parole tutte mie")
    await nina.page.get_by_role("button", name="Imposta la password").click()
    await nina.page.locator("main").get_by_role("link", name=re.compile("La prima domanda")).click()
    await nina.page.locator("form[action$='/take'] button").click()
    await expect(nina.page.locator(".states")).to_contain_text("In lavorazione")
    await nina.page.locator(".saved-answers summary").click()
    await nina.page.select_option("#f-saved", label="Ribasso")
    await nina.page.locator("button[formaction$='/saved']").click()
    await expect(nina.page.locator("#f-text")).to_have_value("Buongiorno Ada Esempio, serve una variante.")
    await nina.page.get_by_role("button", name="Proponi la risposta").click()
    await expect(nina.page.locator("#proposed")).to_be_visible()
    before = answers_that_leave(room)
    await olga.page.goto(url)
    await olga.page.locator("form[action$='/approve'] textarea").fill("Buongiorno Ada Esempio, serve una perizia.")
    await olga.page.locator("form[action$='/approve'] button[type=submit]:not([formaction])").first.click()
    await expect(olga.page.locator(".thread")).to_contain_text("serve una perizia.")
    await nina.page.goto(url)
    await nina.page.locator("details:has(.difference) summary").click()

    await expect(nina.page.locator(".difference del")).to_contain_text("variante")
    await expect(nina.page.locator(".difference ins")).to_contain_text("perizia")
    [left] = answers_that_leave(room)
    assert before == []
    assert "serve una perizia." in left
    assert anna.complaints == nina.complaints == olga.complaints == []


async def test_of_two_who_answer_one_question_the_second_reads_the_first_and_keeps_their_words(room: Room) -> None:
    url = f"{room.desk.house.links.base_url}/desk/questions/{room.questions[1]}"
    olga, ugo = await room.window("Olga"), await room.window("Ugo")
    for window, text in ((olga, "Entro il 10."), (ugo, "Entro il 20.")):
        await window.page.goto(url)
        await window.page.fill("#f-text", text)

    await olga.page.get_by_role("button", name="Invia la risposta").click()
    await expect(olga.page.locator(".thread")).to_contain_text("Entro il 10.")
    await ugo.page.get_by_role("button", name="Invia la risposta").click()

    await expect(ugo.page.locator(".alert").first).to_contain_text("Olga Esempio")
    await expect(ugo.page.locator(".thread")).to_contain_text("Entro il 10.")
    await expect(ugo.page.locator("#f-text")).to_have_value("Entro il 20.")
    [left] = answers_that_leave(room)
    assert "Entro il 10." in left
