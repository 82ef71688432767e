"""Whom a deadline is for: read from the form as it was typed, and said in words where it is shown. Keeps nothing."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlmodel import Session

from desk.pages import BEYOND
from facts.codes import InvalidCode, read_cup
from facts.languages import Speaker
from facts.phases import find_phase
from registry.scope_words import ScopeWords, scope_words
from storage.desk import titles_of
from storage.projects import find_organization, likely_organization, organizations, programmes, projects_with_cup
from storage.scopes import Line
from storage.tables import Target, TargetKind

MOST_LINES = 500


class Typed(Protocol):
    """The part of the form that is read here."""

    scope: str
    programme: list[int]
    measures: str
    phase: list[str]
    organizations: str
    cups: str
    excluded: str


def read_scope(session: Session, wish: Typed, errors: dict[str, str], _: Speaker) -> set[Line]:
    found: set[Line] = set()
    words = scope_words(session) if wish.measures.strip() or wish.excluded.strip() else None
    if wish.scope == "some":
        found |= {Line(TargetKind.PROGRAMME, id_ if 0 < id_ < BEYOND else 0) for id_ in wish.programme}
        found |= {Line(TargetKind.PHASE, code=code) for code in wish.phase}
        found |= _measures(words, _lines(wish.measures.replace(",", "\n"), "measures", errors, _), errors, _)
        found |= _organizations(session, _lines(wish.organizations, "organizations", errors, _), errors, _)
        found |= _projects(session, _lines(wish.cups, "cups", errors, _), errors, _)
        if not found and not errors.keys() & {"measures", "organizations", "cups"}:
            errors["scope"] = _("Choose at least one programme, measure, phase, organisation or project.")
    return found | _left_out(words, _lines(wish.excluded, "excluded", errors, _), errors, _)


def _lines(text: str, name: str, errors: dict[str, str], _: Speaker) -> list[str]:
    lines = [line for line in (" ".join(line.split()) for line in text.splitlines()) if line]
    if len(lines) > MOST_LINES:
        errors[name] = _("Too many lines: {n} at most.", n=MOST_LINES)
    return lines[:MOST_LINES]


def _measures(words: ScopeWords | None, codes: list[str], errors: dict[str, str], _: Speaker) -> set[Line]:
    for code in codes:
        if words is None or not words.is_measure(code):
            errors["measures"] = _("No programme has a code that begins with {code}.", code=code)
    return {Line(TargetKind.MEASURE, code=code.upper()) for code in codes}


def _organizations(session: Session, names: list[str], errors: dict[str, str], _: Speaker) -> set[Line]:
    found: set[Line] = set()
    for name in names:
        row = find_organization(session, name)
        if row is not None:
            found.add(Line(TargetKind.ORGANIZATION, row.id))
            continue
        likely = likely_organization(session, name)
        errors["organizations"] = (
            _("No organisation is called {found}. Perhaps {suggestion}?", found=name, suggestion=likely.name)
            if likely
            else _("No organisation is called {found}.", found=name)
        )
    return found


def _projects(session: Session, codes: list[str], errors: dict[str, str], _: Speaker) -> set[Line]:
    found: set[Line] = set()
    for code in codes:
        try:
            rows = projects_with_cup(session, read_cup(code).value)
        except InvalidCode as error:
            errors["cups"] = (
                _("{cup} is not a CUP. Perhaps {suggestion}?", cup=code, suggestion=error.suggestion)
                if error.suggestion
                else _("{cup} is not a CUP.", cup=code)
            )
            continue
        if not rows:
            errors["cups"] = _("No project has the CUP {cup}.", cup=code)
        found |= {Line(TargetKind.PROJECT, row.id) for row in rows}
    return found


def _left_out(words: ScopeWords | None, texts: list[str], errors: dict[str, str], _: Speaker) -> set[Line]:
    found: set[Line] = set()
    for text in texts:
        lines = words.lines(text, excluded=True) if words is not None else []
        if not lines:
            errors["excluded"] = _(
                "{found} is no programme, measure, phase, organisation or CUP that we know.", found=text
            )
        found |= set(lines)
    return found


def said_scope(session: Session, targets: Sequence[Target], _: Speaker, *, excluded: bool) -> list[str]:
    """The names of what a scope names, or of what it leaves out."""
    lines = [line for line in targets if line.excluded is excluded]
    ids = {kind: {line.target_id for line in lines if line.kind is kind} for kind in TargetKind}
    names = [row.name for row in programmes(session) if row.id in ids[TargetKind.PROGRAMME]]
    names += [_("measure {code}", code=line.code) for line in lines if line.kind is TargetKind.MEASURE]
    names += _phases((line.code for line in lines if line.kind is TargetKind.PHASE), _)
    if ids[TargetKind.ORGANIZATION]:
        names += [row.name for row in organizations(session) if row.id in ids[TargetKind.ORGANIZATION]]
    return names + sorted(titles_of(session, ids[TargetKind.PROJECT]).values())


def _phases(codes: Iterable[str], _: Speaker) -> list[str]:
    found = ((code, find_phase(code)) for code in codes)
    return [_("phase “{name}”", name=_(phase.label) if phase else code) for code, phase in found]
