"""Whatever people write and press, in whatever order: nothing raises, nothing is too long, one draft is open."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, func, select

from bot.dialogue import apologise
from storage.database import Database
from storage.tables import Draft, DraftState, Inbox, Update
from tests.bot import conftest
from tests.bot.conftest import Stage
from tests.cast import Cast

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WORDS = [
    *("/aggiorna", "/domanda", "/progetti", "/scadenze", "/domande", "/menu", "/annulla", "/start", "/start abc"),
    *("/esci", "/lingua", "/boh", "/", "mercato", "1", "45,5", "100", "1.234", "2 mln", "30/6/2027", "1/1/2020"),
    *(
        "24/10",
        "sì",
        "no",
        "uguale",
        "indietro",
        "salta",
        "annulla",
        "grazie",
        "<b>&",
        "x" * 4000,
        "&" * 4000,
        "🏗" * 2000,
    ),
]
ACTIONS = st.lists(st.integers(0, 11) | st.sampled_from(WORDS) | st.text(max_size=30), min_size=1, max_size=25)


@pytest.fixture(scope="module")
def template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("any") / "raccordo.db"
    shutil.copy(sqlite_template, path)
    return path


@pytest.fixture(scope="module")
def one_database(template: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{template}")
    yield database
    database.close()


def set_up(session: Session) -> Stage:
    stage: Stage = conftest.make_stage(session, Cast(session, NOW), NOW)
    stage.reported(NOW - timedelta(days=31))
    for day in (date(2026, 11, 10), date(2026, 12, 10)):
        stage.owed(day)
    return stage


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
def test_nothing_breaks_the_conversation(one_database: Database, actions: list[int | str]) -> None:
    with Session(one_database.engine) as session:
        stage = set_up(session)
        old: list[str] = []

        for action in actions:
            if isinstance(action, str):
                stage.ada.says(action)
            else:
                data = [data for _text, data in stage.ada.buttons if data] or old or ["m:menu"]
                stage.ada.presses_data(data[action % len(data)])
            old += [data for _text, data in stage.ada.buttons if data]

            opened = select(func.count()).select_from(Draft).where(Draft.state == DraftState.OPEN)
            assert session.exec(opened).one() <= 1
            assert all(len(data.encode()) <= 64 for data in old)
        assert all(update.answers.keys() >= {"phase", "progress"} for update in session.exec(select(Update)))
        session.rollback()


def test_a_message_that_cannot_be_handled_is_apologised_for_once(stage: Stage) -> None:
    stage.ada.says("ciao")
    row = stage.session.exec(select(Inbox)).one()

    for _ in range(2):
        apologise(stage.ada.house)(stage.session, row, stage.cast.now)

    assert sum("c'è stato un problema" in one.html for one in stage.ada.heard) == 1


def test_bytes_that_are_no_json_are_let_pass(stage: Stage) -> None:
    stage.ada.says("ciao")
    row = stage.session.exec(select(Inbox)).one()
    row.payload = b"\xff{"

    apologise(stage.ada.house)(stage.session, row, stage.cast.now)
