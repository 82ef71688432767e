"""Marks are kept as what is written, whatever happens beside it; they are no words, and follow the keys."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlmodel import Session, col, select

from app import mark_keeping
from app.mark_keeping import renew_all
from facts.words import STOP, wanted_words, words_of
from storage import attachments, handing_over, indexing, joining, merging, projects
from storage.database import Database
from storage.indexed import Content
from storage.indexing import QUESTIONS, anything_to_renew, left_to_renew, renew_some
from storage.keys import Ring, new_ring
from storage.marks import FILE, TEXT, Marker
from storage.queue import View, queue_page
from storage.sealing import Keyring
from storage.tables import (
    Attachment,
    Audience,
    Channel,
    Membership,
    Message,
    Question,
    QuestionMarks,
    QuestionTouched,
    Referent,
)
from tests.cast import Cast


@contextmanager
def written(database: Database, now: datetime) -> Iterator[Cast]:
    """What is written in it is committed, and marked."""
    with database.write() as session:
        yield Cast(session, now)
    renew_all(database)


def found(database: Database, wanted: str) -> list[int]:
    with database.read() as session:
        return [line.id for line in queue_page(session, View.ALL, 1, wanted)[0]]


def a_question(database: Database, now: datetime, words: str = "Perché il cortile è chiuso?") -> int:
    with written(database, now) as cast:
        return int(cast.a_question(cast.a_referent(), words).id)


def a_message(question_id: int, words: str, now: datetime) -> Message:
    return Message(question_id=question_id, audience=Audience.STAFF, text=words, channel=Channel.WEB, created_at=now)


# --- words and marks, without a database


@settings(deadline=None)
@given(st.lists(st.text(max_size=60), max_size=8))
def test_whatever_is_marked_is_found_by_each_of_its_words(texts: list[str]) -> None:
    marking = Marker(b"key")
    marks = marking.of_words(words_of(texts, most=10_000))

    for word in words_of(texts, most=10_000):
        assert word not in STOP
        for looked_for in wanted_words(word, most=12):
            assert marks.intersection(marking.finding(looked_for))


@settings(deadline=None)
@given(st.text(alphabet="abcdefghilmnopqrstuvz0123456789", min_size=3, max_size=30), st.integers(3, 30))
def test_a_word_is_found_by_its_beginning(word: str, letters: int) -> None:
    marking = Marker(b"key")

    assert marking.of_words([word]).intersection(marking.finding(word[:letters]))


def test_forms_of_a_word_are_one_word_and_others_are_not() -> None:
    marking = Marker(b"key")
    marks = marking.of_words(["progetti", "rendicontazione"])

    assert all(marks.intersection(marking.finding(word)) for word in ("progetto", "rendicontare", "rend"))
    assert not any(marks.intersection(marking.finding(word)) for word in ("casa", "tetti", "contare", "re"))


def test_the_same_word_has_another_mark_with_another_key_or_in_another_place() -> None:
    one, other = Marker(b"key"), Marker(b"another")

    assert not set(one.finding("cortile")) & set(other.finding("cortile"))
    assert not set(one.finding("cortile", TEXT)) & set(one.finding("cortile", FILE))
    assert one.made != other.made


# --- what lies in the database


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_word_lies_readable_in_the_file_and_no_guess_is_confirmed_by_it(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    a_question(database, now, "Il cortile interno")

    lies_there = b"".join(path.read_bytes() for path in tmp_path.glob("raccordo.db*"))
    guessed = {f"{mark & 0xFFFFFFFF:x}" for mark in Marker(b"").of_words(["cortile", "interno"])}

    assert b"Ada Esempio" in lies_there  # names are in clear
    assert not [word for word in (b"cortil", b"interno") if word in lies_there]
    assert not [mark for mark in guessed if mark.encode() in lies_there]


def test_a_house_without_keys_is_searched_as_well(database_url: str, now: datetime) -> None:
    database = Database(database_url)
    asked = a_question(database, now)

    assert found(database, "cortili") == [asked]
    database.close()


def test_marks_outlive_a_rotation(database: Database, now: datetime, keys: Keyring) -> None:
    asked = a_question(database, now)
    database.use(Keyring(keys.ring.with_new()))

    with database.read() as session:
        assert left_to_renew(session) == 0
    assert found(database, "cortile") == [asked]


def test_with_another_key_of_matching_everything_is_marked_anew(
    database: Database, now: datetime, keys: Keyring
) -> None:
    asked = a_question(database, now)
    database.use(Keyring(Ring(keys.ring.seal, new_ring().match)))
    lost = found(database, "cortile")

    assert renew_all(database) == 1
    assert (lost, found(database, "cortile")) == ([], [asked])


def test_what_was_there_before_there_were_marks_is_marked_the_newest_first(database: Database, now: datetime) -> None:
    ids = [a_question(database, now, f"cortile {number}") for number in range(5)]
    with database.write() as session:
        for id_ in ids:
            indexing._replace(session, QUESTIONS, {id_: session.get_one(QuestionMarks, id_).marks}, {id_: []})
        session.execute(update(QuestionMarks).values(made="", marks=[]))
    nothing = found(database, "cortile")

    with database.write() as session:
        assert renew_some(session, QUESTIONS, 2) == 2
    some = found(database, "cortile")
    renewed = renew_all(database)

    assert nothing == []
    assert some == ids[:2:-1]
    assert renewed == 3
    assert found(database, "cortile") == ids[::-1]


def test_whoever_writes_only_notes_where_and_is_found_a_moment_later(database: Database, now: datetime) -> None:
    asked = a_question(database, now)
    with database.write() as session:
        session.add_all([a_message(asked, "palestra", now), a_message(asked, "tetto", now)])
        session.flush()
        session.add(a_message(asked, "cantina", now))
    with database.read() as session:
        notes, left = list(session.exec(select(QuestionTouched.question_id))), left_to_renew(session)
    at_once = found(database, "palestra")
    renewed = renew_all(database)

    assert (notes, left, at_once, renewed) == ([asked], 1, [], 1)
    assert found(database, "palestra tetto cantina cortile") == [asked]
    with database.read() as session:
        assert (left_to_renew(session), anything_to_renew(session)) == (0, False)


def test_what_is_written_in_one_thread_meanwhile_is_read_once(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = a_question(database, now)
    for word in ("palestra", "tetto", "cantina"):
        with database.write() as session:
            session.add(a_message(asked, word, now))
    read: list[list[int]] = []
    of_questions = QUESTIONS.content

    def content(session: Session, ids: Sequence[int]) -> dict[int, Content]:
        read.append([*ids])
        return of_questions(session, ids)

    monkeypatch.setattr(indexing, "SHELVES", (replace(QUESTIONS, content=content),))
    monkeypatch.setattr(mark_keeping, "SHELVES", indexing.SHELVES)

    renew_all(database)

    assert [ids for ids in read if ids] == [[asked]]
    assert found(database, "palestra tetto cantina") == [asked]


def test_a_step_that_writes_nothing_to_be_found_leaves_no_note(database: Database, now: datetime) -> None:
    asked = a_question(database, now)
    with database.write() as session:
        session.get_one(Question, asked).urgent = True

    with database.read() as session:
        assert not anything_to_renew(session)


def test_what_was_noted_stays_noted_when_its_marking_breaks(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = a_question(database, now)
    with database.write() as session:
        session.add(a_message(asked, "palestra", now))
    with monkeypatch.context() as broken:
        broken.setattr(indexing, "_replace", _break)
        with pytest.raises(RuntimeError):
            renew_all(database)
    lost = found(database, "palestra")
    with database.read() as session:
        left = left_to_renew(session)
    renew_all(database)

    assert (lost, left) == ([], 1)
    assert found(database, "palestra") == [asked]


def _break(*_: object) -> None:
    raise RuntimeError


def test_a_note_of_what_is_not_there_is_put_away(database: Database) -> None:
    with database.write() as session:
        session.add(QuestionTouched(question_id=2**31 - 1))

    assert renew_all(database) == 1
    with database.read() as session:
        assert not anything_to_renew(session)


def test_a_person_with_very_many_questions_is_found_by_the_new_name(database: Database, now: datetime) -> None:
    with written(database, now) as cast:
        ada = cast.a_referent()
        ids = [cast.a_question(ada, "Quando?").id for _ in range(60)]
        who = ada.id
    with database.write() as session:
        session.get_one(Referent, who).name = "Ada Colombo"

    assert renew_all(database) == 60
    assert found(database, "colombo") == ids[:-51:-1]  # a page of them, the newest first


@settings(deadline=None)
@given(data=st.data())
def test_an_index_that_is_told_only_what_differs_is_as_if_made_anew(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """SQLite's index forgets nothing by itself and knows no row: only its answers show whether it is right."""
    database = Database(f"sqlite:///{sqlite_template}")
    small = st.sets(st.integers(-3, 3))
    with Session(database.engine) as session:
        old: dict[int, list[int]] = {1: [], 2: [], 3: []}
        for _ in range(data.draw(st.integers(1, 6))):
            anew = {id_: sorted(data.draw(small)) for id_ in old}
            indexing._replace(session, QUESTIONS, old, anew)
            old = anew
        for mark in range(-3, 4):
            rows = session.execute(
                text("SELECT rowid FROM question_marks_index WHERE question_marks_index MATCH :mark ORDER BY rowid"),
                {"mark": indexing.as_word(mark)},
            )
            assert list(rows.scalars()) == [id_ for id_, marks in old.items() if mark in marks]
        session.rollback()
    database.close()


