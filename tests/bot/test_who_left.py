"""Somebody who is no contact any more writes again: a polite sentence, and nothing is taken."""

from sqlmodel import select

from registry.handing_over import Taking, hand_over
from storage.tables import Question
from tests.bot.conftest import Stage
from tests.bot.talk import LINKS


def test_who_handed_over_is_told_so_and_nothing_is_recorded(stage: Stage) -> None:
    stage.ada.says("/menu")
    taking = Taking(stage.colleague.id, "", "", [], [stage.market.id])
    staff = stage.cast.a_staff()
    hand_over(stage.session, stage.referent.id, taking, links=LINKS, by=staff.id, now=stage.cast.now)

    stage.ada.says("Possiamo usare il ribasso d'asta?")

    assert "Non sei più un referente dell’ufficio" in stage.ada.text
    assert not stage.session.exec(select(Question)).all()


def test_a_stranger_is_still_told_how_to_get_in(stage: Stage) -> None:
    stage.ada.says("/menu")
    stage.ada.says("/esci")

    stage.ada.says("Buongiorno")

    assert "Non sei più un referente" not in stage.ada.text
