r"""Reads and writes a form's tables as Markdown, the same tables as pyxform's. Pure.

    | survey |
    |        | type | name | label      |
    |        | text | why  | Why?       |

The first cell names the sheet, the first row after it holds the headers. `\|` is a bar in a cell; lines that are no
table are left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from facts.languages import N_
from intake.forms.xlsform.findings import Findings, Place
from intake.forms.xlsform.tables import MANY_ROWS, MOST_COLUMNS, MOST_ROWS, Sheet, Tables, made, tell_names

LARGEST_TEXT = 4 << 20  # bytes

NOT_UTF8 = N_("The file is text, but not UTF-8. Save it again as UTF-8.")
NO_TABLE = N_("The file is neither Excel nor a Markdown table: it cannot be read. A form is an .xlsx file.")
LARGE_TEXT = N_("The file has {size} MB: a form in Markdown has {most} at most.")

_ESCAPED = r"\|"
_BAR = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"[|\-:\s]+")


def read_markdown(content: bytes, found: Findings) -> Tables | None:
    """None when it is no table. Raises Enough."""
    if len(content) > LARGEST_TEXT:
        found.problem(Place(), LARGE_TEXT, size=len(content) >> 20, most=LARGEST_TEXT >> 20)
        return None
    try:
        lines = list(_lines(content.decode("utf-8-sig")))
    except UnicodeDecodeError:
        found.problem(Place(), NOT_UTF8)
        return None
    names = list(dict.fromkeys(name for name, _ in lines if name))
    if not names:
        found.problem(Place(), NO_TABLE)
        return None
    tell_names(names, found)
    sheets = {}
    for name in names:
        folded = name.casefold()
        if folded in MOST_ROWS and folded not in sheets:
            sheets[folded] = _sheet(folded, [cells for one, cells in lines if one == name and any(cells)], found)
    return Tables(sheets, tuple(names))


def _sheet(name: str, lines: list[list[str]], found: Findings) -> Sheet:
    if len(lines) > MOST_ROWS[name]:
        found.problem(Place(name), MANY_ROWS, most=MOST_ROWS[name])
        return Sheet(name)
    return made(name, enumerate(lines, start=1), found)


def _lines(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each line of the tables with the sheet that it belongs to."""
    name = ""
    for line in text.split("\n"):
        bare = line.strip()
        inner = bare[1 : bare.rfind("|")] if bare.startswith("|") else ""
        if not inner or _RULE.fullmatch(inner):
            continue
        first, *cells = (cell.strip().replace(r"\|", "|") for cell in _BAR.split(inner, maxsplit=MOST_COLUMNS))
        name = first or name
        if first or any(cells):
            yield name, cells


def write_markdown(sheets: Mapping[str, Iterable[list[str]]]) -> str:
    """Line breaks inside a cell become spaces: Markdown tables have none. Blank rows are left out."""
    return "".join(f"| {name} |\n{''.join(map(_line, filter(any, rows)))}" for name, rows in sheets.items())


def _line(cells: list[str]) -> str:
    return "|".join(["", " ", *(f" {' '.join(text.split()).replace('|', _ESCAPED)} " for text in cells), "\n"])
