"""What a scope may name, by what people write: a programme, a measure, a phase, an organisation, a CUP.

Reads words into lines; keeps nothing. What it does not know, it does not guess.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from facts.codes import InvalidCode, read_cup
from facts.phases import find_phase
from registry.organizations import Directory, directory
from storage.projects import programmes, projects_by_cup
from storage.scopes import Line
from storage.tables import TargetKind

SHORTEST_MEASURE = 2


@dataclass(frozen=True)
class ScopeWords:
    programmes: Mapping[str, int]
    directory: Directory
    projects: Mapping[str, list[int]]

    def lines(self, text: str, *, excluded: bool = False) -> list[Line]:
        """Empty for what is not known. A CUP may be that of several projects."""
        code = text.upper()
        if code in self.programmes:
            return [Line(TargetKind.PROGRAMME, self.programmes[code], excluded=excluded)]
        organization = self.directory.find(text)
        if organization is not None:
            return [Line(TargetKind.ORGANIZATION, organization.id, excluded=excluded)]
        phase = find_phase(text)
        if phase is not None:
            return [Line(TargetKind.PHASE, code=phase.code, excluded=excluded)]
        if self.is_measure(code):
            return [Line(TargetKind.MEASURE, code=code, excluded=excluded)]
        return [Line(TargetKind.PROJECT, id_, excluded=excluded) for id_ in self._with_cup(text)]

    def is_measure(self, code: str) -> bool:
        """Whether the code of some programme begins so."""
        return len(code) >= SHORTEST_MEASURE and any(known.startswith(code.upper()) for known in self.programmes)

    def _with_cup(self, text: str) -> list[int]:
        try:
            return self.projects.get(read_cup(text).value, [])
        except InvalidCode:
            return []


def scope_words(session: Session) -> ScopeWords:
    return ScopeWords(
        programmes={row.code.upper(): row.id for row in programmes(session)},
        directory=directory(session),
        projects=projects_by_cup(session),
    )
