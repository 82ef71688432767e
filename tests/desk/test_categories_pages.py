"""What questions are about: the list, one category, the category of a question, the filter of the queue."""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from app.mark_keeping import renew_all
from facts.calendar import add_working_hours
from storage.tables import Audit, Category, Question
from tests.desk.conftest import Desk
from tests.desk.test_questions import a_question, press, the_question

PAGE = "/desk/categories"
ROME = "Europe/Rome"


def a_category(desk: Desk, name: str = "Rendicontazione", **other: object) -> int:
    with desk.house.database.write() as session:
        row = Category.model_validate({"name": name, "hours": 4, "created_at": desk.house.clock()} | other)
        return int(desk.cast(session).add(row).id)


def the_categories(desk: Desk) -> list[Category]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Category)))


async def test_an_officer_adds_changes_retires_and_takes_into_use_again(desk: Desk) -> None:
    olga = desk.browser("Olga")

    empty = (await olga.get(PAGE)).text
    await olga.send_form(PAGE, page=PAGE, name="  Rendicontazione <b> ", name_en="Reporting", hours="4", free="1")
    (added,) = the_categories(desk)
    one = f"{PAGE}/{added.id}"
    await olga.send_form(one, page=one, name="Rendiconti", hours="8")
    (changed,) = the_categories(desk)
    await olga.send_form(f"{one}/retire", page=PAGE)
    (retired,) = the_categories(desk)
    page = (await olga.get(PAGE)).text
    await olga.send_form(f"{one}/use", page=PAGE)

    assert "Non ci sono ancora categorie" in empty
    assert (added.name, added.name_en, added.hours, added.free) == ("Rendicontazione <b>", "Reporting", 4, True)
    assert (changed.name, changed.name_en, changed.hours, changed.free) == ("Rendiconti", "", 8, False)
    assert retired.active is False
    assert "ritirata" in page
    assert the_categories(desk)[0].active is True
    with desk.house.database.read() as session:
        acts = session.exec(select(Audit.action).where(Audit.object_kind == "category")).all()
    assert acts == ["category.add", "category.change", "category.retire", "category.use"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"name": " ", "hours": "4"}, "Scrivi il nome"),
        ({"name": "x" * 81, "hours": "4"}, "Il nome è troppo lungo"),
        ({"name": "Altra", "hours": "0"}, "da 1 a 500"),
        ({"name": "Altra", "hours": "presto"}, "da 1 a 500"),
        ({"name": "Altra", "hours": "501"}, "da 1 a 500"),
        ({"name": "rendicontazione", "hours": "4"}, "già una categoria"),
    ],
)
async def test_what_is_wrong_is_said_and_stays_in_the_form(desk: Desk, fields: dict[str, str], why: str) -> None:
    a_category(desk)
    other = a_category(desk, "Varianti")
    olga = desk.browser("Olga")

    added = await olga.send_form(PAGE, page=PAGE, **fields)
    changed = await olga.send_form(f"{PAGE}/{other}", page=PAGE, **fields)

    for answer in (added, changed):
        assert answer.status_code == 422
        assert why in answer.text
        assert f'value="{fields["hours"]}"' in answer.text
    assert [one.name for one in the_categories(desk)] == ["Rendicontazione", "Varianti"]


@pytest.mark.parametrize("who", ["Vera", "Rita"])
async def test_who_may_not_arrange_them_does_not(desk: Desk, who: str) -> None:
    number = a_category(desk)
    browser = desk.browser(who)

    looks = [(await browser.get(path)).status_code for path in (PAGE, f"{PAGE}/{number}")]
    presses = [
        (await browser.send_form(path, page="/desk/questions", name="Mia", hours="1")).status_code
        for path in (PAGE, f"{PAGE}/{number}", f"{PAGE}/{number}/retire", f"{PAGE}/{number}/use")
    ]

    assert looks == [403] * 2
    assert presses == [403] * 4
    assert [(one.name, one.active) for one in the_categories(desk)] == [("Rendicontazione", True)]


