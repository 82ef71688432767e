"""The log as a page: found by person, act, thing and day; in words; taken along as a file that runs nothing."""

import ast
import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from app.log_sealing import seal_all
from desk import audit_words, denied
from storage import audit
from storage.audit_chain import newest_link
from storage.tables import Audit
from tests.desk.conftest import Desk

ROOT = Path(__file__).parents[2]
ROOMS = ("app", "bot", "desk", "answering", "reminders", "registry", "intake", "delivery", "storage")
ACT = re.compile(r"[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*")


def filled(desk: Desk) -> None:
    now = desk.house.clock()
    with desk.house.database.write() as session:
        olga, vera = ("staff", desk.people["Olga"]), ("staff", desk.people["Vera"])
        audit.record(session, now - timedelta(days=5), olga, "question.take", ("question", 41), note="=1+1")
        audit.record(session, now, olga, "question.answer", ("question", 41))
        audit.record(session, now, vera, "question.take", ("question", 42))


async def shown(desk: Desk, query: str = "") -> str:
    async with desk.browser("Anna") as browser:
        found = await browser.get(f"/desk/audit{query}")
    assert found.status_code == 200
    return found.text.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in found.text else ""


async def test_acts_are_told_in_plain_words_with_names(desk: Desk) -> None:
    filled(desk)

    page = await shown(desk)

    assert "Olga Esempio" in page
    assert "ha risposto a una domanda" in page
    assert 'href="/desk/questions/42"' in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("?act=question.take", 2),
        ("?act=question.take&number=42", 1),
        ("?kind=question&number=41", 2),
        ("?kind=question&until=2026-11-20", 1),
        ("?kind=question&since=2026-11-20&until=2026-11-24", 2),
        ("?kind=question&since=nonsense&number=%C2%B2", 3),
        ("?kind=referent", 0),
    ],
)
async def test_the_log_is_found_by_act_thing_and_day(desk: Desk, query: str, count: int) -> None:
    filled(desk)

    assert (await shown(desk, query)).count("<tr>") == count


async def test_the_log_is_found_by_person(desk: Desk) -> None:
    filled(desk)

    page = await shown(desk, f"?who=staff-{desk.people['Vera']}")

    assert page.count("<tr>") == 1
    assert "Vera Esempio" in page


async def test_what_was_refused_is_told_with_its_reason(desk: Desk) -> None:
    async with desk.browser("Rita") as browser:
        await browser.get("/desk/audit")

    page = await shown(desk, f"?act={denied.ACT}")

    assert "la pagina è per altri ruoli" in page
    assert "GET /desk/audit" in page


async def test_the_newest_link_is_shown_to_be_kept_elsewhere(desk: Desk) -> None:
    filled(desk)
    seal_all(desk.house.database, desk.house.clock())
    with desk.house.database.read() as session:
        newest = newest_link(session)

    async with desk.browser("Anna") as browser:
        page = (await browser.get("/desk/audit")).text

    assert f"{newest.number}:{newest.hash}" in page


@pytest.mark.parametrize("who", ["Rita", "Vera", "Olga"])
@pytest.mark.parametrize("page", ["/desk/audit", "/desk/audit/export.csv"])
async def test_nobody_but_an_administrator_reads_what_colleagues_did(desk: Desk, who: str, page: str) -> None:
    async with desk.browser(who) as browser:
        assert (await browser.get(page)).status_code == 403
        assert "/desk/audit" not in (await browser.get("/desk/questions")).text


async def test_the_rows_that_are_shown_can_be_taken_along_and_that_is_written_down(desk: Desk) -> None:
    filled(desk)

    async with desk.browser("Anna") as browser:
        found = await browser.get("/desk/audit/export.csv?kind=question&number=41")
        odd = await browser.get("/desk/audit/export.exe")

    lines = list(csv.reader(io.StringIO(found.content.decode("utf-8-sig")), delimiter=";"))
    assert len(lines) == 3
    assert [line[4] for line in lines[1:]] == ["question.take", "question.answer"]
    assert odd.status_code == 404
    with desk.house.database.read() as session:
        row = session.exec(select(Audit).where(Audit.action == "audit.export")).one()
    assert (row.actor_id, row.detail) == (desk.people["Anna"], {"rows": 2})


async def test_no_cell_of_the_excel_file_is_a_formula(desk: Desk) -> None:
    with desk.house.database.write() as session:
        audit.record(session, desk.house.clock(), ("staff", 1), "=1+1", ("question", 41))

    async with desk.browser("Anna") as browser:
        found = await browser.get("/desk/audit/export.xlsx?kind=question")

    sheet = load_workbook(io.BytesIO(found.content)).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert "=1+1" in [cell.value for cell in cells]
    assert all(cell.data_type != "f" for cell in cells)


# --- no act without words


def test_every_act_of_the_code_has_its_words() -> None:
    assert set(_acts()) - audit_words.ACTS.keys() == set(), "give these their words in desk/audit_words.py"


def test_no_words_are_left_of_acts_that_nobody_does() -> None:
    assert audit_words.ACTS.keys() - set(_acts()) == {denied.ACT, denied.MORE}


def _acts() -> Iterator[str]:
    """Whatever looks like an act in a module that writes in the log, what it says to its own log aside."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if "audit.record(" in text or path.name == "access.py":
                yield from _acts_in(ast.parse(text))


def _acts_in(tree: ast.Module) -> Iterator[str]:
    aside = {id(one) for told in ast.walk(tree) if _told_to_the_log(told) for one in ast.walk(told)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in aside:
            continue
        if ACT.fullmatch(node.value) and not node.value.endswith((".html", ".csv", ".xlsx")):
            yield node.value


def _told_to_the_log(node: ast.AST) -> bool:
    """A call of the service's own log, or the choice of an event for it."""
    if isinstance(node, ast.Assign):
        return "event" in ast.unparse(node.targets[0])
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("log.", "crashpoint"))
