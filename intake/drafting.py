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
from intake.forms.filling import Filling, begin
from intake.forms.nodes import Bound, Definition
from intake.forms.standing import Known
from intake.forms.values import fitting
from storage.drafts import Subject, Work


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
