"""An answer can be stopped for 20 seconds: it goes back to its author, and nobody outside ever sees it."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from answering import answer as answers
from answering import approval
from answering.answer import UNDO, Said
from answering.refusal import Refused
from answering.undo import undo
from intake.files import StoredFile
from storage import dispatching, proposals, questions
from storage.tables import (
    Attachment,
    Audience,
    Audit,
    Channel,
    Message,
    Outbox,
    OutboxState,
    ProposalState,
    Question,
    QuestionState,
    Role,
    Staff,
)
from tests.cast import Cast

FILE = StoredFile("a" * 64, 3, "verbale.pdf", "application/pdf", "application/pdf")


def answered(session: Session, cast: Cast, text: str = "Sì.") -> tuple[Question, Staff, Message]:
    olga, question = cast.a_staff("Olga Esempio"), cast.a_question(cast.a_referent(chat=1))
    message = answers.answer(session, question.id, olga.id, text, version=1, now=cast.now, files=[FILE])
    session.refresh(question)
    return question, olga, message


def rows(session: Session) -> list[Outbox]:
    return list(session.exec(select(Outbox).order_by(col(Outbox.id)).execution_options(populate_existing=True)))


def test_an_answer_waits_20_seconds(session: Session, cast: Cast, now: datetime) -> None:
    answered(session, cast, "parola " * 1_000)  # several parts, and a file

    assert len(rows(session)) > 2
    assert {row.next_at for row in rows(session)} == {now + UNDO}
    assert not dispatching.anything_due(session, now + UNDO - timedelta(seconds=1))
    assert dispatching.anything_due(session, now + UNDO)
    assert timedelta(seconds=20) == UNDO


def test_taken_back_nothing_leaves_and_the_text_is_its_author_s(session: Session, cast: Cast, now: datetime) -> None:
    question, olga, message = answered(session, cast, "parola " * 1_000)

    undo(session, question.id, message.id, olga.id, now=now)

    assert {row.state for row in rows(session)} == {OutboxState.DROPPED}
    assert not dispatching.anything_due(session, now + timedelta(days=1))
    session.refresh(message)
    session.refresh(question)
    assert message.audience is Audience.NOBODY
    assert [one.staff_id for one in questions.thread(session, question.id)] == [None]
    assert (question.state, question.taken_by, question.first_answer_at) == (QuestionState.TAKEN, olga.id, None)
    back = proposals.back_with(session, question, olga.id)
    assert back is not None
    assert back.proposal.text == message.text
    assert [file.name for file in back.files] == ["verbale.pdf"]
    assert "question.undo" in session.exec(select(Audit.action)).all()


def test_sent_again_it_leaves_once_with_its_file(session: Session, cast: Cast, now: datetime) -> None:
    question, olga, message = answered(session, cast)
    undo(session, question.id, message.id, olga.id, now=now)
    session.refresh(question)
    kept = [file.id for file in session.exec(select(Attachment))]

    again = answers.answer(
        session, question.id, olga.id, "Sì, ma.", version=question.version, now=now + UNDO, kept=kept
    )

    waiting = [row for row in rows(session) if row.state is OutboxState.QUEUED]
    assert {row.dedupe_key for row in waiting} == {f"answer:{again.id}", f"answer:{again.id}:files-1"}
    assert session.exec(select(Attachment.message_id)).all() == [again.id]


def test_files_of_others_do_not_go_along(session: Session, cast: Cast, now: datetime) -> None:
    question, olga, message = answered(session, cast)
    foreign = cast.add(Attachment(sha256="b" * 64, size=1, name="altrui.pdf", created_at=now))
    undo(session, question.id, message.id, olga.id, now=now)
    session.refresh(question)

    answers.answer(session, question.id, olga.id, "Sì", version=question.version, now=now, kept=[foreign.id])

    session.refresh(foreign)
    assert foreign.message_id is None


@pytest.mark.parametrize(
    "change",
    [
        {"state": OutboxState.SENDING, "attempts": 1},
        {"state": OutboxState.SENT, "attempts": 1},
        {"state": OutboxState.RETRY, "attempts": 1},
        {"state": OutboxState.QUEUED, "attempts": 1},
        {"state": OutboxState.DROPPED},
    ],
)
def test_once_any_part_is_on_its_way_it_cannot_be_stopped(
    session: Session, cast: Cast, now: datetime, change: dict[str, object]
) -> None:
    question, olga, message = answered(session, cast, "parola " * 1_000)
    part = rows(session)[-1]
    for name, value in change.items():
        setattr(part, name, value)
    session.add(part)
    session.flush()

    with pytest.raises(Refused, match="has left already"):
        undo(session, question.id, message.id, olga.id, now=now)


def test_a_claim_and_a_stop_exclude_each_other(session: Session, cast: Cast, now: datetime) -> None:
    question, olga, message = answered(session, cast)
    ids = {row.id for row in rows(session)}

    undo(session, question.id, message.id, olga.id, now=now)

    assert dispatching.claim(session, ids, now + timedelta(minutes=3)) == set()


def test_only_the_author_or_an_officer_stops_it(session: Session, cast: Cast, now: datetime) -> None:
    question, _, message = answered(session, cast)
    vera, ugo = cast.a_staff("Vera Esempio", Role.VOLUNTEER), cast.a_staff("Ugo Esempio")

    with pytest.raises(Refused, match="Only who sent"):
        undo(session, question.id, message.id, vera.id, now=now)
    undo(session, question.id, message.id, ugo.id, now=now)

    session.refresh(message)
    assert message.audience is Audience.NOBODY


def test_of_another_question_or_by_the_referent_nothing_is_stopped(session: Session, cast: Cast, now: datetime) -> None:
    question, olga, message = answered(session, cast)
    other = cast.a_question(cast.a_referent("Bruno Esempio"))
    asked = session.exec(select(Message).where(Message.question_id == question.id)).all()[0]

    for number, which in ((other.id, message.id), (question.id, asked.id), (question.id, 999)):
        with pytest.raises(Refused, match="does not exist"):
            undo(session, number, which, olga.id, now=now)


def test_an_approved_answer_waits_for_approval_again(session: Session, cast: Cast, now: datetime) -> None:
    vera, olga = cast.a_staff("Vera Esempio", Role.VOLUNTEER), cast.a_staff("Olga Esempio")
    question = cast.a_question(cast.a_referent(chat=1))
    approval.propose(session, question.id, Said(vera, "Sì."), version=1, now=now)
    message = approval.approve(session, question.id, olga.id, "No.", version=2, now=now)

    with pytest.raises(Refused, match="Only who sent"):
        undo(session, question.id, message.id, vera.id, now=now)
    undo(session, question.id, message.id, olga.id, now=now)

    session.refresh(question)
    waiting = proposals.waiting_on(session, question.id)
    assert question.state is QuestionState.PROPOSED
    assert waiting is not None
    assert (waiting.proposal.text, waiting.proposal.state) == ("Sì.", ProposalState.WAITING)


def test_a_question_of_staff_is_no_answer_until_the_reply(session: Session, cast: Cast, now: datetime) -> None:
    from intake.questions import add_message

    olga, question = cast.a_staff(), cast.a_question(cast.a_referent(chat=1))

    answers.answer(session, question.id, olga.id, "Quale CUP?", version=1, now=now, awaits=True)

    session.refresh(question)
    assert (question.awaits, question.first_answer_at) == (True, None)
    (row,) = rows(session)
    assert "ti chiediamo una cosa" in row.body["html"]
    assert len(row.body["buttons"]) == 1
    assert question.referent_id is not None
    add_message(
        session, question, referent_id=question.referent_id, text="C1", channel=Channel.TELEGRAM, now=now + UNDO
    )
    session.refresh(question)
    assert (question.awaits, question.state) == (False, QuestionState.TAKEN)
    answers.answer(session, question.id, olga.id, "Sì", version=question.version, now=now + 2 * UNDO)
    session.refresh(question)
    assert question.first_answer_at == now + 2 * UNDO
