import pytest

from facts.languages import Language, speaking
from facts.phases import (
    INDICATORS,
    OLDER_PHASES,
    PHASES,
    STATE_LABELS,
    Phase,
    ProjectState,
    find_phase,
    find_state,
)

CURRENT = {phase.code for phase in PHASES}


@pytest.mark.parametrize("phase", [*PHASES, *OLDER_PHASES], ids=lambda phase: phase.code)
def test_each_phase_is_found_by_its_code_and_said_in_italian(phase: Phase) -> None:
    assert find_phase(phase.code) == phase
    assert find_phase(phase.code.lstrip("0")) == phase
    assert speaking(Language.IT)(phase.label) != phase.label


def test_a_phase_is_found_by_its_official_wording_the_current_one_first() -> None:
    assert find_phase("ESECUZIONE LAVORI") == PHASES[4]
    assert find_phase("Studio di fattibilita'") == OLDER_PHASES[0]


@pytest.mark.parametrize("text", ["", "99999", "Festa", "3"])
def test_an_unknown_phase_is_none(text: str) -> None:
    assert find_phase(text) is None


def test_older_phases_lead_to_current_ones_or_to_none() -> None:
    assert {phase.now for phase in OLDER_PHASES if phase.now} <= CURRENT
    assert next(phase for phase in OLDER_PHASES if phase.code == "00310").now is None


def test_states_are_read_from_the_open_data_and_said_in_italian() -> None:
    _ = speaking(Language.IT)

    assert [find_state(_(STATE_LABELS[state])) for state in ProjectState] == list(ProjectState)
    assert find_state("IN  AFFIDAMENTO ") is ProjectState.TENDER
    assert find_state("boh") is None


def test_every_indicator_is_said_in_italian() -> None:
    _ = speaking(Language.IT)

    assert len({indicator.code for indicator in INDICATORS}) == 6
    assert all(_(indicator.label) != indicator.label for indicator in INDICATORS)
