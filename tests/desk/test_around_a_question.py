"""What stands beside a question: who asks, their projects, what they owe, what they asked before."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select

from storage.around import MOST, Around, around
from storage.database import Database
from storage.tables import Channel, Delegation, Project, Question, QuestionState, Referent, Staff, Update
from tests.cast import Cast
from tests.desk.conftest import Clock, Desk


@pytest.fixture
def asked(desk: Desk) -> int:
    """Ada of Abbiategrasso asks about the first of her two projects."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        town = cast.an_organization()
        market, school = cast.a_project(town, title="Ex mercato"), cast.a_project(town, title="Asilo nido")
        ada = cast.a_referent("Ada Esempio", town, (market, school), chat=101)
        return cast.a_question(ada, project_id=market.id).id


async def context_of(desk: Desk, question_id: int, who: str = "Rita") -> str:
    page = (await desk.browser(who).get(f"/desk/questions/{question_id}")).text
    return page.split('class="question-context"')[1].split("</aside>")[0]


def the_referent(session: Any, question_id: int) -> Referent:
    question = session.get_one(Question, question_id)
    found: Referent = session.get_one(Referent, question.referent_id)
    return found


async def test_the_person_is_shown_with_what_they_are_and_how_they_are_reached(desk: Desk, asked: int) -> None:
    beside = await context_of(desk, asked)

    assert "Ada Esempio" in beside
    assert "Abbiategrasso</a>" in beside
    assert "RUP" in beside
    assert "Telegram" in beside


async def test_the_project_that_is_asked_about_comes_first(desk: Desk, asked: int) -> None:
    with desk.house.database.write() as session:
        project = session.get_one(Project, session.get_one(Question, asked).project_id)
        project.phase, project.progress_tenths = "E", 425

    beside = await context_of(desk, asked)

    assert beside.index("Ex mercato") < beside.index("Asilo nido")
    assert beside.count("La domanda riguarda questo") == 1
    assert "42,5%" in beside


async def test_a_project_that_they_do_not_follow_is_shown_too(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        foreign = cast.a_project(cast.an_organization("Melzo"), title="Ponte di Melzo")
        question_id = cast.a_question(cast.a_referent(), project_id=foreign.id).id

    assert "Ponte di Melzo" in await context_of(desk, question_id)


async def test_what_is_owed_is_shown_with_its_day_and_what_is_late(desk: Desk, asked: int, clock: Clock) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        deadline = cast.a_deadline(cast.a_form(), date(2026, 11, 1))
        market, school = session.exec(select(Project).order_by(col(Project.id))).all()
        cast.an_obligation(deadline, market, date(2026, 11, 20), clock.now - timedelta(days=4))
        cast.an_obligation(deadline, school, date(2026, 11, 30), clock.now + timedelta(days=6))

    beside = (await context_of(desk, asked)).split("Aggiornamenti dovuti")[1].split("</details>")[0]

    assert beside.count("In ritardo") == 1
    assert "entro il 20 nov 2026" in beside
    assert "entro il 30 nov 2026" in beside


async def test_an_absence_is_said_with_who_stands_in(desk: Desk, asked: int, clock: Clock) -> None:
    with desk.house.database.write() as session:
        bruno = desk.cast(session).a_referent("Bruno Esempio")
        session.add(
            Delegation(
                referent_id=the_referent(session, asked).id,
                substitute_id=bruno.id,
                until=date(2026, 12, 9),
                created_at=clock.now,
            )
        )

    beside = await context_of(desk, asked)

    assert "Bruno Esempio</a> risponde al suo posto" in beside


async def test_earlier_questions_say_what_became_of_them(desk: Desk, asked: int, clock: Clock) -> None:
    with desk.house.database.write() as session:
        cast, ada = desk.cast(session), the_referent(session, asked)
        cast.a_question(
            ada, "Chi firma la variante?", state=QuestionState.ANSWERED, first_answer_at=clock.now - timedelta(days=2)
        )
        cast.a_question(cast.a_referent("Carla Esempio"), "La domanda di un'altra")

    beside = await context_of(desk, asked)

    assert "Chi firma la variante?" in beside
    assert "risposta il 22 nov 2026" in beside
    assert "La domanda di un" not in beside
    assert f'href="/desk/questions/{asked}"' not in beside


async def test_the_last_updates_lead_to_their_pages(desk: Desk, asked: int, clock: Clock) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        question = session.get_one(Question, asked)
        told = cast.add(
            Update(
                project_id=question.project_id,
                referent_id=question.referent_id,
                form_version_id=cast.a_form().id,
                channel=Channel.TELEGRAM,
                answers={},
                received_at=clock.now,
            )
        )

    assert f'href="/desk/updates/{told.id}"' in await context_of(desk, asked)


async def test_of_a_person_who_was_forgotten_nothing_is_shown(desk: Desk, asked: int) -> None:
    with desk.house.database.write() as session:
        session.get_one(Question, asked).referent_id = None

    beside = await context_of(desk, asked)

    assert "panel" not in beside


async def test_another_language_is_said(desk: Desk, asked: int) -> None:
    with desk.house.database.write() as session:
        the_referent(session, asked).language = "en"
        session.get_one(Staff, desk.people["Anna"]).language = "en"

    assert "La sua lingua: English" in await context_of(desk, asked)
    assert "Their language" not in await context_of(desk, asked, "Anna")


@pytest.fixture
def counted(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = database._reader
    event.listen(engine, "before_cursor_execute", count)
    yield statements
    event.remove(engine, "before_cursor_execute", count)


def looked(database: Database, clock: Clock, counted: list[str], question_id: int) -> tuple[Around, int]:
    """What stands around it, and by how many statements."""
    counted.clear()
    with database.read() as session:
        question = session.get_one(Question, question_id)
        person = session.get_one(Referent, question.referent_id)
        return around(session, question, person, clock.now, clock.now.date()), len(counted)


def test_however_much_there_is_the_same_few_queries_fetch_the_first_of_it(
    database: Database, clock: Clock, counted: list[str]
) -> None:
    with database.write() as session:
        cast = Cast(session, clock.now)
        town = cast.an_organization()
        projects = tuple(cast.a_project(town, title=f"Opera {n:02}") for n in range(9))
        deadline = cast.a_deadline(cast.a_form(), date(2026, 11, 1))
        for project in projects:
            cast.an_obligation(deadline, project, date(2026, 11, 30), clock.now)
        ada = cast.a_referent(organization=town, projects=projects)
        questions = [cast.a_question(ada, f"domanda {n}") for n in range(9)]
        alone = cast.a_question(cast.a_referent("Carla Esempio"))
    small, few = looked(database, clock, counted, alone.id)
    large, many = looked(database, clock, counted, questions[0].id)

    assert (small.more, small.earlier) == (frozenset(), [])
    assert large.more == {"projects", "owed", "earlier"}
    assert [len(rows) for rows in (large.projects, large.owed, large.earlier)] == [MOST] * 3
    assert many == few <= 14
