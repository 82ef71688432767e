"""Tags: who makes them, who puts them on, where they are shown."""

import io
import json

import pytest
from sqlmodel import select

from facts.languages import Language
from registry.export import export
from storage.tables import QuestionTag, Tag
from tests.desk.conftest import Browser, Desk
from tests.desk.test_questions import a_question, press


def a_tag(desk: Desk, name: str = "Ribasso", *, active: bool = True) -> int:
    with desk.house.database.write() as session:
        tag: Tag = desk.cast(session).add(Tag(name=name, active=active, created_at=desk.house.clock()))
        return tag.id


def on(desk: Desk) -> list[tuple[int, str]]:
    with desk.house.database.read() as session:
        return [
            (question_id, name)
            for question_id, name in session.exec(
                select(QuestionTag.question_id, Tag.name).join(Tag).order_by(QuestionTag.question_id, Tag.name)  # type: ignore[arg-type]
            )
        ]


async def page(browser: Browser, path: str) -> str:
    return (await browser.get(path)).text


async def test_a_volunteer_puts_one_of_the_list_on_and_takes_it_off(desk: Desk) -> None:
    question, tag = a_question(desk), a_tag(desk)
    vera = desk.browser("Vera")

    before = await page(vera, f"/desk/questions/{question}")
    await press(vera, question, "tag", tag="  ribàsso ")
    after = await page(vera, f"/desk/questions/{question}")

    assert '<option value="Ribasso">' in before
    assert on(desk) == [(question, "Ribasso")]
    assert f'href="/desk/questions?view=all&amp;tag={tag}"' in after
    await press(vera, question, "untag", tag=str(tag))
    assert on(desk) == []


async def test_what_is_not_in_the_list_an_officer_adds_by_writing_it(desk: Desk) -> None:
    question = a_question(desk)

    refused = await press(desk.browser("Vera"), question, "tag", tag="DNSH")
    await press(desk.browser("Olga"), question, "tag", tag="DNSH")

    assert refused.status_code == 409
    assert "Non c&#39;è un&#39;etichetta con questo nome" in refused.text
    assert on(desk) == [(question, "DNSH")]


@pytest.mark.parametrize("name", ["", "  ", "\x00", "—", "x" * 41])
async def test_no_name_and_a_long_one_are_said(desk: Desk, name: str) -> None:
    question = a_question(desk)
    olga = desk.browser("Olga")

    on_question = await press(olga, question, "tag", tag=name)
    in_list = await olga.send_form("/desk/tags", page="/desk/tags", name=name)

    assert (on_question.status_code, in_list.status_code) == (409, 422)
    assert on(desk) == []


async def test_the_list_adds_renames_and_retires(desk: Desk) -> None:
    question, tag = a_question(desk), a_tag(desk, "Ribaso")
    olga = desk.browser("Olga")
    await press(olga, question, "tag", tag="Ribaso")

    await olga.send_form("/desk/tags", page="/desk/tags", name="DNSH")
    same = await olga.send_form(f"/desk/tags/{tag}", page="/desk/tags", name="dnsh")
    await olga.send_form(f"/desk/tags/{tag}", page="/desk/tags", name="Ribasso")
    await olga.send_form(f"/desk/tags/{tag}/retire", page="/desk/tags")
    again = await press(olga, question, "tag", tag="Ribasso")

    assert same.status_code == 422
    assert 'value="dnsh"' in same.text
    assert on(desk) == [(question, "Ribasso")]
    assert again.status_code == 409
    assert '<option value="Ribasso">' not in await page(olga, f"/desk/questions/{question}")


async def test_rita_sees_tags_and_changes_none(desk: Desk) -> None:
    question, tag = a_question(desk), a_tag(desk)
    await press(desk.browser("Vera"), question, "tag", tag="Ribasso")
    rita = desk.browser("Rita")

    shown = await page(rita, f"/desk/questions/{question}")
    refused = await press(rita, question, "untag", tag=str(tag))

    assert ">Ribasso</a>" in shown
    assert "Togli" not in shown
    assert refused.status_code == 403


async def test_twenty_are_enough_and_absurd_numbers_do_nothing(desk: Desk) -> None:
    question = a_question(desk)
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        for number in range(20):
            tag = cast.add(Tag(name=f"Tema {number}", created_at=cast.now))
            cast.add(QuestionTag(question_id=question, tag_id=tag.id))
    olga = desk.browser("Olga")

    refused = await press(olga, question, "tag", tag="Ventuno")
    absurd = await press(olga, question, "untag", tag="99999999999")

    assert refused.status_code == 409
    assert absurd.status_code == 303
    assert len(on(desk)) == 20


async def test_they_are_in_the_export_of_questions(desk: Desk) -> None:
    question = a_question(desk)
    await press(desk.browser("Olga"), question, "tag", tag="DNSH")

    with desk.house.database.read() as session:
        out = io.BytesIO()
        export(session, "questions", "json", out, language=Language.IT)
        rows = json.loads(out.getvalue())

    assert rows[0]["tags"] == ["DNSH"]
