"""Every page of the house in every state, for everybody who may open it: seen by axe, and read for its language.

Which pages there are, the routes say (`tests/desk/data/roles.txt` knows them all): a new one is looked at without
anybody thinking of it; one whose address names a new kind of thing fails here until `every_state.py` makes one.
"""

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from sqlmodel import select

from desk import security
from desk.presence import Streams
from storage.database import Database
from storage.keys import new_ring
from storage.sealing import Keyring
from storage.tables import Referent, Staff
from tests.desk.conftest import Clock, Desk, a_desk
from tests.desk.factors import with_factor
from tests.desk.test_looks import OWN_NAMES, sentences, spoken_on
from tests.desk.test_roles import RANKS, RULES, STREAMS, Rule
from tests.journeys.browsing import LAPTOP, PHONE, SMALL, Window, a_window, chromium, served
from tests.journeys.conftest import free_port
from tests.journeys.every_state import Everything, furnish

pytestmark = pytest.mark.journey

# What is no page: files, measures, streams.
FILES = re.compile(r"\{format\}|\{kind\}|/file$|/raw$|/attachments/|/files/|\.(txt|xml|json|ics)$|/preview/mail$")
NO_PAGES = {"/healthz", "/readyz", "/metrics", *STREAMS, "/desk/deadlines/new/days"}  # the last is a part of a page
LEADS_ON = {  # to another page
    "/desk",
    "/language",
    "/desk/sign-in/code",
    "/desk/sign-in/oidc",
    "/desk/sign-in/oidc/callback",
    "/desk/obligations/{obligation_id}",
}
IN_BOTH = OWN_NAMES | {"Note"}
STAFF = ("Anna", "Olga", "Vera", "Rita")  # who sees most comes first


@dataclass(frozen=True)
class Seen:
    """A page as somebody got it."""

    who: str
    address: str
    status: int
    html: str

    @property
    def is_page(self) -> bool:
        return self.status not in (303, 403) and "<body>" in self.html

    @property
    def tags(self) -> frozenset[str]:
        """The kinds of elements that are on it."""
        return frozenset(re.findall(r"<[a-z]\w*(?: (?:class|type|role)=\"[^\"]*\")*", self.html))

    def is_whole(self, language: str) -> bool:
        title = re.search(r"<title>([^<]*\S) · [^<]*</title>", self.html)
        return f'<html lang="{language}">' in self.html and title is not None and self.html.count("<h1") == 1


@dataclass
class House:
    desk: Desk
    everything: Everything
    language: str = "it"

    @property
    def base(self) -> str:
        return self.desk.house.links.base_url

    def addresses(self, *leasts: str) -> list[str]:
        """Of all pages that the routes know for these roles, and of other states of theirs."""
        rules = [rule for rule in RULES if rule.method == "GET" and rule.least in leasts and is_page(rule)]
        more = [one for one in self.everything.more if of_staff(one) == ("reader" in leasts)]
        return list(dict.fromkeys([*(rule.address(**self.everything.things) for rule in rules), *more]))

    def speak(self, language: str) -> None:
        """Everybody, from now on; the browsers of strangers ask for it."""
        self.language = language
        with self.desk.house.database.write() as session:
            for person in session.exec(select(Staff)):
                person.language = language
            for referent in session.exec(select(Referent)):
                referent.language = language

    async def pages(self, who: str | None) -> list[Seen]:
        """As `who` of the staff gets them; None: referents with their keys, and strangers."""
        addresses = self.addresses(*RANKS) if who else self.addresses("everybody", "key")
        async with self.desk.browser(who) as browser:
            browser.headers["Accept-Language"] = self.language
            answers = [(address, await browser.get(address)) for address in addresses]
        return [Seen(who or "", address, answer.status_code, answer.text) for address, answer in answers]

    async def everybodys(self) -> list[Seen]:
        return [seen for who in (*STAFF, None) for seen in await self.pages(who)]

    async def worth_a_look(self) -> list[Seen]:
        """Every page once, and again where somebody else, or another state of it, shows what no page has shown."""
        known: set[str] = set()
        routed = {rule.address(**self.everything.things) for rule in RULES if rule.method == "GET"}
        chosen: list[Seen] = []
        for seen in await self.everybodys():
            first = seen.address in routed and seen.address not in {one.address for one in chosen}
            if seen.is_page and (first or not seen.tags <= known):
                chosen.append(seen)
                known |= seen.tags
        return chosen


