"""Signing in with password and code: each opens once, guesses are few, and who knows half of it opens nothing."""

import asyncio
from datetime import UTC, datetime

import pyotp
import pytest
from sqlmodel import select

from desk import half_signed as half
from desk import second_factor as factor
from desk.app import PAGES
from desk.security import set_password, welcome_link
from storage import second_factors as factors
from storage import staff as accounts
from storage.tables import RecoveryCode, SignInAttempt, Staff
from tests.desk.conftest import PASSWORD, Clock, Desk
from tests.desk.factors import (
    CODE_PAGE,
    SECRET,
    WRONG,
    acts,
    half_signed,
    left,
    mails,
    opens,
    shown,
    the_person,
    with_factor,
    write_code,
)

# RFC 6238, appendix B: the last six of its eight digits, secret "12345678901234567890".
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC = ((59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"))


@pytest.mark.parametrize(("at", "code"), RFC)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert factor.step_of(RFC_SECRET, code, datetime.fromtimestamp(at, UTC)) == at // 30


def test_in_the_hour_that_comes_twice_codes_go_on() -> None:
    seen = [
        factor.step_of(SECRET, pyotp.HOTP(SECRET).at(step), datetime.fromtimestamp(step * 30, UTC))
        for step in range(int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()) // 30, 59764500, 60)
    ]

    assert None not in seen


def test_a_code_of_letters_is_simply_wrong() -> None:
    assert factor.step_of(SECRET, "àèìòùé", datetime.now(UTC)) is None


async def test_password_and_code_open_the_desk(desk: Desk) -> None:
    with_factor(desk)
    browser = await half_signed(desk)

    answer = await browser.send_form(CODE_PAGE, page=CODE_PAGE, code=f" {shown(desk)[:3]} {shown(desk)[3:]} ")

    assert answer.headers["location"] == "/desk/questions"
    assert await opens(browser)
    assert half.cookie(desk.house) not in browser.cookies
    assert acts(desk)[-2:] == ["staff.half-signed", "staff.sign-in"]


async def test_who_knows_only_the_password_opens_no_page(desk: Desk) -> None:
    with_factor(desk)
    browser = await half_signed(desk)
    ours = [route.path for module in PAGES for route in module.router.routes if route.path.startswith("/desk")]
    plain = [path for path in ours if "{" not in path and not path.startswith("/desk/sign-in") and path != "/desk"]

    seen = {path: (await browser.get(path)).headers.get("location", "open") for path in plain}

    assert "/desk/account" in seen
    assert {path for path, where in seen.items() if not where.startswith("/desk/sign-in")} - _only_posted() == set()
    assert "raccordo_session" not in browser.cookies


def _only_posted() -> set[str]:
    """Addresses that answer to forms alone: a GET finds nothing there."""
    methods: dict[str, set[str]] = {}
    for module in PAGES:
        for route in module.router.routes:
            methods.setdefault(route.path, set()).update(route.methods)
    return {path for path, those in methods.items() if "GET" not in those}


async def test_the_half_way_cookie_is_as_guarded_as_the_other(secure_desk: Desk) -> None:
    with_factor(secure_desk)

    answer = await secure_desk.browser().send_form("/desk/sign-in", email="olga@example.org", password=PASSWORD)

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-raccordo_half=")
    assert all(part in cookie for part in ("HttpOnly", "Secure", "Path=/", "Max-Age=600"))


async def test_the_code_page_is_only_for_who_has_shown_the_password(desk: Desk) -> None:
    with_factor(desk)
    forger = desk.browser()
    forger.cookies.set(half.cookie(desk.house), "WzEsIngiLDFd.forged")

    seen = [(await browser.get(CODE_PAGE)).headers["location"] for browser in (desk.browser(), forger)]

    assert seen == ["/desk/sign-in"] * 2


async def test_half_way_lasts_ten_minutes(desk: Desk, clock: Clock) -> None:
    with_factor(desk)
    browser = await half_signed(desk)
    await browser.get(CODE_PAGE)

    clock.move(minutes=10, seconds=2)

    assert (await browser.get(CODE_PAGE)).headers["location"] == "/desk/sign-in"


@pytest.mark.parametrize("change", ["password", "factor", "active"])
async def test_half_way_ends_when_something_changes(desk: Desk, clock: Clock, change: str) -> None:
    with_factor(desk)
    browser = await half_signed(desk)
    with desk.house.database.write() as session:
        olga = the_person(session, desk)
        if change == "password":
            set_password(session, olga, PASSWORD + " ancora", desk.house.clock())
        elif change == "factor":
            factor.set_factor(session, olga, factor.new_secret(), 1, desk.house.clock())
        else:
            accounts.set_active(session, olga.id, active=False)

    assert (await browser.get(CODE_PAGE)).headers["location"] == "/desk/sign-in"


async def test_a_code_must_come_with_a_form_of_ours(desk: Desk) -> None:
    with_factor(desk)
    browser = await half_signed(desk)

    answer = await browser.post(CODE_PAGE, data={"code": shown(desk)})

    assert answer.status_code == 403
    assert not await opens(browser)


async def test_after_the_code_one_goes_to_the_page_one_wanted_and_never_to_another_site(desk: Desk) -> None:
    with_factor(desk)
    browser = desk.browser()
    asked = await browser.send_form(
        "/desk/sign-in", email="olga@example.org", password=PASSWORD, next="/desk/questions/4"
    )
    foreign = await half_signed(desk)

    landed = await browser.send_form(CODE_PAGE, page=CODE_PAGE, code=shown(desk), next="/desk/questions/4")
    safe = await foreign.send_form(CODE_PAGE, page=CODE_PAGE, code=shown(desk, steps=1), next="//evil.example")

    assert asked.headers["location"] == f"{CODE_PAGE}?next=%2Fdesk%2Fquestions%2F4"
    assert (landed.headers["location"], safe.headers["location"]) == ("/desk/questions/4", "/desk/questions")


# --- each code once, around its half minute


async def test_a_code_opens_once(desk: Desk) -> None:
    with_factor(desk)
    first, second = await half_signed(desk), await half_signed(desk)
    code = shown(desk)

    seen = [await write_code(first, code), await write_code(second, code)]

    assert seen == [303, 422]
    assert not await opens(second)


async def test_the_code_before_the_one_used_opens_no_more(desk: Desk) -> None:
    with_factor(desk)
    first, second = await half_signed(desk), await half_signed(desk)

    seen = [await write_code(first, shown(desk)), await write_code(second, shown(desk, steps=-1))]

    assert seen == [303, 422]


async def test_two_at_once_with_one_code_are_one(desk: Desk) -> None:
    with_factor(desk)
    browsers = [await half_signed(desk, address=f"198.51.100.{number}") for number in range(4)]
    code = shown(desk)

    seen = await asyncio.gather(*(write_code(browser, code) for browser in browsers))

    assert sorted(seen) == [303, 422, 422, 422]


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 303), (0, 303), (1, 303), (2, 422)])
async def test_a_clock_may_be_half_a_minute_wrong(desk: Desk, steps: int, status: int) -> None:
    with_factor(desk)

    assert await write_code(await half_signed(desk), shown(desk, steps=steps)) == status


