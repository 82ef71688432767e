"""Lets pyxform read the same rows: what opens here shall open in ODK and KoboToolbox. Pure: no Java, no ODK Validate.

Our own reading says more, and all of it at once; pyxform stops at its first error. So it comes last, and what it says
is told in the reader's language where it is frequent, else quoted.
"""

import re
from typing import Any

from facts.languages import N_
from intake.forms.xlsform.columns import OURS, Column, Headed, near
from intake.forms.xlsform.findings import Findings, Place
from intake.forms.xlsform.kinds import Step, kind_of, type_cell
from intake.forms.xlsform.tables import Row

BAD_REFERENCE = N_("A reference to another question is broken here. It is written {example}.")
NO_QUESTION = N_("There is no question “{name}”.")
LIKELY_QUESTION = N_("There is no question “{name}”. Do you mean “{likely}”?")
SEVERAL_QUESTIONS = N_("Several questions are called “{name}”: it is not clear which one is meant here.")
SAME_REPEAT = N_("Another repeat has this name. Give each repeat its own, also in different groups.")
BAD_PARAMETER = N_("The parameter “{rejected}” is not known for this type. It may be: {accepted}.")
QUOTED = N_("XLSForm does not allow this: “{sentence}”")

_ERRORS = (
    (re.compile(r"Reference variables must start"), BAD_REFERENCE),
    (re.compile(r"Could not find the name '(?P<name>[^']*)'"), NO_QUESTION),
    (re.compile(r"The name '(?P<name>[^']*)' appears more than once"), SEVERAL_QUESTIONS),
    (re.compile(r"Repeat names must unique"), SAME_REPEAT),
    (re.compile(r"type are '(?P<accepted>[^']*)'\. .*key\(s\): '(?P<rejected>[^']*)'", re.DOTALL), BAD_PARAMETER),
)
_OURS = (  # warnings about what we tell ourselves, or what has no meaning here
    "max-pixels", "is missing the", "or_other", "has no label", "case-insensitive", "should have a label", "'disabled'",
    "is being skipped", "must not contain spaces", "no longer supported", "similar names", "no language tag",
)  # fmt: skip
_ROW = re.compile(r"\[row : (\d+)\]")
_SHEET = re.compile(r"'(survey|choices|settings)' sheet")
_COLUMN = re.compile(r"the '([^']+)' value")


def ask_pyxform(survey: Headed, choices: Headed, settings: Headed, names: frozenset[str], found: Findings) -> None:
    """`names`: of all that is in the survey. Raises Enough, nothing else."""
    warnings: list[str] = []
    try:
        from pyxform.xls2json import workbook_to_json
        from pyxform.xls2json_backends import DefinitionData

        data = DefinitionData(
            survey=_rows(survey, [_survey_row(survey, row, names) for row in survey.sheet.rows]),
            survey_header=_header(survey),
            choices=_rows(choices, [dict(row.cells) for row in choices.sheet.rows]),
            choices_header=_header(choices),
            settings=[_kept(settings, settings.sheet.rows[0])] if settings.sheet.rows else [],
            settings_header=_header(settings),
            sheet_names=["survey", "choices", "settings"],
        )
        workbook_to_json(data, form_name="_form", fallback_form_name="form", warnings=warnings)
    except Exception as error:  # pyxform raises its own, and at times what Python raises
        _tell(_words_of(error), names, found)
    for warning in warnings:
        if not any(words in warning for words in _OURS):
            found.warn(_place(warning), QUOTED, sentence=_short(warning))


def _tell(said: str, names: frozenset[str], found: Findings) -> None:
    place = _place(said)
    for pattern, msgid in _ERRORS:
        match = pattern.search(said)
        if match is None:
            continue
        values = {"example": "${name}"} | match.groupdict()
        likely = near(values["name"], sorted(names)[:2_000]) if msgid is NO_QUESTION else ""
        found.problem(place, LIKELY_QUESTION if likely else msgid, likely=likely, **values)
        return
    found.problem(place, QUOTED, sentence=_short(said))


def _words_of(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # pyxform's own __str__ fails for an error without words
        return type(error).__name__


def _place(said: str) -> Place:
    row, sheet, column = _ROW.search(said), _SHEET.search(said), _COLUMN.search(said)
    name = sheet[1] if sheet else "survey"
    if row is None:
        return Place(name if sheet else "")
    return Place(name, int(row[1]), column[1] if column else "")


def _short(said: str) -> str:
    return " ".join(_ROW.sub("", said).split())[:300]


def _header(sheet: Headed) -> list[dict[str, None]]:
    headers = [header for column, header in sheet.columns.items() if not column.name.startswith(f"{OURS}::")]
    return [dict.fromkeys([*headers, *sheet.others])] if headers else []


def _rows(sheet: Headed, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """At their places: pyxform counts the rows, and the first is row 2."""
    placed: list[dict[str, str]] = [{} for _ in range(sheet.sheet.rows[-1].number - 1)] if rows else []
    for row, cells in zip(sheet.sheet.rows, rows, strict=True):
        placed[row.number - 2] = _only(sheet, cells)
    return placed


def _survey_row(sheet: Headed, row: Row, names: frozenset[str]) -> dict[str, str]:
    """The row as XLSForm writes its type; nothing for what is left out."""
    kind = kind_of(sheet.cell(row, "type"))
    cells: dict[str, Any] = dict(row.cells)
    header = sheet.columns[Column("type")]
    if kind.step is Step.AUTOMATIC and sheet.cell(row, "name") not in names:
        return {}
    if kind.step is Step.QUESTION:
        cells[header] = type_cell(kind.type, kind.list, other=kind.other)
    elif kind.step in {Step.BEGIN, Step.END}:
        cells[header] = f"{kind.step}_{'repeat' if kind.repeats else 'group'}"
    return cells


def _kept(sheet: Headed, row: Row) -> dict[str, str]:
    return _only(sheet, dict(row.cells))


def _only(sheet: Headed, cells: dict[str, str]) -> dict[str, str]:
    header = _header(sheet)
    return {name: text for name, text in cells.items() if header and name in header[0]}
