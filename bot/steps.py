"""What is known about an open update: its form, last time's answers, what it would fulfil. Says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bot.turn import Turn
from facts.calendar import local_date
from facts.dates import show_date
from facts.folding import fold
from facts.phases import find_phase
from intake.forms import Facts, Form, fits
from storage.drafts import Subject
from storage.people import own_project
from storage.reports import open_obligations
from storage.worklist import ProjectLine, project_lines

# What a draft's step says when it is no field of the form.
PROJECT, OBLIGATION, SUMMARY, EDIT, UNCHANGED = "project", "obligation", "summary", "edit", "unchanged"
PAGE = 8  # projects on a page
PART_OF_CUP = 5  # characters: fewer would find half of the projects


@dataclass(frozen=True, slots=True)
class Prior:
    """What was answered last time, or what the register says; `at` is None for the register."""

    answers: Mapping[str, Any]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Fitting:
    """An obligation that the update would fulfil."""

    id: int
    title: str
    due_on: date


def form_of(turn: Turn) -> Form:
    assert turn.work.form_version_id is not None
    return turn.house.form(turn.session, turn.work.form_version_id)


def first_field(turn: Turn) -> str:
    return form_of(turn).names[0]


def is_field(turn: Turn) -> bool:
    return turn.work.step in form_of(turn).names


def prior_of(subject: Subject) -> Prior:
    """Last time's answers; before the first update, what was imported."""
    if subject.last_answers is not None:
        return Prior(subject.last_answers, subject.last_at)
    phase = find_phase(subject.phase) if subject.phase else None
    known = {
        "phase": (phase.now or phase.code) if phase else None,
        "progress": None if subject.progress_tenths is None else str(Decimal(subject.progress_tenths) / 10),
        "spent": subject.spent_cents,
        "expected_end": subject.expected_end.isoformat() if subject.expected_end else None,
    }
    return Prior({name: value for name, value in known.items() if value is not None}, None)


def facts_of(turn: Turn) -> Facts:
    return facts_about(turn.today, turn.subject, prior_of(turn.subject))


def facts_about(today: date, subject: Subject, prior: Prior) -> Facts:
    """What an answer is held against."""
    return Facts(today, subject.total_cents, prior.answers)


def can_repeat(turn: Turn) -> bool:
    """Whether last time's answers would do as they are: an update exists, and each field that must be is answered."""
    prior = prior_of(turn.subject)
    return prior.at is not None and all(
        fits(one, prior.answers.get(one.name)) for one in form_of(turn).fields if not one.optional
    )


def repeat_last(turn: Turn) -> bool:
    """Takes last time's answers over, to be confirmed; False when there are none that would do."""
    if not can_repeat(turn):
        return False
    last = prior_of(turn.subject).answers
    answers = {one.name: last[one.name] for one in form_of(turn).fields if fits(one, last.get(one.name))}
    sources = {message: one for message, one in turn.work.sources.items() if "field" not in one}
    turn.move(answers=answers, step=UNCHANGED, memory={}, sources=sources)
    return True


def fitting(turn: Turn, project_id: int | None = None) -> list[Fitting]:
    """The open obligations that an update of the project would fulfil today, the oldest first."""
    work = turn.open_work
    version = work.form_version_id if work and work.form_version_id else turn.house.newest_form(turn.session)
    project_id = project_id or turn.work.project_id
    assert project_id is not None
    form_id = turn.house.form_id(turn.session, version)
    found = open_obligations(turn.session, project_id, form_id, turn.person.id, opened_by=turn.today)
    return [Fitting(obligation.id, deadline.title, obligation.due_on) for obligation, deadline in found]


def own_lines(turn: Turn) -> list[ProjectLine]:
    return project_lines(turn.session, turn.person.id, turn.today)


def is_foreign(turn: Turn, project_id: int) -> bool:
    return own_project(turn.session, turn.person.id, project_id) is None


def matches(line: ProjectLine, wanted: str) -> bool:
    """Every word that was typed begins a word of title or place, or is a good part of the CUP."""
    words, cup = fold(f"{line.title} {line.places}").split(), line.cup.casefold()
    return all(
        any(word.startswith(each) for word in words) or (len(each) >= PART_OF_CUP and each in cup)
        for each in fold(wanted).split()
    )


def page_of(turn: Turn, lines: list[ProjectLine]) -> tuple[int, int, list[ProjectLine]]:
    """The page being shown, how many there are, and its lines, as narrowed by the search."""
    wanted = str(turn.work.memory.get("search", ""))
    found = [line for line in lines if matches(line, wanted)] or lines
    pages = max(1, (len(found) + PAGE - 1) // PAGE)
    page = min(int(turn.work.memory.get("page", 0)), pages - 1)
    return page, pages, found[page * PAGE : (page + 1) * PAGE]


def day_of(turn: Turn, at: datetime) -> str:
    return show_date(local_date(at, turn.house.zone), turn.language)
