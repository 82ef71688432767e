"""What is to be said about a file of a form: where, and what. Pure.

Exception
└── Enough   more problems than anybody would read: reading stops
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from facts.languages import N_, Language, Speaker
from intake.forms.outcomes import Sentence

MOST = 100  # problems, and as many warnings
LONGEST_QUOTE = 300  # characters

_IN_SHEET = N_("Sheet {sheet}")
_IN_ROW = N_("Sheet {sheet}, row {row}")
_IN_COLUMN = N_("Sheet {sheet}, row {row}, column {column}")
_MORE_PROBLEMS = N_("There are more problems: when these are put right, the others will be told.")
_MORE_WARNINGS = N_("There are {count} more remarks like these.")


class Enough(Exception):
    """There are as many problems as are told."""


@dataclass(frozen=True, slots=True)
class Place:
    """Of a file: `sheet` "" is the whole file, `row` 0 the whole sheet (else as Excel counts), `column` its header."""

    sheet: str = ""
    row: int = 0
    column: str = ""

    def say(self, _: Speaker) -> str:
        if self.column:
            return _(_IN_COLUMN, sheet=self.sheet, row=self.row, column=self.column)
        if self.row:
            return _(_IN_ROW, sheet=self.sheet, row=self.row)
        return _(_IN_SHEET, sheet=self.sheet) if self.sheet else ""


@dataclass(frozen=True, slots=True)
class Finding:
    place: Place
    sentence: Sentence

    def say(self, _: Speaker) -> str:
        """In one line, the place first."""
        return ": ".join(part for part in (self.place.say(_), self.sentence.say(_)) if part)


Value = str | int | Callable[[Language], str]


@dataclass
class Findings:
    """Gathers while a file is read. A problem keeps the form from being used, a warning does not."""

    problems: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    unsaid: int = 0

    def problem(self, place: Place, msgid: str, **values: Value) -> None:
        """Raises Enough."""
        self.add(place, sentence(msgid, **_short(values)))

    def add(self, place: Place, said: Sentence) -> None:
        """A problem that is worded already. Raises Enough."""
        self.problems.append(Finding(place, said))
        if len(self.problems) == MOST:
            raise Enough

    def warn(self, place: Place, msgid: str, **values: Value) -> None:
        if len(self.warnings) < MOST:
            self.warnings.append(Finding(place, sentence(msgid, **_short(values))))
        else:
            self.unsaid += 1

    def all_problems(self) -> tuple[Finding, ...]:
        """In the order of the file."""
        more = [Finding(Place(), sentence(_MORE_PROBLEMS))] if len(self.problems) == MOST else []
        return (*sorted(self.problems, key=_order), *more)

    def all_warnings(self) -> tuple[Finding, ...]:
        """In the order of the file."""
        more = [Finding(Place(), sentence(_MORE_WARNINGS, count=self.unsaid))] if self.unsaid else []
        return (*sorted(self.warnings, key=_order), *more)


def _order(finding: Finding) -> tuple[int, int]:
    sheets = ("", "survey", "choices", "settings")
    return (sheets.index(finding.place.sheet) if finding.place.sheet in sheets else len(sheets), finding.place.row)


def sentence(msgid: str, **values: Value) -> Sentence:
    """A sentence whose values are the same in both languages, unless they are functions of the language."""
    return Sentence(msgid, {name: value if callable(value) else _as_it_is(value) for name, value in values.items()})


def _short(values: dict[str, Value]) -> dict[str, Value]:
    """What people wrote into a cell is quoted, not repeated in full."""
    return {
        name: f"{value[:LONGEST_QUOTE]}…" if isinstance(value, str) and len(value) > LONGEST_QUOTE else value
        for name, value in values.items()
    }


def _as_it_is(value: str | int) -> Callable[[Language], str]:
    return lambda _language: str(value)
