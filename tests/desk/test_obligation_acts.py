"""Many updates that are owed, at once, from the list of a deadline: asked first, said after, undone that day."""

import re

from sqlmodel import col, select

from storage.tables import BulkAct, Obligation, ObligationState
from tests.desk.conftest import Clock, Desk
from tests.desk.test_deadlines_pages import a_deadline, an_obligation

NEW_DAY = "2026-12-21"


def standing(desk: Desk) -> list[tuple[str, ObligationState]]:
    with desk.house.database.read() as session:
        found = session.exec(select(Obligation).order_by(col(Obligation.id))).all()
        return [(one.due_on.isoformat(), one.state) for one in found]


def picks(page: str) -> list[str]:
    return re.findall(r'name="pick" form="f-many" id="f-pick\d+" value="([\d.]+)"', page)


async def test_lines_are_ticked_asked_about_and_given_another_day(desk: Desk) -> None:
    deadline = a_deadline(desk, days=10)
    olga, here = desk.browser("Olga"), f"/desk/deadlines/{deadline}"
    pick = picks((await olga.get(here)).text)
    assert len(pick) == 3

    many = f"{here}/many"
    page = (await olga.get(many, params={"act": "postpone", "pick": pick[:2]})).text
    sent = await olga.send_form(many, page=here, act="postpone", pick=pick[:2], day=NEW_DAY, reason="Alluvione")
    said = (await olga.get(sent.headers["location"])).text

    assert "Dai un altro giorno a 2 aggiornamenti" in page
    assert "2 aggiornamenti ora scadono il 21 dic 2026" in said
    assert [due for due, _state in standing(desk)].count(NEW_DAY) == 2
    undone = await olga.send_form(f"{sent.headers['location']}/undo", page=here)
    assert undone.headers["location"] == here
    assert NEW_DAY not in [due for due, _state in standing(desk)]


async def test_the_whole_list_is_let_off_with_one_choice(desk: Desk) -> None:
    deadline = a_deadline(desk, days=-3)
    olga, here = desk.browser("Olga"), f"/desk/deadlines/{deadline}"

    sent = await olga.send_form(f"{here}/many", page=here, act="waive", whole="1", which="late", reason="Concluso")
    page = (await olga.get(here)).text

    assert sent.status_code == 303
    assert {state for _due, state in standing(desk)} == {ObligationState.WAIVED}
    assert sent.headers["location"] in page  # it can be undone from there


async def test_what_is_wrong_is_said_and_what_was_typed_stays(desk: Desk) -> None:
    deadline = a_deadline(desk, days=10)
    olga, here = desk.browser("Olga"), f"/desk/deadlines/{deadline}"
    pick = picks((await olga.get(here)).text)
    typed = {"act": "postpone", "pick": pick[:1], "day": "2020-01-01", "reason": "Alluvione <b>"}

    answer = await olga.send_form(f"{here}/many", page=here, **typed)
    nonsense = await olga.send_form(f"{here}/many", page=here, **(typed | {"day": "31/31"}))

    assert (answer.status_code, nonsense.status_code) == (422, 422)
    assert "Scegli un giorno da oggi a un anno da oggi" in answer.text
    assert 'value="2020-01-01"' in answer.text
    assert "Alluvione &lt;b&gt;" in answer.text
    assert f'name="pick" value="{pick[0]}"' in answer.text


async def test_nonsense_for_lines_is_no_line(desk: Desk) -> None:
    deadline = a_deadline(desk, days=10)
    olga, here = desk.browser("Olga"), f"/desk/deadlines/{deadline}"

    for pick in (["x"], ["99999999999999999999.1"], ["0.0"], []):
        answer = await olga.send_form(f"{here}/many", page=here, act="waive", pick=pick, reason="Perché")
        assert answer.status_code in (303, 422)
    assert {state for _due, state in standing(desk)} == {ObligationState.OPEN}
    assert (await olga.send_form(f"{here}/many", page=here, act="close-period")).status_code == 409


async def test_a_period_is_closed_after_its_count_was_shown(desk: Desk) -> None:
    deadline = a_deadline(desk, days=10)
    olga, here = desk.browser("Olga"), f"/desk/deadlines/{deadline}"
    link = re.search(r'href="(/desk/deadlines/\d+/close\?period=[^"]+)"', (await olga.get(here)).text)
    assert link is not None

    page = (await olga.get(link[1])).text
    period = link[1].split("=")[1]
    sent = await olga.send_form(f"{here}/close", page=here, period=period, reason="Programma concluso")

    assert "Sono ancora attesi 3 aggiornamenti" in page
    assert sent.status_code == 303
    assert {state for _due, state in standing(desk)} == {ObligationState.WAIVED}
    assert (await olga.get(f"{here}/close?period=2031-01")).status_code == 404


async def test_letting_one_off_can_be_undone_until_the_day_is_over(desk: Desk, clock: Clock) -> None:
    deadline = a_deadline(desk, days=10)
    here = f"/desk/deadlines/{deadline}/obligations/{an_obligation(desk, deadline)}"
    olga = desk.browser("Olga")
    sent = await olga.send_form(f"{here}/waive", page=here, reason="Concluso")
    act = sent.headers["location"]
    assert "Annulla" in (await olga.get(act)).text

    clock.move(days=1)
    late = await desk.browser("Olga").send_form(f"{act}/undo", page=f"/desk/deadlines/{deadline}/stop")

    assert late.headers["location"] == act
    assert ObligationState.WAIVED in {state for _due, state in standing(desk)}


async def test_who_may_only_read_sees_no_boxes_and_an_act_of_another_deadline_is_not_there(desk: Desk) -> None:
    deadline = a_deadline(desk, days=10)
    here = f"/desk/deadlines/{deadline}"
    olga, rita = desk.browser("Olga"), desk.browser("Rita")
    await olga.send_form(f"{here}/many", page=here, act="waive", whole="1", which="open", reason="Concluso")
    with desk.house.database.read() as session:
        number = session.exec(select(BulkAct.id)).one()

    assert picks((await rita.get(here)).text) == []
    assert (await rita.get(f"{here}/acts/{number}")).status_code == 403
    assert (await olga.get(f"/desk/deadlines/{deadline + 1}/acts/{number}")).status_code == 404
    assert (await olga.get(f"/desk/bulk/{number}")).status_code == 404
