"""A stranger asks to be let in; a person we know asks for one more organisation."""

from datetime import timedelta

import pytest
from sqlmodel import col, select

from bot.house import House
from intake.access_codes import AN_HOUR, word_code
from intake.invitations import leave
from storage import access
from storage.access import open_request
from storage.people import new_invitation, referent_at
from storage.tables import AccessRequest, AccessState, Channel, Outbox, OutboxKind
from tests.bot.conftest import Stage
from tests.bot.talk import LINKS, Phone

HOUSE = House(LINKS, mail=True, key=b"a key of the tests, 32 bytes long")
EMAIL = "dario.esempio@comune.esempio.it"


def stranger(stage: Stage, chat: int = 44, language: str = "it", house: House = HOUSE) -> Phone:
    return Phone(stage.session, chat, stage.cast.now, house=house, language=language)


def request_of(phone: Phone) -> AccessRequest:
    """The newest request of this chat."""
    found = phone.session.exec(
        select(AccessRequest)
        .where(AccessRequest.chat == str(phone.chat))
        .order_by(col(AccessRequest.id).desc())
        .execution_options(populate_existing=True)
    ).first()
    assert found is not None
    return found


def code_for(phone: Phone) -> str:
    """What stands in the newest mail with a code, as it leaves."""
    row = phone.session.exec(
        select(Outbox).where(Outbox.kind == OutboxKind.CODE).order_by(col(Outbox.id).desc())
    ).first()
    assert row is not None
    words = word_code(HOUSE.key)(phone.session, row, phone.now)
    assert words is not None
    assert words.secret
    return words.secret


def nothing_is_kept(phone: Phone) -> bool:
    one = request_of(phone)
    return (one.state, one.name, one.organization, one.email) == (AccessState.CANCELLED, "", "", "")


def wrong(code: str) -> str:
    return f"{(int(code.replace(' ', '')) + 1) % 1_000_000:06}"


def at_summary(phone: Phone, email: str = EMAIL) -> Phone:
    return phone.says("ciao").presses("Chiedi l'accesso").says("Dario Esempio").says("abbiategrasso").says(email)


def at_code(phone: Phone, email: str = EMAIL) -> Phone:
    return at_summary(phone, email).presses("mandami il codice")


def test_three_answers_and_a_code_reach_the_office(stage: Stage) -> None:
    phone = at_summary(stranger(stage))
    assert "Nome: Dario Esempio\nEnte: Abbiategrasso\nE-mail: dario.esempio@comune.esempio.it" in phone.text

    phone.presses("mandami il codice")
    assert f"un'e-mail a {EMAIL}" in phone.text
    phone.says(code_for(phone))

    assert phone.text.startswith("✅ Grazie, Dario: la tua richiesta è arrivata all'ufficio.")
    request = request_of(phone)
    assert (request.state, request.name, request.email) == (AccessState.WAITING, "Dario Esempio", EMAIL)
    assert request.organization_id == stage.market.implementing_body_id
    assert request.code_hash is None
    assert referent_at(stage.session, Channel.TELEGRAM, "44") is None


def test_the_code_is_in_no_row_of_the_outbox(stage: Stage) -> None:
    phone = at_code(stranger(stage))
    code = code_for(phone)

    bodies = [str(row.body) for row in stage.session.exec(select(Outbox))]

    assert not [body for body in bodies if code in body or code.replace(" ", "") in body]
    assert request_of(phone).code_hash not in (None, code)


def test_the_mail_says_nothing_that_the_stranger_typed(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Vinci Soldi Subito")
    phone.says("Ente www.esempio.it").presses("Sì, è").says(EMAIL).presses("mandami il codice")

    mail = stage.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.CODE)).one()

    assert mail.address == EMAIL
    assert "Vinci" not in str(mail.body)
    assert "esempio.it" not in str(mail.body)


def test_one_organisation_is_chosen_among_those_that_begin_so(stage: Stage) -> None:
    for name in ("Sesto San Giovanni", "Sesto Ulteriano", "San Giuliano"):
        stage.cast.an_organization(name)
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Dario Esempio").says("comune di sès")

    assert phone.labels[:2] == ["Sesto San Giovanni", "Sesto Ulteriano"]
    phone.presses("Sesto San Giovanni").says(EMAIL)

    assert "Ente: Sesto San Giovanni" in phone.text


def test_an_organisation_we_do_not_know_is_kept_as_it_was_typed(stage: Stage) -> None:
    stage.cast.an_organization("Consorzio Navigli")
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Dario Esempio").says("Consorzio")

    phone.presses("Nessuno di questi: è “Consorzio”").says(EMAIL)

    assert "Ente: Consorzio\n" in phone.text
    assert request_of(phone).organization_id is None


