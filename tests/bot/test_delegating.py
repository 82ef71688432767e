"""`/sostituto`: who answers in Ada's place, for how long, and how it ends. Bruno is her colleague, Carla is not."""

from datetime import timedelta

from sqlmodel import select

from facts.calendar import local_date
from intake.delegation import delegate, end_one
from storage.delegations import held_by
from storage.people import own_project, projects_of
from storage.projects import follow
from storage.tables import Audit, Delegation, Draft, DraftState, Following, Membership, Outbox
from tests.bot.conftest import Stage

FRIDAY = "20261127"


def ends(stage: Stage, days: int = 7) -> bool:
    later = stage.cast.now + timedelta(days=days)
    return end_one(stage.session, local_date(later, "Europe/Rome"), later)


def titles(stage: Stage, who: int) -> list[str]:
    return [project.title for project in projects_of(stage.session, who)]


def away(stage: Stage) -> None:
    stage.ada.says("/sostituto").presses("Bruno Esempio").presses("Questa settimana").presses("✅ Sì")


def told(stage: Stage, chat: int) -> list[str]:
    return [row.body["html"] for row in stage.session.exec(select(Outbox).where(Outbox.address == str(chat)))]


def test_a_colleague_is_chosen_until_a_day_and_both_know(stage: Stage) -> None:
    ada = stage.ada.says("/sostituto")
    assert "Chi risponde al posto tuo?" in ada.text
    assert ada.labels == ["Bruno Esempio", "Menu"], "colleagues of her own organisation, and no Carla"
    ada.presses("Bruno")
    assert "Questa settimana: venerdì 27 novembre" in ada.labels
    ada.presses("Questa settimana")
    assert "Bruno Esempio risponde al posto tuo" in ada.text
    ada.presses("✅ Sì")

    assert "Fatto: Bruno Esempio risponde fino a venerdì 27 novembre" in ada.text
    assert any("Sostituisci <b>Ada Esempio</b>" in text for text in told(stage, 12))
    assert titles(stage, stage.colleague.id) == ["Biblioteca di quartiere", "Ex mercato coperto"]


def test_the_substitute_answers_what_is_not_their_own(stage: Stage) -> None:
    away(stage)

    bruno = stage.bruno.says("/progetti")
    assert "Sostituisci Ada Esempio" in bruno.text
    bruno.says("/aggiorna biblioteca")

    assert "Biblioteca di quartiere" in bruno.text
    assert own_project(stage.session, stage.colleague.id, stage.library.id) is not None


def test_it_ends_by_itself_after_the_last_day_and_takes_only_what_it_gave(stage: Stage) -> None:
    away(stage)
    stage.bruno.says("/aggiorna biblioteca")

    assert not ends(stage, days=3), "Friday is included"
    assert ends(stage, days=4)
    assert not ends(stage, days=4), "once"

    assert titles(stage, stage.colleague.id) == ["Ex mercato coperto"]
    drafts = stage.session.exec(select(Draft).execution_options(populate_existing=True)).all()
    assert [draft.state for draft in drafts] == [DraftState.CANCELLED]
    assert any("Non sostituisci più <b>Ada Esempio</b>" in text for text in told(stage, 12))
    assert any("<b>Bruno Esempio</b> non ti sostituisce più" in text for text in told(stage, 11))


def test_who_is_back_earlier_ends_it_with_a_button(stage: Stage) -> None:
    away(stage)

    ada = stage.ada.says("/sostituto")
    assert "Fino ad allora non ti mando promemoria" in ada.text
    ada.presses("Sono di nuovo qui")

    assert "Che bello riaverti qui! Ho avvisato Bruno Esempio" in ada.text
    assert held_by(stage.session, stage.referent.id) is None
    assert "La tua assenza è già terminata" in ada.presses_data("v:end-1").text


def test_another_choice_replaces_the_first(stage: Stage) -> None:
    away(stage)

    stage.ada.says("/sostituto bruno").presses("Bruno").presses("Settimana prossima").presses("✅ Sì")

    held = held_by(stage.session, stage.referent.id)
    assert held is not None
    assert held.until.isoformat() == "2026-12-04"
    assert len(stage.session.exec(select(Delegation)).all()) == 2
    assert titles(stage, stage.colleague.id) == ["Biblioteca di quartiere", "Ex mercato coperto"]


