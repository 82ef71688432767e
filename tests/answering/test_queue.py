"""The rules of the queue: who may, who was first, what leaves and what never does."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from answering import answer as answers
from answering import moves
from answering.refusal import Refused
from delivery.words import Words
from intake.questions import add_message
from storage.database import Database
from storage.tables import (
    Audience,
    Audit,
    Channel,
    Message,
    Outbox,
    OutboxKind,
    Question,
    QuestionState,
    Referent,
    Role,
)
from tests.cast import Cast


def fresh(session: Session, question: Question) -> Question:
    session.refresh(question)
    return question


def sent(session: Session) -> list[Outbox]:
    return list(session.exec(select(Outbox).order_by(col(Outbox.id))))


def test_taking_makes_it_mine_and_is_in_the_log(session: Session, cast: Cast, now: datetime) -> None:
    olga, question = cast.a_staff(), cast.a_question(cast.a_referent())

    moves.take(session, question.id, olga.id, version=1, now=now)

    assert (fresh(session, question).state, question.taken_by, question.version) == (QuestionState.TAKEN, olga.id, 2)
    session.flush()
    assert session.exec(select(Audit.action)).all() == ["question.take"]


def test_taking_twice_is_once(session: Session, cast: Cast, now: datetime) -> None:
    olga, question = cast.a_staff(), cast.a_question(cast.a_referent())
    moves.take(session, question.id, olga.id, version=1, now=now)

    moves.take(session, question.id, olga.id, version=1, now=now)

    assert fresh(session, question).version == 2


def test_of_two_who_take_at_once_the_second_is_told_who_has_it(session: Session, cast: Cast, now: datetime) -> None:
    olga, ugo, question = cast.a_staff(), cast.a_staff("Ugo Esempio"), cast.a_question(cast.a_referent())
    moves.take(session, question.id, olga.id, version=1, now=now)

    with pytest.raises(Refused) as refused:
        moves.take(session, question.id, ugo.id, version=1, now=now)

    assert refused.value.values == {"name": "Olga Officer"}
    assert fresh(session, question).taken_by == olga.id


def test_a_race_over_two_connections_has_one_winner(database: Database, now: datetime) -> None:
    with database.write() as session:
        cast = Cast(session, now)
        people = [cast.a_staff(f"Persona {number}").id for number in range(6)]
        question_id = cast.a_question(cast.a_referent(chat=1)).id
    start = threading.Barrier(6)
    outcomes: list[int | None] = []

    def compete(staff_id: int) -> None:
        start.wait()
        try:
            with database.write() as session:
                answers.answer(session, question_id, staff_id, f"da {staff_id}", version=1, now=now)
            outcomes.append(staff_id)
        except Refused:
            outcomes.append(None)

    threads = [threading.Thread(target=compete, args=(staff_id,)) for staff_id in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    winners = [outcome for outcome in outcomes if outcome is not None]
    assert len(outcomes) == 6
    assert len(winners) == 1
    with database.read() as session:
        assert [row.body["html"].split("\n\n")[1] for row in sent(session)] == [f"da {winners[0]}"]
        assert session.exec(select(Message.staff_id).where(col(Message.staff_id).is_not(None))).all() == winners


def test_taking_over_from_a_colleague_says_so_in_the_log(session: Session, cast: Cast, now: datetime) -> None:
    olga, ugo, question = cast.a_staff(), cast.a_staff("Ugo Esempio"), cast.a_question(cast.a_referent())
    moves.take(session, question.id, olga.id, version=1, now=now)

    moves.take(session, question.id, ugo.id, version=2, now=now)

    session.flush()
    details = session.exec(select(Audit.detail).order_by(col(Audit.id))).all()
    assert details[-1] == {"taken_from": olga.id}


def test_only_who_has_it_or_an_administrator_gives_it_back(session: Session, cast: Cast, now: datetime) -> None:
    olga, ugo, anna = cast.a_staff(), cast.a_staff("Ugo Esempio"), cast.a_staff("Anna Esempio", Role.ADMIN)
    question = cast.a_question(cast.a_referent())
    moves.take(session, question.id, olga.id, version=1, now=now)

    with pytest.raises(Refused):
        moves.release(session, question.id, ugo.id, version=2, now=now)
    moves.release(session, question.id, anna.id, version=2, now=now)

    assert (fresh(session, question).state, question.taken_by) == (QuestionState.NEW, None)


@pytest.mark.parametrize("move", [moves.take, moves.release, moves.close, moves.reopen])
def test_a_reader_and_a_closed_account_move_nothing(session: Session, cast: Cast, now: datetime, move: object) -> None:
    rita, gone = cast.a_staff("Rita Esempio", Role.READER), cast.a_staff("Elio Esempio", active=False)
    question = cast.a_question(cast.a_referent())

    for person in (rita, gone):
        with pytest.raises(Refused):
            move(session, question.id, person.id, version=1, now=now)  # type: ignore[operator]  # one of four alike

    assert fresh(session, question).version == 1


def test_a_reader_neither_answers_nor_notes(session: Session, cast: Cast, now: datetime) -> None:
    rita, question = cast.a_staff("Rita Esempio", Role.READER), cast.a_question(cast.a_referent(chat=1))

    with pytest.raises(Refused):
        answers.answer(session, question.id, rita.id, "x", version=1, now=now)
    with pytest.raises(Refused):
        answers.note(session, question.id, rita.id, "x", now=now)

    assert sent(session) == []


def test_the_answer_goes_to_the_chat_with_buttons_as_a_reply(session: Session, cast: Cast, now: datetime) -> None:
    olga = cast.a_staff("Olga Esempio")
    question = cast.a_question(cast.a_referent(chat=77, email="ada@example.org"))
    asked = session.exec(select(Message)).one()
    asked.provider_id = "55"
    session.add(asked)

    message = answers.answer(session, question.id, olga.id, "Sì: <5% & basta>", version=1, now=now)

    (row,) = sent(session)
    words = Words.from_json(row.body)
    assert (row.channel, row.address, row.kind) == (Channel.TELEGRAM, "77", OutboxKind.ANSWER)
    assert (row.dedupe_key, row.question_id) == (f"answer:{message.id}", question.id)
    assert words.html.startswith(f"<b>Risposta alla tua domanda n. {question.id}</b>\n\nSì: &lt;5% &amp; basta&gt;")
    assert words.html.endswith("Olga Esempio, Raccordo")
    assert [button.data for line in words.buttons for button in line] == [
        f"q:{question.id}:yes",
        f"q:{question.id}:no",
        f"q:{question.id}:add",
    ]
    assert words.reply_to == "55"


@pytest.mark.parametrize(
    ("asked_from", "chat", "email", "leaves_by"),
    [
        (Channel.TELEGRAM, 7, "ada@example.org", Channel.TELEGRAM),
        (Channel.TELEGRAM, None, "ada@example.org", Channel.EMAIL),
        (Channel.WEB, 7, "ada@example.org", Channel.EMAIL),
        (Channel.EMAIL, 7, "ada@example.org", Channel.EMAIL),
        (Channel.WEB, 7, None, Channel.TELEGRAM),
        (Channel.PHONE, 7, "ada@example.org", Channel.TELEGRAM),
        (Channel.WEB, None, None, None),
    ],
)
def test_the_answer_goes_where_the_referent_wrote_from(
    cast: Cast,
    now: datetime,
    asked_from: Channel,
    chat: int | None,
    email: str | None,
    leaves_by: Channel | None,
) -> None:
    session = cast.session
    question = cast.a_question(cast.a_referent(chat=chat, email=email), channel=asked_from)
    foretold = answers.leaves_by(session, question)

    answers.answer(session, question.id, cast.a_staff().id, "Ecco.", version=1, now=now)

    assert [row.channel for row in sent(session)] == ([leaves_by] if leaves_by else [])
    assert foretold is leaves_by


def test_who_reads_english_is_answered_in_english(session: Session, cast: Cast, now: datetime) -> None:
    ada = cast.a_referent(chat=7)
    ada.language = "en"
    question = cast.a_question(ada)

    answers.answer(session, question.id, cast.a_staff().id, "Yes.", version=1, now=now)

    assert sent(session)[0].body["html"].startswith("<b>Answer to your question no.")


def test_an_answer_to_somebody_who_was_erased_is_kept_and_goes_nowhere(
    session: Session, cast: Cast, now: datetime
) -> None:
    question = cast.a_question(cast.a_referent(chat=7))
    question.referent_id = None
    session.add(question)
    session.flush()

    answers.answer(session, question.id, cast.a_staff().id, "Ecco.", version=1, now=now)

    assert sent(session) == []
    assert fresh(session, question).state is QuestionState.ANSWERED


def test_the_second_answer_is_refused_and_told_who_was_first(session: Session, cast: Cast, now: datetime) -> None:
    olga, ugo = cast.a_staff("Olga Esempio"), cast.a_staff("Ugo Esempio")
    question = cast.a_question(cast.a_referent(chat=7))
    answers.answer(session, question.id, olga.id, "Prima", version=1, now=now)

    with pytest.raises(Refused) as refused:
        answers.answer(session, question.id, ugo.id, "Seconda", version=1, now=now)

    assert "has answered" in refused.value.sentence
    assert refused.value.values == {"name": "Olga Esempio"}
    assert len(sent(session)) == 1


def test_an_answer_written_before_the_referents_last_message_is_stopped(
    session: Session, cast: Cast, now: datetime
) -> None:
    ada = cast.a_referent(chat=7)
    question = cast.a_question(ada)
    add_message(session, question, referent_id=ada.id, text="Anzi no", channel=Channel.TELEGRAM, now=now)

    with pytest.raises(Refused) as refused:
        answers.answer(session, question.id, cast.a_staff().id, "Sì", version=1, now=now)

    assert "has changed" in refused.value.sentence


def test_a_closed_question_is_reopened_before_it_is_answered(session: Session, cast: Cast, now: datetime) -> None:
    olga, question = cast.a_staff(), cast.a_question(cast.a_referent(chat=7))
    moves.close(session, question.id, olga.id, version=1, now=now)

    with pytest.raises(Refused) as refused:
        answers.answer(session, question.id, olga.id, "Sì", version=2, now=now)
    moves.reopen(session, question.id, olga.id, version=2, now=now)
    answers.answer(session, question.id, olga.id, "Sì", version=3, now=now)

    assert "is closed" in refused.value.sentence
    assert fresh(session, question).closed_at is None
    assert len(sent(session)) == 1


@pytest.mark.parametrize("text", ["", " \r\n ", "\x00", "x" * 20_001])
def test_an_empty_or_endless_answer_is_refused(session: Session, cast: Cast, now: datetime, text: str) -> None:
    question = cast.a_question(cast.a_referent(chat=7))

    with pytest.raises(Refused):
        answers.answer(session, question.id, cast.a_staff().id, text, version=1, now=now)


def test_the_longest_answer_leaves_in_parts(session: Session, cast: Cast, now: datetime) -> None:
    question = cast.a_question(cast.a_referent(chat=7))

    answers.answer(session, question.id, cast.a_staff().id, "parola & " * 2_000, version=1, now=now)

    assert len(sent(session)) > 1
    assert [bool(row.body.get("buttons")) for row in sent(session)] == [False] * (len(sent(session)) - 1) + [True]


def test_a_note_never_leaves_and_changes_nothing(session: Session, cast: Cast, now: datetime) -> None:
    ugo, question = cast.a_staff("Ugo Esempio"), cast.a_question(cast.a_referent(chat=7, email="ada@example.org"))

    note = answers.note(session, question.id, ugo.id, "Solo per noi", now=now + timedelta(minutes=1))

    assert note.audience is Audience.STAFF
    assert sent(session) == []
    assert (fresh(session, question).version, question.state) == (1, QuestionState.NEW)


def test_the_log_holds_ids_and_no_words(session: Session, cast: Cast, now: datetime) -> None:
    ada: Referent = cast.a_referent("Ada Esempio", chat=7)
    olga, question = cast.a_staff("Olga Esempio"), cast.a_question(ada)

    answers.note(session, question.id, olga.id, "Parole riservate", now=now)
    answers.answer(session, question.id, olga.id, "Parole riservate", version=1, now=now)

    session.flush()
    rows = str([row.model_dump() for row in session.exec(select(Audit))])
    assert "riservate" not in rows
    assert "Esempio" not in rows


def test_an_unknown_question_is_refused(session: Session, cast: Cast, now: datetime) -> None:
    olga = cast.a_staff()

    for act in (moves.take, moves.release, moves.close, moves.reopen):
        with pytest.raises(Refused):
            act(session, 999, olga.id, version=1, now=now)
    with pytest.raises(Refused):
        answers.note(session, 999, olga.id, "x", now=now)
