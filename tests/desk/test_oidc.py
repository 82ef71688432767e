"""Signing in with a provider that really signs: what opens, and everything that does not."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlmodel import col, select

from desk.app import make_desk
from desk.oidc_provider import CALLBACK, KNOWN_FOR, Provider, ProviderRefused, Registration
from storage.tables import Audit, Lease, Staff
from tests.desk.conftest import Browser, Clock, Desk
from tests.desk.factors import CODE_PAGE, WRONG, mails, shown, with_factor, write_code
from tests.oidc_provider import CLIENT, SECRET, LocalProvider, local_provider

BEGIN = "/desk/sign-in/oidc"


@dataclass
class Meeting:
    """A desk and the provider that it believes."""

    desk: Desk
    provider: LocalProvider

    async def lead(self, browser: Browser, next: str = "") -> str:
        answer = await browser.get(BEGIN, params={"next": next} if next else {})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def sign_in(self, browser: Browser | None = None, next: str = "") -> tuple[Browser, httpx.Response]:
        browser = browser or self.desk.browser()
        brought = self.provider.sign_in(await self.lead(browser, next))
        return browser, await browser.get(CALLBACK, params=brought)


def meet(desk: Desk, provider: LocalProvider, **other: Any) -> Meeting:
    ours = replace(Registration(provider.issuer, CLIENT, SECRET, "Accesso della Provincia"), **other)
    redirect_uri = f"{desk.house.links.base_url}{CALLBACK}"
    house = replace(desk.house, oidc=Provider(ours, redirect_uri, desk.house.clock))
    return Meeting(Desk(make_desk(house), house, desk.people), provider)


@pytest.fixture
def provider(clock: Clock) -> Iterator[LocalProvider]:
    with local_provider(clock) as one:
        yield one


@pytest.fixture
def meeting(desk: Desk, provider: LocalProvider) -> Meeting:
    return meet(desk, provider)


async def inside(browser: Browser) -> bool:
    return (await browser.get("/desk/questions")).status_code == 200


def subject(desk: Desk, who: str = "Olga") -> str | None:
    with desk.house.database.read() as session:
        return session.get_one(Staff, desk.people[who]).oidc_subject


def acts(desk: Desk) -> list[str]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Audit.action).order_by(Audit.id)))  # type: ignore[arg-type]  # a column


async def test_who_is_known_by_a_verified_address_comes_in_and_is_bound(meeting: Meeting) -> None:
    browser, answer = await meeting.sign_in(next="/desk/projects")

    assert answer.headers["location"] == "/desk/projects"
    assert await inside(browser)
    assert subject(meeting.desk) == f"{meeting.provider.issuer} olga-at-the-authority"
    assert acts(meeting.desk) == ["staff.oidc-bound", "staff.sign-in"]
    assert "si apre anche con l'account del tuo ente" in mails(meeting.desk)[0].replace("&#39;", "'")


async def test_the_account_s_owner_sees_that_it_is_linked(meeting: Meeting) -> None:
    browser, _ = await meeting.sign_in()

    linked = (await browser.get("/desk/account")).text
    ugo = (await meeting.desk.browser("Ugo").get("/desk/account")).text

    assert "si apre anche con Accesso della Provincia" in linked
    assert "Accesso della Provincia" not in ugo


async def test_the_page_of_the_sign_in_offers_it_by_name_when_it_is_set_up(meeting: Meeting, desk: Desk) -> None:
    with_it = (await meeting.desk.browser().get("/desk/sign-in?next=/desk/projects")).text
    without = (await desk.browser().get("/desk/sign-in")).text

    assert "Accedi con Accesso della Provincia" in with_it
    assert "/desk/sign-in/oidc?next=/desk/projects" in with_it
    assert "/desk/sign-in/oidc" not in without
    assert (await desk.browser().get(BEGIN)).status_code == 404
    assert (await desk.browser().get(CALLBACK)).status_code == 404


async def test_the_next_time_the_subject_counts_and_a_changed_address_moves_no_account(meeting: Meeting) -> None:
    await meeting.sign_in()
    with meeting.desk.house.database.read() as session:
        vera = session.get_one(Staff, meeting.desk.people["Vera"]).email

    meeting.provider.claims = {"email": vera}
    browser, answer = await meeting.sign_in()
    page = (await browser.get("/desk/account")).text

    assert answer.status_code == 303
    assert "Olga Esempio" in page
    assert (subject(meeting.desk, "Vera"), len(mails(meeting.desk))) == (None, 1)


async def test_another_subject_with_the_address_of_a_bound_account_stays_outside(meeting: Meeting) -> None:
    await meeting.sign_in()
    before = subject(meeting.desk)

    meeting.provider.claims = {"sub": "somebody-who-got-her-address"}
    browser, answer = await meeting.sign_in()

    assert answer.status_code == 403
    assert "nessun account di questa scrivania è il tuo" in answer.text
    assert not await inside(browser)
    assert subject(meeting.desk) == before


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": None},
        {"email": "nobody@example.org"},
        {"email": ["olga@example.org"]},
        {"email": "olga@example.org\x00"},
    ],
)
async def test_an_address_that_is_not_verified_or_not_known_opens_nothing(
    meeting: Meeting, claims: dict[str, Any]
) -> None:
    meeting.provider.claims = claims

    browser, answer = await meeting.sign_in()

    assert answer.status_code == 403
    assert not await inside(browser)
    assert subject(meeting.desk) is None


async def test_who_may_no_longer_sign_in_does_not_bound_or_not(meeting: Meeting) -> None:
    async def deactivated() -> int:
        with meeting.desk.house.database.write() as session:
            session.get_one(Staff, meeting.desk.people["Olga"]).active = False
        browser, answer = await meeting.sign_in()
        assert not await inside(browser)
        return answer.status_code

    assert await deactivated() == 403
    assert subject(meeting.desk) is None
    with meeting.desk.house.database.write() as session:
        session.get_one(Staff, meeting.desk.people["Olga"]).active = True
    await meeting.sign_in()
    assert await deactivated() == 403


# --- the provider misbehaves, or somebody in its place


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-client"},
        {"aud": None},
        {"aud": [CLIENT, "another-client"]},  # without azp: for whom is it?
        {"azp": "another-client"},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"iat": None},
        {"iat": 4_000_000_000, "exp": 4_000_000_300},  # from the future
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 256},
        {"sub": 7},
        {"at_hash": "of-another-token"},
    ],
    ids=json.dumps,
)
async def test_a_token_that_says_the_wrong_thing_opens_nothing(meeting: Meeting, claims: dict[str, Any]) -> None:
    meeting.provider.claims = claims

    browser, answer = await meeting.sign_in()

    assert answer.status_code == 422
    assert "non è credibile" in answer.text
    assert not await inside(browser)
    assert acts(meeting.desk) == ["staff.sign-in-failed"]


@pytest.mark.parametrize("signed", ["none", "HS256", "stranger"])
async def test_a_token_that_the_provider_has_not_signed_opens_nothing(meeting: Meeting, signed: str) -> None:
    meeting.provider.signed = signed

    browser, answer = await meeting.sign_in()

    assert answer.status_code == 422
    assert not await inside(browser)


async def test_a_token_for_several_that_names_us_as_its_party_opens(meeting: Meeting) -> None:
    meeting.provider.claims = {"aud": [CLIENT, "another-client"], "azp": CLIENT}

    browser, _ = await meeting.sign_in()

    assert await inside(browser)


async def test_a_clock_may_be_a_minute_wrong_and_no_more(meeting: Meeting, clock: Clock) -> None:
    late = int(clock.now.timestamp())

    meeting.provider.claims = {"exp": late - 30}
    close, _ = await meeting.sign_in()
    meeting.provider.claims = {"exp": late - 90}
    far, _ = await meeting.sign_in()

    assert (await inside(close), await inside(far)) == (True, False)


async def test_a_new_key_is_found_and_keys_that_nobody_has_are_not_asked_for_again_and_again(
    meeting: Meeting, clock: Clock
) -> None:
    await meeting.sign_in()
    clock.move(minutes=2)
    meeting.provider.rotate()

    rotated, _ = await meeting.sign_in()
    meeting.provider.rotate()
    before = meeting.provider.asked.count("/keys")
    refused, _ = await meeting.sign_in()

    assert (await inside(rotated), await inside(refused)) == (True, False)
    assert meeting.provider.asked.count("/keys") == before == 2


async def test_addresses_and_keys_are_kept_for_an_hour(meeting: Meeting, clock: Clock) -> None:
    await meeting.sign_in()
    await meeting.sign_in()
    first = meeting.provider.asked.count("/.well-known/openid-configuration")
    clock.now += KNOWN_FOR
    await meeting.sign_in()

    assert (first, meeting.provider.asked.count("/.well-known/openid-configuration")) == (1, 2)


async def test_a_provider_that_calls_itself_otherwise_is_not_the_one(meeting: Meeting) -> None:
    meeting.provider.named = "https://elsewhere.example"

    answer = await meeting.desk.browser().get(BEGIN)

    assert answer.status_code == 503


async def test_a_provider_that_does_not_answer_leaves_the_password_and_is_left_alone_a_moment(
    meeting: Meeting, clock: Clock
) -> None:
    meeting.provider.silent = True
    browser = meeting.desk.browser()

    first, second = await browser.get(BEGIN), await browser.get(BEGIN)
    asked = len(meeting.provider.asked)
    meeting.provider.silent = False
    clock.move(seconds=11)
    third = await browser.get(BEGIN)

    assert (first.status_code, second.status_code, third.status_code) == (503, 503, 303)
    assert "ora non risponde" in first.text
    assert 'name="password"' in first.text
    assert asked == 1


@pytest.mark.parametrize("methods", [("client_secret_basic",), ("client_secret_post",), ()])
async def test_our_secret_is_given_as_the_provider_wants_it(meeting: Meeting, methods: tuple[str, ...]) -> None:
    meeting.provider.methods = methods

    browser, _ = await meeting.sign_in()

    assert await inside(browser)


# --- state, code, verifier


async def test_what_comes_back_must_have_been_begun_here(meeting: Meeting) -> None:
    theirs, ours = meeting.desk.browser(), meeting.desk.browser()
    brought = meeting.provider.sign_in(await meeting.lead(theirs))

    nothing_begun = await ours.get(CALLBACK, params=brought)
    await meeting.lead(ours)
    another_begun = await ours.get(CALLBACK, params=brought)

    assert (nothing_begun.status_code, another_begun.status_code) == (422, 422)
    assert "iniziato in un'altra finestra" in nothing_begun.text.replace("&#39;", "'")
    assert not await inside(ours)


async def test_a_state_is_good_once_and_so_is_a_code(meeting: Meeting) -> None:
    browser = meeting.desk.browser()
    brought = meeting.provider.sign_in(await meeting.lead(browser))
    first = await browser.get(CALLBACK, params=brought)
    await browser.send_form("/desk/sign-out", page="/desk/questions")

    again = await browser.get(CALLBACK, params=brought)
    fresh = parse_qs(urlsplit(await meeting.lead(browser)).query)["state"][0]
    old_code = await browser.get(CALLBACK, params={"code": brought["code"], "state": fresh})

    assert first.status_code == 303
    assert (again.status_code, old_code.status_code) == (422, 422)
    assert not await inside(browser)


async def test_who_kept_the_cookie_does_not_come_back_with_the_same_state(meeting: Meeting, clock: Clock) -> None:
    browser = meeting.desk.browser()
    brought = meeting.provider.sign_in(await meeting.lead(browser))
    kept = browser.cookies["raccordo_oidc"]
    await browser.get(CALLBACK, params={"error": "access_denied", "state": brought["state"]})

    browser.cookies.set("raccordo_oidc", kept)
    again = await browser.get(CALLBACK, params=brought)

    assert again.status_code == 422
    assert not await inside(browser)
    clock.move(minutes=11)
    await meeting.sign_in()
    with meeting.desk.house.database.read() as session:
        remembered = session.exec(select(Lease.name).where(col(Lease.name).startswith("once:"))).all()
    assert len(remembered) == 1


async def test_who_is_refused_must_begin_again(meeting: Meeting) -> None:
    browser = meeting.desk.browser()
    brought = meeting.provider.sign_in(await meeting.lead(browser))

    await browser.get(CALLBACK, params={"code": "guessed", "state": brought["state"]})
    again = await browser.get(CALLBACK, params=brought)

    assert again.status_code == 422
    assert not await inside(browser)


async def test_it_lasts_ten_minutes(meeting: Meeting, clock: Clock) -> None:
    browser = meeting.desk.browser()
    brought = meeting.provider.sign_in(await meeting.lead(browser))
    clock.move(minutes=10, seconds=2)

    answer = await browser.get(CALLBACK, params=brought)

    assert answer.status_code == 422


async def test_a_code_that_another_began_is_not_taken_without_its_verifier(meeting: Meeting) -> None:
    """PKCE: a code that somebody caught is of no use in another browser."""
    victim, thief = meeting.desk.browser(), meeting.desk.browser()
    caught = meeting.provider.sign_in(await meeting.lead(victim))
    own = parse_qs(urlsplit(await meeting.lead(thief)).query)["state"][0]

    answer = await thief.get(CALLBACK, params={"code": caught["code"], "state": own})

    assert answer.status_code == 422
    assert not await inside(thief)


async def test_who_says_no_at_the_provider_is_told_so(meeting: Meeting) -> None:
    browser = meeting.desk.browser()
    state = parse_qs(urlsplit(await meeting.lead(browser)).query)["state"][0]

    answer = await browser.get(CALLBACK, params={"error": "access_denied<script>", "state": state})

    assert answer.status_code == 422
    assert "<script>" not in answer.text.split("<h1>")[1]
    assert "Non hai effettuato l'accesso con Accesso della Provincia" in answer.text.replace("&#39;", "'")


@pytest.mark.parametrize(
    "next", ["https://elsewhere.example", "//elsewhere.example", "/desk/../\\x", "/r/x", "/desk/a\n"]
)
async def test_it_leads_nowhere_but_to_the_desk(meeting: Meeting, next: str) -> None:
    _, answer = await meeting.sign_in(next=next)

    assert answer.headers["location"] == "/desk/questions"


async def test_the_cookie_between_the_two_is_as_guarded_as_the_others(
    secure_desk: Desk, provider: LocalProvider
) -> None:
    answer = await meet(secure_desk, provider).desk.browser().get(BEGIN)

    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if "oidc" in one]
    assert cookie.startswith("__Host-raccordo_oidc=")
    for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=600"):
        assert part in cookie


async def test_guesses_are_counted_per_browser_and_network(meeting: Meeting) -> None:
    browser = meeting.desk.browser()
    found = []
    for _ in range(6):
        state = parse_qs(urlsplit(await meeting.lead(browser)).query)["state"][0]
        found.append((await browser.get(CALLBACK, params={"code": "guessed", "state": state})).status_code)
    other, _ = await meeting.sign_in()

    assert found == [422] * 5 + [429]
    assert await inside(other)


# --- the second factor


async def test_our_code_is_asked_when_the_provider_has_asked_none(meeting: Meeting) -> None:
    with_factor(meeting.desk)

    browser, answer = await meeting.sign_in(next="/desk/projects")
    before = await inside(browser)
    await write_code(browser, shown(meeting.desk))

    assert answer.headers["location"].startswith(CODE_PAGE)
    assert "projects" in answer.headers["location"]
    assert (before, await inside(browser)) == (False, True)


async def test_the_first_time_an_account_is_bound_only_when_our_code_was_right(meeting: Meeting) -> None:
    with_factor(meeting.desk)

    browser, _ = await meeting.sign_in()
    await write_code(browser, WRONG)
    before, told = subject(meeting.desk), len(mails(meeting.desk))
    await write_code(browser, shown(meeting.desk))

    assert before is None
    assert (subject(meeting.desk) or "").endswith(" olga-at-the-authority")
    assert len(mails(meeting.desk)) == told + 1
    assert acts(meeting.desk)[-2:] == ["staff.oidc-bound", "staff.sign-in"]


async def test_whoever_stands_before_the_code_when_another_is_bound_begins_again(meeting: Meeting) -> None:
    with_factor(meeting.desk)
    first, _ = await meeting.sign_in()
    meeting.provider.claims = {"sub": "somebody-who-got-her-address"}
    second, _ = await meeting.sign_in()

    await write_code(first, shown(meeting.desk))
    answer = await second.get(CODE_PAGE)

    assert (subject(meeting.desk) or "").endswith(" olga-at-the-authority")
    assert answer.headers["location"] == "/desk/sign-in"
    assert not await inside(second)


async def test_a_subject_that_was_bound_to_another_account_meanwhile_opens_no_second_one(meeting: Meeting) -> None:
    with_factor(meeting.desk)
    browser, _ = await meeting.sign_in()
    with meeting.desk.house.database.write() as session:
        taken = f"{meeting.provider.issuer} olga-at-the-authority"
        session.get_one(Staff, meeting.desk.people["Ugo"]).oidc_subject = taken

    await write_code(browser, shown(meeting.desk))

    assert subject(meeting.desk) is None
    assert not await inside(browser)


@pytest.mark.parametrize(
    ("claims", "asked"),
    [
        ({"amr": ["pwd", "otp"]}, False),
        ({"amr": ["mfa"]}, False),
        ({"amr": ["hwk"]}, False),
        ({"amr": ["pwd"]}, True),
        ({"amr": []}, True),
        ({"acr": "https://www.spid.gov.it/SpidL2"}, False),
        ({"acr": "https://www.spid.gov.it/SpidL1"}, True),
    ],
)
async def test_it_is_not_asked_twice_when_the_provider_has_asked_one(
    desk: Desk, provider: LocalProvider, claims: dict[str, Any], asked: bool
) -> None:
    meeting = meet(desk, provider, acr=frozenset({"https://www.spid.gov.it/SpidL2"}))
    with_factor(meeting.desk)
    provider.claims = claims

    browser, _ = await meeting.sign_in()

    assert await inside(browser) is not asked


# --- asked directly


def test_the_check_names_what_is_wrong(provider: LocalProvider, clock: Clock) -> None:
    ours = Provider(Registration(provider.issuer, CLIENT, SECRET), "https://raccordo.example", clock)
    assert ours.check() == f"{provider.issuer}, 1 keys"

    provider.named = "https://elsewhere.example"
    with pytest.raises(ProviderRefused, match="another name"):
        ours.check()


def test_nobody_there_is_a_refusal_in_words(clock: Clock) -> None:
    ours = Provider(Registration("http://127.0.0.1:9", CLIENT, SECRET), "https://raccordo.example", clock)

    with pytest.raises(ProviderRefused, match="does not answer"):
        ours.address("s", "n", "v" * 43)
    clock.now += timedelta(seconds=1)
    with pytest.raises(ProviderRefused, match="a moment ago"):
        ours.address("s", "n", "v" * 43)


# --- an administrator takes the link away


async def test_an_administrator_takes_a_link_away_and_the_next_verified_sign_in_makes_a_new_one(
    meeting: Meeting,
) -> None:
    olga, _ = await meeting.sign_in()
    page = f"/desk/office/staff/{meeting.desk.people['Olga']}/roles"
    unlink = f"/desk/office/staff/{meeting.desk.people['Olga']}/oidc/unlink"
    anna = meeting.desk.browser("Anna")

    assert "Togli il collegamento" in (await anna.get(page)).text
    await anna.send_form(unlink, page=page)
    again = await anna.send_form(unlink, page=page)

    assert (await inside(olga), subject(meeting.desk), again.status_code) == (False, None, 409)
    meeting.provider.claims = {"sub": "another"}
    browser, _ = await meeting.sign_in()
    assert await inside(browser)
    assert (subject(meeting.desk) or "").endswith(" another")


@pytest.mark.parametrize("who", ["Ugo", "Vera", "Rita"])
async def test_others_take_nobody_s_link_away(meeting: Meeting, who: str) -> None:
    await meeting.sign_in()
    unlink = f"/desk/office/staff/{meeting.desk.people['Olga']}/oidc/unlink"

    answer = await meeting.desk.browser(who).send_form(unlink, page="/desk/account")

    assert answer.status_code == 403
    assert subject(meeting.desk) is not None
