"""Makers for the tests of the second factor: an app on a phone, and somebody who signs in with it."""

import re
from datetime import timedelta

import pyotp
from sqlmodel import Session, select

from desk import second_factor as factor
from storage import second_factors as factors
from storage.tables import Audit, Outbox, Staff
from tests.desk.conftest import PASSWORD, Browser, Desk

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CODE_PAGE = "/desk/sign-in/code"
WRONG = "000000"
RECOVERY = re.compile(r"<li>((?:[a-z2-7]{4}-){5}[a-z2-7]{4})</li>")


def shown(desk: Desk, secret: str = SECRET, *, steps: int = 0) -> str:
    """The code on the phone, `steps` half minutes from now."""
    return pyotp.TOTP(secret).at(desk.house.clock() + timedelta(seconds=30 * steps))


def with_factor(desk: Desk, who: str = "Olga") -> list[str]:
    """Gives somebody a second factor, set up two minutes ago; their recovery codes."""
    with desk.house.database.write() as session:
        person = session.get_one(Staff, desk.people[who])
        now = desk.house.clock() - timedelta(minutes=2)
        codes = factor.set_factor(session, person, SECRET, int(now.timestamp()) // 30, now)
    assert codes is not None
    return codes


async def half_signed(desk: Desk, *, address: str = "") -> Browser:
    """A browser in which Olga's password was written, and no code yet."""
    browser = desk.browser(address=address)
    answer = await browser.send_form("/desk/sign-in", email="olga@example.org", password=PASSWORD)
    assert answer.headers["location"].startswith(CODE_PAGE)
    return browser


async def write_code(browser: Browser, code: str, next: str = "") -> int:
    return (await browser.send_form(CODE_PAGE, page=CODE_PAGE, code=code, next=next)).status_code


async def opens(browser: Browser) -> bool:
    return (await browser.get("/desk/questions")).status_code == 200


def acts(desk: Desk) -> list[str]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Audit.action).order_by(Audit.id)))  # type: ignore[arg-type]  # a column


def mails(desk: Desk, email: str = "olga@example.org") -> list[str]:
    """What was written to this account's owner, oldest first."""
    with desk.house.database.read() as session:
        rows = session.exec(select(Outbox).where(Outbox.address == email)).all()
        return [row.body["html"] for row in sorted(rows, key=lambda row: row.id)]


def the_person(session: Session, desk: Desk, who: str = "Olga") -> Staff:
    return session.get_one(Staff, desk.people[who])


def left(desk: Desk, who: str = "Olga") -> int:
    with desk.house.database.read() as session:
        return factors.codes_left(session, desk.people[who])
