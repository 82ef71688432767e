"""Which table of the numbers page has a drawing, and of which of its columns. Reads the tables, counts nothing."""

from collections.abc import Callable
from decimal import Decimal

from desk.numbers_tables import NumbersTable
from desk.plots import Number, Plot, Row, side_by_side, stacked
from facts.languages import Speaker
from facts.numbers import show_number
from registry.cells import Cell
from registry.files import Line

LONGEST = 15  # rows


def drawn(table: NumbersTable, _: Speaker) -> Plot | None:
    """None: it has no drawing, or there is nothing to draw."""
    maker = DRAWN.get(table.key)
    return maker(table, _) if maker else None


def _over_time(table: NumbersTable, _: Speaker) -> Plot | None:
    """All columns between the first and the sum, without those in which there is nothing."""
    used = [at for at in range(1, len(table.headers) - 1) if any(line[at] for line in table.lines)]
    return stacked([table.headers[at] for at in used], [_row(line, used, -1, _) for line in table.lines])


def _bodies(table: NumbersTable, _: Speaker) -> Plot | None:
    return stacked([table.headers[1]], [_row(line, [1], 1, _) for line in table.lines[:LONGEST]])


def _speed(table: NumbersTable, _: Speaker) -> Plot | None:
    rows = [
        Row(str(line[0]), [number(line[4]), number(line[5])], [shown(line[4], _), shown(line[5], _)])
        for line in table.lines
    ]
    return side_by_side([table.headers[4], table.headers[5]], rows)


def _waiting(table: NumbersTable, _: Speaker) -> Plot | None:
    return stacked([table.headers[1]], [_row(line, [1], 1, _) for line in table.lines])


DRAWN: dict[str, Callable[[NumbersTable, Speaker], Plot | None]] = {
    "questions": _over_time,
    "updates": _over_time,
    "bodies": _bodies,
    "first-answers": _speed,
    "waiting": _waiting,
}


def _row(line: Line, columns: list[int], total: int, _: Speaker) -> Row:
    return Row(str(line[0]), [number(line[at]) for at in columns], [shown(line[total], _)])


def number(cell: Cell) -> Number | None:
    return cell if isinstance(cell, int | Decimal) else None


def shown(cell: Cell, _: Speaker) -> str:
    found = number(cell)
    return "" if found is None else show_number(found, _.language)