async def test_the_code_by_which_it_was_set_up_opens_nothing_else(desk: Desk) -> None:
    with desk.house.database.write() as session:
        now = desk.house.clock()
        factor.set_factor(session, the_person(session, desk), SECRET, int(now.timestamp()) // 30, now)

    assert await write_code(await half_signed(desk), shown(desk)) == 422


# --- recovery codes


async def test_a_recovery_code_opens_once_and_its_owner_is_told(desk: Desk) -> None:
    codes = with_factor(desk)
    first, second = await half_signed(desk), await half_signed(desk)

    seen = [await write_code(first, codes[3].upper().replace("-", " ")), await write_code(second, codes[3])]

    assert seen == [303, 422]
    assert left(desk) == 9
    assert "codice di recupero" in mails(desk)[-1]
    assert "Codici rimasti: 9." in mails(desk)[-1]
    assert "staff.recovery-used" in acts(desk)


async def test_two_at_once_with_one_recovery_code_are_one(desk: Desk) -> None:
    codes = with_factor(desk)
    browsers = [await half_signed(desk, address=f"198.51.100.{number}") for number in range(4)]

    seen = await asyncio.gather(*(write_code(browser, codes[0]) for browser in browsers))

    assert sorted(seen) == [303, 422, 422, 422]


async def test_a_colleagues_recovery_code_opens_nothing(desk: Desk) -> None:
    with_factor(desk)
    of_ugo = with_factor(desk, "Ugo")

    assert await write_code(await half_signed(desk), of_ugo[0]) == 422
    assert left(desk, "Ugo") == 10


def test_of_recovery_codes_only_hashes_are_kept_and_the_secret_is_sealed(desk: Desk) -> None:
    codes = with_factor(desk)

    with desk.house.database.read() as session:
        kept = session.exec(select(RecoveryCode.code_hash)).all()
        raw = session.connection().exec_driver_sql("SELECT second_factor FROM staff WHERE second_factor <> ''").scalar()
    assert len(set(codes)) == len(kept) == 10
    assert all(code.replace("-", "") not in kept and len(code.replace("-", "")) == 24 for code in codes)
    assert SECRET not in str(raw)


# --- guesses


async def test_five_wrong_codes_and_even_the_right_one_waits(desk: Desk, clock: Clock) -> None:
    with_factor(desk)
    browser = await half_signed(desk)
    tries = [await write_code(browser, WRONG) for _ in range(5)]

    refused = await browser.send_form(CODE_PAGE, page=CODE_PAGE, code=shown(desk))
    clock.move(minutes=15, seconds=1)
    later = await write_code(await half_signed(desk), shown(desk))

    assert tries == [422] * 5
    assert refused.status_code == 429
    assert "10:15" in refused.text
    assert later == 303


async def test_the_right_password_does_not_wipe_out_wrong_codes(desk: Desk) -> None:
    with_factor(desk)
    for _ in range(5):
        await write_code(await half_signed(desk), WRONG)

    assert await write_code(await half_signed(desk), shown(desk)) == 429


async def test_who_guesses_codes_elsewhere_locks_nobody_out(desk: Desk) -> None:
    with_factor(desk)
    stranger = await half_signed(desk, address="203.0.113.9")
    for _ in range(6):
        await write_code(stranger, WRONG)

    assert await write_code(await half_signed(desk), shown(desk)) == 303


async def test_codes_guessed_side_by_side_count_one_by_one(desk: Desk) -> None:
    with_factor(desk)
    browsers = [await half_signed(desk) for _ in range(8)]

    seen = await asyncio.gather(*(write_code(browser, WRONG) for browser in browsers))

    assert sorted(seen) == [422] * 5 + [429] * 3


async def test_guesses_from_many_networks_stop_codes_and_leave_recovery_codes(desk: Desk) -> None:
    codes = with_factor(desk)
    with desk.house.database.write() as session:
        key = factor.attempt_key(the_person(session, desk))
        for number in range(factor.CODES_OF_ACCOUNT):
            accounts.note_failure(session, key, f"203.0.113.{number}", desk.house.clock())
    browser = await half_signed(desk)

    stopped = await browser.send_form(CODE_PAGE, page=CODE_PAGE, code=shown(desk))

    assert stopped.status_code == 429
    assert "codice di recupero" in stopped.text
    assert await write_code(browser, codes[0]) == 303


async def test_the_owner_hears_of_wrong_codes_once(desk: Desk) -> None:
    with_factor(desk)
    before = len(mails(desk))
    for number in range(7):
        await write_code(await half_signed(desk, address=f"203.0.113.{number}"), WRONG)

    told = mails(desk)[before:]
    assert len(told) == 1
    assert "5 volte" in told[0]
    assert acts(desk).count("staff.code-failed") == 7


async def test_neither_log_nor_attempts_hold_addresses_or_codes(desk: Desk) -> None:
    with_factor(desk)
    await write_code(await half_signed(desk), "123123")

    with desk.house.database.read() as session:
        accounts_tried = session.exec(select(SignInAttempt.account)).all()
    assert accounts_tried == [f"factor:{desk.people['Olga']}"]
    assert "olga" not in str(acts(desk))


# --- a new password does not go round it


async def test_a_link_for_a_new_password_still_asks_the_code(desk: Desk) -> None:
    with_factor(desk)
    with desk.house.database.read() as session:
        link = welcome_link(desk.house.links, the_person(session, desk), desk.house.secret_key)
    browser = desk.browser()

    answer = await browser.send_form(link, page=link, password="un'altra frase lunga", repeated="un'altra frase lunga")

    assert answer.headers["location"] == CODE_PAGE
    assert not await opens(browser)
    assert await write_code(browser, shown(desk)) == 303
    assert "password" in mails(desk)[-1]


def test_two_set_ups_at_once_are_one(desk: Desk) -> None:
    now = desk.house.clock()
    with desk.house.database.write() as session:
        olga = desk.people["Olga"]
        seen = [factors.keep_factor(session, olga, SECRET, 1, now, instead_of=None) for _ in range(2)]

    assert seen == [True, False]


def test_an_account_without_one_signs_in_as_before(desk: Desk) -> None:
    with desk.house.database.read() as session:
        assert [factor.counts(person) for person in session.exec(select(Staff))] == [False] * 5
