"""What people write, and what is kept of it, for each type of question."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from facts.languages import Language, speaking
from intake.forms.filling import Filling, Item, begin
from intake.forms.hearing import Heard, hear
from intake.forms.outcomes import Answered, Doubt, Refusal
from intake.forms.plan import Plan
from intake.forms.standing import Known
from tests.intake.forms.making import form_of

NOW = datetime(2026, 11, 24, 12, tzinfo=ZoneInfo("Europe/Rome"))
FORM = form_of("""
    | survey |
    | | type | name | label | constraint | constraint_message | parameters | raccordo::field |
    | | text | words | Parole | | | | |
    | | text | cup | CUP | | | | cup |
    | | text | cig | CIG | | | | cig |
    | | integer | whole | Intero | . > 0 | Serve almeno uno. | | |
    | | integer | any | Intero | | | | |
    | | decimal | number | Numero | | | | |
    | | decimal | progress | Avanzamento | | | | progress |
    | | decimal | spent | Speso | . < 2000 | | | spent |
    | | date | day | Giorno | . >= today() | Questa data è passata. | | |
    | | time | hour | Ora | | | | |
    | | dateTime | moment | Momento | | | | |
    | | select_one colours | colour | Colore | | | | |
    | | select_one colours or_other | another | Colore | | | | |
    | | select_multiple colours | colours | Colori | | | | |
    | | rank colours | order | Ordine | | | | |
    | | range | mark | Voto | | | start=0 end=5 step=0.5 | |
    | | geopoint | where | Dove | | | | |
    | | acknowledge | read | Letto | | | | |
    | | image | photo | Foto | | | | |
    | choices |
    | | list_name | name | label |
    | | colours | r | Rosso |
    | | colours | rd | Rosso scuro |
    | | colours | b | Blu mare |
""")
FILLING = begin(Plan(FORM), Known(NOW))


def heard(name: str, text: str, filling: Filling = FILLING) -> Heard:
    item = next(one for one in filling.items if one.key == name)
    assert isinstance(item, Item)
    return hear(filling, item, text)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("words", "  il tetto\x00 ", "il tetto"),
        ("cup", "CUP: g59j 2101 5600 007", "G59J21015600007"),
        ("whole", "350mila", 350_000),
        ("whole", "1.234", 1234),
        ("any", "-3", -3),
        ("any", "0", 0),
        ("number", "12,5", "12.5"),
        ("number", "-0,25", "-0.25"),
        ("number", "1,2 mln", "1200000"),
        ("number", "100", "100"),
        ("progress", "45,5 %", "45.5"),
        ("progress", "0", "0"),
        ("spent", "1.234,50 €", "1234.5"),
        ("spent", "1,5", "1.5"),
        ("day", "31/12/2026", "2026-12-31"),
        ("day", "domani", "2026-11-25"),
        ("hour", "9", "09:00"),
        ("hour", "14.30", "14:30"),
        ("hour", "alle 8:05", "08:05"),
        ("moment", "10/12/2026 14:30", "2026-12-10T14:30"),
        ("moment", "10 dicembre 2026 alle 9", "2026-12-10T09:00"),
        ("colour", "rosso", "r"),
        ("colour", "3", "b"),
        ("colour", "rd", "rd"),
        ("colour", "mare", "b"),
        ("another", "altro", "other"),
        ("colours", "blu, rosso", ["r", "b"]),
        ("colours", "1 e 3", ["r", "b"]),
        ("colours", "2;2", ["rd"]),
        ("order", "3, 1, 2", ["b", "r", "rd"]),
        ("mark", "3,5", "3.5"),
        ("mark", "0", "0"),
        ("where", "45.4642, 9.19", [45.4642, 9.19]),
        ("read", "Ok", "OK"),
        ("read", "sì", "OK"),
    ],
)
def test_what_is_kept_of_an_answer(name: str, text: str, value: Any) -> None:
    assert heard(name, text) == Answered(value)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("words", " ", "niente da leggere"),
        ("words", "x" * 1501, "al massimo 1.500"),
        ("cup", "G59", "corto"),
        ("cig", "0000000000", "segnaposto"),
        ("whole", "3,5", "senza decimali"),
        ("whole", "0", "Serve almeno uno."),
        ("whole", "tanti", "numero"),
        ("number", "boh", "numero"),
        ("progress", "120", "100"),
        ("spent", "3000", "non è possibile"),
        ("day", "1/1/2026", "Questa data è passata."),
        ("day", "dicembre", "giorno"),
        ("hour", "25:00", "14:30"),
        ("moment", "domani", "giorno"),
        ("colour", "verde", "pulsanti"),
        ("colours", "rosso, verde", "pulsanti"),
        ("colours", "ros, blu", "“ros”"),
        ("order", "1, 2", "Servono tutte"),
        ("order", "1, 1, 2", "Servono tutte"),
        ("mark", "3,2", "un numero da 0 a 5, di 0,5 in 0,5."),
        ("any", "tanti", "Scrivilo in cifre: 12."),
        ("number", "tanti", "Scrivilo così: 1234,56."),
        ("mark", "6", "da 0 a 5"),
        ("where", "in piazza", "latitudine"),
        ("where", "95.1, 9.2", "latitudine"),
        ("read", "no", "OK"),
        ("photo", "eccola", "graffetta"),
    ],
)
def test_what_cannot_be_kept_is_told_with_how_to_write_it(name: str, text: str, why: str) -> None:
    found = heard(name, text)

    assert isinstance(found, Refusal)
    assert why in found.sentence.say(speaking(Language.IT))
    assert found.sentence.say(speaking(Language.EN)) != ""


def test_what_has_two_meanings_is_asked_back() -> None:
    assert heard("number", "1.234") == Doubt(heard("number", "1.234").question, ("1234", "1.234"))  # type: ignore[union-attr]
    assert heard("colour", "ross") == Doubt(heard("colour", "ross").question, ("r", "rd"))  # type: ignore[union-attr]


def test_of_two_meanings_the_one_that_the_form_allows_is_taken() -> None:
    assert isinstance(heard("spent", "12.34"), Doubt), "both are"
    assert heard("spent", "99.34") == Answered("99.34"), "9,934 euro are more than the form allows"
