"""A row of the queue is rendered once while it says the same: never stale, and nobody's own in somebody else's page."""

import re
from datetime import timedelta

import pytest

from desk import queue_rows
from storage.tables import Question, QuestionTag, Referent, Tag
from tests.desk.conftest import CSRF, Browser, Clock, Desk
from tests.desk.test_questions import a_question

ROW = re.compile(r"<tr>\s*<td.*?</tr>", re.DOTALL)


async def row(browser: Browser, path: str = "/desk/questions?view=all") -> str:
    """The one row of a list with one question."""
    (found,) = ROW.findall((await browser.get(path)).text)
    return str(found)


@pytest.fixture
def number(desk: Desk) -> int:
    return a_question(desk)


async def test_a_list_that_says_the_same_is_not_rendered_again(desk: Desk, number: int) -> None:
    olga, ugo = desk.browser("Olga"), desk.browser("Ugo")
    first = await row(olga)
    rendered = queue_rows._row.cache_info().misses

    assert await row(olga) == await row(ugo) == first
    assert queue_rows._row.cache_info().misses == rendered


async def test_what_changes_is_seen_at_once(desk: Desk, number: int) -> None:
    olga = desk.browser("Olga")
    before = await row(olga)

    with desk.house.database.write() as session:
        question = session.get_one(Question, number)
        question.urgent, question.version = True, 7
        session.get_one(Referent, question.referent_id).name = "Ada Nuova"
        tag = Tag(name="DNSH", created_at=desk.house.clock())
        session.add(tag)
        session.flush()
        session.add(QuestionTag(question_id=number, tag_id=tag.id))
    after = await row(olga)

    for now in ("Urgente", f'value="{number}.7"', "Ada Nuova", '<span class="tag">DNSH</span>'):
        assert now in after
        assert now not in before


async def test_a_tag_that_is_renamed_or_taken_off_is_so_in_the_row(desk: Desk, number: int) -> None:
    olga = desk.browser("Olga")
    with desk.house.database.write() as session:
        tag = Tag(name="DNSH", created_at=desk.house.clock())
        session.add(tag)
        session.flush()
        session.add(QuestionTag(question_id=number, tag_id=tag.id))
        tag_id = tag.id
    assert "DNSH" in await row(olga)

    with desk.house.database.write() as session:
        session.get_one(Tag, tag_id).name = "Clima"
    renamed = await row(olga)
    with desk.house.database.write() as session:
        session.delete(session.get_one(QuestionTag, (number, tag_id)))

    assert "Clima" in renamed
    assert "DNSH" not in renamed
    assert "Clima" not in await row(olga)


async def test_the_words_for_its_times_go_on_with_the_clock(desk: Desk, number: int, clock: Clock) -> None:
    with desk.house.database.write() as session:
        question = session.get_one(Question, number)
        question.created_at, question.due_at = clock() - timedelta(minutes=2), clock() + timedelta(minutes=30)
    olga = desk.browser("Olga")
    at_first = await row(olga)

    clock.move(minutes=1)
    soon = await row(olga)
    clock.move(minutes=30)
    late = await row(olga)

    assert "2 minuti fa" in at_first
    assert "3 minuti fa" in soon
    assert "Scade entro un'ora lavorativa" in soon
    assert "33 minuti fa" in late
    assert "In ritardo" in late
    assert "Scade" not in late


async def test_each_reads_it_in_their_own_language(desk: Desk, number: int) -> None:
    olga, ugo = desk.browser("Olga"), desk.browser("Ugo")
    await olga.send_form("/desk/account", page="/desk/account", name="Olga Esempio", language="en")

    english, italian = await row(olga), await row(ugo)

    assert "asked" in english
    assert "chiesta" not in english
    assert "chiesta" in italian
    assert await row(olga) == english


async def test_who_may_only_read_is_given_no_box_after_a_colleague_who_was(desk: Desk, number: int) -> None:
    worker, reader = await row(desk.browser("Olga")), await row(desk.browser("Rita"))

    assert 'type="checkbox"' in worker
    assert "checkbox" not in reader
    assert await row(desk.browser("Olga")) == worker


async def test_nothing_of_whoever_looked_first_stands_in_a_kept_row(desk: Desk, number: int) -> None:
    olga = desk.browser("Olga")
    page = (await olga.get("/desk/questions?view=all")).text
    (kept,) = ROW.findall(page)

    assert len(CSRF.findall(page)) > 1
    for own in ("csrf", *CSRF.findall(page), "Olga"):
        assert own not in kept


async def test_the_list_beside_says_it_as_the_queue_does(desk: Desk, number: int, clock: Clock) -> None:
    other = a_question(desk, text="L'altra domanda, che resta aperta")
    olga = desk.browser("Olga")
    await olga.get("/desk/questions?view=all")

    before = (await olga.get(f"/desk/questions/{number}")).text
    with desk.house.database.write() as session:
        question = session.get_one(Question, other)
        question.urgent, question.due_at = True, clock() - timedelta(minutes=1)
    after = (await olga.get(f"/desk/questions/{number}")).text

    line = re.compile(rf'<li><a href="/desk/questions/{other}">.*?</a></li>', re.DOTALL)
    (was,), (is_now,) = line.findall(before), line.findall(after)
    assert "L&#39;altra domanda" in was
    assert "Urgente" not in was
    assert "Urgente" in is_now
    assert "In ritardo" in is_now


async def test_of_a_long_text_a_row_keeps_the_beginning_alone(desk: Desk) -> None:
    a_question(desk, text="parola " * 2000)
    shown = await row(desk.browser("Olga"))

    assert re.search(r"(parola ){14}parola\.\.\.", shown)