@pytest.mark.parametrize(
    ("typed", "said"),
    [("Dario", "sia il nome sia il cognome"), ("d@x.it y", "sia il nome"), ("D " * 100, "troppo lungo")],
)
def test_a_name_has_two_words(stage: Stage, typed: str, said: str) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says(typed)

    assert said in phone.text
    assert "Come ti chiami?" in phone.text


def test_what_is_no_address_is_asked_again(stage: Stage) -> None:
    phone = at_summary(stranger(stage), "dario chiocciola comune")

    assert "non è un indirizzo e-mail" in phone.text
    assert "Qual è la tua e-mail di lavoro?" in phone.text


@pytest.mark.parametrize(("email", "hint"), [("dario@gmail.com", "casella privata"), ("x@pec.esempio.it", "PEC")])
def test_an_odd_mailbox_is_taken_with_a_hint(stage: Stage, email: str, hint: str) -> None:
    phone = at_summary(stranger(stage), email)

    assert hint in phone.text
    assert "mandami il codice" in str(phone.labels)


def test_one_can_go_back_step_by_step(stage: Stage) -> None:
    phone = at_summary(stranger(stage)).presses("Indietro")
    assert "e-mail di lavoro" in phone.text
    phone.presses("Indietro")
    assert "Per quale ente lavori?" in phone.text
    phone.presses("Indietro")
    assert "Come ti chiami?" in phone.text

    phone.says("Dora Esempio").says("Corsico").says(EMAIL)

    assert "Nome: Dora Esempio\nEnte: Corsico" in phone.text


def test_one_answer_is_corrected_alone(stage: Stage) -> None:
    phone = at_summary(stranger(stage)).presses("Correggi").presses("L'ente").says("Corsico")

    assert "Nome: Dario Esempio\nEnte: Corsico\nE-mail: " in phone.text


def test_another_address_makes_the_first_code_worthless(stage: Stage) -> None:
    phone = at_code(stranger(stage))
    first = code_for(phone)

    phone.presses("Un altro indirizzo").says("altro@comune.esempio.it").presses("mandami il codice").says(first)

    assert "Il codice non è questo" in phone.text
    assert request_of(phone).state is AccessState.CONFIRMING


@pytest.mark.parametrize("answers", [0, 1, 2, 3])
def test_what_is_cancelled_is_not_kept(stage: Stage, answers: int) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso")
    for typed in ("Dario Esempio", "corsico", EMAIL)[:answers]:
        phone.says(typed)

    phone.presses("Annulla")

    assert nothing_is_kept(phone)
    assert "invito personale" in phone.says("ciao").text


def test_a_request_can_be_cancelled_at_the_code(stage: Stage) -> None:
    phone = at_code(stranger(stage)).presses("Annulla")

    assert nothing_is_kept(phone)


def test_a_request_can_be_withdrawn_while_it_waits(stage: Stage) -> None:
    phone = at_code(stranger(stage))
    phone.says(code_for(phone)).says("Ho cambiato idea")

    phone.presses("Ritira la richiesta")
    assert "Ritiro la tua richiesta?" in phone.text
    assert request_of(phone).state is AccessState.WAITING, "one tap is not enough"
    phone.presses("Sì, ritira")

    assert phone.text == "Ho ritirato la tua richiesta."
    assert nothing_is_kept(phone)


@pytest.mark.parametrize("word", ["annulla", "/annulla", "stop"])
def test_a_word_does_not_withdraw_what_is_with_the_office(stage: Stage, word: str) -> None:
    phone = at_code(stranger(stage))
    phone.says(code_for(phone)).says(word)

    assert request_of(phone).state is AccessState.WAITING
    phone.presses("No, lasciala")
    assert "è all'ufficio" in phone.text
    assert request_of(phone).state is AccessState.WAITING


