"""The office's calendar: what a day moves is shown before it is kept, and listed after."""

import re

from sqlmodel import col, select

from storage.tables import Closure, Deadline, Moved, Obligation
from tests.desk.conftest import Desk
from tests.desk.test_deadlines_pages import a_deadline

NEW = "/desk/calendar/new"


def due_days(desk: Desk) -> set[str]:
    with desk.house.database.read() as session:
        return {one.isoformat() for one in session.exec(select(col(Obligation.due_on))).all()}


def closures(desk: Desk) -> list[Closure]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Closure)).all())


def a_moved_deadline(desk: Desk) -> str:
    """Due on Thursday 3 December from three projects, or the next working day."""
    deadline_id = a_deadline(desk, days=9)
    with desk.house.database.write() as session:
        deadline = session.get_one(Deadline, deadline_id)
        deadline.moved = Moved.NEXT
        session.add(deadline)
        return deadline.first_on.isoformat()


async def test_a_closure_shows_what_moves_before_it_is_kept_and_lists_it_after(desk: Desk) -> None:
    day = a_moved_deadline(desk)
    olga, typed = desk.browser("Olga"), {"day": day, "name": "Chiusura estiva"}

    asked = await olga.send_form(NEW, page=NEW, **typed, step="check")
    assert "3 aggiornamenti dal 3 dic 2026 al 4 dic 2026" in asked.text
    assert closures(desk) == []
    assert due_days(desk) == {day}

    kept = await olga.send_form(NEW, page=NEW, **typed, step="save")
    listed = (await olga.get(kept.headers["location"])).text
    assert "3 aggiornamenti dal 3 dic 2026 al 4 dic 2026" in listed
    assert due_days(desk) == {"2026-12-04"}
    assert "Chiusura estiva" in (await desk.browser("Rita").get("/desk/calendar")).text


async def test_taking_it_out_moves_back_after_it_was_shown(desk: Desk) -> None:
    day = a_moved_deadline(desk)
    olga = desk.browser("Olga")
    await olga.send_form(NEW, page=NEW, day=day, name="Ponte", step="save")
    remove = f"/desk/calendar/{closures(desk)[0].id}/remove"

    asked = (await olga.get(remove)).text
    assert "dal 4 dic 2026 al 3 dic 2026" in asked
    assert due_days(desk) == {"2026-12-04"}

    await olga.send_form(remove, page=remove)
    assert due_days(desk) == {day}
    assert (await olga.get(remove)).status_code == 404


async def test_a_patrons_day_is_of_the_organisation_that_was_named(desk: Desk) -> None:
    day = a_moved_deadline(desk)
    olga = desk.browser("Olga")

    await olga.send_form(NEW, page=NEW, whose="comune di melzo", day=day, yearly="1", name="Patrono", step="save")
    page = (await olga.get("/desk/calendar?q=MELZO")).text
    edit = re.search(r'href="(/desk/calendar/\d+)"', page)

    assert due_days(desk) == {day, "2026-12-04"}
    assert "3 dicembre, ogni anno" in page
    assert edit is not None
    assert 'value="Melzo"' in (await olga.get(edit[1])).text
    await olga.send_form(edit[1], page=NEW, whose="Melzo", day="2026-12-09", name="Patrono", step="save")
    assert due_days(desk) == {day}


async def test_what_is_wrong_is_said_and_stays(desk: Desk) -> None:
    olga = desk.browser("Olga")
    for typed, said in (
        ({"day": "boh", "name": "Ponte"}, "Scrivi il giorno"),
        ({"day": "2026-12-08", "name": "Ponte <i>"}, "già festivo"),
        ({"day": "2026-12-09", "name": ""}, "Scrivi perché è chiuso"),
        ({"day": "2026-12-09", "name": "Ponte", "whose": "Atlantide\x00" + "x" * 900}, "Non conosciamo nessun ente"),
    ):
        answer = await olga.send_form(NEW, page=NEW, **typed)
        assert answer.status_code == 422
        assert said in answer.text
        assert f'value="{typed["day"]}"' in answer.text
    assert closures(desk) == []


async def test_a_reader_sees_the_holidays_of_a_year_and_changes_nothing(desk: Desk) -> None:
    rita = desk.browser("Rita")

    page = (await rita.get("/desk/calendar?year=2027")).text

    assert "Festività del 2027" in page
    assert "28 mar 2027" not in page  # Easter is always a Sunday
    assert "29 mar 2027" in page
    assert NEW not in page
    assert [(await rita.get(f"/desk/calendar?year={year}")).status_code for year in ("x", "0000", "9999")] == [200] * 3
