"""The office and the accounts: who it is, who may sign in, and that only administrators decide it."""

import html
import re

import pytest
from sqlmodel import select

from desk.security import set_password
from storage.people import the_office
from storage.staff import find_staff
from storage.tables import Audit, Office, Role, Staff
from tests.desk.conftest import PASSWORD, Desk

PAGE = "/desk/office"
ADD = "/desk/office/staff"
FACTS = {
    "name": "Ufficio Esempio",
    "authority": "Città metropolitana di Esempio",
    "hours": "lunedì-venerdì, 9:00-12:30",
    "phone": "02 0000 0000",
    "email": "ufficio@example.org",
    "controller": "Città metropolitana di Esempio",
    "dpo_contact": "dpo@example.org",
}
NINO = {"account_name": "Nino Esempio", "account_email": "Nino@example.org", "account_role": "officer"}
LINK = re.compile(r'id="link-password" readonly value="[^"]+(/desk/welcome/[^"]+)"')


def kept(desk: Desk) -> dict[str, str]:
    with desk.house.database.read() as session:
        office = the_office(session)
        return {name: getattr(office, name) for name in FACTS}


def account(desk: Desk, email: str) -> Staff | None:
    with desk.house.database.read() as session:
        return find_staff(session, email)


def is_active(desk: Desk, who: str) -> bool:
    with desk.house.database.read() as session:
        return session.get_one(Staff, desk.people[who]).active


def acts(desk: Desk, action: str) -> list[tuple[int | None, int | None]]:
    """Who did it, and to which row."""
    with desk.house.database.read() as session:
        return [(row.actor_id, row.object_id) for row in session.exec(select(Audit).where(Audit.action == action))]


def sentence_at(page: str, field: str) -> str:
    found = re.search(rf'id="e-{field}">(.+?)</p>', page)
    assert found is not None, f"nothing is said beside {field}"
    return html.unescape(found[1])


# --- the office


async def test_an_office_without_a_name_is_asked_for_it_and_told_why(desk: Desk) -> None:
    page = html.unescape((await desk.browser("Anna").get(PAGE)).text)

    assert "Questi dati compaiono nell'informativa, nelle e-mail e nel bot." in page
    assert re.search(r'id="f-name" name="name" type="text" value=""', page)


async def test_the_office_is_named_and_everybody_reads_it(desk: Desk) -> None:
    anna = desk.browser("Anna")

    answer = await anna.send_form(PAGE, page=PAGE, **FACTS)

    assert answer.headers["location"] == PAGE
    assert kept(desk) == FACTS
    assert acts(desk, "office.change") == [(desk.people["Anna"], 1)]
    assert "dpo@example.org" in (await desk.browser().get("/privacy")).text
    again = html.unescape((await anna.get(PAGE)).text)
    assert "I dati dell'ufficio sono salvati." in again
    assert 'value="Ufficio Esempio"' in again


async def test_naming_it_again_leaves_the_rest_of_the_row_as_it_was(desk: Desk) -> None:
    with desk.house.database.write() as session:
        session.add(Office(id=1, name="Prima", dispatch_stopped=True))

    await desk.browser("Anna").send_form(PAGE, page=PAGE, **FACTS)

    assert kept(desk) == FACTS
    with desk.house.database.read() as session:
        assert the_office(session).dispatch_stopped


async def test_a_line_break_never_reaches_the_headers_of_a_mail(desk: Desk) -> None:
    await desk.browser("Anna").send_form(PAGE, page=PAGE, **(FACTS | {"name": "Ufficio\r\nBcc: tutti@example.org"}))

    assert kept(desk)["name"] == "Ufficio Bcc: tutti@example.org"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "  "}, "Scrivi come si chiama l'ufficio."),
        ({"name": "U" * 121}, "resta entro 120 caratteri"),
        ({"email": "ufficio"}, "ufficio"),
        ({"dpo_contact": "dpo@esempio"}, "dpo@esempio"),
        ({"hours": "9" * 201}, "resta entro 200 caratteri"),
    ],
)
async def test_a_mistake_about_the_office_is_said_beside_its_field(
    desk: Desk, wrong: dict[str, str], said: str
) -> None:
    before = kept(desk)

    answer = await desk.browser("Anna").send_form(PAGE, page=PAGE, **(FACTS | wrong))

    (field,) = wrong
    assert answer.status_code == 422
    assert said in sentence_at(answer.text, field)
    assert "02 0000 0000" in answer.text  # nothing typed is lost
    assert kept(desk) == before
    assert acts(desk, "office.change") == []


