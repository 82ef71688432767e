"""Two people answer one question at the same instant, by the door of the desk: exactly one answer leaves."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from sqlmodel import Session, col, func, select

from answering import answer as answers
from answering import approval
from answering.answer import Said
from answering.refusal import Refused
from storage.database import Database
from storage.tables import Message, Outbox, Proposal, ProposalState, Question, QuestionState, Role, Staff
from tests.cast import Cast
from tests.faults.conftest import kind_of
from tests.faults.table import LINES, Line

pytestmark = pytest.mark.faults

RACES = {"short": 40, "full": 500}
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

Runner = Callable[[Session, int, int], None]


@dataclass(frozen=True)
class Field:
    """The two who run, and the questions they run for."""

    people: tuple[int, int]
    questions: list[int]


def furnish(database: Database, races: int, *, one: Role) -> Field:
    with database.write() as session:
        cast = Cast(session, NOW)
        people = (cast.a_staff("Olga Esempio").id, cast.a_staff("Piero Esempio", one).id)
        ada = cast.a_referent(chat=1001)
        return Field(people, [cast.a_question(ada, f"Domanda {number}?").id for number in range(races)])


def sends(session: Session, question_id: int, staff_id: int) -> None:
    answers.answer(session, question_id, staff_id, f"da {staff_id}", version=1, now=NOW)


def proposes(session: Session, question_id: int, staff_id: int) -> None:
    person = session.get_one(Staff, staff_id)
    approval.propose(session, question_id, Said(person, f"da {staff_id}"), version=1, now=NOW)


def approves(session: Session, question_id: int, staff_id: int) -> None:
    approval.approve(session, question_id, staff_id, f"da {staff_id}", version=2, now=NOW)


def race(database: Database, field: Field, runners: tuple[Runner, Runner]) -> list[tuple[str, str]]:
    """What became of the two, question by question: they start each race together."""
    start = threading.Barrier(2)
    outcomes: tuple[list[str], list[str]] = ([], [])

    def run(which: int) -> None:
        for question_id in field.questions:
            start.wait(60)
            try:
                with database.write() as session:
                    runners[which](session, question_id, field.people[which])
                outcomes[which].append("first")
            except Refused:
                outcomes[which].append("refused")
            except Exception as broken:  # counted, and the other one must not wait for ever
                outcomes[which].append(type(broken).__name__)

    threads = [threading.Thread(target=run, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return list(zip(*outcomes, strict=True))


def answers_in_the_ledger(database: Database) -> tuple[Counter[int], Counter[int]]:
    """By question: how many messages of staff, and how many rows that leave."""
    with database.read() as session:
        said = select(Message.question_id, func.count()).where(col(Message.staff_id).is_not(None))
        left = select(Outbox.question_id, func.count()).where(col(Outbox.question_id).is_not(None))
        messages = Counter({row[0]: row[1] for row in session.execute(said.group_by(col(Message.question_id)))})
        leaving = Counter({row[0]: row[1] for row in session.execute(left.group_by(col(Outbox.question_id)))})
    return messages, leaving


def report(
    database_url: str, what: str, field: Field, outcomes: list[tuple[str, str]], left: int, began: float
) -> None:
    seconds = time.monotonic() - began
    races, wins = len(field.questions), Counter(outcome.index("first") for outcome in outcomes if "first" in outcome)
    other = f"{what}; first: {wins[0]} and {wins[1]} times"
    line = Line("two answers", kind_of(database_url), races, 0, races - min(races, left), max(0, left - races), other)
    LINES.append(Line(**(vars(line) | {"seconds": seconds})))


def test_of_two_who_answer_one_question_exactly_one_answer_is_in_the_ledger(
    database: Database, database_url: str, dose: str
) -> None:
    field, began = furnish(database, RACES[dose], one=Role.OFFICER), time.monotonic()

    outcomes = race(database, field, (sends, sends))

    said, leaving = answers_in_the_ledger(database)
    report(database_url, "two officers answer", field, outcomes, sum(leaving.values()), began)
    assert {tuple(sorted(outcome)) for outcome in outcomes} == {("first", "refused")}
    assert said == dict.fromkeys(field.questions, 1)
    assert leaving == dict.fromkeys(field.questions, 1)


def test_of_an_officer_who_answers_and_a_volunteer_who_proposes_one_is_first(
    database: Database, database_url: str, dose: str
) -> None:
    field, began = furnish(database, RACES[dose], one=Role.VOLUNTEER), time.monotonic()

    outcomes = race(database, field, (sends, proposes))

    said, leaving = answers_in_the_ledger(database)
    with database.read() as session:
        waiting = set(session.exec(select(Proposal.question_id).where(Proposal.state == ProposalState.WAITING)))
    report(database_url, "an officer answers, a volunteer proposes", field, outcomes, len(said) + len(waiting), began)
    assert {tuple(sorted(outcome)) for outcome in outcomes} == {("first", "refused")}
    assert set(said).isdisjoint(waiting)
    assert set(said) | waiting == set(field.questions)
    assert said == leaving


def test_of_two_officers_who_approve_one_proposal_exactly_one_answer_leaves(
    database: Database, database_url: str, dose: str
) -> None:
    field, began = furnish(database, RACES[dose], one=Role.OFFICER), time.monotonic()
    with database.write() as session:
        vera = Cast(session, NOW).a_staff("Vera Esempio", Role.VOLUNTEER)
        for question_id in field.questions:
            approval.propose(session, question_id, Said(vera, "Sì."), version=1, now=NOW)

    outcomes = race(database, field, (approves, approves))

    said, leaving = answers_in_the_ledger(database)
    report(database_url, "two officers approve", field, outcomes, sum(leaving.values()), began)
    assert {tuple(sorted(outcome)) for outcome in outcomes} == {("first", "refused")}
    assert said == leaving == dict.fromkeys(field.questions, 1)
    with database.read() as session:
        assert set(session.exec(select(Question.state))) == {QuestionState.ANSWERED}
