"""The row of sections: grouped, by role, with what waits inside a closed group."""

import re

import pytest

from desk.navigation import SECTIONS, entries_of
from storage.people import new_personal_link
from storage.tables import AccessRequest, AccessState
from tests.desk.conftest import Desk

ROW = re.compile(r'(?s)<nav aria-label="Sezioni della scrivania">(.*?)</nav>')


async def row(desk: Desk, who: str, path: str = "/desk/questions") -> str:
    found = ROW.search((await desk.browser(who).get(path)).text)
    assert found is not None
    return found[1]


def test_every_section_stands_in_the_row_once() -> None:
    shown = [one.key for entry in entries_of(SECTIONS) for one in entry.sections]

    assert shown == [one.key for one in SECTIONS]


def test_groups_are_few_enough_for_one_row() -> None:
    entries = entries_of(SECTIONS)

    assert len(entries) <= 7
    assert all(2 <= len(one.sections) <= 8 for one in entries if one.alone is None)


def test_a_group_of_one_is_that_section_itself() -> None:
    forms, outbox, audit = (next(one for one in SECTIONS if one.key == key) for key in ("forms", "outbox", "audit"))

    alone, together = entries_of([outbox, forms, audit])

    assert (alone.title, alone.alone) == ("Outgoing", outbox)
    assert (together.title, together.alone) == ("Office and forms", None)


@pytest.mark.parametrize(("who", "sees"), [("Anna", True), ("Olga", True), ("Vera", False), ("Rita", False)])
async def test_only_managers_see_what_only_they_may_open(desk: Desk, who: str, sees: bool) -> None:
    assert ('href="/desk/access"' in await row(desk, who)) is sees


async def test_the_group_that_holds_the_page_is_marked_and_the_page_in_it(desk: Desk) -> None:
    inside, outside = await row(desk, "Olga", "/desk/outbox"), await row(desk, "Olga")

    assert "holds-current" in inside
    assert 'href="/desk/outbox" aria-current="page"' in inside
    assert "holds-current" not in outside


async def test_the_title_says_how_many_questions_wait(desk: Desk) -> None:
    before = (await desk.browser("Olga").get("/desk/questions")).text
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        cast.a_question(cast.a_referent())

    after = (await desk.browser("Olga").get("/desk/questions")).text

    assert "<title>Domande ·" in before
    assert "<title>(1) Domande ·" in after


async def test_a_referents_own_page_has_none_of_it_even_for_staff_who_are_signed_in(desk: Desk) -> None:
    with desk.house.database.write() as session:
        key = new_personal_link(session, desk.cast(session).a_referent().id, desk.house.clock())

    page = (await desk.browser("Anna").get(f"/r/{key}")).text

    assert 'href="/desk/updates"' not in page
    assert ROW.search(page) is None


async def test_what_waits_in_a_closed_group_is_counted_on_its_heading(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        cast.add(
            AccessRequest(
                chat="9", name="Dora", state=AccessState.WAITING, created_at=cast.now, touched_at=cast.now, sources={}
            )
        )

    assert re.search(r'<summary>Posta e accessi <span class="count">1<', await row(desk, "Olga"))


async def test_the_row_takes_no_word_away_from_the_page_below_it(desk: Desk) -> None:
    with desk.house.database.write() as session:
        ada = desk.cast(session).a_referent().id

    page = (await desk.browser("Olga").get(f"/desk/referents/{ada}/phone")).text

    assert f'<form method="post" action="/desk/referents/{ada}/phone"' in page