# --- two at once


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_whoever_writes_waits_for_nobody_and_is_not_lost_to_a_renewal_under_way(
    database: Database, now: datetime
) -> None:
    asked = a_question(database, now)
    with database.write() as session:
        session.add(a_message(asked, "palestra", now))

    with database.write() as keeper:
        assert renew_some(keeper, QUESTIONS, 10) == 1
        with database.write() as session:  # the texts are read already, and the marks held
            session.add(a_message(asked, "tetto", now))

    assert (found(database, "palestra"), found(database, "tetto")) == ([asked], [])
    assert renew_all(database) == 1
    assert found(database, "tetto palestra cortile") == [asked]


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_what_one_keeper_has_in_hand_no_other_does_again(database: Database, now: datetime) -> None:
    ids = [a_question(database, now) for _ in range(4)]
    with database.write() as session:
        session.add_all([a_message(id_, "palestra", now) for id_ in ids])

    with database.write() as one, database.write() as other:
        taken = renew_some(one, QUESTIONS, 3), renew_some(other, QUESTIONS, 3)

    assert taken == (3, 1)
    assert sorted(found(database, "palestra")) == ids


def test_two_keepers_and_two_who_write_leave_nothing_behind(database: Database, now: datetime) -> None:
    asked = a_question(database, now)
    words = [f"parola{number}" for number in range(10)]
    done = threading.Event()

    def writes(mine: list[str]) -> None:
        for word in mine:
            with database.write() as session:
                session.add(a_message(asked, word, now))

    def keeps() -> None:
        while not done.is_set():
            renew_all(database)

    writing = [threading.Thread(target=writes, args=[words[half::2]]) for half in range(2)]
    keeping = [threading.Thread(target=keeps) for _ in range(2)]
    for one in (*writing, *keeping):
        one.start()
    for one in writing:
        one.join(30)
    done.set()
    for one in keeping:
        one.join(30)
    renew_all(database)

    assert [word for word in words if found(database, word) != [asked]] == []


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_what_somebody_holds_is_passed_over_and_comes_again(database: Database, now: datetime) -> None:
    held, free = a_question(database, now, "uno"), a_question(database, now, "due")
    with database.write() as session:
        session.execute(text("UPDATE question_marks SET made = ''"))

    with database.write() as one, database.write() as other:
        one.execute(select(QuestionMarks).where(QuestionMarks.question_id == held).with_for_update())
        assert renew_some(other, QUESTIONS, 10) == 1
        left = other.execute(text("SELECT question_id FROM question_marks WHERE made = ''")).scalars().all()

    assert (left, held != free) == ([held], True)
    assert renew_all(database) == 1


