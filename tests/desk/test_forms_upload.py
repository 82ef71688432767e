"""From a file to a form in use: what is wrong with it, how it looks, what publishing would do, and that it is done."""

import html
import io
import re

import pytest
from openpyxl import load_workbook
from sqlmodel import Session, select

from facts.recurrence import ONCE
from intake.forms.builtin import builtin_file, builtin_form
from intake.forms.xlsform.files import LARGEST_FILE
from intake.forms.xlsform.reading import read_xlsform
from intake.forms.xlsform.writing import to_xlsx
from storage.tables import Audit, Channel, Deadline, Draft, DraftKind, FormProposal
from tests.desk.conftest import CSRF, Desk
from tests.desk.forms import (
    ASKED_OTHERWISE,
    BROKEN,
    NEW,
    another,
    changed,
    furnish,
    numbers,
    proposed,
    publish,
    published,
    text_of,
    the_form,
    the_proposal,
    upload,
    versions,
)


def proposals(desk: Desk) -> int:
    with desk.house.database.read() as session:
        return len(session.exec(select(FormProposal.id)).all())


def a_draft(session: Session, desk: Desk, version_id: int) -> None:
    cast, now = desk.cast(session), desk.house.clock()
    place = cast.an_organization()
    project = cast.a_project(place)
    ada = cast.a_referent(organization=place, projects=(project,))
    cast.add(
        Draft(
            kind=DraftKind.UPDATE,
            referent_id=ada.id,
            project_id=project.id,
            form_version_id=version_id,
            channel=Channel.TELEGRAM,
            created_at=now,
            touched_at=now,
        )
    )


# --- what is wrong


async def test_problems_are_told_with_sheet_row_column_and_what_to_do(desk: Desk) -> None:
    olga = desk.browser("Olga")

    page = (await olga.get(await proposed(olga, BROKEN.encode()))).text

    said = text_of(page)
    assert "survey 3 type Il tipo «txet» non esiste. Intendi «text»?" in said
    assert "Da correggere" in said
    assert "/publish" not in page


async def test_a_file_with_problems_is_kept_as_it_came(desk: Desk) -> None:
    olga = desk.browser("Olga")
    url = await proposed(olga, BROKEN.encode(), "domande sbagliate.md")

    answer = await olga.get(f"{url}/file")

    assert answer.content == BROKEN.encode()
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''domande%20sbagliate.md"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "domande sbagliate.md" in (await olga.get("/desk/forms")).text


async def test_what_has_problems_is_never_published(desk: Desk) -> None:
    olga = desk.browser("Olga")
    url = await proposed(olga, BROKEN.encode())

    asked = await olga.get(f"{url}/publish")
    answer = await olga.send_form(f"{url}/publish", page=NEW, after="0")

    assert (asked.status_code, asked.headers["location"]) == (303, url)
    assert answer.status_code == 404
    assert numbers(desk, "modulo") == []


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "vuoto.xlsx", "Il file è vuoto"),
        (b"x" * (LARGEST_FILE + 1), "grande.xlsx", "Il file è di 17 MB: un modulo al massimo di 16"),
    ],
)
async def test_what_cannot_be_a_form_is_said_beside_the_field_and_not_kept(
    desk: Desk, content: bytes, name: str, said: str
) -> None:
    answer = await upload(desk.browser("Olga"), content, name)

    error = re.search(r'id="e-file">(.+?)</p>', answer.text)
    assert answer.status_code == 422
    assert error is not None
    assert said in error[1]
    assert proposals(desk) == 0


@pytest.mark.parametrize("empty", ['; filename=""\r\nContent-Type: application/octet-stream', ""])
async def test_without_a_file_it_is_asked_for(desk: Desk, empty: str) -> None:
    """As browsers send a field in which nothing was chosen, and as they do not."""
    olga = desk.browser("Olga")
    found = CSRF.search((await olga.get(NEW)).text)
    assert found is not None
    parts = [f'name="csrf"\r\n\r\n{found[1]}', *([f'name="file"{empty}\r\n\r\n'] if empty else [])]
    body = "".join(f"--x\r\nContent-Disposition: form-data; {part}\r\n" for part in parts) + "--x--\r\n"

    answer = await olga.post(NEW, content=body, headers={"content-type": "multipart/form-data; boundary=x"})

    assert answer.status_code == 422
    assert "Prima scegli il file" in answer.text


async def test_warnings_stop_nothing_and_are_told(desk: Desk) -> None:
    olga = desk.browser("Olga")
    unused = another().replace(
        b"| settings |", b"| choices |\n| | list_name | name | label |\n| | a | b | B |\n| settings |"
    )

    page = (await olga.get(await proposed(olga, unused))).text

    assert "Nessuna domanda usa l" in html.unescape(page)
    assert "/publish" in page


