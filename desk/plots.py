"""Bars as numbers: where each stands and how long it is. The template draws them as SVG. Pure; knows no page.

By hand and not with matplotlib, which costs 63 MB and a second in the serving process, and draws text that no reader
of screens reads and no style sheet colours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

WIDTH = 360  # of the drawing, in units: about as many pixels on a phone
NAMES, VALUES = 122, 40  # what stands left of the bars and right of them
THICK, THIN, ROW = 14, 9, 24
LONGEST_NAME = 20

Number = int | Decimal


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle. `series`: of which row of the legend, from 0."""

    x: float
    y: float
    width: float
    height: float
    series: int


@dataclass(frozen=True, slots=True)
class Word:
    """One piece of text, at its base line."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """`series` are the names of the legend, from 0. `longest`: the row with the longest bar, and its value."""

    series: Sequence[str]
    bars: Sequence[Bar]
    names: Sequence[Word]
    values: Sequence[Word]
    height: int
    longest: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """The numbers of one row, one a series; None where there is none. `shown`: what stands behind its bar or bars."""

    name: str
    numbers: Sequence[Number | None]
    shown: Sequence[str]


def stacked(series: Sequence[str], rows: Sequence[Row]) -> Plot | None:
    """One bar a row, its series one behind the other. None when all of it is nothing."""
    sums = [Decimal(sum(number or 0 for number in row.numbers)) for row in rows]
    if not any(sums):
        return None
    unit = _unit(sums)
    bars, values = [], []
    for at, row in enumerate(rows):
        x, y = float(NAMES), at * ROW + (ROW - THICK) / 2
        for which, number in enumerate(row.numbers):
            if number:
                bars.append(Bar(round(x, 1), y, _drawn(number, unit), THICK, which))
                x += float(number) * unit
        values.append(Word(round(x + 4, 1), y + THICK - 3, row.shown[0]))
    best = sums.index(max(sums))
    return _plot(series, bars, values, rows, ROW, (rows[best].name, rows[best].shown[0]))


def side_by_side(series: Sequence[str], rows: Sequence[Row]) -> Plot | None:
    """One thin bar a series, below each other. None when all of it is nothing."""
    highest = [
        max((Decimal(number) for number in row.numbers if number is not None), default=Decimal(0)) for row in rows
    ]
    if not any(highest):
        return None
    unit, high = _unit(highest), (THIN + 2) * len(series) + 10
    bars, values = [], []
    for at, row in enumerate(rows):
        for which, number in enumerate(row.numbers):
            if number is not None:
                y = at * high + 5 + which * (THIN + 2)
                bars.append(Bar(NAMES, y, _drawn(number, unit), THIN, which))
                values.append(Word(round(NAMES + float(number) * unit + 4, 1), y + THIN - 0.5, row.shown[which]))
    best = highest.index(max(highest))
    return _plot(series, bars, values, rows, high, (rows[best].name, rows[best].shown[-1]))


def _plot(
    series: Sequence[str],
    bars: Sequence[Bar],
    values: Sequence[Word],
    rows: Sequence[Row],
    high: int,
    longest: tuple[str, str],
) -> Plot:
    names = [Word(0, at * high + high / 2 + 4, _short(row.name)) for at, row in enumerate(rows)]
    return Plot(series, bars, names, values, len(rows) * high, longest)


def _unit(numbers: Sequence[Decimal]) -> float:
    return (WIDTH - NAMES - VALUES) / float(max(numbers))


def _drawn(number: Number, unit: float) -> float:
    """A little less than its share, so that there is white between two; never so little that nobody sees it."""
    return round(max(float(number) * unit - 1, 1), 1)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1].rstrip() + "…"
