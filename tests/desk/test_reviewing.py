"""Staff accept an update, or send it back with remarks; who may not, does not."""

import pytest

from intake.catalogue import Catalogue
from intake.publishing import publish
from intake.updates import Concern, record_update
from storage.reviews import correction_of, find_update, open_remarks
from storage.tables import Channel, Review, Update
from tests.desk.conftest import Desk
from tests.desk.test_updates import a_followed_project, report
from tests.intake.forms.making import form_of

ANSWERS = {"phase": "03005", "progress": "40", "spent": "400000", "expected_end": "2027-06-30", "problems": "no"}
REMARK = {"revision": "0", "remark:spent": "?"}


def an_update(desk: Desk) -> tuple[int, int]:
    """Update and referent."""
    project, ada = a_followed_project(desk)
    return report(desk, project, ada, ANSWERS), ada


def found(desk: Desk, number: int) -> Update:
    with desk.house.database.read() as session:
        update = find_update(session, number)
        assert update is not None
        return update


async def test_an_officer_accepts_and_takes_it_back(desk: Desk) -> None:
    number, _ada = an_update(desk)
    olga = desk.browser("Olga")

    page = await olga.send_form(f"/desk/updates/{number}/accept", revision="0")
    assert page.status_code == 303
    assert found(desk, number).review is Review.ACCEPTED
    shown = (await olga.get(f"/desk/updates/{number}")).text
    assert "Accettato" in shown
    assert "Olga" in shown

    await olga.send_form(f"/desk/updates/{number}/reopen", revision="1")
    assert found(desk, number).review is Review.RECEIVED
    assert "Da controllare" in (shown := (await olga.get(f"/desk/updates/{number}")).text)
    assert ", Olga" not in shown


RECKONED = """
    | survey |
    | | type | name | label | calculation |
    | | decimal | each | Quanto costa? | |
    | | calculate | total | | ${each} * 2 |
    | settings |
    | | form_title | form_id |
    | | Costi | costs |
"""


async def test_nobody_is_asked_about_what_the_form_reckons(desk: Desk) -> None:
    project, ada = a_followed_project(desk)
    with desk.house.database.write() as session:
        version = publish(session, form_of(RECKONED), now=desk.house.clock(), source="costi.xlsx")
        form = Catalogue().version(session, version.id)
        number = record_update(
            session,
            referent_id=ada,
            about=Concern(project),
            form=form,
            answers={"each": "2.5", "total": "5"},
            channel=Channel.TELEGRAM,
            now=desk.house.clock(),
        ).id
    olga = desk.browser("Olga")

    page = (await olga.get(f"/desk/updates/{number}/return")).text
    sent = await olga.send_form(f"/desk/updates/{number}/return", **{"revision": "0", "remark:total": "?"})

    assert "total" in (await olga.get(f"/desk/updates/{number}")).text
    assert "remark:each" in page
    assert "remark:total" not in page
    assert sent.status_code == 422


async def test_who_comes_second_is_told(desk: Desk) -> None:
    number, _ada = an_update(desk)
    olga = desk.browser("Olga")
    await olga.send_form(f"/desk/updates/{number}/accept", revision="0")

    await olga.send_form(f"/desk/updates/{number}/accept", revision="0")

    assert "riguardalo" in (await olga.get(f"/desk/updates/{number}")).text


async def test_remarks_are_written_beside_the_answers_and_asked(desk: Desk) -> None:
    number, ada = an_update(desk)
    vera = desk.browser("Vera")
    page = (await vera.get(f"/desk/updates/{number}/return")).text
    assert "Speso finora" in page
    assert "400.000,00" in page

    sent = await vera.send_form(
        f"/desk/updates/{number}/return",
        **{"revision": "0", "remark:spent": "Con o senza <IVA>?", "remark:phase": " ", "remark:made-up": "?"},
    )

    assert sent.status_code == 303
    with desk.house.database.read() as session:
        assert open_remarks(session, number) == {"spent": "Con o senza <IVA>?"}
        assert correction_of(session, number, ada) is not None
    shown = (await vera.get(f"/desk/updates/{number}")).text
    assert "Con o senza &lt;IVA&gt;?" in shown
    assert "Rimandato" in shown


@pytest.mark.parametrize(
    ("fields", "said"),
    [({}, "Scrivi almeno un"), ({"remark:spent": "x" * 1001}, "non superare 1.000 caratteri")],
)
async def test_a_return_without_a_remark_or_with_too_long_a_one_says_so(
    desk: Desk, fields: dict[str, str], said: str
) -> None:
    number, _ada = an_update(desk)

    page = await desk.browser("Vera").send_form(f"/desk/updates/{number}/return", **{"revision": "0", **fields})

    assert page.status_code == 422
    assert said in page.text.replace("1000", "1.000")
    assert found(desk, number).review is Review.RECEIVED


async def test_the_list_has_a_heap_for_each_state(desk: Desk) -> None:
    number, _ada = an_update(desk)
    olga = desk.browser("Olga")
    link = f'href="/desk/updates/{number}"'

    assert link in (await olga.get("/desk/updates?review=received")).text
    assert "Qui non c" in (await olga.get("/desk/updates?review=accepted")).text
    await olga.send_form(f"/desk/updates/{number}/accept", revision="0")
    assert link in (await olga.get("/desk/updates?review=accepted")).text
    assert link not in (await olga.get("/desk/updates?review=received")).text


@pytest.mark.parametrize("what", ["accept", "reopen", "return"])
async def test_who_may_only_read_changes_nothing(desk: Desk, what: str) -> None:
    number, _ada = an_update(desk)

    refused = await desk.browser("Rita").send_form(
        f"/desk/updates/{number}/{what}", **{"revision": "0", "remark:spent": "?"}
    )

    assert refused.status_code == 403
    assert found(desk, number).review is Review.RECEIVED
    page = (await desk.browser("Rita").get(f"/desk/updates/{number}")).text
    assert "Accetta<" not in page


async def test_a_volunteer_sends_back_and_does_not_accept(desk: Desk) -> None:
    number, _ada = an_update(desk)
    vera = desk.browser("Vera")

    assert (await vera.send_form(f"/desk/updates/{number}/accept", revision="0")).status_code == 403
    page = (await vera.get(f"/desk/updates/{number}")).text
    assert "Rimanda con osservazioni" in page


@pytest.mark.parametrize("what", ["accept", "reopen", "return"])
async def test_what_is_not_there_is_404(desk: Desk, what: str) -> None:
    answer = await desk.browser("Olga").send_form(f"/desk/updates/999/{what}", **{"revision": "0", "remark:spent": "?"})

    assert answer.status_code == 404
