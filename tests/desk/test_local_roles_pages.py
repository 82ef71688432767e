"""Roles for a category or a group of municipalities, on the pages: what one may do where, and what the page says."""

import pytest
from sqlmodel import select

from storage.tables import Audit, GroupMember, LocalRole, MunicipalityGroup, Role
from tests.desk.conftest import Desk
from tests.desk.test_questions import press
from tests.desk.test_roles import RULES, Rule, ask, token_of


def a_group(desk: Desk, name: str = "Ovest", organization: str = "Abbiategrasso") -> tuple[int, int]:
    """A group with one municipality in it; the ids of both."""
    with desk.house.database.write() as session:
        cast = desk.cast(session)
        place = cast.an_organization(organization)
        group = cast.add(MunicipalityGroup(name=name, created_at=cast.now))
        cast.add(GroupMember(group_id=group.id, organization_id=place.id))
        return group.id, place.id


def asked_there(desk: Desk, organization_id: int | None) -> int:
    from storage.tables import Organization

    with desk.house.database.write() as session:
        cast = desk.cast(session)
        place = session.get(Organization, organization_id) if organization_id else None
        return int(cast.a_question(cast.a_referent("Ada Esempio", place)).id)


def entrust(desk: Desk, who: str, role: Role, *, group_id: int | None = None, category_id: int | None = None) -> None:
    with desk.house.database.write() as session:
        row = LocalRole(
            staff_id=desk.people[who],
            group_id=group_id,
            category_id=category_id,
            role=role,
            created_at=desk.house.clock(),
        )
        desk.cast(session).add(row)


async def test_a_reader_works_where_she_volunteers_and_is_refused_elsewhere_and_it_is_logged(desk: Desk) -> None:
    group, place = a_group(desk)
    inside, outside = asked_there(desk, place), asked_there(desk, None)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    rita = desk.browser("Rita")

    here = (await rita.get(f"/desk/questions/{inside}")).text
    there = (await rita.get(f"/desk/questions/{outside}")).text
    taken = await press(rita, inside, "take", 1)
    refused = await rita.send_form(f"/desk/questions/{outside}/take", page=f"/desk/questions/{inside}", version=1)

    assert "Qui il tuo ruolo è: volontario" in here
    assert f"/desk/questions/{inside}/take" in here
    assert "Qui il tuo ruolo" not in there
    assert f"/desk/questions/{outside}/take" not in there
    assert (taken.status_code, refused.status_code) == (303, 403)
    with desk.house.database.read() as session:
        denied = session.exec(select(Audit).where(Audit.action == "denied")).one()
    assert (denied.actor_id, denied.object_id, denied.detail["why"]) == (desk.people["Rita"], outside, "role")


async def test_what_she_answers_there_waits_for_an_officer_who_is_one_there(desk: Desk) -> None:
    group, place = a_group(desk)
    question = asked_there(desk, place)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    entrust(desk, "Olga", Role.VOLUNTEER, group_id=group)
    rita, olga, ugo = desk.browser("Rita"), desk.browser("Olga"), desk.browser("Ugo")

    await press(rita, question, "answer", 1, text="Sì, con una variante.")
    page = (await olga.get(f"/desk/questions/{question}")).text
    refused = await press(olga, question, "approve", 2, text="Sì")
    approved = await press(ugo, question, "approve", 2, text="Sì")

    assert f"/desk/questions/{question}/approve" not in page
    assert (refused.status_code, approved.status_code) == (403, 303)


async def test_a_question_that_is_not_there_is_told_to_whoever_may_work_somewhere(desk: Desk) -> None:
    group, _ = a_group(desk)
    rita = desk.browser("Rita")

    before = await rita.send_form("/desk/questions/999999/take", page="/desk/account", version=1)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    after = await rita.send_form("/desk/questions/999999/take", page="/desk/account", version=1)

    assert (before.status_code, after.status_code) == (403, 404)


async def test_sections_go_by_the_account_s_own_role(desk: Desk) -> None:
    group, _ = a_group(desk)
    entrust(desk, "Vera", Role.OFFICER, group_id=group)
    entrust(desk, "Olga", Role.READER, group_id=group)

    assert (await desk.browser("Vera").get("/desk/categories")).status_code == 403
    assert (await desk.browser("Olga").get("/desk/categories")).status_code == 200


def routes_of_one_question() -> list[Rule]:
    """Those that change something; and none that stays open."""
    return [rule for rule in RULES if rule.route.startswith("/desk/questions/{question_id}/") and rule.method == "POST"]


@pytest.mark.parametrize(("who", "own"), [("Rita", "reader"), ("Vera", "volunteer"), ("Olga", "officer")])
@pytest.mark.parametrize("role", [Role.READER, Role.VOLUNTEER, Role.OFFICER])
async def test_every_route_of_a_question_goes_by_the_role_in_it(desk: Desk, who: str, own: str, role: Role) -> None:
    group, place = a_group(desk)
    inside, outside = asked_there(desk, place), asked_there(desk, None)
    entrust(desk, who, role, group_id=group)
    wrong = []
    async with desk.browser(who) as browser:
        token = await token_of(browser)
        for rule in routes_of_one_question():
            for question, counts in ((inside, role.value), (outside, own)):
                status = (await ask(browser, rule, token, question_id=question)).status_code
                if (status == 403) is rule.lets_in(counts) or status == 500:
                    wrong.append(f"{rule.method} {rule.route} answers {status} to a {counts}")

    assert wrong == []


async def test_the_queue_can_be_narrowed_to_what_is_entrusted_to_whoever_looks(desk: Desk) -> None:
    group, place = a_group(desk)
    inside, outside = asked_there(desk, place), asked_there(desk, None)
    entrust(desk, "Rita", Role.VOLUNTEER, group_id=group)
    address = "/desk/questions?view=all&entrusted=1"

    async def seen(who: str, at: str) -> set[int]:
        page = (await desk.browser(who).get(at)).text
        return {number for number in (inside, outside) if f'href="/desk/questions/{number}"' in page}

    label = "Solo nelle mie competenze"
    assert await seen("Rita", "/desk/questions?view=all") == {inside, outside}
    assert await seen("Rita", address) == {inside}
    assert await seen("Vera", address) == set()
    assert label in (await desk.browser("Rita").get("/desk/questions")).text
    assert label not in (await desk.browser("Vera").get("/desk/questions")).text
