"""A desk in one process, a browser for each person at it, a clock that only the test moves."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from delivery.links import Links
from desk import security
from desk.app import Check, DeskHouse, make_desk
from storage.database import Database
from storage.files import Files
from storage.tables import Role
from tests.cast import Cast

PASSWORD = "quattro parole mie qui"
PASSWORD_HASH = security.hash_password(PASSWORD)  # once: it is slow on purpose
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


class Browser(httpx.AsyncClient):
    """A browser that fills in the hidden token of our forms, as a person's does."""

    async def send_form(self, url: str, page: str = "/desk/sign-in", **fields: Any) -> httpx.Response:
        """Opens `page`, then posts `fields` with the token found there."""
        found = CSRF.search((await self.get(page, follow_redirects=True)).text)
        assert found is not None, f"{page} has no form"
        return await self.post(url, data={"csrf": found[1], **fields})


@dataclass
class Desk:
    """The application and its people: Olga and Ugo are officers, Vera a volunteer, Rita may only read, Anna manages."""

    app: FastAPI
    house: DeskHouse
    people: dict[str, int]
    address: str = "198.51.100.7"
    moved: timedelta = field(default=timedelta())

    def browser(self, who: str | None = None, *, address: str = "") -> Browser:
        """A browser that is signed in as `who`, or as nobody."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address or self.address, 50_000))
        browser = Browser(transport=transport, base_url=self.house.links.base_url)
        if who is not None:
            with self.house.database.write() as session:
                token = security.sign_in_as(session, self.people[who], self.house.clock())
            browser.cookies.set(security.session_cookie(self.house), token)
        return browser

    def cast(self, session: Any) -> Cast:
        return Cast(session, self.house.clock())


@dataclass
class Clock:
    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def move(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def checks() -> list[Check]:
    return []


def a_desk(database: Database, clock: Clock, folder: Path, *, url: str, checks: list[Check] | None = None) -> Desk:
    house = DeskHouse(
        database=database,
        clock=clock,
        links=Links(url, bot="raccordo_esempio_bot"),
        secret_key=b"a secret of the tests, 32 bytes.",
        files=Files(folder / "files", database.keys),
        readiness=lambda: list(checks or ()),
    )
    with database.write() as session:
        cast = Cast(session, clock())
        people = {
            "Olga": cast.a_staff("Olga Esempio", email="olga@example.org", password_hash=PASSWORD_HASH),
            "Ugo": cast.a_staff("Ugo Esempio"),
            "Vera": cast.a_staff("Vera Esempio", Role.VOLUNTEER),
            "Rita": cast.a_staff("Rita Esempio", Role.READER),
            "Anna": cast.a_staff("Anna Esempio", Role.ADMIN),
        }
        ids = {name: person.id for name, person in people.items()}
    return Desk(make_desk(house), house, ids)


@pytest.fixture
def desk(database: Database, clock: Clock, tmp_path: Path, checks: list[Check]) -> Desk:
    return a_desk(database, clock, tmp_path, url="http://raccordo.example", checks=checks)


@pytest.fixture
def secure_desk(database: Database, clock: Clock, tmp_path: Path) -> Desk:
    return a_desk(database, clock, tmp_path, url="https://raccordo.example")
