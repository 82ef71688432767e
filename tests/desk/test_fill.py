"""A form filled in on one's own page, without a script: begun, saved, corrected, sent."""

from datetime import datetime, timedelta

from sqlmodel import select

from storage.tables import Obligation, ObligationState
from tests.desk.conftest import Desk
from tests.desk.filling import a_filler, updates
from tests.desk.test_personal import a_person, owes

ANSWERS = {
    "phase": "03005",
    "progress": "45,5",
    "spent": "125.000,50",
    "expected_end": "30 giugno 2027",
    "problems": "no",
}


async def test_an_update_is_filled_in_and_sent_from_the_page(desk: Desk, now: datetime) -> None:
    ada = a_person(desk)
    owes(desk, ada, (now + timedelta(days=4)).date(), "Novembre")
    filler = await a_filler(desk, ada, "project-update")

    summary = await filler.presses("send", **ANSWERS)
    receipt = await filler.sends()

    assert "Esecuzione dei lavori" in summary.text
    assert "30 giugno 2027" in summary.text
    assert "Novembre" in receipt.text
    [update] = updates(desk)
    assert update.answers == {
        "phase": "03005",
        "progress": "45.5",
        "spent": "125000.5",
        "expected_end": "2027-06-30",
        "problems": "no",
    }
    assert update.channel == "web"
    with desk.house.database.read() as session:
        assert session.exec(select(Obligation)).one().state is ObligationState.DONE
