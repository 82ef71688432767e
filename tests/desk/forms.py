"""Forms for the tests of the desk: the one that comes along, changed; files that are none; uploading them."""

import html
import re

import httpx

from intake.builtin import ensure_builtin_forms
from intake.forms.builtin import builtin_file
from storage.forms import form_with, versions_of
from storage.tables import Form, FormProposal, FormVersion
from tests.desk.conftest import CSRF, Browser, Desk

NEW = "/desk/forms/new"
QUESTION = "Quanto avete speso finora, in tutto?"
ASKED_OTHERWISE = "Quanto avete pagato finora, in tutto?"
BROKEN = "| survey |\n| | type | name | label |\n| | text | why | Perché? |\n| | txet | | Come? |\n"


def changed(new: str = ASKED_OTHERWISE) -> bytes:
    """The update of a project, with one question asked otherwise."""
    return builtin_file("project-update").decode().replace(QUESTION, new).encode()


def another(key: str = "parere", about: str = "") -> bytes:
    """A form of one question, which nobody knows yet."""
    return (
        "| survey |\n| | type | name | label |\n| | text | why | Perché? |\n"
        "| settings |\n| | form_title | form_id | raccordo::about |\n"
        f"| | Parere | {key} | {about} |\n"
    ).encode()


def furnish(desk: Desk) -> int:
    """The forms that come along; the id of the one for updates."""
    with desk.house.database.write() as session:
        return ensure_builtin_forms(session, desk.house.clock()).form_id


async def upload(browser: Browser, content: bytes, name: str = "modulo.md", *, page: str = NEW) -> httpx.Response:
    found = CSRF.search((await browser.get(page)).text)
    assert found is not None
    return await browser.post(NEW, data={"csrf": found[1]}, files={"file": (name, content, "application/octet-stream")})


async def proposed(browser: Browser, content: bytes, name: str = "modulo.md") -> str:
    """The address of what has been uploaded."""
    answer = await upload(browser, content, name)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def publish(browser: Browser, url: str) -> httpx.Response:
    """As a person does: looks at what would happen, and says yes."""
    page = (await browser.get(f"{url}/publish")).text
    after = re.search(r'name="after" value="(\d+)"', page)
    assert after is not None, "nothing to be confirmed on this page"
    return await browser.send_form(f"{url}/publish", page=f"{url}/publish", after=after[1])


async def published(browser: Browser, content: bytes, name: str = "modulo.md") -> str:
    """The address of the new version."""
    answer = await publish(browser, await proposed(browser, content, name))
    assert answer.status_code == 303
    return answer.headers["location"]


def numbers(desk: Desk, key: str = "project-update") -> list[int]:
    """The versions of a form."""
    return [one.number for one in versions(desk, key)]


def versions(desk: Desk, key: str = "project-update") -> list[FormVersion]:
    with desk.house.database.read() as session:
        form = form_with(session, key)
        found = list(versions_of(session, form.id)) if form is not None else []
        session.expunge_all()
        return found


def the_form(desk: Desk, key: str = "project-update") -> Form:
    with desk.house.database.read() as session:
        form = form_with(session, key)
        assert form is not None
        session.expunge(form)
        return form


def the_proposal(desk: Desk, url: str) -> FormProposal | None:
    with desk.house.database.read() as session:
        row = session.get(FormProposal, int(url.rsplit("/", 1)[1]))
        session.expunge_all()
        return row


def text_of(page: str) -> str:
    """What a person reads: words without tags, blanks once."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
