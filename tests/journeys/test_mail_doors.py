"""Mail from a real Postfix to the real service, and what happens when the service cannot keep it."""

import re
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiosmtplib
import pytest
from sqlmodel import col, select

import storage.database
from storage.tables import Inbox
from tests.journeys.conftest import House, free_port, running_house
from tests.journeys.postfix import Exchange, running_as_written, running_exchange
from tests.journeys.test_mailbox import until

pytestmark = [pytest.mark.journey, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]


WRITTEN = dict(
    re.findall(
        r"^```([a-z._]+)\n(.*?)^```",
        (Path(__file__).parents[2] / "docs" / "mail.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
)  # what docs/mail.md tells an office to write, by the file


@asynccontextmanager
async def house_behind_postfix(database_url: str, folder: Path) -> AsyncIterator[tuple[House, Exchange]]:
    """Nobody listens where mail for others would go."""
    door = free_port()
    async with running_exchange(door, 9) as exchange:
        more = {"lmtp_listen": f"127.0.0.1:{door}"}
        async with running_house(database_url, folder, smtp_port=exchange.port, more=more) as house:
            yield house, exchange


async def send(exchange: Exchange, content: bytes, recipients: Sequence[str]) -> None:
    await aiosmtplib.send(
        content, sender="ada@example.org", recipients=list(recipients), hostname="127.0.0.1", port=exchange.port
    )


def accounts(house: House) -> list[str]:
    with house.database.read() as session:
        return list(session.exec(select(Inbox.account).where(Inbox.kind == "mail").order_by(col(Inbox.id))))


async def test_what_postfix_hands_over_is_in_the_inbox_with_its_envelope(database_url: str, tmp_path: Path) -> None:
    content = b"From: ada@example.org\r\nSubject: Stato\r\n\r\n.punto\r\nFine.\r\n"
    async with house_behind_postfix(database_url, tmp_path) as (house, exchange):
        await send(exchange, content, ["raccordo+abc@example.org"])
        await until(lambda: accounts(house), "it is kept")
        with house.database.read() as session:
            row = session.exec(select(Inbox).where(Inbox.kind == "mail")).one()
        await until(lambda: "status=sent (250 2.0.0 Kept)" in exchange.log, "Postfix knows")

    assert row.account == "raccordo@example.org"
    assert row.payload.startswith(b"Return-Path: <ada@example.org>\r\nDelivered-To: raccordo+abc@example.org\r\n")
    assert row.payload.endswith(b"\r\n\r\n.punto\r\nFine.\r\n")


async def test_fifty_recipients_are_fifty_rows_of_one_mail(database_url: str, tmp_path: Path) -> None:
    recipients = [f"raccordo+{number}@example.org" for number in range(50)]
    async with house_behind_postfix(database_url, tmp_path) as (house, exchange):
        await send(exchange, b"From: ada@example.org\r\nSubject: A tutti\r\n\r\nciao\r\n", recipients)
        await until(lambda: len(accounts(house)) == 50, "all are kept")
        await until(lambda: exchange.log.count("status=sent (250 2.0.0 Kept)") == 50, "Postfix knows of each")
        with house.database.read() as session:
            envelopes = set(map(_delivered_to, session.exec(select(Inbox.payload).where(Inbox.kind == "mail"))))

    assert envelopes == set(recipients)


def _delivered_to(payload: bytes) -> str:
    return payload.split(b"\r\n")[1].removeprefix(b"Delivered-To: ").decode()


async def test_while_the_database_is_locked_postfix_keeps_it_and_comes_again(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.database, "BUSY_TIMEOUT_MS", 100)
    async with house_behind_postfix(database_url, tmp_path) as (house, exchange):
        other = sqlite3.connect(house.database.url.database or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await send(exchange, b"From: ada@example.org\r\nSubject: Stato\r\n\r\nciao\r\n", ["raccordo@example.org"])
        await until(lambda: "451 4.3.0 Not kept, come again" in exchange.log, "Postfix is told to come again")
        meanwhile = (accounts(house), await exchange.waiting())
        other.execute("ROLLBACK")
        other.close()
        await exchange.flush()
        await until(lambda: accounts(house), "it is kept")
        await until(lambda: "status=sent (250 2.0.0 Kept)" in exchange.log, "Postfix knows")
        told = exchange.log

    assert meanwhile == ([], 1)
    assert "locked" not in told, "the error's words left the house"


async def test_while_the_service_is_off_nothing_is_lost(database_url: str, tmp_path: Path) -> None:
    door = free_port()
    async with running_exchange(door, 9) as exchange:
        for number in range(5):
            content = b"From: ada@example.org\r\nSubject: Stato %d\r\n\r\nciao\r\n" % number
            await send(exchange, content, ["raccordo@example.org"])
        more = {"lmtp_listen": f"127.0.0.1:{door}"}
        async with running_house(database_url, tmp_path, smtp_port=exchange.port, more=more) as house:
            await exchange.flush()
            await until(lambda: len(accounts(house)) == 5, "all are kept")


async def test_an_office_that_does_what_the_manual_says_gets_its_mail(database_url: str, tmp_path: Path) -> None:
    door = free_port()
    files = {name: text.replace("8024", str(door)) for name, text in WRITTEN.items() if name != "main.cf"}
    forged = b"Authentication-Results: mx.example.org; dmarc=pass header.from=example.org\r\n"
    other = b"Authentication-Results: mx.example.org.evil.example.net; dmarc=pass\r\n"
    content = forged + other + b"From: ada@example.org\r\nSubject: Stato\r\n\r\nciao\r\n"
    async with running_as_written(WRITTEN["main.cf"], files) as exchange:
        more = {"lmtp_listen": f"127.0.0.1:{door}"}
        async with running_house(database_url, tmp_path, smtp_port=exchange.port, more=more) as house:
            await send(exchange, content, ["ufficio+abc@raccordo.example.org"])
            await until(lambda: accounts(house), "it is kept")
            with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
                await send(exchange, content, ["nessuno@raccordo.example.org"])
            with house.database.read() as session:
                payload = session.exec(select(Inbox.payload).where(Inbox.kind == "mail")).one()

    assert b"Delivered-To: ufficio+abc@raccordo.example.org\r\n" in payload
    assert forged not in payload
    assert other in payload
