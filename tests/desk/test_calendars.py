"""Addresses for one's own calendar: made, shown once, read by programs, replaced, closed; nobody else's ever opens."""

import re
from datetime import date, timedelta

import httpx
import pytest
from icalendar import Calendar
from sqlmodel import select

from storage.tables import Audit, Feed, Obligation, Staff
from storage.tokens import token_hash
from tests.desk.conftest import Clock, Desk
from tests.desk.test_personal import Person, a_person, carla, owes

ADDRESS = re.compile(r'id="f-address" value="([^"]+)"')
OURS = "/desk/account/calendar"
DUE = date(2026, 12, 10)


def shown(answer: httpx.Response) -> str:
    found = ADDRESS.search(answer.text)
    assert found is not None, answer.text
    return found[1]


async def an_address(desk: Desk, person: Person) -> str:
    page = f"{person.page}/calendar"
    return shown(await desk.browser().send_form(page, page=page))


async def fetched(desk: Desk, address: str, **headers: str) -> httpx.Response:
    return await desk.browser().get(address, headers={name.replace("_", "-"): value for name, value in headers.items()})


def titles(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.status_code
    return [str(one["SUMMARY"]) for one in Calendar.from_ical(answer.content).walk("VEVENT")]


def feeds(desk: Desk) -> list[Feed]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Feed).order_by("id")))


def acts(desk: Desk) -> list[tuple[str, str, int | None]]:
    with desk.house.database.read() as session:
        rows = session.exec(select(Audit).where(Audit.object_kind == "calendar").order_by("id"))
        return [(row.action, row.actor_kind, row.actor_id) for row in rows]


# --- a referent's


async def test_a_program_reads_what_its_owner_owes_with_the_key_alone(desk: Desk) -> None:
    ada = a_person(desk)
    owes(desk, ada, DUE)

    answer = await fetched(desk, await an_address(desk, ada))

    assert titles(answer) == ["Rendicontazione: Ex mercato"]
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert "set-cookie" not in answer.headers


async def test_the_address_is_shown_once_and_only_its_hash_is_kept(desk: Desk) -> None:
    ada = a_person(desk)

    address = await an_address(desk, ada)
    later = (await desk.browser().get(f"{ada.page}/calendar")).text

    key = address.removeprefix("http://raccordo.example/calendar/").removesuffix(".ics")
    (row,) = feeds(desk)
    assert row.token_hash == token_hash(key)
    assert key not in later
    assert key not in ada.page
    assert acts(desk) == [("calendar.make", "referent", ada.id)]


async def test_its_key_opens_no_page_and_the_pages_key_no_calendar(desk: Desk) -> None:
    ada = a_person(desk)
    key = (await an_address(desk, ada)).rpartition("/")[2].removesuffix(".ics")

    assert (await desk.browser().get(f"/r/{key}")).status_code == 404
    assert (await desk.browser().get(f"/calendar/{ada.page.rpartition('/')[2]}.ics")).status_code == 404


@pytest.mark.parametrize("key", ["nonsense", "%00", "a" * 5_000, "..", "è"])
async def test_an_unknown_address_is_not_there(desk: Desk, key: str) -> None:
    assert (await desk.browser().get(f"/calendar/{key}.ics")).status_code == 404


async def test_whoever_has_what_is_there_gets_nothing_again_until_it_changes(desk: Desk, clock: Clock) -> None:
    ada = a_person(desk)
    owes(desk, ada, DUE)
    address = await an_address(desk, ada)
    first = await fetched(desk, address)
    mark, changed = first.headers["etag"], first.headers["last-modified"]
    clock.move(minutes=5)

    by_mark = await fetched(desk, address, If_None_Match=f'"other", {mark}')
    by_date = await fetched(desk, address, If_Modified_Since=changed)
    with desk.house.database.write() as session:
        row = session.exec(select(Obligation)).one()
        row.due_on, row.version = DUE + timedelta(days=1), 2
        session.add(row)
    after = [await fetched(desk, address, If_None_Match=mark), await fetched(desk, address, If_Modified_Since=changed)]

    assert [(one.status_code, one.content) for one in (by_mark, by_date)] == [(304, b"")] * 2
    assert [one.status_code for one in after] == [200, 200]
    assert after[0].headers["last-modified"] != changed
    (event,) = Calendar.from_ical(after[0].content).walk("VEVENT")
    assert (event["SEQUENCE"], event.decoded("DTSTART")) == (1, DUE + timedelta(days=1))


async def test_the_mark_goes_before_the_date_and_nonsense_counts_as_nothing(desk: Desk) -> None:
    ada = a_person(desk)
    address = await an_address(desk, ada)
    changed = (await fetched(desk, address)).headers["last-modified"]

    both = await fetched(desk, address, If_None_Match='"other"', If_Modified_Since=changed)
    nonsense = [await fetched(desk, address, If_Modified_Since=it) for it in ("", "ieri", "Thu, 99 Foo 2026", "1")]

    assert both.status_code == 200
    assert [one.status_code for one in nonsense] == [200] * 4


