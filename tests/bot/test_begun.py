"""What was begun stays: its answers, its words, and the photos that were told "goes along with this update"."""

from datetime import date, timedelta

import pytest
from sqlmodel import col, select

from delivery.callbacks import start_update, unchanged
from storage import attachments
from storage.questions import thread
from storage.tables import Attachment, Draft, DraftKind, DraftState, Following, Project, Question
from tests.bot.conftest import LAST, Stage
from tests.bot.talk import a_document, walk_to_summary


def files(stage: Stage) -> list[Attachment]:
    return list(
        stage.session.exec(select(Attachment).order_by(col(Attachment.id)).execution_options(populate_existing=True))
    )


def drafts(stage: Stage, project: Project | None) -> list[Draft]:
    """Of a project, or of none yet; the oldest first."""
    these = select(Draft).where(Draft.project_id == (project.id if project else None), Draft.kind == DraftKind.UPDATE)
    return list(stage.session.exec(these.order_by(col(Draft.id)).execution_options(populate_existing=True)))


def open_draft(stage: Stage) -> Draft:
    return stage.session.exec(
        select(Draft).where(Draft.state == DraftState.OPEN).execution_options(populate_existing=True)
    ).one()


def sent_with(stage: Stage) -> list[str]:
    """The words below the files of the newest update."""
    return [one.caption for one in attachments.of_update(stage.session, stage.sent[-1].id)]


@pytest.mark.parametrize("by_reminder", [True, False])
def test_a_photo_before_the_first_answer_stays_with_the_update(stage: Stage, by_reminder: bool) -> None:
    owed = stage.owed(date(2026, 12, 10))
    ada = stage.ada.leaves("cantiere").presses("Va con l'aggiornamento").presses("Ex mercato")

    ada.presses_data(start_update(stage.market.id, owed.id if by_reminder else None))

    assert ada.text.startswith("Riprendiamo da dove eri.")
    walk_to_summary(ada).presses("Invia")
    assert sent_with(stage) == ["cantiere"]


