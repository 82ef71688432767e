"""A form on one's own page is nobody else's: every page of it and every button has its stranger."""

from datetime import datetime

import pytest

from storage.people import new_personal_link
from storage.tables import Following
from tests.desk.conftest import CSRF, Desk
from tests.desk.filling import a_filler, begins, form_id, updates
from tests.desk.test_fill import ANSWERS, drafts, obligations
from tests.desk.test_personal import a_person, carla, owes

PAGES = ("", "/summary", "/discard", "/telegram", "/remove?key=x")
BUTTONS = ("", "/answers", "/files", "/discard", "/send")


@pytest.mark.parametrize("page", PAGES)
async def test_carla_does_not_see_a_form_of_ada(desk: Desk, page: str) -> None:
    filler = await a_filler(desk, a_person(desk, chat=1), "project-update")
    stranger = carla(desk)

    answered = await desk.browser().get(f"{stranger.page}/drafts/{filler.draft_id}{page}")

    assert answered.status_code == 404


@pytest.mark.parametrize("button", BUTTONS)
async def test_carla_changes_nothing_in_a_form_of_ada(desk: Desk, button: str) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("save", ANSWERS)
    before = filler.draft()
    stranger = carla(desk)
    browser = desk.browser()
    csrf = CSRF.search((await browser.get(f"{stranger.page}/ask")).text)
    assert csrf is not None
    fields = {"csrf": csrf[1], "revision": str(before.revision), "shown": "progress=!", "a:progress": "99"}

    answered = await browser.post(f"{stranger.page}/drafts/{filler.draft_id}{button}", data=fields)

    assert answered.status_code == 404
    assert filler.draft() == before
    assert updates(desk) == []


async def test_carla_begins_nothing_about_a_project_of_ada(desk: Desk, now: datetime) -> None:
    ada, stranger = a_person(desk), carla(desk)
    owes(desk, ada, now.date())
    number = form_id(desk, "project-update")
    owed = obligations(desk)[0].id
    browser = desk.browser()

    for fields in ({"form_id": number, "project_id": ada.project}, {"obligation_id": owed}, {"form_id": 999}):
        assert (await begins(desk, stranger, browser, **fields)).status_code == 404
    looked = await browser.get(f"{stranger.page}/fill?obligation_id={owed}")

    assert looked.status_code == 404
    assert drafts(desk) == []


async def test_carla_does_not_see_the_receipt_of_ada(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("send", ANSWERS)
    await filler.sends()

    answered = await desk.browser().get(f"{carla(desk).page}/sent/{updates(desk)[0].id}")

    assert answered.status_code == 404


async def test_who_no_longer_follows_a_project_does_not_see_its_form(desk: Desk) -> None:
    ada = a_person(desk)
    filler = await a_filler(desk, ada, "project-update")
    with desk.house.database.write() as session:
        session.delete(session.get_one(Following, (ada.id, ada.project)))

    assert (await filler.browser.get(filler.address)).status_code == 404


async def test_a_link_that_no_longer_works_opens_no_form(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    filler = await a_filler(desk, ada, "project-update")

    for page in (f"/r/falsa/drafts/{filler.draft_id}", "/r/falsa/fill", "/r/falsa/sent/1"):
        answered = await desk.browser().get(page)
        assert answered.status_code == 404
        assert "Questo link non funziona più" in answered.text


async def test_a_form_from_elsewhere_is_refused(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    answered = await filler.browser.post(filler.address, data={"shown": "progress=!", "a:progress": "99"})

    assert answered.status_code == 403
    assert filler.draft().answers == {}


async def test_another_link_of_theirs_opens_the_same_form(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    filler = await a_filler(desk, ada, "project-update")
    with desk.house.database.write() as session:
        token = new_personal_link(session, ada.id, now)

    assert (await desk.browser().get(f"/r/{token}/drafts/{filler.draft_id}")).status_code == 200