async def test_it_is_noted_once_an_hour_that_it_is_read(desk: Desk, clock: Clock) -> None:
    address = await an_address(desk, a_person(desk))
    began = clock.now
    await fetched(desk, address)
    clock.move(minutes=59)
    await fetched(desk, address)
    within = feeds(desk)[0].last_read_at
    clock.move(minutes=1)
    await fetched(desk, address)

    assert within == began
    assert feeds(desk)[0].last_read_at == began + timedelta(hours=1)


async def test_a_list_of_things_to_do_is_one_word_away(desk: Desk) -> None:
    ada = a_person(desk)
    owes(desk, ada, DUE)
    address = await an_address(desk, ada)
    events, tasks = await fetched(desk, address), await fetched(desk, f"{address}?tasks=1")

    (task,) = Calendar.from_ical(tasks.content).walk("VTODO")
    assert str(task["STATUS"]) == "NEEDS-ACTION"
    assert not Calendar.from_ical(tasks.content).walk("VEVENT")
    assert events.headers["etag"] != tasks.headers["etag"]


async def test_a_closed_address_opens_nothing_and_one_in_its_place_does(desk: Desk) -> None:
    ada = a_person(desk)
    page = f"{ada.page}/calendar"
    old = await an_address(desk, ada)

    new = shown(await desk.browser().send_form(page, page=page, old=str(feeds(desk)[0].id)))
    between = [(await fetched(desk, it)).status_code for it in (old, new)]
    said = await desk.browser().send_form(f"{page}/{feeds(desk)[1].id}/close", page=page)

    assert between == [404, 200]
    assert said.headers["location"] == page
    assert (await fetched(desk, new)).status_code == 404
    assert [act for act, _kind, _id in acts(desk)] == ["calendar.make", "calendar.replace", "calendar.close"]


async def test_what_is_adas_neither_carla_closes_nor_replaces(desk: Desk) -> None:
    ada, other = a_person(desk), carla(desk)
    address = await an_address(desk, ada)
    (row,) = feeds(desk)
    page = f"{other.page}/calendar"

    closing = await desk.browser().send_form(f"{page}/{row.id}/close", page=page)
    replacing = await desk.browser().send_form(page, page=page, old=str(row.id))
    by_staff = await desk.browser("Anna").send_form(f"{OURS}/{row.id}/close", page=OURS)

    assert [one.status_code for one in (closing, replacing, by_staff)] == [404, 404, 404]
    assert (await fetched(desk, address)).status_code == 200
    assert len(feeds(desk)) == 1


async def test_nobody_has_more_than_five_and_who_replaces_one_is_not_refused(desk: Desk) -> None:
    ada = a_person(desk)
    page = f"{ada.page}/calendar"
    browser = desk.browser()
    csrf = {"page": page}
    for _number in range(5):
        await browser.send_form(page, **csrf)

    sixth = await browser.send_form(page, **csrf)
    instead = await browser.send_form(page, **csrf, old=str(feeds(desk)[0].id))

    assert (sixth.status_code, instead.status_code) == (409, 200)
    assert "Hai già 5 indirizzi" in sixth.text
    assert len([one for one in feeds(desk) if one.revoked_at is None]) == 5


# --- those of the desk


async def test_a_colleague_reads_all_deadlines_or_only_their_own(desk: Desk) -> None:
    owes(desk, a_person(desk), DUE)
    made = await desk.browser("Rita").send_form(OURS, page=OURS)
    address = shown(made)

    everything, mine = await fetched(desk, address), await fetched(desk, f"{address}?mine=1")

    assert f"{address}?mine=1" in made.text
    assert (titles(everything), titles(mine)) == (["Rendicontazione"], [])
    assert acts(desk) == [("calendar.make", "staff", desk.people["Rita"])]


async def test_whoever_is_no_longer_with_us_reads_no_more(desk: Desk) -> None:
    address = shown(await desk.browser("Ugo").send_form(OURS, page=OURS))
    with desk.house.database.write() as session:
        session.get_one(Staff, desk.people["Ugo"]).active = False

    assert (await fetched(desk, address)).status_code == 404


async def test_nobody_makes_an_address_without_signing_in(desk: Desk) -> None:
    answer = await desk.browser().get(OURS)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/sign-in?next={OURS}")


@pytest.mark.parametrize("who", ["Vera", "Rita"])
async def test_the_page_tells_how_in_three_steps_for_each_program(desk: Desk, who: str) -> None:
    page = (await desk.browser(who).get(OURS)).text

    assert [page.count(it) for it in ("Google Calendar</h3>", "Outlook</h3>", "iPhone, iPad e Mac</h3>")] == [1, 1, 1]
    assert OURS in (await desk.browser(who).get("/desk/account")).text
