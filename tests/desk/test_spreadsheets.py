"""T35: whatever a person wrote, no file that we hand out has a formula in it when LibreOffice opens it.

Every field of every export, every file of the desk; the unguarded file shows that LibreOffice would have run it.
"""

import csv
import inspect
import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import Session, select

from app.register_keeping import count_all
from desk import register_tables
from desk.app import PAGES
from desk.numbers_tables import MAKERS
from intake.builtin import ensure_builtin_forms
from registry.export import EXPORTS, export
from registry.export_columns import TABLES, Kind, Table
from registry.files import FILE_WRITERS
from storage import audit
from storage.tables import (
    Addressee,
    Category,
    Channel,
    Circular,
    Decision,
    FormVersion,
    Obligation,
    Organization,
    Outbox,
    OutboxKind,
    Outcome,
    Reason,
    Referent,
    Step,
)
from tests.cast import Cast
from tests.conftest import needed
from tests.desk.conftest import Desk

FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1;1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://example.org";"clicca")',
    '";=1+1;"',
    "＝1+1",
    "＋1+1",
    "－1+1",
    "＠SUM(1;1)",
)
UNGUARDED = "unguarded"
SEMICOLON_UTF8 = "--infilter=CSV:59,34,76,1"  # else LibreOffice without a screen splits at commas only
# Modules of pages that hand out files, and what is in them. A new one has to say here why no formula runs.
HANDED_OUT = {
    "desk.attachments": "what somebody sent, as they sent it",
    "desk.audit_log": "opened here",
    "desk.circular_sending": "opened here",
    "desk.dead_letters": "raw mail",
    "desk.forms_files": "a form: opened here",
    "desk.letters": "raw mail",
    "desk.numbers": "opened here",
    "desk.personal": "what somebody sent, as they sent it",
    "desk.register": "opened here",
    "desk.told": "opened here",
}


def test_every_page_that_hands_out_files_is_known() -> None:
    signs = ("attachment;", "saved_mail(", "MEDIA_TYPES", "to_be_saved(", "handed_out(", "registry.files")

    found = {module.__name__ for module in PAGES if any(sign in inspect.getsource(module) for sign in signs)}

    assert found <= HANDED_OUT.keys(), "say in HANDED_OUT what these files are, and open their tables in the test below"


def test_every_file_with_rows_is_written_by_the_guarded_writers() -> None:
    rooms = ("app", "answering", "bot", "delivery", "desk", "intake", "registry", "reminders", "storage")
    sources = {path: path.read_text(encoding="utf-8") for room in rooms for path in Path(room).rglob("*.py")}

    writing = {str(path) for path, text in sources.items() if "csv.writer" in text or "Workbook(" in text}

    assert writing == {"registry/files.py", "intake/forms/xlsform/writing.py"}


def field(kind: Kind, formula: str) -> Any:
    """A stored value of a kind, with a formula in it where there can be one."""
    now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    return {
        Kind.NUMBER: -1,
        Kind.MONEY: -100,
        Kind.TENTHS: 425,
        Kind.DAY: date(2026, 11, 24),
        Kind.MOMENT: now,
        Kind.LIST: [formula, formula],
        Kind.DOCUMENT: {formula: formula},
        Kind.RAW: formula.encode(),
    }.get(kind, formula)


def of_formulas(table: Table, **more: Any) -> Table:
    """The same columns; one row for each formula, which stands in every field."""

    def rows(_session: Session) -> Iterator[dict[str, Any]]:
        for formula in FORMULAS:
            yield {column.name: field(column.kind, formula) for column in table.columns} | {
                "answers": dict.fromkeys(("problem", "notes", "progress"), formula),
                **more,
            }

    return Table(rows, table.columns)


def a_form_of_formulas(desk: Desk) -> FormVersion:
    """The usual one, with a formula for each of its labels."""
    with desk.house.database.write() as session:
        version = ensure_builtin_forms(session, desk.house.clock())
        document = dict(version.definition)
        for at, node in enumerate(document["children"]):
            node["label"] = dict.fromkeys(node["label"], FORMULAS[at % len(FORMULAS)])
        version.definition = document
        flag_modified(version, "definition")
        session.flush()
        session.refresh(version)
        session.expunge(version)
    return version


