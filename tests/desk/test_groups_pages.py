"""Groups of municipalities and the roles of a colleague, as an administrator arranges them."""

import re
from typing import Any

import pytest
from sqlmodel import select

from storage.groups import members_of
from storage.local_roles import roles_of
from storage.tables import Audit, Category, LocalRole, MunicipalityGroup, Role
from tests.desk.conftest import Desk
from tests.desk.test_local_roles_pages import a_group, asked_there, entrust

PAGE = "/desk/office/groups"


def the_groups(desk: Desk) -> list[str]:
    with desk.house.database.read() as session:
        return sorted(session.exec(select(MunicipalityGroup.name)))


def inside(desk: Desk, group_id: int) -> list[str]:
    with desk.house.database.read() as session:
        return [one.name for one in members_of(session, group_id)]


def organizations(desk: Desk, *names: tuple[str, str | None]) -> list[int]:
    with desk.house.database.write() as session:
        return [desk.cast(session).an_organization(name, code).id for name, code in names]


def the_roles(desk: Desk, who: str) -> list[tuple[Role, int | None, int | None]]:
    with desk.house.database.read() as session:
        return [(one.row.role, one.row.category_id, one.row.group_id) for one in roles_of(session, desk.people[who])]


def acts(desk: Desk, kind: str) -> list[str]:
    with desk.house.database.read() as session:
        return list(session.exec(select(Audit.action).where(Audit.object_kind == kind).order_by(Audit.id)))  # type: ignore[arg-type]


async def test_a_group_is_made_filled_renamed_emptied_and_taken_away(desk: Desk) -> None:
    lodi, agrate = organizations(desk, ("Lodi", "098031"), ("Agrate Brianza", "108001"))
    anna = desk.browser("Anna")

    empty = (await anna.get(PAGE)).text
    made = await anna.send_form(PAGE, page=PAGE, name="  Est   Milano <b> ")
    address = made.headers["location"]
    number = int(address.rpartition("/")[2])
    await anna.send_form(f"{address}/members", page=address, organization=[lodi, agrate])
    filled, page = inside(desk, number), (await anna.get(address)).text
    await anna.send_form(f"{address}/members/{lodi}/out", page=address)
    await anna.send_form(address, page=address, name="Est")
    left, names = inside(desk, number), the_groups(desk)
    asked = (await anna.get(f"{address}/drop")).text
    await anna.send_form(f"{address}/drop", page=address)

    assert "Ancora nessun gruppo" in empty
    assert filled == ["Agrate Brianza", "Lodi"]
    assert "Est Milano &lt;b&gt;" in page
    assert (left, names) == (["Agrate Brianza"], ["Est"])
    assert "Eliminare il gruppo?" in asked
    assert the_groups(desk) == []
    assert acts(desk, "group") == ["group.add", "group.put-in", "group.take-out", "group.rename", "group.drop"]


async def test_a_whole_province_comes_in_at_once_and_nobody_twice(desk: Desk) -> None:
    lodi, *_ = organizations(desk, ("Lodi", "098031"), ("Codogno", "098019"), ("Milano", "015146"), ("Parco", None))
    anna = desk.browser("Anna")
    address = (await anna.send_form(PAGE, page=PAGE, name="Lodigiano")).headers["location"]
    await anna.send_form(f"{address}/members", page=address, organization=lodi)

    page = (await anna.get(address)).text
    first = await anna.send_form(f"{address}/members", page=address, province="098")
    again = await anna.send_form(f"{address}/members", page=address, province="098", organization=lodi)

    assert "Lodi (1)" in page
    assert "Milano (1)" in page
    assert (first.status_code, again.status_code) == (303, 303)
    assert inside(desk, int(address.rpartition("/")[2])) == ["Codogno", "Lodi"]
    assert acts(desk, "group") == ["group.add", "group.put-in", "group.put-in"]


async def test_a_municipality_is_found_by_part_of_its_name_without_accents(desk: Desk) -> None:
    organizations(desk, ("Cantù", "013041"), ("Lodi", "098031"))
    group, _ = a_group(desk)

    page = (await desk.browser("Anna").get(f"{PAGE}/{group}?q=cantu")).text

    assert re.findall(r'name="organization".*?<label[^>]*>([^<]+)</label>', page, re.S) == ["Cantù"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("", "Scrivi il nome"), ("\x00 ", "Scrivi il nome"), ("x" * 81, "troppo lungo"), ("OVEST", "già un gruppo")],
)
async def test_a_wrong_name_is_said_and_stays_in_the_form(desk: Desk, name: str, why: str) -> None:
    a_group(desk)
    other, _ = a_group(desk, "Est", "Lodi")
    anna = desk.browser("Anna")

    for address in (PAGE, f"{PAGE}/{other}"):
        answer = await anna.send_form(address, page=PAGE, name=name)
        assert answer.status_code == 422
        assert why in answer.text
    assert the_groups(desk) == ["Est", "Ovest"]


@pytest.mark.parametrize(
    "fields", [{}, {"province": "999"}, {"organization": "-1"}, {"organization": str(2**40)}, {"province": "\x00'x"}]
)
async def test_who_chooses_nobody_is_told(desk: Desk, fields: dict[str, str]) -> None:
    group, _ = a_group(desk)

    answer = await desk.browser("Anna").send_form(f"{PAGE}/{group}/members", page=PAGE, **fields)

    assert answer.status_code == 422
    assert inside(desk, group) == ["Abbiategrasso"]