# --- by statements that the session does not see


def test_files_that_go_along_with_a_message_are_found(database: Database, now: datetime) -> None:
    asked = a_question(database, now)
    with written(database, now) as cast:
        file = cast.add(Attachment(size=1, name="planimetria.pdf", created_at=now))
        file_id, message_id = file.id, cast.session.exec(select(Message.id)).one()
    before = found(database, "planimetria")

    with database.write() as session:
        attachments.put_in_message(session, [file_id], message_id)
    renew_all(database)

    assert (before, found(database, "planimetria")) == ([], [asked])


def test_a_question_that_goes_over_is_found_by_who_has_it(database: Database, now: datetime) -> None:
    asked = a_question(database, now)
    with written(database, now) as cast:
        ada_id = cast.session.exec(select(Referent.id)).one()
        bruno_id = cast.a_referent("Bruno Successore").id

    with database.write() as session:
        assert handing_over.move_question(session, asked, ada_id, bruno_id)
    renew_all(database)

    assert (found(database, "bruno"), found(database, "ada")) == ([asked], [])


def test_questions_of_who_was_registered_twice_are_found_by_the_name_that_stays(
    database: Database, now: datetime
) -> None:
    asked = a_question(database, now)
    with written(database, now) as cast:
        gone_id = cast.session.exec(select(Referent.id)).one()
        stays_id = cast.a_referent("Adele Rimasta").id

    with database.write() as session:
        merging.move_all(session, gone_id, stays_id, now)
    renew_all(database)

    assert found(database, "adele") == [asked]


