"""The referents: list, registering, inviting, making links useless."""

import re
from typing import Any

import httpx
import pytest
from sqlmodel import select

from storage.people import (
    address_of,
    invitation_with,
    mark_unreachable,
    new_personal_link,
    projects_of,
    referent_at,
    referent_with_link,
)
from storage.reply_addresses import About, remember, reply_address
from storage.tables import Address, Channel, Outbox, OutboxKind, Referent
from tests.desk.conftest import Clock, Desk

NEW = "/desk/referents/new"
PERSON = {"name": "Dora Esempio", "email": "dora@example.org", "organization": "Melzo", "role": "RUP", "which": "all"}
TOKENS = re.compile(r'id="link-(?:telegram|page)" readonly value="([^"]+)"')


def melzo(desk: Desk) -> list[str]:
    """Melzo with two projects, another with one; the CUPs of Melzo's."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        place = cast.an_organization("Melzo")
        cast.a_project(cast.an_organization("Corsico"), title="Cascina")
        return [cast.a_project(place, title=title).cup for title in ("Ex mercato", "Biblioteca")]


def a_referent(desk: Desk, **ways: Any) -> int:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        organization = cast.an_organization("Abbiategrasso")
        return cast.a_referent("Ada Esempio", organization, (cast.a_project(organization),), **ways).id


def shown(page: str) -> str:
    """How the page says that somebody is reached, without its markup."""
    cell = re.search(r'(?s)(?:data-label="|<dt>)Come lo raggiungiamo(?:">|</dt><dd>)(.*?)</(?:td|dd)>', page)
    assert cell is not None
    return " ".join(re.sub(r"<[^>]*>", " ", cell[1]).replace(" ,", ",").split())


def registered(desk: Desk) -> Referent | None:
    with desk.house.database.read() as session:
        return referent_at(session, Channel.EMAIL, "dora@example.org")


def follows(desk: Desk) -> list[str]:
    with desk.house.database.read() as session:
        dora = referent_at(session, Channel.EMAIL, "dora@example.org")
        assert dora is not None
        return [project.title for project in projects_of(session, dora.id)]


async def test_without_referents_only_those_who_may_are_offered_to_add_one(desk: Desk) -> None:
    assert NEW in (await desk.browser("Olga").get("/desk/referents")).text
    assert NEW not in (await desk.browser("Vera").get("/desk/referents")).text


def closes(desk: Desk, referent_id: int, channel: Channel, reason: str) -> None:
    with desk.house.database.write() as session:
        address = address_of(session, referent_id, channel)
        assert address is not None
        mark_unreachable(session, channel, address.value, reason, desk.house.clock())


PAGES = ["/desk/referents", "/desk/referents/{id}"]


@pytest.mark.parametrize("page", PAGES)
async def test_who_hears_by_telegram_is_shown_so_and_since_when(desk: Desk, page: str) -> None:
    ada = a_referent(desk, chat=100, email="ada@example.org")

    text = (await desk.browser("Rita").get(page.format(id=ada))).text

    assert shown(text) == "Telegram dal 24 nov 2026"


@pytest.mark.parametrize("page", PAGES)
async def test_who_blocked_the_bot_is_reached_by_mail_and_the_reason_is_plain(desk: Desk, page: str) -> None:
    ada = a_referent(desk, chat=100, email="ada@example.org")
    closes(desk, ada, Channel.TELEGRAM, "403 Forbidden: bot was blocked by the user")

    text = (await desk.browser("Rita").get(page.format(id=ada))).text

    assert shown(text) == "E-mail dal 24 nov 2026 Telegram: ha bloccato il bot, dal 24 nov 2026"
    assert "403" not in text


@pytest.mark.parametrize("page", PAGES)
async def test_with_a_page_only_nothing_we_write_arrives(desk: Desk, page: str) -> None:
    ada = a_referent(desk)
    with desk.house.database.write() as session:
        new_personal_link(session, ada, desk.house.clock())

    assert shown((await desk.browser("Rita").get(page.format(id=ada))).text) == "Solo la sua pagina"


@pytest.mark.parametrize("page", PAGES)
async def test_when_nothing_works_staff_are_told_to_phone(desk: Desk, page: str) -> None:
    ada = a_referent(desk, chat=100)
    closes(desk, ada, Channel.TELEGRAM, "400 Bad Request: chat not found")

    text = (await desk.browser("Rita").get(page.format(id=ada))).text

    assert shown(text).startswith("Nessun recapito attivo: telefona Telegram: la chat non esiste più")


async def test_the_list_can_be_narrowed_to_those_not_reached(desk: Desk) -> None:
    ada = a_referent(desk, chat=100)
    closes(desk, ada, Channel.TELEGRAM, "blocked")
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        bruno = cast.a_referent("Bruno Esempio", email="bruno@example.org").id
        carla = cast.a_referent("Carla Esempio").id
        cast.add(Address(referent_id=carla, channel=Channel.PHONE, value="02 123", created_at=cast.now))
    rita = desk.browser("Rita")

    text = (await rita.get("/desk/referents?unreached=1")).text

    assert [id_ for id_ in (ada, bruno, carla) if f'href="/desk/referents/{id_}"' in text] == [ada, carla]
    assert re.search(r'Non raggiunti <span class="count">2<', text)
    found = (await rita.get("/desk/referents", params={"unreached": "1", "q": "carla"})).text
    assert f'href="/desk/referents/{carla}"' in found
    assert f'href="/desk/referents/{ada}"' not in found


async def test_when_everybody_is_reached_the_narrowed_list_says_so(desk: Desk) -> None:
    a_referent(desk, chat=100)

    assert "Li raggiungiamo tutti" in (await desk.browser("Rita").get("/desk/referents?unreached=1")).text


@pytest.mark.parametrize(("q", "shown"), [("ESEMPIO ada", True), ("abbiate", True), ("ada@", True), ("bruno", False)])
async def test_a_referent_is_found_by_name_organisation_or_address(desk: Desk, q: str, shown: bool) -> None:
    ada = a_referent(desk, email="ada@example.org")

    page = (await desk.browser("Rita").get("/desk/referents", params={"q": q})).text

    assert (f'href="/desk/referents/{ada}"' in page) is shown


async def test_a_referent_is_registered_with_all_projects_of_their_organisation(desk: Desk) -> None:
    melzo(desk)

    answer = await desk.browser("Olga").send_form(NEW, page=NEW, **PERSON)

    dora = registered(desk)
    assert dora is not None
    assert answer.headers["location"] == f"/desk/referents/{dora.id}"
    assert follows(desk) == ["Biblioteca", "Ex mercato"]


async def test_some_projects_are_chosen_on_a_second_look(desk: Desk) -> None:
    cups = melzo(desk)
    olga = desk.browser("Olga")

    choice = await olga.send_form(NEW, page=NEW, **(PERSON | {"which": "chosen", "step": "projects"}))
    await olga.send_form(NEW, page=NEW, **(PERSON | {"which": "chosen", "cup": cups[0], "step": "save"}))

    assert choice.status_code == 200
    assert all(cup in choice.text for cup in cups)
    assert "Cascina" not in choice.text
    assert follows(desk) == ["Ex mercato"]


async def test_choosing_no_project_registers_nobody(desk: Desk) -> None:
    melzo(desk)

    answer = await desk.browser("Olga").send_form(NEW, page=NEW, **(PERSON | {"which": "chosen"}))

    assert answer.status_code == 422
    assert "Scegli almeno un progetto" in answer.text
    assert registered(desk) is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "Scrivi nome e cognome."),
        ({"email": ""}, "Scrivi l'indirizzo e-mail."),
        ({"email": "dora"}, "dora"),
        ({"organization": "Melzoo"}, "Melzo?"),
        ({"organization": ""}, "Scrivi per quale ente lavora."),
        ({"name": "D" * 200}, "resta entro 120 caratteri"),
    ],
)
async def test_a_mistake_is_said_beside_its_field_and_nothing_typed_is_lost(
    desk: Desk, wrong: dict[str, str], said: str
) -> None:
    melzo(desk)

    answer = await desk.browser("Olga").send_form(NEW, page=NEW, **(PERSON | wrong))

    assert answer.status_code == 422
    (name,) = wrong
    error = re.search(rf'id="e-{name}">(.+?)</p>', answer.text)
    assert error is not None
    assert said in error[1].replace("&#39;", "'")
    assert 'value="RUP"' in answer.text
    assert registered(desk) is None


async def test_an_address_in_use_says_whose_it_is(desk: Desk) -> None:
    melzo(desk)
    a_referent(desk, email="dora@example.org")

    answer = await desk.browser("Olga").send_form(NEW, page=NEW, **PERSON)

    error = re.search(r'id="e-email">(.+?)</p>', answer.text)
    assert error is not None
    assert "Ada Esempio" in error[1]


async def test_inviting_shows_both_links_once_and_sends_the_mail(desk: Desk) -> None:
    ada = a_referent(desk, email="ada@example.org")
    olga = desk.browser("Olga")

    answer = await olga.send_form(f"/desk/referents/{ada}/invite", page=f"/desk/referents/{ada}")

    start, personal = TOKENS.findall(answer.text)
    with desk.house.database.read() as session:
        assert invitation_with(session, start.rpartition("=")[2]) is not None
        owner = referent_with_link(session, personal.rpartition("/")[2], desk.house.clock())
        assert owner is not None
        assert owner.id == ada
        mail = session.exec(select(Outbox).where(Outbox.kind == OutboxKind.INVITATION)).one()
        assert mail.address == "ada@example.org"
        assert start.rpartition("=")[2] not in str(mail.body)
    assert not TOKENS.search((await olga.get(f"/desk/referents/{ada}")).text)


async def test_whoever_has_no_mail_is_given_the_links_by_hand(desk: Desk) -> None:
    ada = a_referent(desk)

    answer = await desk.browser("Olga").send_form(f"/desk/referents/{ada}/invite", page=f"/desk/referents/{ada}")

    assert "Non si può inviare un&#39;e-mail" in answer.text or "Non si può inviare un'e-mail" in answer.text
    assert len(TOKENS.findall(answer.text)) == 2


async def test_the_page_tells_how_far_the_invitation_is(desk: Desk, clock: Clock) -> None:
    ada = a_referent(desk, email="ada@example.org")
    olga = desk.browser("Olga")
    before = (await olga.get(f"/desk/referents/{ada}")).text
    await olga.send_form(f"/desk/referents/{ada}/invite", page=f"/desk/referents/{ada}")
    sent = (await olga.get(f"/desk/referents/{ada}")).text
    clock.move(days=8)

    expired = (await desk.browser("Olga").get(f"/desk/referents/{ada}")).text

    assert "Nessun invito, per ora" in before
    assert "Inviato il 24 nov 2026" in sent
    assert "Scaduto il 1 dic 2026" in expired


async def test_a_chat_linked_without_an_invitation_is_said(desk: Desk) -> None:
    ada = a_referent(desk, chat=100)

    page = (await desk.browser("Olga").get(f"/desk/referents/{ada}")).text

    assert "Chat già collegata, senza invito" in page
    assert "Nessun link attivo" in page


async def test_links_are_made_useless_only_after_a_confirmation(desk: Desk) -> None:
    ada = a_referent(desk, email="ada@example.org")
    olga = desk.browser("Olga")
    answer = await olga.send_form(f"/desk/referents/{ada}/invite", page=f"/desk/referents/{ada}")
    start, personal = (link.rpartition("/")[2].rpartition("=")[2] for link in TOKENS.findall(answer.text))

    asked = await olga.get(f"/desk/referents/{ada}/revoke")
    with desk.house.database.read() as session:
        assert referent_with_link(session, personal, desk.house.clock()) is not None
    done = await olga.send_form(f"/desk/referents/{ada}/revoke", page=f"/desk/referents/{ada}/revoke")

    assert "Disattivare tutti i link?" in asked.text
    assert done.status_code == 303
    with desk.house.database.read() as session:
        assert referent_with_link(session, personal, desk.house.clock()) is None
        invitation = invitation_with(session, start)
        assert invitation is not None
        assert invitation.revoked_at is not None
    assert "Revocato il" in (await olga.get(f"/desk/referents/{ada}")).text


async def test_the_reply_addresses_of_old_mails_are_no_proof_afterwards(desk: Desk) -> None:
    ada = a_referent(desk, email="ada@example.org")
    with desk.house.database.write() as session:
        remember(session, "the token of a mail", ada, About(), desk.house.clock())
    olga, url = desk.browser("Olga"), f"/desk/referents/{ada}/revoke"

    assert "Gli indirizzi di risposta" in (await olga.get(url)).text
    await olga.send_form(url, page=url)

    with desk.house.database.read() as session:
        assert reply_address(session, "the token of a mail") is None


async def test_the_page_of_a_referent_shows_their_work(desk: Desk) -> None:
    ada = a_referent(desk, chat=100)
    with desk.house.database.write() as session:
        referent = session.get_one(Referent, ada)
        number = desk.cast(session).a_question(referent, "Quando?").id

    page = (await desk.browser("Rita").get(f"/desk/referents/{ada}")).text

    assert "Ex mercato" in page
    assert f"/desk/questions/{number}" in page
    assert "RUP" in page


async def test_the_telegram_number_of_a_person_is_not_shown(desk: Desk) -> None:
    ada = a_referent(desk, chat=987654321)

    assert "987654321" not in (await desk.browser("Anna").get(f"/desk/referents/{ada}")).text


@pytest.mark.parametrize("url", ["/desk/referents/9999", "/desk/referents/9999/revoke"])
async def test_an_unknown_referent_is_not_there(desk: Desk, url: str) -> None:
    assert (await desk.browser("Olga").get(url)).status_code == 404


async def test_nobody_unknown_is_invited(desk: Desk) -> None:
    answer = await desk.browser("Olga").send_form("/desk/referents/9999/invite", page=NEW)

    assert answer.status_code == 404


# --- Carla may not


@pytest.mark.parametrize("url", ["/desk/referents", "/desk/referents/1", NEW, "/desk/referents/1/revoke"])
async def test_carla_who_has_no_account_sees_no_referent(desk: Desk, url: str) -> None:
    assert (await desk.browser().get(url)).status_code == 303


@pytest.mark.parametrize("who", ["Rita", "Vera"])
@pytest.mark.parametrize("url", [NEW, "/desk/referents/{ada}/revoke"])
async def test_readers_and_volunteers_have_no_forms_for_people(desk: Desk, who: str, url: str) -> None:
    ada = a_referent(desk)

    assert (await desk.browser(who).get(url.format(ada=ada))).status_code == 403


@pytest.mark.parametrize("who", ["Rita", "Vera", None])
@pytest.mark.parametrize("button", [NEW, "/desk/referents/{ada}/invite", "/desk/referents/{ada}/revoke"])
async def test_readers_and_volunteers_press_no_button_for_people(desk: Desk, who: str | None, button: str) -> None:
    melzo(desk)
    ada = a_referent(desk, email="ada@example.org")
    page = "/desk/questions" if who else "/desk/sign-in"

    answer: httpx.Response = await desk.browser(who).send_form(button.format(ada=ada), page=page, **PERSON)

    assert answer.status_code == (403 if who else 303)
    assert registered(desk) is None
    with desk.house.database.read() as session:
        assert session.exec(select(Outbox)).first() is None


@pytest.mark.parametrize("who", ["Rita", "Vera"])
async def test_readers_and_volunteers_are_shown_no_such_button(desk: Desk, who: str) -> None:
    ada = a_referent(desk, email="ada@example.org")

    page = (await desk.browser(who).get(f"/desk/referents/{ada}")).text

    assert "/invite" not in page
    assert "/revoke" not in page


async def test_a_form_that_is_not_ours_invites_nobody(desk: Desk) -> None:
    ada = a_referent(desk, email="ada@example.org")

    answer = await desk.browser("Olga").post(f"/desk/referents/{ada}/invite", data={"csrf": "falso"})

    assert answer.status_code == 403
