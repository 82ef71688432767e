"""A stranger's form with 300 questions and 200 expressions, filled in on the page from its beginning to its receipt."""

import re

from tests.desk.conftest import Desk
from tests.desk.filling import a_filler, published, updates
from tests.desk.test_personal import a_person
from tests.intake.forms.making import large_form

# By the number of a question: text, integer, decimal, one choice, date, several choices; the seventh is a note.
ANSWERS = ("Testo", "7", "1,5", "c3", "10/12/2026", "c4")
ROUNDS = 20  # each answer may open questions


async def test_three_hundred_questions_are_filled_in_and_sent(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), published(desk, large_form()))
    await filler.presses("add:part_40")

    for _round in range(ROUNDS):
        keys = dict.fromkeys(re.findall(r'name="a:([^"]+)"', filler.page))
        answers = {key: ANSWERS[int(key.rpartition("/q")[2]) % 7] for key in keys}
        page = await filler.presses("send", answers)
        if "Rileggi tutto" in page.text:
            break
    await filler.sends()

    [update] = updates(desk)
    assert len(update.answers) > 200
    assert update.answers["part_40[1]/q43"] == 7
    assert update.answers["part_280/q299"] == ["c4"]
