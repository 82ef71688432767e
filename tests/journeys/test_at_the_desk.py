"""At a question in Chromium: by keys alone, and with a colleague at the same one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from app.mark_keeping import renew_all
from desk import security
from desk.presence import Streams
from storage.database import Database
from storage.tables import Audience, Channel, Message, QuestionState
from tests.cast import Cast
from tests.desk.conftest import Clock, Desk, a_desk
from tests.journeys.browsing import LAPTOP, PHONE, Window, a_window, chromium, served
from tests.journeys.conftest import free_port

pytestmark = pytest.mark.journey

SIZES = {"wide": (1600, 1000), "laptop": LAPTOP, "phone": PHONE}


@dataclass
class Room:
    desk: Desk
    browser: Browser
    questions: list[int]

    async def window(self, who: str, size: tuple[int, int] = LAPTOP) -> Window:
        window = await a_window(self.browser, size)
        base = self.desk.house.links.base_url
        with self.desk.house.database.write() as session:
            token = security.sign_in_as(session, self.desk.people[who], self.desk.house.clock())
        await window.page.context.add_cookies(
            [{"name": security.session_cookie(self.desk.house), "value": token, "url": base}]
        )
        await window.page.goto(f"{base}/desk/questions")
        return window


@pytest.fixture
async def room(database: Database, clock: Clock, tmp_path: Path) -> AsyncIterator[Room]:
    port = free_port()
    desk = a_desk(database, clock, tmp_path, url=f"http://127.0.0.1:{port}")
    desk.app.state.streams = streams = Streams(pause=0.05)
    with database.write() as session:
        cast = Cast(session, clock())
        town = cast.an_organization()
        ada = cast.a_referent("Ada Esempio", town, (cast.a_project(town),), chat=101)
        questions = [cast.a_question(ada, f"La {word} domanda").id for word in ("prima", "seconda")]
    async with served(desk.app, port), chromium() as browser:
        yield Room(desk, browser, questions)
        streams.close()


@pytest.fixture
def clock(now: object) -> Clock:
    return Clock(now)  # type: ignore[arg-type]


async def test_a_question_is_taken_and_answered_by_keys_alone(room: Room) -> None:
    window = await room.window("Olga")
    page, keyboard = window.page, window.page.keyboard
    first, second = room.questions

    await keyboard.press("j")
    await keyboard.press("j")
    await keyboard.press("Enter")
    await page.wait_for_url(f"**/desk/questions/{second}")
    await keyboard.press("k")
    await page.wait_for_url(f"**/desk/questions/{first}")
    await keyboard.press("t")
    await expect(page.locator(".states")).to_contain_text("In lavorazione")
    await keyboard.press("r")
    await keyboard.type("Sì, j k t c sono solo lettere qui.")
    await keyboard.press("Tab")
    await page.get_by_role("button", name="Invia la risposta").press("Enter")

    await expect(page.locator(".thread")).to_contain_text("Sì, j k t c sono solo lettere qui.")
    await keyboard.press("g")
    await keyboard.press("m")
    await page.wait_for_url("**/desk/questions?view=mine")
    assert window.complaints == []


async def test_the_sheet_opens_over_the_page_and_closes_again(room: Room) -> None:
    window = await room.window("Olga")

    await window.page.keyboard.press("?")
    dialog = window.page.get_by_role("dialog", name="Tasti rapidi")
    await expect(dialog).to_be_visible()
    violations = await window.violations()
    await window.page.keyboard.press("Escape")

    await expect(dialog).to_have_count(0)
    assert urlsplit(window.page.url).path == "/desk/questions"
    assert violations == []


async def test_by_keys_alone_one_box_chooses_the_whole_list_and_when_it_was_asked_is_seen(room: Room) -> None:
    window = await room.window("Olga")
    page = window.page
    lines, every = page.locator('input[name="pick"]:checked'), page.get_by_label("Scegli tutte")

    await every.press("Space")
    await expect(lines).to_have_count(2)
    await expect(page.locator(".pick-all [role=status]")).to_have_text("Scelte: 2")
    await page.get_by_label("Scegli la n.").first.press("Space")
    shown = await page.eval_on_selector("tr time", "one => getComputedStyle(one, '::after').content")

    await expect(lines).to_have_count(1)
    assert await every.evaluate("one => one.indeterminate")
    assert shown == f'"{await page.locator("tr time").first.get_attribute("title")}"'
    assert await window.violations() == window.complaints == []


async def test_a_colleague_is_seen_and_what_they_write_costs_nobody_their_words(room: Room) -> None:
    olga, ugo = await room.window("Olga"), await room.window("Ugo")
    url = f"{room.desk.house.links.base_url}/desk/questions/{room.questions[0]}"
    await olga.page.goto(url)
    await ugo.page.goto(url)

    await olga.page.fill("#f-text", "Una risposta a metà")
    await expect(ugo.page.locator(".presence")).to_have_text("Olga Esempio sta scrivendo adesso.")
    await ugo.page.locator(".note-form summary").click()
    await ugo.page.fill("#f-note", "Attenzione al decreto")
    await ugo.page.get_by_role("button", name="Salva la nota").click()
    await olga.page.get_by_role("button", name="Mostralo").click()

    await expect(olga.page.locator(".thread")).to_contain_text("Attenzione al decreto")
    await expect(olga.page.locator("#f-text")).to_have_value("Una risposta a metà")
    assert olga.complaints == ugo.complaints == []


async def test_an_answer_to_a_question_that_asks_alike_is_put_after_what_is_typed(room: Room) -> None:
    with room.desk.house.database.write() as session:
        cast = room.desk.cast(session)
        alike = cast.a_question(cast.a_referent(), "La seconda domanda, domani", state=QuestionState.ANSWERED)
        answer = Message(
            question_id=alike.id,
            audience=Audience.REFERENT,
            staff_id=room.desk.people["Ugo"],
            text="Sì, con una perizia.",
            channel=Channel.WEB,
            created_at=cast.now,
        )
        cast.add(answer)
    renew_all(room.desk.house.database)
    window = await room.window("Olga")
    page = window.page
    await page.goto(f"{room.desk.house.links.base_url}/desk/questions/{room.questions[1]}")
    await page.fill("#f-text", "Buongiorno Ada,")

    await page.locator("[data-use]").first.click()

    await expect(page.locator("#f-text")).to_have_value("Buongiorno Ada,\n\nSì, con una perizia.")
    await expect(page.locator("#f-text")).to_be_focused()
    await expect(page.locator(".similar-said")).not_to_be_empty()
    assert urlsplit(page.url).query == ""
    assert window.complaints == []


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_stands_in_anybodys_way(room: Room, size: str) -> None:
    window = await room.window("Anna", SIZES[size])
    base = room.desk.house.links.base_url
    found = {}

    for path in ("/desk/questions", f"/desk/questions/{room.questions[0]}", "/desk/keys", "/desk/projects"):
        await window.page.goto(base + path)
        found[path] = await window.violations()

    assert [each for each in found.items() if each[1]] == []
    assert window.complaints == []
