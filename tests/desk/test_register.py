"""The register's pages: organisations by month, what each figure counts, the days to come, files; whoever may look."""

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook

from app.register_keeping import count_all
from storage.tables import GroupMember, MunicipalityGroup, ObligationState, Target, TargetKind
from tests.desk.conftest import Desk

PAGE = "/desk/register"


@dataclass(frozen=True)
class Things:
    abbiategrasso: int
    magenta: int
    deadline: int
    other: int
    group: int
    programme: int
    late: int


def a_register(desk: Desk) -> Things:
    """In November: of Abbiategrasso one is late and one received; of Magenta one is awaited, by another deadline."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        here, there, programme = cast.an_organization(), cast.an_organization("Magenta"), cast.a_programme()
        form = cast.a_form()
        monthly = cast.a_deadline(form, date(2026, 11, 1))
        ending = cast.a_deadline(form, date(2026, 11, 30), title="Fine lavori")
        cast.add(Target(deadline_id=ending.id, kind=TargetKind.PROGRAMME, target_id=programme.id))
        market, school = cast.a_project(here), cast.a_project(here, title="Asilo")
        bridge = cast.a_project(there, programme, title="Ponte")
        late = cast.an_obligation(monthly, market, date(2026, 11, 10), cast.now - timedelta(days=14))
        done = cast.an_obligation(monthly, school, date(2026, 11, 10), cast.now - timedelta(days=14))
        done.state = ObligationState.DONE
        awaited = cast.an_obligation(ending, bridge, date(2026, 11, 30), cast.now + timedelta(days=6))
        for one, body in ((late, here), (done, here), (awaited, there)):
            one.body_id = body.id
        group = cast.add(MunicipalityGroup(name="Magentino", created_at=cast.now))
        cast.add(GroupMember(group_id=group.id, organization_id=there.id))
        cast.a_referent("Ada Esempio", here, (market,))
        things = Things(here.id, there.id, monthly.id, ending.id, group.id, programme.id, late.id)
    count_all(desk.house.database, desk.house.clock)
    return things


async def lines(desk: Desk, key: str, query: str = "") -> list[list[str]]:
    found = await desk.browser("Rita").get(f"{PAGE}/{key}.csv{query}")
    assert found.status_code == 200
    return list(csv.reader(io.StringIO(found.content.decode("utf-8-sig"), newline=""), delimiter=";"))


@pytest.mark.parametrize("who", ["Rita", "Vera", "Olga", "Anna"])
async def test_whoever_may_look_at_the_desk_sees_the_register(desk: Desk, who: str) -> None:
    things = a_register(desk)

    found = await desk.browser(who).get(PAGE)

    assert found.status_code == 200
    assert "In ritardo: 1 su 2" in found.text
    assert f'href="/desk/register/bodies/{things.abbiategrasso}/2026-11"' in found.text


async def test_who_is_not_signed_in_sees_none_of_it(desk: Desk) -> None:
    for page in (PAGE, f"{PAGE}/coming", f"{PAGE}/map.csv", f"{PAGE}/bodies/0/2026-11"):
        assert (await desk.browser().get(page)).status_code == 303, page


async def test_an_empty_register_says_what_will_appear(desk: Desk) -> None:
    found = await desk.browser("Rita").get(PAGE)

    assert found.status_code == 200
    assert "Non scade ancora niente" in found.text


async def test_the_municipality_with_the_most_late_comes_first(desk: Desk) -> None:
    a_register(desk)

    found = await lines(desk, "map")

    assert found[1:] == [
        ["Abbiategrasso", "nov 2026", "1", "0", "0", "1", "0"],
        ["Magenta", "nov 2026", "0", "1", "0", "0", "0"],
        ["Tutti insieme", "nov 2026", "1", "1", "0", "1", "0"],
    ]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("?deadline={deadline}", ["Abbiategrasso"]),
        ("?deadline={other}", ["Magenta"]),
        ("?group={group}", ["Magenta"]),
        ("?programme={programme}", ["Magenta"]),
        ("?state=late", ["Abbiategrasso"]),
        ("?state=awaited", ["Magenta"]),
        ("?until=2025-11", []),
        ("?deadline=99999", []),
        ("?deadline=x&group=%00&programme=99999999999&state=no&until=2026-13", ["Abbiategrasso", "Magenta"]),
    ],
)
async def test_the_register_is_narrowed(desk: Desk, query: str, left: list[str]) -> None:
    things = a_register(desk)
    chosen = query.format(**vars(things))

    found = [line[0] for line in (await lines(desk, "map", chosen))[1:] if line[0] != "Tutti insieme"]
    page = await desk.browser("Rita").get(PAGE + chosen)

    assert found == left
    assert page.status_code == 200
    assert [name for name in ("Abbiategrasso", "Magenta") if f'<th scope="row">{name}' in page.text] == left


async def test_a_figure_opens_what_it_counts_with_whom_to_ask(desk: Desk) -> None:
    things = a_register(desk)

    found = await desk.browser("Rita").get(f"{PAGE}/bodies/{things.abbiategrasso}/2026-11")

    assert found.status_code == 200
    assert f'href="/desk/deadlines/{things.deadline}/obligations/{things.late}"' in found.text
    assert ("Ex mercato" in found.text, "Asilo" in found.text, "Ponte" in found.text) == (True, True, False)
    assert "Ada Esempio" in found.text


async def test_a_figure_of_what_does_not_exist_is_a_page_that_is_not_there(desk: Desk) -> None:
    browser = desk.browser("Rita")

    for path in ("bodies/99999/2026-11", "bodies/0/2026-13", "bodies/0/x", "nothing.csv", "map.pdf"):
        assert (await browser.get(f"{PAGE}/{path}")).status_code == 404, path
    assert (await browser.get(f"{PAGE}/bodies/0/2026-11")).status_code == 200


async def test_what_has_not_opened_is_only_among_the_days_to_come(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        deadline = cast.a_deadline(cast.a_form(), date(2026, 12, 1), opens_days_before=5)
        cast.an_obligation(
            deadline, cast.a_project(cast.an_organization()), date(2026, 12, 20), cast.now + timedelta(days=26)
        )
    count_all(desk.house.database, desk.house.clock)

    assert len(await lines(desk, "map")) == 1
    assert await lines(desk, "coming") == [
        ["Scade il", "Scadenza", "In tutto", "Ancora atteso", "Ricevuto", "Non dovuto"],
        ["20/12/2026", "Monitoraggio mensile", "1", "1", "0", "0"],
    ]


async def test_the_days_to_come_lead_to_their_deadlines(desk: Desk) -> None:
    things = a_register(desk)

    found = await desk.browser("Rita").get(f"{PAGE}/coming")

    assert f'href="/desk/deadlines/{things.other}">Fine lavori' in found.text


async def test_the_map_is_a_spreadsheet_too(desk: Desk) -> None:
    a_register(desk)

    found = await desk.browser("Rita").get(f"{PAGE}/map.xlsx")

    sheet = load_workbook(io.BytesIO(found.content)).active
    assert sheet is not None
    assert [cell.value for cell in next(sheet.iter_rows(min_row=2, max_row=2))][:3] == ["Abbiategrasso", "nov 2026", 1]


async def test_more_organisations_than_a_page_holds_are_on_the_next(desk: Desk) -> None:
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        deadline = cast.a_deadline(cast.a_form(), date(2026, 11, 1))
        for number in range(51):
            town = cast.an_organization(f"Comune {number:02}")
            cast.an_obligation(deadline, town, date(2026, 11, 10), cast.now).body_id = town.id
    count_all(desk.house.database, desk.house.clock)

    first, second = [(await desk.browser("Rita").get(f"{PAGE}?page={page}")).text for page in (1, 2)]

    assert ("Comune 49" in first, "Comune 50" in first) == (True, False)
    assert ("Comune 49" in second, "Comune 50" in second) == (False, True)
