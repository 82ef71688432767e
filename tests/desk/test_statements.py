"""How often a page asks the database: what it takes is Python's time for each statement, not the database's."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event

from storage.database import Database
from storage.tables import QuestionState
from tests.desk.conftest import Desk
from tests.desk.test_questions import a_question


@pytest.fixture
def asked(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    event.listen(database._reader, "before_cursor_execute", count)
    yield statements
    event.remove(database._reader, "before_cursor_execute", count)


async def test_the_queue_asks_the_same_few_things_however_long_it_is(desk: Desk, asked: list[str]) -> None:
    a_question(desk)
    olga = desk.browser("Olga")
    asked.clear()
    await olga.get("/desk/questions")
    few = len(asked)
    for _ in range(5):
        a_question(desk)

    asked.clear()
    await olga.get("/desk/questions")

    assert len(asked) == few <= 15


async def test_the_page_of_a_question_does_not_ask_for_what_is_not_there(desk: Desk, asked: list[str]) -> None:
    number = a_question(desk)
    olga = desk.browser("Olga")

    asked.clear()
    assert (await olga.get(f"/desk/questions/{number}")).status_code == 200

    assert len(asked) <= 32
    for table in ("faq_entry", "letter", "question_tag"):
        alone = [one for one in asked if f"FROM {table} " in one and "EXISTS" not in one and "count(" not in one]
        assert alone == [], table


async def test_of_what_cannot_be_answered_no_saved_answers_are_read(desk: Desk, asked: list[str]) -> None:
    number = a_question(desk, state=QuestionState.CLOSED)
    olga = desk.browser("Olga")

    asked.clear()
    assert (await olga.get(f"/desk/questions/{number}")).status_code == 200

    assert [one for one in asked if "FROM saved_answer" in one] == []
