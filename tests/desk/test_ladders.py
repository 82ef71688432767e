"""The ladders of reminders on the desk: read by all, changed by officers."""

import pytest
from sqlmodel import Session, select

from storage.ladders import rungs_in_use
from storage.tables import Audit, Deadline, Ladder, Rung
from tests.desk.conftest import Desk
from tests.desk.test_deadlines_pages import a_deadline

STANDARD = "/desk/ladders/1"
STEP = {"days": "3", "unit": "working-days", "side": "before", "urgent": "1", "text_it": "Serve il <SAL>."}


def offsets(desk: Desk, ladder_id: int = 1) -> list[int]:
    with desk.house.database.read() as session:
        return [one.offset_days for one in rungs_in_use(session, ladder_id)]


def names(session: Session) -> list[str]:
    return [one.name for one in session.exec(select(Ladder)) if one.retired_at is None]


async def test_a_step_is_added_and_taken_away(desk: Desk) -> None:
    a_deadline(desk, 12)
    olga = desk.browser("Olga")

    before = await olga.get(STANDARD)
    added = await olga.send_form(f"{STANDARD}/rungs", STANDARD, **STEP)
    page = await olga.get(STANDARD)
    with desk.house.database.read() as session:
        rung = next(one.id for one in rungs_in_use(session, 1) if one.offset_days == -3)
    asked = await olga.get(f"{STANDARD}/rungs/{rung}/drop")
    dropped = await olga.send_form(f"{STANDARD}/rungs/{rung}/drop", f"{STANDARD}/rungs/{rung}/drop")
    again = await olga.get(f"{STANDARD}/rungs/{rung}/drop")

    assert "Vale subito per 3 aggiornamenti" in before.text
    assert "3 giorni lavorativi prima" in page.text
    assert "Serve il &lt;SAL&gt;." in page.text
    assert "Si aspettano 3 aggiornamenti con questa scaletta." in asked.text
    assert (added.status_code, dropped.status_code, again.status_code) == (303, 303, 404)
    assert offsets(desk) == [-7, -1, 0, 2, 7]
    with desk.house.database.read() as session:
        acts = [one.action for one in session.exec(select(Audit)) if one.object_kind == "ladder"]
    assert acts == ["ladder.add-rung", "ladder.take-rung"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"days": "7", "unit": "days", "urgent": ""},
        {"days": "9999999999", "urgent": ""},
        {"days": "-1", "unit": "days", "urgent": "", "side": "after", "text_it": "x" * 501},
    ],
)
async def test_what_makes_no_sense_comes_back_as_it_was_typed(desk: Desk, wrong: dict[str, str]) -> None:
    fields = {name: value for name, value in (STEP | wrong).items() if value}

    answer = await desk.browser("Olga").send_form(f"{STANDARD}/rungs", STANDARD, **fields)

    assert answer.status_code == 422
    assert offsets(desk) == [-7, -1, 0, 2, 7]
    assert ("Serve il &lt;SAL&gt;." in answer.text) == ("text_it" not in wrong)


async def test_a_copy_is_chosen_for_a_deadline_and_retired_when_nobody_uses_it(desk: Desk) -> None:
    deadline = a_deadline(desk, 12)
    olga = desk.browser("Olga")

    made = await olga.send_form(f"{STANDARD}/copy", STANDARD, name="Con solleciti")
    own = made.headers["location"]
    await olga.send_form(f"{own}/use", own, deadline=str(deadline))
    used = await olga.get(own)
    refused = await olga.send_form(f"{own}/retire", own)
    await olga.send_form(f"{STANDARD}/use", STANDARD, deadline=str(deadline))
    retired = await olga.send_form(f"{own}/retire", own)

    assert f'<a href="/desk/deadlines/{deadline}">Rendicontazione</a>' in used.text
    assert (refused.status_code, retired.status_code) == (422, 303)
    with desk.house.database.read() as session:
        assert session.get_one(Deadline, deadline).ladder_id == 1
        assert names(session) == ["Standard"]


@pytest.mark.parametrize("name", ["", "Standard", "\0", "x" * 81])
async def test_a_copy_needs_a_name_of_its_own(desk: Desk, name: str) -> None:
    answer = await desk.browser("Olga").send_form(f"{STANDARD}/copy", STANDARD, name=name)

    assert answer.status_code == 422
    with desk.house.database.read() as session:
        assert names(session) == ["Standard"]


async def test_a_step_of_another_ladder_is_not_there(desk: Desk) -> None:
    with desk.house.database.write() as session:
        other = desk.cast(session).add(Ladder(name="Altra", created_at=desk.house.clock()))
        rung = desk.cast(session).add(Rung(ladder_id=other.id, offset_days=-4)).id

    answer = await desk.browser("Olga").send_form(f"{STANDARD}/rungs/{rung}/drop", STANDARD)

    assert answer.status_code == 404


@pytest.mark.parametrize("who", ["Vera", "Rita"])
async def test_volunteers_and_readers_see_ladders_and_change_nothing(desk: Desk, who: str) -> None:
    browser = desk.browser(who)

    page = await browser.get(STANDARD)
    listed = await browser.get("/desk/ladders")
    posted = await browser.send_form(f"{STANDARD}/rungs", STANDARD, **STEP)

    assert page.status_code == listed.status_code == 200
    assert "Aggiungi il passo" not in page.text
    assert posted.status_code == 403
    assert offsets(desk) == [-7, -1, 0, 2, 7]