async def test_the_data_protection_officer_may_be_reached_otherwise(desk: Desk) -> None:
    facts = FACTS | {"dpo_contact": "02 1111 1111, chiedere del DPO", "email": ""}

    await desk.browser("Anna").send_form(PAGE, page=PAGE, **facts)

    assert kept(desk) == facts


# --- accounts


async def test_the_accounts_say_who_chose_a_password_and_who_is_active(desk: Desk) -> None:
    with desk.house.database.write() as session:
        session.get_one(Staff, desk.people["Ugo"]).active = False

    page = (await desk.browser("Anna").get(PAGE)).text

    rows = {row.split("</td>")[0].rpartition(">")[2]: row for row in page.split("<tr>")[2:]}
    assert set(rows) == {"Olga Esempio", "Ugo Esempio", "Vera Esempio", "Rita Esempio", "Anna Esempio"}
    assert ">scelta<" in rows["Olga Esempio"]
    assert "non ancora scelta" in rows["Vera Esempio"]
    assert "non attivo" in rows["Ugo Esempio"]
    assert "/reactivate" in rows["Ugo Esempio"]
    assert "/deactivate" not in rows["Anna Esempio"]


async def test_an_account_is_added_and_its_link_shown_once(desk: Desk) -> None:
    anna = desk.browser("Anna")

    answer = await anna.send_form(ADD, page=PAGE, **NINO)

    nino = account(desk, "nino@example.org")
    assert nino is not None
    assert (nino.name, nino.role, nino.password_hash) == ("Nino Esempio", Role.OFFICER, None)
    assert acts(desk, "staff.add") == [(desk.people["Anna"], nino.id)]
    (link,) = LINK.findall(answer.text)
    assert "Nino Esempio" in (await desk.browser().get(link)).text
    assert LINK.search((await anna.get(PAGE)).text) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"account_email": "nino"}, "nino"),
        ({"account_email": ""}, "Scrivi l'indirizzo e-mail."),
        ({"account_email": "OLGA@example.org"}, "Questo indirizzo ha già un account"),
        ({"account_name": " "}, "Scrivi nome e cognome."),
        ({"account_name": "N" * 121}, "resta entro 120 caratteri"),
    ],
)
async def test_a_mistake_about_an_account_is_said_beside_its_field(
    desk: Desk, wrong: dict[str, str], said: str
) -> None:
    answer = await desk.browser("Anna").send_form(ADD, page=PAGE, **(NINO | wrong))

    (field,) = wrong
    assert answer.status_code == 422
    assert said in sentence_at(answer.text, field)
    assert '<option value="officer" selected>' in answer.text
    assert LINK.search(answer.text) is None
    assert account(desk, "nino@example.org") is None
    assert acts(desk, "staff.add") == []


async def test_a_role_that_does_not_exist_adds_nobody(desk: Desk) -> None:
    answer = await desk.browser("Anna").send_form(ADD, page=PAGE, **(NINO | {"account_role": "king"}))

    assert answer.status_code == 422
    assert account(desk, "nino@example.org") is None


async def test_whoever_forgot_the_password_gets_a_new_link_once(desk: Desk) -> None:
    anna, olga = desk.browser("Anna"), desk.people["Olga"]

    answer = await anna.send_form(f"{ADD}/{olga}/link", page=PAGE)

    (link,) = LINK.findall(answer.text)
    assert "Olga Esempio" in (await desk.browser().get(link)).text
    assert acts(desk, "staff.link") == [(desk.people["Anna"], olga)]
    assert LINK.search((await anna.get(PAGE)).text) is None
    with desk.house.database.write() as session:
        set_password(session, session.get_one(Staff, olga), PASSWORD + " ancora", desk.house.clock())
    assert (await desk.browser().get(link)).status_code == 404


async def test_an_account_is_deactivated_only_after_a_confirmation(desk: Desk) -> None:
    anna, olga, at_work = desk.browser("Anna"), desk.people["Olga"], desk.browser("Olga")

    asked = await anna.get(f"{ADD}/{olga}/deactivate")
    assert is_active(desk, "Olga")
    done = await anna.send_form(f"{ADD}/{olga}/deactivate", page=f"{ADD}/{olga}/deactivate")

    assert "Disattivare questo account?" in asked.text
    assert done.status_code == 303
    assert not is_active(desk, "Olga")
    assert acts(desk, "staff.deactivate") == [(desk.people["Anna"], olga)]
    assert (await at_work.get("/desk/questions")).headers["location"].startswith("/desk/sign-in")
    assert (await anna.send_form(f"{ADD}/{olga}/link", page=PAGE)).status_code == 409


