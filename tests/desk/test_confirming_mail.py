"""An update that came by mail is confirmed on its writer's page, by a button and never by a look."""

import re
from dataclasses import dataclass

import httpx
import pytest
from sqlmodel import col, select

from reminders.wording import word_reminder
from storage.people import new_personal_link
from storage.reports import close_obligation
from storage.tables import Channel, Draft, DraftState, Obligation, ObligationState, Update
from tests.desk.conftest import Browser, Desk
from tests.desk.filling import Filler, changed, text_of
from tests.desk.test_personal import Person, carla
from tests.intake.replying import LAST, LINKS, a_correspondence

FIFTY = ("(%): 45", "(%): 50")


@dataclass
class Mailed:
    """Ada has replied to a reminder, and has our answer before her."""

    desk: Desk
    token: str
    draft_id: int
    letter: str
    path: str

    @property
    def address(self) -> str:
        """Where the button of the mail leads."""
        return f"/r/{self.token}{self.path}"


def replied(desk: Desk, *changes: tuple[str, str], channel: Channel = Channel.EMAIL) -> Mailed:
    with desk.house.database.write() as session:
        ada = a_correspondence(desk.cast(session), channel=channel)
        assert ada.replies("", ada.quoted(*changes))
        token = new_personal_link(session, ada.ada.id, ada.now)
        ((button,),) = ada.words.buttons
        path = str(button.url).removeprefix("raccordo:personal-page")
        return Mailed(desk, token, ada.drafts[0].id, ada.said, path)


def received(desk: Desk) -> list[Update]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Update).where(col(Update.draft_id).is_not(None))))


def state_of(desk: Desk) -> ObligationState:
    with desk.house.database.read() as session:
        return ObligationState(session.exec(select(Obligation.state)).one())


async def confirms(mailed: Mailed, browser: Browser) -> httpx.Response:
    person = Person(0, 0, mailed.token)
    filler = Filler(mailed.desk, person, browser, f"/r/{mailed.token}/drafts/{mailed.draft_id}", "")
    return await filler.sends()


async def test_looking_at_it_confirms_nothing(desk: Desk) -> None:
    mailed = replied(desk, FIFTY)
    browser = desk.browser()

    for _scanner in range(3):
        page = await browser.get(mailed.address)

    assert page.status_code == 200
    assert "Avanzamento fisico 50%" in text_of(page.text)
    assert (received(desk), state_of(desk)) == ([], ObligationState.OPEN)


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.PEC])
async def test_one_button_sends_it_and_it_came_by_mail(desk: Desk, channel: Channel) -> None:
    mailed = replied(desk, FIFTY, channel=channel)

    receipt = await confirms(mailed, desk.browser())

    (update,) = received(desk)
    assert receipt.status_code == 200
    assert (update.answers, update.channel, update.unchanged) == ({**LAST, "progress": "50"}, channel, False)
    assert state_of(desk) is ObligationState.DONE


async def test_the_reminder_falls_silent_then(desk: Desk) -> None:
    with desk.house.database.write() as session:
        ada = a_correspondence(desk.cast(session))
        ada.replies("", ada.quoted(FIFTY))
        token = new_personal_link(session, ada.ada.id, ada.now)
        mailed = Mailed(desk, token, ada.drafts[0].id, "", "")
        reminder = ada.reminder.id

    await confirms(mailed, desk.browser())

    with desk.house.database.write() as session:
        row = session.get_one(type(ada.reminder), reminder)
        assert word_reminder(LINKS)(session, row, desk.house.clock()) is None


async def test_pressed_twice_it_is_received_once(desk: Desk) -> None:
    mailed = replied(desk, FIFTY)
    browser = desk.browser()
    await confirms(mailed, browser)

    again = await browser.get(mailed.address, follow_redirects=True)

    assert len(received(desk)) == 1
    assert str(again.url).endswith(f"/sent/{received(desk)[0].id}")


async def test_what_was_not_understood_stands_in_its_field_with_the_reason(desk: Desk) -> None:
    mailed = replied(desk, FIFTY, ("30/06/2027", "quando si può"))
    browser = desk.browser()

    page = (await browser.get(mailed.address)).text

    assert 'value="quando si può"' in page
    assert "Non riesco a leggere questa data." in text_of(page)
    summary = await browser.get(f"/r/{mailed.token}/drafts/{mailed.draft_id}/summary")
    assert summary.headers["location"].endswith(f"/drafts/{mailed.draft_id}")


async def test_confirmed_late_it_is_received_all_the_same(desk: Desk) -> None:
    mailed = replied(desk, FIFTY)
    with desk.house.database.write() as session:
        close_obligation(session, session.exec(select(Obligation.id)).one(), desk.house.clock())

    await confirms(mailed, desk.browser())

    (update,) = received(desk)
    assert update.obligation_id is None


async def test_what_another_door_changed_meanwhile_is_what_is_confirmed(desk: Desk) -> None:
    mailed = replied(desk, FIFTY)
    browser = desk.browser()
    before = (await browser.get(mailed.address)).text
    changed(desk, mailed.draft_id, progress="55")

    revision = re.search(r'name="revision" value="(\d+)"', before)
    assert revision is not None
    late = await browser.send_form(
        f"/r/{mailed.token}/drafts/{mailed.draft_id}/send", page=mailed.address, revision=revision[1]
    )

    assert late.headers["location"].endswith("/summary")
    assert received(desk) == []
    await confirms(mailed, browser)
    assert received(desk)[0].answers["progress"] == "55"


async def test_nobody_else_can_confirm_it(desk: Desk) -> None:
    mailed = replied(desk, FIFTY)
    stranger = carla(desk)
    browser = desk.browser()

    page = await browser.get(f"{stranger.page}{mailed.path}")
    post = await browser.send_form(
        f"{stranger.page}/drafts/{mailed.draft_id}/send", page=f"{stranger.page}/ask", revision="0"
    )

    assert (page.status_code, post.status_code) == (404, 404)
    with desk.house.database.read() as session:
        assert session.get_one(Draft, mailed.draft_id).state is DraftState.PARKED


async def test_the_way_to_correct_nothing_new_opens_its_receipt(desk: Desk) -> None:
    with desk.house.database.write() as session:
        ada = a_correspondence(desk.cast(session))
        ada.replies("Nessuna novità", ada.quoted())
        token = new_personal_link(session, ada.ada.id, ada.now)
        ((button,),) = ada.words.buttons

    page = await desk.browser().get(f"/r/{token}{str(button.url).removeprefix('raccordo:personal-page')}")

    assert page.status_code == 200
    assert "Correggi" in text_of(page.text)


async def test_where_a_first_update_is_needed_the_link_opens_its_form(desk: Desk) -> None:
    with desk.house.database.write() as session:
        ada = a_correspondence(desk.cast(session), last=None)
        ada.replies("Nessuna novità")
        token = new_personal_link(session, ada.ada.id, ada.now)
        ((button,),) = ada.words.buttons

    page = await desk.browser().get(f"/r/{token}{str(button.url).removeprefix('raccordo:personal-page')}")

    assert page.status_code == 200
    assert "Ex mercato" in page.text
