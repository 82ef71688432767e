"""Writes everything that is stored of one kind, as JSON, CSV or Excel. Streams; no cell can run as a formula.

JSON: one array, English keys, values as stored (euro cents, UTC). CSV: `;`, UTF-8 with BOM, decimal comma, as
Italian Excel opens it with a double click. CSV and Excel: headers in the reader's language, euro, local time.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from sqlmodel import Session

from facts.languages import Language, Speaker, speaking
from intake.forms.builtin import PROJECT_UPDATE
from intake.forms.document import BadDocument, from_document
from intake.forms.nodes import Definition, Path, Question, QuestionType, path_of
from intake.forms.others import with_others
from intake.forms.values import show, title_of
from registry.cells import Cell, answer_cell, as_cell, readable
from registry.export_columns import TABLES, Table
from registry.files import Line, write_csv, write_xlsx
from storage.audit_log import AuditFilter, log_rows
from storage.exports import form_definitions

EXPORTS = tuple(TABLES)
FORMATS = ("json", "csv", "xlsx")
ZONE = ZoneInfo("Europe/Rome")


def export(
    session: Session, what: str, format: str, out: BinaryIO, *, language: Language = Language.IT, zone: ZoneInfo = ZONE
) -> int:
    """Writes all of `what` (one of EXPORTS) in a format (one of FORMATS); how many rows. Raises KeyError for others."""
    table = TABLES[what]
    write = WRITERS[format]
    return write(session, table, out, speaking(language), zone)


def export_log(
    session: Session, wanted: AuditFilter, format: str, out: BinaryIO, *, language: Language, zone: ZoneInfo = ZONE
) -> int:
    """Writes the rows of the log that fit the filter, in the columns of the export of all of it; how many."""
    table = Table(partial(log_rows, wanted=wanted), TABLES["audit"].columns)
    return WRITERS[format](session, table, out, speaking(language), zone)


def _write_json(session: Session, table: Table, out: BinaryIO, _: Speaker, _zone: ZoneInfo) -> int:
    import orjson

    count = 0
    out.write(b"[")
    for row in table.rows(session):
        plain = {name: readable(value) if isinstance(value, bytes) else value for name, value in row.items()}
        out.write((b",\n" if count else b"\n") + orjson.dumps(plain))
        count += 1
    out.write(b"\n]\n")
    return count


def _write_csv(session: Session, table: Table, out: BinaryIO, _: Speaker, zone: ZoneInfo) -> int:
    return write_csv(out, *_lines(session, table, _, zone))


def _write_xlsx(session: Session, table: Table, out: BinaryIO, _: Speaker, zone: ZoneInfo) -> int:
    return write_xlsx(out, *_lines(session, table, _, zone))


Writer = Callable[[Session, Table, BinaryIO, Speaker, ZoneInfo], int]
WRITERS: dict[str, Writer] = {"json": _write_json, "csv": _write_csv, "xlsx": _write_xlsx}


def _lines(session: Session, table: Table, _: Speaker, zone: ZoneInfo) -> tuple[list[str], Iterator[Line]]:
    """Headers and rows of cells; answers, where a table has them, in columns of their own after the others."""
    answers = _AnswerColumns(session, _) if table is TABLES["updates"] else None
    headers = [_(column.header) for column in table.columns] + (answers.headers if answers else [])

    def lines() -> Iterator[Line]:
        for row in table.rows(session):
            cells = [as_cell(row[column.name], column.kind, _, zone) for column in table.columns]
            yield cells + (answers.cells(row) if answers else [])

    return headers, lines()


class _AnswerColumns:
    """One column for each question of each form, in the form's order; those only earlier versions asked come last.

    What is answered several times is one column too: its answers stand one behind the other.
    """

    def __init__(self, session: Session, _: Speaker) -> None:
        self._ = _
        self.forms: dict[int, tuple[str, dict[Path, tuple[Definition, Question]]]] = {}
        for form_id, title, definition in form_definitions(session, PROJECT_UPDATE):
            _title, asked = self.forms.setdefault(form_id, (title, {}))
            for form, question in _questions(definition):
                asked.setdefault(question.path, (form, question))
        self.places = [(form_id, path) for form_id, (_title, asked) in self.forms.items() for path in asked]

    @property
    def headers(self) -> list[str]:
        return [self._header(form_id, path) for form_id, path in self.places]

    def _header(self, form_id: int, path: Path) -> str:
        title, asked = self.forms[form_id]
        label = title_of(*asked[path], self._.language)
        return f"{title}: {label}" if title else label

    def cells(self, row: dict[str, Any]) -> Line:
        by_path: dict[Path, list[Any]] = {}
        for key, value in row["answers"].items():
            by_path.setdefault(path_of(key), []).append(value)
        return [
            self._cell(*self.forms[form_id][1][path], by_path.get(path, [])) if form_id == row["form_id"] else None
            for form_id, path in self.places
        ]

    def _cell(self, form: Definition, question: Question, values: list[Any]) -> Cell:
        if not values:
            return None
        if len(values) == 1:
            return answer_cell(form, question, values[0], self._)
        return "; ".join(show(form, question, one, self._.language) for one in values)


def _questions(definition: dict[str, Any]) -> list[tuple[Definition, Question]]:
    """Those that may have an answer."""
    try:
        form = with_others(from_document(definition))
    except BadDocument:
        return []  # its answers are still in the JSON export
    return [(form, one) for one in form.questions if one.type is not QuestionType.NOTE]
