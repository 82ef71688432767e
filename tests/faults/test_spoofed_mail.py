"""T27 and T28: automatic replies that meet automatic replies, and mail that claims to be somebody else's.

Real bytes, read by `intake/mail.py` and understood by `intake/post/letters.py`, mail of ours written by
`delivery/letter.py`.
"""

import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, select

from delivery.letter import compose
from delivery.links import Links
from delivery.words import Words
from intake.mail import read
from intake.post.house import PostHouse
from intake.questions import ask
from storage.database import Database
from storage.keys import new_ring
from storage.message_ids import message_id_of
from storage.reply_addresses import About
from storage.sealing import Keyring
from storage.tables import (
    Address,
    Audit,
    Channel,
    Draft,
    LetterState,
    Message,
    Outbox,
    OutboxKind,
    OutboxState,
    Question,
    QuestionState,
    Update,
)
from storage.words import SURE
from tests.cast import Cast
from tests.delivery.wiring import Bench, Clock
from tests.faults.conftest import kind_of
from tests.faults.table import LINES, Line
from tests.post import ADA, BRUNO, CARLA, KEY, OFFICE, PEC
from tests.post_office import PostOffice

SERVER = "mx.ufficio.example.org"
ELSEWHERE = "raccolta@evil.example.net"
STRANGER = "x@evil.example.net"
SPOOFS = {"short": 400, "full": 30_000}
A_TRUE_ONE = 20  # of so many mails one is really Ada's: what she does must be seen, or nothing would be


# --- T28: whoever claims to be Ada


@dataclass
class Stage:
    """Ada and her three questions, one open, one answered, one closed as solved; Bruno and Carla with one each."""

    post: PostOffice
    questions: Mapping[str, list[Question]]
    tokens: Mapping[str, str]
    ours: Mapping[str, str]
    reminder: str
    referents: Mapping[str, int]

    @classmethod
    def built(cls, session: Session, now: datetime) -> "Stage":
        cast = Cast(session, now)
        post = PostOffice(session, now, lambda *_: pytest.fail("a spoofed mail was read as an update"))
        here, there = cast.an_organization(), cast.an_organization("Altro")
        people = {
            ADA: cast.a_referent("Ada Esempio", here, email=ADA, chat=100),
            BRUNO: cast.a_referent("Bruno Esempio", here, email=BRUNO),
            CARLA: cast.a_referent("Carla Esempio", there, email=CARLA),
        }
        states: list[dict[str, Any]] = [
            {},
            {"state": QuestionState.ANSWERED, "solved": False},
            {"state": QuestionState.CLOSED, "solved": True},
        ]
        questions = {
            who: [cast.a_question(one, f"di {who}", **other) for other in (states if who == ADA else states[:1])]
            for who, one in people.items()
        }
        tokens = {who: post.address_for(one.id, About(question_id=questions[who][0].id)) for who, one in people.items()}
        ours = {
            who: _id(post.a_mail_of_ours(one.id, who, question_id=questions[who][0].id)) for who, one in people.items()
        }
        kind = {"kind": OutboxKind.REMINDER, "dedupe_key": f"reminder:{people[ADA].id}:2026-11-24:1"}
        reminder = _id(post.a_mail_of_ours(people[ADA].id, ADA, **kind))
        return cls(post, questions, tokens, ours, reminder, {who: one.id for who, one in people.items()})


def _id(row: Outbox) -> str:
    return message_id_of(row.id, row.dedupe_key, "ufficio.example.org")


