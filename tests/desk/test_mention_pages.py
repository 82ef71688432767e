"""Calling upon a colleague from the page of a question."""

from tests.desk.conftest import Desk
from tests.desk.test_questions import a_question, press


async def test_the_note_calls_upon_a_colleague_who_finds_it_and_has_seen_it_then(desk: Desk) -> None:
    number = a_question(desk)
    vera, ugo = desk.browser("Vera"), desk.browser("Ugo")

    page = (await vera.get(f"/desk/questions/{number}")).text
    await press(vera, number, "note", text="@Ugo, che ne dici?", call=str(desk.people["Rita"]))
    before = (await ugo.get("/desk/questions?view=mentioned")).text
    rita = (await desk.browser("Rita").get("/desk/questions")).text
    await ugo.get(f"/desk/questions/{number}")
    after = (await ugo.get("/desk/questions?view=mentioned")).text

    assert f'<option value="{desk.people["Ugo"]}">Ugo Esempio</option>' in page
    assert 'Note per te <span class="count">1<' in before
    assert f'href="/desk/questions/{number}"' in before
    assert 'Note per te <span class="count">1<' in rita
    assert "Nessuna nota ti aspetta" in after
    assert "Note per te" not in (await ugo.get("/desk/questions")).text


async def test_a_name_that_several_have_is_asked_about_and_the_note_stays_in_its_box(desk: Desk) -> None:
    number = a_question(desk)
    with desk.house.database.write() as session:
        desk.cast(session).a_staff("Ugo Verdi")

    refused = await press(desk.browser("Vera"), number, "note", text="@Ugo, che ne dici?")
    absurd = await press(desk.browser("Vera"), number, "note", text="Niente", call="99999999999")

    assert refused.status_code == 409
    assert "@Ugo, che ne dici?</textarea>" in refused.text
    assert absurd.status_code == 303
