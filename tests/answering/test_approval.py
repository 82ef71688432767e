"""Volunteers' answers: proposed, sent as they are, corrected, returned, withdrawn; one decision is taken."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from answering import answer as answers
from answering import approval, moves
from answering.answer import Said
from answering.difference import difference
from answering.refusal import Refused
from intake.files import StoredFile
from intake.questions import add_message, settle
from storage import proposals
from storage.database import Database
from storage.tables import (
    Attachment,
    Audit,
    Category,
    Channel,
    Message,
    Outbox,
    Proposal,
    ProposalState,
    Question,
    QuestionState,
    Role,
    Staff,
)
from tests.cast import Cast

FILE = StoredFile("a" * 64, 3, "verbale.pdf", "application/pdf", "application/pdf")


def fresh(session: Session, question: Question) -> Question:
    session.refresh(question)
    return question


def proposed(session: Session, cast: Cast, text: str = "Sì, con una variante.") -> tuple[Question, Staff, Staff]:
    """A question of Ada, Vera who proposed an answer, and Olga who may decide."""
    vera, olga = cast.a_staff("Vera Esempio", Role.VOLUNTEER), cast.a_staff("Olga Esempio")
    question = cast.a_question(cast.a_referent(chat=1))
    said = Said(vera, text, files=[FILE])
    approval.propose(session, question.id, said, version=1, now=cast.now)
    return fresh(session, question), vera, olga


def the_proposal(session: Session) -> Proposal:
    return session.exec(select(Proposal).execution_options(populate_existing=True)).one()


def test_a_volunteer_s_answer_waits_and_nothing_leaves(session: Session, cast: Cast, now: datetime) -> None:
    question, vera, _ = proposed(session, cast)

    assert (question.state, question.taken_by, question.version) == (QuestionState.PROPOSED, vera.id, 2)
    assert session.exec(select(Outbox)).all() == []
    assert session.exec(select(Message).where(col(Message.staff_id).is_not(None))).all() == []
    with pytest.raises(Refused, match="An officer approves"):
        answers.answer(session, question.id, vera.id, "Di nascosto", version=2, now=now)


@pytest.mark.parametrize(
    ("role", "free", "waits"),
    [
        (Role.VOLUNTEER, None, True),
        (Role.VOLUNTEER, False, True),
        (Role.VOLUNTEER, True, False),
        (Role.OFFICER, None, False),
        (Role.ADMIN, False, False),
    ],
)
def test_whose_answers_wait(session: Session, cast: Cast, role: Role, free: bool | None, waits: bool) -> None:
    person, category = cast.a_staff("Vera Esempio", role), None
    if free is not None:
        category = cast.add(Category(name="Rendicontazione", free=free, created_at=cast.now)).id
    question = cast.a_question(cast.a_referent(), category_id=category)

    assert approval.must_propose(session, question.id, person.id) is waits


def test_sent_as_it_is_it_leaves_in_its_author_s_name_with_its_files(
    session: Session, cast: Cast, now: datetime
) -> None:
    question, vera, olga = proposed(session, cast)

    message = approval.approve(session, question.id, olga.id, "Sì, con una variante.", version=2, now=now)

    assert (fresh(session, question).state, question.taken_by) == (QuestionState.ANSWERED, vera.id)
    assert message.staff_id == vera.id
    (row,) = session.exec(select(Outbox).where(Outbox.dedupe_key == f"answer:{message.id}")).all()
    assert "Vera Esempio" in row.body["html"]
    file = session.exec(select(Attachment)).one()
    session.refresh(file)
    assert (file.message_id, file.proposal_id) == (message.id, None)
    decided = the_proposal(session)
    assert (decided.state, decided.message_id, decided.decided_by) == (ProposalState.SENT, message.id, olga.id)
    detail = session.exec(select(Audit.detail).where(Audit.action == "question.approve")).one()
    assert detail["corrected"] is False


def test_corrected_the_first_text_stays_beside_it(session: Session, cast: Cast, now: datetime) -> None:
    question, _, olga = proposed(session, cast)

    message = approval.approve(session, question.id, olga.id, "No, senza variante.", version=2, now=now)

    found = proposals.became(session, question.id)[message.id]
    assert (found.proposal.text, message.text) == ("Sì, con una variante.", "No, senza variante.")
    assert (found.author, found.decider) == ("Vera Esempio", "Olga Esempio")


def test_returned_it_is_the_author_s_again_with_the_remark(session: Session, cast: Cast, now: datetime) -> None:
    question, vera, olga = proposed(session, cast)

    approval.give_back(session, question.id, olga.id, "Cita la circolare.", version=2, now=now)

    assert (fresh(session, question).state, question.taken_by) == (QuestionState.TAKEN, vera.id)
    back = proposals.back_with(session, question, vera.id)
    assert back is not None
    assert (back.proposal.remark, back.decider) == ("Cita la circolare.", "Olga Esempio")
    assert proposals.back_with(session, question, olga.id) is None
    kept = [file.id for file in back.files]
    again = Said(vera, "Sì, circolare 27.", kept=kept)
    second = approval.propose(session, question.id, again, version=question.version, now=now)
    waiting = proposals.waiting_on(session, question.id)
    assert waiting is not None
    assert (waiting.proposal.id, [file.id for file in waiting.files]) == (second.id, kept)


def test_a_return_without_a_word_is_refused(session: Session, cast: Cast, now: datetime) -> None:
    question, _, olga = proposed(session, cast)

    with pytest.raises(Refused, match="what is to be changed"):
        approval.give_back(session, question.id, olga.id, " \n", version=2, now=now)

    assert fresh(session, question).state is QuestionState.PROPOSED


def test_only_its_author_withdraws_it(session: Session, cast: Cast, now: datetime) -> None:
    question, vera, olga = proposed(session, cast)

    with pytest.raises(Refused, match="Only who proposed"):
        approval.withdraw(session, question.id, olga.id, version=2, now=now)
    approval.withdraw(session, question.id, vera.id, version=2, now=now)

    assert fresh(session, question).state is QuestionState.TAKEN
    back = proposals.back_with(session, question, vera.id)
    assert back is not None
    assert back.proposal.state is ProposalState.WITHDRAWN


def test_volunteers_and_readers_decide_nothing(session: Session, cast: Cast, now: datetime) -> None:
    question, vera, _ = proposed(session, cast)
    others = [vera, cast.a_staff("Vito Esempio", Role.VOLUNTEER), cast.a_staff("Rita Esempio", Role.READER)]

    for person in others:
        with pytest.raises(Refused):
            approval.approve(session, question.id, person.id, "Sì", version=2, now=now)
        with pytest.raises(Refused):
            approval.give_back(session, question.id, person.id, "No", version=2, now=now)

    assert the_proposal(session).state is ProposalState.WAITING


def test_a_new_message_leaves_the_proposal_and_has_to_be_read_first(
    session: Session, cast: Cast, now: datetime
) -> None:
    question, _, olga = proposed(session, cast)
    assert question.referent_id is not None
    add_message(
        session,
        question,
        referent_id=question.referent_id,
        text="E il cortile?",
        channel=Channel.TELEGRAM,
        now=now + timedelta(minutes=1),
    )

    with pytest.raises(Refused, match="Something has changed"):
        approval.approve(session, question.id, olga.id, "Sì", version=2, now=now)
    assert fresh(session, question).state is QuestionState.PROPOSED
    approval.approve(session, question.id, olga.id, "Sì", version=question.version, now=now)


def test_a_question_settled_by_who_asked_it_overtakes_the_proposal(session: Session, cast: Cast, now: datetime) -> None:
    question, _, olga = proposed(session, cast)
    assert question.referent_id is not None

    settle(session, question.id, question.referent_id, solved=True, now=now)

    assert the_proposal(session).state is ProposalState.OVERTAKEN
    with pytest.raises(Refused, match="closed"):
        approval.approve(session, question.id, olga.id, "Sì", version=3, now=now)


def test_while_it_waits_nobody_takes_answers_or_closes(session: Session, cast: Cast, now: datetime) -> None:
    question, _, olga = proposed(session, cast)

    for move in (moves.take, moves.close, moves.release):
        with pytest.raises(Refused, match="has proposed an answer"):
            move(session, question.id, olga.id, version=2, now=now)
    with pytest.raises(Refused, match="has proposed an answer"):
        answers.answer(session, question.id, olga.id, "La mia", version=2, now=now)


def test_of_two_officers_at_once_one_decides(database: Database, now: datetime) -> None:
    with database.write() as session:
        cast = Cast(session, now)
        question, _, olga = proposed(session, cast)
        people, number = [olga.id, cast.a_staff("Ugo Esempio").id], question.id
    start = threading.Barrier(2)
    outcomes: list[bool] = []

    def decide(staff_id: int) -> None:
        start.wait()
        try:
            with database.write() as session:
                approval.approve(session, number, staff_id, f"da {staff_id}", version=2, now=now)
            outcomes.append(True)
        except Refused:
            outcomes.append(False)

    threads = [threading.Thread(target=decide, args=(staff_id,)) for staff_id in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [False, True]
    with database.read() as session:
        assert len(session.exec(select(Message).where(col(Message.staff_id).is_not(None))).all()) == 1
        assert len(session.exec(select(Outbox).where(~col(Outbox.dedupe_key).contains(":files-"))).all()) == 1


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("uno due tre", "uno due tre", [("kept", "uno due tre")]),
        ("uno due tre", "uno tre", [("kept", "uno "), ("gone", "due "), ("kept", "tre")]),
        ("uno due", "uno sei", [("kept", "uno "), ("gone", "due"), ("added", "sei")]),
        ("", "uno", [("added", "uno")]),
    ],
)
def test_the_difference_goes_word_by_word(before: str, after: str, shown: list[tuple[str, str]]) -> None:
    assert [(piece.what, piece.text) for piece in difference(before, after)] == shown


def test_the_difference_of_very_long_texts_is_both() -> None:
    before, after = "a " * 5_000, "b " * 5_000

    assert [piece.what for piece in difference(before, after)] == ["gone", "added"]
