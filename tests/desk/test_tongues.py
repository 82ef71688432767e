"""Strangers are spoken to as their browser asks, or as they chose; in doubt, in Italian. Nobody else is."""

import pytest

from desk.security import welcome_link
from desk.tongues import MOST_READ, inside, preferred
from facts.languages import Language
from storage.people import new_personal_link
from storage.tables import Staff
from tests.desk.conftest import Desk

ENGLISH = {"Accept-Language": "en-GB,en;q=0.9,it;q=0.8"}
OURS = ("/", "/privacy", "/accessibility", "/public/faq", "/desk/sign-in", "/nowhere", "/r/no-such-key")


def speaks(page: str) -> str:
    return page.partition('<html lang="')[2][:2]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "it"),
        ("en", "en"),
        ("EN-us", "en"),
        ("it-IT,it;q=0.9,en-US;q=0.8,en;q=0.7", "it"),
        ("en-US,en;q=0.9,it;q=0.8", "en"),
        ("it;q=0.5, en;q=0.8", "en"),
        ("de-DE,de;q=0.9,en;q=0.5", "en"),
        ("de,fr;q=0.9", "it"),
        ("en,it", "it"),
        ("*", "it"),
        ("en;q=0.5,*;q=0.8", "it"),
        ("it;q=0,*", "en"),
        ("en;q=0", "it"),
        ("en;q=2", "it"),
        ("en;q=nan", "it"),
        ("en;q=-1", "it"),
        ("en;q=0.1234", "it"),
        ("en ; Q=0.4", "en"),
        ("english", "it"),
        (",,;;==, en_GB \x00", "it"),
        ("ènglish;q=1, en", "en"),
    ],
)
def test_english_is_spoken_where_it_is_wanted_more_than_italian(header: str, language: str) -> None:
    assert preferred(header) is Language(language)


@pytest.mark.parametrize("path", OURS)
async def test_a_stranger_reads_what_the_browser_asks_for_and_caches_are_told(desk: Desk, path: str) -> None:
    italian = await desk.browser().get(path)
    english = await desk.browser().get(path, headers=ENGLISH)

    assert (speaks(italian.text), speaks(english.text)) == ("it", "en")
    assert "Accept-Language, Cookie" in english.headers["vary"]
    assert ">English</a>" in italian.text
    assert ">Italiano</a>" in english.text


async def test_a_header_without_end_is_read_no_further(desk: Desk) -> None:
    header = {"Accept-Language": "de," * MOST_READ + "en"}

    assert speaks((await desk.browser().get("/", headers=header)).text) == "it"


async def test_no_other_address_carries_the_key_of_a_page(desk: Desk) -> None:
    async with desk.browser() as browser:
        page = (await browser.get("/r/a-key-that-opens-nothing")).text

    assert 'href="/r/a-key-that-opens-nothing?lang=en"' in page
    assert "back=" not in page


async def test_the_link_turns_this_page_and_every_other_and_back_again(desk: Desk) -> None:
    browser = desk.browser()

    turned = await browser.get("/language", params={"lang": "en", "back": "/public/faq?q=cup"})
    english = await browser.get("/privacy")
    await browser.get("/language", params={"lang": "it", "back": "/"})
    italian = await browser.get("/privacy", headers=ENGLISH)

    assert (turned.status_code, turned.headers["location"]) == (303, "/public/faq?q=cup")
    cookie = turned.headers["set-cookie"].lower()
    assert cookie.startswith("lang=en;")
    assert "max-age=31536000" in cookie
    assert "samesite=lax" in cookie
    assert (speaks(english.text), speaks(italian.text)) == ("en", "it")


async def test_what_the_address_says_comes_before_what_was_chosen_and_the_link_leaves_it_out(desk: Desk) -> None:
    browser = desk.browser()
    browser.cookies.set("lang", "it")

    page = (await browser.get("/privacy?lang=en&x=1")).text

    assert speaks(page) == "en"
    assert 'href="/language?lang=it&amp;back=%2Fprivacy%3Fx%3D1"' in page


@pytest.mark.parametrize("cookie", ["fr", "EN", "en-GB", "%00", "x" * 3000, "__class__"])
async def test_nonsense_in_the_cookie_or_the_address_chooses_nothing(desk: Desk, cookie: str) -> None:
    browser = desk.browser()
    browser.cookies.set("lang", cookie)

    assert speaks((await browser.get("/", headers=ENGLISH)).text) == "en"
    assert speaks((await browser.get("/", params={"lang": cookie}, headers=ENGLISH)).text) == "en"
    assert "set-cookie" not in (await browser.get("/language", params={"lang": cookie})).headers


@pytest.mark.parametrize(
    "back",
    [
        "",
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/a//b",
        "/a\r\nSet-Cookie: x",
        "/language?back=/",
    ],
)
def test_it_leads_nowhere_but_to_a_page_of_ours(back: str) -> None:
    assert inside(back) == "/"


async def test_staff_and_referents_keep_their_own_and_are_not_asked(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        ada = cast.a_referent("Ada Esempio", cast.an_organization("Comune di Abbiategrasso", "015002"))
        key = new_personal_link(session, ada.id, cast.now)
    olga = desk.browser("Olga")
    olga.cookies.set("lang", "en")

    staff = (await olga.get("/desk/questions?lang=en", headers=ENGLISH)).text
    referent = (await desk.browser().get(f"/r/{key}?lang=en", headers=ENGLISH)).text

    for page in (staff, referent):
        assert speaks(page) == "it"
        assert 'href="/language' not in page


async def test_an_invitation_is_read_in_the_language_one_asks_for(desk: Desk) -> None:
    with desk.house.database.read() as session:
        person = session.get(Staff, desk.people["Olga"])
        assert person is not None
        address = welcome_link(desk.house.links, person, desk.house.secret_key)

    page = await desk.browser().get(address, headers=ENGLISH)

    assert (page.status_code, speaks(page.text)) == (200, "en")
