import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.codes import read_istat
from facts.municipalities import find_municipality, fold, municipalities, search_municipalities


def test_there_are_133_with_valid_and_different_codes() -> None:
    known = municipalities()

    assert len(known) == len({each.istat for each in known}) == len({each.cadastral for each in known}) == 133
    assert all(read_istat(each.istat) == each.istat and each.istat.startswith("015") for each in known)


@pytest.mark.parametrize(
    "written",
    [
        "Cassano d'Adda",
        "CASSANO D’ADDA",
        "cassano dadda",
        "Comune di Cassano d`Adda",
        "15059",
        "015059",
        "C003",
        "c003",
    ],
)
def test_a_municipality_is_found_however_it_is_written(written: str) -> None:
    found = find_municipality(written)

    assert found is not None
    assert found.name == "Cassano d'Adda"


@pytest.mark.parametrize("written", ["", "Roma", "058091", "cassano", "Comune di"])
def test_what_is_not_one_of_them_is_none(written: str) -> None:
    assert find_municipality(written) is None


@given(st.sampled_from(municipalities()))
def test_each_is_found_by_its_own_name(each: object) -> None:
    name = getattr(each, "name", "")

    assert find_municipality(name.upper()) == each
    assert search_municipalities(name)[0] == each


@pytest.mark.parametrize("typed", ["ses", "sesto s. giovanni", "giovanni sesto", "SÈSTO"])
def test_a_few_letters_of_each_word_are_enough_to_search(typed: str) -> None:
    assert "Sesto San Giovanni" in [each.name for each in search_municipalities(typed)]


def test_a_search_finds_names_that_begin_so_first_and_no_more_than_asked() -> None:
    found = search_municipalities("ca", limit=5)

    assert len(found) == 5
    assert all(each.name.startswith("Ca") for each in found)
    assert [each.name for each in search_municipalities("lo")] == ["Locate di Triulzi", "Bellinzago Lombardo"]
    assert search_municipalities("") == ()
    assert search_municipalities("milano milano") == ()


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
