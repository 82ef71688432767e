"""The choices of what one is told by mail, on one's own account."""

import re

import pytest
from sqlmodel import select

from storage.tables import Audit, NoticeChoice, NoticeKind, NoticeWhen, Staff
from tests.desk.conftest import Desk

PAGE = "/desk/account"
CHOOSE = "/desk/account/notices"
CHOSEN = re.compile(r'<select[^>]* name="(\w+)".*?<option value="(\w+)" selected>', re.S)


def kept(desk: Desk, who: str) -> dict[NoticeKind, NoticeWhen]:
    with desk.house.database.read() as session:
        rows = session.exec(select(NoticeChoice).where(NoticeChoice.staff_id == desk.people[who]))
        return {row.kind: row.wish for row in rows}


async def chosen(desk: Desk, who: str) -> dict[str, str]:
    return dict(CHOSEN.findall((await desk.browser(who).get(PAGE)).text))


async def test_one_chooses_for_each_kind_and_it_stays(desk: Desk) -> None:
    olga = desk.browser("Olga")
    before = await chosen(desk, "Olga")

    answer = await olga.send_form(CHOOSE, page=PAGE, new="daily", overdue="never", mine="soon")
    after = await chosen(desk, "Olga")

    assert answer.headers["location"] == f"{PAGE}#notices"
    assert (before["new"], before["overdue"]) == ("soon", "daily")
    assert (after["new"], after["overdue"], after["mine"]) == ("daily", "never", "soon")
    # What is as the house does it by itself is not kept: it follows the role.
    assert kept(desk, "Olga") == {NoticeKind.NEW: NoticeWhen.DAILY, NoticeKind.OVERDUE: NoticeWhen.NEVER}
    assert kept(desk, "Ugo") == {}
    with desk.house.database.read() as session:
        assert session.exec(select(Audit.action).where(Audit.action == "staff.notices")).all() == ["staff.notices"]


async def test_one_may_go_back_to_what_was(desk: Desk) -> None:
    olga = desk.browser("Olga")
    await olga.send_form(CHOOSE, page=PAGE, new="never")

    await olga.send_form(CHOOSE, page=PAGE, new="soon")

    assert (await chosen(desk, "Olga"))["new"] == "soon"


@pytest.mark.parametrize(("who", "absent"), [("Vera", {"approval", "post"}), ("Rita", {"new", "mine", "post"})])
async def test_nobody_is_asked_about_what_they_may_do_nothing_about(desk: Desk, who: str, absent: set[str]) -> None:
    offered = await chosen(desk, who)
    await desk.browser(who).send_form(CHOOSE, page=PAGE, **dict.fromkeys(absent, "daily"))

    assert "mentioned" in offered
    assert absent & offered.keys() == set()
    assert kept(desk, who) == {}


@pytest.mark.parametrize("nonsense", ["", "sometimes", "\x00", "x" * 5_000])
async def test_nonsense_changes_nothing(desk: Desk, nonsense: str) -> None:
    answer = await desk.browser("Olga").send_form(CHOOSE, page=PAGE, new=nonsense)

    assert answer.status_code in (303, 422)
    assert kept(desk, "Olga") == {}


async def test_who_wants_no_mail_at_all_is_told_so_beside_the_choices(desk: Desk) -> None:
    sentence = "Qui sopra hai scelto di non ricevere e-mail"
    with desk.house.database.write() as session:
        session.get_one(Staff, desk.people["Ugo"]).notices = False

    assert sentence in (await desk.browser("Ugo").get(PAGE)).text
    assert sentence not in (await desk.browser("Olga").get(PAGE)).text
