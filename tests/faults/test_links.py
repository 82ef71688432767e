"""T38: a link is fetched by a scanner, used twice, used late. Looking never uses it up, and it is used once."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session, col, select

from desk import security
from intake.invitations import Invited, invite
from sandbox.people import Person
from storage.staff import add_staff
from storage.tables import Address, Audit, Channel, Invitation, Question, Role, Staff
from tests.cast import Cast
from tests.faults.conftest import kind_of
from tests.faults.table import LINES, Line
from tests.journeys.conftest import House, running_house
from tests.journeys.talk import presses, says

pytestmark = pytest.mark.faults

IS_IT_YOU, ITS_ME = "È il tuo nome?", "Sono io"
WELCOME, NO_MORE = "ora questa chat è la tua", "Questo invito non vale più"
SCANS = ("GET", "HEAD", "OPTIONS", "GET")  # what mail programs and virus scanners do with a link, and again

SCANNERS = {
    "user-agent": "Mozilla/5.0 (compatible; link scanner)",
    "purpose": "prefetch",
}


@dataclass(frozen=True)
class Dose:
    invited: int


DOSES = {"short": Dose(3), "full": Dose(60)}


@dataclass(frozen=True)
class Guest:
    """An invited referent, the phone that is theirs, and one to which the link was passed on."""

    referent_id: int
    invited: Invited
    own: Person
    other: Person

    @property
    def key(self) -> str:
        return self.invited.start_link.partition("start=")[2]

    @property
    def page(self) -> str:
        return "/r/" + self.invited.personal_link.rpartition("/")[2]


async def test_a_link_is_used_once_however_often_it_is_looked_at(database_url: str, tmp_path: Path, dose: str) -> None:
    began = time.monotonic()
    async with running_house(database_url, tmp_path) as house:
        guests = [a_guest(house, number) for number in range(DOSES[dose].invited)]
        officer, staff_link = a_new_officer(house)
        before = state(house, guests)
        for guest in guests:
            await scan(house.public, [guest.page, f"{guest.page}/ask"])
            await both_open_the_chat(guest)
        await scan(house.public, [staff_link])
        looked_at = state(house, guests)

        outcomes = [await both_press(house, guest) for guest in guests]
        again = [await tries_again(guest) for guest in guests]
        asked = [await asks_on_the_page(house, guest) for guest in guests]
        passwords = [await chooses_a_password(house, staff_link) for _ in range(2)]

        late_guest = a_guest(house, len(guests))
        await says(late_guest.own, f"/start {late_guest.key}", IS_IT_YOU)
        await house.move_to(days=8)
        late = [
            (await presses(late_guest.own, ITS_ME, NO_MORE)).text,
            (await says(late_guest.other, f"/start {late_guest.key}", NO_MORE)).text,
        ]
        await house.move_to(days=83)
        late_pages = [await asks_on_the_page(house, guest) for guest in guests]
        used = accepted(house, [*guests, late_guest])
        password_set = password_of(house, officer)

    LINES.append(
        Line(
            "T38 links looked at, used twice, late",
            kind_of(database_url),
            len(guests) * 2 + 3,
            0,
            lost=sum(not outcome for outcome in outcomes) + sum(not one for one in asked),
            duplicated=sum(max(0, number - 1) for number in used.values()),
            other=f"used late: {used[late_guest.referent_id] + sum(late_pages)}",
            seconds=time.monotonic() - began,
        )
    )
    assert looked_at == before, "looking at a link used it up"
    assert all(outcomes), "nobody got in, or both did"
    assert again == [NO_MORE] * len(guests)
    assert all(asked), "the personal page was used up"
    assert [used[guest.referent_id] for guest in guests] == [1] * len(guests)
    assert len(late) == 2
    assert used[late_guest.referent_id] == 0
    assert not any(late_pages), "a page opened after its time"
    assert passwords == [303, 404]
    assert password_set


def a_guest(house: House, number: int) -> Guest:
    with house.database.write() as session:
        cast = Cast(session, house.clock())
        organization = cast.an_organization(f"Ente {number}")
        project = cast.a_project(organization, title=f"Progetto {number}")
        referent = cast.a_referent(
            f"Invitata{number} Esempio", organization, (project,), email=f"invitata{number}@example.org"
        )
        invited = invite(session, referent.id, house.clock(), house.service.rooms.links)
    own, other = [
        house.telegram.add_person(4000 + 2 * number + which, f"Persona{number}{which}", started=True)
        for which in range(2)
    ]
    return Guest(referent.id, invited, own, other)


def a_new_officer(house: House) -> tuple[Staff, str]:
    """Who has not chosen a password yet, and the way to their link."""
    with house.database.write() as session:
        officer = add_staff(
            session, email="nuova@example.org", name="Nuova Esempio", role=Role.OFFICER, now=house.clock()
        )
        link = security.welcome_link(house.service.rooms.links, officer, house.service.settings.key)
    return officer, "/desk/" + link.partition("/desk/")[2]


async def scan(client: httpx.AsyncClient, pages: Sequence[str]) -> None:
    """Looks at the pages and at whatever they link to on the same site."""
    for page in pages:
        found = await client.get(page, headers=SCANNERS)
        assert found.status_code == 200, page
        links = [link for link in re.findall(r'href="(/[^"#]*)"', found.text) if link.startswith(("/r/", "/desk/w"))]
        for link in (page, *links):
            for method in SCANS:
                answer = await client.request(method, link.replace("&amp;", "&"), headers=SCANNERS)
                assert answer.status_code in (200, 405), (method, link)


async def both_open_the_chat(guest: Guest) -> None:
    """The link was opened twice on one phone, and passed on to another."""
    for person in (guest.own, guest.own, guest.other):
        await says(person, f"/start {guest.key}", IS_IT_YOU)


def state(house: House, guests: Sequence[Guest]) -> list[object]:
    """All that using a link changes."""
    ids = [guest.referent_id for guest in guests]
    with house.database.read() as session:
        addresses = session.exec(
            select(Address.value).where(col(Address.referent_id).in_(ids), Address.channel == Channel.TELEGRAM)
        ).all()
        used = select(Invitation.id).where(
            col(Invitation.referent_id).in_(ids),
            col(Invitation.used_at).is_not(None) | col(Invitation.revoked_at).is_not(None),
        )
        passwords = session.exec(select(Staff.password_hash).order_by(col(Staff.id))).all()
        return [list(addresses), list(session.exec(used)), list(passwords), questions(session)]


def questions(session: Session) -> int:
    return len(session.exec(select(Question.id)).all())


async def both_press(house: House, guest: Guest) -> bool:
    """Both say at the same moment that it is them. Whether exactly one of them got in, and is who is bound."""
    answers = await asyncio.gather(presses(guest.own, ITS_ME), presses(guest.other, ITS_ME))
    inside = [WELCOME in answer.text for answer in answers]
    refused = [NO_MORE in answer.text for answer in answers]
    with house.database.read() as session:
        bound = session.exec(
            select(Address.value).where(Address.referent_id == guest.referent_id, Address.channel == Channel.TELEGRAM)
        ).all()
    winner = guest.own if inside[0] else guest.other
    return sorted(inside) == [False, True] and refused == [not one for one in inside] and bound == [str(winner.id)]


async def tries_again(guest: Guest) -> str:
    """Whoever did not get in presses the old button once more, and opens the link once more."""
    outside = guest.other if WELCOME in texts(guest.own) else guest.own
    await presses(outside, ITS_ME, NO_MORE)
    await says(outside, f"/start {guest.key}", NO_MORE)
    return NO_MORE


def texts(person: Person) -> str:
    return "\n".join(message.text for message in person.from_bot)


async def asks_on_the_page(house: House, guest: Guest) -> bool:
    """Whether a question can be asked there, and is kept."""
    with house.database.read() as session:
        before = questions(session)
    fields = {"text": "Vale ancora?", "csrf": await csrf_of(house.public)}
    answer = await house.public.post(f"{guest.page}/ask", data=fields)
    with house.database.read() as session:
        kept = questions(session) - before
    assert kept == (answer.status_code == 303), "what was said and what was kept differ"
    return kept == 1


async def chooses_a_password(house: House, link: str) -> int:
    """The status of the answer."""
    async with httpx.AsyncClient(base_url=house.service.settings.public_url) as browser:
        typed = {"password": "una-password-lunga", "repeated": "una-password-lunga"}
        answer = await browser.post(link, data=typed | {"csrf": await csrf_of(browser)})
        return answer.status_code


async def csrf_of(browser: httpx.AsyncClient) -> str:
    """As if this browser had the form open since before the link was used."""
    token = re.search(r'name="csrf" value="([^"]*)"', (await browser.get("/desk/sign-in")).text)
    assert token is not None
    return token[1]


def accepted(house: House, guests: Sequence[Guest]) -> dict[int, int]:
    """How often each invitation was used, by the log that nobody can change."""
    with house.database.read() as session:
        found = session.exec(select(Audit.object_id).where(Audit.action == "invitation.accept")).all()
    return {guest.referent_id: list(found).count(guest.referent_id) for guest in guests}


def password_of(house: House, officer: Staff) -> str | None:
    with house.database.read() as session:
        return session.exec(select(Staff.password_hash).where(Staff.id == officer.id)).one()
