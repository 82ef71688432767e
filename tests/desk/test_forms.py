"""The forms in use: the list, the versions of each, what is different between two, out of use and back."""

import re

import pytest
from sqlmodel import select

from facts.recurrence import ONCE
from intake.forms.builtin import builtin_form
from intake.forms.document import from_document
from intake.forms.xlsform.reading import read_xlsform
from reminders.deadlines import create_deadline, stop_deadline
from storage.tables import Audit, Subject
from tests.desk.conftest import Desk
from tests.desk.forms import (
    ASKED_OTHERWISE,
    NEW,
    QUESTION,
    changed,
    furnish,
    proposed,
    published,
    text_of,
    the_form,
    versions,
)


def a_deadline(desk: Desk, form_id: int, title: str = "Monitoraggio") -> int:
    with desk.house.database.write() as session:
        return create_deadline(
            session,
            title=title,
            form_id=form_id,
            subject=Subject.PROJECT,
            rule=ONCE,
            first_on=desk.house.clock().date(),
            until=None,
            zone="Europe/Rome",
            opens_days_before=20,
            targets=(),
            created_by=desk.people["Olga"],
            now=desk.house.clock(),
        ).id


async def test_without_forms_the_page_says_what_to_do(desk: Desk) -> None:
    page = (await desk.browser("Olga").get("/desk/forms")).text

    assert "Ancora nessun modulo" in page
    assert NEW in page


async def test_the_list_says_what_hangs_on_each_form(desk: Desk) -> None:
    form_id = furnish(desk)
    a_deadline(desk, form_id)

    page = (await desk.browser("Rita").get("/desk/forms")).text

    row = next(one for one in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if "project-update" in one)
    assert text_of(row).startswith("Aggiornamento progetto project-update 1 del 24 nov 2026 Ogni progetto 1 0 0")
    assert "Ogni ente" in page
    assert page.count(f'href="/desk/forms/{form_id}"') == 1


async def test_the_versions_say_who_published_them_and_which_is_in_use(desk: Desk) -> None:
    form_id = furnish(desk)
    olga = desk.browser("Olga")
    await published(olga, changed(), "aggiornamento 2027.md")

    said = text_of((await olga.get(f"/desk/forms/{form_id}")).text)

    assert re.search(r"Versione 2 In uso 24/11/2026 10:00 Olga Esempio · aggiornamento 2027.md 0 0", said)
    assert re.search(r"Versione 1 24/11/2026 10:00 di serie con Raccordo 0 0", said)


async def test_the_deadlines_that_ask_it_are_named(desk: Desk) -> None:
    form_id = furnish(desk)
    deadline = a_deadline(desk, form_id)

    page = (await desk.browser("Rita").get(f"/desk/forms/{form_id}")).text

    assert f'href="/desk/deadlines/{deadline}"' in page
    assert "sempre la versione più recente" in page


@pytest.mark.parametrize("kind", ["xlsx", "md"])
async def test_each_version_is_exported_as_it_was(desk: Desk, kind: str) -> None:
    form_id = furnish(desk)
    olga = desk.browser("Olga")
    await published(olga, changed())

    files = [await olga.get(f"/desk/forms/{form_id}/versions/{number}/file.{kind}") for number in (1, 2)]

    read = [read_xlsform(file.content, f"a.{kind}").form for file in files]
    assert read == [from_document(one.definition) for one in reversed(versions(desk))]
    assert read[0] == builtin_form("project-update")
    assert files[1].headers["content-disposition"] == f"attachment; filename*=UTF-8''project-update-2.{kind}"
    assert files[1].headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(("old", "new"), [(1, 2), (2, 1)])
async def test_two_versions_are_compared_the_older_first(desk: Desk, old: int, new: int) -> None:
    form_id = furnish(desk)
    olga = desk.browser("Olga")
    await published(olga, changed())

    said = text_of((await olga.get(f"/desk/forms/{form_id}/compare?old={old}&new={new}")).text)

    assert "Dalla versione 1 alla versione 2" in said
    assert f"prima «{QUESTION}», ora «{ASKED_OTHERWISE}»" in said


async def test_a_version_compared_with_itself_is_the_same(desk: Desk) -> None:
    form_id = furnish(desk)

    page = (await desk.browser("Rita").get(f"/desk/forms/{form_id}/compare?old=1&new=1")).text

    assert "Nessuna differenza" in page


async def test_an_older_version_says_which_one_is_in_use(desk: Desk) -> None:
    form_id = furnish(desk)
    olga = desk.browser("Olga")
    await published(olga, changed())

    older, newest = [(await olga.get(f"/desk/forms/{form_id}/versions/{number}")).text for number in (1, 2)]

    assert "La versione in uso è la 2" in older
    assert "La versione in uso" not in newest


@pytest.mark.parametrize(
    "path",
    [
        "/9999",
        "/9999/retire",
        "/9999/versions/1",
        "/9999/versions/1/file.md",
        "/{form}/versions/7",
        f"/{{form}}/versions/{2**62}",
        "/{form}/versions/7/file.xlsx",
        f"/{{form}}/versions/{2**62}/file.xlsx",
        "/{form}/versions/1/file.pdf",
        "/{form}/compare?old=1&new=7",
        "/proposals/9999",
        "/proposals/9999/file",
        "/proposals/9999/publish",
    ],
)
async def test_what_is_not_there_is_said_kindly(desk: Desk, path: str) -> None:
    form_id = furnish(desk)

    assert (await desk.browser("Olga").get("/desk/forms" + path.format(form=form_id))).status_code == 404


