"""A whole house on loopback sockets: the real service, a Telegram sandbox, a mailbox, a clock that can be moved."""

import asyncio
import html
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from sqlmodel import Session, col, select

from answering.answer import UNDO
from app.clock import MovableClock
from app.service import Server, Service, build
from app.settings import Settings, TelegramMode
from desk.security import sign_in_as
from sandbox.mail import MailSandbox
from sandbox.people import Person
from sandbox.telegram import TelegramSandbox
from storage.database import Database
from storage.staff import add_staff
from storage.tables import Outbox, OutboxState, Role
from tests.cast import Cast
from tests.journeys.clocks import TUESDAY_MORNING, started_at

TOKEN = "700000001:AAjourneyjourneyjourneyjourneyjourney"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class House:
    """What a journey needs: people on Telegram, the mailbox, a signed-in desk, the clock, the database."""

    service: Service
    telegram: TelegramSandbox
    mail: MailSandbox
    clock: MovableClock
    desk: httpx.AsyncClient
    public: httpx.AsyncClient

    @property
    def database(self) -> Database:
        return self.service.rooms.database

    async def post(self, page: str, action: str, **fields: object) -> httpx.Response:
        """Opens `page`, finds its CSRF token and hidden fields of the form to `action`, and sends the form."""
        shown = (await self.desk.get(page)).raise_for_status().text
        return await self.desk.post(action, data=hidden_fields(shown, action) | fields, follow_redirects=True)

    async def answers(self, question_id: int, text: str) -> None:
        """Olga sends it, and the seconds pass in which she could have stopped it."""
        page = f"/desk/questions/{question_id}"
        await self.post(page, f"{page}/answer", text=text)
        await self.until_it_leaves()

    async def until_it_leaves(self) -> None:
        await self.move_to(seconds=UNDO.total_seconds() + 1)

    async def all_sent(self) -> None:
        """Until what Telegram answered is written down too: nobody replies faster than that with their thumbs."""
        async with asyncio.timeout(60):
            while await self.database.look(any_waiting):
                await asyncio.sleep(0.02)

    async def move_to(self, **delta: float) -> None:
        self.clock.advance(timedelta(**delta))
        await self.service.ticker.tick()


def any_waiting(session: Session) -> bool:
    waiting = (OutboxState.QUEUED, OutboxState.SENDING, OutboxState.RETRY)
    return session.exec(select(Outbox.id).where(col(Outbox.state).in_(waiting))).first() is not None


def hidden_fields(page: str, action: str) -> dict[str, object]:
    """The hidden fields of the form that goes to `action`."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    assert form is not None, f"no form to {action} on this page"
    fields = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", form[0])
    return {_attribute(field, "name"): _attribute(field, "value") for field in fields}


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'{name}="([^"]*)"', tag)
    assert found is not None
    return html.unescape(found[1])


@asynccontextmanager
async def running_house(
    database_url: str,
    folder: Path,
    *,
    smtp_port: int = 0,
    mode: TelegramMode = TelegramMode.POLLING,
    more: Mapping[str, Any] | None = None,
) -> AsyncIterator[House]:
    """Starts everything on loopback and stops it again.

    `smtp_port`: another mail server than the sandbox's. `more`: settings.
    """
    clock = MovableClock(started_at(TUESDAY_MORNING))
    telegram = TelegramSandbox(TOKEN, limits=False)
    mail = MailSandbox()
    await mail.start()
    sandbox_port, port = free_port(), free_port()
    wire = Server(
        uvicorn.Config(
            telegram.app,
            port=sandbox_port,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(wire.serve())
    await asyncio.wait_for(wire.listening.wait(), 60)
    settings = Settings.model_construct(
        data_dir=folder / "data",
        database_url=SecretStr(database_url),
        listen=f"127.0.0.1:{port}",
        telegram_token=SecretStr(TOKEN),
        telegram_mode=mode,
        telegram_per_second=0,
        telegram_api_url=f"http://127.0.0.1:{sandbox_port}",
        smtp_url=SecretStr(f"smtp://127.0.0.1:{smtp_port}" if smtp_port else mail.url),
        mail_from="Raccordo <raccordo@example.org>",
        **(more or {}),
    )
    service = await build(settings, clock=clock)
    running = asyncio.create_task(service.run())
    await asyncio.wait_for(service.started.wait(), 60)
    async with (
        httpx.AsyncClient(base_url=settings.public_url, timeout=60) as desk,
        httpx.AsyncClient(base_url=settings.public_url, timeout=60) as public,
    ):
        house = House(service, telegram, mail, clock, desk, public)
        sign_in(house, house.desk, "Olga Esempio")
        try:
            yield house
        finally:
            service.stop.set()
            telegram.close()
            await running
            wire.should_exit = True
            await serving
            await mail.stop()


def sign_in(house: House, browser: httpx.AsyncClient, name: str) -> None:
    """One more officer, at the desk in this browser."""
    with house.database.write() as session:
        email = f"{name.split(maxsplit=1)[0].lower()}@example.org"
        officer = add_staff(session, email=email, name=name, role=Role.OFFICER, now=house.clock())
        token = sign_in_as(session, officer.id, house.clock())
    browser.cookies.set("raccordo_session", token)


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    async with running_house(database_url, tmp_path) as house:
        yield house


def ada_of(house: House) -> Person:
    """Ada Esempio of Abbiategrasso, already linked, with one project."""
    with house.database.write() as session:
        cast = Cast(session, house.clock())
        organization = cast.an_organization("Ente di prova")
        project = cast.a_project(organization, title="Ex mercato coperto")
        cast.a_referent("Ada Esempio", organization, (project,), chat=1001, email="ada@example.org")
    return house.telegram.add_person(1001, "Ada", last_name="Esempio", started=True)