def is_page(rule: Rule) -> bool:
    return not FILES.search(rule.route) and rule.route not in NO_PAGES


def of_staff(address: str) -> bool:
    return address.startswith("/desk/") and "/welcome/" not in address


def fits(route: str, address: str) -> bool:
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", route), address) is not None


@pytest.fixture
def clock(now: object) -> Clock:
    return Clock(now)  # type: ignore[arg-type]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """One is enough: pages are drawn alike from both."""
    shutil.copy(sqlite_template, tmp_path / "raccordo.db")
    database = Database(f"sqlite:///{tmp_path / 'raccordo.db'}", Keyring(new_ring()))
    yield database
    database.close()


@pytest.fixture
def house(database: Database, clock: Clock, tmp_path: Path, port: int) -> House:
    desk = a_desk(database, clock, tmp_path, url=f"http://127.0.0.1:{port}")
    everything = furnish(desk)
    for who in ("Anna", "Vera"):
        with_factor(desk, who)
    return House(desk, everything)


# --- what is read


def test_there_is_one_of_each_thing_that_an_address_names(house: House) -> None:
    named = {name for rule in RULES if rule.method == "GET" for name in rule.names()}

    assert named - house.everything.things.keys() == set(), "every_state.py makes none of these"


@pytest.mark.parametrize("language", ["it", "en"])
async def test_every_page_opens_with_a_title_one_heading_and_one_language(house: House, language: str) -> None:
    house.speak(language)
    known = sentences()
    foreign = set(known if language == "it" else known.values()) - IN_BOTH
    everybodys = await house.everybodys()

    wrong = {}
    for seen in everybodys:
        if not seen.is_page:
            continue
        mixed = spoken_on(seen.html) & foreign if "/preview" not in seen.address else set()
        if mixed or not seen.is_whole(language):
            wrong[f"{seen.address} for {seen.who}"] = mixed or seen.html[:400]
    opened = {seen.address.partition("?")[0] for seen in everybodys if seen.status == 200}
    routes = {rule.route for rule in RULES if rule.method == "GET" and is_page(rule)} - LEADS_ON
    never = {route for route in routes if not any(fits(route, address) for address in opened)}

    assert wrong == {}
    assert never == set(), "every_state.py makes nothing that is shown there"


# --- what axe says

# What may change with the width: words that are hidden take a name away, columns that are cut want to be scrolled.
NARROW = [
    "aria-hidden-focus",
    "button-name",
    "empty-heading",
    "empty-table-header",
    "heading-order",
    "label",
    "link-name",
    "page-has-heading-one",
    "scrollable-region-focusable",
    "select-name",
    "summary-name",
    "target-size",
]