@pytest.mark.parametrize("numbers", ["", "?old=1", "?old=-1&new=1", f"?old=1&new={2**31}", "?old=uno&new=due"])
async def test_versions_that_no_form_can_have_are_not_compared(desk: Desk, numbers: str) -> None:
    form_id = furnish(desk)

    assert (await desk.browser("Olga").get(f"/desk/forms/{form_id}/compare{numbers}")).status_code == 422


# --- out of use, and back


async def test_a_form_is_retired_after_a_question_and_brought_back(desk: Desk) -> None:
    form_id = furnish(desk)
    url = f"/desk/forms/{form_id}"
    olga = desk.browser("Olga")

    asked = text_of((await olga.get(f"{url}/retire")).text)
    await olga.send_form(f"{url}/retire", page=f"{url}/retire")
    retired = (await olga.get(url)).text
    listed = text_of((await olga.get("/desk/forms")).text)
    again = await olga.get(f"{url}/retire")
    await olga.send_form(f"{url}/revive", page=url)

    assert "Ritirare questo modulo?" in asked
    assert "Ritirato il 24 nov 2026" in retired
    assert "Aggiornamento progetto Ritirato" in listed
    assert again.headers["location"] == url
    assert the_form(desk).retired_at is None


async def test_retiring_twice_is_written_down_once(desk: Desk) -> None:
    url = f"/desk/forms/{furnish(desk)}"
    olga = desk.browser("Olga")

    for _ in range(2):
        await olga.send_form(f"{url}/retire", page=NEW)
    for _ in range(2):
        await olga.send_form(f"{url}/revive", page=NEW)

    with desk.house.database.read() as session:
        acts = session.exec(select(Audit.action).where(Audit.object_kind == "form", Audit.actor_kind == "staff")).all()
    assert acts == ["form.retire", "form.revive"]


async def test_while_a_deadline_asks_it_a_form_stays_and_the_deadline_is_named(desk: Desk) -> None:
    form_id = furnish(desk)
    deadline = a_deadline(desk, form_id, "Rendiconto finale")
    url = f"/desk/forms/{form_id}"
    olga = desk.browser("Olga")

    asked = (await olga.get(f"{url}/retire")).text
    await olga.send_form(f"{url}/retire", page=NEW)
    told = (await olga.get(url)).text

    assert f'href="/desk/deadlines/{deadline}"' in asked
    assert f'action="{url}/retire"' not in asked
    assert "ancora chiesto da scadenze attive: “Rendiconto finale”" in told
    assert the_form(desk).retired_at is None


async def test_when_its_deadlines_are_stopped_a_form_can_be_retired(desk: Desk) -> None:
    form_id = furnish(desk)
    deadline = a_deadline(desk, form_id)
    with desk.house.database.write() as session:
        stop_deadline(session, deadline, "Basta", None, desk.house.clock())

    await desk.browser("Olga").send_form(f"/desk/forms/{form_id}/retire", page=f"/desk/forms/{form_id}/retire")

    assert the_form(desk).retired_at is not None


# --- Carla may not


@pytest.mark.parametrize("who", ["Rita", "Vera", None])
async def test_readers_and_volunteers_retire_nothing(desk: Desk, who: str | None) -> None:
    form_id = furnish(desk)
    browser, page = desk.browser(who), "/desk/questions" if who else "/desk/sign-in"
    refused = 403 if who else 303

    pressed = [await browser.send_form(f"/desk/forms/{form_id}/{what}", page=page) for what in ("retire", "revive")]
    looked = await browser.get(f"/desk/forms/{form_id}/retire")

    assert [one.status_code for one in pressed] == [refused, refused]
    assert looked.status_code == refused
    assert the_form(desk).retired_at is None


@pytest.mark.parametrize("who", ["Rita", "Vera"])
async def test_readers_and_volunteers_look_at_versions_and_see_no_button(desk: Desk, who: str) -> None:
    form_id = furnish(desk)
    await published(desk.browser("Olga"), changed())
    browser = desk.browser(who)

    paths = ("", f"/{form_id}", f"/{form_id}/versions/2", f"/{form_id}/compare?old=1&new=2")
    pages = [await browser.get(f"/desk/forms{path}") for path in paths]

    assert [page.status_code for page in pages] == [200] * 4
    assert not any(button in page.text for page in pages for button in (NEW, "/retire", "/revive"))


@pytest.mark.parametrize(
    "path", ["/{form}", "/{form}/versions/1", "/{form}/versions/1/file.md", "/beginnings/local-need.md"]
)
async def test_carla_who_has_no_account_sees_no_version(desk: Desk, path: str) -> None:
    form_id = furnish(desk)

    assert (await desk.browser().get("/desk/forms" + path.format(form=form_id))).status_code == 303


async def test_nobody_but_staff_gets_an_uploaded_file(desk: Desk) -> None:
    url = await proposed(desk.browser("Olga"), changed())

    assert (await desk.browser().get(f"{url}/file")).status_code == 303
