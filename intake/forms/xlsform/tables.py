"""The tables of a form's file, as text. Pure: knows no question. Nothing is believed to be small or well formed."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from facts.languages import N_
from intake.forms.xlsform.findings import Findings, Place

SHEETS = ("survey", "choices", "settings")
NEEDED = "survey"
UNREAD = ("external_choices", "entities", "osm")  # sheets that XLSForm has and Raccordo does not
MOST_ROWS = {"survey": 5_000, "choices": 20_000, "settings": 100}
MOST_COLUMNS = 200
LONGEST_CELL = 32_767  # characters: what Excel holds
LONGEST_HEADER = 200
MOST_REFERENCES = 200  # in one cell: pyxform takes a second for thousands

NO_SURVEY = N_("There is no sheet “survey”: that is where the questions are. Sheets in the file: {sheets}.")
NO_SURVEY_BUT = N_("There is no sheet “survey”: that is where the questions are. Rename “{likely}”, if they are there.")
MISNAMED = N_("There is no sheet “{wanted}”. If it is “{likely}”, rename it. To leave it out, begin its name with _.")
MANY_ROWS = N_(
    "The sheet has more than {most} rows. Delete the rows below the last question, also those that look empty, and "
    "save it again."
)
MANY_REFERENCES = N_("The cell refers to other questions more than {most} times.")
LONG_CELL = N_("The cell has {length} characters: {most} at most.")
UNREAD_SHEET = N_("Raccordo does not do what the sheet “{sheet}” says: it is left out.")
TWICE = N_("Two columns have the header “{header}”. Leave one of them.")
NOT_HEADED = N_("Column {letter} has no header: what stands in it is left out.")

# How people call the sheets when they have not read that the names are fixed.
_ITALIAN = {
    "survey": ("questionario", "domande", "modulo", "sondaggio", "form", "questions"),
    "choices": ("scelte", "opzioni", "risposte", "liste", "lists", "options"),
    "settings": ("impostazioni", "opzioni modulo", "configurazione"),
}
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")  # XML has no way to write these


@dataclass(frozen=True, slots=True)
class Row:
    """`number` as Excel shows it. `cells` by header, trimmed, without the empty ones."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    name: str
    headers: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Tables:
    """The sheets that make a form, by their names in lower case; `names` of all sheets as they are written."""

    sheets: Mapping[str, Sheet]
    names: tuple[str, ...]

    def sheet(self, name: str) -> Sheet:
        return self.sheets.get(name) or Sheet(name)


def clean(text: str) -> str:
    """Trimmed; line ends as \\n, no-break spaces as spaces, without what no file can hold."""
    return _NOT_TEXT.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")).strip()


def made(name: str, lines: Iterable[tuple[int, list[str]]], found: Findings) -> Sheet:
    """A sheet from its numbered lines of cells: the first that is not empty is the header."""
    headers: list[str] = []
    rows: list[Row] = []
    bare: set[int] = set()  # columns without a header in which something stands
    for number, line in lines:
        cells = [clean(text) for text in line]
        if not any(cells):
            continue
        if not headers:
            headers = [" ".join(text.split()) for text in cells]
            _tell_headers(name, number, headers, found)
            continue
        _tell_large(name, number, headers, cells, found)
        bare |= {index for index, text in enumerate(cells) if text and not (index < len(headers) and headers[index])}
        rows.append(Row(number, {head: text for head, text in zip(headers, cells, strict=False) if head and text}))
    for index in sorted(bare)[:3]:
        found.warn(Place(name), NOT_HEADED, letter=letter(index + 1))
    return Sheet(name, tuple(head for head in headers if head), tuple(rows))


def letter(number: int) -> str:
    """The column as Excel names it: 1 → A, 28 → AB."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def tell_names(names: Iterable[str], found: Findings) -> None:
    """Problems with the names of the sheets; what is likely to be a slip, and what is left out."""
    names = list(names)
    there = {one.strip().casefold() for one in names}
    for one in sorted(there & set(UNREAD)):
        found.warn(Place(), UNREAD_SHEET, sheet=one)
    spare = [one for one in names if one.strip().casefold() not in {*SHEETS, *UNREAD} and not one.startswith("_")]
    for wanted in SHEETS:
        if wanted in there:
            continue
        likely = _likely(wanted, spare)
        if wanted != NEEDED and likely:
            found.warn(Place(), MISNAMED, wanted=wanted, likely=likely)
        elif wanted == NEEDED and likely:
            found.problem(Place(), NO_SURVEY_BUT, likely=likely)
        elif wanted == NEEDED:
            found.problem(Place(), NO_SURVEY, sheets=", ".join(names) or "—")


def _likely(wanted: str, names: list[str]) -> str:
    """The sheet that is meant; for the questions also the only one there is."""
    folded = {one.strip().casefold(): one for one in names[:50]}
    near = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.7)
    called = [one for one in _ITALIAN[wanted] if one in folded]
    only = list(folded) if wanted == NEEDED and len(folded) == 1 else []
    return next((folded[one] for one in (*near, *called, *only)), "")


def _tell_headers(name: str, number: int, headers: list[str], found: Findings) -> None:
    for head in headers:
        if len(head) > LONGEST_HEADER:
            found.problem(Place(name, number), LONG_CELL, length=len(head), most=LONGEST_HEADER)
    for head in sorted({head for head in headers if head and headers.count(head) > 1}):
        found.problem(Place(name, number, head), TWICE, header=head)


def _tell_large(name: str, number: int, headers: list[str], cells: list[str], found: Findings) -> None:
    for head, text in zip(headers, cells, strict=False):
        if head and len(text) > LONGEST_CELL:
            found.problem(Place(name, number, head), LONG_CELL, length=len(text), most=LONGEST_CELL)
        if head and text.count("${") > MOST_REFERENCES:
            found.problem(Place(name, number, head), MANY_REFERENCES, most=MOST_REFERENCES)