# --- publishing


async def test_a_changed_form_is_published_listed_exported_and_the_same_again_is_nothing_to_publish(desk: Desk) -> None:
    furnish(desk)
    olga = desk.browser("Olga")

    url = await published(olga, changed(), "aggiornamento.md")

    newest = versions(desk)[0]
    assert (newest.number, newest.source, newest.published_by) == (2, "aggiornamento.md", desk.people["Olga"])
    assert re.search(r">2</span>\s+<span[^>]+>del 24 nov 2026", (await olga.get("/desk/forms")).text)
    exported = (await olga.get(f"{url}/file.xlsx")).content
    assert any(ASKED_OTHERWISE in row for row in load_workbook(io.BytesIO(exported))["survey"].values)
    again = await proposed(olga, exported, "scaricato.xlsx")
    page = (await olga.get(again)).text
    assert "da pubblicare" in html.unescape(page)
    assert "Diventa" not in page
    assert "/publish" not in page
    assert (await olga.get(f"{again}/publish")).headers["location"] == again


async def test_before_publishing_it_says_what_becomes_of_drafts_and_deadlines(desk: Desk) -> None:
    form_id = furnish(desk)
    olga = desk.browser("Olga")
    with desk.house.database.write() as session:
        version_id = versions(desk)[0].id
        a_draft(session, desk, version_id)
        for title, fixed in (("Mensile", None), ("Finale", version_id)):
            desk.cast(session).add(
                Deadline(
                    title=title,
                    form_id=form_id,
                    form_version_id=fixed,
                    rule=ONCE,
                    first_on=desk.house.clock().date(),
                    created_at=desk.house.clock(),
                )
            )
    url = await proposed(olga, changed())

    said = text_of((await olga.get(f"{url}/publish")).text)

    assert "Una bozza già cominciata si finisce sulla sua versione" in said
    assert "Queste scadenze da adesso chiedono la nuova versione: Mensile" in said
    assert "Queste scadenze restano sulla versione scelta per loro: Finale" in said


async def test_a_new_form_is_published_as_its_first_version(desk: Desk) -> None:
    olga = desk.browser("Olga")

    url = await published(olga, another("parere", "organization"))

    form = the_form(desk, "parere")
    assert url == f"/desk/forms/{form.id}/versions/1"
    assert (form.title, form.about) == ("Parere", "organization")


async def test_publishing_is_written_down(desk: Desk) -> None:
    await published(desk.browser("Olga"), another())

    with desk.house.database.read() as session:
        acts = session.exec(select(Audit).where(Audit.object_kind.startswith("form"))).all()
    assert [(one.action, one.actor_id) for one in acts] == [
        ("form.propose", desk.people["Olga"]),
        ("form.publish", desk.people["Olga"]),
    ]


async def test_pressed_twice_it_is_published_once(desk: Desk) -> None:
    olga = desk.browser("Olga")
    url = await proposed(olga, another())
    await publish(olga, url)

    again = await olga.send_form(f"{url}/publish", page=NEW, after="0")

    assert again.headers["location"].endswith("/versions/1")
    assert numbers(desk, "parere") == [1]
    assert (await olga.get(url)).headers["location"].endswith("/versions/1")


async def test_what_was_compared_with_an_older_version_is_looked_at_again(desk: Desk) -> None:
    furnish(desk)
    olga, ugo = desk.browser("Olga"), desk.browser("Ugo")
    olgas = await proposed(olga, changed())
    await published(ugo, changed("Quanto è stato liquidato?"))

    answer = await olga.send_form(f"{olgas}/publish", page=f"{olgas}/publish", after="1")

    assert answer.headers["location"] == olgas
    assert "Intanto qualcun altro ha pubblicato" in (await olga.get(olgas)).text
    assert numbers(desk) == [2, 1]


async def test_a_form_about_something_else_is_refused_before_anybody_presses(desk: Desk) -> None:
    furnish(desk)
    olga = desk.browser("Olga")
    url = await proposed(olga, another("project-update", "organization"))

    page = (await olga.get(url)).text

    assert "è un altro modulo" in page
    assert "/publish" not in page


async def test_a_retired_form_is_in_use_again_when_it_is_published(desk: Desk) -> None:
    form_id = furnish(desk)
    olga = desk.browser("Olga")
    await olga.send_form(f"/desk/forms/{form_id}/retire", page=f"/desk/forms/{form_id}/retire")
    url = await proposed(olga, changed())

    asked = (await olga.get(f"{url}/publish")).text
    await publish(olga, url)

    assert "torna in uso" in asked
    assert the_form(desk).retired_at is None


