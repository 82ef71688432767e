"""`import forms FILE`: a form is published from the command line, or what is wrong is told by sheet and row."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlmodel import Session, select

from app.commands.house import open_house
from intake.forms.builtin import builtin_file, builtin_form
from intake.forms.xlsform.files import LARGEST_FILE
from intake.forms.xlsform.writing import to_xlsx
from storage.forms import form_with, versions_of
from storage.tables import Audit, Deadline, FormProposal
from tests.app.conftest import Run


@pytest.fixture(name="run")
def _run(migrated: Run) -> Run:
    return migrated


def a_file(folder: Path, content: bytes, name: str = "modulo.md") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@contextmanager
def looking() -> Iterator[Session]:
    with open_house() as (_, database), database.read() as session:
        yield session


def numbers(key: str = "project-update") -> list[int]:
    with looking() as session:
        form = form_with(session, key)
        return [] if form is None else [one.number for one in versions_of(session, form.id)]


def changed(new: str = "Quanto avete pagato") -> bytes:
    """The form for updates, which is there since `migrate`, with one question asked otherwise."""
    return builtin_file("project-update").decode().replace("Quanto avete speso", new).encode()


def test_a_form_is_published_and_the_file_is_kept(run: Run, tmp_path: Path) -> None:
    first = run("import", "forms", a_file(tmp_path, changed("Quanto avete pagato")))
    second = run("import", "forms", a_file(tmp_path, to_xlsx(builtin_form("project-update")), "aggiornamento.xlsx"))

    assert first.output == "Published: version 2 of “Aggiornamento progetto” (project-update).\n"
    assert second.output == "Published: version 3 of “Aggiornamento progetto” (project-update).\n"
    with looking() as session:
        acts = session.exec(select(Audit.action).where(Audit.actor_kind == "system")).all()
        kept = session.exec(select(FormProposal)).all()
    assert [act for act in acts if act.startswith("form.")][-4:] == ["form.propose", "form.publish"] * 2
    assert [one.name for one in kept] == ["modulo.md", "aggiornamento.xlsx"]
    assert kept[0].content == changed()
    assert numbers() == [3, 2, 1]


def test_the_same_again_is_nothing_to_publish_and_no_error(run: Run, tmp_path: Path) -> None:
    file = a_file(tmp_path, changed())
    run("import", "forms", file)

    again = run("import", "forms", file)

    assert again.exit_code == 0
    assert again.output == "Nothing to publish: version 2 of “Aggiornamento progetto” (project-update) asks the same.\n"
    assert numbers() == [2, 1]


def test_a_dry_run_says_what_would_be_published_and_keeps_nothing(run: Run, tmp_path: Path) -> None:
    result = run("import", "forms", a_file(tmp_path, changed()), "--dry-run")

    assert result.output == "Would be published: version 2 of “Aggiornamento progetto” (project-update).\n"
    assert numbers() == [1]
    with looking() as session:
        assert session.exec(select(FormProposal)).all() == []


def test_what_is_wrong_is_told_on_stderr_by_sheet_row_and_column(run: Run, tmp_path: Path) -> None:
    broken = b"| survey |\n| | type | name | label |\n| | text | why | A |\n| | txet | how | B |\n"

    result = run("import", "forms", a_file(tmp_path, broken))

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Sheet survey, row 3, column type: ")
    assert "1" in str(result.exception)
    assert numbers("modulo") == []


def test_programs_get_one_record(run: Run, tmp_path: Path) -> None:
    broken = b"| survey |\n| | type | name | label |\n| | txet | how | B |\n"

    good = run("import", "forms", a_file(tmp_path, changed()), "--format", "json")
    bad = run("import", "forms", a_file(tmp_path, broken), "--format", "json")

    assert json.loads(good.stdout) == {
        "what": "forms",
        "form": "project-update",
        "title": "Aggiornamento progetto",
        "version": 2,
        "changed": True,
        "dry_run": False,
        "published": True,
        "problems": [],
        "warnings": [],
    }
    [problem] = json.loads(bad.stdout)["problems"]
    assert (problem["sheet"], problem["row"], problem["column"]) == ("survey", 2, "type")
    assert bad.exit_code == 1


def test_a_form_about_something_else_is_refused(run: Run, tmp_path: Path) -> None:
    other = builtin_file("local-need").replace(b"| organization |", b"| project |")

    result = run("import", "forms", a_file(tmp_path, other))

    assert result.exit_code == 1
    assert "Give the form another form_id" in str(result.exception)
    assert numbers("local-need") == [1]


def workbook(change: Callable[[Workbook], None]) -> bytes:
    book = Workbook()
    book.worksheets[0].title = "survey"
    book.worksheets[0].append(["type", "name", "label"])
    book.worksheets[0].append(["text", "why", "Why?"])
    change(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _many(book: Workbook) -> None:
    for number in range(5_000):
        book.worksheets[0].append(["text", f"q{number}", "?"])


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (workbook(lambda book: setattr(book.worksheets[0], "title", "Questions")), "a.xlsx", "no sheet “survey”"),
        (workbook(lambda book: book.worksheets[0].append(["text", "x", "=1+1"])), "a.xlsx", "holds a formula"),
        (workbook(lambda book: book.worksheets[0].merge_cells("A2:B2")), "a.xlsx", "are merged"),
        (workbook(_many), "a.xlsx", "more than 5000 rows"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "a.xlsx", "a password"),
        (b"PK\x03\x04 and nothing more", "a.xlsx", "cannot be opened"),
        (b"%PDF-1.7", "a.pdf", "neither Excel nor a Markdown table"),
    ],
    ids=["wrong sheet", "formula", "merged cells", "too many rows", "password", "broken", "not a table"],
)
def test_a_bad_file_gets_a_clear_sentence_and_changes_nothing(
    run: Run, tmp_path: Path, content: bytes, name: str, said: str
) -> None:
    result = run("import", "forms", a_file(tmp_path, content, name))

    assert result.exit_code == 1
    assert said in result.stderr
    assert numbers("a") == []


def test_a_file_larger_than_any_form_is_not_even_read(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = tmp_path / "large.xlsx"
    with large.open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("it was read"))

    result = run("import", "forms", large)

    assert result.exit_code == 1
    assert "The file has 17 MB: a form has 16 at most" in str(result.exception)


# --- deadlines, which ask for a form

SOON = f"{datetime.now(UTC) + timedelta(days=100):%d/%m/%Y}"  # commands have no clock that can be moved
DEADLINES = "titolo;modulo;versione;per;ricorrenza;data;ambito"


def deadlines(*rows: str) -> bytes:
    return "\n".join((DEADLINES, *rows)).replace("SOON", SOON).encode("utf-8-sig")


def test_a_deadline_of_a_file_keeps_to_a_version_or_asks_the_newest(run: Run, tmp_path: Path) -> None:
    run("import", "forms", a_file(tmp_path, changed()))
    rows = deadlines("Sempre la prima;;1;;unica;SOON;", "L'ultima;project-update;ultima;;unica;SOON;")

    result = run("import", "deadlines", a_file(tmp_path, rows, "scadenze.csv"))

    assert result.exit_code == 0, result.output
    with looking() as session:
        made = session.exec(select(Deadline).order_by(Deadline.title)).all()
        form = form_with(session, "project-update")
        assert form is not None
        first = versions_of(session, form.id)[-1]
    assert [(one.title, one.form_version_id) for one in made] == [("L'ultima", None), ("Sempre la prima", first.id)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("A;;7;;unica;SOON;", "“Aggiornamento progetto” has no version 7"),
        ("A;;due;;unica;SOON;", "Row 2, versione: due is not the number of a version"),
        ("A;;;ente;unica;SOON;", "each project owes it, not each organisation"),
        ("A;local-need;;;unica;SOON;", "each organisation owes it, not each project"),
        ("A;nothing;;;unica;SOON;", "There is no form nothing"),
    ],
)
def test_a_deadline_that_does_not_fit_its_form_is_refused_by_row(run: Run, tmp_path: Path, row: str, said: str) -> None:
    text = run("import", "deadlines", a_file(tmp_path, deadlines(row), "scadenze.csv"))
    record = run("import", "deadlines", a_file(tmp_path, deadlines(row), "scadenze.csv"), "--format", "json")

    assert text.exit_code == record.exit_code == 1
    assert text.stderr.startswith("Row 2")
    assert said in text.stderr
    [error] = json.loads(record.stdout)["errors"]
    assert error["row"] == 2
    with looking() as session:
        assert session.exec(select(Deadline)).all() == []