@dataclass
class Inspector:
    """Looks at one page after the other in one window, wide and narrow; keeps what is wrong."""

    window: Window
    house: House
    found: dict[str, list[str]] = field(default_factory=dict)
    who: str | None = None

    async def opens(self, who: str, address: str) -> None:
        if who != self.who:
            await self._becomes(who)
        await self.window.page.goto(self.house.base + address, wait_until="domcontentloaded")

    async def looks(self, what: str) -> None:
        page = self.window.page
        await self.window.resize(LAPTOP)
        await page.evaluate(Axe().axe_script)
        wrong = await self._violations({})
        await self.window.resize(PHONE)
        wrong += await self._violations({"runOnly": NARROW})
        for size in (PHONE, SMALL):
            await self.window.resize(size)
            if await page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
                wrong.append(f"scrolls sideways at {size[0]}")
        if wrong:
            self.found[f"{what} for {self.who or 'strangers'}"] = wrong

    async def _violations(self, options: dict[str, Any]) -> list[str]:
        run = "options => axe.run(document, {resultTypes: ['violations'], ...options}).then(all => all.violations)"
        violations = await self.window.page.evaluate(run, options)
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in violations]

    async def _becomes(self, who: str) -> None:
        self.who, context, house = who, self.window.page.context, self.house.desk.house
        await context.clear_cookies()
        if who:
            with house.database.write() as session:
                token = security.sign_in_as(session, self.house.desk.people[who], house.clock())
            cookie = {"name": security.session_cookie(house), "value": token, "url": self.house.base}
            await context.add_cookies([cookie])  # type: ignore[list-item]  # as its documentation has it


@pytest.fixture
async def inspector(house: House, port: int) -> AsyncIterator[Inspector]:
    house.desk.app.state.streams = streams = Streams(pause=0.05)
    async with served(house.desk.app, port), chromium() as browser:
        yield Inspector(await a_window(browser), house)
        streams.close()


async def test_axe_finds_nothing_on_any_page(house: House, inspector: Inspector) -> None:
    pages = await house.worth_a_look()
    for seen in pages:
        await inspector.opens(seen.who, seen.address)
        await inspector.looks(seen.address)

    assert len(pages) > 100
    assert inspector.found == {}
    assert inspector.window.complaints == []


# Page, form, who, and how the form ends that is sent as it stands or empty: what is refused is a page too.
REFUSED = (
    ("", "/desk/sign-in", "/sign-in"),
    ("", "/r/{token}/ask", "/ask"),
    ("", "/r/{token}/circulars/1", "/circulars/1"),
    ("", "/r/{token}/upload/{attachment_id}", "/upload/{attachment_id}"),
    ("Olga", "/desk/questions/{question_id}", "/answer"),
    ("Olga", "/desk/questions/{question_id}", "/note"),
    ("Olga", "/desk/referents/new", "/referents/new"),
    ("Olga", "/desk/referents/{referent_id}/phone", "/phone"),
    ("Olga", "/desk/deadlines/new?template=blank", "/deadlines/new"),
    ("Olga", "/desk/forms/new", "/forms/new"),
    ("Olga", "/desk/circulars/new", "/circulars/new"),
    ("Olga", "/desk/saved-answers/new", "/saved-answers"),
    ("Olga", "/desk/faq/new", "/faq"),
    ("Olga", "/desk/tags", "/tags"),
    ("Olga", "/desk/categories", "/categories"),
    ("Olga", "/desk/updates/{update_id}/return", "/return"),
    ("Anna", "/desk/account", "/password"),
    ("Anna", "/desk/account/second-factor/codes", "/codes"),
    ("Anna", "/desk/office", "/staff"),
    ("Anna", "/desk/office/groups", "/groups"),
    ("Anna", "/desk/office/staff/{staff_id}/roles", "/roles"),
)


async def test_axe_finds_nothing_where_a_form_comes_back_with_what_is_wrong(house: House, inspector: Inspector) -> None:
    page, refused = inspector.window.page, []
    page.on("response", lambda answer: refused.append(answer.status) if answer.request.method == "POST" else None)
    for who, address, end in REFUSED:
        await inspector.opens(who, address.format(**house.everything.things))
        form = page.locator(f"form[method=post][action$='{end.format(**house.everything.things)}']").first
        async with page.expect_navigation(wait_until="domcontentloaded"):
            await form.evaluate("form => HTMLFormElement.prototype.submit.call(form)")
        await inspector.looks(f"{address} sent empty")

    assert inspector.found == {}
    assert [where for where, status in zip(REFUSED, refused, strict=True) if status not in (409, 422)] == []
