"""An update is corrected in the chat, and what staff ask about it is answered there."""

from dataclasses import fields
from datetime import timedelta

from sqlmodel import select

from facts.languages import Language
from intake.catalogue import Catalogue, InUse
from intake.correcting import begin_correction
from intake.drafting import Prior, filling_of
from intake.handing_in import Door, hand_in
from intake.reviewing import accept, give_back
from storage import attachments
from storage.corrections import of_update
from storage.drafts import Work, find_draft
from storage.reviews import changes_of, find_update
from storage.tables import Channel, Draft, DraftState, Update
from tests.bot.conftest import Stage
from tests.bot.talk import Phone, photo, walk_to_summary


def sent(stage: Stage) -> Phone:
    return walk_to_summary(stage.bruno.says("/aggiorna")).presses("Invia")


def returned(stage: Stage, **remarks: str) -> Update:
    """Staff ask about the update that was sent."""
    update, officer = stage.sent[0], stage.cast.a_staff()
    form = Catalogue().version(stage.session, update.form_version_id)
    give_back(stage.session, update, form, remarks, by=officer.id, now=stage.cast.now)
    return update


def test_an_answer_is_corrected_with_the_reason(stage: Stage) -> None:
    bruno = sent(stage).presses("Correggi").presses("Speso finora").says("320000")
    assert "Riepilogo" in bruno.text

    bruno.presses("Invia")
    assert "Perché lo correggi?" in bruno.text
    assert changes_of(stage.session, stage.sent[0].id) == []

    bruno.presses("Una mia svista")
    assert f"Aggiornamento n. {stage.sent[0].id} corretto" in bruno.text
    [change] = changes_of(stage.session, stage.sent[0].id)
    assert (change.key, change.after, change.reason) == ("spent", {"value": "320000"}, "Una mia svista")
    assert change.channel is Channel.TELEGRAM
    stage.session.refresh(stage.market)
    assert stage.market.spent_cents == 32_000_000


def test_the_reason_may_be_written(stage: Stage) -> None:
    bruno = sent(stage).presses("Correggi").presses("Speso finora").says("320000").presses("Invia")

    bruno.says("Mancava una fattura")

    assert changes_of(stage.session, stage.sent[0].id)[0].reason == "Mancava una fattura"


def test_a_corrected_answer_that_is_edited_afterwards_is_corrected_beside_the_update(stage: Stage) -> None:
    bruno = sent(stage).presses("Correggi").presses("Speso finora").says("320000")
    written = bruno.written
    bruno.presses("Invia").presses("Una mia svista")

    bruno.edits("330000", written, photo=photo(1))

    assert f"L'aggiornamento n. {stage.sent[0].id} era già partito" in bruno.text
    [row] = of_update(stage.session, stage.sent[0].id)
    assert (row.field, row.before, row.after) == ("spent", "320000", "330000")
    assert [one.provider_id for one in attachments.of_update(stage.session, stage.sent[0].id)] == [written]


def test_an_update_of_long_ago_or_accepted_is_not_corrected(stage: Stage) -> None:
    bruno = sent(stage)
    button = next(data for label, data in bruno.buttons if "Correggi" in label)
    assert button is not None

    bruno.now += timedelta(days=8)
    assert "non si può più correggere" in bruno.presses_data(button).text

    bruno.now -= timedelta(days=8)
    accept(stage.session, stage.sent[0].id, 0, by=stage.cast.a_staff().id, now=bruno.now)
    assert "non si può più correggere" in bruno.presses_data(button).text


def test_a_foreign_update_is_not_found(stage: Stage) -> None:
    sent(stage)

    stage.carla.presses_data(f"c:{stage.sent[0].id}")

    assert "Non trovo questo aggiornamento tra i tuoi." in stage.carla.text


def test_staff_ask_about_two_answers_and_just_those_are_asked(stage: Stage) -> None:
    sent(stage)
    update = returned(stage, progress="Dal 45 al 60?", notes="Quale delibera?")
    draft = stage.session.exec(select(Draft).where(Draft.corrects_id == update.id)).one()

    bruno = stage.bruno.presses_data(f"m:resume-{draft.id}")
    assert "💬 L'ufficio chiede: Dal 45 al 60?" in bruno.text
    assert "Quanto dei lavori è fatto" in bruno.text

    bruno.says("46")
    assert "💬 L'ufficio chiede: Quale delibera?" in bruno.text
    bruno.says("La n. 12")
    assert "Riepilogo" in bruno.text

    bruno.presses("Invia")
    assert f"Aggiornamento n. {update.id} corretto" in bruno.text, "staff have asked: there is no need to say why"
    found = find_update(stage.session, update.id)
    assert found is not None
    assert (found.answers["progress"], found.answers["notes"], found.review) == ("46", "La n. 12", "received")


def test_what_a_colleague_corrected_meanwhile_is_told_and_not_overwritten(stage: Stage) -> None:
    bruno = sent(stage).presses("Correggi").presses("Speso finora").says("320000")
    update, form = stage.sent[0], Catalogue().version(stage.session, stage.sent[0].form_version_id)
    made = begin_correction(
        stage.session,
        update,
        stage.referent.id,
        bruno.now,
        channel=Channel.WEB,
        state=DraftState.PARKED,
        step="spent",
    )
    theirs = find_draft(stage.session, made.id)
    assert theirs is not None
    _send(stage, theirs, form, spent="330000")

    bruno.now += timedelta(minutes=10)
    bruno.presses("Invia").presses("Dati più recenti")

    assert "un collega ha corretto le stesse risposte: Speso finora." in bruno.text
    assert "Speso finora: 330.000,00 €" in bruno.text
    assert stage.sent[0].answers["spent"] == "330000"

    bruno.now += timedelta(minutes=1)
    bruno.presses("Cambia una risposta").presses("Speso finora").says("340000").presses("Invia").says("Ultima fattura")
    found = find_update(stage.session, update.id)
    assert found is not None
    assert found.answers["spent"] == "340000"


def _send(stage: Stage, draft: Draft, form: InUse, **answers: str) -> None:
    later = stage.cast.now + timedelta(minutes=5)
    work = Work(**{one.name: getattr(draft, one.name) for one in fields(Work)} | {"answers": draft.answers | answers})
    filling = filling_of(form, work, Prior({}, None), now=later, zone="Europe/Rome", language=Language.IT)
    door = Door(draft.referent_id, Channel.WEB, "Europe/Rome")
    hand_in(stage.session, work, form, filling, door, now=later)
