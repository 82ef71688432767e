"""The sheet `choices`: the lists that questions choose from. Pure."""

import re
from collections.abc import Mapping

from facts.languages import N_
from intake.forms.nodes import Choice
from intake.forms.xlsform.columns import IGNORED, Headed
from intake.forms.xlsform.findings import Findings, Place
from intake.forms.xlsform.tables import Row
from intake.forms.xlsform.texts import Translations

LONGEST_NAME = 100

Lists = Mapping[str, tuple[Choice, ...]]

NO_COLUMN = N_("The column “{column}” is missing: a choice has list_name, name and label.")
NO_LIST = N_("This choice has no list_name: it belongs to no list.")
NO_NAME = N_("This choice has no name. The name is what is kept of an answer.")
LONG_NAME = N_("The name “{name}” is too long: {most} characters at most.")
SAME_NAME = N_("The list “{list}” has the name “{name}” already, in row {row}. Give each choice its own.")
SAME_ALLOWED = N_("The list “{list}” has the name “{name}” several times: answers cannot tell them apart.")
NO_LABEL = N_("This choice has no label: its name is shown.")

_COLUMN = re.compile(r"[^\W\d][\w.-]*")


def read_lists(sheet: Headed, texts: Translations, *, duplicates: bool, found: Findings) -> Lists:
    """By name, in the order of the sheet. `duplicates`: the form allows two choices of one name. Raises Enough."""
    if not sheet.sheet.rows:
        return {}
    absent = [name for name in ("list_name", "name") if not any(one.name == name for one in sheet.columns)]
    for name in absent:
        found.problem(Place(sheet.sheet.name, 1), NO_COLUMN, column=name)
    if absent:
        return {}
    others = _others(sheet, found)
    lists: dict[str, dict[str, int]] = {}
    read: dict[str, list[Choice]] = {}
    for row in sheet.sheet.rows:
        list_name, name = sheet.cell(row, "list_name"), sheet.cell(row, "name")
        if not _is_named(sheet, row, list_name, name, found):
            continue
        rows = lists.setdefault(list_name, {})
        if name in rows and not duplicates:
            place = sheet.place(row.number, "name")
            found.problem(place, SAME_NAME, list=list_name, name=name, row=rows[name])
        elif name in rows:
            found.warn(sheet.place(row.number, "name"), SAME_ALLOWED, list=list_name, name=name)
        rows.setdefault(name, row.number)
        read.setdefault(list_name, []).append(_choice(sheet, row, name, others, texts, found))
    return {name: tuple(choices) for name, choices in read.items()}


def _is_named(sheet: Headed, row: Row, list_name: str, name: str, found: Findings) -> bool:
    if not list_name and not name and not sheet.texts(row, "label"):
        return False
    if not list_name:
        found.problem(sheet.place(row.number, "list_name"), NO_LIST)
    elif not name:
        found.problem(sheet.place(row.number, "name"), NO_NAME)
    elif len(name) > LONGEST_NAME:
        found.problem(sheet.place(row.number, "name"), LONG_NAME, name=name[:20] + "…", most=LONGEST_NAME)
    return bool(list_name and name)


def _choice(
    sheet: Headed, row: Row, name: str, others: tuple[str, ...], texts: Translations, found: Findings
) -> Choice:
    label = texts.of(sheet, row, "label")
    if not label:
        found.warn(sheet.place(row.number, "label"), NO_LABEL)
        label = {texts.languages[0]: name}
    return Choice(name, label, {header: row.cells[header] for header in others if header in row.cells})


def _others(sheet: Headed, found: Findings) -> tuple[str, ...]:
    """The columns that an expression can name."""
    for header in sheet.others:
        if not _COLUMN.fullmatch(header):
            found.warn(Place(sheet.sheet.name, 1, header), IGNORED)
    return tuple(header for header in sheet.others if _COLUMN.fullmatch(header))
