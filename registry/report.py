"""What an import says at the end: how much was done, and what is wrong in which row. Pure; decides nothing.

Exception
└── RegistryRefused(sentence, values)   one thing could not be done; the sentence says why and what to do
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from facts.languages import N_, Speaker

Progress = Callable[[int], None]
"""Told, now and then, how many rows have been read."""

PROGRESS_EVERY = 1_000  # rows
MOST_ERRORS = 500  # a wrong file has an error in each row: nobody reads more, and they fill the memory


class RegistryRefused(Exception):
    """A refusal for a person to read: `sentence` is a message id, `values` fill it."""

    def __init__(self, sentence: str, **values: Any) -> None:
        super().__init__(sentence.format(**values) if values else sentence)
        self.sentence = sentence
        self.values = values

    def say(self, _: Speaker) -> str:
        return _(self.sentence, **self.values)


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one row (the header is row 1) and column; `sentence` is a message id, `values` fill it."""

    row: int
    column: str
    sentence: str
    values: dict[str, Any] = field(default_factory=dict)

    def say(self, _: Speaker) -> str:
        """`Row 12, CUP: the code is too short or too long.`"""
        explanation = _(self.sentence, **self.values)
        if not self.column:
            return _("Row {row}: {explanation}", row=self.row, explanation=explanation)
        return _("Row {row}, {column}: {explanation}", row=self.row, column=self.column, explanation=explanation)


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing about the file that stops nothing."""

    sentence: str
    values: dict[str, Any] = field(default_factory=dict)

    def say(self, _: Speaker) -> str:
        return _(self.sentence, **self.values)


@dataclass
class ImportReport:
    """What an import did, or would do (`dry_run`), or could not: with errors nothing may be kept (roll back).

    `rows` read, without the header; `created`, `changed` and `unchanged` count projects, people or deadlines;
    `elsewhere` counts rows that are none of this office's business.
    """

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    elsewhere: int = 0
    dry_run: bool = False
    errors: list[RowError] = field(default_factory=list)
    more_errors: int = 0
    notes: list[Note] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.errors

    def refuse(self, row: int, column: str, sentence: str, /, **values: Any) -> None:
        """Adds an error; beyond MOST_ERRORS they are only counted."""
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(RowError(row, column, sentence, values))
        else:
            self.more_errors += 1

    def note(self, sentence: str, **values: Any) -> None:
        self.notes.append(Note(sentence, values))

    def read_one(self, progress: Progress | None) -> None:
        """Counts a row, and says so now and then."""
        self.rows += 1
        if progress is not None and self.rows % PROGRESS_EVERY == 0:
            progress(self.rows)


UNKNOWN_COLUMNS = N_("These columns are not known and were not read: {columns}.")
ABSENT_COLUMNS = N_("These columns are not in the file: {columns}.")
MISSING_COLUMN = N_("This column is missing. Columns found: {columns}.")
EMPTY_CELL = N_("This cell is empty, and it is needed.")
