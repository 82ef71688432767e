"""One's own account: what one says of oneself, password, second factor, browsers; and a colleague's factor reset."""

import html
import re

import pytest
from sqlmodel import col, select

from desk import second_factor as factor
from desk.browsers import browser_of
from storage.tables import Staff, StaffSession
from tests.desk.conftest import PASSWORD, PASSWORD_HASH, Browser, Clock, Desk
from tests.desk.factors import RECOVERY, SECRET, WRONG, acts, left, mails, opens, shown, the_person, with_factor

PAGE = "/desk/account"
FACTOR = "/desk/account/second-factor"
NEW = "un'altra frase lunga"
PENDING = re.compile(r'name="pending" value="([^"]+)"')
KEY = re.compile(r'class="secret-key" translate="no">([A-Z2-7 ]+)<')
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"


def own(desk: Desk, who: str = "Olga") -> Staff:
    with desk.house.database.read() as session:
        return the_person(session, desk, who)


def session_ids(desk: Desk, who: str = "Olga") -> list[int]:
    with desk.house.database.read() as session:
        rows = select(StaffSession.id).where(StaffSession.staff_id == desk.people[who]).order_by(col(StaffSession.id))
        return list(session.exec(rows))


async def test_the_page_is_for_who_is_signed_in(desk: Desk) -> None:
    for path in (PAGE, FACTOR, f"{FACTOR}/remove", f"{FACTOR}/codes"):
        assert (await desk.browser().get(path)).headers["location"].startswith("/desk/sign-in")


@pytest.mark.parametrize("who", ["Rita", "Vera", "Olga", "Anna"])
async def test_every_role_has_its_own_page(desk: Desk, who: str) -> None:
    page = (await desk.browser(who).get(PAGE)).text

    assert f'value="{who} Esempio"' in page
    assert "questo" in page


@pytest.mark.parametrize(
    "path",
    [
        PAGE,
        f"{PAGE}/password",
        f"{PAGE}/sessions/1/end",
        f"{PAGE}/sessions/end-others",
        FACTOR,
        f"{FACTOR}/remove",
        f"{FACTOR}/codes",
        "/desk/office/staff/1/factor",
    ],
)
async def test_every_button_needs_our_form(desk: Desk, path: str) -> None:
    assert (await desk.browser("Anna").post(path, data={"proof": PASSWORD})).status_code == 403


async def test_name_language_and_notices_are_ones_own(desk: Desk) -> None:
    browser = desk.browser("Olga")

    await browser.send_form(PAGE, page=PAGE, name="  Olga   Nuova ", language="en")

    olga = own(desk)
    assert (olga.name, olga.language, olga.notices) == ("Olga Nuova", "en", False)
    assert "Where you are signed in" in (await browser.get(PAGE)).text
    assert own(desk, "Ugo").language == "it"


async def test_a_name_cannot_be_empty_nor_endless(desk: Desk) -> None:
    browser = desk.browser("Olga")

    seen = [await browser.send_form(PAGE, page=PAGE, name=name, language="it") for name in ("  ", "x" * 121)]

    assert [answer.status_code for answer in seen] == [422] * 2
    assert own(desk).name == "Olga Esempio"


# --- password


async def change(browser: Browser, present: str = PASSWORD, password: str = NEW, repeated: str = NEW) -> int:
    form = {"present": present, "password": password, "repeated": repeated}
    return (await browser.send_form(f"{PAGE}/password", page=PAGE, **form)).status_code


async def test_a_new_password_ends_every_other_session_and_changes_this_ones_key(desk: Desk) -> None:
    here, elsewhere = desk.browser("Olga"), desk.browser("Olga")
    old = here.cookies["raccordo_session"]

    assert await change(here) == 303

    thief = desk.browser()
    thief.cookies.set("raccordo_session", old)
    assert [await opens(one) for one in (here, elsewhere, thief)] == [True, False, False]
    assert "La password del tuo account è cambiata." in mails(desk)[-1]
    assert (await desk.browser().send_form("/desk/sign-in", email="olga@example.org", password=NEW)).status_code == 303


async def test_the_present_password_is_asked_and_guesses_are_counted(desk: Desk, clock: Clock) -> None:
    browser = desk.browser("Olga")

    seen = [await change(browser, present="sbagliata sbagliata") for _ in range(5)]
    late = await change(browser)
    clock.move(minutes=15, seconds=1)

    assert seen == [422] * 5
    assert late == 422
    assert own(desk).password_hash == PASSWORD_HASH
    assert acts(desk).count("staff.password-refused") == 5
    assert await change(browser) == 303


@pytest.mark.parametrize("password", ["undici-car.", "x" * 129])
async def test_a_new_password_is_neither_short_nor_endless(desk: Desk, password: str) -> None:
    assert await change(desk.browser("Olga"), password=password, repeated=password) == 422
    assert own(desk).password_hash == PASSWORD_HASH


