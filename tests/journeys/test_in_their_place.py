"""In somebody's place, in Chromium and in the chat: a substitute answers for who is away, a successor for who left."""

import re
from collections.abc import AsyncIterator
from datetime import date

import pytest
from playwright.async_api import Page, expect
from sqlmodel import select

from desk.security import sign_in_as
from facts.calendar import local_date
from sandbox.people import Person
from storage.tables import Obligation, ObligationState, Outbox, OutboxKind, Staff
from tests.cast import Cast
from tests.journeys.browsing import Window, a_window, chromium
from tests.journeys.conftest import House
from tests.journeys.talk import answers_everything, presses, says
from tests.journeys.test_main_job import a_deadline_on

pytestmark = pytest.mark.journey

REMINDED = "1 dicembre 2026"
DUE = date(2026, 12, 1)


@pytest.fixture
async def olga(house: House) -> AsyncIterator[Window]:
    """Olga's browser."""
    async with chromium() as browser:
        yield await a_window(browser)


def annas_town(house: House) -> tuple[Person, int]:
    """Anna of a town in her chat, with one project; her number. Bruno is her colleague, in his."""
    with house.database.write() as session:
        cast = Cast(session, house.clock())
        town = cast.an_organization("Ente di prova")
        project = cast.a_project(town, title="Ex mercato coperto")
        anna = cast.a_referent("Anna Esempio", town, (project,), chat=1001, email="anna@example.org")
        cast.a_referent("Bruno Esempio", town, (), chat=1002)
        number = anna.id
    return house.telegram.add_person(1001, "Anna", started=True), number


async def opens(house: House, page: Page, path: str) -> None:
    """Signed in anew: days may have passed."""
    base = house.service.settings.public_url
    with house.database.write() as session:
        olga = session.exec(select(Staff.id).where(Staff.email == "olga@example.org")).one()
        token = sign_in_as(session, olga, house.clock())
    await page.context.add_cookies([{"name": "raccordo_session", "value": token, "url": base}])
    await page.goto(base + path)


def reminded(house: House) -> list[str]:
    """To which chats or addresses reminders left."""
    with house.database.read() as session:
        return list(session.exec(select(Outbox.address).where(Outbox.kind == OutboxKind.REMINDER)))


async def shows_what_came(house: House, page: Page, project: str) -> None:
    with house.database.read() as session:
        [owed] = session.exec(select(Obligation)).all()
    assert owed.state is ObligationState.DONE
    await opens(house, page, f"/desk/deadlines/{owed.deadline_id}?which=done")
    await expect(page.locator("main")).to_contain_text(project)


async def test_a_substitute_named_at_the_desk_is_reminded_and_answers_for_who_is_away(
    house: House, olga: Window
) -> None:
    anna, number = annas_town(house)
    bruno = house.telegram.add_person(1002, "Bruno", started=True)
    today = local_date(house.clock(), "Europe/Rome")

    await opens(house, olga.page, f"/desk/referents/{number}/away")
    await olga.page.fill("#f-first", f"{today}")
    await olga.page.fill("#f-last", "2026-12-11")
    await olga.page.select_option("#f-substitute", label="Bruno Esempio")
    await olga.page.locator("button[name=step][value=save]").click()
    await expect(olga.page.locator("main")).to_contain_text("Bruno Esempio")
    a_deadline_on(house, DUE)
    await house.move_to(seconds=1)
    await bruno.wait_for_message(REMINDED, timeout=60)
    await presses(bruno, "Aggiorna", "A che punto è il progetto?")
    await answers_everything(bruno)
    for _ in range(3):
        await house.move_to(days=1)
    await house.all_sent()

    await shows_what_came(house, olga.page, "Ex mercato coperto")
    assert reminded(house) == ["1002"]
    assert not [message for message in anna.from_bot if REMINDED in message.text]
    assert not house.mail.to("anna@example.org")
    assert olga.complaints == []


async def test_a_successor_accepts_the_invitation_and_is_reminded_instead(house: House, olga: Window) -> None:
    anna, number = annas_town(house)
    await says(anna, "/domanda Possiamo usare il ribasso?", "Di quale progetto")
    await presses(anna, "Ex mercato coperto", "inviata")

    await opens(house, olga.page, f"/desk/referents/{number}/hand-over")
    await olga.page.locator("label[for=f-successor-new]").click()
    await olga.page.fill("#f-name", "Dora Nuova")
    await olga.page.fill("#f-email", "dora@example.org")
    await olga.page.get_by_role("button", name="Vedi che cosa succede").click()
    await olga.page.locator("label[for=f-sure]").click()
    await olga.page.get_by_role("button", name="passa le consegne").click()
    await expect(olga.page.locator("main h1")).to_have_text("Dora Nuova")
    invited = await house.mail.wait_for_mail("dora@example.org", containing="t.me/", timeout=60)
    start = re.search(r"start=([\w-]+)", invited.text)
    assert start is not None
    dora = house.telegram.add_person(1003, "Dora")
    await says(dora, f"/start {start[1]}", "L'invito è per")
    await presses(dora, "Sono io", "questa chat è la tua")
    before = len(anna.from_bot)
    a_deadline_on(house, DUE)
    await house.move_to(seconds=1)
    await dora.wait_for_message(REMINDED, timeout=60)
    await presses(dora, "Aggiorna", "A che punto è il progetto?")
    await answers_everything(dora)
    await house.all_sent()

    await shows_what_came(house, olga.page, "Ex mercato coperto")
    await opens(house, olga.page, "/desk/questions/1")
    await expect(olga.page.locator(".thread")).to_contain_text("Possiamo usare il ribasso?")
    assert reminded(house) == ["1003"]
    assert not [message for message in anna.from_bot[before:] if REMINDED in message.text]
    assert olga.complaints == []