@dataclass
class Forger:
    """Writes mail that says to be from Ada, or that wants into her threads. Knows all but her tokens and our key."""

    stage: Stage
    random: random.Random
    number: int = 0

    def mail(self) -> bytes:
        self.number += 1
        lines = [
            *self._server(),
            *self.random.choice(list(self._senders()))(),
            f"To: {self.random.choice(self._recipients())}",
            f"Subject: {self.random.choice(self._subjects())}",
            f"Message-ID: <{self.number}@evil.example.net>",
            *self.random.choice(self._references()),
            *self.random.choice(self._extras()),
            "Date: Tue, 24 Nov 2026 09:00:00 +0000",
            "",
            self.random.choice(
                ("Nessuna novità", "Chiudete tutto", "Avanzamento fisico (%): 100", f"n. {self.number}")
            ),
        ]
        return "\r\n".join(lines).encode()

    def _server(self) -> list[str]:
        """What our own server says, on top of whatever came; what was forged stands below."""
        said = self.random.choice(("dmarc=fail", "dmarc=none", "spf=pass smtp.mailfrom=evil.example.net; dmarc=fail"))
        ours = [f"Authentication-Results: {SERVER}; {said} header.from=comune.example.org"]
        forged = [
            "Authentication-Results: mx.evil.example.net; dmarc=pass header.from=comune.example.org",
            f"Authentication-Results: {SERVER}; dmarc=pass header.from=comune.example.org",
            f"ARC-Authentication-Results: i=1; {SERVER}; dmarc=pass header.from=comune.example.org",
            "Received-SPF: pass (comune.example.org)",
        ]
        return ours + self.random.sample(forged, self.random.randrange(len(forged)))

    def _senders(self) -> Iterator[Any]:
        yield lambda: [f"From: {ADA}"]
        yield lambda: [f"From: Ada Esempio <{ADA.upper()}>"]
        yield lambda: [f'From: "{ADA}" <{STRANGER}>']
        yield lambda: [f"From: {ADA} <{STRANGER}>"]
        yield lambda: [f"From: {STRANGER} <{ADA}>"]
        yield lambda: [f"From: {ADA}, {STRANGER}"]
        yield lambda: [f"From: {STRANGER}", f"From: {ADA}"]
        yield lambda: [f"From: {ADA}", f"From: {STRANGER}"]
        yield lambda: [f"From: <{STRANGER}> <{ADA}>"]
        yield lambda: [f"From: Ada ({ADA}) <{STRANGER}>", f"Sender: {ADA}"]
        yield lambda: [f"From: {STRANGER}", f"Sender: {ADA}", f"Resent-From: {ADA}", f"X-Original-From: {ADA}"]
        yield lambda: [f"From: {CARLA}"]
        yield lambda: [f"From: =?utf-8?q?{ADA.replace('@', '=40')}?= <{CARLA}>"]
        yield lambda: ["From: "]
        yield lambda: [f"From: ada@comune.example.org.evil.example.net, {ADA}"]
        yield lambda: [f"From: {ADA.replace('a', 'а')}"]  # a Cyrillic letter

    def _recipients(self) -> list[str]:
        guessed = "".join(self.random.choices("abcdefghijklmnopqrstuvwxyz234567", k=32))
        forged = OFFICE.replace("@", f"+{guessed}@")
        # Bruno's has got about: with anybody's name but his it is worth nothing.
        return [OFFICE, forged, self.stage.tokens[BRUNO], f"{OFFICE}, {forged}"]

    def _subjects(self) -> list[str]:
        mine = [f"Re: [Q-2026-{one.id:05}] prova" for one in self.stage.questions[ADA]]
        return ["Ciao", *mine, f"[Q-2026-{self.stage.questions[BRUNO][0].id:05}]", "[Q-2026-99999]"]

    def _references(self) -> list[list[str]]:
        known = [*self.stage.ours.values(), self.stage.reminder]
        first, key = known[0].strip("<>").split("@")[0].split(".")
        guessed = f"<{int(first) + 1}.{key}@ufficio.example.org>"
        one = self.random.choice(known)
        return [[], [f"In-Reply-To: {one}"], [f"References: {' '.join(known)}"], [f"In-Reply-To: {guessed}"]]

    def _extras(self) -> list[list[str]]:
        return [
            [],
            [f"Reply-To: {ELSEWHERE}"],
            ["X-Trasporto: posta-certificata", "X-Riferimento-Message-ID: <1@pec.example.org>"],
            ["X-Trasporto: errore", "X-TipoRicevuta: completa"],
            [f"Delivered-To: {OFFICE}", f"X-Raccordo-Referent: {self.stage.referents[ADA]}"],
            ["Auto-Submitted: auto-replied"],
            ["Precedence: bulk"],
        ]


@dataclass
class Done:
    """What is there that only the person themselves may bring about."""

    acts: Counter[int | None] = field(default_factory=Counter)
    other: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def seen(cls, session: Session, stage: Stage) -> "Done":
        """Of the questions all that were there but the one in which Ada really writes."""
        session.expire_all()
        known = {one.id for who in stage.questions for one in stage.questions[who]} - {stage.questions[ADA][0].id}
        acts = Counter(session.exec(select(Audit.actor_id).where(Audit.actor_kind == "referent")))
        theirs = [
            (one.id, one.referent_id, one.solved, one.channel, one.taken_by)
            for one in session.exec(select(Question).where(col(Question.id).in_(known)).order_by(col(Question.id)))
        ]
        addresses = [one.model_dump() for one in session.exec(select(Address).order_by(col(Address.id)))]
        work = [*session.exec(select(Update.id)), *session.exec(select(Draft.id))]
        return cls(acts, {"theirs": theirs, "addresses": addresses, "work": work})


