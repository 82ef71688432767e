from sqlmodel import select

from bot.house import House
from intake.invitations import invite
from storage.people import new_invitation, referent_at
from storage.tables import Address, Channel, Outbox, Referent
from tests.bot.conftest import Stage
from tests.bot.talk import LINKS, Phone


def invited(stage: Stage, name: str = "Dario Esempio") -> tuple[Referent, str]:
    dario = stage.cast.a_referent(name, None, (stage.market,), email="dario@example.org")
    return dario, new_invitation(stage.session, dario.id, "dario@example.org", stage.cast.now)


def stranger(stage: Stage, chat: int = 44, language: str = "it") -> Phone:
    return Phone(stage.session, chat, stage.cast.now, language=language)


def test_an_invitation_lets_in_after_one_confirmation(stage: Stage) -> None:
    dario, token = invited(stage)
    phone = stranger(stage)

    phone.says(f"/start {token}")

    assert "L'invito è per Dario Esempio" in phone.text
    assert "Ufficio Rigenerazione urbana, Città metropolitana" in phone.text
    assert "https://raccordo.example.org/privacy" in phone.text
    assert referent_at(stage.session, Channel.TELEGRAM, "44") is None
    assert phone.labels == ["Sono io, Dario Esempio", "Non sono io"]

    phone.presses("Sono io")

    assert phone.text.startswith("Grazie, Dario: ora questa chat è la tua.")
    assert referent_at(stage.session, Channel.TELEGRAM, "44") == dario


def test_the_key_of_an_invitation_is_in_no_outgoing_message(stage: Stage) -> None:
    _dario, token = invited(stage)

    stranger(stage).says(f"/start {token}").presses("Sono io")

    assert not [row for row in stage.session.exec(select(Outbox)) if token in str(row.body)]


def test_the_wrong_person_says_so_and_nothing_is_linked(stage: Stage) -> None:
    _dario, token = invited(stage)
    phone = stranger(stage).says(f"/start {token}")

    phone.presses("Non sono io")

    assert phone.text.startswith("Grazie di avercelo detto")
    assert referent_at(stage.session, Channel.TELEGRAM, "44") is None


def test_an_invitation_works_once(stage: Stage) -> None:
    _dario, token = invited(stage)
    stranger(stage).says(f"/start {token}").presses("Sono io")

    late = stranger(stage, 45).says(f"/start {token}")

    assert late.text.startswith("Questo invito non vale più")
    assert "02 1234 5678" in late.text


def test_the_confirmation_of_another_chat_opens_nothing(stage: Stage) -> None:
    _dario, token = invited(stage)
    phone = stranger(stage).says(f"/start {token}")
    data = phone.buttons[0][1]
    assert data is not None

    thief = stranger(stage, 45).presses_data(data)

    assert thief.text.startswith("Questo invito non vale più")
    assert referent_at(stage.session, Channel.TELEGRAM, "45") is None


def test_a_chat_of_somebody_else_must_be_unlinked_first(stage: Stage) -> None:
    _dario, token = invited(stage)

    stage.ada.says(f"/start {token}").presses("Sono io")

    assert "/esci" in stage.ada.text
    assert referent_at(stage.session, Channel.TELEGRAM, "11") == stage.referent


def test_the_same_person_opening_the_invitation_again_gets_the_menu(stage: Stage) -> None:
    token = new_invitation(stage.session, stage.referent.id, "ada@example.org", stage.cast.now)

    stage.ada.says(f"/start {token}")

    assert stage.ada.text.startswith("Questa chat è già la tua, Ada.")


def test_a_stranger_learns_how_to_get_an_invitation(stage: Stage) -> None:
    phone = stranger(stage).says("Buongiorno, vorrei informazioni")

    assert "invito personale" in phone.text
    assert "rigenerazione@example.org" in phone.text
    assert phone.labels == []


def test_a_stranger_with_an_english_phone_is_told_in_english(stage: Stage) -> None:
    assert "I do not know you yet" in stranger(stage, language="en").says("/start").text