async def test_a_reactivated_account_signs_in_anew(desk: Desk) -> None:
    anna, olga, at_work = desk.browser("Anna"), desk.people["Olga"], desk.browser("Olga")
    await anna.send_form(f"{ADD}/{olga}/deactivate", page=PAGE)

    asked = await anna.get(f"{ADD}/{olga}/reactivate")
    await anna.send_form(f"{ADD}/{olga}/reactivate", page=f"{ADD}/{olga}/reactivate")

    assert "Riattivare questo account?" in asked.text
    assert is_active(desk, "Olga")
    assert acts(desk, "staff.reactivate") == [(desk.people["Anna"], olga)]
    assert (await at_work.get("/desk/questions")).status_code == 303  # the old browser stays out
    fields = {"email": "olga@example.org", "password": PASSWORD}
    assert (await desk.browser().send_form("/desk/sign-in", **fields)).headers["location"] == "/desk/questions"


async def test_a_second_press_finds_that_somebody_was_quicker(desk: Desk) -> None:
    anna, olga = desk.browser("Anna"), desk.people["Olga"]
    first = await anna.send_form(f"{ADD}/{olga}/deactivate", page=PAGE)

    second = await anna.send_form(f"{ADD}/{olga}/deactivate", page=PAGE)

    assert (first.status_code, second.status_code) == (303, 409)
    assert len(acts(desk, "staff.deactivate")) == 1


async def test_nobody_deactivates_themselves(desk: Desk) -> None:
    anna, own = desk.browser("Anna"), f"{ADD}/{desk.people['Anna']}/deactivate"

    asked, pressed = await anna.get(own), await anna.send_form(own, page=PAGE)

    assert (asked.status_code, pressed.status_code) == (409, 409)
    assert "chiedi a un altro amministratore" in pressed.text
    assert is_active(desk, "Anna")


@pytest.mark.parametrize("button", ["link", "deactivate", "reactivate"])
async def test_an_unknown_account_is_not_there(desk: Desk, button: str) -> None:
    assert (await desk.browser("Anna").send_form(f"{ADD}/9999/{button}", page=PAGE)).status_code == 404


# --- Carla may not


async def test_only_administrators_find_the_office_in_the_navigation(desk: Desk) -> None:
    shown = {who: f'href="{PAGE}"' in (await desk.browser(who).get("/desk/questions")).text for who in desk.people}

    assert shown == {"Olga": False, "Ugo": False, "Vera": False, "Rita": False, "Anna": True}


@pytest.mark.parametrize("who", ["Rita", "Vera", "Olga", None])
@pytest.mark.parametrize("url", [PAGE, ADD + "/{ugo}/deactivate", ADD + "/{ugo}/reactivate"])
async def test_nobody_else_sees_the_office(desk: Desk, who: str | None, url: str) -> None:
    answer = await desk.browser(who).get(url.format(ugo=desk.people["Ugo"]))

    assert answer.status_code == (403 if who else 303)
    assert "Ugo Esempio" not in answer.text


@pytest.mark.parametrize("who", ["Rita", "Vera", "Olga", None])
@pytest.mark.parametrize(
    "button", [PAGE, ADD, ADD + "/{ugo}/link", ADD + "/{ugo}/deactivate", ADD + "/{ugo}/reactivate"]
)
async def test_nobody_else_presses_a_button_of_the_office(desk: Desk, who: str | None, button: str) -> None:
    before = kept(desk)
    url, page = button.format(ugo=desk.people["Ugo"]), "/desk/questions" if who else "/desk/sign-in"

    answer = await desk.browser(who).send_form(url, page=page, **FACTS, **NINO)

    assert answer.status_code == (403 if who else 303)
    assert LINK.search(answer.text) is None
    assert kept(desk) == before
    assert is_active(desk, "Ugo")
    assert account(desk, "nino@example.org") is None


async def test_a_form_that_is_not_ours_changes_no_office(desk: Desk) -> None:
    answer = await desk.browser("Anna").post(PAGE, data=FACTS | {"csrf": "falso"})

    assert answer.status_code == 403
    assert kept(desk)["name"] != FACTS["name"]
