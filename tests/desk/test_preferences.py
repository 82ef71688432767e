"""Where a reminder's "unsubscribe" leads: language, way, and what is no longer theirs. Nobody else's is touched."""

import pytest
from sqlmodel import select

from delivery.outbox import queue_to
from delivery.words import Words
from storage.people import revoke_personal_links
from storage.tables import Address, Channel, Outbox, OutboxKind, Referent
from tests.desk.conftest import Desk
from tests.desk.test_personal import Person, a_person, carla, messages_of, questions_of


def referent(desk: Desk, person: Person) -> Referent:
    with desk.house.database.read() as session:
        row = session.get_one(Referent, person.id)
        session.expunge(row)
        return row


def next_way(desk: Desk, person: Person, prefer: Channel | None = None) -> Channel:
    """By which way something that the office writes now leaves."""
    with desk.house.database.write() as session:
        key = f"test:{person.id}:{prefer}"
        outbox_id = queue_to(
            session,
            person.id,
            Words("Ciao"),
            kind=OutboxKind.NOTICE,
            now=desk.house.clock(),
            dedupe_key=key,
            prefer=prefer,
        )
        return session.get_one(Outbox, outbox_id).channel


async def test_the_page_says_what_holds_now(desk: Desk) -> None:
    ada = a_person(desk, chat=100, email="ada@example.org")

    page = (await desk.browser().get(f"{ada.page}/preferences")).text

    assert "Dove vuoi che ti scriviamo prima?" in page
    assert 'value="telegram" checked' in page
    assert "E-mail: ada@example.org" in page
    assert "i promemoria non si possono disattivare" in page
    assert "Ex mercato (CUP" in page


async def test_a_look_changes_nothing(desk: Desk) -> None:
    ada = a_person(desk, chat=100, email="ada@example.org")

    await desk.browser().get(f"{ada.page}/preferences?language=en&way=email")

    assert (referent(desk, ada).language, referent(desk, ada).prefers) == ("it", None)


async def test_what_they_choose_holds_from_then_on(desk: Desk) -> None:
    ada = a_person(desk, chat=100, email="ada@example.org")
    before = next_way(desk, ada)
    browser, address = desk.browser(), f"{ada.page}/preferences"

    saved = await browser.send_form(address, address, language="en", way="email")

    assert saved.status_code == 303
    assert (before, next_way(desk, ada, Channel.PHONE)) == (Channel.TELEGRAM, Channel.EMAIL)
    assert next_way(desk, ada, Channel.TELEGRAM) is Channel.TELEGRAM  # an answer goes where they asked
    page = (await browser.get(address)).text
    assert "Language, and how we write to you" in page
    assert 'value="email" checked' in page


async def test_a_way_that_no_longer_works_is_not_used_however_much_it_is_preferred(desk: Desk) -> None:
    ada = a_person(desk, chat=100, email="ada@example.org")
    address = f"{ada.page}/preferences"
    await desk.browser().send_form(address, address, language="it", way="email")
    with desk.house.database.write() as session:
        row = session.exec(select(Address).where(Address.value == "ada@example.org")).one()
        row.unreachable_since = desk.house.clock()

    assert next_way(desk, ada) is Channel.TELEGRAM


async def test_who_has_one_way_only_is_not_asked(desk: Desk) -> None:
    ada = a_person(desk, email="ada@example.org")
    address = f"{ada.page}/preferences"

    page = (await desk.browser().get(address)).text
    saved = await desk.browser().send_form(address, address, language="en")

    assert "Ti scriviamo qui: ada@example.org." in page
    assert 'name="way"' not in page
    assert (saved.status_code, referent(desk, ada).language) == (303, "en")


