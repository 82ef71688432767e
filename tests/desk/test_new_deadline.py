"""Making a deadline in plain words: templates, the days it comes on, whom it is for, what counts as done."""

import re
from datetime import date

import pytest
from sqlmodel import col, select

from desk.deadline_templates import TEMPLATES
from storage.tables import (
    Closure,
    DoneWhen,
    Form,
    Moved,
    Obligation,
    Organization,
    Project,
    Role,
    Staff,
    Target,
    TargetKind,
)
from tests.desk.conftest import Desk
from tests.desk.test_deadlines_pages import NEW, furnish, made, press


async def _filled_in(desk: Desk, template: str) -> dict[str, str]:
    """The form as a browser would send it."""
    page = (await desk.browser("Olga").get(f"{NEW}?template={template}")).text
    form = page.split('class="deadline-form">')[1]
    values = dict(re.findall(r'<input class="form-control" id="f-[a-z_]+" name="([a-z_]+)"[^>]* value="([^"]*)"', form))
    values |= dict(re.findall(r'type="radio" [^>]*name="([a-z_]+)" value="([^"]*)" checked', form))
    values |= dict(re.findall(r'type="checkbox" [^>]*name="([a-z_]+)" value="([^"]*)" checked', form))
    for name, options in re.findall(r'<select [^>]*name="([a-z_]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        values[name] = chosen[1] if chosen else re.findall(r'value="([^"]*)"', options)[0]
    return values


async def test_a_new_deadline_begins_with_the_templates(desk: Desk) -> None:
    page = (await desk.browser("Olga").get(NEW)).text

    assert [f"{NEW}?template={one.key}" in page for one in TEMPLATES] == [True] * 6
    assert f"{NEW}?template=blank" in page
    assert "Domanda di rimborso" in page


@pytest.mark.parametrize("template", [one.key for one in TEMPLATES])
async def test_each_template_can_be_made_as_it_is(desk: Desk, template: str) -> None:
    furnish(desk)
    with desk.house.database.write() as session:
        for project in session.exec(select(Project)):
            project.phase = "03005"
    form_id = furnished_form(desk)

    wish = await _filled_in(desk, template)
    status, text = await press(desk, "Olga", wish | {"form_id": form_id, "step": "check"})
    await press(desk, "Olga", wish | {"form_id": form_id, "step": "create"})

    assert status == 200, re.findall(r"field-error.*", text)
    (deadline,) = made(desk)
    assert deadline.rule
    with desk.house.database.read() as session:
        assert len(set(session.exec(select(Obligation.project_id)))) == 3


def furnished_form(desk: Desk) -> str:
    with desk.house.database.read() as session:
        return str(session.exec(select(Form.id).where(Form.about == "project")).first())


async def test_what_is_said_is_kept(desk: Desk) -> None:
    wish = furnish(desk)
    officer = desk.people["Olga"]

    await press(
        desk,
        "Olga",
        wish
        | {"often": "quarterly", "on": "last-working", "month": "12", "grace": "3", "done_when": "accepted"}
        | {"officer_id": str(officer), "keeps": "1", "excluded": "Corsico", "step": "create"},
    )

    (deadline,) = made(desk)
    assert (deadline.rule, deadline.moved) == ("FREQ=MONTHLY;BYMONTH=3,6,9,12;BYMONTHDAY=-1", Moved.PREVIOUS)
    assert (deadline.grace_days, deadline.done_when, deadline.follows) == (3, DoneWhen.ACCEPTED, False)
    assert deadline.officer_id == officer
    with desk.house.database.read() as session:
        (line,) = session.exec(select(Target))
        corsico = session.exec(select(Organization.id).where(Organization.name == "Corsico")).one()
    assert (line.kind, line.target_id, line.excluded) == (TargetKind.ORGANIZATION, corsico, True)


async def test_the_page_of_a_deadline_says_all_of_it_in_words(desk: Desk) -> None:
    wish = furnish(desk) | {"often": "weekly", "weekday": "4", "moved": "next", "grace": "1", "excluded": "Corsico"}
    await press(desk, "Olga", wish | {"officer_id": str(desk.people["Olga"]), "step": "create"})

    page = (await desk.browser("Rita").get(f"/desk/deadlines/{made(desk)[0].id}")).text

    for words in (
        "Ogni venerdì",
        "si sposta al successivo lavorativo",
        "esclusi Corsico",
        "fino a un giorno dopo",
        "quando è stato inviato",
        "7 giorni prima · un giorno prima · il giorno stesso",
        "Seguita da",
    ):
        assert words in page


async def test_checking_says_why_a_day_was_moved_and_for_whom_it_is_another(desk: Desk) -> None:
    wish = furnish(desk) | {"often": "once", "due_on": "2026-12-08", "moved": "next"}
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        melzo = session.exec(select(Organization.id).where(Organization.name == "Melzo")).one()
        day = date(2019, 12, 9)
        cast.add(Closure(organization_id=melzo, day=day, name="Patrono", yearly=True, created_at=cast.now))

    _status, text = await press(desk, "Olga", wish)

    assert "mercoledì 9 dicembre 2026" in text
    assert "al posto di martedì 8 dicembre 2026, Immacolata" in text
    assert "un altro giorno per un ente" in text


async def test_the_days_are_shown_while_somebody_types(desk: Desk) -> None:
    typed = {"often": "monthly", "on": "weekday", "nth": "1", "weekday": "0", "first_on": "2026-12-01"}
    olga = desk.browser("Olga")

    part = (await olga.get(f"{NEW}/days", params=typed)).text
    early = await olga.get(f"{NEW}/days", params=typed | {"first_on": ""})
    odd = await olga.get(f"{NEW}/days", params=typed | {"first_on": "9999-12-31", "nth": "x" * 9000})

    assert part.count("<li>") == 12
    assert "lunedì 7 dicembre 2026" in part
    assert "<html" not in part
    assert (early.status_code, odd.status_code) == (200, 200)
    assert "Compaiono qui" in early.text


@pytest.mark.parametrize(
    "odd",
    [
        {"officer_id": "999999"},
        {"officer_id": "-1"},
        {"ladder_id": "7" * 40},
        {"scope": "some", "programme": str(2**70)},
        {"scope": "some", "phase": "3005"},
        {"first_on": "9999-12-31"},
        {"zone": "Europe/\x00"},
        {"cups": "\x00", "scope": "some"},
        {"excluded": "\x00"},
    ],
)
async def test_what_no_browser_would_send_is_refused_with_a_sentence(desk: Desk, odd: dict[str, str]) -> None:
    status, text = await press(desk, "Olga", furnish(desk) | odd | {"step": "create"})

    assert status == 422
    assert "alert-danger" in text
    assert made(desk) == []


async def test_only_who_may_follow_a_deadline_is_offered(desk: Desk) -> None:
    page = (await desk.browser("Olga").get(f"{NEW}?template=blank")).text

    options = page.split('name="officer_id"')[1].split("</select>")[0]
    with desk.house.database.read() as session:
        staff = session.exec(select(Staff).where(col(Staff.active))).all()
    may = {one.name for one in staff if one.role in (Role.ADMIN, Role.OFFICER)}
    assert {name for name in re.findall(">([^<]+)<", options) if name in {one.name for one in staff}} == may


@pytest.mark.parametrize("who", ["Rita", "Vera"])
async def test_who_may_make_no_deadline_sees_no_days_of_one(desk: Desk, who: str) -> None:
    assert (await desk.browser(who).get(f"{NEW}/days")).status_code == 403