def test_a_photo_sent_before_the_project_is_chosen_goes_with_the_one_of_the_reminder(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").leaves("cantiere")
    assert "Parte insieme a questo aggiornamento" in ada.text

    walk_to_summary(ada.presses_data(start_update(stage.market.id))).presses("Invia")

    assert sent_with(stage) == ["cantiere"]


def test_a_photo_sent_before_the_project_is_chosen_waits_in_the_menu(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").leaves("cantiere")

    ada.says("/menu")

    assert "Hai lasciato a metà:\n• Progetto da scegliere 📎 1" in ada.text
    ada.presses("Continua: Progetto da scegliere")
    assert "Di quale progetto si tratta?" in ada.text
    walk_to_summary(ada.presses("Ex mercato")).presses("Invia")
    assert sent_with(stage) == ["cantiere"]


def test_what_waits_for_its_project_is_taken_up_or_dropped_when_another_begins(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").leaves("cantiere").says("/aggiorna")
    assert "Progetto da scegliere 📎 1" in ada.text

    ada.presses("Lascia perdere")

    assert "Annullato" in ada.text
    assert "da scegliere" not in ada.says("/menu").text
    assert ada.says("/aggiorna").labels[0] == "1 · Biblioteca di quartiere"


def test_taking_up_another_draft_while_the_project_is_asked_brings_the_photo_along(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione").says("/menu")
    begun = drafts(stage, stage.market)[0]
    ada.says("/aggiorna").presses("Un altro").leaves("cantiere")

    ada.presses_data(f"m:resume-{begun.id}")

    assert "2 di 6 · Ex mercato" in ada.text
    assert files(stage)[0].draft_id == begun.id
    assert "da scegliere" not in ada.says("/menu").text


def test_answers_given_before_going_back_to_the_projects_are_kept(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione").says("indietro").says("indietro")
    assert "Di quale progetto si tratta?" in ada.text

    ada.says("/menu").presses("Continua: Progetto da scegliere").presses("Biblioteca")

    assert open_draft(stage).answers == {"phase": "03005"}


def test_starting_over_keeps_what_was_attached_and_says_so(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").leaves("cantiere")

    bruno.says("/aggiorna").presses("Ricomincia")

    assert "📎 Allegati: 1" in bruno.text
    walk_to_summary(bruno).presses("Invia")
    assert sent_with(stage) == ["cantiere"]


def test_a_cancelled_update_with_a_photo_can_be_taken_up_again(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").leaves("cantiere").presses("Annulla").presses("Riprendi")

    walk_to_summary(bruno).presses("Invia")

    assert sent_with(stage) == ["cantiere"]


# -- nothing changed -----------------------------------------------------------------------------------


def test_nothing_changed_takes_the_photo_along(stage: Stage) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    owed = stage.owed(date(2026, 12, 10))
    bruno = stage.bruno.says("/aggiorna").leaves("cantiere").says("/menu")

    bruno.presses_data(unchanged(stage.market.id, owed.id))
    assert "📎 Allegati: 1" in bruno.text
    bruno.presses("tutto come prima")

    assert (stage.sent[-1].unchanged, sent_with(stage)) == (True, ["cantiere"])


@pytest.mark.parametrize("aside", [True, False])
def test_nothing_changed_asks_first_when_answers_were_given(stage: Stage, aside: bool) -> None:
    stage.reported(stage.cast.now - timedelta(days=31))
    owed = stage.owed(date(2026, 12, 10))
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("50")
    if aside:
        bruno.says("/menu")

    bruno.presses_data(unchanged(stage.market.id, owed.id))

    assert "Di Ex mercato coperto avevi già 2 risposte su 6" in bruno.text
    asked = list(bruno.buttons)
    bruno.presses("Continua")
    assert "3 di 6" in bruno.text
    assert (open_draft(stage).answers["progress"], open_draft(stage).obligation_id) == ("50", owed.id)

    same = next(data for text, data in asked if "Nessuna novità" in text)
    assert same is not None
    bruno.presses_data(same).presses("tutto come prima")
    assert (stage.sent[-1].unchanged, stage.sent[-1].answers) == (True, LAST)
    assert stage.sent[-1].obligation_id == owed.id


def test_nothing_changed_of_a_project_without_an_earlier_update_goes_on_with_what_was_begun(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("50")

    bruno.presses_data(unchanged(stage.market.id)).presses("Nessuna novità")

    assert "primo aggiornamento" in bruno.text
    assert "3 di 6" in bruno.text
    assert open_draft(stage).answers["progress"] == "50"


def test_carla_cannot_say_that_nothing_changed_in_adas_project(stage: Stage) -> None:
    for data in (f"u:{stage.market.id}:", "u:", "u:x:y", f"u:{10**30}:1"):
        assert stage.carla.presses_data(data).text == "Non trovo questo progetto tra i tuoi."


# -- what was sent on its own goes with an update ---------------------------------------------------------


def test_a_photo_goes_with_the_update_that_was_begun(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione").says("45").says("310000")
    ada.says("30/9/2027").says("/menu").leaves("cantiere").presses("Va con l'aggiornamento")

    ada.presses("Ex mercato")

    assert "5 di 6" in ada.text
    assert len(open_draft(stage).answers) == 4
    ada.presses("No").presses("Salta").presses("Invia")
    assert sent_with(stage) == ["cantiere"]


def test_choosing_a_project_goes_on_with_what_was_begun_on_it(stage: Stage) -> None:
    ada = stage.ada.says("/aggiorna").presses("Ex mercato").presses("Esecuzione").says("/menu")

    ada.says("/aggiorna mercato")

    assert ada.text.startswith("Riprendiamo da dove eri.")
    assert "2 di 6" in ada.text


def test_words_written_before_the_photo_stand_below_it(stage: Stage) -> None:
    ada = stage.ada.says("Crepa nel muro nord").leaves(document=a_document("sal.pdf")).leaves("lato strada")
    ada.presses("Va con l'aggiornamento").presses("Ex mercato")
    assert "Le tue parole restano con l'allegato:\n\nCrepa nel muro nord" in ada.text

    walk_to_summary(ada).presses("Invia")

    assert sent_with(stage) == ["Crepa nel muro nord", "lato strada"]


def test_words_below_a_photo_and_apart_from_it_stay_together(stage: Stage) -> None:
    ada = stage.ada.leaves("lato strada").says("Crepa nel muro nord").presses("Va con l'aggiornamento")

    walk_to_summary(ada.presses("Ex mercato")).presses("Invia")

    assert sent_with(stage) == ["lato strada\nCrepa nel muro nord"]


def test_what_went_along_is_not_offered_as_a_question_any_more(stage: Stage) -> None:
    ada = stage.ada.says("Crepa nel muro nord").leaves()
    old = dict(ada.buttons)["Sì, inviala come domanda"]
    assert old is not None
    ada.presses("Va con l'aggiornamento").presses("Ex mercato")

    ada.says("/menu").presses_data(old)

    assert "non inviata" not in ada.text


def test_what_is_offered_stays_until_its_project_is_chosen(stage: Stage) -> None:
    ada = stage.ada.says("Crepa nel muro nord").leaves().presses("Va con l'aggiornamento")

    ada.says("/menu")

    assert "Crepa nel muro nord" in ada.text
    ada.presses("Va con l'aggiornamento").presses("Ex mercato")
    assert files(stage)[0].draft_id == open_draft(stage).id
    assert "non inviata" not in ada.says("/menu").text


def test_more_may_be_written_while_the_project_is_chosen_and_back_is_possible(stage: Stage) -> None:
    ada = stage.ada.leaves().presses("Va con l'aggiornamento").says("Crepa nel muro nord")
    assert "Di quale progetto si tratta?" in ada.text

    ada.presses("Indietro")
    assert "Dove lo metto?" in ada.text
    ada.presses("Sì, inviala").presses("Nessun progetto")

    question = stage.session.exec(select(Question)).one()
    assert [message.text for message in thread(stage.session, question.id)] == ["Crepa nel muro nord"]


def test_who_has_one_project_is_not_asked_for_it(stage: Stage) -> None:
    bruno = stage.bruno.says("/aggiorna").presses("Esecuzione").says("/menu").leaves().presses("Va con l'aggiornamento")

    assert "2 di 6 · Ex mercato" in bruno.text
    assert files(stage)[0].draft_id == open_draft(stage).id


def test_carla_cannot_send_her_photo_with_adas_project(stage: Stage) -> None:
    park = stage.cast.a_project(stage.cast.an_organization("Rho"), title="Altro parco")
    stage.cast.add(Following(referent_id=stage.foreigner.id, project_id=park.id, since=stage.cast.now))
    carla = stage.carla.leaves().presses("Va con l'aggiornamento")
    own = next(data for text, data in carla.buttons if "Altro parco" in text)
    assert own is not None

    carla.presses_data(own.rpartition("-")[0] + f"-{stage.market.id}")

    assert "Di quale progetto si tratta?" in carla.text
    assert drafts(stage, stage.market) == []


def test_a_photo_for_a_project_that_is_no_longer_theirs_is_offered(stage: Stage) -> None:
    stage.bruno.says("/aggiorna")
    stage.session.delete(stage.session.get_one(Following, (stage.colleague.id, stage.market.id)))
    stage.session.flush()

    stage.bruno.leaves("cantiere")

    assert "non è più tra i tuoi" in stage.bruno.text
    assert "Dove lo metto?" in stage.bruno.text
    assert files(stage)[0].draft_id == open_draft(stage).id