def test_anybody_may_read_the_privacy_notice(stage: Stage) -> None:
    assert "dpo@example.org" in stranger(stage).says("/privacy").text
    assert "dpo@example.org" in stage.ada.says("/privacy").text


def test_the_language_changes_at_once(stage: Stage) -> None:
    stage.ada.says("/lingua").presses("English")

    assert stage.ada.text.startswith("From now on I speak English.")
    assert stage.ada.says("/questions").text == "You have not asked anything yet."
    stage.ada.says("/language").presses("Italiano")
    assert stage.ada.text.startswith("D'ora in poi ti scrivo in italiano.")


def test_who_leaves_is_told_the_truth_about_coming_back(stage: Stage) -> None:
    assert "Per tornare ti servirà un nuovo invito." in stage.ada.says("/esci").text
    ada = Phone(stage.session, 11, stage.cast.now, house=House(LINKS, mail=True))

    assert "Per tornare puoi chiedere l'accesso qui, o aprire un nuovo invito." in ada.says("/esci").text
    assert ada.presses("Sì, scollega").labels == ["Chiedi l'accesso"]


def test_leaving_needs_a_confirmation_and_unlinks_the_chat(stage: Stage) -> None:
    stage.ada.says("/esci").presses("No, resta")
    assert referent_at(stage.session, Channel.TELEGRAM, "11") == stage.referent

    stage.ada.says("/esci").presses("Sì, scollega")

    assert stage.ada.text.startswith("Chat scollegata, Ada.")
    assert referent_at(stage.session, Channel.TELEGRAM, "11") is None
    assert "invito personale" in stage.ada.says("ciao").text


def test_in_a_group_only_who_speaks_to_the_bot_is_refused(stage: Stage) -> None:
    phone = Phone(stage.session, -100, stage.cast.now)
    group = {"id": -100, "type": "supergroup", "title": "Ufficio"}
    ada = {"id": 11, "is_bot": False, "first_name": "Ada"}
    message = {"message_id": 5, "date": 0, "chat": group, "from": ada}

    phone.sends({"message": message | {"text": "ciao a tutti"}})
    assert phone.heard == []

    phone.sends({"message": message | {"text": "/aggiorna@raccordo_bot"}})
    assert phone.text.startswith("Parlo solo in privato")

    phone.sends({"callback_query": {"id": "1", "from": ada, "message": message, "data": "m:projects"}})
    assert phone.text.startswith("Parlo solo in privato")


def test_blocking_and_coming_back_are_remembered(stage: Stage) -> None:
    who = {"id": 11, "is_bot": False, "first_name": "Ada"}
    change = {"chat": {"id": 11, "type": "private"}, "from": who, "date": 0}
    address = stage.session.exec(select(Address).where(Address.value == "11")).one()

    stage.ada.sends({"my_chat_member": change | {"new_chat_member": {"status": "kicked"}}})
    stage.session.refresh(address)
    assert address.unreachable_since is not None
    assert stage.ada.heard == []

    stage.ada.says("ciao")
    stage.session.refresh(address)
    assert address.unreachable_since is None


def test_the_invitation_of_the_office_leads_here(stage: Stage) -> None:
    dario = stage.cast.a_referent("Dario Esempio", None, (stage.market,))

    link = invite(stage.session, dario.id, stage.cast.now, LINKS).start_link

    assert link.startswith("https://t.me/raccordo_bot?start=")
    phone = stranger(stage).says(f"/start {link.partition('start=')[2]}")
    assert "Dario Esempio" in phone.text


def test_on_another_phone_the_draft_goes_on_and_the_old_chat_is_a_strangers(stage: Stage) -> None:
    stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione dei lavori")
    old_button = stage.ada.buttons[0][1]
    assert old_button is not None
    token = new_invitation(stage.session, stage.referent.id, "ada@example.org", stage.cast.now)
    phone = stranger(stage).says(f"/start {token}").presses("Sono io")

    phone.says("45,5")

    assert "Quanto avete speso" in phone.text
    assert "Non ti conosco ancora" in stage.ada.presses_data(old_button).text
    assert "Non ti conosco ancora" in stage.ada.says("50").text
