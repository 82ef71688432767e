"""Gathers what the rows of a projects file say about each project, and what is wrong. Pure; writes nothing."""

import re
from dataclasses import dataclass, field

from facts.codes import InvalidCode, read_cup, read_istat
from facts.languages import N_
from registry.columns import PROJECTS
from registry.organizations import Directory
from registry.report import EMPTY_CELL, ImportReport
from registry.sheets import Row, read_cents
from storage.projects import Key, KnownProject
from storage.tables import Organization

UNKNOWN_PLACE = N_("No municipality has the code or name {found}.")
LIKELY_PLACE = N_("No municipality has the code or name {found}. Perhaps {suggestion}?")
TWO_PLACES = N_("The code is that of {by_code}, the name is {by_name}.")
LIKELY_CUP = N_("A letter and a digit that look alike may have been swapped. Perhaps {suggestion}?")
OTHERWISE = N_("Row {first} says something else for the same project.")

SIX_DIGITS = re.compile(r"[0-9]{6}")
ALL_MUNICIPALITIES = "000"


@dataclass(slots=True)
class Found:
    """What the rows of one project say. None: the file does not say, and what we know stays."""

    row: int
    cup: str
    local_code: str
    measure: str
    measure_name: str
    title: str
    body: str
    total: int | None
    pnrr: int | None
    paid: int | None
    places: dict[tuple[int, str], Organization] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return self.cup, self.local_code


class Reading:
    """Gathers the rows of each project, and what is wrong with them."""

    def __init__(self, report: ImportReport, known_directory: Directory, known: dict[Key, KnownProject]) -> None:
        self.report = report
        self.directory = known_directory
        self.provinces = known_directory.provinces
        self.known = known
        self.found: dict[Key, Found] = {}

    def take(self, row: Row) -> None:
        before = len(self.report.errors) + self.report.more_errors
        if self._is_elsewhere(row):
            self.report.elsewhere += 1
            return
        place = self._place(row)
        found = self._project(row)
        if len(self.report.errors) + self.report.more_errors > before:
            return
        first = self.found.setdefault(found.key, found)
        if first is not found:
            self._compare(first, found)
        if place is not None:
            first.places.setdefault((place.id, row["address"]), place)

    def _is_elsewhere(self, row: Row) -> bool:
        """Before anything is checked: the mistakes of another province are not ours to mend."""
        code = _code(row)
        name = _name(row)
        if code:
            outside = SIX_DIGITS.fullmatch(code) is not None and code[:3] not in self.provinces
            return outside and self.directory.named(name) is None
        if name:
            return False
        known = (row["cup"].upper(), row["local_code"]) in self.known
        return not known and self.directory.named(row["body"]) is None

    def _place(self, row: Row) -> Organization | None:
        code, name = _code(row), _name(row)
        if (not code and not name) or code.endswith(ALL_MUNICIPALITIES):
            return None
        by_name = self.directory.named(name) if name else None
        place = self.directory.by_code.get(code) if code else by_name
        column = PROJECTS.header("istat" if row["istat"] else "municipality")
        if place is None:
            suggestion = (by_name and by_name.name) or self.directory.likely(name)
            sentence = LIKELY_PLACE if suggestion else UNKNOWN_PLACE
            self.report.refuse(row.number, column, sentence, found=f"{code} {name}".strip(), suggestion=suggestion)
        elif by_name is not None and by_name.id != place.id:
            self.report.refuse(row.number, column, TWO_PLACES, by_code=place.name, by_name=by_name.name)
        return place

    def _project(self, row: Row) -> Found:
        measure = row["measure"] or row["parent_measure"]
        if not row["local_code"]:
            self.report.refuse(row.number, PROJECTS.header("local_code"), EMPTY_CELL)
        if not measure:
            self.report.refuse(row.number, PROJECTS.header("measure"), EMPTY_CELL)
        return Found(
            row=row.number,
            cup=self._cup(row),
            local_code=row["local_code"],
            measure=measure,
            measure_name=row["measure_name"] or row["parent_measure_name"],
            title=row["title"],
            body=row["body"],
            total=self._cents(row, "total"),
            pnrr=self._cents(row, "pnrr"),
            paid=self._cents(row, "paid"),
        )

    def _cup(self, row: Row) -> str:
        try:
            return read_cup(row["cup"]).value
        except InvalidCode as error:
            sentence = LIKELY_CUP if error.suggestion else error.sentence
            self.report.refuse(row.number, PROJECTS.header("cup"), sentence, suggestion=error.suggestion)
            return ""

    def _cents(self, row: Row, name: str) -> int | None:
        try:
            return read_cents(row[name])
        except ValueError as error:
            self.report.refuse(row.number, PROJECTS.header(name), str(error))
            return None

    def _compare(self, first: Found, again: Found) -> None:
        """Several rows of one project are several places: all the rest must be the same."""
        for name in ("measure", "title", "body", "total", "pnrr", "paid"):
            said, says = getattr(first, name), getattr(again, name)
            if said in (None, ""):
                setattr(first, name, says)
            elif says not in (None, "", said):
                self.report.refuse(again.row, PROJECTS.header(name), OTHERWISE, first=first.row)


def _name(row: Row) -> str:
    """The municipality's name. The column "Comune" holds a name in some files and three digits in others."""
    return row["municipality_name"] or ("" if row["municipality"].isdigit() else row["municipality"])


def _code(row: Row) -> str:
    """The municipality's six digits (or what is written instead); "" when there is none. `000` at the end: all."""
    text = row["istat"]
    if not text and row["province"].isdigit() and row["municipality"].isdigit():
        text = row["province"].zfill(3) + row["municipality"].zfill(3)
    if text.endswith(ALL_MUNICIPALITIES) or not text:
        return text
    try:
        return read_istat(text)
    except InvalidCode:
        return text
