"""Collects what each fault test measured and prints it as one table. Judges nothing."""

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Line:
    """One run. Times in milliseconds, None where nothing is timed."""

    fault: str
    database: str
    n: int
    kills: int
    lost: int
    duplicated: int
    other: str = ""
    p50: float | None = None
    p99: float | None = None
    seconds: float = 0.0


LINES: list[Line] = []


def table(lines: list[Line]) -> str:
    """As Markdown, to be pasted into docs/reliability.md."""
    names = [one.name for one in fields(Line)]
    rows = [names, ["---"] * len(names)]
    rows += [[_shown(getattr(line, name)) for name in names] for line in lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
