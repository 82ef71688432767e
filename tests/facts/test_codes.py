import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts.codes import Cig, Cup, InvalidCode, Reason, read_cig, read_cup, read_istat

REAL_CUP = "G59J21015600007"


def refusal(read: object, text: str) -> InvalidCode:
    assert callable(read)
    with pytest.raises(InvalidCode) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize(
    "written",
    [
        REAL_CUP,
        "g59j21015600007",
        " G59J 2101 5600 007 ",
        "CUP: G59J21015600007",
        "cup n. G59J.2101.5600.007",
        "CUP G59J21\u00a0015600007",
    ],
)
def test_a_cup_is_read_however_it_is_spaced(written: str) -> None:
    assert read_cup(written) == Cup(REAL_CUP)


def test_a_provisional_cup_is_told_apart() -> None:
    assert read_cup("prov 0000012345") == Cup("PROV0000012345", provisional=True)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", Reason.EMPTY),
        (" - ", Reason.EMPTY),
        ("G59J2101560000", Reason.LENGTH),
        ("G59J210156000071", Reason.LENGTH),
        ("A59J21015600007", Reason.SHAPE),
        ("G59K21015600007", Reason.SHAPE),
        ("G59J2101560000X", Reason.SHAPE),
        ("PROV000001234", Reason.LENGTH),
        ("G59J٢1015600007", Reason.SHAPE),
    ],
)
def test_a_wrong_cup_is_refused_with_its_reason(written: str, reason: Reason) -> None:
    error = refusal(read_cup, written)

    assert (error.reason, error.suggestion) == (reason, None)


@pytest.mark.parametrize("written", ["G59J21O15600007", "G59J2IO156OOOO7", "659J21015600007", "G59J2L015600007"])
def test_lookalikes_in_a_cup_are_suggested_never_guessed(written: str) -> None:
    error = refusal(read_cup, written)

    assert (error.reason, error.suggestion) == (Reason.CONFUSED, REAL_CUP)


def test_a_digit_in_the_place_of_the_second_letter_is_suggested_too() -> None:
    assert refusal(read_cup, "G59121015600007").suggestion == "G59I21015600007"


def test_every_cup_of_the_real_projects_is_read() -> None:
    path = Path(__file__).parents[2] / "registry" / "data" / "progetti_cmmi.csv"
    with path.open(encoding="utf-8-sig") as file:
        cups = [row["CUP"] for row in csv.DictReader(file, delimiter=";")]

    assert [str(read_cup(cup)) for cup in cups] == cups


@given(st.text())
def test_any_text_is_a_cup_or_refused(text: str) -> None:
    try:
        suggestion: str | None = read_cup(text).value
    except InvalidCode as error:
        suggestion = error.suggestion

    if suggestion is not None:
        assert read_cup(suggestion).value == suggestion


def classic(n: int) -> str:
    return f"{n:07}{n * 211 % 4091:03X}"


def smart(letter: str, n: int) -> str:
    return f"{letter}{n * 211 % 251:02X}{n:07X}"


def lettered(letter: str, n: int) -> str:
    return f"{letter}{n:06X}{(n + 'AB'.index(letter) + 1) * 211 % 4091:03X}"


CIGS = st.one_of(
    st.integers(1, 9_999_999).map(classic),
    st.tuples(st.sampled_from("XYZ"), st.integers(0, 16**7 - 1)).map(lambda pair: smart(*pair)),
    st.tuples(st.sampled_from("AB"), st.integers(0, 16**6 - 1)).map(lambda pair: lettered(*pair)),
)


@given(CIGS)
def test_each_family_of_cig_is_checked(code: str) -> None:
    assert read_cig(f"CIG: {code.lower()}") == Cig(code, checked=True)


@given(CIGS, st.integers(0, 9), st.sampled_from("0123456789"))
def test_one_wrong_digit_in_a_cig_is_never_accepted_as_checked(code: str, place: int, digit: str) -> None:
    wrong = code[:place] + digit + code[place + 1 :]
    if wrong == code or not code[0].isdigit() or not code[place].isdigit():
        return

    assert refusal(read_cig, wrong).reason in (Reason.CHECKSUM, Reason.PLACEHOLDER)


def test_a_cig_of_a_later_family_is_read_unchecked() -> None:
    assert read_cig("C0123456AB") == Cig("C0123456AB", checked=False)


@pytest.mark.parametrize(
    ("written", "reason", "suggestion"),
    [
        ("", Reason.EMPTY, None),
        ("0000000000", Reason.PLACEHOLDER, None),
        ("1234567000", Reason.CHECKSUM, None),
        ("A00000100F", Reason.CHECKSUM, None),
        ("12345", Reason.LENGTH, None),
        ("123456789Z1", Reason.LENGTH, None),
        ("12345G7000", Reason.SHAPE, None),
        (classic(1_000_001).replace("0", "O", 3), Reason.CONFUSED, classic(1_000_001)),
        ("I" + classic(1_000_001)[1:], Reason.CONFUSED, classic(1_000_001)),
        (smart("Z", 1_000_001).replace("0", "O"), Reason.CONFUSED, smart("Z", 1_000_001)),
    ],
)
def test_a_wrong_cig_is_refused_with_its_reason(written: str, reason: Reason, suggestion: str | None) -> None:
    error = refusal(read_cig, written)

    assert (error.reason, error.suggestion) == (reason, suggestion)


@pytest.mark.parametrize(
    ("written", "code"),
    [("015146", "015146"), ("15146", "015146"), ("1001", "001001"), (" 15146.0 ", "015146"), ("015.146", "015146")],
)
def test_an_istat_code_gets_its_leading_zeros_back(written: str, code: str) -> None:
    assert read_istat(written) == code


@pytest.mark.parametrize(
    ("written", "reason", "suggestion"),
    [
        ("", Reason.EMPTY, None),
        ("146", Reason.LENGTH, None),
        ("0151460", Reason.LENGTH, None),
        ("A15146", Reason.SHAPE, None),
        ("015000", Reason.SHAPE, None),
        ("000146", Reason.SHAPE, None),
        ("215146", Reason.SHAPE, "015146"),
    ],
)
def test_a_wrong_istat_code_is_refused_with_its_reason(written: str, reason: Reason, suggestion: str | None) -> None:
    error = refusal(read_istat, written)

    assert (error.reason, error.suggestion) == (reason, suggestion)
