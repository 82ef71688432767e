"""Somebody is away and a colleague answers: what the desk sees of it, and ends."""

from datetime import date

import pytest
from sqlmodel import select

from intake.delegation import delegate
from storage.delegations import held_by
from storage.tables import Channel, Draft, DraftKind, Following
from tests.desk.conftest import Desk


def an_absence(desk: Desk) -> tuple[int, int]:
    """Ada is away until the last day of the year, Bruno answers for her: their numbers."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        organization = cast.an_organization("Ente di prova")
        project = cast.a_project(organization, title="Ex macello")
        ada = cast.a_referent("Ada Assente", organization, (project,), chat=901)
        bruno = cast.a_referent("Bruno Sostituto", organization, (), chat=902)
        today = date(2026, 11, 24)
        delegate(session, ada.id, bruno.id, date(2026, 12, 31), today=today, now=cast.now)
        return ada.id, bruno.id


async def test_an_absence_is_seen_on_both_pages_and_ended_by_an_officer(desk: Desk) -> None:
    ada, bruno = an_absence(desk)
    olga = desk.browser("Olga")
    page = f"/desk/referents/{ada}"

    shown, other = (await olga.get(page)).text, (await olga.get(f"/desk/referents/{bruno}")).text
    assert "fino al 31 dic 2026 compreso" in shown
    assert "Sostituisce" in other
    assert "Ex macello" in other
    assert f'href="{page}/back"' in shown
    ended = await olga.send_form(f"{page}/back", page=f"{page}/back")

    assert ended.status_code == 303
    assert "compreso" not in (await olga.get(page)).text
    assert "Ex macello" not in (await olga.get(f"/desk/referents/{bruno}")).text
    assert (await olga.send_form(f"{page}/back", page=page)).status_code == 404
    assert (await olga.get(f"{page}/back")).status_code == 404


async def test_what_ending_an_absence_does_is_told_first_and_done_only_by_yes(desk: Desk) -> None:
    ada, bruno = an_absence(desk)
    with desk.house.database.write() as session:
        project_id = session.exec(select(Following.project_id).where(Following.referent_id == bruno)).one()
        now = desk.house.clock()
        draft = Draft(
            kind=DraftKind.UPDATE,
            referent_id=bruno,
            project_id=project_id,
            channel=Channel.TELEGRAM,
            created_at=now,
            touched_at=now,
        )
        session.add(draft)

    asked = (await desk.browser("Olga").get(f"/desk/referents/{ada}/back")).text

    assert "assenza di Ada Assente?" in asked
    assert "Bruno Sostituto non risponde più al suo posto" in asked
    assert "<li>Ex macello</li>" in asked
    with desk.house.database.read() as session:
        assert held_by(session, ada) is not None


@pytest.mark.parametrize("who", ["Vera", "Rita"])
async def test_an_absence_is_not_ended_by_who_may_not(desk: Desk, who: str) -> None:
    ada, _ = an_absence(desk)
    browser = desk.browser(who)

    assert "Termina ora" not in (await browser.get(f"/desk/referents/{ada}")).text
    assert (await browser.get(f"/desk/referents/{ada}/back")).status_code == 403
    assert (await browser.send_form(f"/desk/referents/{ada}/back", page="/desk/questions")).status_code == 403
