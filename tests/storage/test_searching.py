"""The queue is searched though SQL sees none of its words: by every word, accents aside, pages and counts right."""

import pytest
from sqlmodel import Session

from storage import searching
from storage.queue import View, queue_page
from storage.searching import questions_with
from storage.tables import Audience, Channel, Message, QuestionState
from tests.cast import Cast


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("cortile", {"yard"}),
        ("CORTILE chiuso", {"yard"}),
        ("chiuso, cortile!", {"yard"}),
        ("perche", {"yard", "when"}),
        ("perché", {"yard", "when"}),
        ("lassù", {"note"}),
        ("mercato", {"market"}),
        ("carla", {"when"}),
        ("cortile mercato", set()),
        ("¿?", set()),
    ],
)
def test_every_word_is_looked_for_in_threads_names_and_projects(
    session: Session, cast: Cast, wanted: str, found: set[str]
) -> None:
    project = cast.a_project(cast.an_organization(), title="Ex mercato")
    ada, carla = cast.a_referent("Ada Esempio"), cast.a_referent("Carla Esempio")
    asked = {
        "yard": cast.a_question(ada, "Perché il cortile è chiuso?").id,
        "when": cast.a_question(carla, "E perche’ adesso?").id,
        "note": cast.a_question(ada, "Altro").id,
        "market": cast.a_question(ada, "Altro ancora", project_id=project.id).id,
    }
    cast.add(
        Message(
            question_id=asked["note"],
            audience=Audience.STAFF,
            text="Chiedere lassu'",
            channel=Channel.WEB,
            created_at=cast.now,
        )
    )

    assert questions_with(session, wanted) == {asked[name] for name in found}


def test_pages_and_counts_are_those_of_what_was_found(session: Session, cast: Cast) -> None:
    ada = cast.a_referent()
    ids = [cast.a_question(ada, f"{'cortile' if number % 2 else 'tetto'} {number}").id for number in range(10)]
    closed = cast.a_question(ada, "cortile chiuso", state=QuestionState.CLOSED).id
    yards = [*ids[1::2], closed]

    first, total = queue_page(session, View.ALL, 1, "cortile", limit=4)
    second, again = queue_page(session, View.ALL, 1, "cortile", offset=4, limit=4)

    assert [line.id for line in first] == yards[:4]
    assert [line.id for line in second] == yards[4:]
    assert total == again == 6


def test_only_the_heap_that_is_looked_at_is_searched(session: Session, cast: Cast) -> None:
    ada, olga = cast.a_referent(), cast.a_staff()
    cast.a_question(ada, "cortile")
    mine = cast.a_question(ada, "cortile", state=QuestionState.TAKEN, taken_by=olga.id).id

    lines, total = queue_page(session, View.MINE, olga.id, "cortile")

    assert ([line.id for line in lines], total) == ([mine], 1)


def test_the_newest_messages_are_looked_at_and_no_more_than_the_limit(
    session: Session, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = cast.a_referent()
    _old, new = cast.a_question(ada, "cortile"), cast.a_question(ada, "cortile")
    monkeypatch.setattr(searching, "MOST_READ", 1)

    assert questions_with(session, "cortile") == {new.id}
