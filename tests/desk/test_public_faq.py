"""What everybody reads: the page, the same as JSON, the map of the site."""

import re

from storage.tables import Category, FaqState
from tests.desk.conftest import Desk
from tests.desk.test_faq import an_entry

PAGE = "/public/faq"


async def test_only_what_is_published_is_read_and_by_everybody_alike(desk: Desk) -> None:
    shown = an_entry(desk, FaqState.PUBLISHED, answer="Un codice <b>.\n\nSecondo capoverso.")
    an_entry(desk, question="Ancora da controllare?")
    an_entry(desk, FaqState.WITHDRAWN, question="Ritirata?")

    page = await desk.browser().get(PAGE)
    signed = await desk.browser("Olga").get(PAGE)

    assert f'id="faq-{shown}"' in page.text
    assert "Un codice &lt;b&gt;." in page.text
    assert "Ancora da controllare" not in page.text
    assert "Ritirata?" not in page.text
    assert '<meta name="robots" content="index">' in page.text
    assert signed.text == page.text


async def test_it_may_be_kept_and_remembers_nobody(desk: Desk) -> None:
    an_entry(desk, FaqState.PUBLISHED)

    for path in (PAGE, f"{PAGE}.json", "/sitemap.xml"):
        answer = await desk.browser().get(path)
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert "set-cookie" not in answer.headers


async def test_english_where_there_is_some_and_italian_for_the_rest(desk: Desk) -> None:
    an_entry(desk, FaqState.PUBLISHED, question_en="What is a CUP?", answer_en="A code.")
    an_entry(desk, FaqState.PUBLISHED, question="Solo in italiano?")

    italian = (await desk.browser().get(PAGE)).text
    english = (await desk.browser().get(f"{PAGE}?lang=en")).text

    assert "What is a CUP?" not in italian
    assert 'lang="en" rel="nofollow">English</a>' in italian
    assert "What is a CUP?" in english
    assert "Solo in italiano?" in english
    assert "Frequently asked questions" in english
    assert '<html lang="en">' in english


async def test_it_stands_under_its_category_with_anchors(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        number = cast.add(Category(name="ReGiS", hours=4, created_at=cast.now)).id
    an_entry(desk, FaqState.PUBLISHED, question="Senza categoria?")
    an_entry(desk, FaqState.PUBLISHED, question="Con categoria?", category_id=number)

    page = (await desk.browser().get(PAGE)).text

    assert f'<a href="#c-{number}">ReGiS</a>' in page
    assert page.index("Con categoria?") < page.index("Senza categoria?")


async def test_the_search_finds_words_without_accents_or_what_is_alike(desk: Desk) -> None:
    cup = an_entry(desk, FaqState.PUBLISHED)
    due = an_entry(desk, FaqState.PUBLISHED, question="Entro quale giorno va inviato?", answer="Il dieci è perentorio.")
    browser = desk.browser()

    async def found(q: str) -> list[int]:
        page = (await browser.get(PAGE, params={"q": q})).text
        return [int(one) for one in re.findall(r'id="faq-(\d+)"', page)]

    assert await found("E PERENTORIO") == [due]
    assert await found("entro quando devo inviare, quale giorno") == [due]
    assert await found("codice") == [cup]
    assert await found("bicicletta") == []
    assert await found("???") == [cup, due]
    assert await found("\x00cup" + "x" * 5000) == []
    nothing = (await browser.get(f"{PAGE}?q=bicicletta")).text
    assert "Niente di simile" in nothing
    assert '<meta name="robots" content="noindex">' in nothing


async def test_with_nothing_published_it_says_where_to_ask(desk: Desk) -> None:
    page = (await desk.browser().get(PAGE)).text

    assert "ancora nulla di pubblicato" in page.replace("&#39;", "'")
    assert 'type="search"' not in page


async def test_the_json_says_the_texts_and_nobody(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        category = cast.add(Category(name="ReGiS", hours=4, created_at=cast.now)).id
    both = an_entry(
        desk, FaqState.PUBLISHED, question_en="What is a CUP?", answer_en="A code.", category_id=category, helped=3
    )
    an_entry(desk)

    data = (await desk.browser().get(f"{PAGE}.json")).json()

    now = desk.house.clock().isoformat()
    assert data == {
        "changed_at": now,
        "entries": [
            {
                "id": both,
                "category": "ReGiS",
                "it": {"question": "Che cos'è il CUP?", "answer": "Il codice unico di progetto."},
                "en": {"question": "What is a CUP?", "answer": "A code."},
                "published_at": now,
            }
        ],
    }


async def test_the_map_and_the_robots_lead_to_it_and_so_does_the_first_page(desk: Desk) -> None:
    browser = desk.browser()

    assert "<loc>http://raccordo.example/public/faq</loc>" in (await browser.get("/sitemap.xml")).text
    assert "Sitemap: http://raccordo.example/sitemap.xml" in (await browser.get("/robots.txt")).text
    assert 'href="/public/faq"' in (await browser.get("/")).text
