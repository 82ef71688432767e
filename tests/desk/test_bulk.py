"""One act on many questions: done where it can be, said where not, and undone."""

import re
import threading
from datetime import datetime

import httpx
import pytest
from sqlmodel import col, select

from answering import bulk
from answering.bulk import Act, Wanted, Who
from answering.joining import Seen
from app.mark_keeping import renew_all
from storage.database import Database
from storage.tables import BulkAct, Category, Question, QuestionState, QuestionTag, Tag
from tests.cast import Cast
from tests.desk.conftest import Browser, Clock, Desk
from tests.desk.test_questions import a_question, press, the_question


def some(desk: Desk, how_many: int = 3) -> list[int]:
    return [a_question(desk, f"Domanda {number}?") for number in range(how_many)]


async def apply(browser: Browser, numbers: list[int], act: str, version: int = 1, **other: object) -> httpx.Response:
    fields = {"pick": [f"{number}.{version}" for number in numbers], "act": act, "query": "view=all", **other}
    return await browser.send_form("/desk/bulk", page="/desk/questions?view=all", **fields)


async def became(browser: Browser, done: httpx.Response) -> str:
    assert done.status_code == 303, done.text
    return (await browser.get(done.headers["location"])).text


async def undo(browser: Browser, done: httpx.Response, query: str = "view=all") -> httpx.Response:
    place = done.headers["location"].partition("?")[0]
    return await browser.send_form(f"{place}/undo", page="/desk/questions?view=all", query=query)


def states(desk: Desk, numbers: list[int]) -> list[tuple[QuestionState, int | None]]:
    found = [the_question(desk, number) for number in numbers]
    return [(one.state, one.taken_by) for one in found]


async def test_each_line_can_be_chosen_and_one_choice_says_what_is_done(desk: Desk) -> None:
    numbers, vera = some(desk), desk.browser("Vera")

    page = (await vera.get("/desk/questions")).text
    done = await apply(vera, numbers[:2], "take")
    said = await became(vera, done)

    assert re.findall(r'name="pick" id="f-pick(\d+)" value="\1\.1"', page) == [str(one) for one in numbers]
    assert "Fatto per 2 domande" in said
    assert states(desk, numbers) == [(QuestionState.TAKEN, desk.people["Vera"])] * 2 + [(QuestionState.NEW, None)]


async def test_what_moved_on_since_the_list_was_read_stays_and_is_said(desk: Desk) -> None:
    numbers, vera = some(desk), desk.browser("Vera")
    await press(desk.browser("Olga"), numbers[0], "take")
    await press(vera, numbers[1], "take")

    said = await became(vera, await apply(vera, numbers, "take"))

    assert "Fatto per una domanda" in said
    assert "Era già così per una domanda" in said
    assert "Una domanda resta com" in said
    assert "Olga Esempio" in said
    assert states(desk, numbers)[0] == (QuestionState.TAKEN, desk.people["Olga"])


async def test_undone_all_is_as_it_was_except_what_moved_on(desk: Desk) -> None:
    numbers, vera = some(desk), desk.browser("Vera")
    done = await apply(vera, numbers, f"assign:{desk.people['Ugo']}")
    await press(desk.browser("Olga"), numbers[2], "take", 2)

    undone = await undo(vera, done)
    said = (await vera.get(undone.headers["location"])).text
    again = await undo(vera, done)

    assert states(desk, numbers) == [(QuestionState.NEW, None)] * 2 + [(QuestionState.TAKEN, desk.people["Olga"])]
    assert f"Annullato, tranne ciò che nel frattempo è andato avanti: n. {numbers[2]}." in said
    assert again.status_code == 409


async def test_closing_asks_first_and_says_who_has_no_answer(desk: Desk) -> None:
    numbers, vera = some(desk), desk.browser("Vera")

    asked = await apply(vera, numbers, "close")
    assert states(desk, numbers) == [(QuestionState.NEW, None)] * 3
    done = await apply(vera, numbers, "close", sure="1")
    await undo(vera, done)

    assert "Chiudere 3 domande?" in asked.text
    assert "In 3 il referente ha scritto per ultimo" in asked.text
    assert states(desk, numbers) == [(QuestionState.NEW, None)] * 3
    assert the_question(desk, numbers[0]).version == 3
    assert the_question(desk, numbers[0]).closed_at is None


@pytest.mark.parametrize("act", ["tag", "untag", "category", "urgent", "not-urgent"])
async def test_sorting_is_done_and_undone_without_stopping_anybody(desk: Desk, act: str) -> None:
    numbers, olga = some(desk, 2), desk.browser("Olga")
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        tag = cast.add(Tag(name="DNSH", created_at=cast.now))
        category = cast.add(Category(name="Fondi", hours=3, created_at=cast.now))
        if act == "untag":
            for number in numbers:
                cast.add(QuestionTag(question_id=number, tag_id=tag.id))
        for number in numbers if act == "not-urgent" else ():
            session.get_one(Question, number).urgent = True
        thing = {"tag": f":{tag.id}", "untag": f":{tag.id}", "category": f":{category.id}"}.get(act, "")
    before = sorting(desk, numbers)

    done = await apply(olga, numbers, act + thing)
    after = sorting(desk, numbers)
    await undo(olga, done)

    assert before != after
    assert sorting(desk, numbers) == before
    assert [the_question(desk, number).version for number in numbers] == [1, 1]


