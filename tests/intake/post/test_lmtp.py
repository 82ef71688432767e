"""The door for the office's mail server, over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, select

from intake.post import keeper
from intake.post.arrival import LARGEST, receive_mails
from intake.post.lmtp import SESSIONS, LmtpDoor
from storage.database import Database
from storage.tables import Inbox, InboxState
from tests.intake.post.lmtp_client import Client, opened

MAIL = b"From: ada@example.org\r\nSubject: Stato\r\n\r\nTutto bene.\r\n"


@pytest.fixture
async def door(database: Database, now: datetime) -> AsyncIterator[LmtpDoor]:
    door = LmtpDoor(database, host="127.0.0.1", port=0, clock=lambda: now, certified="ente@pec.example.org")
    async with opened(door):
        yield door


@pytest.fixture
async def clients(door: LmtpDoor) -> AsyncIterator[list[Client]]:
    """As many sessions as the door takes."""
    clients = [await Client.at(door.port) for _ in range(SESSIONS)]
    yield clients
    for client in clients:
        await client.hang_up()


@pytest.fixture
async def server(door: LmtpDoor) -> AsyncIterator[Client]:
    client = await Client.at(door.port)
    yield client
    await client.hang_up()


def rows(database: Database) -> list[Inbox]:
    with database.read() as session:
        return list(session.exec(select(Inbox).order_by("id")))


async def test_a_mail_is_kept_with_its_envelope_before_250_is_said(server: Client, database: Database) -> None:
    said = await server.hand_over(MAIL, "Raccordo+abc@Example.org")

    [row] = rows(database)
    assert said == ["250 2.0.0 Kept"]
    assert (row.kind, row.account, row.state) == ("mail", "raccordo@example.org", InboxState.UNREAD)
    assert row.payload == b"Return-Path: <ada@example.org>\r\nDelivered-To: Raccordo+abc@Example.org\r\n" + MAIL


async def test_each_recipient_gets_an_answer_and_a_row(server: Client, database: Database) -> None:
    said = await server.hand_over(MAIL, "uno@example.org", "due@example.org", "ente@pec.example.org")

    assert said == ["250 2.0.0 Kept"] * 3
    assert [(row.kind, row.account) for row in rows(database)] == [
        ("mail", "uno@example.org"),
        ("mail", "due@example.org"),
        ("pec", "ente@pec.example.org"),
    ]


async def test_a_mail_that_is_handed_over_again_is_kept_once(server: Client, database: Database) -> None:
    for _ in range(2):
        assert await server.hand_over(MAIL, "raccordo@example.org") == ["250 2.0.0 Kept"]

    assert len(rows(database)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"..punto\r\n.\r.\r\n",
        b"x" * 300_000 + b"\r\n",
        b"." * 70_000 + b"\r\n",
        b"una riga.\r\n\r\n.altra.\r\n",
        b"bytes \x00\xe8\xff\n.\n\r\n",
        b"q.\r\n" * 40_000,
    ],
    ids=["empty", "dots", "long line", "line of dots", "sentences", "odd bytes", "many"],
)
async def test_what_is_written_arrives_byte_for_byte(server: Client, database: Database, body: bytes) -> None:
    content = b"Subject: x\r\n\r\n" + body

    assert await server.hand_over(content, "raccordo@example.org") == ["250 2.0.0 Kept"]

    assert rows(database)[0].payload.partition(b"Delivered-To: raccordo@example.org\r\n")[2] == content


async def test_commands_that_come_with_the_last_dot_are_answered(server: Client, database: Database) -> None:
    await server.say("MAIL FROM:<ada@example.org>")
    await server.say("RCPT TO:<raccordo@example.org>")
    await server.say("DATA")

    server.writer.write(MAIL + b".\r\nQUIT\r\n")

    assert [await server.line(), (await server.line())[:3]] == ["250 2.0.0 Kept", "221"]
    assert len(rows(database)) == 1


async def test_a_mail_without_sender_and_odd_addresses_are_taken(server: Client, database: Database) -> None:
    assert await server.hand_over(MAIL, "raccordo@example.org", sender="") == ["250 2.0.0 Kept"]
    odd = 'prvs=1=x"y@@b'
    assert await server.hand_over(MAIL, '"a>b"@example.org', "citt\u00e0\u0000@example.org", sender=odd)

    kept = rows(database)
    assert kept[0].payload.startswith(b"Return-Path: <>\r\n")
    assert kept[1].payload.startswith(f"Return-Path: <{odd}>\r\n".encode())
    assert [row.account for row in kept[1:]] == ['"a>b"@example.org', "città@example.org"]


async def test_too_large_a_mail_is_refused_for_each_and_the_session_goes_on(server: Client, database: Database) -> None:
    announced = await server.say(f"MAIL FROM:<ada@example.org> SIZE={LARGEST + 1}")
    line = b"x" * 998 + b"\r\n"
    said = await server.hand_over(line * (LARGEST // 1000 + 1), "uno@example.org", "due@example.org")

    assert announced.startswith("552 ")
    assert said == ["552 5.3.4 The mail is too big"] * 2
    assert await server.hand_over(MAIL, "uno@example.org") == ["250 2.0.0 Kept"]
    assert [row.account for row in rows(database)] == ["uno@example.org"]


async def test_whatever_fails_is_451_for_each_without_a_word_of_it(
    server: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> int:
        raise RuntimeError("secret words of ada@example.org")

    with monkeypatch.context() as broken:
        broken.setattr(keeper, "receive_mails", fails)
        said = await server.hand_over(MAIL, "uno@example.org", "due@example.org")

    assert said == ["451 4.3.0 Not kept, come again"] * 2
    assert await server.hand_over(MAIL, "uno@example.org", "due@example.org") == ["250 2.0.0 Kept"] * 2


async def test_a_command_that_breaks_is_451_too(
    server: Client, door: LmtpDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    [session] = door.sessions

    async def breaks(_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setitem(session._smtp_methods, "NOOP", breaks)

    assert await server.say("NOOP") == "451 4.3.0 Not kept, come again"


async def test_the_ninth_session_is_told_to_come_again(door: LmtpDoor, clients: list[Client]) -> None:
    ninth = Client(*await asyncio.open_connection("127.0.0.1", door.port))
    refused = [await ninth.line(), await ninth.line()]
    await ninth.hang_up()
    await clients[0].hang_up()
    async with asyncio.timeout(60):
        while len(door.sessions) == SESSIONS:
            await asyncio.sleep(0.01)
    again = await Client.at(door.port)

    assert refused == ["421 4.3.2 Too many sessions, come again", ""]
    assert await again.hand_over(MAIL, "raccordo@example.org") == ["250 2.0.0 Kept"]
    await again.hang_up()


async def test_mails_that_come_together_share_commits(clients: list[Client], database: Database) -> None:
    commits = count(database)

    async def many(number: int, client: Client) -> None:
        for mail in range(20):
            content = b"Subject: %d of %d\r\n\r\n" % (mail, number)
            assert await client.hand_over(content, "raccordo@example.org") == ["250 2.0.0 Kept"]

    await asyncio.gather(*(many(number, client) for number, client in enumerate(clients)))

    assert len(rows(database)) == SESSIONS * 20
    assert len(commits) < SESSIONS * 20


def count(database: Database) -> list[None]:
    commits: list[None] = []
    database.after_commit(lambda: commits.append(None))
    return commits


async def test_one_mail_that_cannot_be_kept_does_not_hold_up_the_others(
    door: LmtpDoor, clients: list[Client], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait together behind a slow commit, and are tried alone when they failed together."""
    slow, asked, run = asyncio.Event(), asyncio.Event(), database.run
    monkeypatch.setattr(keeper, "receive_mails", refusing(receive_mails, b"poison"))

    async def waits(*given: Any) -> Any:
        asked.set()
        await slow.wait()
        return await run(*given)

    monkeypatch.setattr(database, "run", waits)

    def begin(client: Client, word: bytes) -> asyncio.Task[list[str]]:
        return asyncio.create_task(client.hand_over(b"\r\n" + word + b"\r\n", "raccordo@example.org"))

    handing = [begin(clients[0], b"first")]
    await asyncio.wait_for(asked.wait(), 60)
    handing += [begin(clients[1], b"poison"), begin(clients[2], b"last")]
    async with asyncio.timeout(60):
        while len(door.keeper._waiting) < 2:
            await asyncio.sleep(0.01)
    slow.set()

    said = [answer[:3] for [answer] in await asyncio.gather(*handing)]

    assert said == ["250", "451", "250"]


