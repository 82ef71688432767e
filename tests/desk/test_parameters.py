"""T33: every number or name that a query or a form carries beside the address. On a personal page what is somebody
else's is refused, nothing changes, and it is written down; a number that no database holds breaks no page.

The parameters are those that FastAPI knows of each route; one that is not in `data/parameters.txt` fails.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy import text
from sqlmodel import SQLModel, select

from desk.app import PAGES
from storage.tables import (
    Audit,
    Circular,
    FaqEntry,
    Following,
    Membership,
    MunicipalityGroup,
    Referent,
    SavedAnswer,
)
from tests.desk.conftest import Desk
from tests.desk.test_roles import FIELDS, RULES, Rule, the_things, token_of

FILE = Path(__file__).parent / "data" / "parameters.txt"
LINES = [line.split() for line in FILE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
THINGS = {name for kind, name in LINES if kind == "thing"}
WORDS = {name for kind, name in LINES if kind == "word"}
SHAPED = {"pick": "{}:1", "act": "assign:{}"}
FREE = {"/desk/account/notices"}  # it asks for one field of each kind of notice
UNCHANGED_BUT_FOR = {"audit", "audit_link", "staff_session", "presence", "personal_link", "sign_in_attempt", "lease"}
KNOWN = "{name} of {route}: say in data/parameters.txt whether it names a thing of ours, or is a word."


@dataclass(frozen=True)
class Parameter:
    rule: Rule
    name: str
    number: bool  # and nothing but a number


def dependants(one: Dependant) -> Iterator[Dependant]:
    yield one
    for inner in one.dependencies:
        yield from dependants(inner)


def parameters() -> Iterator[Parameter]:
    rules = {(rule.method, rule.route): rule for rule in RULES}
    for module in PAGES:
        for route in (one for one in module.router.routes if isinstance(one, APIRoute)):
            rule = rules[next(iter(route.methods or ())), route.path]
            for one in dependants(route.dependant):
                for field in (*one.query_params, *one.body_params):
                    asked = field.field_info.annotation
                    fields = getattr(asked, "model_fields", {})
                    yield from (Parameter(rule, name, inner.annotation is int) for name, inner in fields.items())
                    if not fields:
                        yield Parameter(rule, field.name, asked in (int, int | None, list[int] | None))


EVERY = tuple(parameters())
NAMING = tuple(one for one in EVERY if one.name in THINGS)


def test_of_every_parameter_it_is_known_whether_it_names_a_thing() -> None:
    asked = {(one.name, one.rule.route) for one in EVERY if one.rule.route not in FREE}
    unknown = [(name, route) for name, route in asked if name not in THINGS | WORDS]

    assert not unknown, "\n".join(KNOWN.format(name=name, route=route) for name, route in sorted(unknown))
    assert {*THINGS, *WORDS} == {name for name, route in asked}, "out of parameters.txt: no page asks for them"
    assert len(NAMING) > 60


# --- what no database holds


def furnished(desk: Desk) -> dict[str, object]:
    """`the_things`, and one of each that is arranged at the desk."""
    things = the_things(desk)
    with desk.house.database.write() as session:
        cast, olga = desk.cast(session), desk.people["Olga"]
        saved = SavedAnswer(title="Saluto", text="Ciao.", created_by=olga, created_at=cast.now, changed_at=cast.now)
        entry = FaqEntry(question="Chi?", answer="Noi.", proposed_by=olga, created_at=cast.now, changed_at=cast.now)
        circular = Circular(subject="Nuova", text="Testo", created_by=olga, created_at=cast.now, changed_at=cast.now)
        return things | {
            "saved_id": cast.add(saved).id,
            "entry_id": cast.add(entry).id,
            "circular_id": cast.add(circular).id,
            "group_id": cast.add(MunicipalityGroup(name="Altomilanese", created_at=cast.now)).id,
        }


async def test_a_number_that_no_database_holds_breaks_no_page(desk: Desk) -> None:
    things = furnished(desk)
    bad = "9" * 40 if desk.house.database.is_sqlite else str(2**31)
    wrong = []
    async with desk.browser("Anna") as staff, desk.browser() as carla:
        tokens = {staff: await token_of(staff), carla: await token_of(carla)}
        for one in (one for one in EVERY if one.number or one in NAMING):
            browser = carla if one.rule.least == "key" else staff
            url = one.rule.address(**things | {"token": things["carla"]})
            sent = {one.name: SHAPED.get(one.name, "{}").format(bad)}
            if one.rule.method == "GET":
                found = await browser.get(url, params=sent)
            else:
                found = await browser.post(url, data=FIELDS | {"csrf": tokens[browser]} | sent)
            if found.status_code >= 500:
                wrong.append(f"{one.rule.method} {one.rule.route} {one.name}")

    assert not wrong


def everything(desk: Desk) -> dict[str, Any]:
    """All rows, but for what stands in a log or says who is looking."""
    with desk.house.database.read() as session:
        names = sorted(SQLModel.metadata.tables.keys() - UNCHANGED_BUT_FOR)
        return {name: sorted(map(repr, session.execute(text(f'SELECT * FROM "{name}"')))) for name in names}


# --- what is somebody else's

PERSONAL = [one for one in NAMING if one.rule.least == "key" and one.name not in ("about", "who", "helped")]
# The page with nothing chosen; a sentence on the page that one came from.
SAID_OTHERWISE = {("GET", "project"): 200, ("POST", "substitute"): 303}


@pytest.mark.parametrize("one", PERSONAL, ids=lambda one: f"{one.rule.method} {one.rule.route} {one.name}")
async def test_what_is_adas_is_nothing_to_carla_and_the_asking_is_written_down(desk: Desk, one: Parameter) -> None:
    things = the_things(desk)
    with desk.house.database.write() as session:
        cast, carla = desk.cast(session), session.exec(select(Referent).where(Referent.name == "Carla Esempio")).one()
        town = cast.an_organization("Corbetta")
        own = cast.a_project(town, title="Il suo")
        cast.add(Following(referent_id=carla.id, project_id=own.id, since=cast.now))
        cast.add(Membership(referent_id=carla.id, organization_id=town.id))
    foreign = things.get(one.name) or things.get(f"{one.name}_id") or things["referent_id"]
    before = everything(desk)

    async with desk.browser() as browser:
        days = {"first": "2026-12-01", "last": "2026-12-04"}
        sent: dict[str, Any] = days | {
            "form_id": things["form_id"],
            "text": "Prova",
            "revision": "0",
            one.name: foreign,
        }
        address = one.rule.address(**things | {"token": things["carla"]})
        if one.rule.method == "GET":
            found = await browser.get(address, params=sent)
        else:
            found = await browser.post(address, data=sent | {"csrf": await token_of(browser)})

    assert "Ex mercato" not in found.text
    if one.name != "form_id":  # a form is for all
        assert everything(desk) == before
        usual = SAID_OTHERWISE.get((one.rule.method, one.name))
        assert found.status_code == usual or (not usual and found.status_code in (404, 409, 422)), found.status_code
    with desk.house.database.read() as session:
        denied = session.exec(select(Audit).where(Audit.action == "denied")).all()
    assert len(denied) == (found.status_code == 404)
