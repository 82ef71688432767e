"""What in a text looks like somebody's data."""

import pytest

from answering.personal_data import What, traces

NAMES = ("Ada Esempio", "Olga D'Angelo")


@pytest.mark.parametrize(
    ("text", "what", "found"),
    [
        ("Come dice Ada, sì.", What.NAME, "Ada"),
        ("Chiedi a d'ANGELO o a Angelo.", What.NAME, "Angelo"),
        ("scrivi a mario.rossi@comune.example.it!", What.EMAIL, "mario.rossi@comune.example.it"),
        ("tel. 02 7740 1234", What.PHONE, "02 7740 1234"),
        ("al 333-1234567.", What.PHONE, "333-1234567"),
        ("+39 02 77401234", What.PHONE, "+39 02 77401234"),
        ("IBAN IT60 X054 2811 1010 0000 0123 456", What.IBAN, "IT60 X054 2811 1010 0000 0123 456"),
        ("IT60X0542811101000000123456", What.IBAN, "IT60X0542811101000000123456"),
        ("c.f. rssmra80a01f205x", What.TAX_CODE, "rssmra80a01f205x"),
        ("CUP C47H21000010001", What.CUP, "C47H21000010001"),
    ],
)
def test_what_is_found(text: str, what: What, found: str) -> None:
    assert (what, found) in [(one.what, one.text) for one in traces([text], NAMES)]


@pytest.mark.parametrize(
    "text",
    [
        "Il CUP ha 15 caratteri e il CIG ne ha 10.",
        "Entro il 10/12/2026, per 1.250.000,00 euro.",
        "Dal 05/01/2027 al 05-02-2027.",
        "L'articolo 113, comma 2, del d.lgs. 36/2023 (circolare 27/2022).",
        "dal 2021 al 2026",
        "adatto agli esempi",
        "La rendicontazione in ReGiS spetta al soggetto attuatore.",
        "",
    ],
)
def test_what_is_nobodys(text: str) -> None:
    assert traces([text], NAMES) == []


def test_each_is_said_once_and_as_one_thing() -> None:
    found = traces(["Ada, Ada: rssmra80a01f205x", "Ada"], NAMES)

    assert [(one.what, one.text) for one in found] == [(What.TAX_CODE, "rssmra80a01f205x"), (What.NAME, "Ada")]


def test_a_cig_is_one_only_when_its_checksum_is_right() -> None:
    good = f"{1234567:07}{1234567 * 211 % 4091:03X}"
    bad = f"{1234567:07}{(1234567 * 211 % 4091 + 1) % 4091:03X}"

    assert [one.what for one in traces([f"CIG {good}"], ())] == [What.CIG]
    assert What.CIG not in [one.what for one in traces([f"CIG {bad}"], ())]
