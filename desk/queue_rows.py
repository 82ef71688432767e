"""The lines of the queue as they stand on a page, each rendered once while it says the same. Knows no request.

A list is looked at far more often than a line of it changes, and fifty lines were two thirds of the page's time. A row
is kept by everything that it shows, the words for its times too: when one of these changes, it is another row, and what
was kept is never stale. Nothing of whoever looks may stand in it but their language, and whether they may choose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from fastapi import Request
from markupsafe import Markup

from desk import filters
from desk.pages import piece, speaker, the_house
from facts.languages import Speaker
from storage.queue_lines import QueueLine
from storage.tables import QuestionState, Tag

MANY = 2000  # rows that are kept: what eight people look at, in two languages, and some to spare
SHOWN = 150  # letters; a row cuts at 110
WAITING = (QuestionState.NEW, QuestionState.TAKEN, QuestionState.PROPOSED)


LATE = "late"  # as `ui.due_mark` knows it


class Times(NamedTuple):
    """What is said of a line's times now. `asked`: how long ago. `due`: that it is late, or about to be; else ""."""

    asked: Markup
    due: str


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at. `say`: in the reader's language."""

    say: Speaker
    now: datetime
    zone: str

    def times(self, line: QueueLine) -> Times:
        return Times(filters.ago_in(line.created_at, self.now, self.zone, self.say.language), self.due(line))

    def due(self, line: QueueLine) -> str:
        if line.state not in WAITING:
            return ""
        return LATE if line.due_at < self.now else filters.expiry(line.due_at, self.now, self.zone, self.say)


def rows(
    request: Request, lines: Sequence[QueueLine], tags: Mapping[int, Sequence[Tag]], *, works: bool
) -> Sequence[Markup]:
    """Those of the list, in its order. `works`: each with a box to choose it."""
    look = _look_of(request)
    names = {question_id: tuple(tag.name for tag in found) for question_id, found in tags.items()}
    return [_row(_short(line), names.get(line.id, ()), look.times(line), look.say, look.zone, works) for line in lines]


def beside(request: Request, lines: Sequence[QueueLine]) -> Mapping[int, Markup]:
    """By question, what its line says in the list beside another one."""
    look = _look_of(request)
    return {line.id: _beside(_short(line), look.due(line), look.say) for line in lines}


def _short(line: QueueLine) -> QueueLine:
    """No row shows more of a text, and what is kept is to stay small."""
    return line if len(line.text or "") <= SHOWN else replace(line, text=(line.text or "")[:SHOWN])


def _look_of(request: Request) -> Look:
    house = the_house(request)
    return Look(speaker(request, html=True), house.clock(), house.zone)


@lru_cache(MANY)
def _row(line: QueueLine, tags: tuple[str, ...], times: Times, say: Speaker, zone: str, works: bool) -> Markup:
    return piece("queue_row.html", say, zone, line=line, tags=tags, asked=times.asked, due=times.due, works=works)


@lru_cache(MANY)
def _beside(line: QueueLine, due: str, say: Speaker) -> Markup:
    return piece("queue_line_beside.html", say, "", line=line, due=due)
