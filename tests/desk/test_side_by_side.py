"""A question beside the list one came from: whatever the filter, the list stays as it was left."""

import re

import pytest

from desk import came_from
from storage import queue_lines
from storage.tables import Question, QuestionState
from tests.desk.conftest import Browser, Desk


@pytest.fixture
def three(desk: Desk) -> list[int]:
    """Three questions of Ada, in the order of the queue."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent(organization=cast.an_organization())
        return [cast.a_question(ada, f"La {word} domanda").id for word in ("prima", "seconda", "terza")]


def in_the_list(page: str) -> list[int]:
    beside = page.split('class="question-list"')[1].split("</nav>", maxsplit=1)[0].split("<ol")[1]
    return [int(number) for number in re.findall(r'href="/desk/questions/(\d+)"', beside)]


async def opened(browser: Browser, question_id: int) -> str:
    return (await browser.get(f"/desk/questions/{question_id}")).text


async def test_a_question_is_shown_beside_the_list_one_came_from(desk: Desk, three: list[int]) -> None:
    rita = desk.browser("Rita")
    await rita.get("/desk/questions?view=all&page=1")

    page = await opened(rita, three[1])

    assert in_the_list(page) == three
    assert f'href="/desk/questions/{three[1]}" aria-current="page"' in page
    assert f'href="/desk/questions/{three[0]}" rel="prev"' in page
    assert f'href="/desk/questions/{three[2]}" rel="next"' in page
    assert "2 di 3" in page
    assert 'href="/desk/questions?view=all&amp;page=1"' in page


async def test_the_list_stays_as_it_was_left_and_says_how_things_stand_now(desk: Desk, three: list[int]) -> None:
    olga = desk.browser("Olga")
    await olga.get("/desk/questions?view=new")
    url = f"/desk/questions/{three[0]}"

    await olga.send_form(f"{url}/take", page=url, version="1")
    page = await opened(olga, three[0])

    assert in_the_list(page) == three
    assert "In lavorazione" in page.split('class="question-list"')[1].split("</nav>")[0]


async def test_what_the_filter_left_out_is_not_in_the_list(desk: Desk, three: list[int]) -> None:
    rita = desk.browser("Rita")
    await rita.get(f"/desk/questions?q={three[2]}")

    page = await opened(rita, three[0])

    assert in_the_list(page) == [three[2]]
    assert f'href="/desk/questions/{three[2]}" rel="next"' in page


def test_lines_are_fetched_in_the_order_they_are_asked_for_without_what_is_not_there(
    desk: Desk, three: list[int]
) -> None:
    with desk.house.database.read() as session:
        lines = queue_lines.lines_of(session, [three[2], 987_654, three[0]])

    assert [line.id for line in lines] == [three[2], three[0]]


async def test_who_came_by_a_link_finds_no_list_and_the_way_to_all_questions(desk: Desk, three: list[int]) -> None:
    page = await opened(desk.browser("Rita"), three[0])

    assert "question-list" not in page
    assert 'href="/desk/questions"' in page


async def test_an_empty_list_is_none(desk: Desk, three: list[int]) -> None:
    rita = desk.browser("Rita")
    await rita.get("/desk/questions?view=approve")

    assert "question-list" not in await opened(rita, three[0])


async def test_the_list_belongs_to_its_session(desk: Desk, three: list[int]) -> None:
    rita, ugo = desk.browser("Rita"), desk.browser("Ugo")
    await rita.get("/desk/questions")
    kept = rita.cookies[came_from.COOKIE]

    for forged in (kept, "x" * 50, '["", "x"]', ""):
        ugo.cookies.set(came_from.COOKIE, forged, domain="raccordo.example", path="/desk/questions")
        assert "question-list" not in await opened(ugo, three[0])
        ugo.cookies.delete(came_from.COOKIE)


async def test_a_very_long_search_is_not_carried_along(desk: Desk, three: list[int]) -> None:
    rita = desk.browser("Rita")
    with desk.house.database.write() as session:
        question = session.get_one(Question, three[0])
        question.state = QuestionState.CLOSED

    long = await rita.get("/desk/questions", params={"view": "all", "x": "è" * 2000})

    assert len(long.headers["set-cookie"]) < 4000
    assert "/desk/questions?view=all" not in await opened(rita, three[0])
    assert in_the_list(await opened(rita, three[0])) == [*three[1:], three[0]]
