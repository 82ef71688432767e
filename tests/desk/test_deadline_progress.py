"""How far each period of a deadline is: for whoever may look, and of this deadline alone."""

import pytest

from tests.desk.conftest import Desk
from tests.desk.test_register import a_register


@pytest.mark.parametrize("who", ["Rita", "Vera", "Olga", "Anna"])
async def test_whoever_may_look_sees_how_far_each_period_is(desk: Desk, who: str) -> None:
    things = a_register(desk)

    found = await desk.browser(who).get(f"/desk/deadlines/{things.deadline}/progress")

    assert found.status_code == 200
    assert f'href="/desk/deadlines/{things.deadline}?period=2026-11"' in found.text
    assert '<td class="number" data-label="In ritardo">1</td>' in found.text
    assert '<td class="number" data-label="Ricevuto">1</td>' in found.text
    assert 'role="img"' in found.text


async def test_the_figures_of_another_deadline_are_not_among_them(desk: Desk) -> None:
    things = a_register(desk)

    found = await desk.browser("Rita").get(f"/desk/deadlines/{things.other}/progress")

    assert '<td class="number" data-label="Atteso">1</td>' in found.text
    assert '<td class="number" data-label="In ritardo">0</td>' in found.text


async def test_a_deadline_that_is_not_there_has_no_progress(desk: Desk) -> None:
    assert (await desk.browser("Rita").get("/desk/deadlines/99999/progress")).status_code == 404
    assert (await desk.browser().get("/desk/deadlines/1/progress")).status_code == 303
