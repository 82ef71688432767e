"""Each type of question on a page: what a browser sends of it, what is kept, what stands there afterwards."""

from typing import Any

import pytest

from tests.desk.conftest import Desk
from tests.desk.filling import a_filler, controls, everything, published, small_form, text_of
from tests.desk.test_personal import a_person, carla

Sent = str | list[str]
TYPES: dict[str, tuple[Sent, Any]] = {
    "name": ("Cascina", "Cascina"),
    "story": ("Una\r\ndue", "Una\ndue"),
    "people": ("1.200", 1200),
    "area": ("1.234,50", "1234.5"),
    "opened": ("10 dicembre 2026", "2026-12-10"),
    "hour": ("ore 9", "09:00"),
    "visit": (["10/12/2026", "14.30"], "2026-12-10T14:30"),
    "colour": ("green", "green"),
    "other_colour": ("blue", "blue"),
    "mood": ("fair", "fair"),
    "colours": (["red", "blue"], ["red", "blue"]),
    "order": (["2:red", "3:green", "1:blue"], ["blue", "red", "green"]),
    "mark": ("4", "4"),
    "share": ("35", "35"),
    "point": (["45,4642", "9.19"], [45.4642, 9.19]),
    "ok": ("OK", "OK"),
}


@pytest.mark.parametrize("key", TYPES)
async def test_an_answer_of_each_type_is_kept_and_stands_there_again(desk: Desk, key: str) -> None:
    sent, kept = TYPES[key]
    filler = await a_filler(desk, a_person(desk), everything(desk))

    saved = await filler.presses("save", {key: sent})
    again = filler.draft().revision
    await filler.presses("save")

    assert saved.status_code == 200
    assert filler.draft().answers == {key: kept}
    assert filler.draft().revision == again, "what stands there reads as what is kept"


async def test_everything_at_once_is_kept_and_said_in_the_summary(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    summary = await filler.presses("send", {key: sent for key, (sent, _kept) in TYPES.items()})

    read = text_of(summary.text)
    for words in (
        "1.234,5",
        "10 dicembre 2026, 14:30",
        "Rosso, Blu",
        "Blu, Rosso, Verde",
        "45.46420, 9.19000",
    ):
        assert words in read
    assert filler.draft().answers == {key: kept for key, (_sent, kept) in TYPES.items()}


async def test_an_emptied_control_is_no_answer_any_more(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))
    await filler.presses("save", {key: sent for key, (sent, _kept) in TYPES.items()})

    empty: dict[str, Sent] = dict.fromkeys(TYPES, "") | {"colours": [], "ok": [], "order": ["", "", ""]}
    await filler.presses("save", empty)

    assert filler.draft().answers == {}


async def test_each_control_has_its_own_label_and_its_keyboard(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    assert 'id="f-people" name="a:people" type="text" value="" autocomplete="off" inputmode="numeric"' in filler.page
    assert 'inputmode="decimal"' in filler.page.partition('id="f-area"')[2].partition(">")[0]
    assert '<textarea class="form-control" id="f-story"' in filler.page
    assert '<select class="form-select" id="f-other_colour"' in filler.page
    assert filler.page.count('type="radio" id="f-mark') == 6, "five steps, and no answer"
    for name, _value in controls(filler.page):
        if name.startswith("a:") and name.removeprefix("a:") not in ("colour", "mood", "mark"):
            assert f'for="f-{name[2:].replace("/", ":")}"' in filler.page


async def test_other_asks_what_it_is(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    asked = await filler.presses("save", {"other_colour": "other"})
    await filler.presses("save", {"other_colour_other": "Ruggine"})

    assert "Altro: che cosa?" in asked.text
    assert filler.draft().answers == {"other_colour": "other", "other_colour_other": "Ruggine"}


async def test_a_text_repeats_an_answer_and_what_is_worked_out_is_shown(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    await filler.presses("save", {"name": "Cascina", "people": "21", "more/works": "yes"})

    read = text_of(filler.page)
    assert "Quali lavori a Cascina?" in read
    assert "Il doppio delle persone 42" in read
    assert "more/double" not in filler.draft().answers


async def test_a_value_that_is_not_among_the_choices_is_not_kept(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    answered = await filler.presses("save", {"colour": "purple", "colours": ["red", "purple"]})

    assert answered.status_code == 422
    assert answered.text.count("Questa risposta non è più tra quelle possibili") == 4, "beside each, and above"
    assert filler.draft().answers == {}


async def test_a_list_of_many_opens_and_a_short_one_lies_open(desk: Desk) -> None:
    choices = "| choices |\n| | list_name | name | label |\n" + "\n".join(
        f"| | many | c{number} | Scelta {number} |" for number in range(9)
    )
    filler = await a_filler(
        desk, a_person(desk), published(desk, small_form("select_one many | one | Quale?", choices=choices))
    )

    assert '<select class="form-select" id="f-one"' in filler.page


async def test_a_private_question_is_asked_here(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), "event-registration")

    await filler.presses("save", {"access": "Sottotitoli"})

    assert filler.draft().answers == {"access": "Sottotitoli"}


# --- repeats


async def test_repetitions_are_added_filled_in_and_taken_out(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    await filler.presses("add:payment")
    await filler.presses("add:payment", {"payment[1]/what": "Ponteggi", "payment[1]/cost": "1.000,50"})
    await filler.presses("add:payment", {"payment[2]/what": "Tinta"})
    asked = await filler.presses("remove:payment[1]")
    await filler.reads()
    await filler.presses("removed:payment[1]")

    assert "Ponteggi" in text_of(asked.text)
    assert filler.draft().answers == {"payment[1]/what": "Tinta"}
    assert filler.draft().repetitions == {"payment": 2}


async def test_an_empty_repetition_goes_without_a_question(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))
    await filler.presses("add:payment")

    await filler.presses("remove:payment[1]")

    assert filler.draft().repetitions == {"payment": 0}


async def test_what_could_not_be_read_moves_up_with_its_repetition(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))
    await filler.presses("add:payment")
    await filler.presses("add:payment")
    await filler.presses("save", {"payment[2]/what": "Tinta", "payment[2]/cost": "tanto"})

    await filler.presses("remove:payment[1]")

    assert ("a:payment[1]/cost", "tanto") in controls(filler.page)


async def test_a_button_pressed_twice_adds_one(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))

    for _time in range(2):
        await filler.posts("add:payment")

    assert filler.draft().repetitions == {"payment": 1}


async def test_carla_does_not_see_what_ada_would_take_out(desk: Desk) -> None:
    filler = await a_filler(desk, a_person(desk), everything(desk))
    await filler.presses("add:payment")
    await filler.presses("save", {"payment[1]/what": "Ponteggi"})
    page = "remove?key=payment[1]"

    hers = await filler.browser.get(f"{filler.address}/{page}")
    strangers = await desk.browser().get(f"{carla(desk).page}/drafts/{filler.draft_id}/{page}")

    assert hers.status_code == 200
    assert strangers.status_code == 404
