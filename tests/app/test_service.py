"""What a process takes on, and what it leaves to others."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr, ValidationError
from sqlmodel import select
from telegram import Bot

from app.alone import AlreadyServed, take_alone
from app.checks import Finding, check_all
from app.clock import system_clock
from app.service import Service, build, readiness
from app.settings import Settings, TelegramMode
from bot.webhook import SECRET_HEADER, secret_for
from bot.webhook_keeper import WebhookKeeper
from intake.post.lmtp import LmtpDoor
from storage.database import Database
from storage.tables import Inbox
from tests.intake.post.lmtp_client import opened

TOKEN = "700000002:AAserviceserviceserviceserviceservice"


def _settings(folder: Path, database_url: str) -> Settings:
    return Settings.model_construct(
        data_dir=folder / "data",
        database_url=SecretStr(database_url),
        telegram_token=SecretStr(TOKEN),
        telegram_api_url="http://127.0.0.1:9",  # nobody listens there
        smtp_url=SecretStr("smtp://127.0.0.1:9"),
        mail_from="Raccordo <raccordo@example.org>",
    )


async def checked(name: str, settings: Settings) -> Finding:
    return next(each for each in await check_all(settings) if each.name == name)


@pytest.mark.parametrize(
    ("without", "loops"),
    [
        ([], {"worker", "reader", "dispatch", "clock", "marks", "register", "telegram", "greeting", "files"}),
        (["clock"], {"worker", "reader", "dispatch", "telegram", "greeting", "files"}),
        (["dispatch"], {"worker", "reader", "clock", "marks", "register", "telegram", "greeting", "files"}),
        (["telegram"], {"worker", "reader", "clock", "marks", "register"}),
        (["mail"], {"worker", "clock", "marks", "register", "telegram", "greeting", "files"}),
    ],
)
async def test_a_process_that_lacks_a_channel_does_not_send_for_all(
    database_url: str, tmp_path: Path, without: list[str], loops: set[str]
) -> None:
    service = await build(_settings(tmp_path, database_url), without=[*without, "web"])

    assert set(service.loops) == loops
    await service.rooms.close()
    if service.lock is not None:
        service.lock.close()


@pytest.fixture
async def posted_to(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service to which Telegram posts, its pages not running."""
    settings = _settings(tmp_path, database_url)
    settings.telegram_mode, settings.secret_key = TelegramMode.WEBHOOK, SecretStr("k" * 32)
    service = await build(settings)
    yield service
    await service.rooms.close()
    if service.lock is not None:
        service.lock.close()


def _client(service: Service) -> httpx.AsyncClient:
    assert service.web is not None
    pages: Any = service.web.config.app
    return httpx.AsyncClient(transport=httpx.ASGITransport(pages), base_url="http://127.0.0.1:8000")


async def test_in_webhook_mode_nobody_polls_and_the_door_is_beside_the_pages(posted_to: Service) -> None:
    door = posted_to.rooms.door
    assert door is not None
    secret = {SECRET_HEADER: secret_for(b"k" * 32, "700000002")}

    async with _client(posted_to) as client:
        post = await client.post("/telegram/700000002", json={"update_id": 7}, headers=secret)
        page, elsewhere = await client.get("/healthz"), await client.post("/telegram/1", headers=secret)

    assert isinstance(posted_to.rooms.receiver, WebhookKeeper)
    assert posted_to.rooms.receiver.url == "http://127.0.0.1:8000/telegram/700000002"
    assert len(door.then) == 3, "a post is kept, handled and answered with one commit"
    assert (post.status_code, page.status_code, elsewhere.status_code) == (200, 200, 404)
    with posted_to.rooms.database.read() as session:
        assert session.exec(select(Inbox.provider_id)).all() == ["7"]


async def test_in_polling_mode_there_is_no_door(database_url: str, tmp_path: Path) -> None:
    service = await build(_settings(tmp_path, database_url))

    async with _client(service) as client:
        answer = await client.post("/telegram/700000002", json={"update_id": 7})

    assert answer.status_code == 404
    await service.rooms.close()
    if service.lock is not None:
        service.lock.close()


async def test_what_is_wrong_with_telegram_makes_the_service_not_ready(posted_to: Service) -> None:
    receiver = posted_to.rooms.receiver
    assert receiver is not None

    async def telegram_of_readyz() -> tuple[bool, str]:
        async with _client(posted_to) as client:
            said = (await client.get("/readyz")).json()["checks"]["telegram"]
        return said["ok"], said["detail"]

    at_start = await telegram_of_readyz()
    receiver.last_success = posted_to.clock()
    well = await telegram_of_readyz()
    receiver.problem = "Conflict"
    in_trouble = await telegram_of_readyz()
    receiver.problem, receiver.last_success = None, posted_to.clock() - timedelta(seconds=91)
    silent = await telegram_of_readyz()

    assert at_start == (False, "no pass yet")
    assert [well[0], in_trouble[0], silent[0]] == [True, False, False]
    assert in_trouble[1].startswith("Conflict; last pass ")