def test_name_and_day_may_be_written_at_once(stage: Stage) -> None:
    ada = stage.ada.says("/sostituto bru 7 gennaio 2027")
    assert "Da ora fino a giovedì 7 gennaio" in ada.text
    ada.presses("✅ Sì")

    held = held_by(stage.session, stage.referent.id)
    assert held is not None
    assert held.until.isoformat() == "2027-01-07"
    assert "Non trovo nessun collega" in stage.bruno.says("/sostituto zeno 7/1/2027").text


def test_pressing_yes_twice_changes_nothing(stage: Stage) -> None:
    away(stage)
    before = len(told(stage, 12))

    stage.ada.presses_data(f"v:yes-{stage.colleague.id}-{FRIDAY}")

    assert len(stage.session.exec(select(Delegation)).all()) == 1
    assert len(told(stage, 12)) == before


def test_what_one_stands_in_for_cannot_be_handed_on(stage: Stage) -> None:
    third = stage.cast.a_referent("Dario Esempio", chat=14, projects=())
    organization = stage.session.exec(
        select(Membership.organization_id).where(Membership.referent_id == stage.referent.id)
    ).one()
    stage.cast.add(Membership(referent_id=third.id, organization_id=organization))
    away(stage)
    today = stage.today

    delegate(stage.session, stage.colleague.id, third.id, today, today=today, now=stage.cast.now)

    assert titles(stage, third.id) == ["Ex mercato coperto"], "Bruno's own, and not Ada's library"


def test_a_project_that_becomes_theirs_meanwhile_stays(stage: Stage) -> None:
    away(stage)
    follow(stage.session, stage.colleague.id, [stage.library.id], stage.cast.now)

    ends(stage)

    assert titles(stage, stage.colleague.id) == ["Biblioteca di quartiere", "Ex mercato coperto"]


def test_carla_cannot_be_chosen_and_ends_nothing_of_adas(stage: Stage) -> None:
    stage.ada.presses_data(f"v:yes-{stage.foreigner.id}-{FRIDAY}")
    assert stage.session.exec(select(Delegation)).all() == []
    away(stage)

    stage.carla.presses_data("v:end-1")

    assert held_by(stage.session, stage.referent.id) is not None
    assert "Chi risponde al posto tuo?" not in stage.carla.text


def test_days_that_are_none_or_past_lead_back_to_the_choice(stage: Stage) -> None:
    for day in ("20261131", "x", "20200101", "29991231"):
        stage.ada.presses_data(f"v:yes-{stage.colleague.id}-{day}")

    assert stage.session.exec(select(Delegation)).all() == []


def test_nobody_to_choose_is_said_with_what_to_do(stage: Stage) -> None:
    assert "Scrivi all'ufficio con /domanda" in stage.carla.says("/sostituto").text


def test_what_was_done_is_in_the_log(stage: Stage) -> None:
    away(stage)
    ends(stage)

    acts = [row.action for row in stage.session.exec(select(Audit)) if row.action.startswith("delegation.")]
    assert acts == ["delegation.begin", "delegation.end"]
    assert not stage.session.exec(select(Following).where(Following.delegation_id != None)).all()  # noqa: E711


# --- what stays, and who cannot


def of_corsico_too(stage: Stage) -> None:
    """Ada is also of Corsico, where Bruno is not, and follows the park there."""
    corsico = stage.session.exec(
        select(Membership.organization_id).where(Membership.referent_id == stage.foreigner.id)
    ).one()
    stage.cast.add(Membership(referent_id=stage.referent.id, organization_id=corsico))
    follow(stage.session, stage.referent.id, [stage.elsewhere.id], stage.cast.now)


def test_what_stays_is_told_before_and_afterwards(stage: Stage) -> None:
    of_corsico_too(stage)

    ada = stage.ada.says("/sostituto").presses("Bruno Esempio").presses("Questa settimana")
    stays = "Resta a te, promemoria compresi, quello che riguarda solo Corsico: Bruno Esempio non ne fa parte."
    assert f"{stays}\n• Parco Travaglia" in ada.text
    ada.presses("✅ Sì")

    assert f"{stays}\n• Parco Travaglia" in ada.says("/sostituto").text
    assert "non ti mando promemoria" not in ada.text
    assert "Parco Travaglia" not in titles(stage, stage.colleague.id)


