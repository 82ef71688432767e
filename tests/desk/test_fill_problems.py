"""What cannot be read, what is implausible, what falls away: said where it happens, and nothing is lost."""

from datetime import timedelta
from typing import Any

from storage.forms import newest_of
from storage.tables import Channel, Project, Update
from tests.desk.conftest import Desk
from tests.desk.filling import (
    Filler,
    a_filler,
    changed,
    controls,
    everything,
    form_id,
    published,
    sent_of,
    small_form,
    text_of,
    updates,
)
from tests.desk.test_fill import ANSWERS, KEPT
from tests.desk.test_personal import Person, a_person


def told(desk: Desk, person: Person, **answers: Any) -> None:
    """An update of last month."""
    number = form_id(desk, "project-update")
    with desk.house.database.write() as session:
        form = desk.house.catalogue.version(session, newest_of(session, number))
        at = desk.house.clock() - timedelta(days=30)
        cast = desk.cast(session)
        cast.add(
            Update(
                project_id=person.project,
                referent_id=person.id,
                form_version_id=form.version_id,
                channel=Channel.WEB,
                answers={**KEPT, **answers},
                received_at=at,
            )
        )


# --- what cannot be read


async def test_what_cannot_be_read_stays_in_its_field_with_the_reason_beside_it_and_above(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    answered = await filler.presses("save", {"progress": "quasi finito", "spent": "1.000,50"})
    again = await filler.reads()

    assert answered.status_code == 422
    assert "<title>Da correggere: " in answered.text
    assert 'id="fill-errors" tabindex="-1" autofocus' in answered.text
    assert '<a href="#f-progress">Avanzamento fisico:</a>' in answered.text
    assert 'aria-describedby="h-progress e-progress"' in answered.text
    assert ("a:progress", "quasi finito") in controls(again)
    assert 'id="e-progress"' in again
    assert filler.draft().answers == {"spent": "1000.5"}


async def test_what_is_corrected_is_no_longer_wrong(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("save", {"progress": "quasi finito"})

    await filler.presses("save", {"progress": "95"})

    assert filler.draft().answers == {"progress": "95"}
    assert filler.draft().memory == {}


async def test_the_forms_own_words_say_what_is_wrong(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    answered = await filler.presses("save", {"colours": ["red", "green", "blue"]})

    assert "Al massimo due." in answered.text
    assert [value for name, value in controls(answered.text) if name == "a:colours"] == ["red", "green", "blue"]


async def test_an_answer_is_held_against_another_that_comes_with_it(desk: Desk) -> None:
    rows = ("integer | area | Area | ", "integer | built | Edifici | . <= ${area}")
    form = published(desk, small_form(*rows, columns="type | name | label | constraint"))
    filler = await a_filler(desk, a_person(desk), form)
    await filler.presses("save", {"area": "100", "built": "80"})

    await filler.presses("save", {"built": "150", "area": "200"})
    lowered = await filler.presses("send", {"area": "120"})

    assert filler.draft().answers == {"area": 120, "built": 150}
    assert lowered.status_code == 422
    assert '<a href="#f-built">' in lowered.text


async def test_what_is_missing_is_said_when_it_is_sent_and_not_before(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    saved = await filler.presses("save", {"progress": "10"})
    sent = await filler.presses("send")

    assert "Qui serve una risposta." not in saved.text
    assert sent.status_code == 422
    assert text_of(sent.text).count("Qui serve una risposta.") == 8, "four questions, beside each and above"
    assert updates(desk) == []


async def test_what_has_two_meanings_is_asked_back(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    asked = await filler.presses("save", {"spent": "1.234"})
    await filler.presses("save", {"m:spent": "0"})

    assert asked.status_code == 200
    assert filler.draft().answers == {"spent": "1234"}


async def test_of_several_meanings_one_is_picked(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    asked = await filler.presses("save", {"area": "1.234"})
    await filler.presses("save", {"m:area": "1"})

    assert asked.status_code == 422
    assert "Quale intendi?" in asked.text
    assert ("a:area", "1.234") in controls(asked.text)
    assert filler.draft().answers == {"area": "1.234"}


async def test_a_text_that_is_too_long_is_refused_and_kept_in_its_field(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    story = "a" * 1501

    answered = await filler.presses("save", {"notes": story})

    assert answered.status_code == 422
    assert ("a:notes", story) in controls(answered.text)


# --- what is implausible


async def test_what_went_down_is_asked_back_and_sent_once_it_was_confirmed(desk: Desk) -> None:
    ada = a_person(desk)
    told(desk, ada, progress="60")
    filler = await a_filler(desk, ada, "project-update")

    asked = await filler.presses("send", ANSWERS)
    summary = await filler.presses("send", {"sure": ["progress"]})

    assert asked.status_code == 422
    assert "Prima era 60%, ora 45,5%: è diminuito." in text_of(asked.text)
    assert "Sì, è giusto" in asked.text
    assert "Rileggi tutto" in summary.text


async def test_who_changes_a_confirmed_answer_is_asked_anew(desk: Desk) -> None:
    ada = a_person(desk)
    told(desk, ada, progress="60")
    filler = await a_filler(desk, ada, "project-update")
    await filler.presses("send", ANSWERS)
    await filler.presses("save", {"sure": ["progress"]})

    answered = await filler.presses("send", {"progress": "20", "sure": []})

    assert answered.status_code == 422
    assert 'id="d-progress"' in answered.text


# --- last time


async def test_last_time_is_shown_and_taken_over_one_by_one(desk: Desk) -> None:
    ada = a_person(desk)
    told(desk, ada)
    filler = await a_filler(desk, ada, "project-update")
    before = text_of(filler.page)

    await filler.presses("same:phase", {"progress": "50"})

    assert "L'ultima volta: Esecuzione dei lavori" in before
    assert filler.draft().answers == {"phase": "03005", "progress": "50"}


async def test_all_of_last_time_is_taken_over_and_what_is_there_stays(desk: Desk) -> None:
    ada = a_person(desk)
    told(desk, ada, problems="yes", problem="Manca il collaudo.")
    filler = await a_filler(desk, ada, "project-update")

    said = await filler.presses("repeat-last", {"progress": "50"})

    assert "Riprese 5 risposte dell'ultima volta" in text_of(said.text)
    assert filler.draft().answers == {**KEPT, "progress": "50", "problems": "yes", "problem": "Manca il collaudo."}


async def test_an_update_without_a_change_is_marked_as_such(desk: Desk) -> None:
    ada = a_person(desk)
    told(desk, ada)
    filler = await a_filler(desk, ada, "project-update")
    await filler.presses("repeat-last")
    await filler.presses("send")

    await filler.sends()

    assert updates(desk)[-1].unchanged


async def test_what_the_register_knows_can_be_taken_over_before_the_first_update(desk: Desk) -> None:
    ada = a_person(desk)
    with desk.house.database.write() as session:
        session.get_one(Project, ada.project).phase = "03004"
    filler = await a_filler(desk, ada, "project-update")

    await filler.presses("same:phase")

    assert filler.draft().answers == {"phase": "03004"}


# --- what falls away


async def test_what_falls_away_is_said_and_can_be_put_back(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("save", {"problems": "yes"})
    await filler.presses("save", {"problem": "Manca il collaudo."})

    gone = await filler.presses("save", {"problems": "no", "progress": "10"})
    dropped = filler.draft().answers
    back = await filler.presses("undo")

    assert "Quale problema: Manca il collaudo." in text_of(gone.text)
    assert dropped == {"problems": "no", "progress": "10"}
    assert filler.draft().answers == {"problems": "yes", "problem": "Manca il collaudo.", "progress": "10"}
    assert "fill-dropped" not in back.text


async def test_what_fell_away_is_no_longer_mentioned_when_they_say_so(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("save", {"problems": "yes"})
    await filler.presses("save", {"problem": "Manca il collaudo."})
    await filler.presses("save", {"problems": "no"})

    fine = await filler.presses("dismiss")

    assert "Manca il collaudo." not in fine.text
    assert filler.draft().answers == {"problems": "no"}


# --- two doors


async def two_doors(desk: Desk, **there: Any) -> Filler:
    """A page on which 10 stands, while another door has answered."""
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("save", {"progress": "10", "problems": "yes"})
    await filler.presses("save", {"problem": "Manca il collaudo."})
    changed(desk, filler.draft_id, **there)
    return filler


async def resolved(filler: Filler, conflict: str, action: str, **choose: str) -> Any:
    """Answers the page on which one of two is chosen."""
    fields = sent_of(conflict, "fill-both")
    data = fields | {"action": [action]} | {f"choose:{key}": [value] for key, value in choose.items()}
    return await filler.browser.post(filler.address, data=data, follow_redirects=True)


async def test_the_second_door_is_shown_both_answers_and_nothing_is_overwritten(desk: Desk) -> None:
    filler = await two_doors(desk, progress="20")

    conflict = await filler.posts("send", {"progress": "30"})

    assert conflict.status_code == 409
    read = text_of(conflict.text)
    assert "Avanzamento fisico In questa pagina: 30% Altrove: 20%" in read
    assert filler.draft().answers["progress"] == "20"


async def test_they_choose_which_answer_holds(desk: Desk) -> None:
    filler = await two_doors(desk, progress="20", notes="Da Telegram")
    conflict = await filler.posts("save", {"progress": "30", "spent": "5"})

    await resolved(filler, conflict.text, "resolve", progress="here")

    answers = filler.draft().answers
    assert (answers["progress"], answers["notes"], answers["spent"]) == ("30", "Da Telegram", "5")


async def test_all_that_is_there_can_stay(desk: Desk) -> None:
    filler = await two_doors(desk, progress="20")
    before = filler.draft().answers
    conflict = await filler.posts("save", {"progress": "30", "spent": "5"})

    await resolved(filler, conflict.text, "all-there")

    assert filler.draft().answers == before


async def test_all_that_is_here_can_be_kept(desk: Desk) -> None:
    filler = await two_doors(desk, progress="20")
    conflict = await filler.posts("save", {"progress": "30", "spent": "5"})

    await resolved(filler, conflict.text, "all-here")

    assert filler.draft().answers["progress"] == "30"
    assert filler.draft().answers["spent"] == "5"


async def test_who_chooses_nothing_is_asked_again(desk: Desk) -> None:
    filler = await two_doors(desk, progress="20")
    conflict = await filler.posts("save", {"progress": "30"})

    again = await resolved(filler, conflict.text, "resolve")

    assert again.status_code == 409
    assert filler.draft().answers["progress"] == "20"


async def test_what_was_written_for_a_question_that_is_gone_can_still_be_read(desk: Desk) -> None:
    filler = await two_doors(desk, problems="no", problem=None)

    conflict = await filler.posts("save", {"problem": "Manca il collaudo, e la ditta è sparita."})

    assert conflict.status_code == 409
    assert "Manca il collaudo, e la ditta è sparita." in text_of(conflict.text)


async def test_the_same_answer_by_both_doors_is_no_conflict(desk: Desk) -> None:
    filler = await two_doors(desk, progress="20")

    saved = await filler.posts("save", {"progress": "20"})

    assert saved.status_code == 303


async def test_a_chat_that_only_moved_on_is_no_conflict(desk: Desk) -> None:
    filler = await two_doors(desk)

    saved = await filler.posts("save", {"progress": "30"})

    assert saved.status_code == 303
    assert filler.draft().answers["progress"] == "30"
