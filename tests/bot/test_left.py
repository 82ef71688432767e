"""The buttons under the message about a draft that was left: on with it, or away with it."""

import pytest
from sqlmodel import select

from delivery.callbacks import drop, go_on
from storage.tables import Draft, DraftState, Question
from tests.bot.conftest import Stage


def the_draft(stage: Stage) -> Draft:
    stage.session.expire_all()
    return stage.session.exec(select(Draft)).one()


@pytest.mark.parametrize("aside", [False, True])
def test_going_on_shows_where_it_was_left(stage: Stage, aside: bool) -> None:
    stage.bruno.says("/aggiorna").presses("Esecuzione").says("45,5")
    asked = stage.bruno.text.partition("\n\n")[2]
    if aside:
        stage.bruno.says("/menu")

    stage.bruno.presses_data(go_on(the_draft(stage).id))

    assert stage.bruno.text.endswith(asked)
    assert the_draft(stage).state is DraftState.OPEN


@pytest.mark.parametrize("aside", [False, True])
def test_dropping_it_ends_it_and_leaves_the_way_back(stage: Stage, aside: bool) -> None:
    stage.bruno.says("/aggiorna").presses("Esecuzione")
    if aside:
        stage.bruno.says("/menu")

    stage.bruno.presses_data(drop(the_draft(stage).id))

    assert stage.bruno.text == "Annullato: non ho inviato niente."
    assert the_draft(stage).state is DraftState.CANCELLED
    stage.bruno.presses("Riprendi")
    assert the_draft(stage).state is DraftState.OPEN


def test_dropping_it_twice_changes_nothing(stage: Stage) -> None:
    stage.bruno.says("/aggiorna").presses("Esecuzione")
    draft_id = the_draft(stage).id
    stage.bruno.presses_data(drop(draft_id))
    revision = the_draft(stage).revision

    stage.bruno.presses_data(drop(draft_id))

    assert the_draft(stage).revision == revision


def test_what_was_sent_meanwhile_is_neither_dropped_nor_taken_up(stage: Stage) -> None:
    stage.bruno.says("/aggiorna").presses("Esecuzione")
    draft = the_draft(stage)
    draft.state = DraftState.SENT
    stage.session.flush()

    for data in (drop(draft.id), go_on(draft.id)):
        stage.bruno.presses_data(data)
        assert "Quell'aggiornamento è già stato inviato" in stage.bruno.text
    assert the_draft(stage).state is DraftState.SENT


def test_a_question_is_taken_up_and_sent(stage: Stage) -> None:
    stage.bruno.says("/domanda Il collaudo?").says("/menu")

    stage.bruno.presses_data(go_on(the_draft(stage).id)).presses("Nessun progetto in particolare")

    assert len(stage.session.exec(select(Question)).all()) == 1


def test_a_question_is_dropped(stage: Stage) -> None:
    stage.bruno.says("/domanda Il collaudo?")

    stage.bruno.presses_data(drop(the_draft(stage).id))

    assert the_draft(stage).state is DraftState.CANCELLED


def test_carla_can_touch_no_draft_of_brunos(stage: Stage) -> None:
    stage.bruno.says("/aggiorna").presses("Esecuzione")
    draft_id = the_draft(stage).id

    for data in (drop(draft_id), go_on(draft_id)):
        stage.carla.presses_data(data)
        assert stage.carla.text == "Questo pulsante non è per te."
    assert the_draft(stage).state is DraftState.OPEN
