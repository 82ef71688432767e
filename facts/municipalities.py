"""The 133 municipalities of Città metropolitana di Milano. Pure: reads its own file once; never picks among several."""

import csv
import functools
import re
from dataclasses import dataclass
from pathlib import Path

from facts.codes import InvalidCode, read_istat
from facts.folding import begin_words, fold

__all__ = ["Municipality", "find_municipality", "fold", "municipalities", "search_municipalities"]

DATA = Path(__file__).parent / "data" / "comuni_cmmi.csv"


@dataclass(frozen=True, slots=True)
class Municipality:
    """A Comune: ISTAT code `015146`, cadastral code `F205`, official name."""

    istat: str
    cadastral: str
    name: str


@functools.cache
def municipalities() -> tuple[Municipality, ...]:
    """All of them, by name."""
    with DATA.open(encoding="utf-8", newline="") as file:
        rows = [Municipality(r["codice_istat"], r["codice_catastale"], r["nome"]) for r in csv.DictReader(file)]
    return tuple(sorted(rows, key=lambda found: fold(found.name)))


def find_municipality(text: str) -> Municipality | None:
    """The one with this name (accents, case, apostrophes and `Comune di` do not matter), ISTAT or cadastral code."""
    wanted = re.sub(r"^comune (di|d) ", "", fold(text))
    found = _known().get(wanted) or _known().get(wanted.replace(" ", ""))
    if found is not None:
        return found
    try:
        return _known().get(read_istat(text))
    except InvalidCode:
        return None


@functools.cache
def _known() -> dict[str, Municipality]:
    """Every way in: folded name, the same without spaces (`cassano dadda`), both codes."""
    known: dict[str, Municipality] = {}
    for each in municipalities():
        name = fold(each.name)
        known |= {name: each, name.replace(" ", ""): each, each.istat: each, each.cadastral.casefold(): each}
    return known


def search_municipalities(text: str, limit: int = 10) -> tuple[Municipality, ...]:
    """Those whose name has a word beginning with each word typed: `ses gio`, `S. Giovanni`. An exact name comes first.

    Nothing typed finds nothing.
    """
    words = fold(text).split()
    exact = find_municipality(text)
    found = [each for each in municipalities() if each != exact and begin_words(each.name, text)]
    found.sort(key=lambda each: not fold(each.name).startswith(words[0]))
    return tuple([exact, *found] if exact else found)[:limit]