def test_nobody_acts_as_another_by_writing_a_mail(
    session: Session, database_url: str, now: datetime, dose: str
) -> None:
    stage = Stage.built(session, now)
    forger = Forger(stage, random.Random(28))  # the same mails again
    before, begun, true_ones = Done.seen(session, stage), time.monotonic(), 0
    standings: Counter[str] = Counter()

    for number in range(SPOOFS[dose]):
        if number % A_TRUE_ONE == A_TRUE_ONE - 1:
            true_ones += 1
            _arrives(stage, _truly_hers(stage, number))
            continue
        letter = _arrives(stage, forger.mail())
        standings[letter.standing] += 1

    after = Done.seen(session, stage)
    hers = after.acts - before.acts
    seconds = time.monotonic() - begun
    changed = [name for name in before.other if before.other[name] != after.other[name]]
    stray = _in_foreign_threads(session, stage)
    LINES.append(
        Line(
            "T28 mail that claims to be another's",
            kind_of(database_url),
            SPOOFS[dose] - true_ones,
            0,
            0,
            0,
            f"acts as another: {sum(hers.values()) - true_ones + len(changed) + len(stray)}; "
            f"with a warning: {standings['unverified'] + standings['untrusted']}",
            seconds=seconds,
        )
    )
    assert hers == Counter({stage.referents[ADA]: true_ones}), "only what Ada wrote is hers"
    assert not set(standings) & set(SURE)
    assert changed == []
    assert stray == []
    assert _written_to(session) <= {ADA, BRUNO, CARLA, STRANGER}
    assert max(Counter(one.address for one in _automatic(session)).values()) == 1, "one a day to each"


def _arrives(stage: Stage, raw: bytes) -> Any:
    return stage.post.arrives(read(raw, authserv_id=SERVER, own=frozenset({OFFICE, PEC})))


def _truly_hers(stage: Stage, number: int) -> bytes:
    """To the address that only she was given, in the thread that stays open."""
    return (
        f"From: Ada <{ADA}>\r\nTo: {stage.tokens[ADA]}\r\nSubject: vera\r\nMessage-ID: <{number}@comune.example.org>"
        f"\r\n\r\nDavvero io, {number}"
    ).encode()


def _in_foreign_threads(session: Session, stage: Stage) -> list[int]:
    """Messages in somebody's thread which do not even claim to be theirs, or which carry no warning."""
    claimed = {stage.referents[who]: who for who in stage.referents}
    rows = session.exec(select(Message, Question).join(Question, col(Question.id) == col(Message.question_id)))
    return [
        message.id
        for message, question in rows
        if message.referent_id != question.referent_id
        or (message.standing in SURE and claimed[message.referent_id or 0] != ADA)
    ]


def _automatic(session: Session) -> list[Outbox]:
    return list(session.exec(select(Outbox).where(Outbox.kind == OutboxKind.AUTO_REPLY)))


def _written_to(session: Session) -> set[str]:
    return {one.address for one in session.exec(select(Outbox))}


def test_the_answer_to_an_unsure_mail_goes_where_we_know_them(session: Session, now: datetime) -> None:
    stage = Stage.built(session, now)

    _arrives(stage, f"From: {ADA}\r\nReply-To: {ELSEWHERE}\r\nTo: {OFFICE}\r\nSubject: x\r\n\r\nx".encode())

    assert {one.address for one in _automatic(session)} == {ADA}


# --- T27: two of our own instances, or any other machine


@dataclass
class Instance:
    """One house with its database: what comes to it, and what leaves it as real mail."""

    bench: Bench
    office: str
    sent: int = 0

    @property
    def house(self) -> PostHouse:
        return PostHouse(Links("http://raccordo.example"), key=KEY, own=frozenset({self.office}))

    def takes(self, raw: bytes) -> None:
        with self.bench.database.write() as session:
            incoming = read(raw, authserv_id=SERVER, own=frozenset({self.office}))
            PostOffice(session, self.bench.clock.now, house=self.house).arrives(incoming)

    async def leaves(self) -> list[tuple[str, bytes]]:
        """What its outbox holds now, by the address to which it goes."""
        await self.bench.drain()
        fresh = self.bench.mail.sent[self.sent :]
        self.sent = len(self.bench.mail.sent)
        return [
            (one.address, compose(one, f"Ufficio <{self.office}>", "", self.bench.clock.now).as_bytes())
            for one in fresh
        ]

    def knows(self, other: "Instance") -> int:
        with self.bench.database.write() as session:
            return Cast(session, self.bench.clock.now).a_referent(f"Chi {other.office}", email=other.office).id


@pytest.fixture
def two(
    database: Database, sqlite_template: Path, tmp_path: Path, now: datetime
) -> Iterator[tuple[Instance, Instance]]:
    shutil.copy(sqlite_template, tmp_path / "other.db")
    other = Database(f"sqlite:///{tmp_path / 'other.db'}", Keyring(new_ring()))
    offices = ("uno@ufficio.example.org", "due@altro.example.org")
    pair = [
        Instance(Bench(one, Clock(now), reply_key=KEY), office)
        for one, office in zip((database, other), offices, strict=True)
    ]
    yield pair[0], pair[1]
    other.close()


