"""One search through everything, from the header of each page; and answered questions that ask alike."""

import re

import pytest
from sqlmodel import select

from app.mark_keeping import renew_all
from storage.tables import Attachment, Audience, Channel, Message, Question, QuestionState, Update
from tests.desk.conftest import Desk


def asked(desk: Desk, text: str, answer: str = "", *, audience: Audience = Audience.REFERENT) -> int:
    """A question of Ada about the market of Abbiategrasso, and what Olga answered."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        town = cast.an_organization("Abbiategrasso") if not session.exec(select(Question.id)).first() else None
        project = cast.a_project(town, title="Ex mercato coperto") if town else None
        question = cast.a_question(
            cast.a_referent("Ada Esempio", town), text, project_id=project.id if project else None
        )
        if answer:
            question.state = QuestionState.ANSWERED
            session.add(
                Message(
                    question_id=question.id,
                    audience=audience,
                    staff_id=desk.people["Olga"],
                    text=answer,
                    channel=Channel.TELEGRAM,
                    created_at=desk.house.clock(),
                )
            )
        number = int(question.id)
    renew_all(desk.house.database)
    return number


def last_message(desk: Desk) -> int:
    with desk.house.database.read() as session:
        return int(session.exec(select(Message.id).order_by(Message.id.desc())).first() or 0)  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ["/desk/questions", "/desk/projects", "/desk/account"])
async def test_every_page_of_the_desk_has_the_box(desk: Desk, path: str) -> None:
    page = (await desk.browser("Rita").get(path)).text

    assert 'action="/desk/search"' in page


async def test_no_page_for_others_has_it(desk: Desk) -> None:
    assert "/desk/search" not in (await desk.browser().get("/desk/sign-in")).text


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        ("", set()),
        ("mercato", {"questions", "projects", "updates"}),
        ("abbiategrasso", {"questions", "projects", "people", "municipalities", "updates"}),
        ("ada", {"questions", "people"}),
        ("cortili", {"questions"}),
        ("planimetria", {"questions", "files"}),
        ("fondazioni", {"updates"}),
        ("collaudo.pdf", {"updates", "files"}),
        ("nientedeltutto", set()),
        ("\x00", set()),
        ("x" * 5000, set()),
    ],
)
async def test_what_is_found_is_grouped_by_what_it_is(desk: Desk, wanted: str, kinds: set[str]) -> None:
    number = asked(desk, "Il cortile è chiuso")
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        project_id = session.get_one(Question, number).project_id
        update = Update(
            project_id=project_id,
            form_version_id=cast.a_form().id,
            channel=Channel.WEB,
            answers={"note": "Gettate le fondazioni", "spent": 3},
            received_at=cast.now,
        )
        cast.add(update)
        cast.add(Attachment(size=1, name="planimetria-A.pdf", message_id=last_message(desk), created_at=cast.now))
        cast.add(Attachment(size=1, name="collaudo.pdf", update_id=update.id, created_at=cast.now))
    renew_all(desk.house.database)

    answer = await desk.browser("Rita").get("/desk/search", params={"q": wanted})

    assert answer.status_code == 200
    assert set(re.findall(r'id="hits-([a-z]+)"', answer.text)) == kinds


async def test_the_words_are_marked_where_they_stand(desk: Desk) -> None:
    asked(desk, "I <b>cortili</b> sono chiusi")

    page = (await desk.browser("Rita").get("/desk/search", params={"q": "cortile"})).text

    assert "I &lt;b&gt;<mark>cortili</mark>&lt;/b&gt; sono chiusi" in page


async def test_a_question_is_found_by_its_number_and_by_its_cup(desk: Desk) -> None:
    number = asked(desk, "Il cortile è chiuso")
    browser = desk.browser("Rita")
    cup = re.search(r"CUP (\w+)", (await browser.get(f"/desk/questions/{number}")).text)
    assert cup is not None

    for wanted in (f"n. {number}", cup[1].lower(), f"{cup[1][:4]} {cup[1][4:]}"):
        page = (await browser.get("/desk/search", params={"q": wanted})).text
        assert f'href="/desk/questions/{number}"' in page, wanted


async def test_what_is_still_to_be_marked_is_said(desk: Desk) -> None:
    asked(desk, "Il cortile è chiuso")
    with desk.house.database.write() as session:
        session.connection().exec_driver_sql("UPDATE question_marks SET made = ''")

    page = (await desk.browser("Rita").get("/desk/search", params={"q": "altro"})).text

    assert "è ancora da indicizzare" in page


# --- alike


async def test_answered_questions_that_ask_alike_are_shown_and_others_are_not(desk: Desk) -> None:
    alike = asked(desk, "Possiamo usare il ribasso d'asta per il cortile?", "Sì, con una perizia.")
    other = asked(desk, "Quando scade la rendicontazione?", "A novembre.")
    unanswered = asked(desk, "Il ribasso d'asta per i cortili?")
    here = asked(desk, "Si possono usare i ribassi d'asta per sistemare un cortile?")

    answer = await desk.browser("Vera").get(f"/desk/questions/{here}/similar")

    assert f'href="/desk/questions/{alike}"' in answer.text
    assert "Sì, con una perizia." in answer.text
    assert not [one for one in (other, unanswered) if f'href="/desk/questions/{one}"' in answer.text]
    assert "<html" in answer.text


async def test_a_page_that_asks_for_it_gets_only_the_list(desk: Desk) -> None:
    here = asked(desk, "Il cortile è chiuso")

    answer = await desk.browser("Vera").get(f"/desk/questions/{here}/similar", headers={"HX-Request": "true"})

    assert "Nessuna domanda simile" in answer.text
    assert "<html" not in answer.text


async def test_an_answer_is_used_for_another_question(desk: Desk) -> None:
    asked(desk, "Possiamo usare il ribasso d'asta per il cortile?", "Sì, con una perizia.")
    message = last_message(desk)
    here = asked(desk, "Si possono usare i ribassi d'asta per un cortile?")
    browser = desk.browser("Olga")

    panel = (await browser.get(f"/desk/questions/{here}/similar")).text
    page = (await browser.get(f"/desk/questions/{here}?use={message}")).text

    assert f'href="/desk/questions/{here}?use={message}#f-text"' in panel
    assert re.search(r'<textarea[^>]*id="f-text"[^>]*>\s*Sì, con una perizia\.</textarea>', page)


async def test_who_may_not_answer_may_read_and_not_use(desk: Desk) -> None:
    asked(desk, "Possiamo usare il ribasso d'asta per il cortile?", "Sì, con una perizia.")
    here = asked(desk, "Si possono usare i ribassi d'asta per un cortile?")

    panel = (await desk.browser("Rita").get(f"/desk/questions/{here}/similar")).text

    assert "Sì, con una perizia." in panel
    assert "?use=" not in panel


async def test_an_answer_that_was_taken_back_is_no_example(desk: Desk) -> None:
    asked(desk, "Possiamo usare il ribasso d'asta?", "Sbagliata.", audience=Audience.NOBODY)
    taken_back = last_message(desk)
    asked(desk, "Possiamo usare il ribasso d'asta?", "Solo tra noi.", audience=Audience.STAFF)
    note = last_message(desk)
    here = asked(desk, "Possiamo usare il ribasso d'asta?")
    browser = desk.browser("Olga")

    panel = (await browser.get(f"/desk/questions/{here}/similar")).text
    refused = [(await browser.get(f"/desk/questions/{here}?use={one}")).status_code for one in (taken_back, note)]

    assert "Nessuna domanda simile" in panel
    assert refused == [404, 404]


@pytest.mark.parametrize("use", ["999", "-1", str(2**31), str(10**30)])
async def test_an_answer_that_is_not_there_is_a_page_that_is_not_there(desk: Desk, use: str) -> None:
    here = asked(desk, "Il cortile è chiuso")

    assert (await desk.browser("Olga").get(f"/desk/questions/{here}?use={use}")).status_code == 404


async def test_of_a_merged_question_nothing_is_alike(desk: Desk) -> None:
    one, other = asked(desk, "Il cortile è chiuso"), asked(desk, "Il cortile")
    with desk.house.database.write() as session:
        session.get_one(Question, one).merged_into_id = other

    assert (await desk.browser("Olga").get(f"/desk/questions/{one}/similar")).status_code == 404