async def test_a_password_is_taken_whole_in_any_script(desk: Desk) -> None:
    long = "però tutto minuscolo 漢字 🙂 "
    long = (long * 6)[:127].ljust(127, "x") + "y"
    assert await change(desk.browser("Olga"), password=long, repeated=long) == 303

    cut = await desk.browser().send_form("/desk/sign-in", email="olga@example.org", password=long[:-1])
    whole = await desk.browser().send_form("/desk/sign-in", email="olga@example.org", password=long)

    assert (cut.status_code, whole.status_code) == (422, 303)


async def test_passwords_are_kept_with_argon2id(desk: Desk) -> None:
    await change(desk.browser("Olga"))

    assert (own(desk).password_hash or "").startswith("$argon2id$")


async def test_two_different_ones_are_sent_back(desk: Desk) -> None:
    assert await change(desk.browser("Olga"), repeated=NEW + "!") == 422


# --- second factor


async def set_up(desk: Desk, browser: Browser, proof: str, *, code: str = "") -> tuple[str, str]:
    """Goes through the page as a person does; the secret shown, and the answer's text."""
    page = html.unescape((await browser.get(FACTOR)).text)
    pending, key = PENDING.search(page), KEY.search(page)
    assert pending
    assert key
    secret = key[1].replace(" ", "")
    code = code or shown(desk, secret)
    answer = await browser.send_form(FACTOR, page=PAGE, pending=pending[1], code=code, proof=proof)
    return secret, answer.text


async def test_it_is_set_up_with_a_code_and_the_password_and_ten_codes_are_shown_once(desk: Desk) -> None:
    here, elsewhere = desk.browser("Olga"), desk.browser("Olga")

    secret, answer = await set_up(desk, here, PASSWORD)

    assert own(desk).second_factor == secret
    assert len(RECOVERY.findall(answer)) == left(desk) == 10
    assert RECOVERY.findall((await here.get(PAGE)).text) == []
    assert [await opens(one) for one in (here, elsewhere)] == [True, False]
    assert "secondo fattore" in mails(desk)[-1]
    assert "staff.factor-set" in acts(desk)


async def test_a_wrong_code_or_password_sets_nothing_up(desk: Desk) -> None:
    browser = desk.browser("Olga")

    for proof, code in ((PASSWORD, WRONG), ("sbagliata sbagliata", "")):
        _, answer = await set_up(desk, browser, proof, code=code)
        assert "qr" in answer

    assert not factor.counts(own(desk))


async def test_looking_at_the_page_keeps_nothing(desk: Desk) -> None:
    await desk.browser("Olga").get(FACTOR)

    assert own(desk).second_factor == ""


async def test_the_square_is_drawn_in_the_page_and_says_whose_it_is(desk: Desk) -> None:
    page = (await desk.browser("Olga").get(FACTOR)).text

    assert '<svg xmlns="http://www.w3.org/2000/svg"' in page or "<svg " in page
    assert 'class="qr"' in page
    assert "style=" not in page


async def test_a_secret_of_another_browser_is_refused(desk: Desk) -> None:
    page = html.unescape((await desk.browser("Ugo").get(FACTOR)).text)
    pending, key = PENDING.search(page), KEY.search(page)
    assert pending
    assert key

    code = shown(desk, key[1].replace(" ", ""))
    answer = await desk.browser("Olga").send_form(FACTOR, page=PAGE, pending=pending[1], code=code, proof=PASSWORD)

    assert answer.status_code == 422
    assert not factor.counts(own(desk))


async def test_it_is_replaced_only_with_a_present_code(desk: Desk) -> None:
    with_factor(desk)
    browser = desk.browser("Olga")

    await set_up(desk, browser, PASSWORD)
    assert own(desk).second_factor == SECRET
    secret, _ = await set_up(desk, browser, shown(desk))

    assert own(desk).second_factor == secret != SECRET


async def test_it_is_removed_only_with_a_code_or_a_recovery_code(desk: Desk) -> None:
    codes = with_factor(desk)
    browser = desk.browser("Olga")

    wrong = [
        (await browser.send_form(f"{FACTOR}/remove", page=f"{FACTOR}/remove", proof=proof)).status_code
        for proof in (PASSWORD, WRONG, "")
    ]
    assert factor.counts(own(desk))
    right = await browser.send_form(f"{FACTOR}/remove", page=f"{FACTOR}/remove", proof=codes[0])

    assert (wrong, right.status_code) == ([422] * 3, 303)
    assert (own(desk).second_factor, left(desk)) == ("", 0)
    assert "tolto" in mails(desk)[-1]


async def test_new_recovery_codes_take_the_place_of_the_old(desk: Desk) -> None:
    old = with_factor(desk)
    browser = desk.browser("Olga")

    answer = await browser.send_form(f"{FACTOR}/codes", page=f"{FACTOR}/codes", proof=shown(desk))

    fresh = RECOVERY.findall(answer.text)
    assert len(fresh) == left(desk) == 10
    assert not set(fresh) & set(old)
    used = await browser.send_form(f"{FACTOR}/remove", page=f"{FACTOR}/remove", proof=old[0])
    assert used.status_code == 422


