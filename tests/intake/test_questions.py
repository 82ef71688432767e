from datetime import UTC, datetime, timedelta

from sqlmodel import Session, select

from intake.questions import add_message, ask, expected_by, settle
from storage.questions import own_question, question_lines, question_of_message, thread
from storage.tables import Audit, Channel, Question, QuestionState
from tests.cast import Cast

ZONE = "Europe/Rome"


def asked(session: Session, cast: Cast, text: str = "Possiamo usare il ribasso?", **other: object) -> Question:
    ada = cast.a_referent()
    return ask(session, referent_id=ada.id, text=text, channel=Channel.TELEGRAM, now=cast.now, zone=ZONE, **other)  # type: ignore[arg-type]


def test_an_answer_is_expected_two_working_days_later() -> None:
    tuesday_at_ten = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    friday_at_ten = datetime(2026, 12, 4, 9, 0, tzinfo=UTC)

    assert expected_by(tuesday_at_ten, ZONE) == datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    # Saint Ambrose on Monday 7, the Immaculate Conception on Tuesday 8
    assert expected_by(friday_at_ten, ZONE) == datetime(2026, 12, 10, 9, 0, tzinfo=UTC)


def test_a_question_opens_with_its_text(session: Session, cast: Cast) -> None:
    question = asked(session, cast, "Serve il CUP?\x00", provider_id="71")

    assert question.state is QuestionState.NEW
    assert [message.text for message in thread(session, question.id)] == ["Serve il CUP?"]
    assert question.referent_id is not None
    assert question_of_message(session, question.referent_id, Channel.TELEGRAM, "71") == question.id
    assert session.exec(select(Audit.action)).all() == ["question.ask"]


def test_a_new_message_opens_an_answered_question_again(session: Session, cast: Cast) -> None:
    question = asked(session, cast)
    question.state = QuestionState.ANSWERED
    session.flush()
    later = cast.now + timedelta(days=1)

    assert question.referent_id is not None
    add_message(session, question, referent_id=question.referent_id, text="E l'IVA?", channel=Channel.WEB, now=later)

    fresh = own_question(session, question.referent_id, question.id)
    assert fresh is not None
    assert (fresh.state, fresh.channel, fresh.version) == (QuestionState.NEW, Channel.WEB, 2)
    assert fresh.due_at == expected_by(later, ZONE)
    assert [message.text for message in thread(session, question.id)] == ["Possiamo usare il ribasso?", "E l'IVA?"]


def test_a_question_reopened_goes_back_to_who_had_it(session: Session, cast: Cast) -> None:
    question = asked(session, cast)
    question.state, question.taken_by = QuestionState.ANSWERED, cast.a_staff().id
    session.flush()
    assert question.referent_id is not None

    settled = settle(session, question.id, question.referent_id, solved=False, now=cast.now)

    assert settled is not None
    assert (settled.state, settled.solved) == (QuestionState.TAKEN, False)


def test_a_message_to_a_question_being_worked_on_keeps_its_due_time(session: Session, cast: Cast) -> None:
    question = asked(session, cast)
    due = question.due_at
    assert question.referent_id is not None

    add_message(
        session,
        question,
        referent_id=question.referent_id,
        text="Aggiungo il CUP",
        channel=Channel.TELEGRAM,
        now=cast.now + timedelta(hours=5),
    )

    assert question.due_at == due
    assert question.state is QuestionState.NEW


def test_solved_twice_is_closed_once(session: Session, cast: Cast) -> None:
    question = asked(session, cast)
    assert question.referent_id is not None

    first = settle(session, question.id, question.referent_id, solved=True, now=cast.now)
    second = settle(session, question.id, question.referent_id, solved=True, now=cast.now + timedelta(days=1))

    assert first is not None
    assert second is not None
    assert (second.state, second.solved, second.closed_at) == (QuestionState.CLOSED, True, cast.now)
    assert session.exec(select(Audit.action)).all() == ["question.ask", "question.solved"]


def test_carla_can_neither_see_nor_settle_adas_question(session: Session, cast: Cast) -> None:
    question = asked(session, cast)
    carla = cast.a_referent("Carla Esempio")

    assert own_question(session, carla.id, question.id) is None
    assert settle(session, question.id, carla.id, solved=True, now=cast.now) is None
    assert question_lines(session, carla.id) == []


def test_own_questions_are_listed_with_their_first_words_open_ones_first(session: Session, cast: Cast) -> None:
    first = asked(session, cast, "Prima")
    assert first.referent_id is not None
    second = ask(session, referent_id=first.referent_id, text="Seconda", channel=Channel.WEB, now=cast.now, zone=ZONE)
    third = ask(session, referent_id=first.referent_id, text="Terza", channel=Channel.WEB, now=cast.now, zone=ZONE)
    settle(session, third.id, first.referent_id, solved=True, now=cast.now)

    assert [line.text for line in question_lines(session, first.referent_id)] == ["Seconda", "Prima", "Terza"]
    assert [line.id for line in question_lines(session, first.referent_id, only_open=True)] == [second.id, first.id]