@pytest.mark.parametrize(
    ("language", "way"), [("de", ""), ("", ""), ("it", "telegram"), ("it", "phone"), ("it", "x"), ("it", "pec")]
)
async def test_what_cannot_be_chosen_is_refused(desk: Desk, language: str, way: str) -> None:
    ada = a_person(desk, email="ada@example.org")
    address = f"{ada.page}/preferences"

    refused = await desk.browser().send_form(address, address, language=language, way=way)

    assert refused.status_code == 422
    assert (referent(desk, ada).language, referent(desk, ada).prefers) == ("it", None)


async def test_what_is_no_longer_theirs_is_a_question_and_stays_until_it_is_answered(desk: Desk) -> None:
    ada = a_person(desk, email="ada@example.org")
    address = f"{ada.page}/preferences"

    sent = await desk.browser().send_form(f"{address}/projects", address, project=str(ada.project), who="Bruno Esempio")

    (question,) = questions_of(desk, ada)
    assert sent.headers["location"].startswith(f"{ada.page}/questions/{question.id}")
    (message,) = messages_of(desk, question.id)
    assert "Questi progetti non sono più miei:\n- Ex mercato (CUP" in message.text
    assert message.text.endswith("Li segue ora: Bruno Esempio")
    assert "Ex mercato (CUP" in (await desk.browser().get(address)).text


async def test_without_a_project_nothing_is_asked_and_what_was_written_stays(desk: Desk) -> None:
    ada = a_person(desk, email="ada@example.org")
    address = f"{ada.page}/preferences"

    again = await desk.browser().send_form(f"{address}/projects", address, who="Bruno <Esempio>")

    assert again.status_code == 422
    assert "Scegli almeno un progetto." in again.text
    assert "Bruno &lt;Esempio&gt;" in again.text
    assert questions_of(desk, ada) == []


# --- Carla


async def test_carla_changes_only_what_is_hers(desk: Desk) -> None:
    ada, other = a_person(desk, chat=100, email="ada@example.org"), carla(desk)
    address = f"{other.page}/preferences"

    page = (await desk.browser().get(address)).text
    await desk.browser().send_form(address, address, language="en")

    assert "Ex mercato" not in page
    assert "ada@example.org" not in page
    assert referent(desk, ada).language == "it"


@pytest.mark.parametrize("project", ["{ada}", "999999", "x", "99999999999999999999", "-1"])
async def test_carla_gives_away_no_project_of_ada(desk: Desk, project: str) -> None:
    ada, other = a_person(desk), carla(desk)
    address = f"{other.page}/preferences"

    refused = await desk.browser().send_form(f"{address}/projects", address, project=project.format(ada=ada.project))

    assert refused.status_code == 404
    assert questions_of(desk, other) == []


@pytest.mark.parametrize("key", ["revoked", "nonsense"])
async def test_without_a_key_there_is_no_such_page(desk: Desk, key: str) -> None:
    ada, other = a_person(desk, email="ada@example.org"), carla(desk)
    with desk.house.database.write() as session:
        revoke_personal_links(session, ada.id, desk.house.clock())
    address = f"{ada.page if key == 'revoked' else '/r/nonsense'}/preferences"

    browser = desk.browser()
    looked = await browser.get(address)
    saved = await browser.send_form(address, f"{other.page}/preferences", language="en")
    told = await browser.send_form(f"{address}/projects", f"{other.page}/preferences", project=str(ada.project))

    assert [looked.status_code, saved.status_code, told.status_code] == [404, 404, 404]
    assert referent(desk, ada).language == "it"
    assert questions_of(desk, ada) == []


async def test_a_form_that_is_not_ours_changes_nothing(desk: Desk) -> None:
    ada = a_person(desk, email="ada@example.org")

    refused = await desk.browser().post(f"{ada.page}/preferences", data={"language": "en"})

    assert refused.status_code == 403
    assert referent(desk, ada).language == "it"


async def test_the_page_of_a_person_leads_here(desk: Desk) -> None:
    ada = a_person(desk)

    assert f'href="{ada.page}/preferences"' in (await desk.browser().get(ada.page)).text
