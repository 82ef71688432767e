"""The role of a colleague's account: asked, changed, told, written down; never one's own; one administrator stays."""

import threading

import httpx
import pytest
from sqlmodel import select

from storage.tables import Audit, Question, QuestionState, Role, Staff
from tests.desk.conftest import Browser, Desk
from tests.desk.factors import mails
from tests.desk.test_local_roles_pages import a_group, asked_there, entrust
from tests.desk.test_questions import a_question, press, the_question


def page_of(desk: Desk, who: str) -> str:
    return f"/desk/office/staff/{desk.people[who]}/role"


def role(desk: Desk, who: str) -> Role:
    with desk.house.database.read() as session:
        return session.get_one(Staff, desk.people[who]).role


async def changes(browser: Browser, desk: Desk, who: str, to: str, was: str) -> httpx.Response:
    return await browser.send_form(page_of(desk, who), page="/desk/account", to=to, was=was)


async def test_an_administrator_is_asked_first_and_the_colleague_is_told(desk: Desk) -> None:
    anna = desk.browser("Anna")

    offered = (await anna.get(f"{page_of(desk, 'Olga')}s")).text
    asked = await anna.get(page_of(desk, "Olga"), params={"to": "volunteer"})
    before = role(desk, "Olga")
    done = await changes(anna, desk, "Olga", "volunteer", "officer")

    assert f'action="{page_of(desk, "Olga")}"' in offered
    assert "Da funzionario a volontario" in asked.text
    assert (before, role(desk, "Olga")) == (Role.OFFICER, Role.VOLUNTEER)
    assert "volontario" in (await anna.get(done.headers["location"])).text
    assert "volontario" in mails(desk)[0]
    with desk.house.database.read() as session:
        row = session.exec(select(Audit).where(Audit.action == "staff.role")).one()
    assert (row.actor_id, row.object_id) == (desk.people["Anna"], desk.people["Olga"])
    assert row.detail == {"role": "volunteer", "was": "officer"}


async def test_what_a_reader_may_no_longer_work_on_goes_back(desk: Desk) -> None:
    group, place = a_group(desk)
    inside, outside, proposed = asked_there(desk, place), asked_there(desk, None), a_question(desk)
    entrust(desk, "Vera", Role.VOLUNTEER, group_id=group)
    vera = desk.browser("Vera")
    for number in (inside, outside):
        await press(vera, number, "take")
    await press(vera, proposed, "answer", text="Sì")

    await changes(desk.browser("Anna"), desk, "Vera", "reader", "volunteer")

    found: list[Question] = [the_question(desk, number) for number in (inside, outside, proposed)]
    assert [one.state for one in found] == [QuestionState.TAKEN, QuestionState.NEW, QuestionState.PROPOSED]


@pytest.mark.parametrize(
    ("who", "to", "was", "status"),
    [
        ("Anna", "reader", "admin", 409),
        ("Olga", "officer", "officer", 409),
        ("Olga", "reader", "volunteer", 409),
        ("Olga", "king", "officer", 422),
        ("Olga", "", "officer", 422),
    ],
)
async def test_what_cannot_be_is_refused(desk: Desk, who: str, to: str, was: str, status: int) -> None:
    before = role(desk, who)

    answer = await changes(desk.browser("Anna"), desk, who, to, was)

    assert (answer.status_code, role(desk, who)) == (status, before)


@pytest.mark.parametrize("who", ["Ugo", "Vera", "Rita"])
async def test_others_change_nobody_s_role(desk: Desk, who: str) -> None:
    browser = desk.browser(who)

    asked = await browser.get(page_of(desk, who), params={"to": "admin"})
    answer = await changes(browser, desk, who, "admin", role(desk, who).value)

    assert (asked.status_code, answer.status_code) == (403, 403)
    assert role(desk, who) is not Role.ADMIN


@pytest.mark.parametrize("act", ["role", "deactivate"])
async def test_of_two_administrators_who_remove_each_other_one_stays(desk: Desk, act: str) -> None:
    with desk.house.database.write() as session:
        session.get_one(Staff, desk.people["Ugo"]).role = Role.ADMIN
    fields, together = {"to": "reader", "was": "admin"}, threading.Barrier(2)

    def remove(by: str, whom: str) -> None:
        import asyncio

        async def go() -> None:
            browser = desk.browser(by)
            await browser.get("/desk/account")
            together.wait(timeout=30)
            await browser.send_form(f"/desk/office/staff/{desk.people[whom]}/{act}", page="/desk/account", **fields)

        asyncio.run(go())

    pair = [threading.Thread(target=remove, args=one) for one in (("Anna", "Ugo"), ("Ugo", "Anna"))]
    for one in pair:
        one.start()
    for one in pair:
        one.join()

    with desk.house.database.read() as session:
        rows = session.exec(select(Staff).where(Staff.role == Role.ADMIN)).all()
    assert len([one for one in rows if one.active]) == 1