async def test_without_one_there_is_nothing_to_remove(desk: Desk) -> None:
    browser = desk.browser("Olga")

    seen = [await browser.send_form(f"{FACTOR}/{what}", page=PAGE, proof=PASSWORD) for what in ("remove", "codes")]

    assert [answer.status_code for answer in seen] == [409] * 2


# --- where one is signed in


async def test_a_browser_is_known_by_name_and_network(desk: Desk) -> None:
    browser = desk.browser()
    browser.headers["user-agent"] = FIREFOX
    await browser.send_form("/desk/sign-in", email="olga@example.org", password=PASSWORD)

    page = (await browser.get(PAGE)).text

    assert "Firefox su Windows" in page
    assert "198.51.100.7" in page
    with desk.house.database.read() as session:
        raw = session.connection().exec_driver_sql("SELECT browser, network FROM staff_session").one()
    assert "Firefox" not in raw[0]
    assert "198.51" not in raw[1]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (FIREFOX, ("Firefox", "Windows")),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", ("Safari", "iPhone")),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36 Edg/140.0", ("Edge", "Linux")),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", ("Chrome", "Android")),
        ("curl/8", ("", "")),
    ],
)
def test_browsers_in_words(said: str, words: tuple[str, str]) -> None:
    assert browser_of(said) == words


async def test_the_key_of_a_session_has_160_bits(desk: Desk) -> None:
    keys = {desk.browser("Olga").cookies["raccordo_session"] for _ in range(3)}

    assert len(keys) == 3
    assert all(re.fullmatch("[a-z2-7]{32}", key) for key in keys)  # five bits a letter


async def test_one_other_browser_is_signed_out(desk: Desk) -> None:
    here, other, third = (desk.browser("Olga") for _ in range(3))
    one = session_ids(desk)[1]

    answer = await here.send_form(f"{PAGE}/sessions/{one}/end", page=PAGE)

    assert answer.status_code == 303
    assert [await opens(each) for each in (here, other, third)] == [True, False, True]
    assert "staff.session-end" in acts(desk)


async def test_all_others_are_signed_out_at_once(desk: Desk) -> None:
    here, other, third, ugo = (*(desk.browser("Olga") for _ in range(3)), desk.browser("Ugo"))

    await here.send_form(f"{PAGE}/sessions/end-others", page=PAGE)

    assert [await opens(each) for each in (here, other, third, ugo)] == [True, False, False, True]


async def test_a_colleagues_session_is_not_there(desk: Desk) -> None:
    ugo, olga = desk.browser("Ugo"), desk.browser("Olga")
    of_ugo = session_ids(desk, "Ugo")[0]

    answer = await olga.send_form(f"{PAGE}/sessions/{of_ugo}/end", page=PAGE)

    assert answer.status_code == 404
    assert await opens(ugo)


async def test_this_browser_leaves_by_its_own_button(desk: Desk) -> None:
    olga = desk.browser("Olga")

    answer = await olga.send_form(f"{PAGE}/sessions/{session_ids(desk)[0]}/end", page=PAGE)

    assert answer.status_code == 409


async def test_sessions_that_have_ended_by_themselves_are_not_shown(desk: Desk, clock: Clock) -> None:
    desk.browser("Olga")
    clock.move(hours=9)

    page = (await desk.browser("Olga").get(PAGE)).text

    assert page.count("/end") == 0


# --- a colleague's factor


def reset_page(desk: Desk, who: str) -> str:
    return f"/desk/office/staff/{desk.people[who]}/factor"


async def test_an_administrator_resets_a_colleagues_factor_who_is_told_and_signed_out(desk: Desk) -> None:
    with_factor(desk)
    olga, anna = desk.browser("Olga"), desk.browser("Anna")
    path = reset_page(desk, "Olga")
    assert path in (await anna.get("/desk/office")).text

    answer = await anna.send_form(path, page=path)

    assert answer.headers["location"] == "/desk/office"
    assert not factor.counts(own(desk))
    assert left(desk) == 0
    assert not await opens(olga)
    assert "azzerato" in mails(desk)[-1]
    assert "staff.factor-reset" in acts(desk)


@pytest.mark.parametrize("who", ["Ugo", "Vera", "Rita"])
async def test_others_reset_nobodys_factor(desk: Desk, who: str) -> None:
    with_factor(desk)
    browser, path = desk.browser(who), reset_page(desk, "Olga")

    looked, sent = await browser.get(path), await browser.send_form(path, page=PAGE)

    assert (looked.status_code, sent.status_code) == (403, 403)
    assert factor.counts(own(desk))


async def test_ones_own_factor_is_not_reset_here_nor_one_that_is_not_there(desk: Desk) -> None:
    with_factor(desk, "Anna")
    anna = desk.browser("Anna")
    gone = "/desk/office/staff/99999/factor"

    seen = [
        (await anna.send_form(path, page=PAGE)).status_code
        for path in (reset_page(desk, "Anna"), reset_page(desk, "Ugo"), gone)
    ]

    assert seen == [409, 409, 404]
    assert factor.counts(own(desk, "Anna"))
