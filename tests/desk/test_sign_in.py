"""Signing in, staying in, being sent away."""

import asyncio

from sqlmodel import col, select

from desk import security
from storage import staff as accounts
from storage.tables import Audit, Role, Staff, StaffSession
from tests.desk.conftest import CSRF, PASSWORD, Browser, Clock, Desk

COOKIE = "raccordo_session"


async def sign_in(browser: Browser, email: str = "olga@example.org", password: str = PASSWORD, next: str = "") -> int:
    answer = await browser.send_form("/desk/sign-in", email=email, password=password, next=next)
    return answer.status_code


async def test_the_right_password_opens_the_desk(desk: Desk) -> None:
    browser = desk.browser()

    answer = await browser.send_form("/desk/sign-in", email=" Olga@Example.org ", password=PASSWORD)

    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/questions")
    assert (await browser.get("/desk/questions")).status_code == 200


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(desk: Desk) -> None:
    answer = await desk.browser().send_form("/desk/sign-in", email="olga@example.org", password=PASSWORD)

    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Secure" not in cookie


async def test_over_https_the_cookie_is_secure_and_bound_to_the_host(secure_desk: Desk) -> None:
    answer = await secure_desk.browser().send_form("/desk/sign-in", email="olga@example.org", password=PASSWORD)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-raccordo_session=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(desk: Desk) -> None:
    browser = desk.browser()

    wrong = await browser.send_form("/desk/sign-in", email="olga@example.org", password="sbagliata sbagliata")
    unknown = await browser.send_form("/desk/sign-in", email="nobody@example.org", password="sbagliata sbagliata")

    assert wrong.status_code == unknown.status_code == 422
    said = [CSRF.sub("", answer.text) for answer in (wrong, unknown)]
    assert said[0].replace("olga@", "nobody@") == said[1]
    assert COOKIE not in browser.cookies


async def test_a_closed_account_stays_out_and_loses_its_sessions(desk: Desk) -> None:
    inside = desk.browser("Olga")
    with desk.house.database.write() as session:
        olga = session.get(Staff, desk.people["Olga"])
        assert olga is not None
        olga.active = False
        session.add(olga)

    assert (await inside.get("/desk/questions")).headers["location"].startswith("/desk/sign-in")
    assert await sign_in(desk.browser()) == 422


async def test_each_sign_in_makes_a_new_session_and_ends_the_old_one(desk: Desk) -> None:
    browser = desk.browser()
    await sign_in(browser)
    first = browser.cookies[COOKIE]
    page = await browser.get("/desk/questions")
    token = page.text.split('name="csrf" value="')[1].split('"')[0]

    answer = await browser.post(
        "/desk/sign-in", data={"csrf": token, "email": "olga@example.org", "password": PASSWORD}
    )

    assert answer.status_code == 303
    assert browser.cookies[COOKIE] != first
    thief = desk.browser()
    thief.cookies.set(COOKIE, first)
    assert (await thief.get("/desk/questions")).status_code == 303


async def test_only_a_hash_of_the_cookie_is_kept(desk: Desk) -> None:
    browser = desk.browser()

    await sign_in(browser)

    with desk.house.database.read() as session:
        kept = session.exec(select(StaffSession.token_hash)).all()
    assert kept
    assert browser.cookies[COOKIE] not in kept


async def test_a_session_ends_after_eight_idle_hours(desk: Desk, clock: Clock) -> None:
    browser = desk.browser("Olga")

    clock.move(hours=7, minutes=59)
    still = await browser.get("/desk/questions")
    clock.move(hours=8, minutes=1)
    late = await browser.get("/desk/questions")

    assert (still.status_code, late.status_code) == (200, 303)


async def test_a_session_ends_after_seven_days_however_busy(desk: Desk, clock: Clock) -> None:
    browser = desk.browser("Olga")

    seen = []
    for _ in range(25):
        clock.move(hours=7)
        seen.append((await browser.get("/desk/questions")).status_code)

    assert seen == [200] * 24 + [303]


async def test_signing_out_ends_the_session_for_whoever_has_the_cookie(desk: Desk) -> None:
    browser = desk.browser("Olga")
    copy = desk.browser()
    copy.cookies.set(COOKIE, browser.cookies[COOKIE])

    answer = await browser.send_form("/desk/sign-out", page="/desk/questions")

    assert answer.headers["location"] == "/desk/sign-in"
    assert (await copy.get("/desk/questions")).status_code == 303


async def test_after_five_wrong_tries_even_the_right_password_waits_a_quarter_of_an_hour(
    desk: Desk, clock: Clock
) -> None:
    browser = desk.browser()
    tries = [await sign_in(browser, password="sbagliata") for _ in range(5)]

    refused = await browser.send_form("/desk/sign-in", email="olga@example.org", password=PASSWORD)
    clock.move(minutes=15, seconds=1)
    later = await sign_in(browser)

    assert tries == [422] * 5
    assert refused.status_code == 429
    assert "10:15" in refused.text  # nine o'clock UTC is ten in Milan
    assert later == 303


