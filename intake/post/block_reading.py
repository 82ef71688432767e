"""Finds what was filled in in a reply, whatever a mail program made of the block. Pure; refuses to say what it means.

People write inside the quoted mail, in their own text above it, or copy it there. Programs put `> ` before lines, break
them, add marks of their own, and double the lines.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from facts.folding import fold
from intake.post.block import words_of
from intake.post.plain_replies import closes

_QUOTED = re.compile(r"^(?:[ \t\u00a0]*[>|»][ \t\u00a0]?)+")
_DASHES = frozenset("-–—_=")
_WORD = re.compile(r"[^\W_]+")
_UNIT = re.compile(r"^[\s*_?!.…»”\")\]]*(?:\([^()]{0,20}\)|[%€])?[\s*_]*")
_SEPARATOR = re.compile(r"^(?:[:=]|[-–—→]+\s)[\s*_]*")
_CUP = re.compile(r"\bC\.?U\.?P\.?\W{0,3}([A-Z0-9]{15})\b", re.IGNORECASE)
WRAPPED = 55  # characters: a longer line may have been broken by a mail program
MOST_JOINED = 3  # lines that a heading may be broken into
MOST_LINES = 5000  # of a mail; a block does not begin further down
LONGEST_HEADING = 400  # characters


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the mail. `fresh`: written now, not in what is quoted."""

    text: str
    fresh: bool


@dataclass(slots=True)
class Said:
    """One line of a block. `rows`: what stands behind the label, and the lines after it that may belong to it."""

    label: str
    rows: list[Row]

    @property
    def fresh(self) -> bool:
        return self.rows[0].fresh

    @property
    def first(self) -> str:
        """The first line alone: the others may have been meant for nobody."""
        return self.rows[0].text

    @property
    def rest(self) -> list[Row]:
        return self.rows[1:]

    @property
    def whole(self) -> str:
        """All lines: those that a program has broken are joined."""
        text = ""
        for row in self.rows:
            broken = len(text.rpartition("\n")[2]) + len(self.label) >= WRAPPED
            text += (" " if broken or not text else "\n") + row.text
        return text.strip()


@dataclass(slots=True)
class Section:
    """One block. `heading` and `cup` are "" when nothing says what it tells of."""

    heading: str = ""
    cup: str = ""
    lines: list[Said] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reply:
    """`rest`: what was written now beside the blocks, line by line."""

    sections: tuple[Section, ...]
    rest: tuple[str, ...]


def read_reply(text: str, quoted: str, labels: Sequence[str], headings: Sequence[str] = ()) -> Reply:
    """`labels`: of all questions that may have been asked; `headings`: those that name something without a CUP."""
    between = [Row("", fresh=False)]
    return _Reader(_rows(text, fresh=True) + between + _rows(quoted, fresh=False), labels, headings).read()


def _rows(text: str, *, fresh: bool) -> list[Row]:
    found = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")[:MOST_LINES]:
        mark = _QUOTED.match(line)
        bare = line[mark.end() :] if mark else line
        found.append(Row(bare.replace("\u00a0", " ").replace("\u200b", "").strip(), fresh))
    return found


def _is_dashed(text: str) -> bool:
    return sum(one in _DASHES for one in text) > 1


def _heading_in(line: str) -> str:
    """What stands between dashes; "" when nothing does."""
    words = list(_WORD.finditer(line))
    if not words or not _is_dashed(line[: words[0].start()]) or not _is_dashed(line[words[-1].end() :]):
        return ""
    return line[words[0].start() : words[-1].end()]


class _Reader:
    def __init__(self, rows: list[Row], labels: Sequence[str], headings: Sequence[str]) -> None:
        self._rows = rows
        # the longest first: "Problemi" begins "Problemi di cantiere" too
        self._labels = sorted({(words_of(label), label) for label in labels}, key=lambda one: -len(one[0]))
        self._headings = [fold(one.rstrip("…")) for one in headings]
        self._rest: list[str] = []
        self._sections: list[Section] = []
        self._current: Section | None = Section()  # a block may have lost its heading
        self._line: Said | None = None

    def read(self) -> Reply:
        at = 0
        while at < len(self._rows):
            at += self._heading(at) or self._end(at) or self._labelled(at) or self._other(at)
        headed = any(section.heading for section in self._sections)
        sections = [one for one in self._sections if one.heading or not headed or any(line.fresh for line in one.lines)]
        return Reply(tuple(sections), tuple(self._rest))

    def _heading(self, at: int) -> int:
        """How many lines the heading that begins here takes; 0 when none does."""
        if not _is_dashed(self._rows[at].text[:LONGEST_HEADING].partition(" ")[0]):
            return 0
        joined = ""
        for taken, row in enumerate(self._rows[at : at + MOST_JOINED], 1):
            joined = f"{joined} {row.text[:LONGEST_HEADING]}".strip()
            heading = _heading_in(joined)
            cup = _CUP.search(heading)
            if heading and (cup or self._is_known(heading)):
                self._current = Section(heading, cup[1].upper() if cup else "")
                self._sections.append(self._current)
                self._line = None
                return taken
        return 0

    def _is_known(self, heading: str) -> bool:
        said = fold(heading.rstrip("…"))
        return any(said == known or said.startswith(f"{known} ") for known in self._headings)

    def _end(self, at: int) -> int:
        if self._line is None and (self._current is None or not self._current.lines):
            return 0
        bare = self._rows[at].text.replace(" ", "").strip("*")
        if len(bare) < 2 or not _DASHES.issuperset(bare):
            return 0
        self._line = self._current = None
        return 1

    def _labelled(self, at: int) -> int:
        if self._current is None:
            return 0
        row, taken = self._rows[at], 1
        found = self._split(row.text)
        if found is None and self._begins_a_label(row.text) and at + 1 < len(self._rows):
            found, taken = self._split(f"{row.text} {self._rows[at + 1].text}"), 2
        if found is None:
            return 0
        label, value = found
        self._line = Said(label, [Row(value, row.fresh)])
        if self._current not in self._sections:
            self._sections.append(self._current)
        self._current.lines.append(self._line)
        return taken

    def _split(self, text: str) -> tuple[str, str] | None:
        """The label that a line begins with, and what stands behind it."""
        words = list(_WORD.finditer(text))
        folded = [fold(word[0]) for word in words]
        for wanted, label in self._labels:
            count = len(wanted)
            if count and tuple(folded[:count]) == wanted and not text[: words[0].start()].strip('*_•·#"“ \t-'):
                behind = text[words[count - 1].end() :]
                behind = behind[len(_UNIT.match(behind)[0]) :]  # type: ignore[index]  # matches nothing, too
                separator = _SEPARATOR.match(behind)
                if separator or not behind or behind[0].isdigit():
                    return label, (behind[separator.end() :] if separator else behind).strip(" *_\t")
        return None

    def _begins_a_label(self, text: str) -> bool:
        """Whether a program may have broken a line inside of a label."""
        said = words_of(text)
        return bool(said) and any(wanted[: len(said)] == said and wanted != said for wanted, _ in self._labels)

    def _other(self, at: int) -> int:
        row = self._rows[at]
        if not row.text:
            self._line = None
            return 1
        if self._line is not None and closes(row.text):
            self._line = self._current = None  # who has deleted the line of dashes says goodbye below the answers
        if self._line is not None:
            self._line.rows.append(row)
        elif row.fresh:
            self._rest.append(row.text)
        return 1
