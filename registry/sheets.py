"""Reads a table, CSV or Excel, row by row under names we know. Pure but for reading; never guesses a value.

Exception
└── UnreadableSheet(sentence, values)   the file is no table at all
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from facts.languages import N_
from registry.report import ABSENT_COLUMNS, MISSING_COLUMN, UNKNOWN_COLUMNS, ImportReport

Source = Path | BinaryIO
Cells = list[str]

ZIP_SIGNATURE = b"PK\x03\x04"  # an .xlsx is a zip, whatever its name says
EMPTY = frozenset({"", "#", "N/D", "n/d"})  # how the open data say "nothing"
PLACEHOLDER_DAYS = frozenset({"00/01/1900", "01/01/1900", "31/12/9999"})
DELIMITERS = ";,\t|"
LONGEST_FIELD = 1 << 20  # characters; the open data have long ones, a quotation mark never closed makes a longer one

csv.field_size_limit(LONGEST_FIELD)

NOT_TEXT = N_("The file is not UTF-8 text. Save it again as CSV UTF-8, or as Excel.")
NOT_EXCEL = N_("The file looks like Excel but cannot be opened. Save it again.")
NOTHING = N_("The file is empty.")
BROKEN_ROW = N_("The row cannot be read: perhaps a quotation mark is opened and never closed.")
TOO_MANY_CELLS = N_("The row has {found} cells and the header has {expected}.")


class UnreadableSheet(Exception):
    """The file cannot be read at all; `sentence` is a message id."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Columns:
    """Which headers mean which field. `needed` fields must be there, `spare` ones are not missed when absent.

    `ignored` headers are known and not read.
    """

    aliases: Mapping[str, tuple[str, ...]]
    needed: frozenset[str]
    spare: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()

    def header(self, name: str) -> str:
        """The header to name in an error about a field."""
        return self.aliases[name][0]

    def places(self, header: Cells) -> dict[str, int]:
        """Where each field is. Headers are compared trimmed and without case; the first alias found wins."""
        found = {_plain(text): index for index, text in reversed(list(enumerate(header)))}
        return {
            name: found[_plain(alias)]
            for name, aliases in self.aliases.items()
            for alias in reversed(aliases)
            if _plain(alias) in found
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `number` as a spreadsheet shows it (the header is 1), and its cells by field, trimmed."""

    number: int
    cells: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """The text of a field; "" when the column is absent or the cell says nothing."""
        return self.cells.get(name, "")


def read_rows(source: Source, columns: Columns, report: ImportReport) -> Iterator[Row]:
    """Each row that has something in it. What is wrong with the file or its columns goes into the report."""
    try:
        with _table(source) as lines:
            yield from _under_names(lines, columns, report)
    except UnreadableSheet as error:
        report.refuse(1, "", error.sentence)
    except UnicodeDecodeError:
        report.refuse(report.rows + 2, "", NOT_TEXT)
    except csv.Error:
        report.refuse(report.rows + 2, "", BROKEN_ROW)


def _under_names(lines: Iterable[Cells], columns: Columns, report: ImportReport) -> Iterator[Row]:
    numbered = enumerate(lines, start=1)
    header = next((cells for _, cells in numbered), None)
    if header is None:
        raise UnreadableSheet(NOTHING)
    places = columns.places(header)
    _tell_columns(header, columns, places, report)
    if not columns.needed <= places.keys():
        return
    for number, cells in numbered:
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(header) :]):
            report.refuse(number, "", TOO_MANY_CELLS, found=len(cells), expected=len(header))
            continue
        yield Row(number, {name: _cell(cells, index) for name, index in places.items()})


def _tell_columns(header: Cells, columns: Columns, places: Mapping[str, int], report: ImportReport) -> None:
    known = {_plain(alias) for aliases in columns.aliases.values() for alias in aliases}
    known |= {_plain(text) for text in columns.ignored}
    unknown = [text.strip() for text in header if text.strip() and _plain(text) not in known]
    if unknown:
        report.note(UNKNOWN_COLUMNS, columns=", ".join(unknown))
    missed = columns.aliases.keys() - places.keys() - columns.needed - columns.spare
    absent = [columns.header(name) for name in columns.aliases if name in missed]
    if absent:
        report.note(ABSENT_COLUMNS, columns=", ".join(absent))
    for name in columns.aliases:
        if name in columns.needed and name not in places:
            found = ", ".join(text.strip() for text in header)
            report.refuse(1, columns.header(name), MISSING_COLUMN, columns=found[:300])


def _plain(header: str) -> str:
    return " ".join(header.replace("\ufeff", "").split()).casefold()


def _cell(cells: Cells, index: int) -> str:
    """A short row lacks its last cells: they are empty."""
    text = " ".join(cells[index].split()) if index < len(cells) else ""
    return "" if text in EMPTY else text


@contextmanager
def _table(source: Source) -> Iterator[Iterator[Cells]]:
    opened = source.open("rb") if isinstance(source, Path) else None
    file = opened or source
    assert not isinstance(file, Path)
    try:
        file.seek(0)  # an upload may have been read before
        excel = file.read(4) == ZIP_SIGNATURE
        file.seek(0)
        yield _excel_rows(file) if excel else _csv_rows(file)
    finally:
        if opened:
            opened.close()


def _csv_rows(file: BinaryIO) -> Iterator[Cells]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        start = text.readline(LONGEST_FIELD)
        text.seek(0)
        delimiter = max(DELIMITERS, key=start.count)
        # NUL would end the reading of a whole file for one bad byte.
        yield from csv.reader((line.replace("\0", "") for line in text), delimiter=delimiter)
    finally:
        with suppress(ValueError):  # the file was closed before the last row was asked for
            text.detach()


def _excel_rows(file: BinaryIO) -> Iterator[Cells]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(file, read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise UnreadableSheet(NOT_EXCEL) from error
    try:
        for row in book.worksheets[0].iter_rows(values_only=True):
            yield [_as_text(value) for value in row]
    finally:
        book.close()


def _as_text(value: Any) -> str:
    """A cell as an Italian would type it: 10/12/2026, 1234,5."""
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(round(value, 6)).replace(".", ",")
    return str(value)


EURO = re.compile(r"([0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)(?:,([0-9]{1,2})0*)?")
NO_CENTS = N_("This is not an amount. Write it like 1234,56.")


def read_cents(text: str) -> int | None:
    """Euro cents of an amount in a data file: decimal comma, dots only between thousands. None: the cell is empty.

    Strict on purpose: a file is written by a program, and `1234.56` would be a guess. Raises ValueError.
    """
    if not text:
        return None
    found = EURO.fullmatch(text.removesuffix("€").strip())
    if found is None:
        raise ValueError(NO_CENTS)
    return int(found[1].replace(".", "")) * 100 + int((found[2] or "").ljust(2, "0"))


def read_day(text: str) -> date | None:
    """A day written 10/12/2026 (or 2026-12-10); None when the cell is empty or a placeholder. Raises ValueError."""
    if not text or text in PLACEHOLDER_DAYS:
        return None
    italian = re.fullmatch(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})", text)
    if italian:
        return date(int(italian[3]), int(italian[2]), int(italian[1]))
    return date.fromisoformat(text)
