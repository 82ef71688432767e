"""What a reply says beside its blocks: what is only politeness, and what must not be lost."""

import pytest

from intake.post.plain_replies import meant, says_nothing_new


@pytest.mark.parametrize(
    "text",
    [
        "Nessuna novità",
        "NESSUNA NOVITA'",
        "Buongiorno,\n\nnessuna novità.",
        "nessuna\u00a0novità",
        "Non ci sono novità",
        "Nothing new",
        "No news!",
        "nothing has changed\n> Manca un aggiornamento",
    ],
)
def test_nothing_new_is_known_however_it_is_written(text: str) -> None:
    assert says_nothing_new(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nessuna novità sul saldo?",
        "C'è qualche novità",
        "Nessuna novità per il mercato, per l'asilo sì",
        "Vi scrivo perché\nnessuna novità",
        "Novità",
    ],
)
def test_what_only_sounds_like_it_is_not(text: str) -> None:
    assert not says_nothing_new(text)


@pytest.mark.parametrize(
    "lines",
    [
        ["Buongiorno,", "ecco i dati aggiornati.", "", "Cordiali saluti", "Ada Esempio", "Comune di Abbiategrasso"],
        ["Gentile ufficio,", "in allegato la relazione", "Grazie mille", "Ada"],
        ["Hello,", "please find the data below", "Kind regards", "Ada"],
        ["Grazie per la pazienza", "Inviato da iPhone"],
        ["Da: Raccordo", "Inviato: ieri", "A: Ada", "Oggetto: Promemoria", "qualsiasi cosa"],
    ],
)
def test_politeness_is_no_message(lines: list[str]) -> None:
    assert meant(lines) == []


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["Buongiorno, quando arriva il saldo?"], ["Buongiorno, quando arriva il saldo?"]),
        (["Grazie, ma il cantiere è fermo da un mese e non sappiamo a chi chiedere che cosa fare adesso"],) * 2,
        (["Ecco i dati. Chi mi può chiamare?"],) * 2,
        (["Cordiali saluti", "Ada", "PS: è cambiato il RUP"], ["Ada", "PS: è cambiato il RUP"]),
        (["Saluti", "Ada", "A che ora chiamo?"], ["Ada", "A che ora chiamo?"]),
        (["Da lunedì il RUP è un altro"],) * 2,
    ],
)
def test_what_is_meant_for_somebody_is_left(lines: list[str], left: list[str]) -> None:
    assert meant(lines) == left


def test_what_we_wrote_ourselves_is_not_theirs() -> None:
    ours = "Manca un aggiornamento\n\nEx mercato"

    assert meant(["Manca un aggiornamento", "Il saldo manca"], ours) == ["Il saldo manca"]