async def test_somebody_who_guesses_elsewhere_locks_nobody_out(desk: Desk) -> None:
    stranger = desk.browser(address="203.0.113.9")
    for _ in range(6):
        await sign_in(stranger, password="sbagliata")

    assert await sign_in(stranger) == 429
    assert await sign_in(desk.browser()) == 303


async def test_guesses_side_by_side_count_one_by_one(desk: Desk) -> None:
    browsers = [desk.browser() for _ in range(8)]

    seen = await asyncio.gather(*(sign_in(browser, password="sbagliata") for browser in browsers))

    assert sorted(seen) == [422] * 5 + [429] * 3


async def test_one_network_cannot_try_every_account(desk: Desk) -> None:
    with desk.house.database.write() as session:
        for number in range(50):
            accounts.note_failure(session, f"a{number}@example.org", desk.address, desk.house.clock())

    assert await sign_in(desk.browser()) == 429
    assert await sign_in(desk.browser(address="203.0.113.9")) == 303


async def test_neighbours_in_one_ipv6_network_are_one(desk: Desk) -> None:
    for number in range(5):
        await sign_in(desk.browser(address=f"2001:db8:1:2::{number}"), password="sbagliata")

    assert await sign_in(desk.browser(address="2001:db8:1:2::99")) == 429


async def test_after_signing_in_one_goes_on_to_the_page_one_wanted_but_never_to_another_site(desk: Desk) -> None:
    wanted = await desk.browser().get("/desk/questions/4")

    landed = []
    for next in ("/desk/questions/4", "https://evil.example/desk/", "//evil.example", "/desk/\\evil", "/desk//evil"):
        browser = desk.browser()
        answer = await browser.send_form("/desk/sign-in", email="olga@example.org", password=PASSWORD, next=next)
        landed.append(answer.headers["location"])

    assert wanted.headers["location"] == "/desk/sign-in?next=/desk/questions/4"
    assert landed == ["/desk/questions/4"] + ["/desk/questions"] * 4


async def test_sign_ins_and_failures_are_in_the_log_without_addresses(desk: Desk) -> None:
    browser = desk.browser()
    await sign_in(browser, password="sbagliata")
    await sign_in(browser)

    with desk.house.database.read() as session:
        rows = session.exec(select(Audit).order_by(col(Audit.id))).all()
    assert [row.action for row in rows] == ["staff.sign-in-failed", "staff.sign-in"]
    assert "olga" not in str([row.model_dump() for row in rows])


# --- choosing a password


def a_newcomer(desk: Desk) -> str:
    """A new account's welcome link."""
    with desk.house.database.write() as session:
        person = accounts.add_staff(
            session, email="nina@example.org", name="Nina Esempio", role=Role.OFFICER, now=desk.house.clock()
        )
        return security.welcome_link(desk.house.links, person, desk.house.secret_key)


async def test_a_newcomer_chooses_a_password_once(desk: Desk) -> None:
    link = a_newcomer(desk)
    browser = desk.browser()
    await browser.get(link)

    answer = await browser.send_form(link, page=link, password="un'altra frase lunga", repeated="un'altra frase lunga")

    assert answer.headers["location"] == "/desk/questions"
    assert (await browser.get("/desk/questions")).status_code == 200
    assert (await desk.browser().get(link)).status_code == 404
    assert await sign_in(desk.browser(), "nina@example.org", "un'altra frase lunga") == 303


async def test_opening_the_welcome_link_uses_nothing_up(desk: Desk) -> None:
    link = a_newcomer(desk)

    seen = [(await desk.browser().get(link)).status_code for _ in range(3)]

    assert seen == [200] * 3


async def test_a_short_password_or_two_different_ones_are_sent_back(desk: Desk) -> None:
    link = a_newcomer(desk)
    browser = desk.browser()

    short = await browser.send_form(link, page=link, password="undici-car.", repeated="undici-car.")
    unlike = await browser.send_form(link, page=link, password="dodici-carat.", repeated="dodici-carat!")

    assert (short.status_code, unlike.status_code) == (422, 422)
    assert "12 caratteri" in short.text


async def test_a_welcome_link_lasts_seven_days_and_cannot_be_made_up(desk: Desk) -> None:
    link = a_newcomer(desk)
    from itsdangerous import TimestampSigner

    old = TimestampSigner.get_timestamp
    TimestampSigner.get_timestamp = lambda self: old(self) + 7 * 86_400 + 1  # type: ignore[method-assign]  # a week on
    try:
        late = await desk.browser().get(link)
    finally:
        TimestampSigner.get_timestamp = old  # type: ignore[method-assign]  # back to today

    assert late.status_code == 404
    assert (await desk.browser().get(link[:-3] + "abc")).status_code == 404
    assert (await desk.browser().get("/desk/welcome/x")).status_code == 404


async def test_a_new_password_signs_the_person_out_everywhere_else(desk: Desk) -> None:
    elsewhere = desk.browser("Olga")
    with desk.house.database.read() as session:
        olga = session.get(Staff, desk.people["Olga"])
        assert olga is not None
        link = security.welcome_link(desk.house.links, olga, desk.house.secret_key)

    await desk.browser().send_form(link, page=link, password="un'altra frase lunga", repeated="un'altra frase lunga")

    assert (await elsewhere.get("/desk/questions")).status_code == 303