def refusing(keep: Callable[..., int], word: bytes) -> Callable[..., int]:
    def kept(session: Session, mails: list[Any], at: datetime) -> int:
        if any(word in mail.raw for mail in mails):
            raise ValueError
        return keep(session, mails, at)

    return kept


async def test_a_database_that_is_away_is_asked_once_for_all(
    clients: list[Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = list[int]()

    def away(_session: Session, mails: list[Any], _at: datetime) -> int:
        tries.append(len(mails))
        raise OperationalError("", {}, Exception("database is locked"))

    monkeypatch.setattr(keeper, "receive_mails", away)

    said = await asyncio.gather(*(client.hand_over(MAIL, "raccordo@example.org") for client in clients[:4]))

    assert [one[0][:3] for one in said] == ["451"] * 4
    assert sum(tries) == 4, "somebody's mail was tried again, each try as slow as a locked database"


async def test_a_door_that_is_taken_says_so_and_opens_when_it_is_free(database: Database, now: datetime) -> None:
    other = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    door, stop = LmtpDoor(database, host="127.0.0.1", port=port, clock=lambda: now), asyncio.Event()
    running = asyncio.create_task(door.run(stop))

    async with asyncio.timeout(60):
        while door.problem is None:
            await asyncio.sleep(0.01)
    taken, seen = door.problem, door.last_success
    other.close()
    async with asyncio.timeout(60):
        while door.last_success is None:
            await asyncio.sleep(0.01)

    assert taken is not None
    assert f"cannot listen at 127.0.0.1:{port}" in taken
    assert seen is None
    assert [door.problem] == [None]
    stop.set()
    await running
    with pytest.raises(OSError, match="failed"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_large_mail_to_many_is_kept_for_each_in_several_lots(
    server: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    lots = list[int]()

    def counting(session: Session, mails: list[Any], at: datetime) -> int:
        lots.append(len(mails))
        return receive_mails(session, mails, at)

    monkeypatch.setattr(keeper, "receive_mails", counting)
    monkeypatch.setattr(keeper, "LOT_BYTES", 30_000)
    people = [f"persona{number}@example.org" for number in range(10)]

    said = await server.hand_over(b"\r\n" + b"x" * 9_000 + b"\r\n", *people)

    assert said == ["250 2.0.0 Kept"] * 10
    assert [row.account for row in rows(database)] == people
    assert lots == [3, 3, 3, 1]
