"""The words of project monitoring: ReGiS phases, project states, indicators. Pure; refuses nothing, knows or says None.

Labels are message ids: say them with a Speaker. `official` is the Italian wording of the open data.
"""

from dataclasses import dataclass
from enum import StrEnum

from facts.folding import fold
from facts.languages import N_


@dataclass(frozen=True, slots=True)
class Phase:
    """A step in the life of public works. `now` is the current code of an older one, where there is just one."""

    code: str
    label: str
    official: str
    now: str | None = None


# ReGiS, procedural iter of works after D.Lgs. 36/2023, in their order
PHASES = (
    Phase("03001", N_("Feasibility study or preliminary design"), "Studio di fattibilità o progetto preliminare"),
    Phase("03002", N_("Definitive design"), "Progetto definitivo"),
    Phase("03003", N_("Technical and economic feasibility design (PFTE)"), "PFTE"),
    Phase("03004", N_("Executive design"), "Progetto esecutivo"),
    Phase("03005", N_("Works under way"), "Esecuzione lavori"),
    Phase("03006", N_("Testing or certificate of proper execution"), "Collaudo/regolare esecuzione"),
)

# Codes of the earlier iter, still found in files. Those of the tender have no single heir.
OLDER_PHASES = (
    Phase("00301", N_("Feasibility study"), "Studio di fattibilità", "03001"),
    Phase("00302", N_("Preliminary design"), "Preliminare", "03001"),
    Phase("00303", N_("Technical and economic feasibility design (PFTE)"), "PFTE", "03003"),
    Phase("00304", N_("Enhanced technical and economic feasibility design"), "PFTE rafforzato", "03003"),
    Phase("00305", N_("Definitive design"), "Definitivo", "03002"),
    Phase("00306", N_("Conference of public bodies"), "Conferenza dei servizi"),
    Phase("00307", N_("Executive design"), "Esecutivo", "03004"),
    Phase("00308", N_("Definitive and executive design together"), "Definitivo+esecutivo"),
    Phase("00309", N_("Specifications and call for tenders"), "Capitolato e bando"),
    Phase("00310", N_("Call for tenders published"), "Pubblicazione bando"),
    Phase("00311", N_("Contract awarded"), "Aggiudicazione"),
    Phase("00312", N_("Contract signed"), "Stipula contratto"),
    Phase("00313", N_("Works under way"), "Esecuzione lavori", "03005"),
    Phase("00314", N_("Testing"), "Collaudo", "03006"),
)

_BY_CODE = {phase.code: phase for phase in (*OLDER_PHASES, *PHASES)}
_BY_WORDS = {fold(phase.official): phase for phase in (*OLDER_PHASES, *PHASES)}


def find_phase(text: str) -> Phase | None:
    """The phase with this code (leading zeros may be lost) or official wording, current ones first."""
    bare = text.strip()
    return _BY_CODE.get(bare.zfill(5) if bare.isdecimal() else bare) or _BY_WORDS.get(fold(bare))


class ProjectState(StrEnum):
    """How far a project is, in the order of its life."""

    NOT_STARTED = "not-started"
    DESIGN_STARTING = "design-starting"
    DESIGN = "design"
    TENDER = "tender"
    WORKS = "works"
    DONE = "done"


STATE_LABELS = {
    ProjectState.NOT_STARTED: N_("Not started"),
    ProjectState.DESIGN_STARTING: N_("Design starting"),
    ProjectState.DESIGN: N_("Design under way"),
    ProjectState.TENDER: N_("Out to tender"),
    ProjectState.WORKS: N_("Being carried out"),
    ProjectState.DONE: N_("Carried out"),
}

_STATES = {
    "non avviato": ProjectState.NOT_STARTED,
    "in avvio di progettazione": ProjectState.DESIGN_STARTING,
    "in corso di progettazione": ProjectState.DESIGN,
    "in affidamento": ProjectState.TENDER,
    "in esecuzione": ProjectState.WORKS,
    "eseguito": ProjectState.DONE,
}


def find_state(text: str) -> ProjectState | None:
    """The state with this official wording."""
    return _STATES.get(fold(text))


@dataclass(frozen=True, slots=True)
class Indicator:
    """A measured quantity of physical progress. `unit` is a symbol, the same in both languages, or empty."""

    code: str
    label: str
    unit: str = ""


INDICATORS = (
    Indicator("T0039", N_("Area of the intervention"), "m²"),
    Indicator("T0146", N_("Interventions completed")),
    Indicator("T0286", N_("Housing units (T0286)")),
    Indicator("T0287", N_("Housing units (T0287)")),
    Indicator("T0291", N_("Public space"), "m²"),
    Indicator("C1", N_("Energy saved in a year"), "MWh"),
)
