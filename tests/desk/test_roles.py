"""Every route with every role. Who may what is written in `data/roles.txt`; a route that is not there fails.

One line a route: method, route, who may, and what a number answers that is not there (or somebody else's):

- `everybody`: public; `key`: a personal page; else the least role: `reader`, `volunteer`, `officer`, `admin`;
- `-` where the address has no number, else the status (404; 303 where the list says it is no longer there).
"""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from desk import health
from desk.app import PAGES
from intake.builtin import ensure_builtin_forms
from storage.people import new_personal_link
from storage.tables import Channel, Draft, DraftKind
from tests.desk.conftest import CSRF, Browser, Desk

FILE = Path(__file__).parent / "data" / "roles.txt"
RANKS = ("reader", "volunteer", "officer", "admin")
PEOPLE = {"reader": "Rita", "volunteer": "Vera", "officer": "Olga", "admin": "Anna"}
ABSENT = 987_654
WORDS = {"token": "nonsense", "format": "csv", "kind": "xlsx", "key": "project-update", "number": "1"}
# What pages insist on before they look for the thing: with it they get as far as looking.
FIELDS = {
    "version": "1",
    "revision": "1",
    "after": "1",
    "text": "Una prova.",
    "reason": "Una prova.",
    "name": "Ada Esempio",
}
STREAMS = {"/desk/questions/{question_id}/presence"}  # they stay open: tests/desk/test_presence.py asks them
QUERY = {"old": "1", "new": "1"}
NOT_KNOWN = (
    "{line}\n  is a route that tests/desk/data/roles.txt does not know. Add it there as one line, ordered as in "
    "desk/app.py: method, route, who may (everybody, key, reader, volunteer, officer or admin: the least role that "
    "may) and what a number that is not there answers (404, or - when the address has no number)."
)


@dataclass(frozen=True)
class Rule:
    method: str
    route: str
    least: str
    absent: str

    @property
    def of_staff(self) -> bool:
        return self.least in RANKS

    def lets_in(self, role: str) -> bool:
        return RANKS.index(role) >= RANKS.index(self.least)

    def address(self, **values: object) -> str:
        return re.sub(r"{(\w+)}", lambda found: str(values.get(found[1], WORDS.get(found[1], ABSENT))), self.route)

    def names(self) -> set[str]:
        return set(re.findall(r"{(\w+)}", self.route))


def rules() -> list[Rule]:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [Rule(*line.split()) for line in lines if line.strip() and not line.startswith("#")]


def routes() -> set[tuple[str, str]]:
    return {
        (method, route.path)
        for module in (health, *PAGES)
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }


RULES = rules()
LEADS_ON = ("/desk/obligations/{obligation_id}",)  # a short address


def test_every_route_says_who_may() -> None:
    known = {(rule.method, rule.route) for rule in RULES}

    assert not (new := routes() - known), NOT_KNOWN.format(line="\n".join(f"{m} {r}" for m, r in sorted(new)))
    assert known - routes() == set(), "these routes are in roles.txt and no longer in the code: take them out"
    assert len(RULES) == len(known), "a route stands in roles.txt twice"


def test_every_line_of_the_rules_can_be_read() -> None:
    for rule in RULES:
        assert rule.least in (*RANKS, "everybody", "key"), rule
        assert (rule.absent == "-") == (not any(name.endswith("_id") for name in rule.names())), rule


async def ask(browser: Browser, rule: Rule, csrf: str, **values: object) -> httpx.Response:
    url = rule.address(**values)
    if rule.method == "POST":
        return await browser.post(url, data={**FIELDS, "csrf": csrf})
    return await browser.get(url, params=QUERY)


async def token_of(browser: Browser, page: str = "/desk/questions") -> str:
    found = CSRF.search((await browser.get(page, follow_redirects=True)).text)
    assert found is not None
    return found[1]


def to_sign_in(found: httpx.Response) -> bool:
    return found.status_code == 303 and found.headers["location"].startswith("/desk/sign-in")


