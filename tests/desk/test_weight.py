"""How much a page weighs on the way to a browser, and what a browser need never ask for again."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from desk import assets, pages, security
from tests.desk.conftest import Browser, Desk

FIRST, AFTER = 550_000, 30_000  # bytes of bodies on the wire
HEADERS = {"accept-encoding": "gzip"}
TEMPLATES = Path(pages.__file__).parent / "templates"


@pytest.fixture
def full(desk: Desk) -> int:
    """A queue with fifty questions of different words; one of them."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        for number in range(50):
            town = cast.an_organization(f"Comune {number}")
            project = cast.a_project(town, title=f"Riqualificazione dell'area {number * 7919} e delle vie intorno")
            ada = cast.a_referent(f"Persona {number * 104_729}", town, (project,))
            words = " ".join(f"parola{number * 31 + n}" for n in range(30))
            question = cast.a_question(ada, words, project_id=project.id)
        return question.id


def needed_by(page: str, sheets: str) -> set[str]:
    """Every file that the page or its style sheets name: all that a browser could fetch."""
    named = re.findall(r'(?:href|src)="(/static/[^"#]+)', page)
    fonts = re.findall(r'url\("(/static/[^"]+)"\)', sheets)
    return {*named, *fonts}


class Visitor:
    """A browser with a cache, which obeys what it is told of keeping."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.kept: dict[str, str] = {}

    async def weighs(self, path: str) -> int:
        """Bytes on the wire for a page with all that it needs and the cache does not have."""
        page = await self.browser.get(path, headers=HEADERS)
        weight = page.num_bytes_downloaded
        sheets = ""
        for url in sorted(set(re.findall(r'href="(/static/[^"#]+\.css[^"#]*)"', page.text))):
            weight += await self._fetched(url)
            sheets += self.kept.get(url, "")
        for url in sorted(needed_by(page.text, sheets) - set(self.kept)):
            weight += await self._fetched(url)
        return weight

    async def _fetched(self, url: str) -> int:
        if url in self.kept:
            return 0
        answer = await self.browser.get(url, headers=HEADERS)
        assert answer.status_code == 200, url
        assert answer.headers["cache-control"] == assets.FOR_GOOD, url
        self.kept[url] = answer.text if ".css" in url else ""
        return answer.num_bytes_downloaded


async def test_a_first_visit_is_light_and_every_other_lighter(desk: Desk, full: int) -> None:
    visitor = Visitor(desk.browser("Anna"))

    first = await visitor.weighs("/desk/questions")
    question = await visitor.weighs(f"/desk/questions/{full}")
    again = [await visitor.weighs(path) for path in ("/desk/questions", f"/desk/questions/{full}", "/desk/projects")]

    assert len(visitor.kept) > 10
    assert 100_000 < first <= FIRST
    assert question <= AFTER
    assert max(again) <= AFTER


async def test_a_page_is_compressed_for_who_can_read_it(desk: Desk, full: int) -> None:
    olga = desk.browser("Olga")

    packed = await olga.get("/desk/questions", headers=HEADERS)
    plain = await olga.get("/desk/questions", headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert "content-encoding" not in plain.headers
    assert packed.num_bytes_downloaded * 4 < plain.num_bytes_downloaded


async def test_what_people_sent_is_handed_out_as_it_is(desk: Desk) -> None:
    import io

    from intake.files import keep_file

    with desk.house.database.write() as session:
        cast = desk.cast(session)
        question = cast.a_question(cast.a_referent())
        kept = keep_file(
            session,
            desk.house.files,
            "verbale.txt",
            "text/plain",
            io.BytesIO(b"uguale " * 1000),
            now=desk.house.clock(),
            message_id=question.id,
        )
        file_id = kept.id

    answer = await desk.browser("Olga").get(f"/desk/attachments/{file_id}", headers=HEADERS)

    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers


# --- what a browser keeps


async def test_a_file_is_kept_for_good_under_its_mark_and_asked_about_under_its_plain_name(desk: Desk) -> None:
    browser, mark = desk.browser(), assets.mark("raccordo.css")

    seen = {
        query: (await browser.get(f"/static/raccordo.css{query}")).headers["cache-control"]
        for query in (f"?v={mark}", "", "?v=old", "?v=", "?w=1")
    }

    assert seen.pop(f"?v={mark}") == assets.FOR_GOOD
    assert set(seen.values()) == {assets.ASK_AGAIN}


async def test_a_file_that_has_not_changed_is_not_sent_again(desk: Desk) -> None:
    browser = desk.browser()
    first = await browser.get("/static/raccordo.css")

    again = await browser.get("/static/raccordo.css", headers={"if-none-match": first.headers["etag"]})

    assert again.status_code == 304
    assert again.headers["cache-control"] == assets.ASK_AGAIN


@pytest.mark.parametrize("path", sorted(p.relative_to(TEMPLATES).as_posix() for p in TEMPLATES.rglob("*.html")))
def test_every_file_that_a_template_names_is_there_and_marked(path: str) -> None:
    source = (TEMPLATES / path).read_text(encoding="utf-8")
    marked = assets.Marked(pages._environment).preprocess(source, path)

    assert marked.count("?v=") == source.count('"/static/') + source.count("?v=")


def test_a_file_that_is_not_there_is_an_error_and_not_a_bare_page() -> None:
    with pytest.raises(FileNotFoundError):
        assets.Marked(pages._environment).preprocess('<link href="/static/nowhere.css">', "x")


async def test_nothing_outside_is_served(desk: Desk) -> None:
    browser = desk.browser()
    outside = ("/static/../pages.py", "/static/%2e%2e/pages.py", "/static/nowhere.css", "/static/", "/static/htmx/")

    seen: list[httpx.Response] = [await browser.get(path) for path in outside]

    assert {answer.status_code for answer in seen} == {404}
    assert all(not urlsplit(str(answer.url)).query for answer in seen)


# --- compressed pages and the token in them


async def test_the_token_is_never_written_twice_the_same_and_opens_each_time(desk: Desk, full: int) -> None:
    olga = desk.browser("Olga")
    url = f"/desk/questions/{full}"
    texts = [(await olga.get(url)).text for _ in range(2)]
    first, second = ({*re.findall(r'name="csrf" value="([^"]+)"', text)} for text in texts)

    pressed = [
        (await olga.post(f"{url}/note", data={"csrf": token, "text": "Una nota."})).status_code
        for token in (first.pop(), second.pop())
    ]

    assert first.isdisjoint(second)
    assert pressed == [303, 303]


@pytest.mark.parametrize("posted", ["", "A", "AAAA", "è" * 40, "\x00", "=" * 64, "a" * 10_000])
async def test_a_made_up_token_opens_nothing(desk: Desk, posted: str) -> None:
    olga = desk.browser("Olga")

    answer = await olga.post("/desk/sign-out", data={"csrf": posted})

    assert answer.status_code == 403


def test_what_is_masked_can_be_read_and_only_whole() -> None:
    masked = security.masked("parola")

    assert security.unmasked(masked) == b"parola"
    assert "parola" not in masked
    assert security.unmasked(masked[:-4]) != b"parola"
