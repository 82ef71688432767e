"""A draft as the form's engine sees it: its answers, last time's, what the register knows. Any door; says nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from facts.languages import Language
from facts.phases import find_phase
from intake.catalogue import InUse
from intake.forms.doubts import Facts
from intake.forms.filling import Filling, Item, begin, repetitions_in
from intake.forms.nodes import Bound, Definition, Question, QuestionType
from intake.forms.standing import Known
from intake.forms.values import fitting, title_of
from storage.drafts import Subject, Work
from storage.tables import Draft

PAGE_NOTES = "page"  # where the page keeps its notes in the memory of a draft


@dataclass(frozen=True, slots=True)
class Prior:
    """What was answered last time, or what the register says; `at` is None for the register."""

    answers: Mapping[str, Any]
    at: datetime | None


def prior_of(form: Definition, subject: Subject) -> Prior:
    """Last time's answers, as far as they are answers in this version; before the first, what was imported."""
    if subject.last_answers is not None:
        return Prior(fitting(form, subject.last_answers), subject.last_at)
    known = _registered(subject)
    answers = {
        "/".join(one.path): known[one.bound]
        for one in form.questions
        if one.bound is not None and known.get(one.bound) is not None and not form.is_repeated(one.path)
    }
    return Prior(fitting(form, answers), None)


def _registered(subject: Subject) -> dict[Bound, Any]:
    """What the register says, as answers."""
    phase = find_phase(subject.phase) if subject.phase else None
    tenths, cents, end = subject.progress_tenths, subject.spent_cents, subject.expected_end
    return {
        Bound.PHASE: (phase.now or phase.code) if phase else None,
        Bound.PROGRESS: None if tenths is None else str(Decimal(tenths) / 10),
        Bound.SPENT: None if cents is None else f"{Decimal(cents) / 100:f}",
        Bound.EXPECTED_END: end.isoformat() if end else None,
        Bound.CUP: subject.cup or None,
    }


def facts_about(today: date, subject: Subject, prior: Prior) -> Facts:
    """What an answer is held against, beyond what its form says."""
    return Facts(today, subject.total_cents, prior.answers)


def filling_of(in_use: InUse, work: Work, prior: Prior, *, now: datetime, zone: str, language: Language) -> Filling:
    """A draft, taken up with the answers it has; one without any gets the form's answers in advance."""
    known = Known(now.astimezone(ZoneInfo(zone)), prior.answers, language.value)
    begun = work.answers or work.repetitions
    return begin(in_use.plan, known, work.answers if begun else None, work.repetitions if begun else None)


@dataclass(frozen=True, slots=True)
class Progress:
    """`given` answers of `asked` questions, as far as is known by now. `complete`: it only waits to be sent."""

    given: int
    asked: int
    complete: bool


def progress_of(form: InUse, draft: Draft, *, now: datetime, zone: str) -> Progress:
    """How far an unfinished draft is, without what is known of the project."""
    known = Known(now.astimezone(ZoneInfo(zone)))
    filling = begin(form.plan, known, draft.answers, draft.repetitions)
    asked = [one for one in filling.items if isinstance(one, Item) and one.question.type is not QuestionType.NOTE]
    given = sum(one.key in filling.answers for one in asked)  # what is reckoned or hidden is nobody's answer
    return Progress(given, len(asked), not filling.missing())


def asked_in(form: InUse, answers: Mapping[str, Any], *, at: datetime, zone: str) -> list[tuple[str, Question]]:
    """What was asked when these answers were given, in order, answered or not; and what was calculated from them."""
    filling = begin(form.plan, Known(at.astimezone(ZoneInfo(zone))), answers, repetitions_in(answers))
    asked = {one.key: one.question for one in filling.items if isinstance(one, Item)}
    found = []
    for key, node in filling.walk():
        if isinstance(node, Question) and node.type is not QuestionType.NOTE and (key in asked or key in answers):
            found.append((key, node))
    return found


def label_of(form: Definition, key: str, question: Question, language: Language) -> str:
    """The short label of an answer; of a repetition with its number."""
    label = title_of(form, question, language)
    number = key.rpartition("/")[0].rpartition("[")[2].rstrip("]")
    return f"{label} ({number})" if number.isdecimal() else label


def registered(form: Definition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that the project's row repeats, by its columns and in its units (tenths of percent, cents)."""
    columns: dict[str, Any] = {}
    for one in form.questions:
        value = answers.get("/".join(one.path)) if one.bound is not None else None
        if value is None:
            continue
        match one.bound:
            case Bound.PHASE if find_phase(value) is not None:
                columns["phase"] = value
            case Bound.PROGRESS:
                columns["progress_tenths"] = int(Decimal(value) * 10)
            case Bound.SPENT:
                columns["spent_cents"] = int(Decimal(value) * 100)
            case Bound.EXPECTED_END:
                columns["expected_end"] = date.fromisoformat(value)
    return columns
