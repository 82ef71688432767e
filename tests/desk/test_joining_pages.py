"""The pages on which questions are merged, taken apart and split."""

import re

import httpx
from sqlmodel import col, select

from intake.questions import add_message
from storage.tables import Channel, Message, Question, QuestionState, Referent
from tests.desk.conftest import Browser, Desk
from tests.desk.test_personal import a_person
from tests.desk.test_personal import a_question as asked_by
from tests.desk.test_questions import a_question, press, the_question


def two(desk: Desk) -> tuple[int, int]:
    """Ada asked the same thing twice."""
    first = a_question(desk, "Il ribasso?")
    with desk.house.database.write() as session:
        ada = session.get_one(Referent, session.get_one(Question, first).referent_id)
        return first, desk.cast(session).a_question(ada, "E allora, il ribasso?").id


async def page(browser: Browser, path: str) -> str:
    return (await browser.get(f"/desk/questions/{path}")).text


async def merge(browser: Browser, source: int, target: int, version: int = 1) -> httpx.Response:
    return await press(browser, source, "merge", version, into=str(target), into_version="1")


async def test_first_which_one_then_both_side_by_side_then_they_are_one(desk: Desk) -> None:
    first, second = two(desk)
    stranger = a_question(desk, "Altra cosa?")
    vera = desk.browser("Vera")

    choice = await page(vera, f"{second}/merge")
    both = await page(vera, f"{second}/merge?into={first}")
    done = await merge(vera, second, first)
    after = await vera.get(f"/desk/questions/{second}", follow_redirects=True)

    assert f'value="{first}"' in choice
    assert f'value="{stranger}"' not in choice
    assert "Il ribasso?" in both
    assert "E allora, il ribasso?" in both
    assert "Unisci</button>" in both
    assert done.headers["location"] == f"/desk/questions/{first}"
    assert str(after.url).endswith(f"/desk/questions/{first}")
    assert "Separala di nuovo" in after.text
    assert f"La domanda n. {second} è stata unita a questa." in after.text


async def test_what_cannot_be_merged_is_said_before_and_after(desk: Desk) -> None:
    first, second = two(desk)
    stranger = a_question(desk, "Altra cosa?")
    vera = desk.browser("Vera")

    for into, sentence in (
        (str(stranger), "Le hanno fatte due persone diverse"),
        (str(second), "questa è la stessa"),
        ("999999", "Non c&#39;è nessuna domanda"),
        ("99999999999999999999", "Non c&#39;è nessuna domanda"),
        ("\x00", "Non c&#39;è nessuna domanda"),
    ):
        found = await vera.get(f"/desk/questions/{second}/merge", params={"into": into})
        assert sentence in found.text
        assert "Unisci</button>" not in found.text
    refused = await merge(vera, second, stranger)
    absurd = await press(vera, second, "merge", into="99999999999", into_version="99999999999")

    assert (refused.status_code, absurd.status_code) == (409, 409)
    assert "Le hanno fatte due persone diverse" in refused.text
    assert the_question(desk, second).merged_into_id is None
    assert the_question(desk, first).version == 1


async def test_taken_out_again_it_is_a_question_of_its_own(desk: Desk) -> None:
    first, second = two(desk)
    vera = desk.browser("Vera")
    await merge(vera, second, first)

    done = await press(vera, first, "take-out", 2, number=str(second))
    again = await press(vera, first, "take-out", 3, number=str(second))

    assert done.headers["location"] == f"/desk/questions/{second}"
    assert the_question(desk, second).state is QuestionState.NEW
    assert again.status_code == 409
    assert "non fa più parte di questa" in again.text


async def test_split_in_two_and_back_to_the_merge_page(desk: Desk) -> None:
    number = a_question(desk, "Il ribasso?")
    with desk.house.database.write() as session:
        question = session.get_one(Question, number)
        assert question.referent_id is not None
        more = add_message(
            session,
            question,
            referent_id=question.referent_id,
            text="E la DNSH?",
            channel=Channel.TELEGRAM,
            now=desk.house.clock(),
        ).id
    vera = desk.browser("Vera")

    shown = await page(vera, f"{number}/split")
    nothing = await press(vera, number, "split", 2)
    done = await press(vera, number, "split", 2, message=str(more))
    new = int(done.headers["location"].rpartition("/")[2])
    after = await page(vera, str(new))

    assert "E la DNSH?" in shown
    assert nothing.status_code == 409
    assert "Scegli i messaggi" in nothing.text
    assert "E la DNSH?" in after
    assert f'/desk/questions/{new}/merge?into={number}"' in after
    with desk.house.database.read() as session:
        said = session.exec(select(Message.question_id).order_by(col(Message.id))).all()
    assert said == [number, new]


async def test_rita_reads_and_merges_nothing(desk: Desk) -> None:
    first, second = two(desk)
    rita = desk.browser("Rita")

    shown = await page(rita, str(first))
    refused = await merge(rita, second, first)

    assert "Unisci o dividi" not in shown
    assert refused.status_code == 403


async def test_on_their_own_page_the_old_number_leads_to_the_new_one(desk: Desk) -> None:
    ada = a_person(desk)
    first, second = asked_by(desk, ada, "Il ribasso?"), asked_by(desk, ada, "E allora?")
    await merge(desk.browser("Vera"), second, first)

    old = await desk.browser().get(f"{ada.page}/questions/{second}", follow_redirects=True)
    own = await desk.browser().get(ada.page)

    assert str(old.url).endswith(f"/questions/{first}")
    assert "E allora?" in old.text
    assert re.findall(rf"{ada.page}/questions/(\d+)", own.text) == [str(first)]


async def test_one_message_makes_no_two_questions_and_the_page_says_so(desk: Desk) -> None:
    number = a_question(desk, "Il ribasso?")

    shown = await page(desk.browser("Vera"), f"{number}/split")

    assert "C’è un solo messaggio" in shown
    assert 'name="message"' not in shown
