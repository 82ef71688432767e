"""Who asks to be let in, at the desk: what is shown, who may decide, what two officers at once see."""

import re
from typing import Any

import pytest
from sqlmodel import Session, select

from storage.people import organizations_of, projects_of, referent_at
from storage.tables import AccessRequest, AccessState, Channel, Outbox, Referent
from tests.desk.conftest import Desk

LIST = "/desk/access"
YES = {"who": "new", "name": "Dario Esempio", "organization": "Melzo", "role": "RUP", "which": "all", "step": "save"}


def a_request(desk: Desk, chat: str = "44", **other: Any) -> int:
    """Dario of Melzo, where there is one project, asks."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        melzo = cast.an_organization("Melzo")
        cast.a_project(melzo, title="Ex filanda")
        values: dict[str, Any] = {
            "name": "Dario Esempio",
            "organization_id": melzo.id,
            "email": "dario@example.org",
            "state": AccessState.WAITING,
        }
        row = AccessRequest(chat=chat, created_at=cast.now, touched_at=cast.now, **(values | other))
        return int(cast.add(row).id)


def state_of(desk: Desk, request_id: int) -> AccessState:
    with desk.house.database.read() as session:
        return session.get_one(AccessRequest, request_id).state


def dario(session: Session) -> Referent:
    found = referent_at(session, Channel.TELEGRAM, "44")
    assert found is not None
    return found


async def test_an_empty_list_says_what_it_is_for(desk: Desk) -> None:
    page = (await desk.browser("Olga").get(LIST)).text

    assert "Nessuno in attesa" in page
    assert "Chi scrive al bot senza invito può chiedere l'accesso" in page.replace("&#39;", "'")


async def test_who_waits_is_listed_and_counted_in_the_navigation(desk: Desk) -> None:
    number = a_request(desk)
    a_request(desk, "45", state=AccessState.CONFIRMING)

    page = (await desk.browser("Olga").get(LIST)).text
    elsewhere = (await desk.browser("Anna").get("/desk/questions")).text

    assert f'href="{LIST}/{number}">Dario Esempio</a>' in page
    assert page.count("dario@example.org") == 1
    assert re.search(r'href="/desk/access">Richieste di accesso <span class="count">1<', elsewhere)


async def test_one_request_shows_who_asks_and_who_it_may_be(desk: Desk) -> None:
    with desk.house.database.write() as session:
        desk.cast(session).a_referent("Esempio Dario", email="altro@example.org")
    number = a_request(desk, email="dario@gmail.com")

    page = (await desk.browser("Olga").get(f"{LIST}/{number}")).text

    for text in ("dario@gmail.com", "confermata con un codice", "casella privata", "È Esempio Dario", "stesso nome"):
        assert text in page
    assert 'value="Melzo"' in page
    assert '"44"' not in page


async def test_whoever_has_the_same_address_is_proposed(desk: Desk) -> None:
    with desk.house.database.write() as session:
        known = desk.cast(session).a_referent("D. Esempio", email="dario@example.org").id
    number = a_request(desk)

    page = (await desk.browser("Olga").get(f"{LIST}/{number}")).text

    assert re.search(rf'value="{known}" checked', page)
    assert 'value="new" checked' not in page


async def test_letting_in_registers_links_and_leads_to_the_person(desk: Desk) -> None:
    number = a_request(desk)
    page = f"{LIST}/{number}"

    answer = await desk.browser("Olga").send_form(f"{page}/approve", page=page, revision=0, **YES)

    with desk.house.database.read() as session:
        person = dario(session)
        assert answer.headers["location"] == f"/desk/referents/{person.id}"
        assert [one.title for one in projects_of(session, person.id)] == ["Ex filanda"]
        assert [one.name for one in organizations_of(session, person.id)] == ["Melzo"]
        assert session.exec(select(Outbox)).one().address == "44"
    assert state_of(desk, number) is AccessState.APPROVED


async def test_the_projects_to_choose_among_are_shown_without_scripts(desk: Desk) -> None:
    number = a_request(desk)
    page = f"{LIST}/{number}"

    answer = await desk.browser("Olga").send_form(
        f"{page}/approve", page=page, revision=0, **(YES | {"which": "chosen", "step": "projects"})
    )

    assert answer.status_code == 200
    assert "Ex filanda" in answer.text
    assert state_of(desk, number) is AccessState.WAITING


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"name": " "}, "name", "Scrivi nome e cognome."),
        ({"organization": "Melzoo"}, "organization", "Melzo?"),
        ({"organization": ""}, "organization", "Scrivi per quale ente lavora."),
        ({"which": "chosen"}, "cups", "Scegli almeno un progetto"),
        ({"who": "999999"}, "who", "non c'è più"),
        ({"who": f"{2**31}"}, "who", "non c'è più"),
        ({"who": "9" * 40}, "who", "non c'è più"),
        ({"who": "pippo"}, "who", "non c'è più"),
    ],
)
async def test_a_mistake_is_said_beside_its_field_and_decides_nothing(
    desk: Desk, wrong: dict[str, str], field: str, said: str
) -> None:
    number = a_request(desk)
    page = f"{LIST}/{number}"

    answer = await desk.browser("Olga").send_form(f"{page}/approve", page=page, revision=0, **(YES | wrong))

    assert answer.status_code == 422
    error = re.search(rf'id="e-{field}">(.+?)</p>', answer.text)
    assert error is not None
    assert said in error[1].replace("&#39;", "'")
    assert state_of(desk, number) is AccessState.WAITING
    with desk.house.database.read() as session:
        assert session.exec(select(Referent)).all() == []


async def test_an_organisation_typed_by_hand_can_be_registered_at_once(desk: Desk) -> None:
    number = a_request(desk, organization_id=None, organization="Consorzio Navigli")
    page = f"{LIST}/{number}"
    shown = (await desk.browser("Olga").get(page)).text

    answer = await desk.browser("Olga").send_form(
        f"{page}/approve", page=page, revision=0, **(YES | {"organization": "Consorzio Navigli", "new_actor": "yes"})
    )

    assert "scritto a mano" in shown
    assert answer.status_code == 303
    with desk.house.database.read() as session:
        assert [one.name for one in organizations_of(session, dario(session).id)] == ["Consorzio Navigli"]


async def test_a_refusal_asks_first_and_takes_a_reason(desk: Desk) -> None:
    number = a_request(desk)
    page = f"{LIST}/{number}/refuse"
    olga = desk.browser("Olga")

    asked = await olga.get(page)
    empty = await olga.send_form(page, page=page, revision=0, reason=" ")
    still = state_of(desk, number)
    done = await olga.send_form(page, page=page, revision=0, reason="Scrivi dal tuo indirizzo comunale")

    assert "Rifiutare la richiesta?" in asked.text
    assert (empty.status_code, still) == (422, AccessState.WAITING)
    assert "Scrivi il motivo" in empty.text
    assert done.headers["location"] == LIST
    assert state_of(desk, number) is AccessState.REFUSED
    decided = (await olga.get(f"{LIST}?decided=1")).text
    assert "Dario Esempio" in decided
    assert "Olga Esempio" in decided
    assert "Scrivi dal tuo indirizzo comunale" in (await olga.get(f"{LIST}/{number}")).text
    with desk.house.database.read() as session:
        assert "dal tuo indirizzo comunale" in session.exec(select(Outbox)).one().body["html"]


async def test_the_second_officer_is_told_who_was_first(desk: Desk) -> None:
    number = a_request(desk)
    page = f"{LIST}/{number}"
    olga, ugo = desk.browser("Olga"), desk.browser("Ugo")
    await olga.send_form(f"{page}/refuse", page=f"{page}/refuse", revision=0, reason="Non ti conosciamo")

    late_yes = await ugo.send_form(f"{page}/approve", page="/desk/referents/new", revision=0, **YES)
    late_no = await ugo.send_form(f"{page}/refuse", page="/desk/referents/new", revision=0, reason="Nemmeno io")

    assert late_yes.status_code == 409
    assert "Olga Esempio ha deciso questa richiesta nel frattempo" in late_yes.text
    assert late_no.headers["location"] == page
    assert "Olga Esempio ha deciso" in (await ugo.get(page)).text
    assert (await ugo.get(f"{page}/refuse")).status_code == 303
    with desk.house.database.read() as session:
        assert len(session.exec(select(Outbox)).all()) == 1


@pytest.mark.parametrize("state", [AccessState.ASKING, AccessState.CONFIRMING])
async def test_what_is_still_being_written_is_nobodys_business(desk: Desk, state: AccessState) -> None:
    number = a_request(desk, state=state)

    assert (await desk.browser("Olga").get(f"{LIST}/{number}")).status_code == 404


@pytest.mark.parametrize("url", [f"{LIST}/9999", f"{LIST}/9999/refuse", f"{LIST}/pippo"])
async def test_an_unknown_request_is_not_there(desk: Desk, url: str) -> None:
    assert (await desk.browser("Olga").get(url)).status_code == 404


async def test_nobody_unknown_is_decided_about(desk: Desk) -> None:
    olga = desk.browser("Olga")
    for what, fields in (("approve", YES), ("refuse", {"reason": "No"})):
        answer = await olga.send_form(f"{LIST}/9999/{what}", page="/desk/referents/new", revision=0, **fields)
        assert answer.status_code == 404


# --- Carla may not


@pytest.mark.parametrize("who", ["Rita", "Vera", None])
@pytest.mark.parametrize("url", [LIST, LIST + "/{number}", LIST + "/{number}/refuse"])
async def test_readers_volunteers_and_strangers_see_no_request(desk: Desk, who: str | None, url: str) -> None:
    number = a_request(desk)

    answer = await desk.browser(who).get(url.format(number=number))

    assert answer.status_code == (403 if who else 303)
    assert "Dario" not in answer.text


@pytest.mark.parametrize("who", ["Rita", "Vera", None])
@pytest.mark.parametrize("button", ["approve", "refuse"])
async def test_readers_volunteers_and_strangers_decide_nothing(desk: Desk, who: str | None, button: str) -> None:
    number = a_request(desk)
    page = "/desk/questions" if who else "/desk/sign-in"

    answer = await desk.browser(who).send_form(f"{LIST}/{number}/{button}", page=page, revision=0, reason="No", **YES)

    assert answer.status_code == (403 if who else 303)
    assert state_of(desk, number) is AccessState.WAITING


@pytest.mark.parametrize("who", ["Rita", "Vera"])
async def test_readers_and_volunteers_are_shown_no_such_section(desk: Desk, who: str) -> None:
    a_request(desk)

    page = (await desk.browser(who).get("/desk/questions")).text

    assert LIST not in page


async def test_a_form_that_is_not_ours_decides_nothing(desk: Desk) -> None:
    number = a_request(desk)

    answer = await desk.browser("Olga").post(f"{LIST}/{number}/approve", data={"csrf": "falso", "revision": 0, **YES})

    assert answer.status_code == 403
    assert state_of(desk, number) is AccessState.WAITING
