"""Before a question is sent from a personal page: what is answered already."""

import re

import pytest
from sqlmodel import select

from facts.languages import Language
from storage.people import new_personal_link
from storage.tables import FaqEntry, FaqState, Question, Referent
from tests.desk.conftest import Browser, Desk
from tests.desk.test_faq import an_entry, the_entry

ASKS = "Buongiorno, che cos'è il CUP?"


def a_page(desk: Desk, language: Language = Language.IT) -> str:
    with desk.house.database.write() as session:
        ada = desk.cast(session).a_referent()
        session.get_one(Referent, ada.id).language = language
        return f"/r/{new_personal_link(session, ada.id, desk.house.clock())}/ask"


def sent(desk: Desk) -> int:
    with desk.house.database.read() as session:
        return len(session.exec(select(Question.id)).all())


async def ask(browser: Browser, page: str, **fields: object) -> str:
    return (await browser.send_form(page, page=page, **{"text": ASKS} | fields)).text


async def test_the_answer_is_shown_first_and_the_words_stay(desk: Desk) -> None:
    number, page = an_entry(desk, FaqState.PUBLISHED), a_page(desk)

    shown = await ask(desk.browser(), page)

    assert "Il codice unico di progetto." in shown
    assert f'name="helped" value="{number}"' in shown
    assert f'name="seen" value="{number}"' in shown
    assert "Buongiorno, che cos&#39;è il CUP?</textarea>" in shown
    assert sent(desk) == 0


async def test_yes_sends_nothing_counts_once_and_leaves_the_way_open(desk: Desk) -> None:
    number, page = an_entry(desk, FaqState.PUBLISHED), a_page(desk)
    browser = desk.browser()

    glad = await ask(browser, page, offered="1", seen=str(number), helped=str(number))
    before = sent(desk)
    await ask(browser, page, offered="1")

    assert "Non è stato inviato nulla" in glad
    assert 'name="offered" value="1"' in glad
    assert 'name="seen"' not in glad
    assert (before, sent(desk)) == (0, 1)
    assert (the_entry(desk, number).helped, the_entry(desk, number).not_helped) == (1, 0)


async def test_no_sends_it_and_is_counted(desk: Desk) -> None:
    number, page = an_entry(desk, FaqState.PUBLISHED), a_page(desk)

    await ask(desk.browser(), page, offered="1", seen=str(number))

    assert sent(desk) == 1
    assert (the_entry(desk, number).helped, the_entry(desk, number).not_helped) == (0, 1)


@pytest.mark.parametrize(
    "fields",
    [{"text": "L'impresa è fallita: che cosa dobbiamo fare?"}, {"about": "update"}],
)
async def test_what_is_no_question_like_it_goes_at_once(desk: Desk, fields: dict[str, str]) -> None:
    an_entry(desk, FaqState.PUBLISHED)

    await ask(desk.browser(), a_page(desk), **fields)

    assert sent(desk) == 1


async def test_who_attaches_a_file_is_offered_nothing(desk: Desk) -> None:
    an_entry(desk, FaqState.PUBLISHED)
    page, browser = a_page(desk), desk.browser()
    csrf = re.search(r'name="csrf" value="([^"]+)"', (await browser.get(page)).text)
    assert csrf is not None

    await browser.post(page, data={"csrf": csrf[1], "text": ASKS}, files={"file": ("a.pdf", b"%PDF-1.4 x")})

    assert sent(desk) == 1


async def test_only_what_is_published_is_offered_or_counted(desk: Desk) -> None:
    number, page = an_entry(desk), a_page(desk)
    browser = desk.browser()

    await ask(browser, page)
    await ask(browser, page, offered="1", seen=[str(number), "-1", "99999999999"])
    await ask(browser, page, helped=str(number))

    assert sent(desk) == 3
    with desk.house.database.read() as session:
        entry = session.get_one(FaqEntry, number)
        assert (entry.helped, entry.not_helped) == (0, 0)


async def test_whoever_reads_english_is_shown_the_english_text(desk: Desk) -> None:
    an_entry(desk, FaqState.PUBLISHED, question_en="What is a CUP code?", answer_en="The project code.")

    shown = await ask(desk.browser(), a_page(desk, Language.EN), text="Hello, what is a CUP code?")

    assert "The project code." in shown


async def test_somebody_elses_key_opens_nothing(desk: Desk) -> None:
    number, page = an_entry(desk, FaqState.PUBLISHED), a_page(desk)
    browser = desk.browser()

    answer = await browser.send_form("/r/nonsense/ask", page=page, text=ASKS, seen=str(number), helped=str(number))

    assert answer.status_code == 404
    assert the_entry(desk, number).helped == 0
