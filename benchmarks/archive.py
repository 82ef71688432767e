"""An office of many years: questions with their threads, by the thousand. Furnishes a database, measures nothing.

Every row goes through the types of its columns: texts are sealed as those of people are. What is at work is as much in
every archive, as an office has so many hands however old it is; what was answered and closed is the rest.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar

from sqlmodel import Session

from benchmarks.vocabulary import Writer
from facts.municipalities import municipalities
from intake.builtin import ensure_builtin_forms
from storage.database import Database
from storage.people import the_office
from storage.schema import migrate
from storage.tables import (
    Attachment,
    Audience,
    Audit,
    Category,
    Channel,
    Membership,
    Message,
    Organization,
    OrganizationKind,
    Outbox,
    OutboxKind,
    OutboxState,
    Programme,
    Project,
    Proposal,
    Question,
    QuestionState,
    Referent,
    Role,
    Staff,
)

T = TypeVar("T")

BATCH = 10_000
REFERENTS, PROJECTS, PROGRAMMES = 2_000, 1_500, 12
SUBJECTS = ("Rendicontazione", "Cronoprogramma", "Varianti", "Ribassi d'asta", "Anticipazioni", "Collaudi", "ReGiS")
PEOPLE = (Role.ADMIN, *(Role.OFFICER,) * 3, *(Role.VOLUNTEER,) * 3, Role.READER)
HANDS = len(PEOPLE) - 1  # a reader takes nothing on
AT_WORK = {QuestionState.NEW: 300, QuestionState.TAKEN: 140, QuestionState.PROPOSED: 40}
ANSWERED = 0.05  # of what is not at work; the rest is closed
CHANNELS = (Channel.TELEGRAM,) * 5 + (Channel.WEB,) * 3 + (Channel.EMAIL,) * 3 + (Channel.PEC,)
NEVER = {"taken_by": None, "closed_at": None, "solved": None, "first_answer_at": None, "awaits": False}
Rows = Iterator[Mapping[str, Any]]


@dataclass(frozen=True)
class Size:
    """So many questions, and messages in them on the average."""

    questions: int
    thread: int = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """What is needed of a question to write down its thread."""

    id: int
    state: QuestionState
    referent: int
    channel: Channel
    at: datetime
    staff: int
    messages: int


def furnish(database: Database, size: Size, now: datetime) -> None:
    """Brings an empty database to the newest schema and fills it."""
    migrate(database)
    writer = Writer()
    asked = _asked(size, now, writer.chance)
    with database.write() as session:
        ensure_builtin_forms(session, now)
        office = the_office(session)
        office.name = "Ufficio di prova"
        session.add(office)
        session.flush()
        for table, rows in _people(writer, now):
            _put(session, table, rows)
    for some in batches(asked):
        with database.write() as session:
            for table, rows in _threads(some, writer):
                _put(session, table, rows)


def _put(session: Session, table: Any, rows: Rows) -> None:
    connection = session.connection()
    for some in batches(rows):
        connection.execute(table.__table__.insert(), some)


def batches(things: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(things)
    while some := list(islice(rest, BATCH)):
        yield some


def _people(writer: Writer, now: datetime) -> Iterator[tuple[Any, Rows]]:
    since, chance = now - timedelta(days=3000), writer.chance
    towns = municipalities()
    yield (
        Organization,
        (
            {"id": n, "kind": OrganizationKind.MUNICIPALITY, "name": one.name, "istat_code": one.istat}
            for n, one in enumerate(towns, 1)
        ),
    )
    yield (
        Referent,
        ({"id": n, "name": f"Persona{n} Esempio", "language": "it", "created_at": since} for n in _numbers(REFERENTS)),
    )
    yield (
        Membership,
        ({"referent_id": n, "organization_id": at, "role": "RUP"} for n in _numbers(REFERENTS) for at in _seats(n)),
    )
    yield Programme, ({"id": n, "code": f"M5C2I2.{n:02}", "name": writer.title()} for n in _numbers(PROGRAMMES))
    yield (
        Project,
        (
            {
                "id": n,
                "cup": f"C{n:014}",
                "local_code": "X",
                "title": writer.title(),
                "programme_id": chance.randint(1, PROGRAMMES),
                "implementing_body_id": chance.randint(1, len(towns)),
            }
            for n in _numbers(PROJECTS)
        ),
    )
    yield Category, ({"id": n, "name": name, "created_at": since} for n, name in enumerate(SUBJECTS, 1))
    yield (
        Staff,
        (
            {
                "id": n,
                "email": f"staff{n}@example.org",
                "name": f"Collega{n} Esempio",
                "role": role,
                "created_at": since,
            }
            for n, role in enumerate(PEOPLE, 1)
        ),
    )


def _numbers(last: int) -> range:
    return range(1, last + 1)


def _seats(referent: int) -> set[int]:
    """One municipality; of every fourth person a second."""
    towns = len(municipalities())
    return {referent % towns + 1} | ({referent * 7 % towns + 1} if referent % 4 == 0 else set())


def _asked(size: Size, now: datetime, chance: random.Random) -> Iterator[Asked]:
    """In the order of their coming. What is at work came last."""
    states = [state for state, many in AT_WORK.items() for _ in range(many)]
    chance.shuffle(states)
    past = size.questions - len(states)
    for number in _numbers(size.questions):
        over = QuestionState.ANSWERED if chance.random() < ANSWERED else QuestionState.CLOSED
        yield Asked(
            id=number,
            state=over if number <= past else states[number - past - 1],
            referent=chance.randint(1, REFERENTS),
            channel=chance.choice(CHANNELS),
            at=now - timedelta(hours=(size.questions - number) * 0.3),
            staff=chance.randint(1, HANDS),
            messages=chance.randint(2, 2 * size.thread - 2),
        )


def _threads(some: list[Asked], writer: Writer) -> Iterator[tuple[Any, Rows]]:
    yield Question, (_question(one, writer.chance) for one in some)
    messages = [row for one in some for row in _messages(one, writer)]
    # Their numbers are ours: what left is named after the message that it carries.
    yield Message, iter(messages)
    answers = [row for row in messages if row["staff_id"] and row["audience"] is Audience.REFERENT]
    yield Outbox, (_sent(row) for row in answers)
    yield Attachment, (_file(row, writer) for row in messages if row["id"] % 20 == 0)
    yield Audit, (row for one in some for row in _log(one))
    yield (
        Proposal,
        (
            {"question_id": one.id, "staff_id": HANDS, "text": writer.text(), "created_at": one.at}
            for one in some
            if one.state is QuestionState.PROPOSED
        ),
    )


def _question(one: Asked, chance: random.Random) -> Mapping[str, Any]:
    closed = one.state is QuestionState.CLOSED
    answered = closed or one.state is QuestionState.ANSWERED
    hours = timedelta(hours=1)
    return {
        **NEVER,
        "id": one.id,
        "referent_id": one.referent,
        "project_id": chance.choice((None, chance.randint(1, PROJECTS))),
        "state": one.state,
        "version": 1 + one.messages // 2,
        "taken_by": None if one.state is QuestionState.NEW else one.staff,
        "channel": one.channel,
        "created_at": one.at,
        "due_at": one.at + 19 * hours,
        "last_message_at": one.at + one.messages * hours,
        "closed_at": one.at + 30 * hours if closed else None,
        "solved": chance.choice((None, True)) if closed else None,
        "category_id": chance.choice((None, *range(1, len(SUBJECTS) + 1))),
        "urgent": chance.random() < 0.05,
        "first_answer_at": one.at + 2 * hours if answered else None,
    }


def _messages(one: Asked, writer: Writer) -> Rows:
    """Turn by turn; every sixth word is a note. Nobody has answered what is new."""
    first = one.id * 1000
    for turn in range(one.messages):
        by_staff = turn % 2 == 1 and one.state is not QuestionState.NEW
        yield {
            "id": first + turn,
            "question_id": one.id,
            "audience": Audience.STAFF if by_staff and turn % 6 == 5 else Audience.REFERENT,
            "referent_id": None if by_staff else one.referent,
            "staff_id": one.staff if by_staff else None,
            "text": writer.text(),
            "channel": one.channel,
            "created_at": one.at + timedelta(hours=turn),
        }


def _sent(message: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "kind": OutboxKind.ANSWER,
        "channel": Channel.TELEGRAM if message["channel"] is Channel.WEB else message["channel"],
        "address": str(message["question_id"]),
        "question_id": message["question_id"],
        "dedupe_key": f"answer:{message['id']}",
        "body": {"html": message["text"]},
        "state": OutboxState.SENT,
        "attempts": 1,
        "next_at": message["created_at"],
        "created_at": message["created_at"],
        "sent_at": message["created_at"],
    }


def _file(message: Mapping[str, Any], writer: Writer) -> Mapping[str, Any]:
    return {
        "sha256": f"{message['id']:064}",
        "size": 200_000,
        "name": f"{writer.title()}.pdf",
        "type_seen": "application/pdf",
        "detail": {},
        "referent_id": message["referent_id"],
        "message_id": message["id"],
        "created_at": message["created_at"],
    }


def _log(one: Asked) -> Rows:
    acts = ("question.take", "question.answer", "question.close")[: 3 if one.state is QuestionState.CLOSED else 2]
    if one.state is QuestionState.NEW:
        acts = ()
    for n, action in enumerate(acts):
        yield {
            "at": (one.at + timedelta(hours=n)).astimezone(UTC),
            "actor_kind": "staff",
            "actor_id": one.staff,
            "action": action,
            "object_kind": "question",
            "object_id": one.id,
            "detail": {},
        }
