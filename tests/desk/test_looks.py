"""Where one is, how time is said, and that a page speaks one language."""

import re
from html import unescape

import pytest
from babel.messages.pofile import read_po

from facts.languages import LOCALE
from storage.people import new_personal_link
from storage.tables import Question, Referent, Staff
from tests.desk.conftest import Clock, Desk

ITALIAN = LOCALE / "it"


@pytest.fixture
def question_id(desk: Desk) -> int:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        town = cast.an_organization()
        project = cast.a_project(town)
        ada = cast.a_referent("Ada Esempio", town, (project,), chat=101)
        return cast.a_question(ada, project_id=project.id).id


def speak_english(desk: Desk, who: str) -> None:
    with desk.house.database.write() as session:
        session.get_one(Staff, desk.people[who]).language = "en"


def crumbs_of(page: str) -> list[tuple[str, str]]:
    """The way to this page: address and words; the last has no address."""
    way = page.split('class="breadcrumb"')[1].split("</ol>", maxsplit=1)[0]
    found = re.findall(r'<li class="breadcrumb-item[^>]*>(?:<a href="([^"]*)">)?([^<]*)', way)
    return [(unescape(address), unescape(words)) for address, words in found]


# --- where one is


async def test_a_question_says_the_way_to_it_and_keeps_the_filter(desk: Desk, question_id: int) -> None:
    rita = desk.browser("Rita")
    await rita.get("/desk/questions?view=all")

    page = (await rita.get(f"/desk/questions/{question_id}")).text

    assert crumbs_of(page) == [
        ("/desk", "Scrivania"),
        ("/desk/questions?view=all", "Domande"),
        ("", f"Domanda n. {question_id}"),
    ]


async def test_a_page_below_a_page_names_the_one_above(desk: Desk, question_id: int) -> None:
    page = (await desk.browser("Olga").get(f"/desk/questions/{question_id}/close")).text

    assert crumbs_of(page)[1:] == [
        ("/desk/questions", "Domande"),
        (f"/desk/questions/{question_id}", f"Domanda n. {question_id}"),
        ("", "Chiudere senza risposta?"),
    ]


async def test_the_first_page_of_a_section_stands_right_below_the_desk(desk: Desk) -> None:
    page = (await desk.browser("Rita").get("/desk/projects")).text

    assert crumbs_of(page) == [("/desk", "Scrivania"), ("", "Progetti")]


async def test_what_belongs_to_no_section_stands_there_too(desk: Desk) -> None:
    page = (await desk.browser("Rita").get("/desk/keys")).text

    assert crumbs_of(page) == [("/desk", "Scrivania"), ("", "Tasti rapidi")]


async def test_outside_the_desk_there_is_no_way_to_say(desk: Desk, question_id: int) -> None:
    with desk.house.database.write() as session:
        referent_id = session.get_one(Question, question_id).referent_id
        assert referent_id is not None
        key = new_personal_link(session, referent_id, desk.house.clock())
    rita = desk.browser("Rita")

    pages = [(await rita.get(path)).text for path in (f"/r/{key}/ask", "/privacy", "/desk/nowhere")]

    assert all("breadcrumb" not in page for page in pages)


async def test_the_name_of_a_page_is_only_ever_text(desk: Desk, question_id: int) -> None:
    with desk.house.database.write() as session:
        person = session.get_one(Referent, session.get_one(Question, question_id).referent_id)
        person.name = "<b>Ada</b> & figli"
        referent_id = person.id

    page = (await desk.browser("Rita").get(f"/desk/referents/{referent_id}")).text

    assert crumbs_of(page)[-1] == ("", "<b>Ada</b> & figli")
    assert "<b>Ada" not in page


# --- time


async def test_how_long_ago_says_the_instant_too(desk: Desk, question_id: int, clock: Clock) -> None:
    clock.move(hours=2)

    page = (await desk.browser("Rita").get("/desk/questions")).text

    assert '<time datetime="2026-11-24T09:00:00+00:00" title="24/11/2026 10:00">2 ore fa</time>' in page


async def test_an_english_page_says_instants_as_nobody_misreads_them(desk: Desk, question_id: int) -> None:
    speak_english(desk, "Anna")

    english = (await desk.browser("Anna").get(f"/desk/questions/{question_id}")).text
    italian = (await desk.browser("Olga").get(f"/desk/questions/{question_id}")).text

    assert "24 Nov 2026, 10:00" in english
    assert "24/11/2026" not in english
    assert "24/11/2026 10:00" in italian


# --- one language a page


def sentences() -> dict[str, str]:
    """English → Italian, whole sentences without gaps that are not the same in both."""
    found = {}
    for path in ITALIAN.glob("*.po"):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id and isinstance(message.id, str) and "{" not in message.id:
                    found[message.id] = str(message.string)
    same = {one for one in found if one in found.values()} | set(found) & set(found.values())
    return {en: it for en, it in found.items() if en not in same and it not in found}


def spoken_on(page: str) -> set[str]:
    body = page.split("<body>")[1]
    attributes = re.findall(r'(?:aria-label|title|placeholder)="([^"]+)"', body)
    return {unescape(text).strip() for text in (*re.findall(r">([^<]+)<", body), *attributes)} - {""}


OWN_NAMES = {"English", "Italiano"}  # a language is called as whoever speaks it calls it

PAGES = (
    "questions?view=all",
    "questions/1",
    "questions/1/close",
    "updates",
    "deadlines",
    "deadlines/new",
    "deadlines/new?template=cohesion",
    "projects",
    "projects/1",
    "referents",
    "referents/1",
    "referents/new",
    "letters",
    "access",
    "outbox",
    "dead-letters",
    "forms",
    "categories",
    "office",
    "audit",
    "account",
    "guide",
    "keys",
)


async def test_an_english_page_has_no_italian_and_an_italian_one_no_english(desk: Desk, question_id: int) -> None:
    speak_english(desk, "Anna")
    with desk.house.database.write() as session:
        colleague = desk.cast(session).a_staff("Dora Esempio", session.get_one(Staff, desk.people["Anna"]).role)
        desk.people["Dora"] = colleague.id
    known = sentences()
    italian, english = set(known.values()), set(known)
    anna, dora = desk.browser("Anna"), desk.browser("Dora")

    mixed = {}
    for path in PAGES:
        said = spoken_on((await anna.get(f"/desk/{path}")).text) & italian
        detto = spoken_on((await dora.get(f"/desk/{path}")).text) & english
        mixed[path] = (said | detto) - OWN_NAMES

    assert len(known) > 500
    assert {path: found for path, found in mixed.items() if found} == {}
