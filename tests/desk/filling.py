"""Somebody who fills in a form on their page, in a browser without scripts."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import select

from intake.builtin import ensure_builtin_forms
from intake.forms.xlsform.reading import read_xlsform
from intake.publishing import publish
from storage.drafts import change_draft
from storage.tables import Draft, Form, Update
from tests.desk.conftest import CSRF, Browser, Desk
from tests.desk.test_personal import Person

YES_NO = "| choices |\n| | list_name | name | label |\n| | yn | yes | Sì |\n| | yn | no | No |"


OTHERS = ("sure", "looks", "m:", "choose:")  # names of controls that are no answers
Answers = Mapping[str, str | list[str]]


class _Controls(HTMLParser):
    """What a browser would send of one form."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self._form = form
        self.pairs: list[tuple[str, str]] = []
        self._inside = False
        self._select = ""
        self._area = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        one = dict(attrs)
        if tag == "form":
            self._inside = one.get("id") == self._form
        if not self._inside:
            return
        name, value = one.get("name") or "", one.get("value") or ""
        if tag == "input" and one.get("type") not in ("file", "submit"):
            if one.get("type") not in ("radio", "checkbox") or "checked" in one:
                self.pairs.append((name, value))
        elif tag == "select":
            self._select = name
            self.pairs.append((name, ""))
        elif tag == "option" and "selected" in one:
            self.pairs[-1] = (self._select, value)
        elif tag == "textarea":
            self._area, self._text = name, ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area:
            self.pairs.append((self._area, self._text.removeprefix("\n")))
            self._area = ""


def controls(page: str, form: str = "fill") -> list[tuple[str, str]]:
    """Names and values, as they stand there."""
    parser = _Controls(form)
    parser.feed(page)
    return parser.pairs


def sent_of(page: str, form: str = "fill") -> dict[str, list[str]]:
    """The same by name."""
    fields: dict[str, list[str]] = {}
    for name, value in controls(page, form):
        fields.setdefault(name, []).append(value)
    return fields


@dataclass
class Filler:
    """`page`: what is before them, `address`: where the draft is."""

    desk: Desk
    person: Person
    browser: Browser
    address: str
    page: str

    async def reads(self) -> str:
        self.page = (await self.browser.get(self.address)).text
        return self.page

    def filled(self, action: str, answers: Answers) -> dict[str, list[str]]:
        """The form as it is on the page, with other answers to some questions."""
        fields = sent_of(self.page)
        for key, given in answers.items():
            fields[key if key.startswith(OTHERS) else f"a:{key}"] = [given] if isinstance(given, str) else given
        return {**fields, "action": [action]}

    async def posts(
        self, action: str, answers: Answers | None = None, *, path: str = "", files: Any = None
    ) -> httpx.Response:
        """As the browser would, without following. `path`: where a script would send it."""
        return await self.browser.post(self.address + path, data=self.filled(action, answers or {}), files=files)

    async def presses(self, action: str, answers: Answers | None = None, *, files: Any = None) -> httpx.Response:
        """And follows, as browsers do."""
        answered = await self.posts(action, answers, files=files)
        if answered.is_redirect:
            answered = await self.browser.get(answered.headers["location"].partition("#")[0], follow_redirects=True)
        if 'id="fill"' in answered.text:
            self.page = answered.text
        return answered

    async def sends(self, **fields: str) -> httpx.Response:
        """From the summary."""
        summary = (await self.browser.get(f"{self.address}/summary")).text
        hidden = re.search(r'name="revision" value="(\d+)"', summary)
        csrf = CSRF.search(summary)
        assert hidden is not None
        assert csrf is not None
        data = {"csrf": csrf[1], "revision": hidden[1], **fields}
        return await self.browser.post(f"{self.address}/send", data=data, follow_redirects=True)

    @property
    def draft_id(self) -> int:
        return int(self.address.rpartition("/")[2])

    def draft(self) -> Draft:
        return the_draft(self.desk, self.draft_id)


def form_id(desk: Desk, key: str) -> int:
    with desk.house.database.write() as session:
        ensure_builtin_forms(session, desk.house.clock())
        return session.exec(select(Form).where(Form.key == key)).one().id


def published(desk: Desk, tables: str) -> int:
    """A form of the office's own, from its tables in Markdown."""
    reading = read_xlsform(tables.encode(), "modulo.md")
    assert reading.form is not None, reading.problems
    with desk.house.database.write() as session:
        return publish(session, reading.form, now=desk.house.clock(), source="modulo.md").form_id


def everything(desk: Desk) -> int:
    """A form with a question of each type."""
    return published(desk, (Path(__file__).parent / "data" / "everything.md").read_text(encoding="utf-8"))


def small_form(*rows: str, columns: str = "type | name | label", choices: str = YES_NO) -> str:
    """The tables of a form with these rows, in Italian."""
    survey = "\n".join(f"| | {row} |" for row in rows)
    settings = "| settings |\n| | form_title | form_id |\n| | Prova | trial |"
    return f"| survey |\n| | {columns} |\n{survey}\n\n{choices}\n\n{settings}"


async def begins(desk: Desk, person: Person, browser: Browser, **fields: Any) -> httpx.Response:
    """Presses a button that begins a form on their page."""
    csrf = CSRF.search((await browser.get(f"{person.page}/ask")).text)
    assert csrf is not None
    return await browser.post(f"{person.page}/fill", data={"csrf": csrf[1], **fields})


async def a_filler(desk: Desk, person: Person, form: str | int, **fields: Any) -> Filler:
    """Has begun this form: one that comes along, by its key, or one that was published."""
    browser = desk.browser()
    number = form_id(desk, form) if isinstance(form, str) else form
    begun = await begins(desk, person, browser, form_id=number, **fields)
    assert begun.status_code == 303, begun.text
    filler = Filler(desk, person, browser, begun.headers["location"], "")
    await filler.reads()
    return filler


def the_draft(desk: Desk, draft_id: int) -> Draft:
    with desk.house.database.read() as session:
        row = session.get_one(Draft, draft_id)
        session.expunge(row)
        return row


def changed(desk: Desk, draft_id: int, **answers: Any) -> None:
    """Through another door, in this moment."""
    with desk.house.database.write() as session:
        row = session.get_one(Draft, draft_id)
        kept = {**row.answers, **answers}
        values = {key: value for key, value in kept.items() if value is not None}
        assert change_draft(session, draft_id, row.revision, desk.house.clock(), answers=values)


def updates(desk: Desk) -> list[Update]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Update).order_by("id")))


def text_of(page: str) -> str:
    """What is read, without the tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())