def test_cancel_may_be_written_too(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso")

    assert phone.says("/annulla").text == "Va bene, non ho inviato niente."
    assert open_request(stage.session, "44") is None


# --- the code


def test_a_wrong_code_uses_up_a_try_and_five_use_up_the_code(stage: Stage) -> None:
    phone = at_code(stranger(stage))
    right = code_for(phone)
    said = [phone.says(wrong(right)).text for _ in range(5)]

    late = phone.says(right).text

    assert "Tentativi rimasti: 4" in said[0]
    assert "Tentativi rimasti: 1" in said[3]
    assert "era l'ultimo tentativo" in said[4]
    assert "troppi tentativi" in late
    assert request_of(phone).state is AccessState.CONFIRMING


def test_what_is_no_code_uses_up_nothing(stage: Stage) -> None:
    phone = at_code(stranger(stage))

    phone.says("non mi è arrivato").says("12345").says("1234567")

    assert "Il codice ha sei cifre" in phone.text
    assert request_of(phone).tries == 0


@pytest.mark.parametrize(("minutes", "state"), [(29, AccessState.WAITING), (30, AccessState.CONFIRMING)])
def test_a_code_lasts_half_an_hour(stage: Stage, minutes: int, state: AccessState) -> None:
    phone = at_code(stranger(stage))
    code = code_for(phone)
    phone.now += timedelta(minutes=minutes)

    phone.says(code)

    assert request_of(phone).state is state
    assert ("è scaduto" in phone.text) is (state is AccessState.CONFIRMING)


def test_a_new_code_takes_the_place_of_the_old_one(stage: Stage) -> None:
    phone = at_code(stranger(stage))
    first = code_for(phone)
    phone.now += timedelta(minutes=1)
    phone.presses("Manda un altro codice")

    assert "Il codice non è questo" in phone.says(first).text
    assert "arrivata all'ufficio" in phone.says(code_for(phone)).text


def test_three_codes_a_day_are_enough_for_a_chat(stage: Stage) -> None:
    phone = at_code(stranger(stage), "uno@comune.esempio.it")
    for number in (2, 3):
        phone.now += timedelta(minutes=1)
        phone.presses("Un altro indirizzo").says(f"nr{number}@comune.esempio.it").presses("mandami il codice")

    phone.now += timedelta(minutes=1)
    phone.presses("Un altro indirizzo").says("nr4@comune.esempio.it").presses("mandami il codice")

    assert "Oggi non posso mandarti altri codici" in phone.text
    assert len(stage.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.CODE)).all()) == 3
    phone.now += timedelta(days=1)
    assert "Ti sto mandando" in phone.presses("mandami il codice").text


def test_cancelling_and_beginning_again_gives_no_more_codes(stage: Stage) -> None:
    phone = stranger(stage)
    for number in range(3):
        at_code(phone, f"nr{number}@comune.esempio.it").presses("Annulla")

    assert "Oggi non posso mandarti altri codici" in at_code(phone, "nr4@comune.esempio.it").text


def test_three_codes_a_day_are_enough_for_a_mailbox(stage: Stage) -> None:
    for chat in (44, 45, 46):
        at_code(stranger(stage, chat))

    assert "Oggi non posso mandarti altri codici" in at_code(stranger(stage, 47)).text