@pytest.mark.parametrize(
    ("base_url", "said"),
    [
        ("http://desk.example.org", "Telegram posts to https:// only"),
        ("https://desk.example.org:9443", "BASE_URL has 9443"),
        ("https://desk.example.org:8443", "not known until Telegram answers"),
    ],
)
async def test_check_tells_an_address_to_which_telegram_cannot_post(
    tmp_path: Path, base_url: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings(tmp_path, "sqlite://")
    settings.telegram_mode, settings.base_url = TelegramMode.WEBHOOK, base_url
    monkeypatch.setattr("delivery.telegram.OFFICIAL", settings.telegram_api_url)

    finding = await checked("TELEGRAM_MODE", settings)

    assert not finding.ok
    assert said in finding.detail


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ({}, "webhook: Telegram delivers"),
        ({"url": ""}, "start raccordo serve"),
        ({"last_error_date": 1, "last_error_message": "Connection refused"}, "Connection refused; can https://desk"),
    ],
)
async def test_check_tells_whether_telegram_delivers(
    tmp_path: Path, said: dict[str, Any], detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(_bot: Bot) -> dict[str, Any]:
        return {"url": "https://desk.example.org/telegram/700000002", "pending_update_count": 1} | said

    monkeypatch.setattr("bot.webhook_keeper.ask", ask)
    settings = _settings(tmp_path, "sqlite://")
    settings.telegram_mode, settings.base_url = TelegramMode.WEBHOOK, "https://desk.example.org"

    finding = await checked("TELEGRAM_MODE", settings)

    assert detail in finding.detail
    assert finding.ok is (not said)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_check_tells_a_folder_that_other_processes_do_not_use(database_url: str, tmp_path: Path) -> None:
    async def shared(folder: Path) -> Finding:
        settings = _settings(folder, database_url)
        settings.telegram_token = settings.smtp_url = SecretStr("")
        return await checked("DATA_DIR shared", settings)

    first, again, elsewhere = [await shared(tmp_path / name) for name in ("one", "one", "two")]

    assert first.ok
    assert again.ok
    assert not elsewhere.ok
    assert "is not the folder" in elsewhere.detail


def test_one_sqlite_file_is_served_by_one_process(tmp_path: Path) -> None:
    file = tmp_path / "raccordo.db"

    with take_alone(file), pytest.raises(AlreadyServed, match="another raccordo"):
        take_alone(file)

    take_alone(file).close()


MAIL_DOORS = {
    "lmtp_listen": "127.0.0.1:0",
    "imap_url": SecretStr("imaps://raccordo%40example.org:secret@imap.example.org/INBOX"),
    "pec_imap_url": SecretStr("imaps://ente:secret@pec.example.org"),
}


async def test_mail_comes_in_by_each_door_that_is_set_and_only_where_mail_is_a_part(
    database_url: str, tmp_path: Path
) -> None:
    settings = _settings(tmp_path, database_url).model_copy(update=MAIL_DOORS)
    found = []
    for without in ([], ["mail"]):
        service = await build(settings, without=["web", "telegram", *without])
        found.append(set(service.loops) & {"lmtp", "imap", "pec", "reader"})
        ready = {check.name: check.ok for check in readiness(service)}
        assert {name for name in ready if name in found[-1]} == found[-1]
        assert not any(ready[name] for name in found[-1]), "nothing runs yet"
        await service.rooms.close()
        if service.lock is not None:
            service.lock.close()

    assert found == [{"lmtp", "imap", "pec", "reader"}, set()]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("lmtp_listen", "0.0.0.0:8024", "of this machine"),
        ("lmtp_listen", "mail.example.org:24", "of this machine"),
        ("lmtp_listen", "127.0.0.1", "address:port"),
        ("imap_url", "https://imap.example.org", "imaps://user:password@host:993/INBOX"),
        ("imap_url", "imaps://imap.example.org", "user and password are missing"),
        ("pec_imap_url", "imaps://me@pec.example.org", "user and password are missing"),
    ],
)
def test_a_door_for_mail_that_is_written_wrongly_is_refused_with_what_to_write(
    name: str, value: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RACCORDO_{name.upper()}", value)

    with pytest.raises(ValidationError, match=why) as refused:
        Settings(_env_file=None)

    assert "secret" not in str(refused.value)


async def test_check_says_of_each_door_for_mail_what_to_do(database_url: str, tmp_path: Path) -> None:
    async def answers(_: Any, writer: Any) -> None:
        writer.write(b"220 other ESMTP\r\n")
        writer.close()

    other = await asyncio.start_server(answers, "127.0.0.1", 0)
    port = other.sockets[0].getsockname()[1]
    settings = _settings(tmp_path, database_url)
    none = {name: await checked(name, settings) for name in ("IMAP_URL", "PEC_IMAP_URL", "LMTP_LISTEN", "AUTHSERV_ID")}
    settings.lmtp_listen, settings.authserv_id = f"127.0.0.1:{port}", "mx.example.org; spf=pass"
    settings.imap_url = SecretStr("imap://raccordo:secret@127.0.0.1:9/INBOX")
    wrong = {name: await checked(name, settings) for name in ("IMAP_URL", "LMTP_LISTEN", "AUTHSERV_ID")}
    other.close()
    await other.wait_closed()
    free, settings.authserv_id = await checked("LMTP_LISTEN", settings), "mx.example.org"
    database = Database(database_url)
    async with opened(LmtpDoor(database, host="127.0.0.1", port=port, clock=system_clock)):
        ours = await checked("LMTP_LISTEN", settings)
    database.close()

    assert all(finding.ok for finding in none.values())
    assert not any(finding.ok for finding in wrong.values())
    assert "connection refused" in wrong["IMAP_URL"].detail
    assert "another program answers" in wrong["LMTP_LISTEN"].detail
    assert "write the name alone" in wrong["AUTHSERV_ID"].detail
    assert (ours.ok, ours.detail) == (True, "open")
    assert (free.ok, (await checked("AUTHSERV_ID", settings)).detail) == (True, "mx.example.org")