async def test_a_file_is_thrown_away_and_nothing_else(desk: Desk) -> None:
    olga = desk.browser("Olga")
    await published(olga, another())
    url = await proposed(olga, BROKEN.encode())

    answer = await olga.send_form(f"{url}/discard", page=url)

    assert answer.headers["location"] == "/desk/forms"
    assert the_proposal(desk, url) is None
    assert (await olga.get(url)).status_code == 404
    assert numbers(desk, "parere") == [1]


async def test_what_was_published_is_not_thrown_away(desk: Desk) -> None:
    olga = desk.browser("Olga")
    url = await proposed(olga, another())
    await publish(olga, url)

    answer = await olga.send_form(f"{url}/discard", page=NEW)

    assert answer.status_code == 404
    assert the_proposal(desk, url) is not None


# --- beginnings


@pytest.mark.parametrize("key", ["project-update", "project-census", "local-need", "event-registration"])
async def test_the_forms_that_come_along_are_taken_as_a_beginning(desk: Desk, key: str) -> None:
    olga = desk.browser("Olga")
    page = (await olga.get(NEW)).text

    excel = (await olga.get(f"/desk/forms/beginnings/{key}.xlsx")).content
    markdown = (await olga.get(f"/desk/forms/beginnings/{key}.md")).content

    assert f"/desk/forms/beginnings/{key}.xlsx" in page
    assert read_xlsform(excel, f"{key}.xlsx").form == builtin_form(key)
    assert markdown == builtin_file(key)


@pytest.mark.parametrize("name", ["nothing.xlsx", "project-update.csv", "../nodes.md"])
async def test_there_are_no_other_beginnings(desk: Desk, name: str) -> None:
    assert (await desk.browser("Olga").get(f"/desk/forms/beginnings/{name}")).status_code == 404


# --- files that are no forms


def _password() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le")


BAD = [
    (b"\x89PNG\r\n\0\0", "foto.png", "non è Excel"),
    (_password(), "chiuso.xlsx", "password"),
    (to_xlsx(builtin_form("project-update"))[:4000], "rotto.xlsx", "non si apre"),
]


@pytest.mark.parametrize(("content", "name", "said"), BAD)
async def test_a_file_that_is_no_form_gets_its_sentence_and_changes_nothing(
    desk: Desk, content: bytes, name: str, said: str
) -> None:
    furnish(desk)
    olga = desk.browser("Olga")

    page = html.unescape((await olga.get(await proposed(olga, content, name))).text)

    assert said in page
    assert numbers(desk) == [1]


# --- Carla may not


@pytest.mark.parametrize("url", ["/desk/forms", NEW, "/desk/forms/1", "/desk/forms/proposals/1"])
async def test_carla_who_has_no_account_sees_no_form(desk: Desk, url: str) -> None:
    assert (await desk.browser().get(url)).status_code == 303


@pytest.mark.parametrize("who", ["Rita", "Vera", None])
async def test_readers_and_volunteers_upload_and_publish_nothing(desk: Desk, who: str | None) -> None:
    furnish(desk)
    url = await proposed(desk.browser("Olga"), changed())
    browser, page = desk.browser(who), "/desk/questions" if who else "/desk/sign-in"
    refused = 403 if who else 303

    uploaded = await upload(browser, another(), page=page)
    pressed = [await browser.send_form(f"{url}/{what}", page=page, after="1") for what in ("publish", "discard")]
    looked = [(await browser.get(one)).status_code for one in (NEW, f"{url}/publish")]

    assert uploaded.status_code == refused
    assert [one.status_code for one in pressed] == looked == [refused, refused]
    assert numbers(desk) == [1]
    assert the_proposal(desk, url) is not None


@pytest.mark.parametrize("who", ["Rita", "Vera"])
async def test_readers_and_volunteers_look_and_see_no_button(desk: Desk, who: str) -> None:
    furnish(desk)
    ready = await proposed(desk.browser("Olga"), changed())
    broken = await proposed(desk.browser("Olga"), BROKEN.encode())
    browser = desk.browser(who)

    pages = [await browser.get(url) for url in (ready, broken, "/desk/forms")]

    assert [page.status_code for page in pages] == [200, 200, 200]
    assert not any(button in page.text for page in pages for button in ("/publish", "/discard", NEW))


async def test_a_form_that_is_not_ours_is_refused(desk: Desk) -> None:
    answer = await desk.browser("Olga").post(NEW, data={"csrf": "guessed"}, files={"file": ("a.md", another())})

    assert answer.status_code == 403
    assert proposals(desk) == 0