def test_who_is_away_is_shown_as_such_and_cannot_be_chosen(stage: Stage) -> None:
    away(stage)

    bruno = stage.bruno.says("/sostituto")
    assert "Ada Esempio (non c'è fino al 27/11/2026)" in bruno.labels
    bruno.presses("Ada Esempio (non")
    assert "Anche Ada Esempio non c'è, fino al 27 novembre 2026: scegli un'altra persona." in bruno.text
    bruno.presses_data(f"v:yes-{stage.referent.id}-{FRIDAY}")

    assert held_by(stage.session, stage.colleague.id) is None


def test_who_stands_in_and_goes_away_is_told_what_becomes_of_it(stage: Stage) -> None:
    away(stage)
    dario = stage.cast.a_referent("Dario Esempio", chat=14)
    organization = select(Membership.organization_id).where(Membership.referent_id == stage.colleague.id)
    stage.cast.add(Membership(referent_id=dario.id, organization_id=stage.session.exec(organization).one()))

    bruno = stage.bruno.says("/sostituto").presses("Dario").presses("Questa settimana")
    assert "Sostituisci Ada Esempio: mentre non ci sei i suoi promemoria tornano indietro" in bruno.text
    bruno.presses("✅ Sì")

    assert any("<b>Bruno Esempio</b>, che ti sostituisce, non c'è fino al 27" in text for text in told(stage, 11))
    assert "Anche Bruno Esempio non c'è" in stage.ada.says("/sostituto").text


def test_a_substitute_may_say_no_and_is_asked_first(stage: Stage) -> None:
    away(stage)
    bruno = stage.bruno.presses_data("v:decline-1")
    assert "Avviso Ada Esempio che non puoi?" in bruno.text
    assert held_by(stage.session, stage.referent.id) is not None
    bruno.presses("Sì, avvisa")

    assert "Fatto: ho avvisato Ada Esempio" in bruno.text
    assert held_by(stage.session, stage.referent.id) is None
    assert titles(stage, stage.colleague.id) == ["Ex mercato coperto"]
    assert any("<b>Bruno Esempio</b> non può sostituirti" in text for text in told(stage, 11))
    assert "già terminata" in bruno.presses_data("v:declined-1").text


def test_the_notice_itself_offers_to_say_no_and_no_command(stage: Stage) -> None:
    away(stage)

    row = next(row for row in stage.session.exec(select(Outbox)) if "Sostituisci <b>Ada" in row.body["html"])

    assert [one["data"] for line in row.body["buttons"] for one in line] == ["m:projects", "m:deadlines", "v:decline-1"]
    assert "/" not in row.body["html"].replace("</b>", "")


def test_what_would_be_lost_by_saying_no_is_told_first(stage: Stage) -> None:
    away(stage)
    bruno = stage.bruno.says("/aggiorna biblioteca")

    assert "non inviato li annullo: Biblioteca di quartiere." in bruno.presses_data("v:decline-1").text


def test_a_substitute_finds_the_way_to_say_no_under_the_command(stage: Stage) -> None:
    away(stage)

    bruno = stage.bruno.says("/sostituto")

    assert "Sostituisci Ada Esempio fino a venerdì 27 novembre." in bruno.text
    assert "Non posso più sostituire Ada Esempio" in bruno.labels


def test_carla_says_no_to_nothing_of_brunos(stage: Stage) -> None:
    away(stage)

    stage.carla.presses_data("v:declined-1")
    stage.ada.presses_data("v:declined-1")

    assert held_by(stage.session, stage.referent.id) is not None


def test_choosing_somebody_else_is_offered(stage: Stage) -> None:
    away(stage)

    ada = stage.ada.presses_data("m:substitute")
    assert "Scegli un'altra persona" in ada.labels

    assert "Chi risponde al posto tuo?" in ada.presses("Scegli un'altra persona").text
