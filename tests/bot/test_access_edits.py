"""What a stranger writes to be let in is mended by editing it; several photos at once are answered once."""

import pytest

from storage.people import new_invitation, referent_at
from storage.tables import Channel
from tests.bot.conftest import Stage
from tests.bot.talk import Phone
from tests.bot.test_access import (
    EMAIL,
    HOUSE,
    at_code,
    at_summary,
    code_for,
    nothing_is_kept,
    request_of,
    stranger,
    wrong,
)


def test_an_edited_name_is_the_one_in_the_summary(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Daro Esempio")
    written = phone.written
    phone.says("abbiategrasso").says(EMAIL)

    phone.edits("Dario Esempio", written)

    assert phone.text.startswith("✏️ Corretto.")
    assert "Nome: Dario Esempio\nEnte: Abbiategrasso" in phone.text
    assert phone.edits("Dario Esempio", written).heard == [], "nothing but the formatting"


def test_a_name_that_was_not_taken_is_mended_by_editing_it(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Dario")

    phone.edits("Dario Esempio")
    assert "Per quale ente lavori?" in phone.text
    phone.edits("Dario")

    assert "sia il nome sia il cognome" in phone.text
    assert request_of(phone).name == "Dario Esempio"


def test_an_edited_organisation_is_looked_for_again(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Dario Esempio").says("abbiategrasso")
    written = phone.written
    phone.says(EMAIL)

    phone.edits("Consorzio Navigli", written).presses("Sì, è")
    assert "Ente: Consorzio Navigli" in phone.text
    phone.edits("corsico", written)

    assert "Ente: Corsico" in phone.text


def test_an_edited_address_makes_the_first_code_worthless(stage: Stage) -> None:
    phone = at_summary(stranger(stage))
    written = phone.written
    phone.presses("mandami il codice")
    first = code_for(phone)

    phone.edits("altro@comune.esempio.it", written)
    assert "E-mail: altro@comune.esempio.it" in phone.text
    phone.presses("mandami il codice").says(first)

    assert "Il codice non è questo" in phone.text


def test_an_edited_name_leaves_the_code_on_its_way(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Daro Esempio")
    written = phone.written
    phone.says("abbiategrasso").says(EMAIL).presses("mandami il codice")
    code = code_for(phone)

    phone.edits("Dario Esempio", written)
    assert "Scrivi qui le sei cifre" in phone.text
    phone.says(code)

    assert phone.text.startswith("✅ Grazie, Dario")


def test_a_code_is_mended_by_editing_it_and_is_kept_nowhere(stage: Stage) -> None:
    phone = at_code(stranger(stage))
    code = code_for(phone)
    phone.says(wrong(code))

    phone.edits(code)

    assert phone.text.startswith("✅ Grazie, Dario")
    assert code.replace(" ", "") not in str(request_of(phone).sources).replace(" ", "")
    assert wrong(code) not in str(request_of(phone).sources)


def test_a_request_with_the_office_says_how_it_is_changed(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Daro Esempio")
    written = phone.written
    phone.says("abbiategrasso").says(EMAIL).presses("mandami il codice")
    phone.says(code_for(phone))

    phone.edits("Dario Esempio", written)

    assert "già all'ufficio" in phone.text
    assert "Ritira" in str(phone.labels)
    assert request_of(phone).name == "Daro Esempio"


def test_an_edit_of_nothing_asked_shows_what_is_asked(stage: Stage) -> None:
    phone = stranger(stage).says("ciao")
    greeting = phone.written

    assert "Non ti conosco ancora" in phone.edits("ciao!", greeting).text
    phone.presses("Chiedi l'accesso").says("Dario Esempio").edits("buongiorno", greeting)

    assert "Per quale ente lavori?" in phone.text


def test_an_answer_given_again_is_not_overwritten_by_editing_the_first(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Dario Esempio")
    first = phone.written
    phone.presses("Indietro").says("Dora Esempio")

    phone.edits("Daria Esempio", first)

    assert request_of(phone).name == "Dora Esempio"


def test_what_is_cancelled_is_not_kept_by_its_messages_either(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Dario Esempio").presses("Annulla")

    assert nothing_is_kept(phone)
    assert request_of(phone).sources == {}


def test_a_known_person_mends_the_organisation_they_ask_for(stage: Stage) -> None:
    stage.cast.an_organization("Rho")
    ada = Phone(stage.session, 11, stage.cast.now, house=HOUSE)
    ada.says("/aiuto").presses("Seguo anche un altro ente").says("Roh")

    ada.edits("Rho")

    assert "Ente: Rho" in ada.text


@pytest.mark.parametrize("asking", [True, False])
def test_an_album_of_a_stranger_is_answered_once(stage: Stage, asking: bool) -> None:
    phone = stranger(stage).says("ciao")
    if asking:
        phone.presses("Chiedi l'accesso")

    said = [len(phone.leaves(album="7").heard) for _ in range(4)]

    assert said == [1, 0, 0, 0]
    assert len(phone.leaves(album="8").heard) == 1


def test_carla_cannot_edit_a_strangers_request(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Dario Esempio")

    stage.carla.edits("Carla Esempio", phone.written)
    stranger(stage, 45).edits("Carla Esempio", phone.written)

    assert request_of(phone).name == "Dario Esempio"


def test_an_invitation_mended_by_editing_it_is_taken(stage: Stage) -> None:
    token = new_invitation(stage.session, stage.referent.id, "ada@example.org", stage.cast.now)
    phone = stranger(stage).says(f"/start {token[:-1]}")

    phone.edits(f"/start {token}")
    phone.presses("Sono io")

    assert referent_at(stage.session, Channel.TELEGRAM, "44") is not None
