"""The queue is searched though SQL sees none of its words: by forms of words, by beginnings, accents aside."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from sqlmodel import col, select

from app.mark_keeping import renew_all
from storage import queue, searching
from storage.database import Database
from storage.queue import View, queue_page
from storage.tables import (
    Attachment,
    Audience,
    Channel,
    Correction,
    Message,
    Organization,
    Project,
    Question,
    QuestionState,
    Referent,
)
from tests.cast import Cast


@contextmanager
def written(database: Database, now: datetime) -> Iterator[Cast]:
    """What is written in it is committed, and marked: it can be found."""
    with database.write() as session:
        yield Cast(session, now)
    renew_all(database)


def found(database: Database, wanted: str, **narrowed: Any) -> list[int]:
    with database.read() as session:
        lines, _total = queue_page(session, View.ALL, 1, wanted, **narrowed)
        return [line.id for line in lines]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("cortile", {"yard"}),
        ("CORTILE chiuso", {"yard"}),
        ("chiuso, cortile!", {"yard"}),
        ("il cortile", {"yard"}),
        ("i cortili", {"yard"}),
        ("cor", {"yard"}),
        ("chiuso cort", {"yard"}),
        ("cortile ch", {"yard"}),
        ("più lassù", {"note"}),
        ("lassu", {"note"}),
        ("mercato", {"market"}),
        ("MILANO mercati", {"market"}),
        ("carla", {"when"}),
        ("C47H26000010001", {"market"}),
        ("c47 h260 0001 0001", {"market"}),
        ("C47H2600", {"market"}),
        ("C47H26000010002", set()),
        ("cortile mercato", set()),
        ("ortile", set()),
        ("¿?", set()),
        ("x' OR 1=1; --", set()),
        ('" NEAR( *', set()),
        ("\x00", set()),
    ],
)
def test_every_word_is_looked_for_in_threads_names_and_projects(
    database: Database, now: datetime, wanted: str, names: set[str]
) -> None:
    with written(database, now) as cast:
        project = cast.a_project(cast.an_organization("Milano"), title="Ex mercato", cup="C47H26000010001")
        ada, carla = cast.a_referent("Ada Esempio"), cast.a_referent("Carla Esempio")
        asked = {
            "yard": cast.a_question(ada, "Perché il cortile è chiuso?").id,
            "when": cast.a_question(carla, "E adesso?").id,
            "note": cast.a_question(ada, "Altro").id,
            "market": cast.a_question(ada, "Altro ancora", project_id=project.id).id,
        }
        cast.add(_message(asked["note"], "Chiedere lassu'", now, audience=Audience.STAFF))

    assert set(found(database, wanted)) == {asked[name] for name in names}


def _message(question_id: int, text: str, now: datetime, **other: Any) -> Message:
    audience = other.pop("audience", Audience.REFERENT)
    return Message(question_id=question_id, audience=audience, text=text, channel=Channel.WEB, created_at=now, **other)


def test_the_newest_come_first_and_pages_and_counts_are_of_what_was_found(database: Database, now: datetime) -> None:
    with written(database, now) as cast:
        ada = cast.a_referent()
        ids = [cast.a_question(ada, f"{'cortile' if number % 2 else 'tetto'} {number}").id for number in range(10)]
        closed = cast.a_question(ada, "cortile chiuso", state=QuestionState.CLOSED).id
    yards = [closed, *ids[:0:-2]]

    with database.read() as session:
        first, total = queue_page(session, View.ALL, 1, "cortile", limit=4)
        second, again = queue_page(session, View.ALL, 1, "cortile", offset=4, limit=4)

    assert [line.id for line in first] == yards[:4]
    assert [line.id for line in second] == yards[4:]
    assert total == again == 6


def test_of_very_many_nobody_counts_the_last(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST_COUNTED", 3)
    with written(database, now) as cast:
        ada = cast.a_referent()
        newest = [cast.a_question(ada, "cortile").id for _ in range(6)][-1]

    with database.read() as session:
        lines, total = queue_page(session, View.ALL, 1, "cortile", limit=1)

    assert [line.id for line in lines] == [newest]
    assert total == 4


@pytest.mark.parametrize("wanted", ["cortile", "il cortile interno"])
def test_filters_leave_the_oldest_too_of_what_very_many_have(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setattr(searching, "CANDIDATES", 2)
    with written(database, now) as cast:
        ada = cast.a_referent()
        oldest = [cast.a_question(ada, "cortile interno", urgent=True).id for _ in range(2)]
        cast.a_question(ada, "tetto interno", urgent=True)
        newer = [cast.a_question(ada, "cortile interno").id for _ in range(4)]

    with database.read() as session:
        urgent, total = queue_page(session, View.ALL, 1, wanted, narrowed=[col(Question.urgent).is_(True)])
        page, _all = queue_page(session, View.ALL, 1, wanted, offset=3, limit=2)

    assert ([line.id for line in urgent], total) == (oldest[::-1], 2)
    assert [line.id for line in page] == [newer[0], oldest[1]]


def test_only_the_heap_that_is_looked_at_is_searched(database: Database, now: datetime) -> None:
    with written(database, now) as cast:
        ada, olga = cast.a_referent(), cast.a_staff()
        cast.a_question(ada, "cortile")
        mine = cast.a_question(ada, "cortile", state=QuestionState.TAKEN, taken_by=olga.id).id
        staff_id = olga.id

    with database.read() as session:
        lines, total = queue_page(session, View.MINE, staff_id, "cortile")

    assert ([line.id for line in lines], total) == ([mine], 1)


@pytest.mark.parametrize("wanted", ["41", "n. 41", "#41"])
def test_a_number_is_the_question_with_that_number(database: Database, now: datetime, wanted: str) -> None:
    with written(database, now) as cast:
        ada = cast.a_referent()
        cast.a_question(ada, "Articolo 41")
        cast.add(
            Question(id=41, referent_id=ada.id, channel=Channel.WEB, created_at=now, due_at=now, last_message_at=now)
        )

    assert found(database, wanted) == [41]


def test_the_name_of_a_file_is_found_also_when_it_comes_later(database: Database, now: datetime) -> None:
    with written(database, now) as cast:
        question = cast.a_question(cast.a_referent(), "Ecco")
        with_file = question.id
        message_id = cast.session.exec(select(Message.id)).one()
        file = cast.add(Attachment(size=1, name="a", message_id=message_id, created_at=now))
        file_id = file.id
    before = found(database, "planimetria")

    with written(database, now) as cast:
        cast.session.get_one(Attachment, file_id).name = "Planimetria_piano-terra.pdf"

    assert before == []
    assert found(database, "planimetrie piano pdf") == [with_file]


def test_what_a_message_says_after_an_edit_is_found_and_what_it_said_before(database: Database, now: datetime) -> None:
    with written(database, now) as cast:
        asked = cast.a_question(cast.a_referent(), "cortile").id
        message_id = cast.session.exec(select(Message.id)).one()
    with written(database, now) as cast:
        cast.add(Correction(message_id=message_id, before="cortile", after="palestra", created_at=now))

    assert found(database, "palestra") == found(database, "cortile") == [asked]


def test_a_message_that_moves_is_found_where_it_stands_now(database: Database, now: datetime) -> None:
    with written(database, now) as cast:
        ada = cast.a_referent()
        one, other = cast.a_question(ada, "uno").id, cast.a_question(ada, "due").id
        moving = cast.add(_message(one, "cortile", now, referent_id=ada.id)).id
    with written(database, now) as cast:
        cast.session.get_one(Message, moving).question_id = other

    assert found(database, "cortile") == [other]


def test_who_and_what_is_called_otherwise_is_found_by_the_new_name(database: Database, now: datetime) -> None:
    with written(database, now) as cast:
        town = cast.an_organization("Rho")
        project = cast.a_project(town, title="Ex mercato")
        ada = cast.a_referent("Ada Esempio", town)
        asked = cast.a_question(ada, "Quando?", project_id=project.id).id
        ids = town.id, project.id, ada.id
    with written(database, now) as cast:
        cast.session.get_one(Organization, ids[0]).name = "Bollate"
        cast.session.get_one(Project, ids[1]).title = "Nuova piscina"
        cast.session.get_one(Referent, ids[2]).name = "Ada Colombo"

    for new in ("bollate", "piscina", "colombo"):
        assert found(database, new) == [asked], new
    for old in ("rho", "mercato", "esempio"):
        assert found(database, old) == [], old


def test_what_was_rolled_back_is_not_found(database: Database, now: datetime) -> None:
    with pytest.raises(RuntimeError), written(database, now) as cast:
        cast.a_question(cast.a_referent(), "cortile")
        raise RuntimeError

    assert found(database, "cortile") == []


def test_what_one_savepoint_takes_back_takes_nothing_along(database: Database, now: datetime) -> None:
    with written(database, now) as cast:
        ada = cast.a_referent()
        with pytest.raises(RuntimeError), cast.session.begin_nested():
            cast.a_question(ada, "tetto")
            raise RuntimeError
        kept = cast.a_question(ada, "cortile").id

    assert found(database, "cortile") == [kept]
    assert found(database, "tetto") == []
