"""The same form as a script sends it: saved in passing, answered with what is new. And files, with and without one."""

from typing import Any

import pytest
from sqlmodel import select

from storage.tables import Attachment
from tests.desk.conftest import CSRF, Desk
from tests.desk.filling import Filler, a_filler, changed, everything, published, small_form, text_of, updates
from tests.desk.test_fill_types import TYPES
from tests.desk.test_personal import PDF, a_person, carla

PNG = b"\x89PNG\r\n\x1a\nun esempio"
SCRIPT = b"<html><script>alert(1)</script></html>"


def files_of(desk: Desk) -> list[Attachment]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Attachment).order_by("id")))


def photo(name: str = "facciata.png", content: bytes = PNG, kind: str = "image/png", key: str = "photo") -> Any:
    return [(f"file:{key}", (name, content, kind))]


# --- in passing


async def test_what_was_written_is_saved_in_passing_and_the_hour_is_said(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    answered = await filler.posts("", {"progress": "45,5"}, path="/answers")

    assert answered.status_code == 200
    assert "<html" not in answered.text
    assert "Salvato alle 10:00" in answered.text
    assert f'name="revision" value="{filler.draft().revision}"' in answered.text
    assert filler.draft().answers == {"progress": "45.5"}


async def test_a_question_that_has_become_relevant_comes_at_once(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    answered = await filler.posts("", {"problems": "yes"}, path="/answers")

    assert 'id="q-problem"' in answered.text
    assert 'id="q-problem"' not in filler.page


async def test_what_falls_away_is_said_where_they_are_looking(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    await filler.presses("save", {"problems": "yes"})
    await filler.presses("save", {"problem": "Manca il collaudo."})

    answered = await filler.posts("", {"problems": "no"}, path="/answers")

    assert "Salvato alle 10:00 · una risposta non vale più" in answered.text


async def test_what_is_missing_is_not_said_while_somebody_is_still_writing(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    before = await filler.posts("", {"progress": "boh"}, path="/answers")
    await filler.presses("send", {"progress": "boh"})
    after = await filler.posts("", {"progress": "10"}, path="/answers")

    assert "fill-errors" not in before.text
    assert "una risposta da correggere" in before.text
    assert "4 risposte sono da rivedere" in after.text


async def test_a_page_that_is_behind_is_told_in_passing_too(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    changed(desk, filler.draft_id, progress="20")

    answered = await filler.posts("", {"progress": "30"}, path="/answers")

    assert answered.status_code == 409
    assert answered.headers["HX-Retarget"] == "#fill-main"
    assert "In questa pagina: 30% Altrove: 20%" in text_of(answered.text)
    assert "<html" not in answered.text
    assert filler.draft().answers == {"progress": "20"}


async def test_a_button_pressed_in_passing_says_where_to_go_on(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    answered = await filler.posts("add:payment", path="/answers")

    assert answered.headers["X-Focus"] == "s-payment:1"
    assert 'id="s-payment:1"' in answered.text


async def test_a_part_looks_the_same_until_something_about_it_is_new(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")

    answered = await filler.posts("", {"progress": "boh"}, path="/answers")

    assert _look(answered.text, "spent") == _look(filler.page, "spent")
    assert _look(answered.text, "progress") != _look(filler.page, "progress")


async def test_what_a_script_has_before_it_is_not_sent_again(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "project-update")
    before = " ".join(f"{key}={_look(filler.page, key)}.{_state(filler.page, key)}" for key in ("progress", "spent"))

    answered = await filler.posts("", {"progress": "45", "looks": before}, path="/answers")

    assert '<div id="q-spent" data-same></div>' in answered.text
    assert 'id="f-progress" name="a:progress" type="text" value="45"' in answered.text
    assert 'id="f-phase"' in answered.text


def _state(page: str, key: str) -> str:
    return page.partition(f'id="q-{key}"')[2].partition('data-state="')[2].partition('"')[0]


def _look(page: str, key: str) -> str:
    return page.partition(f'id="q-{key}"')[2].partition('data-look="')[2].partition('"')[0]


async def test_the_place_may_be_asked_for_on_a_form_and_nowhere_else(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    form = await filler.browser.get(filler.address)
    other = await filler.browser.get(filler.person.page)

    assert "geolocation=(self)" in form.headers["Permissions-Policy"]
    assert "geolocation=()" in other.headers["Permissions-Policy"]
    assert "unsafe" not in form.headers["Content-Security-Policy"]


# --- files


@pytest.mark.parametrize("path", ["", "/files"])
async def test_a_file_answers_a_question_and_goes_with_the_update(desk: Desk, path: str) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    await filler.posts("save", {"name": "Cascina"}, path=path, files=photo())
    await filler.reads()
    summary = await filler.presses("send", {key: sent for key, (sent, _kept) in TYPES.items()})
    await filler.sends()

    [file] = files_of(desk)
    [update] = updates(desk)
    assert "facciata.png" in filler.page
    assert "facciata.png" in summary.text
    assert update.answers["photo"] == [file.id]
    assert file.update_id == update.id


async def test_several_files_come_one_after_the_other(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    await filler.presses("save", files=photo("a.png") + photo("b.png"))
    await filler.presses("save", files=photo("c.png"))

    assert filler.draft().answers["photo"] == [file.id for file in files_of(desk)]
    assert [file.name for file in files_of(desk)] == ["a.png", "b.png", "c.png"]


async def test_a_file_that_is_taken_out_does_not_go_along(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))
    await filler.presses("save", files=photo("a.png") + photo("b.png"))
    first, second = files_of(desk)

    await filler.presses(f"unfile:{first.id}@photo")

    assert filler.draft().answers["photo"] == [second.id]
    assert [file.draft_id for file in files_of(desk)] == [None, filler.draft_id]


async def test_files_go_with_the_repetition_that_is_taken_out(desk: Desk) -> None:
    tables = "begin_repeat | place | Un luogo", "image | view | Una vista", "end_repeat | |"
    filler = await a_filler(desk, a_person(desk), published(desk, small_form(*tables)))
    await filler.presses("add:place")
    await filler.presses("save", files=photo(key="place[1]/view"))

    await filler.presses("removed:place[1]")

    assert filler.draft().answers == {}
    assert files_of(desk)[0].draft_id is None


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (photo("pagina.html", SCRIPT, "text/html"), "Non possiamo ricevere programmi"),
        (photo("vuota.png", b""), "Questo file è vuoto"),
        (photo("relazione.pdf", PDF, "application/pdf"), "Qui serve un&#39;immagine"),
        (photo("brano.pdf", PDF, "application/pdf", "voice"), "Qui serve una registrazione"),
    ],
)
async def test_what_we_cannot_take_is_said_beside_the_question_and_the_rest_is_saved(
    desk: Desk, file: Any, said: str
) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    answered = await filler.presses("save", {"name": "Cascina"}, files=file)

    assert answered.status_code == 422
    assert said in answered.text
    assert filler.draft().answers == {"name": "Cascina"}
    assert files_of(desk) == []


async def test_a_file_for_a_question_that_asks_for_none_is_not_kept(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    await filler.presses("save", files=photo(key="name"))

    assert filler.draft().answers == {}
    assert files_of(desk) == []


async def test_no_more_than_twenty_files_fit_in_one_answer(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))
    await filler.presses("save", files=[each for number in range(20) for each in photo(f"{number}.png")])

    answered = await filler.presses("save", files=photo("troppo.png"))

    assert "Qui ci sono già 20 file" in answered.text
    assert len(filler.draft().answers["photo"]) == 20


async def test_carla_leaves_no_file_in_a_form_of_ada(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))
    stranger = carla(desk)
    browser = desk.browser()
    csrf = CSRF.search((await browser.get(f"{stranger.page}/ask")).text)
    assert csrf is not None
    fields = filler.filled("save", {}) | {"csrf": [csrf[1]]}

    answered = await browser.post(f"{stranger.page}/drafts/{filler.draft_id}/files", data=fields, files=photo())

    assert answered.status_code == 404
    assert files_of(desk) == []
    assert list(desk.house.files.names()) == []


async def test_a_file_of_the_form_can_be_looked_at_by_who_left_it(desk: Desk) -> None:
    filler: Filler = await a_filler(desk, a_person(desk), everything(desk))
    await filler.presses("save", files=photo())
    [file] = files_of(desk)

    hers = await filler.browser.get(f"{filler.person.page}/files/{file.id}")
    strangers = await filler.browser.get(f"{carla(desk).page}/files/{file.id}")

    assert hers.content == PNG
    assert strangers.status_code == 404


async def test_what_is_thrown_away_leaves_its_files_behind(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))
    await filler.presses("save", files=photo())

    await filler.browser.send_form(f"{filler.address}/discard", f"{filler.address}/discard")

    assert [file.draft_id for file in files_of(desk)] == [None]