def test_the_house_sends_so_many_codes_an_hour_and_no_more(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[timedelta] = []

    def many(_session: object, since: object) -> int:
        asked.append(stage.cast.now - since)  # type: ignore[operator]
        return AN_HOUR

    monkeypatch.setattr(access, "codes_in_all", many)

    phone = at_code(stranger(stage))

    assert "molte persone chiedono un codice" in phone.text
    assert asked == [timedelta(hours=1)]
    assert request_of(phone).state is AccessState.ASKING


def test_an_address_we_know_gets_the_same_answers_as_any_other(stage: Stage) -> None:
    known, unknown = at_code(stranger(stage), "ada@example.org"), at_code(stranger(stage, 45), "eva@example.org")

    assert known.text.replace("ada@", "eva@") == unknown.text


# --- around it


def test_sending_again_shows_where_it_stands(stage: Stage) -> None:
    phone = at_code(stranger(stage))
    phone.says(code_for(phone))

    for text in ("Ci sono novità?", "/start", "/menu"):
        assert "La tua richiesta (24 novembre 2026) è all'ufficio" in phone.says(text).text

    assert len(stage.session.exec(select(AccessRequest)).all()) == 1


def test_an_old_button_shows_where_we_are(stage: Stage) -> None:
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso")
    cancel = phone.buttons[-1][1]
    assert cancel is not None
    phone.says("Dario Esempio")

    phone.presses_data(cancel)

    assert "di un messaggio precedente" in phone.text
    assert "Per quale ente lavori?" in phone.text


def test_the_button_of_another_chat_moves_nothing(stage: Stage) -> None:
    phone = at_summary(stranger(stage))
    send = phone.buttons[0][1]
    assert send is not None

    thief = stranger(stage, 45).presses_data(send)

    assert "vecchio" in thief.text
    assert request_of(phone).state is AccessState.ASKING
    assert open_request(stage.session, "45") is None


def test_what_another_chat_typed_cannot_be_taken_over(stage: Stage) -> None:
    other = stranger(stage, 45).says("ciao").presses("Chiedi l'accesso").says("Eva Esempio").says("Ente riservato")
    theirs = next(data for label, data in other.buttons if label.startswith("Sì"))
    assert theirs is not None
    phone = stranger(stage).says("ciao").presses("Chiedi l'accesso").says("Dario Esempio")
    request = request_of(phone)

    phone.presses_data(f"a:{request.id}:{request.revision}:{theirs.rpartition(':')[2]}")

    assert "riservato" not in phone.text
    assert request_of(phone).organization == ""


def test_an_invitation_is_accepted_in_the_middle_and_ends_the_request(stage: Stage) -> None:
    phone = at_summary(stranger(stage))
    dario = stage.cast.a_referent("Dario Esempio", None, (stage.market,), email="dario@example.org")
    token = new_invitation(stage.session, dario.id, "dario@example.org", stage.cast.now)

    phone.says(f"/start {token}").presses("Sono io")

    assert referent_at(stage.session, Channel.TELEGRAM, "44") == dario
    assert request_of(phone).state is AccessState.CANCELLED


def test_the_privacy_notice_may_be_read_in_the_middle(stage: Stage) -> None:
    phone = at_summary(stranger(stage))

    assert "dpo@example.org" in phone.says("/privacy").text
    assert "È tutto giusto?" in phone.says("/start").text


def test_an_english_phone_is_asked_in_english(stage: Stage) -> None:
    phone = stranger(stage, language="en").says("hello").presses("Ask for access").says("Dario Esempio").says("corsico")

    assert phone.says(EMAIL).text.startswith("Is everything right?")
    assert request_of(phone).language == "en"


def test_without_mail_there_is_no_such_door(stage: Stage) -> None:
    phone = stranger(stage, house=House(LINKS))

    assert phone.says("ciao").labels == []
    assert "02 1234 5678" in phone.presses_data("a:ask").text
    assert open_request(stage.session, "44") is None


# --- one more organisation


def test_a_known_person_asks_for_one_more_organisation_without_a_code(stage: Stage) -> None:
    stage.ada.says("/aiuto").presses("Seguo anche un altro ente").says("cors").presses("Corsico")
    assert "Ente: Corsico\nE-mail: ada@example.org" in stage.ada.text

    stage.ada.presses("manda all'ufficio")

    request = request_of(stage.ada)
    assert (request.state, request.referent_id, request.name) == (
        AccessState.WAITING,
        stage.referent.id,
        "Ada Esempio",
    )
    assert stage.session.exec(select(Outbox).where(Outbox.kind == OutboxKind.CODE)).all() == []


def test_the_button_is_under_ones_projects_too(stage: Stage) -> None:
    assert "Quale altro ente segui?" in stage.ada.says("/progetti").presses("Seguo anche").text


def test_one_is_not_let_into_ones_own_organisation_twice(stage: Stage) -> None:
    stage.ada.says("/aiuto").presses("Seguo anche un altro ente").says("Abbiategrasso")

    assert "Per Abbiategrasso ci sei già" in stage.ada.text
    assert request_of(stage.ada).organization_id is None


def test_what_a_known_person_says_later_is_no_organisation(stage: Stage) -> None:
    stage.ada.says("/aiuto").presses("Seguo anche un altro ente")
    stage.ada.now += timedelta(hours=2)

    assert "È una domanda per l'ufficio?" in stage.ada.says("Quando scade il monitoraggio?").text


def test_what_a_known_person_says_after_another_dialogue_is_no_organisation(stage: Stage) -> None:
    stage.ada.says("/aiuto").presses("Seguo anche un altro ente")
    stage.ada.now += timedelta(minutes=1)
    stage.ada.says("/domanda").presses("Annulla")

    assert "È una domanda per l'ufficio?" in stage.ada.says("Quando scade il monitoraggio?").text


def test_thanks_are_no_organisation(stage: Stage) -> None:
    stage.ada.says("/aiuto").presses("Seguo anche un altro ente")

    assert "Grazie a te" in stage.ada.says("grazie").text


def test_a_known_person_changes_their_mind(stage: Stage) -> None:
    stage.ada.says("/aiuto").presses("Seguo anche un altro ente").says("/annulla")

    assert stage.ada.text == "Va bene, non ho inviato niente."
    assert request_of(stage.ada).state is AccessState.CANCELLED


def test_who_leaves_takes_their_request_back(stage: Stage) -> None:
    stage.ada.says("/aiuto").presses("Seguo anche un altro ente")

    leave(stage.session, "11", stage.cast.now)

    assert open_request(stage.session, "11") is None
    assert "invito personale" in stage.ada.says("Corsico").text