def sorting(desk: Desk, numbers: list[int]) -> list[object]:
    with desk.house.database.read() as session:
        tags = session.exec(select(QuestionTag.question_id, QuestionTag.tag_id)).all()
        rows = session.exec(select(Question).where(col(Question.id).in_(numbers)).order_by(col(Question.id)))
        return [sorted(tags), [(one.urgent, one.category_id, one.due_at) for one in rows]]


async def test_after_ten_minutes_and_for_somebody_else_there_is_no_undo(desk: Desk, clock: Clock) -> None:
    numbers, vera = some(desk), desk.browser("Vera")
    done = await apply(vera, numbers, "take")

    foreign = await undo(desk.browser("Olga"), done)
    looked = await desk.browser("Olga").get(done.headers["location"])
    clock.move(minutes=10)
    late = await undo(vera, done)

    assert (foreign.status_code, looked.status_code, late.status_code) == (404, 404, 409)
    assert "Annulla</button>" not in await became(vera, done)


@pytest.mark.parametrize(
    ("pick", "act"),
    [
        ([], "take"),
        (["1.1"], ""),
        (["1.1"], "assign"),
        (["1.1"], "delete"),
        (["x", "1", "99999999999.1", "\x00.1"], "take"),
        ([f"{number}.1" for number in range(1, 102)], "take"),
    ],
)
async def test_nothing_chosen_nonsense_and_too_many_are_refused(desk: Desk, pick: list[str], act: str) -> None:
    vera = desk.browser("Vera")

    done = await vera.send_form("/desk/bulk", page="/desk/questions", pick=pick, act=act)

    assert done.status_code == 409
    with desk.house.database.read() as session:
        assert session.exec(select(BulkAct)).all() == []


async def test_of_things_that_are_not_there_each_is_refused(desk: Desk) -> None:
    numbers, vera = [*some(desk, 1), 999_999], desk.browser("Vera")

    for act in ("assign:999999", "tag:999999", "category:999999", "assign:9999999999999"):
        said = await became(vera, await apply(vera, numbers, act))
        assert "2 domande restano com" in said
    assert states(desk, numbers[:1]) == [(QuestionState.NEW, None)]


async def test_rita_chooses_nothing(desk: Desk) -> None:
    numbers, rita = some(desk), desk.browser("Rita")

    page = (await rita.get("/desk/questions")).text
    done = await apply(rita, numbers, "take")

    assert 'name="pick"' not in page
    assert done.status_code == 403


def test_of_two_who_take_the_same_at_once_each_question_is_one_s(database: Database, now: datetime) -> None:
    with database.write() as session:
        cast = Cast(session, now)
        people = [cast.a_staff().id, cast.a_staff("Ugo Esempio").id]
        ada = cast.a_referent()
        many = [Seen(cast.a_question(ada).id, 1) for _ in range(10)]
    start, done = threading.Barrier(2), []

    def take(staff_id: int) -> None:
        start.wait(30)
        with database.write() as session:
            act = bulk.do(session, many, Wanted(Act.TAKE), Who(staff_id, now, "Europe/Rome"))
            done.append(len(act.before["done"]))

    both = [threading.Thread(target=take, args=(one,)) for one in people]
    for one in both:
        one.start()
    for one in both:
        one.join(30)

    assert sum(done) == 10
    with database.read() as session:
        assert {one.version for one in session.exec(select(Question))} == {2}


async def test_the_words_looked_for_are_still_there_after_an_act_and_after_its_undo(desk: Desk) -> None:
    numbers, vera = some(desk, 2), desk.browser("Vera")
    kept = "view=all&channel=telegram&q=Domanda+%26+co"

    done = await apply(vera, numbers, "take", query=kept)
    said = await became(vera, done)
    asked = await apply(vera, numbers, "close", query=kept)
    undone = await undo(vera, done, kept)

    assert 'href="/desk/questions?view=all&amp;channel=telegram&amp;q=Domanda+%26+co"' in said
    assert 'href="/desk/questions?view=all&amp;channel=telegram&amp;q=Domanda+%26+co">Annulla' in asked.text
    assert undone.headers["location"] == f"/desk/questions?{kept}"


async def test_the_list_hands_its_own_words_on(desk: Desk) -> None:
    some(desk)
    renew_all(desk.house.database)

    page = (await desk.browser("Vera").get("/desk/questions?q=Domanda&urgent=&who=nobody")).text

    assert 'name="query" value="view=all&amp;who=nobody&amp;q=Domanda"' in page


async def test_one_box_for_all_stands_ready_for_scripts_and_is_sent_by_none(desk: Desk) -> None:
    some(desk)

    vera, rita = [(await desk.browser(who).get("/desk/questions")).text for who in ("Vera", "Rita")]

    assert '<div class="pick-all" hidden>' in vera
    assert 'id="f-pick-all" autocomplete="off"' in vera  # without a name
    assert "pick-all" not in rita
