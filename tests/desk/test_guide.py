"""The first steps of a new office: what is done, the test message, who sees them."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import select

from desk.app import make_desk
from storage.tables import Channel, Office, Outbox, Staff
from tests.desk.conftest import Desk

GUIDE = "/desk/guide"
TOLD = "non è ancora del tutto configurato"


def with_mail(desk: Desk) -> Desk:
    house = replace(desk.house, ways=frozenset({Channel.EMAIL}))
    return Desk(make_desk(house), house, desk.people)


def outbox(desk: Desk) -> list[Any]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Outbox)))


def set_up(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        cast.add(Office(name="Ufficio Esempio"))
        cast.a_project(cast.an_organization())
        cast.a_deadline(cast.a_form(), cast.now.date())


async def test_what_is_missing_is_said_and_what_is_done_too(desk: Desk) -> None:
    before = (await desk.browser("Anna").get(GUIDE)).text
    set_up(desk)
    after = (await desk.browser("Anna").get(GUIDE)).text

    assert "Passi fatti: 1 su 9" in before  # the colleagues are there
    assert "Passi fatti: 4 su 9" in after
    assert "raccordo import projects" in before
    assert "raccordo import projects" not in after


async def test_the_desk_tells_of_it_until_all_is_there(desk: Desk) -> None:
    before = (await desk.browser("Olga").get("/desk/questions")).text
    set_up(desk)
    after = (await desk.browser("Olga").get("/desk/questions")).text

    assert TOLD in before
    assert TOLD not in after


async def test_put_away_it_is_for_one_person_and_can_still_be_opened(desk: Desk) -> None:
    olga = desk.browser("Olga")

    pressed = await olga.send_form(f"{GUIDE}/put-away", page=GUIDE)
    await olga.send_form(f"{GUIDE}/put-away", page="/desk/questions")

    assert pressed.headers["location"] == "/desk/questions"
    assert TOLD not in (await olga.get("/desk/questions")).text
    assert TOLD in (await desk.browser("Anna").get("/desk/questions")).text
    assert (await olga.get(GUIDE)).status_code == 200


async def test_the_test_message_goes_to_oneself_once(desk: Desk) -> None:
    mail = with_mail(desk)
    olga = mail.browser("Olga")

    await olga.send_form(f"{GUIDE}/test", page=GUIDE)
    await olga.send_form(f"{GUIDE}/test", page=GUIDE)

    rows = outbox(desk)
    with desk.house.database.read() as session:
        address = session.get_one(Staff, desk.people["Olga"]).email
    assert [(row.channel, row.address) for row in rows] == [(Channel.EMAIL, address)]
    assert "In attesa di partire" in (await olga.get(GUIDE)).text


async def test_without_mail_no_test_can_be_sent(desk: Desk) -> None:
    olga = desk.browser("Olga")

    pressed = await olga.send_form(f"{GUIDE}/test", page=GUIDE)

    assert pressed.status_code == 409
    assert outbox(desk) == []


@pytest.mark.parametrize("who", ["Vera", "Rita"])
async def test_whoever_does_not_manage_neither_sees_nor_presses(desk: Desk, who: str) -> None:
    browser = desk.browser(who)

    assert (await browser.get(GUIDE)).status_code == 403
    assert TOLD not in (await browser.get("/desk/questions")).text
    for button in ("test", "put-away"):
        assert (await browser.send_form(f"{GUIDE}/{button}", page="/desk/questions")).status_code == 403


async def test_only_administrators_are_led_to_the_page_of_the_office(desk: Desk) -> None:
    assert 'href="/desk/office">Apri' in (await desk.browser("Anna").get(GUIDE)).text
    assert 'href="/desk/office">Apri' not in (await desk.browser("Olga").get(GUIDE)).text
