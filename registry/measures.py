"""Names the projects that have no title: "measure, municipality", each different. Pure; never renames a project."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

# What the office calls the measures it follows, by the beginning of their code: short for a title, longer for a list.
MEASURES = {
    "M5C2I2.01": ("Rigenerazione urbana", "Rigenerazione urbana (M5C2 2.1)"),
    "M5C2I2.02": ("Piano urbano integrato", "Piani urbani integrati (M5C2 2.2)"),
    "M5C2I2.03.01": ("PINQuA", "PINQuA, edilizia sociale e qualità dell'abitare (M5C2 2.3)"),
    "M5C2I2.03.02": ("PINQuA", "PINQuA, interventi ad alto impatto (M5C2 2.3)"),
}
LONGEST_NAME = 60
SMALL_WORDS = frozenset(
    {"a", "al", "alla", "ai", "da", "dal", "dalla", "dei", "degli", "del", "della", "delle", "dello", "di", "e"}
)
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Untitled:
    """What is known about a project that needs a working title. `places` are municipalities, in the file's order."""

    cup: str
    local_code: str
    measure: str
    places: tuple[str, ...]
    address: str
    total_cents: int


def short_name(code: str, description: str) -> str:
    """The measure's short name for a title."""
    known = _measure(code)
    return known[0] if known else _clipped(description or code)


def programme_name(code: str, description: str) -> str:
    """The measure's name for a list."""
    known = _measure(code)
    return known[1] if known else _clipped(description or code)


def _measure(code: str) -> tuple[str, str] | None:
    return next((names for start, names in MEASURES.items() if code.startswith(start)), None)


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 1].rstrip() + "…"


def working_titles(projects: Sequence[Untitled], taken: Collection[str]) -> list[str]:
    """One title for each, readable on a phone, different from each other and from those `taken`.

    Where two would be alike they are told apart by the address, then the amount, then the end of the CUP.
    """
    titles = [_base(project) for project in projects]
    refinements: tuple[Callable[[Untitled, str], str], ...] = (_addressed, _with_amount, _with_cup, _with_key)
    occupied = set(taken)
    for refine in refinements:
        alike = Counter(titles)
        titles = [
            refine(project, title) if alike[title] > 1 or title in occupied else title
            for project, title in zip(projects, titles, strict=True)
        ]
    return titles


def _base(project: Untitled) -> str:
    if not project.places:
        return f"{project.measure}, CUP {project.cup}"
    others = len(project.places) - 1
    if others == 0:
        return f"{project.measure}, {project.places[0]}"
    return f"{project.measure}, {project.places[0]} e {_others(others)}"


def _others(count: int) -> str:
    return "un altro Comune" if count == 1 else f"altri {count} Comuni"


def _addressed(project: Untitled, title: str) -> str:
    address = _readable(project.address.strip(" *"))
    return f"{title}, {address}" if address else title


def _readable(address: str) -> str:
    """`PIAZZA TRENTO E TRIESTE` as a street sign has it: Piazza Trento e Trieste."""
    words = address.title().split() if address.isupper() else address.split()
    return " ".join(word.lower() if word.lower() in SMALL_WORDS else word for word in words)


def _with_amount(project: Untitled, title: str) -> str:
    return f"{title} ({short_amount(project.total_cents)})"


def _with_cup(project: Untitled, title: str) -> str:
    return f"{title.removesuffix(')')}, CUP …{project.cup[-7:]})"


def _with_key(project: Untitled, title: str) -> str:
    return f"{title.removesuffix(')')}, {project.local_code})"


def short_amount(cents: int) -> str:
    """`900 €`, `150 mila €`, `2,5 mln €`: to be told apart at a glance, not to be added up."""
    euro = (cents + 50) // 100
    if euro < 1_000:
        return f"{euro} €"
    if euro < MILLION - 500:
        return f"{(euro + 500) // 1_000} mila €"
    hundredths = (euro + 5_000) // 10_000
    whole, rest = divmod(hundredths, 100)
    decimals = f"{rest:02}".rstrip("0")
    return f"{whole},{decimals} mln €" if decimals else f"{whole} mln €"
