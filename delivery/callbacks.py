"""Writes and reads the data of buttons that several rooms make. Pure; refuses what we did not write: None.

`q:<question>:yes|no|add`, `r:<project>:<obligation>` (start an update), `n:<project>:<obligation>` (nothing
changed); the obligation may be empty. `o:<obligation>`: start what an organisation owes. `s:tomorrow`, `s:why`: under
a reminder, for all of it. `b:<draft>:go|drop`: a draft that was left. `w:<circular>`: answer what
staff wrote first. Other prefixes (`m:`, `d:`, `a:` …) belong to the dialogue; of these, rooms below it know only what
opens its doors.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

MENU, UPDATE, ASK_FOR_ACCESS = "m:menu", "m:update", "a:ask"
PROJECTS, DEADLINES, SUBSTITUTE = "m:projects", "m:deadlines", "m:substitute"

_QUESTION = re.compile(r"q:([0-9]{1,18}):(yes|no|add)", re.ASCII)
_PROJECT = re.compile(r"([rn]):([0-9]{1,18}):([0-9]{0,18})", re.ASCII)

_DRAFT = re.compile(r"b:([0-9]{1,18}):(go|drop)", re.ASCII)
_TOMORROW, _WHY = "s:tomorrow", "s:why"


class Verdict(StrEnum):
    SOLVED = "yes"
    NOT_SOLVED = "no"
    ADD = "add"


@dataclass(frozen=True, slots=True)
class AboutQuestion:
    """A button under an answer."""

    question_id: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class StartUpdate:
    """ "Update now", for an obligation when it came from a reminder."""

    project_id: int
    obligation_id: int | None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """ "Nothing has changed" since the last update of this project."""

    project_id: int
    obligation_id: int | None


@dataclass(frozen=True, slots=True)
class Tomorrow:
    """ "Remind me tomorrow": of all that the pressed message tells, so it names nothing."""


@dataclass(frozen=True, slots=True)
class AskedWhy:
    """ "Why do I get this?": of all that the pressed message tells, too."""


@dataclass(frozen=True, slots=True)
class AboutDraft:
    """A draft that was left half-way: go on with it, or drop it."""

    draft_id: int
    drop: bool


Pressed = AboutQuestion | StartUpdate | Unchanged | Tomorrow | AskedWhy | AboutDraft


def solved(question_id: int) -> str:
    return f"q:{question_id}:yes"


def not_solved(question_id: int) -> str:
    return f"q:{question_id}:no"


def add_to(question_id: int) -> str:
    return f"q:{question_id}:add"


def start_update(project_id: int, obligation_id: int | None = None) -> str:
    return f"r:{project_id}:{obligation_id or ''}"


def unchanged(project_id: int, obligation_id: int | None = None) -> str:
    return f"n:{project_id}:{obligation_id or ''}"


def tomorrow() -> str:
    return _TOMORROW


def why() -> str:
    return _WHY


def start_owed(obligation_id: int) -> str:
    """What an organisation owes; the dialogue knows by which form."""
    return f"o:{obligation_id}"


def answer_circular(circular_id: int) -> str:
    """Of the dialogue: what is written next becomes a question."""
    return f"w:{circular_id}"


def resume(draft_id: int) -> str:
    """An update that was put aside, of the dialogue."""
    return f"m:resume-{draft_id}"


def go_on(draft_id: int) -> str:
    return f"b:{draft_id}:go"


def drop(draft_id: int) -> str:
    return f"b:{draft_id}:drop"


def decline(delegation_id: int) -> str:
    """Of the dialogue, which asks first."""
    return f"v:decline-{delegation_id}"


def parse(data: str) -> Pressed | None:
    """What was pressed; None for another room's button or for data that nobody here wrote."""
    if data == _TOMORROW:
        return Tomorrow()
    if data == _WHY:
        return AskedWhy()
    found = _QUESTION.fullmatch(data)
    if found is not None:
        return AboutQuestion(int(found[1]), Verdict(found[2]))
    found = _DRAFT.fullmatch(data)
    if found is not None:
        return AboutDraft(int(found[1]), drop=found[2] == "drop")
    found = _PROJECT.fullmatch(data)
    if found is None:
        return None
    obligation = int(found[3]) if found[3] else None
    return (StartUpdate if found[1] == "r" else Unchanged)(int(found[2]), obligation)
