"""Two questions become one, one becomes two: what moves, who is answered, what happens to the numbers people hold."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from answering import answer as answers
from answering import approval, joining, moves
from answering.answer import UNDO, Said
from answering.joining import Seen
from answering.refusal import Denied, Refused
from facts.calendar import add_working_hours
from intake.questions import HOURS_TO_ANSWER, add_message, settle
from storage import threads
from storage.database import Database
from storage.questions import own_question, question_lines
from storage.queue import View, queue_page
from storage.tables import (
    Audit,
    Category,
    Channel,
    Message,
    Outbox,
    Question,
    QuestionState,
    QuestionTag,
    Referent,
    Role,
    Staff,
    Tag,
)
from tests.cast import Cast

ZONE = "Europe/Rome"


def seen(session: Session, question: Question) -> Seen:
    session.refresh(question)
    return Seen(question.id, question.version)


def merge(session: Session, source: Question, target: Question, staff: Staff, now: datetime) -> None:
    joining.merge(session, seen(session, source), seen(session, target), staff.id, now=now)
    for one in (source, target):
        session.refresh(one)


def texts(session: Session, question: Question) -> list[str]:
    return [message.text for message, _ in threads.whole_thread(session, question.id)]


def two(cast: Cast) -> tuple[Referent, Question, Question]:
    ada = cast.a_referent(chat=1001)
    return ada, cast.a_question(ada, "Il ribasso?"), cast.a_question(ada, "E allora, il ribasso?")


@pytest.mark.parametrize("free_is_first", [True, False])
def test_a_volunteer_does_not_merge_a_question_into_where_nobody_approves(
    session: Session, cast: Cast, now: datetime, free_is_first: bool
) -> None:
    vera, olga, (_, first, second) = cast.a_staff("Vera Esempio", Role.VOLUNTEER), cast.a_staff(), two(cast)
    free = cast.add(Category(name="Scadenze", free=True, created_at=now))
    (first if free_is_first else second).category_id = free.id
    session.flush()

    with pytest.raises(Denied, match="ask an officer"), session.begin_nested():
        merge(session, second, first, vera, now)
    merge(session, second, first, olga, now)

    assert first.category_id == free.id


def test_merged_they_are_one_thread_and_one_line_of_the_queue(session: Session, cast: Cast, now: datetime) -> None:
    olga, (_, first, second) = cast.a_staff(), two(cast)

    merge(session, second, first, olga, now)

    assert texts(session, first) == ["Il ribasso?", "E allora, il ribasso?"]
    assert (second.state, second.merged_into_id) == (QuestionState.CLOSED, first.id)
    assert [line.id for line in queue_page(session, View.ALL, olga.id)[0]] == [first.id]
    assert [line.id for line in queue_page(session, View.ALL, olga.id, str(second.id))[0]] == [first.id]
    session.flush()
    assert "question.merge" in session.exec(select(Audit.action)).all()


def test_the_old_number_leads_to_the_thread_from_every_door(session: Session, cast: Cast, now: datetime) -> None:
    olga, (ada, first, second) = cast.a_staff(), two(cast)
    merge(session, second, first, olga, now)

    found = own_question(session, ada.id, second.id)
    assert found is not None
    add_message(session, found, referent_id=ada.id, text="Ancora.", channel=Channel.TELEGRAM, now=now)
    settled = settle(session, second.id, ada.id, solved=True, now=now)

    assert found.id == first.id
    assert texts(session, first)[-1] == "Ancora."
    assert settled is not None
    assert (settled.id, settled.state) == (first.id, QuestionState.CLOSED)
    assert [line.id for line in question_lines(session, ada.id)] == [first.id]


def test_a_message_that_was_on_its_way_into_the_old_one_is_not_lost(
    session: Session, cast: Cast, now: datetime
) -> None:
    olga, (ada, first, second) = cast.a_staff(), two(cast)
    found = own_question(session, ada.id, second.id)  # looked up before the merge
    merge(session, second, first, olga, now)
    assert found is not None

    add_message(session, found, referent_id=ada.id, text="Ancora.", channel=Channel.TELEGRAM, now=now)

    session.refresh(second)
    assert texts(session, first)[-1] == "Ancora."
    assert second.state is QuestionState.CLOSED


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (QuestionState.NEW, QuestionState.ANSWERED, QuestionState.NEW),
        (QuestionState.TAKEN, QuestionState.NEW, QuestionState.TAKEN),
        (QuestionState.ANSWERED, QuestionState.NEW, QuestionState.NEW),
        (QuestionState.NEW, QuestionState.CLOSED, QuestionState.NEW),
        (QuestionState.CLOSED, QuestionState.ANSWERED, QuestionState.ANSWERED),
    ],
)
def test_the_one_that_stays_waits_when_either_waited(
    session: Session,
    cast: Cast,
    now: datetime,
    source: QuestionState,
    target: QuestionState,
    expected: QuestionState,
) -> None:
    olga, (_, first, second) = cast.a_staff(), two(cast)
    for question, state in ((second, source), (first, target)):
        question.state = state
        question.taken_by = olga.id if state is QuestionState.TAKEN else None
    session.flush()

    merge(session, second, first, olga, now)

    assert first.state is expected
    assert first.taken_by == (olga.id if expected is QuestionState.TAKEN else None)


def test_the_earlier_time_and_the_hurry_stay_and_so_do_the_tags(session: Session, cast: Cast, now: datetime) -> None:
    olga, (_, first, second) = cast.a_staff(), two(cast)
    tag = cast.add(Tag(name="ribasso", created_at=now))
    cast.add(QuestionTag(question_id=second.id, tag_id=tag.id))
    second.urgent, second.due_at = True, now + timedelta(hours=2)
    session.flush()

    merge(session, second, first, olga, now)

    assert (first.urgent, first.due_at) == (True, now + timedelta(hours=2))
    tagged = select(QuestionTag.tag_id).where(QuestionTag.question_id == first.id)
    assert session.exec(tagged).all() == [tag.id]


def test_the_next_answer_says_which_numbers_it_answers(session: Session, cast: Cast, now: datetime) -> None:
    olga, (_, first, second) = cast.a_staff(), two(cast)
    merge(session, second, first, olga, now)

    answers.answer(session, first.id, olga.id, "Sì.", version=first.version, now=now)

    (row,) = session.exec(select(Outbox))
    assert f"n. {first.id}" in row.body["html"]
    assert f"Risponde anche alla tua domanda n. {second.id}." in row.body["html"]


def test_what_left_as_an_answer_goes_along(session: Session, cast: Cast, now: datetime) -> None:
    olga, (_, first, second) = cast.a_staff(), two(cast)
    answers.answer(session, second.id, olga.id, "Sì.", version=1, now=now)

    merge(session, second, first, olga, now + UNDO)  # it can be stopped no more

    assert [row.question_id for row in threads.answers_sent(session, first.id)] == [first.id]
    assert threads.answers_sent(session, second.id) == []


def test_nobody_merges_questions_of_two_people(session: Session, cast: Cast, now: datetime) -> None:
    olga, (_, first, _), other = cast.a_staff(), two(cast), cast.a_question(cast.a_referent("Bruno Esempio"))

    with pytest.raises(Refused, match="Two people"):
        merge(session, other, first, olga, now)
    with pytest.raises(Refused, match="same one"):
        merge(session, first, first, olga, now)


def test_a_reader_neither_merges_nor_splits(session: Session, cast: Cast, now: datetime) -> None:
    carla, (_, first, second) = cast.a_staff("Carla Esempio", Role.READER), two(cast)

    with pytest.raises(Denied):
        merge(session, second, first, carla, now)
    with pytest.raises(Denied):
        joining.split(session, Seen(first.id, 1), [1], carla.id, now=now, zone=ZONE)
    with pytest.raises(Denied):
        joining.take_out(session, Seen(first.id, 1), second.id, carla.id, now=now)


def test_while_an_answer_waits_nothing_is_merged(session: Session, cast: Cast, now: datetime) -> None:
    olga, vera = cast.a_staff(), cast.a_staff("Vera Esempio", Role.VOLUNTEER)
    _, first, second = two(cast)
    approval.propose(session, first.id, Said(vera, "Sì."), version=1, now=now)
    answers.answer(session, second.id, olga.id, "No.", version=1, now=now)
    third = cast.a_question(session.get_one(Referent, first.referent_id))

    with pytest.raises(Refused, match="waits for approval"):
        merge(session, third, first, olga, now)
    with pytest.raises(Refused, match="a few seconds"):
        merge(session, third, second, olga, now)
    merge(session, third, second, olga, now + UNDO)


def test_who_saw_another_thread_merges_nothing(session: Session, cast: Cast, now: datetime) -> None:
    olga, (_, first, second) = cast.a_staff(), two(cast)
    before = seen(session, first)
    moves.take(session, first.id, olga.id, version=1, now=now)

    with pytest.raises(Refused):
        joining.merge(session, seen(session, second), before, olga.id, now=now)


def test_taken_out_again_both_are_as_they_were(session: Session, cast: Cast, now: datetime) -> None:
    olga, (ada, first, second) = cast.a_staff(), two(cast)
    answers.answer(session, first.id, olga.id, "Sì.", version=1, now=now)
    merge(session, second, first, olga, now + UNDO)
    assert first.state is QuestionState.NEW

    joining.take_out(session, seen(session, first), second.id, olga.id, now=now + UNDO)

    session.refresh(first)
    session.refresh(second)
    assert (first.state, second.state) == (QuestionState.ANSWERED, QuestionState.NEW)
    assert (second.merged_into_id, second.closed_at) == (None, None)
    assert (texts(session, first), texts(session, second)) == (["Il ribasso?", "Sì."], ["E allora, il ribasso?"])
    found = own_question(session, ada.id, second.id)
    assert found is not None
    assert found.id == second.id


def test_of_three_that_are_one_each_can_be_taken_out_by_itself(session: Session, cast: Cast, now: datetime) -> None:
    olga, (ada, first, second) = cast.a_staff(), two(cast)
    third = cast.a_question(ada, "Terza?")
    merge(session, third, second, olga, now)
    merge(session, second, first, olga, now)

    session.refresh(third)
    assert third.merged_into_id == first.id
    joining.take_out(session, seen(session, first), second.id, olga.id, now=now)
    joining.take_out(session, seen(session, first), third.id, olga.id, now=now)

    assert [texts(session, one) for one in (first, second, third)] == [
        ["Il ribasso?"],
        ["E allora, il ribasso?"],
        ["Terza?"],
    ]


def a_double(session: Session, cast: Cast, now: datetime) -> tuple[Referent, Staff, Question, list[Message]]:
    """Asked, answered, and then something else asked in the same thread."""
    ada, olga = cast.a_referent(chat=1001), cast.a_staff()
    question = cast.a_question(ada, "Il ribasso?")
    answers.answer(session, question.id, olga.id, "Sì.", version=1, now=now)
    later = now + timedelta(hours=1)
    add_message(session, question, referent_id=ada.id, text="E la DNSH?", channel=Channel.TELEGRAM, now=later)
    messages = session.exec(select(Message).where(Message.question_id == question.id).order_by(col(Message.id))).all()
    return ada, olga, question, list(messages)


def test_split_off_it_is_a_question_with_a_time_of_its_own(session: Session, cast: Cast, now: datetime) -> None:
    _, olga, question, messages = a_double(session, cast, now)
    asked = now + timedelta(hours=1)

    number = joining.split(session, seen(session, question), [messages[2].id], olga.id, now=asked, zone=ZONE)

    session.refresh(question)
    new = session.get_one(Question, number)
    assert (texts(session, question), texts(session, new)) == (["Il ribasso?", "Sì."], ["E la DNSH?"])
    assert (new.split_from_id, new.referent_id) == (question.id, question.referent_id)
    assert new.due_at == add_working_hours(asked, HOURS_TO_ANSWER, ZONE)
    assert (new.state, new.taken_by) == (QuestionState.TAKEN, olga.id)
    assert question.state is QuestionState.ANSWERED


def test_an_answer_moves_with_what_left_and_replies_to_it_follow(session: Session, cast: Cast, now: datetime) -> None:
    _, olga, question, messages = a_double(session, cast, now)
    later = now + timedelta(hours=1)
    first_two = [messages[0].id, messages[1].id]

    number = joining.split(session, seen(session, question), first_two, olga.id, now=later, zone=ZONE)

    session.refresh(question)
    new = session.get_one(Question, number, populate_existing=True)
    assert (new.state, question.state) == (QuestionState.ANSWERED, QuestionState.TAKEN)
    assert new.first_answer_at == now
    assert [row.question_id for row in threads.answers_sent(session, number)] == [number]


def test_both_halves_need_somebody_who_asks(session: Session, cast: Cast, now: datetime) -> None:
    _, olga, question, messages = a_double(session, cast, now)
    later = now + timedelta(hours=1)

    for chosen in ([], [999_999], [messages[1].id], [one.id for one in messages]):
        with pytest.raises(Refused, match=r"Choose the messages|Both questions"):
            joining.split(session, seen(session, question), chosen, olga.id, now=later, zone=ZONE)


def test_split_and_merged_again_it_is_one_thread(session: Session, cast: Cast, now: datetime) -> None:
    _, olga, question, messages = a_double(session, cast, now)
    later = now + timedelta(hours=1)
    number = joining.split(session, seen(session, question), [messages[2].id], olga.id, now=later, zone=ZONE)
    new = session.get_one(Question, number)

    merge(session, new, question, olga, later)
    assert texts(session, question) == ["Il ribasso?", "Sì.", "E la DNSH?"]
    joining.take_out(session, seen(session, question), number, olga.id, now=later)

    assert texts(session, new) == ["E la DNSH?"]


def test_of_two_who_merge_at_once_the_other_way_round_one_is_first(database: Database, now: datetime) -> None:
    with database.write() as session:
        cast = Cast(session, now)
        people, (_, first, second) = [cast.a_staff().id, cast.a_staff("Ugo Esempio").id], two(cast)
        ways = [(first.id, second.id), (second.id, first.id)]
    start, outcomes = threading.Barrier(2), []

    def run(which: int) -> None:
        source, target = ways[which]
        start.wait(30)
        try:
            with database.write() as session:
                joining.merge(session, Seen(source, 1), Seen(target, 1), people[which], now=now)
            outcomes.append("merged")
        except Refused:
            outcomes.append("refused")

    both = [threading.Thread(target=run, args=(which,)) for which in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)

    assert sorted(outcomes) == ["merged", "refused"]
    with database.read() as session:
        merged = session.exec(select(Question).where(col(Question.merged_into_id).is_not(None))).all()
        assert len(merged) == 1
        assert {one.question_id for one in session.exec(select(Message))} == {merged[0].merged_into_id}


def test_a_message_and_a_merge_at_once_lose_nothing(database: Database, now: datetime) -> None:
    with database.write() as session:
        cast = Cast(session, now)
        staff_id, (ada, first, second) = cast.a_staff().id, two(cast)
        person, source, target = ada.id, second.id, first.id
    start = threading.Barrier(2)

    def write() -> None:
        start.wait(30)
        with database.write() as session:
            question = own_question(session, person, source)
            assert question is not None
            add_message(session, question, referent_id=person, text="Ancora.", channel=Channel.WEB, now=now)

    def put_together() -> None:
        start.wait(30)
        try:
            with database.write() as session:
                joining.merge(session, Seen(source, 1), Seen(target, 1), staff_id, now=now)
        except Refused:
            pass

    both = [threading.Thread(target=work) for work in (write, put_together)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)

    with database.read() as session:
        (said,) = session.exec(select(Message).where(Message.channel == Channel.WEB))
        assert session.get_one(Question, said.question_id).merged_into_id is None