async def test_a_group_that_a_role_is_for_stays(desk: Desk) -> None:
    group, _ = a_group(desk)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    anna = desk.browser("Anna")

    before = (await anna.get(f"{PAGE}/{group}/drop")).text
    answer = await anna.send_form(f"{PAGE}/{group}/drop", page=PAGE)

    assert "Sì, elimina" not in before
    assert answer.status_code == 409
    assert "Prima togli quei ruoli" in answer.text
    assert the_groups(desk) == ["Ovest"]


# --- the roles of a colleague


def roles_page(desk: Desk, who: str) -> str:
    return f"/desk/office/staff/{desk.people[who]}/roles"


def a_category(desk: Desk) -> int:
    with desk.house.database.write() as session:
        return int(desk.cast(session).add(Category(name="Appalti", created_at=desk.house.clock())).id)


async def test_a_role_is_given_said_in_plain_words_and_taken_away(desk: Desk) -> None:
    group, place = a_group(desk)
    category, question = a_category(desk), asked_there(desk, place)
    anna, rita, page = desk.browser("Anna"), desk.browser("Rita"), roles_page(desk, "Rita")

    await anna.send_form(page, page=page, role="volunteer", group=str(group), category="")
    await anna.send_form(page, page=page, role="officer", group=str(group), category=str(category))
    shown = (await anna.get(page)).text
    office = (await anna.get("/desk/office")).text
    taken = await rita.send_form(f"/desk/questions/{question}/take", page="/desk/account", version=1)
    (_, row) = (the_row(desk, group, None), the_row(desk, group, category))
    await anna.send_form(f"{page}/{row.id}/end", page=page)

    assert "Nelle domande dei Comuni di Ovest: volontario" in shown
    assert "Nelle domande su Appalti dei Comuni di Ovest: funzionario" in shown
    assert "In tutte le altre domande, e in ogni altra pagina: solo lettura" in shown
    assert "e altri 2 per una parte delle domande" in office
    assert taken.status_code == 303
    assert the_roles(desk, "Rita") == [(Role.VOLUNTEER, None, group)]
    assert acts(desk, "staff")[-3:] == ["staff.entrust", "staff.entrust", "staff.entrust-end"]


def the_row(desk: Desk, group_id: int, category_id: int | None) -> LocalRole:
    with desk.house.database.read() as session:
        rows = session.exec(select(LocalRole).where(LocalRole.group_id == group_id)).all()
        return next(row for row in rows if row.category_id == category_id)


async def test_a_second_role_for_the_same_place_replaces_the_first(desk: Desk) -> None:
    group, _ = a_group(desk)
    anna, page = desk.browser("Anna"), roles_page(desk, "Rita")

    for role in ("volunteer", "officer"):
        await anna.send_form(page, page=page, role=role, group=str(group))

    assert the_roles(desk, "Rita") == [(Role.OFFICER, None, group)]


@pytest.mark.parametrize(
    ("who", "fields", "why"),
    [
        ("Rita", {"role": "volunteer"}, "Scegli una categoria"),
        ("Rita", {"role": "admin", "group": "1"}, "Scegli fra solo lettura"),
        ("Rita", {"role": "boss", "group": "1"}, "Scegli fra solo lettura"),
        ("Rita", {"role": "volunteer", "group": "99999999999"}, "gruppo non esiste"),
        ("Rita", {"role": "volunteer", "group": "\x00"}, "gruppo non esiste"),
        ("Rita", {"role": "volunteer", "category": "77"}, "categoria non esiste"),
        ("Anna", {"role": "reader", "category": "77"}, "amministratore lo è ovunque"),
    ],
)
async def test_what_cannot_be_given_is_said(desk: Desk, who: str, fields: dict[str, Any], why: str) -> None:
    answer = await desk.browser("Anna").send_form(roles_page(desk, who), page=PAGE, **fields)

    assert answer.status_code == 422
    assert why in answer.text
    assert the_roles(desk, who) == []


async def test_another_s_role_cannot_be_taken_away_by_this_address(desk: Desk) -> None:
    group, _ = a_group(desk)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    row = the_row(desk, group, None)

    answer = await desk.browser("Anna").send_form(f"{roles_page(desk, 'Vera')}/{row.id}/end", page=PAGE)

    assert answer.status_code == 404
    assert len(the_roles(desk, "Rita")) == 1


@pytest.mark.parametrize("who", ["Olga", "Vera", "Rita"])
async def test_only_administrators_arrange_who_answers_for_what(desk: Desk, who: str) -> None:
    group, place = a_group(desk)
    browser, roles = desk.browser(who), roles_page(desk, who)

    for path in (PAGE, f"{PAGE}/{group}", f"{PAGE}/{group}/drop", roles):
        assert (await browser.get(path)).status_code == 403, path
    for path in (
        PAGE,
        f"{PAGE}/{group}",
        f"{PAGE}/{group}/members",
        f"{PAGE}/{group}/members/{place}/out",
        f"{PAGE}/{group}/drop",
        roles,
        f"{roles}/1/end",
    ):
        answer = await browser.send_form(path, page="/desk/account", role="officer", group=str(group), name="Mio")
        assert answer.status_code == 403, path

    assert (the_groups(desk), inside(desk, group), the_roles(desk, who)) == (["Ovest"], ["Abbiategrasso"], [])