def test_questions_about_a_project_are_found_by_what_an_import_calls_it(database: Database, now: datetime) -> None:
    with written(database, now) as cast:
        town, other = cast.an_organization("Rho"), cast.an_organization("Bollate")
        project = cast.a_project(town, title="Ex mercato")
        asked = cast.a_question(cast.a_referent(), "Quando?", project_id=project.id).id
        project_id, other_id = project.id, other.id

    with database.write() as session:
        projects.change_projects(session, [{"id": project_id, "title": "Nuova piscina"}])
        projects.add_places(session, [{"project_id": project_id, "organization_id": other_id, "address": ""}])
    renew_all(database)

    assert found(database, "piscina bollate") == [asked]
    assert found(database, "mercato") == []


def test_who_leaves_an_organisation_is_not_found_by_it(database: Database, now: datetime) -> None:
    with written(database, now) as cast:
        ada = cast.a_referent("Ada", cast.an_organization("Bollate"))
        cast.a_question(ada, "Quando?")
        ada_id = ada.id
    before = found(database, "bollate")

    with database.write() as session:
        session.delete(session.exec(select(Membership).where(col(Membership.referent_id) == ada_id)).one())
    renew_all(database)

    assert (len(before), found(database, "bollate")) == (1, [])


def test_messages_that_go_into_another_thread_are_found_there_and_not_here(database: Database, now: datetime) -> None:
    one, other = a_question(database, now, "cortile"), a_question(database, now, "palestra")

    with database.write() as session:
        joining.move(session, joining.message_ids(session, one), one, other)
    renew_all(database)

    assert (found(database, "cortile"), found(database, "cortile palestra")) == ([other], [other])