async def _until_silent(two: tuple[Instance, Instance], *, spoilt: bool = False, most: int = 60) -> int:
    """Carries mail between the two until nothing leaves: how many were automatic. `spoilt`: their headers get lost."""
    carried = 0
    for _ in range(most):
        mails = [(one, mail) for one in two for mail in await one.leaves()]
        if not mails:
            return carried
        for one, (address, raw) in mails:
            carried += b"Auto-Submitted: auto-replied" in raw
            to = next(other for other in two if other is not one)
            assert address == to.office
            to.takes(_spoilt(raw, one.office) if spoilt else raw)
        for one in two:
            one.bench.clock.forward(minutes=1)
    raise AssertionError("they never stop")


def _spoilt(raw: bytes, office: str) -> bytes:
    """What says that it is automatic is lost, and who wrote it is beyond doubt: the worst of both."""
    checked = f"Authentication-Results: {SERVER}; dmarc=pass header.from={office.partition('@')[2]}\r\n"
    return checked.encode() + raw.replace(b"Auto-Submitted: auto-replied\r\n", b"")


def _writes(one: Instance, other: Instance, text: str = "Buongiorno") -> None:
    """By hand, so that nothing says that it need not be answered."""
    with one.bench.database.write() as session:
        post = PostOffice(session, one.bench.clock.now, house=one.house)
        body = Words(text, text).to_json()
        row = {"state": OutboxState.QUEUED, "body": body, "dedupe_key": f"letter-answer:{text}"}
        post.a_mail_of_ours(None, other.office, **row)


@pytest.mark.parametrize("known", [(), (0,), (1,), (0, 1)])
async def test_two_of_ours_that_write_to_each_other_stop_after_one_reply(
    two: tuple[Instance, Instance], known: tuple[int, ...], database_url: str
) -> None:
    for number in known:
        two[number].knows(two[1 - number])
    _writes(two[0], two[1])

    automatic = await _until_silent(two)

    LINES.append(Line("T27 automatic replies", kind_of(database_url), 1, 0, 0, 0, f"automatic replies: {automatic}"))
    assert automatic == 1


async def test_many_mails_in_a_day_are_replied_to_once(two: tuple[Instance, Instance]) -> None:
    for number in range(30):
        _writes(two[0], two[1], f"Buongiorno {number}")

    assert await _until_silent(two) == 1

    two[0].bench.clock.forward(hours=25)
    two[1].bench.clock.forward(hours=25)
    _writes(two[0], two[1], "Il giorno dopo")
    assert await _until_silent(two) == 1


@pytest.mark.parametrize("known", [(), (0, 1)])
async def test_two_of_ours_stop_even_when_what_says_automatic_is_lost(
    two: tuple[Instance, Instance], known: tuple[int, ...]
) -> None:
    for number in known:
        two[number].knows(two[1 - number])
    _writes(two[0], two[1])

    assert await _until_silent(two, spoilt=True) <= 10


async def test_an_answer_and_a_reminder_to_another_house_do_not_start_a_loop(two: tuple[Instance, Instance]) -> None:
    one, other = two
    referent_id = one.knows(other)
    with one.bench.database.write() as session:
        now = one.bench.clock.now
        question = ask(session, referent_id=referent_id, text="x", channel=Channel.EMAIL, now=now, zone="Europe/Rome")
        post = PostOffice(session, now, house=one.house)
        for kind, key in ((OutboxKind.ANSWER, "answer:1"), (OutboxKind.NOTICE, "told:1")):
            row = {"state": OutboxState.QUEUED, "body": Words("x", "x").to_json(), "dedupe_key": key, "kind": kind}
            post.a_mail_of_ours(referent_id, other.office, question_id=question.id, **row)

    assert await _until_silent(two) == 1
    with one.bench.database.read() as session:
        texts = session.exec(select(Message.automatic).where(Message.question_id == question.id)).all()
        assert sorted(texts) == [False, True]
        assert session.get_one(Question, question.id).state is QuestionState.NEW


def test_a_loop_leaves_letters_behind_and_nothing_else(session: Session, now: datetime) -> None:
    stage = Stage.built(session, now)
    raw = f"From: {OFFICE}\r\nTo: {OFFICE}\r\nSubject: x\r\nMessage-ID: <1@x.example.org>\r\n\r\nx".encode()

    letter = _arrives(stage, raw)

    assert (letter.state, _automatic(session)) == (LetterState.FILED, [])