async def test_one_that_is_not_there(desk: Desk) -> None:
    olga = desk.browser("Olga")

    assert (await olga.get(f"{PAGE}/999")).status_code == 404
    for path in (f"{PAGE}/999", f"{PAGE}/999/retire", f"{PAGE}/999/use"):
        assert (await olga.send_form(path, page=PAGE, name="Mia", hours="1")).status_code == 404


async def test_a_category_says_by_when_its_questions_are_answered(desk: Desk) -> None:
    question_id, number = a_question(desk), a_category(desk, hours=4)
    vera = desk.browser("Vera")
    asked = the_question(desk, question_id).created_at

    await press(vera, question_id, "category", category=str(number))
    inside = the_question(desk, question_id)
    page = (await vera.get(f"/desk/questions/{question_id}")).text
    await press(vera, question_id, "category", category="")
    outside = the_question(desk, question_id)

    assert (inside.category_id, inside.due_at) == (number, add_working_hours(asked, 4, ROME))
    assert "<dd>Rendicontazione</dd>" in page
    assert (outside.category_id, outside.due_at) == (None, add_working_hours(asked, 19, ROME))
    assert outside.version == 1


async def test_what_is_answered_keeps_its_time(desk: Desk) -> None:
    question_id, number = a_question(desk), a_category(desk)
    olga = desk.browser("Olga")
    await press(olga, question_id, "answer", 1, text="Sì.")
    before = the_question(desk, question_id).due_at

    await press(olga, question_id, "category", category=str(number))

    after = the_question(desk, question_id)
    assert (after.category_id, after.due_at) == (number, before)


async def test_a_question_that_opens_again_is_due_by_its_category(desk: Desk) -> None:
    from intake.questions import settle

    question_id, number = a_question(desk), a_category(desk, hours=2)
    olga = desk.browser("Olga")
    await press(olga, question_id, "category", category=str(number))
    await press(olga, question_id, "answer", 1, text="Sì.")
    again = desk.house.clock() + timedelta(days=1)
    with desk.house.database.write() as session:
        ada = session.get_one(Question, question_id).referent_id
        assert ada is not None
        settle(session, question_id, ada, solved=False, now=again)

    assert the_question(desk, question_id).due_at == add_working_hours(again, 2, ROME)


async def test_a_retired_one_stays_where_it_is_and_is_offered_no_more(desk: Desk) -> None:
    old, new = a_question(desk), a_question(desk)
    number = a_category(desk)
    olga = desk.browser("Olga")
    await press(olga, old, "category", category=str(number))
    await olga.send_form(f"{PAGE}/{number}/retire", page=PAGE)

    refused = await press(olga, new, "category", category=str(number))
    unknown = await press(olga, new, "category", category="999999999")

    assert (refused.status_code, unknown.status_code) == (409, 409)
    assert "Questa categoria non è più in uso" in refused.text
    assert the_question(desk, old).category_id == number
    assert f'<option value="{number}" selected>' in (await olga.get(f"/desk/questions/{old}")).text


async def test_the_queue_shows_and_filters_by_category(desk: Desk) -> None:
    inside, outside = a_question(desk, "dentro"), a_question(desk, "fuori")
    number, empty = a_category(desk), a_category(desk, "Varianti")
    olga = desk.browser("Olga")
    await press(olga, inside, "category", category=str(number))
    renew_all(desk.house.database)

    async def found(query: str) -> list[str]:
        page = (await olga.get(f"/desk/questions?{query}")).text
        return re.findall(r'href="/desk/questions/(\d+)"', page)

    assert set(await found("view=all")) == {str(inside), str(outside)}
    assert await found(f"view=all&category={number}") == [str(inside)]
    assert await found(f"q=dentro&category={number}") == [str(inside)]
    assert await found(f"view=all&category={empty}") == []
    assert len(await found("view=all&category=abc")) == 2
    assert "Nessuna domanda con questo filtro" in (await olga.get(f"/desk/questions?view=all&category={empty}")).text
