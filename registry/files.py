"""Writes a table as a file that a spreadsheet opens: CSV or Excel. Row by row; no cell of it can run as a formula.

Every file with rows that leaves the house is written here. CSV: `;`, UTF-8 with BOM, decimal comma, as Italian Excel
opens it with a double click.
"""

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from registry.cells import Cell, as_csv, fit_for_excel, guarded

Line = list[Cell]

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def write_csv(out: BinaryIO, headers: Iterable[str], lines: Iterable[Line]) -> int:
    """How many lines there were, the headers aside."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="", errors="replace")
    count = 0
    try:
        writer = csv.writer(text, delimiter=";")
        writer.writerow(map(guarded, headers))
        for line in lines:
            writer.writerow(map(as_csv, line))
            count += 1
    finally:
        text.detach()
    return count


def write_xlsx(out: BinaryIO, headers: Iterable[str], lines: Iterable[Line]) -> int:
    """How many lines there were, the headers aside."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Raccordo")
    sheet.freeze_panes = "A2"

    def excel_cell(cell: Cell) -> Any:
        if not isinstance(cell, str):
            return cell
        made = WriteOnlyCell(sheet, value=fit_for_excel(cell))
        made.data_type = "s"  # openpyxl takes "=1+1" for a formula and "#N/A" for an error
        return made

    count = 0
    sheet.append(list(map(excel_cell, headers)))
    for line in lines:
        sheet.append(list(map(excel_cell, line)))
        count += 1
    book.save(out)
    return count


FileWriter = Callable[[BinaryIO, Iterable[str], Iterable[Line]], int]
FILE_WRITERS: dict[str, FileWriter] = {"csv": write_csv, "xlsx": write_xlsx}
