"""Ada and Bruno follow the old market of Abbiategrasso, Ada also the library; Carla another project in Corsico."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime

import pytest
import uvicorn
from sqlmodel import Session, col, select
from telegram import Bot

from delivery.telegram import make_bot
from facts.calendar import local_date
from intake.builtin import ensure_builtin_forms
from intake.catalogue import Catalogue
from intake.updates import Concern, record_update
from sandbox.telegram import Person, TelegramSandbox
from storage.tables import Channel, FormVersion, Obligation, Office, Project, Referent, Update
from tests.bot.talk import Phone
from tests.cast import Cast

TOKEN = "123456:sandbox"
LAST = {
    "phase": "03005",
    "progress": "40",
    "spent": "300000",
    "expected_end": "2027-06-30",
    "problems": "no",
}


@dataclass
class Stage:
    cast: Cast
    ada: Phone
    bruno: Phone
    carla: Phone
    referent: Referent
    colleague: Referent
    foreigner: Referent
    market: Project
    library: Project
    elsewhere: Project
    form: FormVersion

    @property
    def session(self) -> Session:
        return self.cast.session

    def owed(self, due_on: date, project: Project | None = None, title: str = "Monitoraggio mensile") -> Obligation:
        deadline = self.cast.a_deadline(self.form, due_on, title)
        return self.cast.an_obligation(deadline, project or self.market, due_on, self.cast.now)

    def reported(self, at: datetime, project: Project | None = None, **answers: object) -> Update:
        """What Ada sent some time ago."""
        return record_update(
            self.session,
            referent_id=self.referent.id,
            about=Concern((project or self.market).id),
            form=Catalogue().version(self.session, self.form.id),
            answers=LAST | answers,
            channel=Channel.TELEGRAM,
            now=at,
        )

    @property
    def sent(self) -> list[Update]:
        """Every update, the oldest first."""
        return list(self.session.exec(select(Update).order_by(col(Update.id))))

    @property
    def today(self) -> date:
        return local_date(self.cast.now, "Europe/Rome")


@pytest.fixture
def stage(session: Session, cast: Cast, now: datetime) -> Stage:
    return make_stage(session, cast, now)


def make_stage(session: Session, cast: Cast, now: datetime) -> Stage:
    cast.add(
        Office(
            name="Ufficio Rigenerazione urbana",
            authority="Città metropolitana",
            phone="02 1234 5678",
            email="rigenerazione@example.org",
            hours="lun-ven 9-13",
            controller="La Città metropolitana",
            dpo_contact="dpo@example.org",
        )
    )
    form = ensure_builtin_forms(session, now)
    abbiategrasso, corsico = cast.an_organization(), cast.an_organization("Corsico")
    market = cast.a_project(abbiategrasso, title="Ex mercato coperto")
    library = cast.a_project(abbiategrasso, title="Biblioteca di quartiere")
    elsewhere = cast.a_project(corsico, title="Parco Travaglia")
    ada = cast.a_referent("Ada Esempio", abbiategrasso, (market, library), chat=11, email="ada@example.org")
    bruno = cast.a_referent("Bruno Esempio", abbiategrasso, (market,), chat=12)
    carla = cast.a_referent("Carla Esempio", corsico, (elsewhere,), chat=13)
    one, two, three = (Phone(session, chat, now) for chat in (11, 12, 13))
    return Stage(cast, one, two, three, ada, bruno, carla, market, library, elsewhere, form)


@pytest.fixture
def telegram() -> TelegramSandbox:
    return TelegramSandbox(TOKEN, limits=False)


@pytest.fixture
def ada(telegram: TelegramSandbox) -> Person:
    return telegram.add_person(1001, "Ada", "Esempio", started=True)


@pytest.fixture
async def bot(telegram: TelegramSandbox) -> AsyncIterator[Bot]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(telegram.app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve([listening]))
        bot = make_bot(TOKEN, f"http://127.0.0.1:{listening.getsockname()[1]}")
        yield bot
        await bot.request.shutdown()
        telegram.close()
        server.should_exit = True
        await running
