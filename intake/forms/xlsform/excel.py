"""Reads an .xlsx file into a form's tables. Looks at its directory first and unpacks nothing that is too large.

Refuses, each with what to do instead: encrypted, with macros, too many rows, formulas, merged cells, broken.
"""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from facts.languages import N_
from intake.forms.xlsform.findings import Enough, Findings, Place
from intake.forms.xlsform.tables import (
    MANY_ROWS,
    MOST_COLUMNS,
    MOST_ROWS,
    Sheet,
    Tables,
    letter,
    made,
    tell_names,
)

MOST_PARTS = 2_000
LARGEST_PART = 64 << 20  # bytes unpacked: a sheet of 100,000 rows still gets its own sentence
LARGEST_TEXTS = 16 << 20  # all of them are in memory at once
CHUNK = 1 << 16

BROKEN = N_("The file looks like Excel but cannot be opened. Open it, save it again as .xlsx and send that.")
PASSWORD = N_(
    "The file is protected by a password. In Excel: File, Info, Protect Workbook; remove it, save, send again."
)
MACROS = N_(
    "The file holds macros, which are not run or read here. Save it as “Excel Workbook (*.xlsx)” and send that."
)
BINARY = N_("The file is in the binary format of Excel (.xlsb). Save it as “Excel Workbook (*.xlsx)” and send that.")
OLD = N_("The file is in the old format of Excel (.xls). Save it as “Excel Workbook (*.xlsx)” and send that.")
OPEN_DOCUMENT = N_("The file is an OpenDocument sheet. In LibreOffice: Save as, type “Excel 2007-365 (.xlsx)”.")
NO_WORKBOOK = N_("The file is not an Excel workbook. A form is an .xlsx file.")
BOMB = N_("Unpacked, the file would be larger than any form. Copy the three sheets into a new file and send that.")
FORMULA = N_("Cell {cell} holds a formula: its value is not known here. Copy it and paste it as value.")
ERROR = N_("Cell {cell} holds the error {error}. Write the text in its place.")
MERGED = N_("The cells {cells} are merged: only the first of them would be read. Unmerge them.")

_ROW = re.compile(rb"<(?:\w+:)?row\b(?:[^<>]*?\br=[\"'](\d{1,7})[\"'])?")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\b[^<>]*?\bref=[\"']([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})[\"']")
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}sheet"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}sheet"
MOST_TOLD = 20  # formulas or merged cells of a sheet


def read_excel(content: bytes, found: Findings) -> Tables | None:
    """None when it cannot be read; then there are problems. Raises Enough."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            refusal = _refusal(archive)
            if refusal:
                found.problem(Place(), refusal)
                return None
            parts = _parts(archive)
            tell_names(parts, found)
            wanted = {name: _wanted(name) for name in parts}
            sound = [_look(archive, part, wanted[name], found) for name, part in parts.items() if wanted[name]]
        if not all(sound):
            return None
        return Tables(dict(_sheets(content, found)), tuple(parts))
    except Enough:
        raise
    except Exception:  # a file of any bytes: what zipfile, the XML parser and openpyxl raise has no common name
        found.problem(Place(), BROKEN)
    return None


def _refusal(archive: zipfile.ZipFile) -> str:
    """Why the file is not even unpacked; "" when it may be."""
    parts = archive.infolist()
    names = {one.filename for one in parts}
    if any(one.flag_bits & 1 for one in parts):
        return PASSWORD
    if len(parts) > MOST_PARTS or any(_is_bomb(one) for one in parts):
        return BOMB
    if any(name.endswith("vbaProject.bin") for name in names):
        return MACROS
    if "xl/workbook.bin" in names:
        return BINARY
    if "mimetype" in names and archive.read("mimetype")[:60].startswith(b"application/vnd.oasis"):
        return OPEN_DOCUMENT
    if "xl/workbook.xml" not in names:
        return NO_WORKBOOK
    return MACROS if b"macroEnabled" in archive.read("[Content_Types].xml") else ""


def _is_bomb(part: zipfile.ZipInfo) -> bool:
    """The directory is believed: the reading of a part ends at the size that stands there."""
    if part.filename.startswith("xl/worksheets/"):
        return part.file_size > LARGEST_PART
    return part.filename.endswith((".xml", ".rels", "mimetype")) and part.file_size > LARGEST_TEXTS


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Which part of the file each sheet is."""
    from defusedxml.ElementTree import fromstring

    links = fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    book = fromstring(archive.read("xl/workbook.xml"))
    sheets = [node for node in book.iter() if node.tag in {_MAIN, _STRICT}]
    found = {}
    for node in sheets:
        link = next((value for key, value in node.attrib.items() if key.endswith("}id")), "")
        target = targets.get(link, "")
        found[node.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return found


def _wanted(name: str) -> str:
    folded = name.strip().casefold()
    return folded if folded in MOST_ROWS else ""


def _look(archive: zipfile.ZipFile, part: str, name: str, found: Findings) -> bool:
    """Whether a sheet may be read: not too long, nothing merged. Reads no further than needed."""
    rows, merged = 0, []
    for chunk in _chunks(archive, part):
        for number in _ROW.findall(chunk):
            rows = max(rows + 1, int(number or 0))
        if rows > MOST_ROWS[name]:
            found.problem(Place(name), MANY_ROWS, most=MOST_ROWS[name])
            return False
        merged += [one.decode() for one in _MERGED.findall(chunk)]
        if len(merged) >= MOST_TOLD:
            break
    for cells in merged[:MOST_TOLD]:
        found.problem(Place(name, int(re.split(r"[A-Z]+", cells)[1].rstrip(":"))), MERGED, cells=cells)
    return not merged


def _chunks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Whole tags only, so that none is counted twice or cut."""
    with archive.open(part) as file:
        rest = b""
        while chunk := file.read(CHUNK):
            whole, bracket, rest_of = (rest + chunk).rpartition(b">")
            yield whole + bracket
            rest = rest_of[-CHUNK:]


def _sheets(content: bytes, found: Findings) -> Iterator[tuple[str, Sheet]]:
    from openpyxl import load_workbook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions, which say nothing of a form
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        try:
            for title in book.sheetnames:
                name = title.strip().casefold()
                if name in MOST_ROWS:
                    yield name, made(name, _lines(book[title], name, found), found)
        finally:
            book.close()


def _lines(sheet: Any, name: str, found: Findings) -> Iterator[tuple[int, list[str]]]:
    told = 0
    for number, row in enumerate(sheet.iter_rows(max_row=MOST_ROWS[name], max_col=MOST_COLUMNS), start=1):
        line = []
        for index, cell in enumerate(row, start=1):
            if cell.data_type in {"f", "e"} and cell.value is not None and told < MOST_TOLD:
                told += 1
                _tell_cell(Place(name, number), f"{letter(index)}{number}", cell, found)
            line.append("" if cell.value is None or cell.data_type in {"f", "e"} else _text(cell.value))
        yield number, line


def _tell_cell(place: Place, name: str, cell: Any, found: Findings) -> None:
    if cell.data_type == "f":
        found.problem(place, FORMULA, cell=name)
    else:
        found.problem(place, ERROR, cell=name, error=str(cell.value))


def _text(value: Any) -> str:
    """A cell as XLSForm means it: `yes`, 45, 0.5, 2026-12-31."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    return value.isoformat() if isinstance(value, date | time) else str(value)