def write_exports(desk: Desk, folder: Path, form: FormVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    with desk.house.database.read() as session:
        for what in EXPORTS:
            monkeypatch.setitem(TABLES, what, of_formulas(TABLES[what], form_id=form.form_id))
            for kind in FILE_WRITERS:
                with (folder / f"export-{what}.{kind}").open("wb") as file:
                    assert export(session, what, kind, file) == len(FORMULAS)


def people_bodies_and_categories_of_formulas(desk: Desk) -> int:
    """And a circular to all these people; its number."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        olga = desk.people["Olga"]
        circular: Circular = cast.add(Circular(created_by=olga, created_at=cast.now, changed_at=cast.now))
        for formula in FORMULAS:
            category = cast.add(Category(name=formula, name_en=formula, created_at=cast.now))
            person = cast.a_referent(formula, cast.an_organization(formula))
            cast.a_question(person, category_id=category.id)
            cast.add(Addressee(circular_id=circular.id, referent_id=person.id))
            audit.record(session, cast.now, ("staff", 1), formula, (formula[:20], 1), reason=formula)
        return circular.id


def reminders_of_formulas(desk: Desk, form: FormVersion) -> int:
    """What each of these bodies owes and was told of, one late and one to come; the number of the deadline."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        deadline = cast.a_deadline(form, date(2026, 11, 10), FORMULAS[0])
        people, bodies = list(session.exec(select(Referent))), list(session.exec(select(Organization)))
        for person, body in zip(people, bodies, strict=True):
            soon = cast.an_obligation(deadline, body, date(2026, 12, 10), cast.now + timedelta(days=17))
            late = cast.an_obligation(deadline, body, date(2026, 11, 10), cast.now - timedelta(days=13))
            for one in (soon, late):
                one.body_id = body.id
                told(cast, one, person)
    count_all(desk.house.database, desk.house.clock)
    return deadline.id


def told(cast: Cast, obligation: Obligation, person: Referent) -> None:
    message = cast.add(
        Outbox(
            kind=OutboxKind.REMINDER,
            channel=Channel.EMAIL,
            address="ada@example.org",
            referent_id=person.id,
            dedupe_key=f"told-{obligation.id}",
            body={"text": person.name, "html": person.name, "subject": person.name},
            next_at=cast.now,
            created_at=cast.now,
        )
    )
    step = cast.add(Step(obligation_id=obligation.id, rung_id=3, offset_days=0, due_at=cast.now))
    said: Any = {"outcome": Outcome.SENT, "reason": Reason.DUE, "decided_at": cast.now, "outbox_id": message.id}
    cast.add(Decision(step_id=step.id, referent_id=person.id, **said))


async def write_what_the_desk_hands_out(desk: Desk, folder: Path, form: FormVersion, circular_id: int) -> None:
    addresses = {f"numbers-{key}": f"/desk/numbers/{key}" for key in MAKERS}
    addresses |= {"audit": "/desk/audit/export", "circular": f"/desk/circulars/{circular_id}/export"}
    deadline_id = reminders_of_formulas(desk, form)
    addresses |= {f"register-{key}": f"/desk/register/{key}" for key in register_tables.MAKERS}
    addresses["told"] = "/desk/told/export"
    async with desk.browser("Anna") as browser:
        for name, address in addresses.items():
            for kind in FILE_WRITERS:
                found = await browser.get(f"{address}.{kind}", params={"deadline": deadline_id})
                assert found.status_code == 200, (name, kind)
                (folder / f"{name}.{kind}").write_bytes(found.content)
        found = await browser.get(f"/desk/forms/{form.form_id}/versions/1/file.xlsx")
        assert found.status_code == 200
        (folder / "form.xlsx").write_bytes(found.content)


def opened_by_libreoffice(folder: Path, kind: str, *options: str) -> dict[str, str]:
    """Each file of a kind as LibreOffice understands it: its flat XML names every formula."""
    out = folder / f"from-{kind}"
    command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", *options]
    command += ["--convert-to", "fods", "--outdir", str(out), *map(str, folder.glob(f"*.{kind}"))]
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    return {file.stem: file.read_text(encoding="utf-8") for file in out.glob("*.fods")}


def running(file: Path) -> list[str]:
    """The cells of a CSV that begin as some program's formulas do, those of other alphabets too; numbers aside."""
    rows = csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""), delimiter=";")
    found = [cell for row in rows for cell in row if cell.lstrip(" ")[:1] in set("=+-@\t\r\n＝＋－＠")]
    return [cell for cell in found if not re.fullmatch(r"-\d+(,\d+)?", cell)]


@pytest.mark.journey
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the files are the same, and LibreOffice is slow
async def test_libreoffice_runs_no_formula_of_ours(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("soffice"):
        needed("LibreOffice", "apt-get install libreoffice-calc-nogui")
    files = tmp_path / "files"
    files.mkdir()
    (files / f"{UNGUARDED}.csv").write_text('a;b\n2;"=1+1"\n', encoding="utf-8")
    form = a_form_of_formulas(desk)
    circular_id = people_bodies_and_categories_of_formulas(desk)
    write_exports(desk, files, form, monkeypatch)
    await write_what_the_desk_hands_out(desk, files, form, circular_id)

    from_csv = opened_by_libreoffice(files, "csv", SEMICOLON_UTF8)
    from_excel = opened_by_libreoffice(files, "xlsx")

    assert {name for name, content in from_csv.items() if "table:formula" in content} == {UNGUARDED}
    assert {name for name, content in from_excel.items() if "table:formula" in content} == set()
    assert from_csv.keys() == {file.stem for file in files.glob("*.csv")}
    assert from_excel.keys() == {file.stem for file in files.glob("*.xlsx")}
    for file in files.glob("[!u]*.csv"):
        assert running(file) == [], file.name
    for name, content in {**from_csv, **from_excel}.items():  # and what was written is there to be read
        assert "=1+1" in content or name in NO_WORDS, name


# No stranger names these.
NO_WORDS = {f"numbers-{key}" for key in ("questions", "updates", "waiting", "reminders")}
NO_WORDS |= {"register-channels", "register-coming"}