@pytest.mark.parametrize("role", RANKS)
async def test_a_role_gets_what_it_may_and_a_number_that_is_not_there_answers_as_written(desk: Desk, role: str) -> None:
    wrong = []
    for rule in (rule for rule in RULES if rule.of_staff and rule.route != "/desk/sign-out"):
        async with desk.browser(PEOPLE[role]) as browser:
            status = (await ask(browser, rule, await token_of(browser))).status_code
        allowed = rule.lets_in(role)
        fits = status not in (403, 500) if rule.absent == "-" else status == int(rule.absent)
        if not (fits if allowed else status == 403):
            wrong.append(f"{rule.method} {rule.route} answers {status} to a {role}; roles.txt says {rule}")

    assert wrong == []


async def test_whoever_is_not_signed_in_is_sent_to_sign_in(desk: Desk) -> None:
    async with desk.browser() as browser:
        token = await token_of(browser)
        for rule in (rule for rule in RULES if rule.of_staff):
            found = await ask(browser, rule, token)
            assert to_sign_in(found), f"{rule.method} {rule.route} answers {found.status_code} to nobody"


async def test_what_everybody_may_see_asks_for_no_sign_in(desk: Desk) -> None:
    async with desk.browser() as browser:
        for rule in (rule for rule in RULES if rule.least == "everybody" and rule.method == "GET"):
            found = await ask(browser, rule, "")
            assert found.status_code not in (403, 500), rule


def the_things(desk: Desk) -> dict[str, object]:
    """One of most kinds, by the name that the addresses give it; and the keys of Ada, whose they are, and of Carla."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        place = cast.an_organization()
        project = cast.a_project(place)
        ada, carla = cast.a_referent("Ada Esempio", place, (project,)), cast.a_referent("Carla Esempio")
        form = ensure_builtin_forms(session, cast.now)
        deadline = cast.a_deadline(form, date(2026, 12, 10))
        draft = cast.add(
            Draft(
                kind=DraftKind.UPDATE,
                referent_id=ada.id,
                project_id=project.id,
                form_version_id=form.id,
                channel=Channel.WEB,
                created_at=cast.now,
                touched_at=cast.now,
            )
        )
        return {
            "organization_id": place.id,
            "project_id": project.id,
            "referent_id": ada.id,
            "question_id": cast.a_question(ada).id,
            "form_id": form.form_id,
            "deadline_id": deadline.id,
            "obligation_id": cast.an_obligation(deadline, project, date(2026, 12, 10), cast.now).id,
            "draft_id": draft.id,
            "staff_id": desk.people["Ugo"],
            "ada": new_personal_link(session, ada.id, cast.now),
            "carla": new_personal_link(session, carla.id, cast.now),
        }


@pytest.mark.parametrize("role", RANKS)
async def test_what_is_there_opens_for_who_may_and_for_nobody_else(desk: Desk, role: str) -> None:
    things = the_things(desk)
    async with desk.browser(PEOPLE[role]) as browser:
        for rule in RULES:
            if not rule.of_staff or rule.method != "GET" or not rule.names() <= things.keys():
                continue
            if rule.route in STREAMS:
                continue
            status = (await ask(browser, rule, "", **things)).status_code
            assert status in (200, 303, 404, 409) if rule.lets_in(role) else status == 403, (rule, status)
            if rule.lets_in(role) and rule.route.endswith("_id}") and rule.route not in LEADS_ON:
                assert status == 200, (rule, status)


async def test_what_is_adas_is_not_there_for_carla_nor_for_a_false_key(desk: Desk) -> None:
    things = the_things(desk)
    async with desk.browser() as browser:
        token = await token_of(browser)
        for rule in (rule for rule in RULES if rule.least == "key"):
            false = await ask(browser, rule, token, **things | {"token": "nonsense"})
            assert false.status_code == 404, (rule, "a false key", false.status_code)
            if rule.absent != "-":
                hers = await ask(browser, rule, token, **things | {"token": things["carla"]})
                assert hers.status_code == int(rule.absent), (rule, "Carla", hers.status_code)


async def test_adas_own_key_opens_what_is_hers(desk: Desk) -> None:
    things = the_things(desk)
    opened = 0
    async with desk.browser() as browser:
        for rule in RULES:
            if rule.least == "key" and rule.method == "GET" and rule.names() <= {"token", "question_id", "draft_id"}:
                found = await ask(browser, rule, "", **things | {"token": things["ada"]})
                assert found.status_code != 403, rule
                opened += found.status_code == 200

    assert opened >= 5
