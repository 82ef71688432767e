"""The addresses people reply to: whose, about what, and kept as hashes only. The order of a thread by mail."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from delivery.letter import compose
from delivery.parcel import Parcel, Thread
from delivery.reply import question_in, question_tag, reply_address, reply_token, token_in, without_tags
from delivery.words import Words
from storage.mail_threads import earlier_mails
from storage.reply_addresses import About
from storage.reply_addresses import reply_address as kept
from storage.tables import (
    Audience,
    Channel,
    Inbox,
    Letter,
    LetterKind,
    LetterState,
    Message,
    Outbox,
    OutboxKind,
    OutboxState,
    Question,
    ReplyAddress,
    Standing,
)
from tests.cast import Cast
from tests.delivery.wiring import Bench, ada

KEY = b"a key for tests"
BASE = "Ufficio esempio <raccordo@example.org>"


def test_a_token_is_the_same_every_time_and_another_for_each_person_thing_and_house() -> None:
    first = reply_token(KEY, 1, About(question_id=3))

    others = {
        reply_token(KEY, 2, About(question_id=3)),
        reply_token(KEY, 1, About(question_id=4)),
        reply_token(KEY, 1, About(outbox_id=3)),
        reply_token(KEY, 1, About()),
        reply_token(b"another", 1, About(question_id=3)),
    }

    assert reply_token(KEY, 1, About(question_id=3)) == first
    assert len(others) == 5
    assert first not in others
    assert len(first) == 32
    assert set(first) <= set("abcdefghijklmnopqrstuvwxyz234567")


@pytest.mark.parametrize(
    "written",
    ["raccordo+{}@example.org", "RACCORDO+{}@Example.ORG", "<raccordo+{}@example.org>", " raccordo+{}@example.org "],
)
def test_the_token_is_found_in_our_own_address_however_it_is_written(written: str) -> None:
    token = reply_token(KEY, 1, About())

    assert token_in(written.format(token.upper()), [BASE]) == token


@pytest.mark.parametrize(
    "written",
    [
        "raccordo@example.org",
        "raccordo+{}@example.com",
        "altro+{}@example.org",
        "raccordo+{}x@example.org",
        "raccordo+newsletter@example.org",
        "raccordo+a+{}@example.org",
        "",
        "@",
        "+@",
    ],
)
def test_no_token_is_found_elsewhere(written: str) -> None:
    assert token_in(written.format(reply_token(KEY, 1, About())), [BASE]) is None


def test_an_address_keeps_the_name_of_the_office_and_gets_the_token() -> None:
    token = reply_token(KEY, 1, About())

    address = reply_address("Città, ufficio <raccordo@example.org>", token)

    assert address == f"Città, ufficio <raccordo+{token}@example.org>"
    assert reply_address("raccordo@example.org", token) == f"raccordo+{token}@example.org"
    assert reply_address(BASE, "") == BASE
    too_long = f"{'a' * 40}@example.org"
    assert reply_address(too_long, token) == too_long


def test_a_question_is_named_in_a_subject_once_with_the_year_in_milan() -> None:
    new_year = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)

    assert question_tag(42, new_year) == "[Q-2027-00042]"
    assert question_tag(1234567, new_year) == "[Q-2027-1234567]"
    assert question_in("Re: [Q-2026-00001] R: [q-2027-00042] ciao") == (42, 2027)
    assert question_in("Q-2027-00042, [Q-27-1]") is None
    assert without_tags("Re: [Q-2026-00001]  ciao") == "Re: ciao"


async def test_every_mail_to_a_person_has_an_address_of_its_own_kept_as_a_hash(bench: Bench) -> None:
    referent_id = ada(bench, chat=None)
    other_id = ada(bench, chat=None, email="bruno@example.org")
    with bench.database.write() as session:
        question_id = Cast(session, bench.clock.now).add(_a_question(session, referent_id, bench.clock.now)).id
    where: dict[str, Any] = {"channel": Channel.EMAIL, "address": "ada@example.org", "referent_id": referent_id}
    answer = bench.queue(**where, kind=OutboxKind.ANSWER, question_id=question_id)
    again = bench.queue(**where, kind=OutboxKind.ANSWER, question_id=question_id)
    reminder = bench.queue(**where, kind=OutboxKind.REMINDER)
    notice = bench.queue(**where, kind=OutboxKind.NOTICE)
    foreign = bench.queue(
        channel=Channel.EMAIL, address="bruno@example.org", referent_id=other_id, kind=OutboxKind.NOTICE
    )

    await bench.drain()

    tokens = {parcel.id: parcel.thread.token for parcel in bench.mail.sent}
    assert tokens[answer] == tokens[again]
    assert len({tokens[one] for one in (answer, reminder, notice, foreign)}) == 4
    with bench.database.read() as session:
        found = {one: kept(session, tokens[one]) for one in tokens}
        assert {(row.referent_id, row.question_id, row.outbox_id) for row in found.values() if row} == {
            (referent_id, question_id, None),
            (referent_id, None, reminder),
            (referent_id, None, None),
            (other_id, None, None),
        }
        hashes = set(session.exec(select(ReplyAddress.token_hash)))
        bodies = str([row.body for row in session.exec(select(Outbox))])
    assert len(hashes) == 4
    assert not hashes & set(tokens.values())
    assert not [token for token in tokens.values() if token in bodies]
    assert tokens[answer] not in repr(bench.mail.sent[0])


async def test_who_is_no_referent_gets_no_token_and_neither_does_a_chat(bench: Bench) -> None:
    referent_id = ada(bench)
    bench.queue(channel=Channel.EMAIL, address="staff@example.org", kind=OutboxKind.NOTICE)
    bench.queue(referent_id=referent_id)

    await bench.drain()

    assert [parcel.thread.token for parcel in (*bench.mail.sent, *bench.telegram.sent)] == ["", ""]


async def test_without_a_key_there_are_no_tokens(bench: Bench) -> None:
    referent_id = ada(bench, chat=None)
    bench.reply_key = b""
    bench.dispatcher = bench.new_dispatcher("one")
    bench.queue(channel=Channel.EMAIL, address="ada@example.org", referent_id=referent_id)

    await bench.drain()

    assert bench.mail.sent[0].thread.token == ""


async def test_a_mail_answers_the_newest_of_a_thread_ours_and_theirs_in_order(bench: Bench) -> None:
    referent_id = ada(bench, chat=None)
    start = bench.clock.now
    with bench.database.write() as session:
        cast = Cast(session, start)
        question_id = cast.add(_a_question(session, referent_id, start)).id
        _wrote(cast, question_id, referent_id, "<one@their.example.org>", Channel.EMAIL, start)
    how: dict[str, Any] = {
        "channel": Channel.EMAIL,
        "address": "ada@example.org",
        "referent_id": referent_id,
        "question_id": question_id,
        "kind": OutboxKind.ANSWER,
    }
    bench.clock.forward(minutes=1)
    bench.queue(**how)
    await bench.drain()
    bench.clock.forward(minutes=1)
    with bench.database.write() as session:
        _wrote(Cast(session, start), question_id, referent_id, "<two@pec.example.org>", Channel.PEC, bench.clock.now)
    bench.clock.forward(minutes=1)
    bench.queue(**how)

    await bench.drain()

    assert [parcel.thread.earlier for parcel in bench.mail.sent] == [
        ("<one@their.example.org>",),
        ("<one@their.example.org>", "p1", "<two@pec.example.org>"),
    ]
    assert bench.mail.sent[0].thread.tag == f"[Q-2026-{question_id:05}]"
    assert bench.mail.sent[0].thread.subject == "R: Ribasso d'asta"


async def test_a_prompt_that_answers_a_mail_stays_with_what_that_mail_was_about(bench: Bench) -> None:
    referent_id = ada(bench, chat=None)
    where: dict[str, Any] = {"channel": Channel.EMAIL, "address": "ada@example.org", "referent_id": referent_id}
    reminder = bench.queue(**where, kind=OutboxKind.REMINDER)
    await bench.drain()
    with bench.database.write() as session:
        inbox_id = _a_letter(Cast(session, bench.clock.now), referent_id, "<r@their.example.org>", outbox_id=reminder)
    bench.queue(**where, inbox_id=inbox_id)

    await bench.drain()

    first, prompt = bench.mail.sent
    assert prompt.thread.token == first.thread.token
    assert prompt.thread.earlier == ("<r@their.example.org>",)
    mail = compose(prompt, BASE, "", bench.clock.now)
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["In-Reply-To"] == "<r@their.example.org>"
    assert mail["Subject"] == "Re: Ribasso d'asta"


@pytest.mark.parametrize(
    ("standing", "subject"),
    [(Standing.DMARC, "R: Ribasso d'asta"), (Standing.UNVERIFIED, ""), (Standing.UNTRUSTED, "")],
)
async def test_a_machine_repeats_nothing_of_who_may_be_somebody_else(
    bench: Bench, standing: Standing, subject: str
) -> None:
    referent_id = ada(bench, chat=None)
    with bench.database.write() as session:
        cast = Cast(session, bench.clock.now)
        question_id = cast.add(_a_question(session, referent_id, bench.clock.now)).id
        inbox_id = _a_letter(cast, referent_id, "<q@their.example.org>", question_id=question_id, standing=standing)
    how: dict[str, Any] = {"referent_id": referent_id, "question_id": question_id, "inbox_id": inbox_id}
    bench.queue(channel=Channel.EMAIL, address="ada@example.org", kind=OutboxKind.AUTO_REPLY, **how)

    await bench.drain()

    thread = bench.mail.sent[0].thread
    assert (thread.subject, thread.earlier) == (subject, ("<q@their.example.org>",))


def test_only_mails_to_the_same_address_and_before_are_named(session: Session, cast: Cast, now: datetime) -> None:
    referent = cast.a_referent(email="ada@example.org")
    question = cast.a_question(referent)
    for number, (address, channel) in enumerate(
        [("ada@example.org", Channel.EMAIL), ("altra@example.org", Channel.EMAIL), ("ada@example.org", Channel.PEC)]
    ):
        _sent(cast, question.id, address, channel, f"<{number}@example.org>", now + timedelta(minutes=number))

    assert earlier_mails(session, question.id, Channel.EMAIL, "ada@example.org", 99) == ["<0@example.org>"]
    assert earlier_mails(session, question.id, Channel.EMAIL, "ada@example.org", 1) == []


def test_long_ids_of_others_stay_whole_and_what_is_none_is_left_out(now: datetime) -> None:
    long = f"<AM0PR07MB{'1' * 60}@am0pr07mb{'2' * 60}.example.org>"
    many = tuple(f"<{number}@example.org>" for number in range(40))
    thread = Thread((long, *many, "<x@y>\r\nBcc: a@example.org", "not an id"))

    content = compose(_a_parcel(thread=thread), BASE, "", now).as_bytes()

    head = content.partition(b"\r\n\r\n")[0].decode()
    assert "In-Reply-To: <39@example.org>\r\n" in head
    assert f"References: {long}\r\n <21@example.org>\r\n" in head
    assert "Bcc" not in head
    assert "not an id" not in head


def test_the_reply_address_stands_in_the_mail_and_its_token_nowhere_else(now: datetime) -> None:
    token = reply_token(KEY, 1, About())

    content = compose(_a_parcel(thread=Thread(token=token)), BASE, "Risposte <risposte@example.org>", now).as_bytes()

    assert f"Reply-To: Risposte <risposte+{token}@example.org>".encode() in content
    assert content.count(token.encode()) == 1


@pytest.mark.parametrize(
    ("words", "thread", "subject"),
    [
        ("Risposta", Thread((), "[Q-2026-00042]"), "[Q-2026-00042] Risposta"),
        ("Risposta", Thread(("<a@x.it>",), "[Q-2026-00042]"), "Re: [Q-2026-00042] Risposta"),
        (
            "Risposta",
            Thread(("<a@x.it>",), "[Q-2026-00042]", "R: RE: [Q-2026-00042] Ribasso"),
            "Re: [Q-2026-00042] Ribasso",
        ),
        ("Re: [Q-2026-00042] Risposta", Thread(("<a@x.it>",), "[Q-2026-00042]"), "Re: [Q-2026-00042] Risposta"),
        ("È arrivata", Thread(("<a@x.it>",), in_answer=True), "È arrivata"),
        ("Risposta", Thread((), "", "Ribasso\r\nBcc: a@example.org"), "Ribasso Bcc: a@example.org"),
    ],
)
def test_a_subject_names_its_question_once(now: datetime, words: str, thread: Thread, subject: str) -> None:
    mail = compose(_a_parcel(words=Words("Ciao", words), thread=thread), BASE, "", now)

    assert mail["Subject"] == subject
    assert mail["Bcc"] is None


def _a_parcel(words: Words | None = None, thread: Thread | None = None) -> Parcel:
    return Parcel(
        id=7,
        attempt=1,
        kind=OutboxKind.ANSWER,
        channel=Channel.EMAIL,
        address="ada@example.org",
        dedupe_key="answer:7",
        words=words or Words("Ciao", "Risposta"),
        thread=thread or Thread(),
    )


def _a_question(session: Session, referent_id: int, now: datetime) -> Question:
    return Question(referent_id=referent_id, channel=Channel.EMAIL, created_at=now, due_at=now, last_message_at=now)


def _a_letter(
    cast: Cast,
    referent_id: int,
    message_id: str,
    *,
    question_id: int | None = None,
    outbox_id: int | None = None,
    standing: Standing = Standing.REPLY,
) -> int:
    """A mail of theirs; its row of the inbox."""
    raw: Any = message_id.encode()
    inbox_id: int = cast.add(
        Inbox(
            kind="mail",
            account="a",
            provider_id=message_id,
            payload_hash=raw,
            payload=raw,
            lane="",
            received_at=cast.now,
        )
    ).id
    cast.add(
        Letter(
            inbox_id=inbox_id,
            channel=Channel.EMAIL,
            fingerprint=raw,
            provider_id=message_id,
            kind=LetterKind.MESSAGE,
            state=LetterState.THREADED,
            standing=standing,
            subject="R: Ribasso d'asta",
            about={},
            referent_id=referent_id,
            question_id=question_id,
            outbox_id=outbox_id,
            received_at=cast.now,
        )
    )
    return inbox_id


def _wrote(cast: Cast, question_id: int, referent_id: int, message_id: str, channel: Channel, at: datetime) -> None:
    cast.add(
        Message(
            question_id=question_id,
            audience=Audience.REFERENT,
            referent_id=referent_id,
            text="Grazie",
            channel=channel,
            provider_id=message_id,
            inbox_id=_a_letter(cast, referent_id, message_id, question_id=question_id),
            created_at=at,
        )
    )


def _sent(cast: Cast, question_id: int, address: str, channel: Channel, message_id: str, at: datetime) -> None:
    cast.add(
        Outbox(
            kind=OutboxKind.ANSWER,
            channel=channel,
            address=address,
            question_id=question_id,
            dedupe_key=message_id,
            body={},
            state=OutboxState.SENT,
            next_at=at,
            created_at=at,
            sent_at=at,
            provider_id=message_id,
        )
    )
